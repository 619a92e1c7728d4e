/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The out-of-memory killer at work in a container.
 *
 * v2 counts its kills in memory.events and then wakes whoever polls that file. (It also tells
 * inotify; but a user has few of those queues, 128 by default, and a host may have more
 * containers.)
 *
 * v1 signals an eventfd, but before it kills (mem_cgroup_oom_notify() comes first), without a kill
 * where a cgroup above is short of memory and the victim is elsewhere, and when the cgroup is
 * removed. Only the count tells what happened; and as nothing tells that it has risen, it is looked
 * at again for a moment after an event, by a timer that is part of the same descriptor.
 */
#include "cgroup/stats.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"
#include "cgroup/oom_aside.h"

/* Looked at again 100 µs later, and then after a quarter more each time, for about a second: the
 * kernel writes its report of the kill, to a slow console perhaps, before it counts it. So it is
 * seen when at most a quarter has passed of the time that the kernel took. */
#define LOOK_AGAIN_FIRST_US 100u
#define LOOK_AGAIN_LAST_US 200000u

struct cgroup_oom {
	bool unified;
	char *path;
	int dir;		    /* the memory cgroup, O_PATH */
	int event;		    /* v1: the eventfd; v2: memory.events */
	int timer;		    /* v1 */
	int epoll;		    /* all that make it readable */
	unsigned int look_again_us; /* 0: not looking */
	struct oom_aside *aside;    /* v1, if it was asked for */
};

static void cleanup_oom(struct cgroup_oom **oom)
{
	cgroup_oom_close(*oom);
}

/* ---- opening ---- */

static int watch(const struct cgroup_oom *oom, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events};

	return epoll_ctl(oom->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* cgroup-v1/memory.rst, 10. OOM Control: "<event_fd> <fd of memory.oom_control>". */
static int watch_v1(struct cgroup_oom *oom)
{
	cleanup_close int control =
	    openat(oom->dir, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char line[32];

	if (control < 0)
		return -1;
	oom->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	oom->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (oom->event < 0 || oom->timer < 0 || watch(oom, oom->event, EPOLLIN) ||
	    watch(oom, oom->timer, EPOLLIN))
		return -1;
	snprintf(line, sizeof(line), "%d %d", oom->event, control);
	return cgroup_write_file(oom->dir, "cgroup.event_control", line);
}

static int watch_v2(struct cgroup_oom *oom)
{
	oom->event = openat(oom->dir, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return oom->event < 0 ? -1 : watch(oom, oom->event, EPOLLPRI);
}

/* The memory cgroup; -1 with errno. */
static int open_memory(const struct cgroup_layout *layout, const char *path, bool *unified)
{
	const struct cgroup_hierarchy *memory = cgroup_find(layout, "memory");

	if (!memory) {
		errno = ENOENT;
		return -1;
	}
	*unified = memory->unified;
	return cgroup_open(memory, path);
}

int cgroup_oom_file(const struct cgroup_layout *layout, const char *path)
{
	bool unified = false;
	cleanup_close int dir = open_memory(layout, path, &unified);

	return dir < 0 ? -1
		       : openat(dir, unified ? "memory.events" : "memory.oom_control",
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

struct cgroup_oom *cgroup_oom_open(const struct cgroup_layout *layout, const char *path,
				   struct error *err)
{
	cleanup_with(cleanup_oom) struct cgroup_oom *oom = calloc(1, sizeof(*oom));
	struct cgroup_oom_state state;

	if (oom) {
		oom->dir = oom->event = oom->timer = oom->epoll = -1;
		oom->path = strdup(path);
	}
	if (!oom || !oom->path) {
		error_errno(err, ENOMEM, "can't watch cgroup %s", path);
		return NULL;
	}
	oom->dir = open_memory(layout, path, &oom->unified);
	if (oom->dir >= 0)
		oom->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (oom->epoll < 0 || (oom->unified ? watch_v2(oom) : watch_v1(oom))) {
		error_errno(err, errno, "can't watch the memory of cgroup %s", path);
		return NULL;
	}
	/* v2: until it was read once, the file counts as changed. */
	if (cgroup_oom_read(oom, &state, err))
		return NULL;
	return PTR_TAKE(oom);
}

void cgroup_oom_close(struct cgroup_oom *oom)
{
	if (!oom)
		return;
	oom_aside_close(oom->aside);
	fd_close(oom->epoll);
	fd_close(oom->timer);
	fd_close(oom->event);
	fd_close(oom->dir);
	free(oom->path);
	free(oom);
}

int cgroup_oom_fd(const struct cgroup_oom *oom)
{
	return oom->epoll;
}

/* ---- reading ---- */

static uint64_t number_behind(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return strtoull(line + length + 1, NULL, 10);
	}
	return 0;
}

/* v1 counts a kill where the victim was; the walk adds up what is below. */
static int add_kills_v1(int dir, void *data)
{
	uint64_t *kills = data;
	char text[512];

	if (cgroup_read_file(dir, "memory.oom_control", text, sizeof(text)) == 0)
		*kills += number_behind(text, "oom_kill");
	return 0;
}

static int count_kills_v1(int dir, uint64_t *kills)
{
	const struct cgroup_walker walker = {.visit = add_kills_v1, .data = kills};

	*kills = 0;
	return cgroup_walk(dir, &walker);
}

static int read_state_v1(int dir, struct cgroup_oom_state *state)
{
	char text[512];

	*state = (struct cgroup_oom_state){0, false};
	if (cgroup_read_file(dir, "memory.oom_control", text, sizeof(text)))
		return -1;
	state->waiting =
	    number_behind(text, "oom_kill_disable") == 1 && number_behind(text, "under_oom") == 1;
	/* A tree that changed under the walk: the container's own count at least. */
	if (count_kills_v1(dir, &state->kills) < 0)
		state->kills = number_behind(text, "oom_kill");
	return 0;
}

/* Reading the file that is polled takes the event away. */
static int read_state_v2(int events, struct cgroup_oom_state *state)
{
	char text[512];
	ssize_t got = pread(events, text, sizeof(text) - 1, 0);

	*state = (struct cgroup_oom_state){0, false};
	if (got < 0)
		return -1;
	text[got] = '\0';
	state->kills = number_behind(text, "oom_kill");
	return 0;
}

unsigned int cgroup_oom_next_look(unsigned int delay_us)
{
	if (!delay_us)
		return LOOK_AGAIN_FIRST_US;
	return delay_us < LOOK_AGAIN_LAST_US ? delay_us + delay_us / 4 : 0;
}

/*
 * v1: sees to it that a kill that comes after its event is seen. Goes on after one was: of several
 * at a time only the first gives an event.
 */
static void look_again(struct cgroup_oom *oom, bool event)
{
	struct itimerspec next = {0};
	uint64_t expirations;

	if (event)
		oom->look_again_us = cgroup_oom_next_look(0);
	else if (read(oom->timer, &expirations, sizeof(expirations)) < 0)
		return; /* not yet time, or nothing to look for */
	else
		oom->look_again_us = cgroup_oom_next_look(oom->look_again_us);
	next.it_value.tv_nsec = (long)oom->look_again_us * 1000;
	timerfd_settime(oom->timer, 0, &next, NULL);
}

static int read_v1(struct cgroup_oom *oom, struct cgroup_oom_state *state)
{
	uint64_t signals;
	/* Before the count: an event that comes between the two makes it readable again. */
	bool event = read(oom->event, &signals, sizeof(signals)) > 0;

	if (oom->aside)
		oom_aside_seen(oom->aside);
	if (read_state_v1(oom->dir, state))
		return -1;
	if (event && oom->aside)
		oom_aside_look(oom->aside, state->kills);
	look_again(oom, event);
	return 0;
}

static bool is_gone(int errnum)
{
	return errnum == ENOENT || errnum == ENODEV;
}

void cgroup_oom_hurry(struct cgroup_oom *oom)
{
	if (oom->unified || oom->aside)
		return;
	oom->aside = oom_aside_open(oom->dir, count_kills_v1);
	if (oom->aside && watch(oom, oom_aside_fd(oom->aside), EPOLLIN) < 0)
		oom_aside_close(PTR_TAKE(oom->aside));
}

int cgroup_oom_read(struct cgroup_oom *oom, struct cgroup_oom_state *state, struct error *err)
{
	int result = oom->unified ? read_state_v2(oom->event, state) : read_v1(oom, state);

	if (result == 0)
		return 0;
	if (!is_gone(errno))
		return error_errno(err, errno, "can't read the memory events of cgroup %s",
				   oom->path);
	error_set(err, "cgroup %s was removed", oom->path);
	err->errnum = ENODEV;
	return -1;
}

int cgroup_oom_count(const struct cgroup_layout *layout, const char *path, uint64_t *kills,
		     struct error *err)
{
	bool unified = false;
	cleanup_close int dir = open_memory(layout, path, &unified);
	cleanup_close int events = -1;
	struct cgroup_oom_state state = {0, false};
	int result = dir < 0 ? -1 : 0;

	if (dir >= 0 && unified) {
		events = openat(dir, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		result = events < 0 ? -1 : read_state_v2(events, &state);
	} else if (dir >= 0) {
		result = read_state_v1(dir, &state);
	}
	if (result < 0 && !is_gone(errno))
		return error_errno(err, errno, "can't read the memory events of cgroup %s", path);
	*kills = state.kills;
	return 0;
}
