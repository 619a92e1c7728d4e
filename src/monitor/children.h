/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LXC's child asks to be killed when the monitor dies, but not at once; and it holds both ends of
 * its socket to it. One that was cloned in just the moment in which the monitor is killed would
 * wait for ever, and nobody would know where.
 */
#ifndef RUNLXC_MONITOR_CHILDREN_H
#define RUNLXC_MONITOR_CHILDREN_H

/* Before the first is cloned. */
void children_begin(void);

/* In each of them, first of all: from here on it dies with the monitor. */
void children_follow(void);

#endif
