/* SPDX-License-Identifier: Apache-2.0 */
/* Doing something in another network namespace. */
#ifndef RUNLXC_LXC_VISIT_H
#define RUNLXC_LXC_VISIT_H

/*
 * Calls `what` on a thread that is in the network namespace `ns` (a descriptor of it); the thread
 * ends with that, so that nobody else in this process is ever in another namespace. Returns what it
 * returned, with errno: -1 where the namespace can't be entered. Blocks until it is done.
 */
int visit_network(int ns, int (*what)(void *data), void *data);

#endif
