/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second look at v1's count of kills, from another processor.
 *
 * The kernel signals, counts the kill, and writes its report to the console, on the processor that
 * the killed process is on, with interrupts off. On a serial console the report takes
 * milliseconds. The signal wakes its reader on that very processor more often than not, and then
 * the reader is told of the count by so much later. Nothing tells a reader where the victim is; so
 * a thread looks as well, from any processor but the reader's. Of the two one is free, and sees to
 * it that the reader is, too.
 */
#ifndef RUNLXC_CGROUP_OOM_ASIDE_H
#define RUNLXC_CGROUP_OOM_ASIDE_H

#include <stdint.h>

/* The count now. */
typedef int (*oom_count_function)(int dir, uint64_t *kills);

struct oom_aside;

/* `dir` stays the caller's and open until oom_aside_close(). NULL: there is no second processor, or
 * no room for a thread; then nobody looks, and nothing is lost but that time. */
struct oom_aside *oom_aside_open(int dir, oom_count_function count);
void oom_aside_close(struct oom_aside *aside); /* NULL: nothing */

/* Readable when the count has risen, until oom_aside_seen(). Owned by `aside`. */
int oom_aside_fd(const struct oom_aside *aside);
void oom_aside_seen(struct oom_aside *aside);

/* By the reader, when it was signalled and the count was `kills`: the thread looks for a while. */
void oom_aside_look(struct oom_aside *aside, uint64_t kills);

#endif
