/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping all of a container at once, and letting it go on. */
#include "cgroup/cgroup.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "cgroup/internal.h"

/* A process in an uninterruptible sleep (a dead NFS server) can hold up a freeze for ever. */
#define FREEZE_TIMEOUT_MS 10000

static const struct cgroup_hierarchy *find_freezer(const struct cgroup_layout *layout)
{
	const struct cgroup_hierarchy *freezer = cgroup_find(layout, "freezer");

	/* Every v2 cgroup can be frozen (Linux 5.2), no controller is needed. */
	return freezer ? freezer : cgroup_find(layout, "");
}

static const struct cgroup_hierarchy *need_freezer(const struct cgroup_layout *layout,
						   const char *path, int *dir, struct error *err)
{
	const struct cgroup_hierarchy *freezer = find_freezer(layout);

	if (!freezer) {
		error_set(err,
			  "can't freeze or thaw cgroup %s: no freezer cgroup controller on this "
			  "host",
			  path);
		return NULL;
	}
	*dir = cgroup_open(freezer, path);
	if (*dir < 0) {
		error_errno(err, errno, "can't open cgroup %s (%s)", path,
			    cgroup_hierarchy_name(freezer));
		return NULL;
	}
	return freezer;
}

static int freeze_v1(int dir)
{
	struct timespec deadline = cgroup_deadline(FREEZE_TIMEOUT_MS);
	unsigned int delay_us = 0;

	/* There is no event for the end of FREEZING. A process that is being forked may slip
	 * through: writing again catches it. */
	do {
		char state[32];

		if (cgroup_write_file(dir, "freezer.state", "FROZEN") ||
		    cgroup_read_file(dir, "freezer.state", state, sizeof(state)))
			return -1;
		if (strcmp(state, "FROZEN") == 0)
			return 0;
	} while (cgroup_backoff(&deadline, &delay_us));
	cgroup_write_file(dir, "freezer.state", "THAWED");
	errno = ETIMEDOUT;
	return -1;
}

static int freeze_v2(int dir)
{
	struct timespec deadline = cgroup_deadline(FREEZE_TIMEOUT_MS);
	int saved;

	if (cgroup_write_file(dir, "cgroup.freeze", "1"))
		return -1;
	if (cgroup_wait_event(dir, "frozen 1", &deadline) == 0)
		return 0;
	saved = errno;
	cgroup_write_file(dir, "cgroup.freeze", "0");
	errno = saved;
	return -1;
}

int cgroup_freeze(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	cleanup_close int dir = -1;
	const struct cgroup_hierarchy *freezer = need_freezer(layout, path, &dir, err);

	if (!freezer)
		return -1;
	if (freezer->unified ? freeze_v2(dir) : freeze_v1(dir))
		return error_errno(err, errno, "can't freeze cgroup %s", path);
	return 0;
}

int cgroup_thaw(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	cleanup_close int dir = -1;
	const struct cgroup_hierarchy *freezer = need_freezer(layout, path, &dir, err);
	struct timespec deadline = cgroup_deadline(FREEZE_TIMEOUT_MS);
	bool above = false;
	char state[32];

	if (!freezer)
		return -1;
	if (freezer->unified ? cgroup_write_file(dir, "cgroup.freeze", "0")
			     : cgroup_write_file(dir, "freezer.state", "THAWED"))
		return error_errno(err, errno, "can't thaw cgroup %s", path);
	if (cgroup_parent_is_frozen(layout, path, &above, err))
		return -1;
	if (above)
		return error_set(err, "can't thaw cgroup %s: a cgroup above it is frozen", path);
	if (freezer->unified) {
		if (cgroup_wait_event(dir, "frozen 0", &deadline))
			return error_errno(err, errno, "can't thaw cgroup %s", path);
	} else {
		/* On v1 the write itself thaws. */
		if (cgroup_read_file(dir, "freezer.state", state, sizeof(state)))
			return error_errno(err, errno, "can't thaw cgroup %s", path);
		if (strcmp(state, "THAWED") != 0)
			return error_set(err, "can't thaw cgroup %s: it still is %s", path, state);
	}
	return 0;
}

/*
 * Whether freezing was asked of this cgroup itself. No such cgroup, or no such file (v1's root, an
 * old kernel): no. Of every container that is listed this is asked, so it is one open(2) and one
 * read(2).
 */
static int is_self_frozen(const struct cgroup_layout *layout,
			  const struct cgroup_hierarchy *freezer, const char *path, bool *frozen)
{
	int root = layout->freezer_root;
	const char *file = freezer->unified ? "cgroup.freeze" : "freezer.self_freezing";
	cleanup_close int fd = -1;
	char name[PATH_MAX], answer;

	*frozen = false;
	if (snprintf(name, sizeof(name), "%s%s/%s", root > 0 ? "." : freezer->mount, path, file) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* A cgroup's path has no ".." (cgroup_path_of()), and a hierarchy no symlinks. */
	fd = kernel_openat2(root > 0 ? root : AT_FDCWD, name, O_RDONLY | O_NOCTTY, 0,
			    RESOLVE_NO_SYMLINKS);
	if (fd < 0 || read(fd, &answer, 1) != 1)
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	*frozen = answer == '1';
	return 0;
}

void cgroup_hold_freezer(struct cgroup_layout *layout)
{
	const struct cgroup_hierarchy *freezer = find_freezer(layout);
	int root = freezer ? open(freezer->mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	layout->freezer_root = root > 0 ? root : 0;
}

int cgroup_is_frozen(const struct cgroup_layout *layout, const char *path, bool *frozen,
		     struct error *err)
{
	const struct cgroup_hierarchy *freezer = find_freezer(layout);

	*frozen = false;
	if (freezer && is_self_frozen(layout, freezer, path, frozen))
		return error_errno(err, errno, "can't tell whether cgroup %s is frozen", path);
	return 0;
}

int cgroup_parent_is_frozen(const struct cgroup_layout *layout, const char *path, bool *frozen,
			    struct error *err)
{
	const struct cgroup_hierarchy *freezer = find_freezer(layout);
	char above[PATH_MAX], *slash;

	*frozen = false;
	if (!freezer)
		return 0;
	if (snprintf(above, sizeof(above), "%s", path) >= (int)sizeof(above))
		return error_errno(err, ENAMETOOLONG, "can't look above cgroup %s", path);
	while (!*frozen && (slash = strrchr(above, '/')) && slash != above) {
		*slash = '\0';
		if (is_self_frozen(layout, freezer, above, frozen))
			return error_errno(err, errno, "can't tell whether cgroup %s is frozen",
					   above);
	}
	return 0;
}
