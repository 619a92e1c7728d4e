/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The moment before pivot_root(2), which is when three kinds of OCI hooks run (config.md,
 * "POSIX-platform Hooks"): the namespaces and LXC's mounts are made, and the host's root is still
 * the root. LXC's own hook there goes through a shell; so its system call is looked at instead.
 */
#ifndef RUNLXC_MONITOR_PIVOT_H
#define RUNLXC_MONITOR_PIVOT_H

/* From here on whoever calls pivot_root(2) in this program, or in what LXC forks from it, says so
 * on `sync` first and waits for the answer. */
void pivot_announce(int sync);

/* Says so. -1 with errno: the caller doesn't want to go on. */
int pivot_is_next(void);

#endif
