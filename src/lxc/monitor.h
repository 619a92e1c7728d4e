/* SPDX-License-Identifier: Apache-2.0 */
/* What LXC's monitor is told: shared by start.c (our side) and monitor/ (its program). */
#ifndef RUNLXC_LXC_MONITOR_H
#define RUNLXC_LXC_MONITOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "lxc/lxc.h"

/* The control socket, the log, and one for opening things in passing. */
#define MONITOR_OWN_FDS 8
#define MONITOR_FDS_MAX (LXC_FDS_MAX + 12)

/* Its exit status where LXC gave up and left cgroups of the container's: without descriptors it
 * can't remove what it has made. */
#define MONITOR_LEFT_CGROUPS 2

/* How a line of ours in LXC's log begins where LXC refused an item: "KEY = VALUE" follows. */
#define MONITOR_REFUSES "LXC refuses "

/* A line of ours there, in runc's words: the kernel has killed LXC's child, or init. */
#define MONITOR_OUT_OF_MEMORY "container init was OOM-killed (memory limit too low?)"

/* Goes with the descriptors: the block of strings, the container's directory, then those that have
 * a number. */
struct monitor_request {
	int init_fd, plan_fd;
	int pivot_fd; /* where to say that the root is about to be changed; -1: nowhere */
	int trace_fd; /* base/trace.h; -1: nothing is traced */
	int time_fd;  /* a time namespace to be in, with all that comes; -1: none */
	dev_t memory_device, cpuset_device; /* of these controllers' hierarchies; 0: none */
	bool label_mqueue;		    /* the container's own gets the mount label */
	bool delegated;			    /* the cgroup that LXC begins at */
	bool no_controllers;		    /* nothing is written to cgroup.subtree_control */
	bool network_follows; /* the container's network namespace, in a message of its own */
	bool keep_monitor, debug;
	int numbers[MONITOR_FDS_MAX];
};

/* The program's arguments: the number of its control socket (its log is the next; what is below
 * stays open), its caller's pid, and whose monitor it is, for people who look at ps. */
enum {
	MONITOR_ARGUMENT_LOWEST = 1,
	MONITOR_ARGUMENT_CALLER,
	MONITOR_ARGUMENT_ID,
	MONITOR_ARGUMENTS,
};

#endif
