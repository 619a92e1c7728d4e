/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for what the members of a cgroup do. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

#define BACKOFF_FIRST_US 50u
#define BACKOFF_LAST_US 10000u
#define REMOVED_CHECK_MS 100

/* ---- time ---- */

struct timespec cgroup_deadline(int timeout_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	return at;
}

int cgroup_deadline_ms(const struct timespec *deadline)
{
	struct timespec now;
	int64_t left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000000000L + deadline->tv_nsec -
	       now.tv_nsec;
	return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

bool cgroup_backoff(const struct timespec *deadline, unsigned int *delay_us)
{
	struct timespec delay = {0, 0};

	if (cgroup_deadline_ms(deadline) == 0)
		return false;
	*delay_us = *delay_us ? *delay_us * 2 : BACKOFF_FIRST_US;
	if (*delay_us > BACKOFF_LAST_US)
		*delay_us = BACKOFF_LAST_US;
	delay.tv_nsec = (long)*delay_us * 1000;
	nanosleep(&delay, NULL);
	return true;
}

/* ---- v2: an event ---- */

int cgroup_wait_event(int dir, const char *want, const struct timespec *deadline)
{
	cleanup_close int fd = openat(dir, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct pollfd poller = {.fd = fd, .events = POLLPRI};

	if (fd < 0)
		return -1;
	for (;;) {
		char text[256];
		/* Reading is also what says that this state was seen: poll() returns at the next.
		 */
		ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
		const char *line;
		int left;

		if (got < 0)
			return -1;
		text[got] = '\0';
		line = strstr(text, want);
		if (line && line[strlen(want)] == '\n')
			return 0;
		left = cgroup_deadline_ms(deadline);
		if (left == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		/* A cgroup that is removed while we wait wakes nobody: look again now and then. */
		if (poll(&poller, 1, left < REMOVED_CHECK_MS ? left : REMOVED_CHECK_MS) < 0 &&
		    errno != EINTR)
			return -1;
	}
}

/* ---- v1: each process ---- */

/* Waits until one process has ended. It may be reaped, or still be a zombie. */
static int wait_process(pid_t pid, const struct timespec *deadline)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};
	int ready;

	if (pidfd < 0)
		return errno == ESRCH ? 0 : -1;
	do {
		ready = poll(&poller, 1, cgroup_deadline_ms(deadline));
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0 ? 0 : -1;
}

static int wait_processes(const struct cgroup_hierarchy *hierarchy, const char *path,
			  const struct timespec *deadline, struct error *err)
{
	unsigned int delay_us = 0;
	pid_t last = 0;

	for (;;) {
		cleanup_free pid_t *pids = NULL;
		size_t count;

		if (cgroup_hierarchy_pids(hierarchy, path, &pids, &count, err))
			return -1;
		if (count == 0)
			return 0;
		/* A process has ended a moment before it is out of its cgroup; no event tells. */
		if (pids[0] == last && !cgroup_backoff(deadline, &delay_us))
			errno = ETIMEDOUT;
		else if (wait_process(pids[0], deadline) == 0)
			errno = 0;
		if (errno) {
			int errnum = errno;

			return error_errno(err, errnum, "cgroup %s (%s) still holds process %d%s",
					   path, cgroup_hierarchy_name(hierarchy), pids[0],
					   count > 1 ? " and others" : "");
		}
		last = pids[0];
	}
}

int cgroup_hierarchy_wait_empty(const struct cgroup_hierarchy *hierarchy, const char *path,
				const struct timespec *deadline, struct error *err)
{
	if (hierarchy->unified) {
		cleanup_close int dir = cgroup_open(hierarchy, path);

		if (dir < 0)
			return errno == ENOENT
				   ? 0
				   : error_errno(err, errno, "can't open cgroup %s", path);
		/* Removed (ENODEV), a time-out, a root cgroup without the file: the list below
		 * tells. */
		if (cgroup_wait_event(dir, "populated 0", deadline) == 0)
			return 0;
	}
	return wait_processes(hierarchy, path, deadline, err);
}

int cgroup_wait_empty(const struct cgroup_layout *layout, const char *path, int timeout_ms,
		      struct error *err)
{
	const struct cgroup_hierarchy *members = cgroup_member_hierarchy(layout);
	const struct cgroup_hierarchy *unified = cgroup_find(layout, "");
	struct timespec deadline = cgroup_deadline(timeout_ms);

	/* On a hybrid host the v2 tree has the event; the v1 hierarchy may hold what left it. */
	if (unified && cgroup_hierarchy_wait_empty(unified, path, &deadline, err))
		return -1;
	if (!members || members == unified)
		return 0;
	return cgroup_hierarchy_wait_empty(members, path, &deadline, err);
}
