/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container that is to be restored: where CRIU finds on this host what it binds. */
#include "driver/criu.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

bool criu_mount_is_bind(const struct spec_mount *mount)
{
	if (mount->type && strcmp(mount->type, "bind") == 0)
		return true;
	for (size_t i = 0; i < mount->options.count; i++)
		if (strcmp(mount->options.items[i], "bind") == 0 ||
		    strcmp(mount->options.items[i], "rbind") == 0)
			return true;
	return false;
}

char *criu_mount_destination(const struct spec_mount *mount, int rootfs, struct error *err)
{
	cleanup_free char *resolved = path_resolve_in_root(rootfs, mount->destination, NULL, err);
	char *absolute;

	if (!resolved)
		return NULL;
	if (asprintf(&absolute, "/%s", resolved) < 0) {
		error_errno(err, ENOMEM, "\"%s\"", mount->destination);
		return NULL;
	}
	return absolute;
}

char *criu_mount_source(const struct spec_mount *mount, const char *bundle)
{
	char *path, *resolved;

	if (!mount->source)
		return NULL;
	if (mount->source[0] == '/')
		return realpath(mount->source, NULL);
	if (asprintf(&path, "%s/%s", bundle, mount->source) < 0)
		return NULL;
	resolved = realpath(path, NULL);
	free(path);
	return resolved;
}

/*
 * CRIU mounts by path. Whoever could put a symlink into the root since the checkpoint would lead it
 * elsewhere, on to the host.
 */
static int check_place(const struct image_mount *mount, int rootfs, struct error *err)
{
	cleanup_free char *resolved = path_resolve_in_root(rootfs, mount->destination, NULL, err);

	if (!resolved)
		return error_prefix(err, "root.path: \"%s\"", mount->destination);
	if (strcmp(resolved, mount->destination + 1) != 0)
		return error_set(err,
				 "root.path: \"%s\" leads to \"/%s\" now, and was a mount at the "
				 "checkpoint",
				 mount->destination, resolved);
	return 0;
}

/* As the container's mounts[] have it now: an engine may have moved it. */
static char *source_by_bind(const struct image_mount *mount, const struct creation *creation,
			    struct error *err)
{
	const struct spec *spec = creation->spec;

	for (size_t i = 0; i < spec->mounts_count; i++) {
		cleanup_free char *at = NULL, *from = NULL;
		char *joined;

		if (!criu_mount_is_bind(&spec->mounts[i]))
			continue;
		at = criu_mount_destination(&spec->mounts[i], creation->rootfs_fd, err);
		if (!at)
			return NULL;
		if (strcmp(at, mount->bind) != 0)
			continue;
		from = criu_mount_source(&spec->mounts[i], creation->bundle);
		if (!from ||
		    asprintf(&joined, "%s%s", from, mount->destination + strlen(mount->bind)) < 0)
			continue;
		return joined;
	}
	return NULL;
}

static char *source_of(const struct image_mount *mount, const struct creation *creation,
		       struct error *err)
{
	char *source = NULL;

	if (mount->controller) {
		const struct cgroup_hierarchy *hierarchy =
		    cgroup_find(creation->layout, mount->controller);

		if (hierarchy && hierarchy->mount &&
		    asprintf(&source, "%s%s", hierarchy->mount,
			     creation->container.state->cgroup_path) < 0)
			source = NULL;
		return source;
	}
	if (mount->bind && strncmp(mount->destination, mount->bind, strlen(mount->bind)) == 0)
		source = source_by_bind(mount, creation, err);
	if (!source && !err->message && mount->source)
		source = strdup(mount->source);
	return source;
}

/* What runc checkpointed: its names are the destinations in mounts[]. */
static int add_by_spec(const struct creation *creation, struct criu_options *criu,
		       struct error *err)
{
	const struct spec *spec = creation->spec;

	for (size_t i = 0; i < spec->mounts_count; i++) {
		cleanup_free char *at = NULL, *from = NULL;

		if (!criu_mount_is_bind(&spec->mounts[i]))
			continue;
		at = criu_mount_destination(&spec->mounts[i], creation->rootfs_fd, err);
		from = at ? criu_mount_source(&spec->mounts[i], creation->bundle) : NULL;
		if (!at)
			return error_prefix(err, "mounts[%zu]", i);
		if (from)
			criu_add_pair(criu, CRIU_EXT_MNT, at, from);
	}
	criu_add_pair(criu, CRIU_EXT_MNT, "/dev/null", "/dev/null");
	return 0;
}

int image_add_mounts(const struct image *image, const struct creation *creation,
		     struct criu_options *criu, struct error *err)
{
	if (!image->mounts)
		return add_by_spec(creation, criu, err);
	for (size_t i = 0; i < image->count; i++) {
		const struct image_mount *mount = &image->mounts[i];
		cleanup_free char *source = NULL;

		if (check_place(mount, creation->rootfs_fd, err) < 0)
			return -1;
		if (!mount->external)
			continue;
		source = source_of(mount, creation, err);
		if (!source)
			return err->message
				   ? -1
				   : error_set(err,
					       "mounts: there is nothing on this host to mount on "
					       "\"%s\"",
					       mount->destination);
		criu_add_pair(criu, CRIU_EXT_MNT, mount->destination, source);
	}
	return 0;
}

void image_add_streams(const struct image *image, const int *fds, struct criu_options *criu)
{
	for (size_t i = 0; i < ARRAY_SIZE(image->streams); i++) {
		const char *name = image->streams[i];
		int fd = fds[i];

		if (fd < 0 || !name || !strchr(name, '['))
			continue;
		/* A file's path is its name without the first character, which is a slash in any
		 * other; and by its path CRIU takes a stream as it is, whatever has become of it.
		 */
		if (strncmp(name, "file[", 5) == 0)
			criu_add_text_number(criu, CRIU_INHERIT_FD, name + 1, fd);
		else if (strncmp(name, "pipe:[", 6) == 0 || strncmp(name, "socket:[", 8) == 0)
			criu_add_text_number(criu, CRIU_INHERIT_FD, name, fd);
	}
}
