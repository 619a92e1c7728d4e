/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When what happened: `--trace FILE` (docs/performance.md, "Tracing").
 *
 * Whoever takes part in a start, the command, LXC's monitor and init, writes marks into one page of
 * memory that they share, a sealed memfd; when the command ends it makes trace events of them
 * (trace_file.c). A mark begins a step, and the next one of the same process ends it. So a mark is
 * one line, whatever becomes of the step, and a process that is killed leaves what it has written.
 *
 * Without --trace there is no page, and a mark is one branch. With it a mark is a clock reading by
 * the vDSO, an atomic addition and a copy of a few words: no system call, and no lock that a
 * process could be killed with.
 *
 * trace.c is linked into all three programs, init's musl included. Nobody has the page when the
 * user's program runs: the descriptor is closed as soon as the page is mapped, and execve(2) unmaps
 * it.
 */
#ifndef RUNLXC_BASE_TRACE_H
#define RUNLXC_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The processes that write. There is one of each in a command. */
enum trace_process {
	TRACE_COMMAND,
	TRACE_MONITOR,
	TRACE_ENTERING, /* an exec's first half, until it is in the container's pid namespace */
	TRACE_INIT, /* LXC's child, which becomes init and then the program; an exec's process */
	TRACE_PROCESSES,
};

enum trace_level {
	TRACE_END, /* of all that the process does */
	TRACE_STEP,
	TRACE_PART, /* of a step */
};

enum {
	TRACE_TEXT = 104,
	TRACE_MARKS = 1000, /* a bundle with hundreds of mounts has one for each */
};

struct trace_mark {
	uint64_t time; /* CLOCK_MONOTONIC in nanoseconds; written last, and 0 until then */
	uint32_t process;
	uint32_t level;
	char text[TRACE_TEXT]; /* the name, NUL, then the detail, NUL */
	uint64_t reserved;
};

struct trace_page {
	uint32_t used;		       /* marks that were begun; may go beyond TRACE_MARKS */
	int32_t pids[TRACE_PROCESSES]; /* in the command's pid namespace; 0: not known */
	int64_t clock;		       /* see trace_clock_changed() */
	struct trace_mark marks[TRACE_MARKS];
};

extern struct trace_page *trace_page; /* NULL: nothing is traced */

/* Maps the page and closes the descriptor; from here on marks are those of `process`. -1: nothing
 * happens. Never fails: a start is not given up for its trace. */
void trace_attach(int descriptor, enum trace_process process);
/* Unmaps it, in a process that stays. */
void trace_detach(void);

void trace_write(enum trace_process process, enum trace_level level, const char *name,
		 const char *detail);
void trace_become(enum trace_process process);
void trace_set_clock(void);

extern enum trace_process trace_self;

#define trace_is_on() __builtin_expect(trace_page != NULL, 0)

/* The last step of this process ends, and one begins. `name` is a short phrase, which people read.
 */
static inline void trace_step(const char *name)
{
	if (trace_is_on())
		trace_write(trace_self, TRACE_STEP, name, NULL);
}

/* The same for another process, which has no page yet. */
static inline void trace_of(enum trace_process process, const char *name)
{
	if (trace_is_on())
		trace_write(process, TRACE_STEP, name, NULL);
}

/* The same for a part of the step. `detail` tells which, and may be NULL. */
static inline void trace_part(const char *name, const char *detail)
{
	if (trace_is_on())
		trace_write(trace_self, TRACE_PART, name, detail);
}

/* A child that was cloned: it has the page, and marks of its own. The host's procfs is on /proc. */
static inline void trace_child(enum trace_process process)
{
	if (trace_is_on())
		trace_become(process);
}

/* Whose pid is known to us, and to it perhaps not: it may be in another pid namespace. */
static inline void trace_pid(enum trace_process process, pid_t pid)
{
	if (trace_is_on())
		__atomic_store_n(&trace_page->pids[process], pid, __ATOMIC_RELAXED);
}

/* What another process does has ended: it was reaped, or executed the program. */
static inline void trace_end(enum trace_process process)
{
	if (trace_is_on())
		trace_write(process, TRACE_END, "", NULL);
}

/* In a time namespace of the container's the clock is another: to be called when one was entered.
 */
static inline void trace_clock_changed(void)
{
	if (trace_is_on())
		trace_set_clock();
}

#endif
