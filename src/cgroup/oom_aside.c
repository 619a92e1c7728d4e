/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/oom_aside.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "cgroup/internal.h"

/* The kernel knows 8192 processors at most (NR_CPUS), the C library's type for a set 1024. */
#define PROCESSORS_MAX 8192
#define BITS (8 * sizeof(unsigned long))

struct processors {
	unsigned long bits[PROCESSORS_MAX / BITS];
};

/* Who is to be told. */
struct reader {
	pid_t thread;
	uint64_t kills; /* what it knows of */
};

struct oom_aside {
	int dir;
	oom_count_function count;
	int begin; /* the thread is to look from now on, or to end */
	int risen;
	atomic_bool ends;
	pthread_t thread;
	pthread_mutex_t lock; /* of the reader, held for a copy's time */
	struct reader reader;
};

static void add(struct processors *processors, int processor)
{
	processors->bits[(size_t)processor / BITS] |= 1UL << ((size_t)processor % BITS);
}

static void take_away(struct processors *processors, int processor)
{
	processors->bits[(size_t)processor / BITS] &= ~(1UL << ((size_t)processor % BITS));
}

static bool is_empty(const struct processors *processors)
{
	for (size_t i = 0; i < ARRAY_SIZE(processors->bits); i++)
		if (processors->bits[i])
			return false;
	return true;
}

/* 0 is the calling thread. */
static int get_allowed(pid_t thread, struct processors *processors)
{
	*processors = (struct processors){0};
	return syscall(SYS_sched_getaffinity, thread, sizeof(processors->bits), processors->bits) >
		       0
		   ? 0
		   : -1;
}

/* It has left every other processor when this returns. */
static int confine(pid_t thread, const struct processors *processors)
{
	return (int)syscall(SYS_sched_setaffinity, thread, sizeof(processors->bits),
			    processors->bits);
}

/* ---- the thread ---- */

/* The reader sleeps, or waits for the processor that the kernel holds on to. It is put on this one,
 * where this thread has nothing more to do, and is free then to go where it likes. */
static void tell(struct oom_aside *aside, const struct reader *reader)
{
	int processor = sched_getcpu();
	struct processors here = {0}, allowed;
	bool moved = false;

	if (processor >= 0 && get_allowed(reader->thread, &allowed) == 0) {
		add(&here, processor);
		moved = confine(reader->thread, &here) == 0;
	}
	eventfd_write(aside->risen, 1);
	if (moved)
		confine(reader->thread, &allowed);
}

static struct reader who(struct oom_aside *aside)
{
	struct reader reader;

	pthread_mutex_lock(&aside->lock);
	reader = aside->reader;
	pthread_mutex_unlock(&aside->lock);
	return reader;
}

static void *look(void *data)
{
	struct oom_aside *aside = data;
	struct pollfd begin = {.fd = aside->begin, .events = POLLIN};
	struct reader reader = {0};
	unsigned int delay_us = 0;
	eventfd_t ignored;
	uint64_t kills;

	for (;;) {
		const struct timespec delay = {0, (long)delay_us * 1000};

		if (ppoll(&begin, 1, delay_us ? &delay : NULL, NULL) > 0) {
			eventfd_read(aside->begin, &ignored);
			if (aside->ends)
				return NULL;
			reader = who(aside);
			delay_us = 0;
		}
		delay_us = cgroup_oom_next_look(delay_us);
		if (aside->count(aside->dir, &kills) < 0)
			continue;
		if (kills > reader.kills)
			tell(aside, &reader);
		/* It falls when a cgroup below is removed. */
		reader.kills = kills;
	}
}

/* ---- the reader ---- */

static bool has_another(void)
{
	struct processors allowed;
	int processor = sched_getcpu();

	if (processor < 0 || get_allowed(0, &allowed) < 0)
		return false;
	take_away(&allowed, processor);
	return !is_empty(&allowed);
}

struct oom_aside *oom_aside_open(int dir, oom_count_function count)
{
	struct oom_aside *aside = has_another() ? calloc(1, sizeof(*aside)) : NULL;

	if (!aside)
		return NULL;
	aside->dir = dir;
	aside->count = count;
	aside->begin = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	aside->risen = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&aside->lock, NULL);
	if (aside->begin < 0 || aside->risen < 0 ||
	    thread_create(&aside->thread, look, aside) != 0) {
		fd_close(aside->begin);
		fd_close(aside->risen);
		free(aside);
		return NULL;
	}
	return aside;
}

void oom_aside_close(struct oom_aside *aside)
{
	if (!aside)
		return;
	aside->ends = true;
	eventfd_write(aside->begin, 1);
	pthread_join(aside->thread, NULL);
	pthread_mutex_destroy(&aside->lock);
	fd_close(aside->begin);
	fd_close(aside->risen);
	free(aside);
}

int oom_aside_fd(const struct oom_aside *aside)
{
	return aside->risen;
}

void oom_aside_seen(struct oom_aside *aside)
{
	eventfd_t ignored;

	eventfd_read(aside->risen, &ignored);
}

void oom_aside_look(struct oom_aside *aside, uint64_t kills)
{
	struct reader reader = {.thread = (pid_t)syscall(SYS_gettid), .kills = kills};
	int processor = sched_getcpu();
	struct processors others;

	if (processor < 0 || get_allowed(0, &others) < 0)
		return;
	take_away(&others, processor);
	pthread_mutex_lock(&aside->lock);
	aside->reader = reader;
	pthread_mutex_unlock(&aside->lock);
	/* It sleeps, and wakes up there. An error if there is no other: then it looks from here. */
	pthread_setaffinity_np(aside->thread, sizeof(others.bits), (const cpu_set_t *)others.bits);
	eventfd_write(aside->begin, 1);
}
