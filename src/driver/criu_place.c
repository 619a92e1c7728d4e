/* SPDX-License-Identifier: Apache-2.0 */
/* Where CRIU runs: in a mount namespace of its own, so that nothing that is mounted for it, or by
 * it, is seen on the host, and all of it is gone with CRIU, even if that is killed. */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"

/* The same directory, but as this mount namespace has it: CRIU mounts below it. */
static int reopen(int fd)
{
	char path[64], target[PATH_MAX];
	cleanup_close int opened = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -1;
	target[length] = '\0';
	opened = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return opened < 0 ? -1 : dup2(opened, fd);
}

static int show_hierarchy(const char *yard, const char *name, const char *source)
{
	char path[PATH_MAX];

	if (strncmp(name, "name=", 5) == 0)
		name += 5;
	if (snprintf(path, sizeof(path), "%s/%s", yard, name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -1;
	return kernel_mount(source, path, NULL, MS_BIND, NULL);
}

/*
 * Every hierarchy under the names that CRIU looks for. Left to itself it would mount them anew, and
 * that takes options from a v2 hierarchy (nsdelegate …) which it has on the host.
 */
static int make_yard(const char *yard, const struct cgroup_layout *layout)
{
	if (kernel_mount("tmpfs", yard, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		return -1;
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (show_hierarchy(yard, hierarchy->unified ? "unified" : hierarchy->label,
				   hierarchy->mount) < 0)
			return -1;
		for (char **name = hierarchy->unified ? NULL : hierarchy->controllers;
		     name && *name; name++)
			if (show_hierarchy(yard, *name, hierarchy->mount) < 0)
				return -1;
	}
	return 0;
}

static bool has_all_mounts(const struct cgroup_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++)
		if (!layout->hierarchies[i].mount)
			return false;
	return true;
}

int criu_place_add(struct criu_options *criu, const struct driver *driver, const char *id,
		   const struct cgroup_layout *layout, char **yard, struct error *err)
{
	cleanup_free char *path = NULL;

	*yard = NULL;
	if (!has_all_mounts(layout))
		return 0;
	/* The container's own directory: it is there, and CRIU has no use for it. */
	if (asprintf(&path, "%s/%s", driver->root, id) < 0)
		path = NULL;
	*yard = path ? realpath(path, NULL) : NULL;
	if (!*yard)
		return error_errno(err, errno, "Failed to find the container's directory");
	criu_add_text(criu, CRIU_CGROUP_YARD, *yard);
	return 0;
}

int criu_place_enter(const struct criu_directories *directories, const char *yard,
		     const struct cgroup_layout *layout, struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0 || kernel_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, errno, "Failed to make a mount namespace for CRIU");
	if (yard && make_yard(yard, layout) < 0)
		return error_errno(err, errno, "Failed to show CRIU the cgroups");
	if (reopen(directories->images) < 0 || reopen(directories->work) < 0)
		return error_errno(err, errno, "--image-path: Failed to open it for CRIU");
	return 0;
}
