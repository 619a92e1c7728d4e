/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's network namespace. The kernel takes longer to make one than all others together,
 * so the caller does it while liblxc is loaded and makes the cgroups.
 */
#ifndef RUNLXC_MONITOR_NETWORK_H
#define RUNLXC_MONITOR_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/* It comes over `control`, by when the container's first process is cloned. */
void network_follows(int control, int log_fd);

/* Before LXC clones with `flags`. 1: this process is in it, so that the child is born in it; the
 * flag that asks for another one is to be left out. 0: this child has nothing to do with it. -1: it
 * can't be entered, why LXC's log says; no container is to be cloned. */
int network_enter(uint64_t flags);
/* After a 1: in the parent, back; -1: as above, and a child that there is must not go on. */
int network_leave(bool cloned);
/* And in the child. */
void network_stay(void);

/* In the child, before init is executed: ends it if it wasn't born in there. */
void network_check(void);

#endif
