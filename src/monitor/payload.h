/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the container's first process gets into its cgroups. LXC writes its pid into each, from
 * outside, for which the kernel keeps every process of the machine from forking and ending, and
 * waits for an RCU grace period to do so (cgroup_threadgroup_rwsem). A thread that moves itself, by
 * v1's "tasks", needs none of that, nor does a child that is cloned into its cgroup.
 */
#ifndef RUNLXC_MONITOR_PAYLOAD_H
#define RUNLXC_MONITOR_PAYLOAD_H

#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The device numbers of two controllers' hierarchies: no other one has what is looked for. 0: there
 * is none. */
struct payload_hierarchies {
	dev_t memory, cpuset;
};

/* Which one it is, in every hierarchy; the string must stay. */
void payload_is_in(const char *cgroup, const struct payload_hierarchies *hierarchies, int log_fd);
/* From here on liblxc's child moves itself there, at the time when liblxc would do it. Why it
 * couldn't, LXC's log says. */
void payload_joins_itself(void);

/* liblxc has opened `path` in a directory of cgroups. */
void payload_look(int fd, const char *path);
/* Whether opening this is the beginning of such a move; what is opened instead. */
bool payload_is_entered(int directory, const char *path);
int payload_open_nothing(void);

/* Before a clone3(2): into the cgroup of the unified tree, if it isn't going there already. */
void payload_clone_into(struct clone_args *arguments, size_t size);
/* If that was refused: whether it was taken back. */
bool payload_clone_beside(struct clone_args *arguments);
/* In the child. */
void payload_is_cloned(void);

/* Whether the kernel has killed somebody in it for memory. */
bool payload_ran_out_of_memory(void);

#endif
