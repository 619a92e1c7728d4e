/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the processes ended that liblxc has waited for. It keeps no more than a number of that
 * itself, the same for signal 9 and status 9; but it calls this program's waitpid().
 */
#ifndef RUNLXC_MONITOR_REAPED_H
#define RUNLXC_MONITOR_REAPED_H

#include <sys/types.h>

/* The status of wait(2); -1: that process was not waited for, or long ago. */
int reaped_status(pid_t pid, int *status);

#endif
