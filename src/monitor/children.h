/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LXC's child asks to be killed when the monitor dies, but not at once; and it holds both ends of
 * its socket to it. One that was cloned in just the moment in which the monitor is killed would
 * wait for ever, and nobody would know where.
 */
#ifndef RUNLXC_MONITOR_CHILDREN_H
#define RUNLXC_MONITOR_CHILDREN_H

#include <sys/types.h>

/* Where to say why one has ended before its time. */
void children_log_to(int log_fd);

/* Before the first is cloned. */
void children_begin(void);

/* In the monitor: this one is to become the container's first process. Where it ends before, LXC no
 * longer waits for it. */
void children_watch(pid_t pid);
/* It was waited for: with this status of wait(2). */
void children_ended(pid_t pid, int status);

/* In each of them, first of all: from here on it dies with the monitor. */
void children_follow(void);

#endif
