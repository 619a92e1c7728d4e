/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LXC's monitor: it waits for what to start and calls liblxc's start(), which returns when the
 * container has ended; long before that it is killed, unless it is to be kept.
 */
#ifndef RUNLXC_MONITOR_RUN_H
#define RUNLXC_MONITOR_RUN_H

#include <sys/types.h>

/*
 * Descriptor `lowest` is its control socket, the next one LXC's log; what is below stays open.
 * `caller` is its parent, who sends a struct monitor_request. Returns what to exit with.
 */
int monitor_run(int lowest, pid_t caller);

#endif
