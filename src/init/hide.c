/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths, and the read-only root. Each path is opened once, inside the
 * container, and everything is done on that descriptor: neither a symlink nor a mount that appears
 * later can aim it elsewhere (CVE-2019-16884, CVE-2019-19921). What covers a masked file is
 * /dev/null only if it really is the null device (CVE-2025-31133).
 */
#include "init/init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/procfs.h"

#define SYSFS_MAGIC 0x62656572

/*
 * Where a procfs or a sysfs was mounted, its files are looked for in it and nowhere else: a path
 * that has come to lead past it, since the root's directories were swapped, would leave them open
 * without a word (CVE-2019-19921). -1 with errno where there is nothing to hide.
 */
static int open_path(struct init *init, const char *field, const char *path)
{
	static const struct {
		uint32_t flag;
		long magic;
		const char *path;
	} tops[] = {{PLAN_HAS_PROC, PROCFS_MAGIC, "/proc"}, {PLAN_HAS_SYS, SYSFS_MAGIC, "/sys"}};
	struct statfs fs;
	size_t i, length;
	int top, fd, saved;

	for (i = 0; i < ARRAY_SIZE(tops); i++) {
		length = strlen(tops[i].path);
		if (!(init->plan->flags & tops[i].flag) ||
		    strncmp(path, tops[i].path, length) != 0 || path[length] != '/')
			continue;
		top = mounts_open_target(tops[i].path, false, false, true);
		if (top < 0 || fstatfs(top, &fs) < 0 || (long)fs.f_type != tops[i].magic)
			report_failure(init, 0, 0, "%s: \"%s\" is not what was mounted there",
				       field, tops[i].path);
		path += length + strspn(path + length, "/");
		fd = kernel_openat2(top, *path ? path : ".", O_PATH, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
		saved = errno;
		close(top);
		errno = saved;
		return fd;
	}
	return mounts_open_target(path, false, false, false);
}

static void open_null(struct init *init)
{
	struct stat st;

	if (init->null_fd >= 0)
		return;
	init->null_fd = mounts_open_target("/dev/null", false, false, false);
	if (init->null_fd < 0)
		report_failure(init, 0, errno, "linux.maskedPaths: Failed to open \"/dev/null\"");
	if (fstat(init->null_fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		report_failure(
		    init, 0, 0,
		    "linux.maskedPaths: \"/dev/null\" in the container is not the null device");
}

/* One empty read-only tmpfs serves every masked directory: the first is mounted, the others clone
 * it. */
static int empty_tree(const struct init *init, int *first)
{
	int fs, tree = -1;

	if (*first >= 0)
		return kernel_open_tree(*first, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	fs = kernel_fsopen("tmpfs");
	if (fs >= 0 && kernel_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755") == 0 &&
	    kernel_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "2") == 0 &&
	    kernel_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL) == 0 &&
	    mounts_set_context(init, fs) == 0 &&
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
		tree = kernel_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					      MOUNT_ATTR_NOEXEC);
	if (fs >= 0)
		close(fs);
	*first = tree;
	return tree;
}

static void mask(struct init *init, const char *path, int *empty)
{
	struct stat st;
	int target, tree;

	target = open_path(init, "linux.maskedPaths", path);
	if (target < 0) {
		/* Not there, or below something that isn't a directory: nothing to mask. */
		if (errno == ENOENT || errno == ENOTDIR)
			return;
		report_failure(init, 0, errno, "linux.maskedPaths: Failed to open \"%s\"", path);
	}
	if (fstat(target, &st) < 0)
		report_failure(init, 0, errno, "linux.maskedPaths: Failed to look at \"%s\"", path);
	if (S_ISDIR(st.st_mode)) {
		tree = empty_tree(init, empty);
	} else {
		open_null(init);
		tree = kernel_open_tree(init->null_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	}
	if (tree < 0 || kernel_move_mount(tree, target) < 0)
		report_failure(init, 0, errno, "linux.maskedPaths: Failed to mask \"%s\"", path);
	close(target);
	if (tree != *empty)
		close(tree);
}

static void make_readonly(struct init *init, const char *path)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int target, tree;

	target = open_path(init, "linux.readonlyPaths", path);
	if (target < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return;
		report_failure(init, 0, errno, "linux.readonlyPaths: Failed to open \"%s\"", path);
	}
	tree = kernel_open_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE);
	if (tree < 0 || kernel_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0 ||
	    kernel_move_mount(tree, target) < 0)
		report_failure(init, 0, errno,
			       "linux.readonlyPaths: Failed to make \"%s\" read-only", path);
	close(tree);
	close(target);
}

void hide_apply(struct init *init)
{
	const struct plan *plan = init->plan;
	const plan_string *paths = plan_items(plan, plan->readonly);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int empty = -1;
	uint32_t i;

	if (plan->flags & PLAN_READONLY_ROOT && kernel_mount_setattr(AT_FDCWD, "/", 0, &attr) < 0)
		report_failure(init, 0, errno, "root.readonly: Failed to make the root read-only");
	for (i = 0; i < plan->readonly.count; i++)
		make_readonly(init, plan_text(plan, paths[i]));
	paths = plan_items(plan, plan->masked);
	for (i = 0; i < plan->masked.count; i++)
		mask(init, plan_text(plan, paths[i]), &empty);
	if (empty >= 0)
		close(empty);
	if (init->null_fd >= 0)
		close(init->null_fd);
	init->null_fd = -1;
}
