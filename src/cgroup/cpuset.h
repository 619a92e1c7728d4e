/* SPDX-License-Identifier: Apache-2.0 */
/* v1's cpusets; the library's and LXC's monitor's alike. */
#ifndef RUNLXC_CGROUP_CPUSET_H
#define RUNLXC_CGROUP_CPUSET_H

/*
 * A new cpuset has no CPU and no memory node, and takes no process until it has. Gives one what its
 * parent has, and that first of all what its own has, as runc does for every cgroup above a
 * container's. `directory` may be a cgroup of any hierarchy: without a cpuset nothing is done. What
 * can't be written is told when a process is to go in.
 */
void cpuset_fill(int directory);

#endif
