/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that LXC can't make, made after it has pivoted: "/" is the container's root by now, so a
 * symlink in a destination can lead nowhere else; sources on the host come as detached trees that
 * the parent opened. Targets are held by descriptor from their resolution to the mount, so a path
 * that changes in between changes nothing (CVE-2021-30465).
 */
#include "init/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/kernel.h"
#include "init/copy_up.h"

/* "/" is the container's; magic links would lead out of it through /proc/PID/root and fd. */
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

void mounts_make_private(struct init *init)
{
	/*
	 * LXC leaves the container's mounts shared among themselves, and dependent on the host's.
	 * Cut both ways: nothing that is mounted from here on, here or on the host, is seen on the
	 * other side.
	 */
	if (kernel_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		report_failure(init, 0, errno, "Failed to make the container's mounts private");
}

static int make_missing(const char *path, bool is_file, int root)
{
	char *copy = strdup(path[0] == '/' ? path : "/"), *slash;
	int fd = -1, parent;

	if (!copy)
		return -1;
	/* Make the parent first, then the last component in it. */
	slash = strrchr(copy, '/');
	while (slash > copy && slash[1] == '\0') {
		*slash = '\0';
		slash = strrchr(copy, '/');
	}
	if (slash == copy) {
		parent = kernel_openat2(root, ".", O_PATH | O_DIRECTORY, 0, INSIDE);
	} else {
		*slash = '\0';
		parent = kernel_openat2(root, copy, O_PATH | O_DIRECTORY, 0, INSIDE);
		if (parent < 0 && errno == ENOENT)
			parent = make_missing(copy, false, root);
		*slash = '/';
	}
	if (parent >= 0) {
		const char *name = slash + 1;
		int made = -1;

		/* 0755 and 0644 whatever the umask is: it is 0 in init. Neither call follows a
		 * symlink. */
		if (is_file)
			made = mknodat(parent, name, S_IFREG | 0644, 0);
		else
			made = mkdirat(parent, name, 0755);
		if (made == 0 || errno == EEXIST)
			fd = kernel_openat2(parent, name, O_PATH | (is_file ? 0 : O_DIRECTORY), 0,
					    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		close(parent);
	}
	free(copy);
	return fd;
}

/*
 * A dangling symlink in the way: where does it lead? Missing targets are made where the symlink
 * points to, as runc does, so follow by hand what openat2 can't follow to the end.
 */
static int open_missing(const char *path, bool is_file, int root)
{
	char link[4096], *next, *slash;
	const char *walk = path;
	char *owned = NULL;
	int hops, fd = -1;

	for (hops = 0; hops < 40; hops++) {
		ssize_t length;
		int at;

		at = kernel_openat2(root, walk, O_PATH | O_NOFOLLOW, 0, INSIDE);
		if (at < 0 && errno != ENOENT)
			break;
		if (at < 0) {
			fd = make_missing(walk, is_file, root);
			break;
		}
		length = readlinkat(at, "", link, sizeof(link) - 1);
		close(at);
		if (length < 0) {
			fd = -1; /* not a symlink, yet it could not be opened: let the caller see
				    why */
			errno = ENOENT;
			break;
		}
		link[length] = '\0';
		if (link[0] == '/') {
			next = strdup(link);
		} else {
			slash = strrchr(walk, '/');
			if (asprintf(&next, "%.*s/%s", slash ? (int)(slash - walk) : 0, walk,
				     link) < 0)
				next = NULL;
		}
		free(owned);
		owned = next;
		walk = next;
		if (!next)
			break;
	}
	if (hops == 40)
		errno = ELOOP;
	free(owned);
	return fd;
}

int mounts_open_target(const char *path, bool make, bool is_file, bool no_symlink)
{
	int root, fd, saved;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = kernel_openat2(root, path, O_PATH, 0, INSIDE | (no_symlink ? RESOLVE_NO_SYMLINKS : 0));
	if (fd < 0 && errno == ENOENT && make)
		fd = no_symlink ? make_missing(path, is_file, root)
				: open_missing(path, is_file, root);
	saved = errno;
	close(root);
	errno = saved;
	return fd;
}

/* Options as mount(8) writes them, handed to the kernel one by one. */
static int configure(int fs, const char *data)
{
	char *copy = strdup(data), *option, *save = NULL;
	int result = copy ? 0 : -1;

	for (option = copy ? strtok_r(copy, ",", &save) : NULL; option && result == 0;
	     option = strtok_r(NULL, ",", &save)) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (kernel_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option,
				    value) < 0)
			result = -1;
	}
	free(copy);
	return result;
}

static int new_file_system(const struct plan *plan, const struct plan_mount *mount)
{
	const char *source = plan_text(plan, mount->source), *data = plan_text(plan, mount->data);
	unsigned int attributes = (unsigned int)mount->attr_set;
	int fs, tree = -1, saved;

	if (mount->copy_up) /* it has to be filled first */
		attributes &= ~(unsigned int)MOUNT_ATTR_RDONLY;

	fs = kernel_fsopen(plan_text(plan, mount->type));
	if (fs < 0)
		return -1;
	if (source)
		kernel_fsconfig(fs, FSCONFIG_SET_STRING, "source", source);
	if ((!mount->sb_readonly || kernel_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL) == 0) &&
	    (!data || configure(fs, data) == 0) &&
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
		tree = kernel_fsmount(fs, attributes);
	saved = errno;
	close(fs);
	errno = saved;
	return tree;
}

static int set_attributes(int fd, uint64_t set, uint64_t clear, unsigned int flags)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

	/* The access-time modes are one field: whoever sets one clears the others. */
	if (set & MOUNT_ATTR__ATIME || clear & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	return kernel_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr);
}

static void set_propagation(struct init *init, const struct plan_mount *mount, int target)
{
	struct mount_attr attr = {.propagation = mount->propagation & ~(uint32_t)MS_REC};
	unsigned int flags = AT_EMPTY_PATH | (mount->propagation & MS_REC ? AT_RECURSIVE : 0);

	if (mount->propagation && kernel_mount_setattr(target, "", flags, &attr) < 0)
		report_failure(init, 0, errno, "%s: Failed to set the propagation of \"%s\"",
			       plan_text(init->plan, mount->what),
			       plan_text(init->plan, mount->destination));
}

static void attach(struct init *init, const struct plan_mount *mount, int tree)
{
	const struct plan *plan = init->plan;
	const char *destination = plan_text(plan, mount->destination);
	int target;

	target = mounts_open_target(destination, true, mount->is_file, mount->no_symlink);
	if (target < 0)
		report_failure(init, 0, errno, "%s: Failed to open the destination \"%s\"",
			       plan_text(plan, mount->what), destination);
	if (mount->copy_up && copy_up(target, tree) < 0)
		report_failure(init, 0, errno, "%s: Failed to copy \"%s\" into the new tmpfs",
			       plan_text(plan, mount->what), destination);
	if (kernel_move_mount(tree, target) < 0)
		report_failure(init, 0, errno, "%s: Failed to mount \"%s\" on \"%s\"",
			       plan_text(plan, mount->what),
			       mount->source ? plan_text(plan, mount->source)
					     : plan_text(plan, mount->type),
			       destination);
	set_propagation(init, mount, tree);
	close(target);
}

static void mount_tree(struct init *init, const struct plan_mount *mount)
{
	attach(init, mount, mount->fd);
	close(mount->fd);
}

static void mount_new(struct init *init, const struct plan_mount *mount)
{
	const struct plan *plan = init->plan;
	int tree;

	tree = new_file_system(plan, mount);
	if (tree < 0)
		report_failure(init, 0, errno, "%s: Failed to make a %s for \"%s\"",
			       plan_text(plan, mount->what), plan_text(plan, mount->type),
			       plan_text(plan, mount->destination));
	attach(init, mount, tree);
	if (mount->copy_up && mount->attr_set & MOUNT_ATTR_RDONLY &&
	    set_attributes(tree, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		report_failure(init, 0, errno, "%s: Failed to make \"%s\" read-only",
			       plan_text(plan, mount->what), plan_text(plan, mount->destination));
	close(tree);
}

/* What is mounted there stays, its options change: "remount" in a mount's options. */
static void mount_again(struct init *init, const struct plan_mount *mount)
{
	const char *destination = plan_text(init->plan, mount->destination);
	int target = mounts_open_target(destination, false, false, mount->no_symlink);

	if (target < 0 || set_attributes(target, mount->attr_set, mount->attr_clear, 0) < 0 ||
	    ((mount->attr_rec_set || mount->attr_rec_clear) &&
	     set_attributes(target, mount->attr_rec_set, mount->attr_rec_clear, AT_RECURSIVE) < 0))
		report_failure(init, 0, errno, "%s: Failed to remount \"%s\"",
			       plan_text(init->plan, mount->what), destination);
	set_propagation(init, mount, target);
	close(target);
}

/*
 * A mount of type cgroup. On v2 it is the container's own cgroup; on v1 a tmpfs with one directory
 * for each hierarchy, and a link for each controller of a shared one, as every distribution lays it
 * out.
 */
static void mount_cgroup(struct init *init, const struct plan_mount *mount)
{
	const struct plan *plan = init->plan;
	const struct plan_cgroup *cgroups = plan_items(plan, plan->cgroups);
	const char *destination = plan_text(plan, mount->destination);
	int trees[SYNC_FDS_MAX], count = 0, i, tmpfs, top;
	struct plan_mount frame = *mount;

	report_send(init, SYNC_CGROUPS, -1);
	if (report_receive(init, trees, SYNC_FDS_MAX, &count) != SYNC_CGROUPS)
		_exit(1);
	if ((uint32_t)count != plan->cgroups.count)
		report_failure(init, 0, 0, "%s: the container's cgroups could not be opened",
			       plan_text(plan, mount->what));
	for (i = 0; i < count; i++)
		if (set_attributes(trees[i], mount->attr_set, mount->attr_clear, 0) < 0)
			report_failure(init, 0, errno,
				       "%s: Failed to set the options of a cgroup mount",
				       plan_text(plan, mount->what));
	if (count == 1 && !cgroups[0].name) {
		attach(init, mount, trees[0]);
		close(trees[0]);
		return;
	}

	tmpfs = kernel_fsopen("tmpfs");
	if (tmpfs < 0 || kernel_fsconfig(tmpfs, FSCONFIG_SET_STRING, "mode", "755") < 0 ||
	    kernel_fsconfig(tmpfs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0 ||
	    (top = kernel_fsmount(tmpfs,
				  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)) < 0)
		report_failure(init, 0, errno, "%s: Failed to make a tmpfs",
			       plan_text(plan, mount->what));
	close(tmpfs);
	frame.propagation = 0;
	frame.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	attach(init, &frame, top);

	for (i = 0; i < count; i++) {
		const char *name = plan_text(plan, cgroups[i].name);
		int target;
		char *copy, *part, *save = NULL;

		/* `top` is the new tmpfs's root, ours alone: nothing in it but what is made here.
		 */
		if (mkdirat(top, name, 0755) < 0 ||
		    (target = openat(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) <
			0 ||
		    kernel_move_mount(trees[i], target) < 0)
			report_failure(init, 0, errno,
				       "%s: Failed to mount the %s cgroup on \"%s\"",
				       plan_text(plan, mount->what), name, destination);
		close(target);
		close(trees[i]);
		if (!strchr(name, ','))
			continue;
		copy = strdup(name);
		for (part = copy ? strtok_r(copy, ",", &save) : NULL; part;
		     part = strtok_r(NULL, ",", &save))
			if (symlinkat(name, top, part) < 0)
				report_failure(init, 0, errno, "%s: Failed to link the %s cgroup",
					       plan_text(plan, mount->what), part);
		free(copy);
	}
	if (mount->attr_set & MOUNT_ATTR_RDONLY && set_attributes(top, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		report_failure(init, 0, errno, "%s: Failed to make \"%s\" read-only",
			       plan_text(plan, mount->what), destination);
	set_propagation(init, mount, top);
	close(top);
}

void mounts_apply(struct init *init)
{
	const struct plan_mount *mounts = plan_items(init->plan, init->plan->mounts);
	uint32_t i;

	for (i = 0; i < init->plan->mounts.count; i++) {
		report_line(init, SYNC_STEP, "init: mounting %s",
			    plan_text(init->plan, mounts[i].destination));
		switch (mounts[i].kind) {
		case PLAN_MOUNT_TREE:
			mount_tree(init, &mounts[i]);
			break;
		case PLAN_MOUNT_NEW:
			mount_new(init, &mounts[i]);
			break;
		case PLAN_MOUNT_CGROUP:
			mount_cgroup(init, &mounts[i]);
			break;
		case PLAN_MOUNT_REMOUNT:
			mount_again(init, &mounts[i]);
			break;
		}
	}
}

void mounts_finish(struct init *init)
{
	uint32_t propagation = init->plan->root_propagation;

	if (propagation && kernel_mount(NULL, "/", NULL, propagation, NULL) < 0)
		report_failure(init, 0, errno, "linux.rootfsPropagation: Failed to apply it");
}
