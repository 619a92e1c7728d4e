/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that LXC can't make, made after it has pivoted: "/" is the container's root by now, so a
 * symlink in a destination can lead nowhere else; sources on the host come as detached trees that
 * the parent opened. Targets are held by descriptor from their resolution to the mount, so a path
 * that changes in between changes nothing (CVE-2021-30465).
 */
#include "init/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_system.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "init/copy_up.h"

int mounts_set_context(const struct init *init, int fs)
{
	const char *label = plan_text(init->plan, init->plan->mount_label);

	return label ? kernel_fsconfig(fs, FSCONFIG_SET_STRING, "context", label) : 0;
}

static int new_file_system(const struct init *init, const struct plan_mount *mount)
{
	const struct plan *plan = init->plan;
	const char *source = plan_text(plan, mount->source), *data = plan_text(plan, mount->data);
	unsigned int attributes = (unsigned int)mount->attr_set;
	int fs, tree = -1, saved;

	if (mount->copy_up || mount->read_only_last) /* it has to be filled first */
		attributes &= ~(unsigned int)MOUNT_ATTR_RDONLY;

	fs = kernel_fsopen(plan_text(plan, mount->type));
	if (fs < 0)
		return -1;
	if (source)
		kernel_fsconfig(fs, FSCONFIG_SET_STRING, "source", source);
	if ((!mount->sb_readonly || kernel_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL) == 0) &&
	    (!data || file_system_configure(fs, data) == 0) &&
	    (!mount->labelled || mounts_set_context(init, fs) == 0) &&
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
		tree = kernel_fsmount(fs, attributes);
	saved = errno;
	close(fs);
	errno = saved;
	return tree;
}

int mounts_set_attributes(int fd, uint64_t set, uint64_t clear, unsigned int flags)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

	if (!set && !clear)
		return 0;
	/* The access-time modes are one field: whoever sets one clears the others. */
	if (set & MOUNT_ATTR__ATIME || clear & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	return kernel_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr);
}

static bool has_mode(const char *data)
{
	return data && (strncmp(data, "mode=", 5) == 0 || strstr(data, ",mode="));
}

void mounts_attach(struct init *init, const struct plan_mount *mount, int tree)
{
	const struct plan *plan = init->plan;
	const char *destination = plan_text(plan, mount->destination);
	const char *what = plan_text(plan, mount->what);
	int target;

	target = mounts_open_target(destination, true, mount->is_file, mount->no_symlink);
	if (target < 0)
		report_failure(init, 0, errno, "%s: Failed to open the destination \"%s\"", what,
			       destination);
	if (!mounts_may_cover(mount, tree, target))
		report_failure(init, 0, 0,
			       "%s.destination: \"%s\" cannot be mounted because it leads into "
			       "/proc",
			       what, destination);
	if (mount->copy_up && copy_up(target, tree, has_mode(plan_text(plan, mount->data))) < 0)
		report_failure(init, 0, errno, "%s: Failed to copy \"%s\" into the new tmpfs", what,
			       destination);
	/* Now that it is filled; what else is for this mount alone, it was made with. */
	if (mounts_set_attributes(
		tree,
		mount->copy_up && !mount->read_only_last ? mount->attr_set & MOUNT_ATTR_RDONLY : 0,
		0, 0) < 0 ||
	    mounts_set_attributes(tree, mount->attr_rec_set, mount->attr_rec_clear, AT_RECURSIVE) <
		0)
		report_failure(init, 0, errno, "%s: Failed to set the options of \"%s\"", what,
			       destination);
	if (kernel_move_mount(tree, target) < 0)
		report_failure(init, 0, errno, "%s: Failed to mount \"%s\" on \"%s\"", what,
			       mount->source ? plan_text(plan, mount->source)
					     : plan_text(plan, mount->type),
			       destination);
	close(target);
}

static int mount_tree(struct init *init, const struct plan_mount *mount)
{
	mounts_attach(init, mount, mount->fd);
	return mount->fd;
}

static int mount_new(struct init *init, const struct plan_mount *mount)
{
	const struct plan *plan = init->plan;
	const char *label = mount->labelled ? plan_text(plan, plan->mount_label) : NULL;
	int tree;

	tree = new_file_system(init, mount);
	if (tree < 0)
		report_failure(init, 0, errno, "%s: Failed to make a %s for \"%s\"%s%s",
			       plan_text(plan, mount->what), plan_text(plan, mount->type),
			       plan_text(plan, mount->destination),
			       label ? " with linux.mountLabel " : "", label ? label : "");
	mounts_attach(init, mount, tree);
	return tree;
}

/* The file system's own options. It is one of the container's own (lxc/late_mounts.c). */
static int reconfigure(int target, const char *data)
{
	int fs = kernel_fspick(target), result = -1, saved;

	if (fs < 0)
		return -1;
	if (file_system_configure(fs, data) == 0 &&
	    kernel_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL) == 0)
		result = 0;
	saved = errno;
	close(fs);
	errno = saved;
	return result;
}

/* What is mounted there stays, its options change: "remount" in a mount's options. */
static int mount_again(struct init *init, const struct plan_mount *mount)
{
	const char *destination = plan_text(init->plan, mount->destination);
	const char *data = plan_text(init->plan, mount->data);
	int target = mounts_open_target(destination, false, false, mount->no_symlink);

	if (target < 0 || (data && reconfigure(target, data) < 0) ||
	    mounts_set_attributes(target, mount->attr_set, mount->attr_clear, 0) < 0 ||
	    mounts_set_attributes(target, mount->attr_rec_set, mount->attr_rec_clear,
				  AT_RECURSIVE) < 0)
		report_failure(init, 0, errno, "%s: Failed to remount \"%s\"",
			       plan_text(init->plan, mount->what), destination);
	return target;
}

void mounts_apply(struct init *init)
{
	const struct plan_mount *mounts = plan_items(init->plan, init->plan->mounts);
	uint32_t count = init->plan->mounts.count, i;

	init->mounted = calloc(count + 1, sizeof(*init->mounted));
	if (!init->mounted)
		report_failure(init, 0, ENOMEM, "mounts");
	for (i = 0; i < count; i++) {
		trace_part("mount", plan_text(init->plan, mounts[i].destination));
		report_line(init, SYNC_STEP, "init: mounting %s",
			    plan_text(init->plan, mounts[i].destination));
		switch (mounts[i].kind) {
		case PLAN_MOUNT_TREE:
			init->mounted[i] = mount_tree(init, &mounts[i]);
			break;
		case PLAN_MOUNT_NEW:
			init->mounted[i] = mount_new(init, &mounts[i]);
			break;
		case PLAN_MOUNT_CGROUP:
			init->mounted[i] = mounts_make_cgroup(init, &mounts[i]);
			break;
		case PLAN_MOUNT_REMOUNT:
			init->mounted[i] = mount_again(init, &mounts[i]);
			break;
		}
	}
}

void mounts_finish(struct init *init)
{
	const struct plan_mount *mounts = plan_items(init->plan, init->plan->mounts);

	for (uint32_t i = 0; i < init->plan->mounts.count; i++)
		if (mounts[i].read_only_last &&
		    mounts_set_attributes(init->mounted[i], MOUNT_ATTR_RDONLY, 0, 0) < 0)
			report_failure(init, 0, errno, "%s: Failed to make \"%s\" read-only",
				       plan_text(init->plan, mounts[i].what),
				       plan_text(init->plan, mounts[i].destination));
}
