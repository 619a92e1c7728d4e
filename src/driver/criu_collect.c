/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a container that is to be frozen: its mounts and its standard streams. */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "base/path.h"

struct collector {
	const struct container *container;
	const struct spec *spec;
	const struct cgroup_layout *layout;
	struct mountinfo host, inside;
	int root;   /* the container's, as it sees it */
	int rootfs; /* the same on the host, nothing mounted on it */
	struct image *image;
};

static bool same_device(const struct mountinfo_mount *a, const struct mountinfo_mount *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* What is left of `path` behind `prefix`: "" or "/…"; NULL: it isn't below it. */
static const char *rest_behind(const char *path, const char *prefix)
{
	size_t length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);

	if (strncmp(path, prefix, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return strcmp(path + length, "/") == 0 ? "" : path + length;
}

static char *join(const char *path, const char *rest)
{
	char *joined;

	if (strcmp(path, "/") == 0 && rest[0])
		path = "";
	return asprintf(&joined, "%s%s", path, rest) < 0 ? NULL : joined;
}

/* ---- mounts ---- */

/* Where on the host that is which is mounted there. It may be seen in several places, or in none.
 */
static char *find_on_host(const struct collector *collector, const struct mountinfo_mount *mount)
{
	cleanup_close int fd = path_open_in_root(collector->root, mount->point, O_PATH, 0);
	struct stat inside, outside;

	if (fd < 0 || fstat(fd, &inside) < 0)
		return NULL;
	for (size_t i = 0; i < collector->host.count; i++) {
		const struct mountinfo_mount *at = &collector->host.mounts[i];
		const char *rest =
		    same_device(at, mount) ? rest_behind(mount->root, at->root) : NULL;
		cleanup_free char *path = rest ? join(at->point, rest) : NULL;

		if (path && stat(path, &outside) == 0 && outside.st_dev == inside.st_dev &&
		    outside.st_ino == inside.st_ino)
			return PTR_TAKE(path);
	}
	return NULL;
}

static bool is_on_host(const struct collector *collector, const struct mountinfo_mount *mount)
{
	for (size_t i = 0; i < collector->host.count; i++)
		if (same_device(&collector->host.mounts[i], mount))
			return true;
	return false;
}

/* Its own cgroup has another name after the restore, perhaps. */
static const char *find_controller(const struct collector *collector,
				   const struct mountinfo_mount *mount)
{
	const struct cgroup_layout *layout = collector->layout;

	if (strcmp(mount->root, collector->container->state->cgroup_path) != 0)
		return NULL;
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		for (size_t j = 0; hierarchy->mount && j < collector->host.count; j++)
			if (same_device(&collector->host.mounts[j], mount) &&
			    strcmp(collector->host.mounts[j].point, hierarchy->mount) == 0)
				return hierarchy->unified ? "" : hierarchy->controllers[0];
	}
	return NULL;
}

/* Which of mounts[] it is, or is a part of. */
static char *find_bind(const struct collector *collector, const char *destination,
		       const char *source, struct error *err)
{
	char *found = NULL;

	for (size_t i = 0; i < collector->spec->mounts_count; i++) {
		const struct spec_mount *mount = &collector->spec->mounts[i];
		cleanup_free char *from = NULL, *at = NULL, *expected = NULL;
		const char *rest;

		if (!criu_mount_is_bind(mount))
			continue;
		at = criu_mount_destination(mount, collector->rootfs, err);
		if (!at) {
			free(found);
			return NULL;
		}
		rest = rest_behind(destination, at);
		if (!rest)
			continue;
		from = criu_mount_source(mount, collector->container->state->bundle);
		expected = from ? join(from, rest) : NULL;
		if (*rest && !(expected && source && strcmp(expected, source) == 0))
			continue;
		if (!found || strlen(at) > strlen(found)) {
			free(found);
			found = PTR_TAKE(at);
		}
	}
	return found;
}

static int collect_mount(struct collector *collector, const struct mountinfo_mount *mount,
			 struct error *err)
{
	struct image *image = collector->image;
	struct image_mount *to = &image->mounts[image->count++];
	const char *controller;

	to->destination = strdup(mount->point);
	if (!to->destination)
		return error_errno(err, ENOMEM, "Failed to look at the container's mounts");
	to->external = is_on_host(collector, mount);
	if (!to->external)
		return 0;
	to->source = find_on_host(collector, mount);
	controller = find_controller(collector, mount);
	if (controller) {
		to->controller = strdup(controller);
		return 0;
	}
	to->bind = find_bind(collector, to->destination, to->source, err);
	return err->message ? -1 : 0;
}

static int collect_mounts(struct collector *collector, struct error *err)
{
	struct image *image = collector->image;

	image->mounts = calloc(collector->inside.count + 1, sizeof(*image->mounts));
	if (!image->mounts)
		return error_errno(err, ENOMEM, "Failed to look at the container's mounts");
	for (size_t i = 0; i < collector->inside.count; i++) {
		const struct mountinfo_mount *mount = &collector->inside.mounts[i];

		/* The root itself is told to CRIU in other words. */
		if (strcmp(mount->point, "/") != 0 && collect_mount(collector, mount, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- streams ---- */

static unsigned int mount_of(pid_t pid, int fd)
{
	cleanup_fclose FILE *file = NULL;
	cleanup_free char *line = NULL;
	unsigned int id = 0;
	char path[64];
	size_t room = 0;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(path, "re");
	while (file && getline(&line, &room, file) > 0)
		if (sscanf(line, "mnt_id: %u", &id) == 1)
			break;
	return id;
}

static bool is_inside(const struct collector *collector, unsigned int mount)
{
	for (size_t i = 0; i < collector->inside.count; i++)
		if (collector->inside.mounts[i].id == mount)
			return true;
	return false;
}

static bool is_terminal(const struct stat *st)
{
	unsigned int number = major(st->st_rdev);

	return S_ISCHR(st->st_mode) &&
	       (number == 4 || number == 5 || (number >= 136 && number < 144));
}

/* A file of the host's has no name that could be opened in the container: CRIU leaves it alone
 * where it is told this. */
static char *external_file(unsigned int mount, const struct stat *st)
{
	char *name;

	return asprintf(&name, "file[%x:%" PRIx64 "]", mount, (uint64_t)st->st_ino) < 0 ? NULL
											: name;
}

static int collect_stream(struct collector *collector, int fd, struct error *err)
{
	pid_t pid = collector->container->state->pid;
	char path[64], target[PATH_MAX];
	unsigned int mount;
	struct stat st;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT
			   ? 0
			   : error_errno(err, errno, "Failed to look at the container's streams");
	target[length] = '\0';
	mount = mount_of(pid, fd);
	if (target[0] == '/' && !is_inside(collector, mount) && stat(path, &st) == 0 &&
	    !is_terminal(&st))
		collector->image->streams[fd] = external_file(mount, &st);
	else
		collector->image->streams[fd] = strdup(target);
	return collector->image->streams[fd] ? 0
					     : error_errno(err, ENOMEM, "Failed to note a stream");
}

int image_collect(const struct container *container, const struct spec *spec,
		  const struct cgroup_layout *layout, struct image *image, struct error *err)
{
	cleanup_close int root = -1, rootfs = -1;
	struct collector collector = {
	    .container = container, .spec = spec, .layout = layout, .image = image};
	const struct state *state = container->state;
	char path[64];
	int result;

	*image = (struct image){0};
	snprintf(path, sizeof(path), "/proc/%d/root", (int)state->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rootfs = open(state->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || rootfs < 0)
		return error_errno(err, errno, "Failed to open the root of \"%s\"", state->id);
	collector.root = root;
	collector.rootfs = rootfs;
	result = mountinfo_read(0, &collector.host, err);
	if (result == 0)
		result = mountinfo_read(state->pid, &collector.inside, err);
	if (result == 0)
		result = collect_mounts(&collector, err);
	for (int fd = 0; result == 0 && fd < 3; fd++)
		result = collect_stream(&collector, fd, err);
	mountinfo_free(&collector.host);
	mountinfo_free(&collector.inside);
	return result;
}
