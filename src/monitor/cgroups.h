/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's own cgroups. LXC makes one in every hierarchy and moves its monitor into it, which
 * for a monitor that is about to be killed is of no use, and costs as much as the container's own:
 * each move may wait for an RCU grace period.
 */
#ifndef RUNLXC_MONITOR_CGROUPS_H
#define RUNLXC_MONITOR_CGROUPS_H

#include <stdbool.h>

/* From here on liblxc moves nobody into `cgroup` ("/lxc.monitor.NAME"), though it believes so: the
 * string must stay. */
void cgroups_stay_out(const char *cgroup);

/* Whether opening this is the beginning of such a move; what is opened instead. */
bool cgroups_is_entered(int directory, const char *path);
int cgroups_open_nothing(void);

#endif
