/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a container's cgroups away. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* A process that was killed needs a moment to be out of its cgroups. */
#define LEAVE_TIMEOUT_MS 2000

static int leave_remove(int parent, const char *name, void *data)
{
	(void)data;
	/* What is busy now makes the cgroup above busy, too: that is where it is noticed. */
	unlinkat(parent, name, AT_REMOVEDIR);
	return 0;
}

/* Where it is mounted read-only that is said first, also of what isn't there. */
static bool is_gone(const char *name)
{
	return errno == ENOENT || (errno == EROFS && access(name, F_OK) < 0 && errno == ENOENT);
}

/* Removes `path`, with what is below it. -1 with errno: EBUSY when somebody is in. */
static int try_remove(const struct cgroup_hierarchy *hierarchy, const char *path)
{
	static const struct cgroup_walker walker = {.leave = leave_remove};
	const char *name = strrchr(path, '/') + 1;
	cleanup_close int parent = -1, dir = -1;
	char above[PATH_MAX];

	/* Most have nothing below them. */
	if (cgroup_name(hierarchy, path, above) &&
	    (unlinkat(AT_FDCWD, above, AT_REMOVEDIR) == 0 || is_gone(above)))
		return 0;
	if (snprintf(above, sizeof(above), "%.*s", (int)(name - path), path) >=
	    (int)sizeof(above)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	parent = cgroup_open(hierarchy, above);
	if (parent < 0)
		return errno == ENOENT ? 0 : -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -1;
	dir = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	if (cgroup_walk(dir, &walker) && errno != ESTALE)
		return -1;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

static int remove_one(const struct cgroup_hierarchy *hierarchy, const char *path,
		      const struct timespec *deadline, struct error *err)
{
	unsigned int delay_us = 0;

	while (try_remove(hierarchy, path)) {
		if (errno != EBUSY)
			return error_errno(err, errno, "can't remove cgroup %s (%s)", path,
					   cgroup_hierarchy_name(hierarchy));
		if (cgroup_hierarchy_wait_empty(hierarchy, path, deadline, err))
			return error_prefix(err, "can't remove cgroup %s", path);
		/* Empty, and busy: it was left a moment ago, or there are new children. */
		if (!cgroup_backoff(deadline, &delay_us))
			return error_errno(err, EBUSY, "can't remove cgroup %s (%s)", path,
					   cgroup_hierarchy_name(hierarchy));
	}
	return 0;
}

int cgroup_remove(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	struct timespec deadline = cgroup_deadline(LEAVE_TIMEOUT_MS);
	int result = 0;

	if (path[0] != '/' || path[strlen(path) - 1] == '/')
		return error_errno(err, EINVAL, "can't remove cgroup \"%s\"", path);
	/* One that fails does not keep the others; the first error is the one that is told. */
	for (size_t i = 0; i < layout->count; i++) {
		struct error other = ERROR_INIT;

		if (remove_one(&layout->hierarchies[i], path, &deadline, result ? &other : err))
			result = -1;
		error_clear(&other);
	}
	return result;
}
