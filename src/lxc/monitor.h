/* SPDX-License-Identifier: Apache-2.0 */
/* LXC's monitor: what runs in the forked child. Shared by start.c (our side) and monitor.c (the
 * child's). */
#ifndef RUNLXC_LXC_MONITOR_H
#define RUNLXC_LXC_MONITOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "lxc/lxc.h"

/* The control socket, the log, and one for opening things in passing. */
#define MONITOR_OWN_FDS 8
#define MONITOR_FDS_MAX (LXC_FDS_MAX + 12)

/* Goes with the descriptors: the block of strings, the container's directory, then those that have
 * a number. */
struct monitor_request {
	int init_fd, plan_fd;
	bool keep_monitor, debug;
	int numbers[MONITOR_FDS_MAX];
};

_Noreturn void monitor_main(int control, int log_fd, int lowest, pid_t caller);

#endif
