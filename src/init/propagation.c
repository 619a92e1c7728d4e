/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mounts hear of which others. LXC leaves the container's shared among themselves, and
 * dependent on the host's; from here on nothing that is mounted here or on the host is seen on the
 * other side, unless the document asks for it.
 */
#include "init/init.h"

#include <errno.h>

#include "base/kernel.h"

#define FAILURE "linux.rootfsPropagation: Failed to apply it"

int propagation_set(int fd, uint32_t propagation)
{
	struct mount_attr attr = {.propagation = propagation & ~(uint32_t)MS_REC};

	return kernel_mount_setattr(
	    fd, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr);
}

/*
 * "slave": the root alone still hears of what the host mounts below it. No call spares one mount
 * while it cuts off all others, so a clone of the root keeps what is to be given back to it.
 */
static void make_root_slave(struct init *init)
{
	int root = kernel_open_tree(AT_FDCWD, "/", 0), clone;

	clone = kernel_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);
	if (root < 0 || clone < 0 || propagation_set(root, MS_PRIVATE | MS_REC) < 0)
		report_failure(init, 0, errno, FAILURE);
	/* EINVAL: the host's mount has no peers, so there is nothing to hear. */
	if (kernel_join_peers(clone, root) < 0 && errno != EINVAL)
		report_failure(init, 0, errno, FAILURE);
	close(clone);
	if (propagation_set(root, MS_SLAVE) < 0)
		report_failure(init, 0, errno, FAILURE);
	close(root);
}

void propagation_begin(struct init *init)
{
	uint32_t propagation = init->plan->root_propagation;

	if (propagation == MS_SLAVE) {
		make_root_slave(init);
		return;
	}
	/* As runc has it, "rslave" is for all that say nothing themselves; what does is mounted
	 * later. */
	if (propagation != (MS_SLAVE | MS_REC))
		propagation = MS_PRIVATE | MS_REC;
	if (kernel_mount(NULL, "/", NULL, propagation, NULL) < 0)
		report_failure(init, 0, errno, "Failed to make the container's mounts private");
}

void propagation_finish(struct init *init)
{
	const struct plan_mount *mounts = plan_items(init->plan, init->plan->mounts);
	uint32_t propagation = init->plan->root_propagation, i;

	/* Not while mounts are made: what is put on a shared mount becomes shared, and of an
	 * unbindable one there is no clone. The group is the container's own, for containers that
	 * are nested in it: the host is not in it, nor is it with runc. */
	if (propagation && !(propagation & MS_SLAVE) &&
	    kernel_mount(NULL, "/", NULL, propagation, NULL) < 0)
		report_failure(init, 0, errno, FAILURE);
	/* Those that asked for something themselves keep it. */
	for (i = 0; i < init->plan->mounts.count; i++) {
		if (mounts[i].propagation &&
		    propagation_set(init->mounted[i], mounts[i].propagation) < 0)
			report_failure(init, 0, errno,
				       "%s: Failed to set the propagation of \"%s\"",
				       plan_text(init->plan, mounts[i].what),
				       plan_text(init->plan, mounts[i].destination));
		close(init->mounted[i]);
	}
}
