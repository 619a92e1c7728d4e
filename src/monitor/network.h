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

/* Whether it is still to come. */
bool network_is_awaited(void);

/* Before LXC clones with `flags`: the child is born in it, instead of in one that is made then, and
 * the flag for that is to be left out. -1: it can't be; LXC's log says why. */
int network_enter(uint64_t flags);
/* After that, in the parent, which must not go on where that fails, and in the child. Where it was
 * not `cloned`, LXC tries another way. */
int network_leave(bool cloned);
void network_stay(void);

/* In the child, before init is executed: ends it if it isn't there. */
void network_check(void);

#endif
