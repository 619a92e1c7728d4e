/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.mountLabel on what LXC mounts. As an option of lxc.mount.entry it can't be given: a label
 * with two categories has a comma, at which LXC 5.0 takes the line apart and drops what is behind
 * it. LXC mounts these all the same, and not init, since hooks look for them before pivot_root(2).
 *
 * An mqueue can't have it as an option: it is there from the making of its ipc namespace. Its owner
 * may label it, which is whoever made the namespace: LXC's child, until it becomes the container's
 * root.
 */
#ifndef RUNLXC_MONITOR_LABELS_H
#define RUNLXC_MONITOR_LABELS_H

#include <stdbool.h>

/* From here on new file systems that this program, or what LXC forks from it, mounts get the label,
 * if they are of a type that does. Why one couldn't have it, LXC's log says. */
void labels_set(const char *label, bool label_mqueue, int log_fd);

/* In a process that clone(2) has made with a new ipc namespace. */
void labels_in_new_ipc_namespace(void);

/* liblxc's: <sys/mount.h> has it, but doesn't go together with <linux/mount.h>. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);

#endif
