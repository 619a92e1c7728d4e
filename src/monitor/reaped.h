/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the container's first process ended. liblxc keeps no more than a number of that, the same for
 * signal 9 and status 9; but it calls this program's waitpid(), and does so before it removes the
 * cgroup that counts who was killed for memory.
 */
#ifndef RUNLXC_MONITOR_REAPED_H
#define RUNLXC_MONITOR_REAPED_H

#include <stdbool.h>

/* Over `control` the caller tells which process that is (lxc_monitor_keep()), sooner or later. */
void reaped_listen(int control);

/* *status is that of wait(2), *oom_killed whether memory was the reason of anybody's end. -1: it
 * was not waited for. */
int reaped_status(int *status, bool *oom_killed);

#endif
