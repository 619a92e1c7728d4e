/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's own cgroups. LXC makes one in every hierarchy and moves its monitor into it, which
 * for a monitor that is about to be killed is of no use, and costs more than the container's own:
 * each move may wait for an RCU grace period. So none is made, though LXC believes so.
 * And whether it leaves some of the container's.
 */
#ifndef RUNLXC_MONITOR_CGROUPS_H
#define RUNLXC_MONITOR_CGROUPS_H

#include <stdbool.h>

/* From here on liblxc makes no `cgroup` ("/lxc.monitor.NAME", no other's name ends like this) and
 * moves nobody into it: the string must stay. */
void cgroups_stay_out(const char *cgroup);

/* The container's, of which cgroups_are_left() tells; the string must stay. */
void cgroups_watch(const char *cgroup);
/* Whether liblxc has made more of them than it has removed, and met none that somebody else had
 * made. */
bool cgroups_are_left(void);

/* What openat2(2) is to give liblxc instead of `path`; -1 with errno 0: what it asks for. */
int cgroups_open(int directory, const char *path, unsigned long long flags);

#endif
