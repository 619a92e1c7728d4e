/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of late mounts share. */
#ifndef RUNLXC_INIT_MOUNTS_H
#define RUNLXC_INIT_MOUNTS_H

#include "init/init.h"

/* Puts a detached tree on the mount's destination, with the options that are for all of it. */
void mounts_attach(struct init *init, const struct plan_mount *mount, int tree);

/* MOUNT_ATTR_*; flags: AT_RECURSIVE or 0. -1 with errno. Nothing to set or clear: 0. */
int mounts_set_attributes(int fd, uint64_t set, uint64_t clear, unsigned int flags);

/* mount_cgroup.c: asks for the cgroups that a mount is going to need. The parent opens them while
 * init does other things. */
void mounts_ask_for_cgroups(struct init *init);
/* The container's own cgroups. Returns what stands for the mount. */
int mounts_make_cgroup(struct init *init, const struct plan_mount *mount);

#endif
