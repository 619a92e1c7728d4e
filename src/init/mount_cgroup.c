/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount of type cgroup. On v2 it is the container's own cgroup; on v1 a tmpfs with one directory
 * for each hierarchy, and a link for each controller of a shared one, as every distribution lays it
 * out.
 */
#include "init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/kernel.h"

void mounts_ask_for_cgroups(struct init *init)
{
	const struct plan_mount *mounts = plan_items(init->plan, init->plan->mounts);

	for (uint32_t i = 0; i < init->plan->mounts.count && !init->has_asked; i++) {
		if (mounts[i].kind != PLAN_MOUNT_CGROUP)
			continue;
		report_send(init, SYNC_CGROUPS, -1);
		init->has_asked = true;
	}
}

/* The trees, as the parent opened them: with the options, and cut off from the host's mounts unless
 * the mount asks for more. */
static size_t take_trees(struct init *init, const struct plan_mount *mount, int *trees)
{
	uint32_t kind = mount->propagation & ~(uint32_t)MS_REC;
	size_t count = 0, i;

	if (!(mount->propagation & MS_REC) || (kind != MS_SHARED && kind != MS_SLAVE))
		kind = MS_PRIVATE;
	if (!init->has_asked)
		report_send(init, SYNC_CGROUPS, -1);
	init->has_asked = false;
	if (report_receive(init, trees, SYNC_FDS_MAX, &count) != SYNC_CGROUPS)
		_exit(1);
	if (count != init->plan->cgroups.count)
		report_failure(init, 0, 0, "%s: the container's cgroups could not be opened",
			       plan_text(init->plan, mount->what));
	for (i = 0; i < count; i++)
		if (propagation_set(trees[i], kind | MS_REC) < 0 ||
		    mounts_set_attributes(trees[i], mount->attr_set, mount->attr_clear, 0) < 0)
			report_failure(init, 0, errno,
				       "%s: Failed to set the options of a cgroup mount",
				       plan_text(init->plan, mount->what));
	return count;
}

static int make_frame(struct init *init, const struct plan_mount *mount)
{
	struct plan_mount frame = *mount;
	int fs, top;

	fs = kernel_fsopen("tmpfs");
	if (fs < 0 || kernel_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755") < 0 ||
	    mounts_set_context(init, fs) < 0 ||
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0 ||
	    (top = kernel_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)) <
		0)
		report_failure(init, 0, errno, "%s: Failed to make a tmpfs",
			       plan_text(init->plan, mount->what));
	close(fs);
	/* Its options come when it is full. */
	frame.attr_set = frame.attr_rec_set = frame.attr_rec_clear = 0;
	mounts_attach(init, &frame, top);
	return top;
}

static void add_hierarchy(struct init *init, const struct plan_mount *mount, int top, int tree,
			  const char *name)
{
	const char *what = plan_text(init->plan, mount->what);
	char *copy, *part, *save = NULL;
	int target;

	/* `top` is the new tmpfs's root, ours alone: nothing in it but what is made here. */
	if (mkdirat(top, name, 0755) < 0 ||
	    (target = openat(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    kernel_move_mount(tree, target) < 0)
		report_failure(init, 0, errno, "%s: Failed to mount the %s cgroup on \"%s\"", what,
			       name, plan_text(init->plan, mount->destination));
	close(target);
	close(tree);
	if (!strchr(name, ','))
		return;
	copy = strdup(name);
	for (part = copy ? strtok_r(copy, ",", &save) : NULL; part;
	     part = strtok_r(NULL, ",", &save))
		if (symlinkat(name, top, part) < 0)
			report_failure(init, 0, errno, "%s: Failed to link the %s cgroup", what,
				       part);
	free(copy);
}

int mounts_make_cgroup(struct init *init, const struct plan_mount *mount)
{
	const struct plan *plan = init->plan;
	const struct plan_cgroup *cgroups = plan_items(plan, plan->cgroups);
	int trees[SYNC_FDS_MAX], top;
	size_t count, i;

	count = take_trees(init, mount, trees);
	if (count == 1 && !cgroups[0].name) {
		mounts_attach(init, mount, trees[0]);
		return trees[0];
	}
	top = make_frame(init, mount);
	for (i = 0; i < count; i++)
		add_hierarchy(init, mount, top, trees[i], plan_text(plan, cgroups[i].name));
	if (mounts_set_attributes(top, mount->attr_set & MOUNT_ATTR_RDONLY, 0, 0) < 0 ||
	    mounts_set_attributes(top, mount->attr_rec_set, mount->attr_rec_clear, AT_RECURSIVE) <
		0)
		report_failure(init, 0, errno, "%s: Failed to set the options of \"%s\"",
			       plan_text(plan, mount->what), plan_text(plan, mount->destination));
	return top;
}
