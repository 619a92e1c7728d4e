/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LXC's monitor. It loads liblxc, waits for what to start, and calls liblxc's start(), which
 * returns when the container has ended; long before that it is killed, unless it is to be kept.
 */
#include "lxc/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/library.h"

struct monitor {
	int control, log_fd, dir;
	const char *block, *block_end, *name, *path, *items;
	struct monitor_request request;
};

/* Into LXC's log, where the caller looks for what went wrong. */
#define FAIL(monitor, ...)                                                                         \
	do {                                                                                       \
		dprintf((monitor)->log_fd, "runlxc: " __VA_ARGS__);                                \
		_exit(1);                                                                          \
	} while (0)

/*
 * A clean table: standard streams, what the program keeps (below `lowest`), the control socket and
 * the log. Whatever else the caller had open, LXC and the container have no business with.
 */
static void clean_descriptors(struct monitor *monitor, int control, int log_fd, int lowest)
{
	int moved_control, moved_log;

	/* First out of the way of both places, then into them. */
	moved_control = fcntl(control, F_DUPFD_CLOEXEC, lowest + 2);
	moved_log = fcntl(log_fd, F_DUPFD_CLOEXEC, lowest + 2);
	if (moved_control < 0 || moved_log < 0 || dup3(moved_control, lowest, O_CLOEXEC) < 0 ||
	    dup3(moved_log, lowest + 1, O_CLOEXEC) < 0 ||
	    kernel_close_range((unsigned int)lowest + 2, ~0U, 0) < 0)
		_exit(1);
	monitor->control = lowest;
	monitor->log_fd = lowest + 1;
}

static const char *next_string(struct monitor *monitor, const char *at)
{
	const char *end =
	    at < monitor->block_end ? memchr(at, '\0', (size_t)(monitor->block_end - at)) : NULL;

	return end ? end + 1 : NULL;
}

static void map_block(struct monitor *monitor, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size == 0)
		FAIL(monitor, "the recipe can't be read\n");
	monitor->block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (monitor->block == MAP_FAILED)
		FAIL(monitor, "the recipe can't be read: %s\n", strerror(errno));
	monitor->block_end = monitor->block + st.st_size;
	monitor->name = monitor->block;
	monitor->path = next_string(monitor, monitor->name);
	monitor->items = monitor->path ? next_string(monitor, monitor->path) : NULL;
	if (!monitor->items)
		FAIL(monitor, "the recipe can't be read\n");
}

/*
 * Receives the request. Its descriptors arrive under the lowest free numbers; those of init then
 * get the ones that the plan knows them by, which lie above all of these (lxc_monitor_room()),
 * without CLOEXEC.
 */
static void receive_request(struct monitor *monitor)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(MONITOR_FDS_MAX * sizeof(int))];
	} control;
	struct iovec data = {.iov_base = &monitor->request, .iov_len = sizeof(monitor->request)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fds[MONITOR_FDS_MAX], count, i;
	struct cmsghdr *header;
	ssize_t got;

	do
		got = recvmsg(monitor->control, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	header = CMSG_FIRSTHDR(&message);
	/* The caller gave up: nothing to start, nothing to say. */
	if (got != (ssize_t)sizeof(monitor->request) || !header || header->cmsg_type != SCM_RIGHTS)
		_exit(1);
	count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
	if (count < 2)
		_exit(1);
	map_block(monitor, fds[0]);
	close(fds[0]);
	monitor->dir = fds[1];
	for (i = 2; i < count; i++) {
		if (dup3(fds[i], monitor->request.numbers[i], 0) < 0)
			FAIL(monitor, "descriptor %d can't be passed on: %s\n",
			     monitor->request.numbers[i], strerror(errno));
		close(fds[i]);
	}
}

/* How the container ended, by the pidfd that the caller left for us; else as liblxc has it, which
 * can't tell signal 9 from status 9. */
static int exit_status(struct monitor *monitor, int from_lxc)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {.iov_base = (char[]){0}, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int pidfd, status = from_lxc;

	if (recvmsg(monitor->control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1 &&
	    CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS) {
		memcpy(&pidfd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(pidfd));
		if (kernel_pidfd_exit_status(pidfd, &status) < 0)
			status = from_lxc;
		close(pidfd);
	}
	return status;
}

static void set_items(struct monitor *monitor, struct lxc_container *container)
{
	const char *key, *value;
	char log[64];

	/* LXC opens its log by name: a memfd has one here. */
	snprintf(log, sizeof(log), "/proc/self/fd/%d", monitor->log_fd);
	if (!container->set_config_item(container, "lxc.log.file", log) ||
	    !container->set_config_item(container, "lxc.log.level",
					monitor->request.debug ? "DEBUG" : "ERROR"))
		FAIL(monitor, "LXC refuses its log\n");
	for (key = monitor->items; key < monitor->block_end; key = next_string(monitor, value)) {
		value = next_string(monitor, key);
		if (!value)
			FAIL(monitor, "the recipe can't be read\n");
		if (!container->set_config_item(container, key, value))
			FAIL(monitor, "LXC refuses %s = %s\n", key, value);
	}
}

static int open_in_directory(const struct monitor *monitor, const char *name)
{
	return openat(monitor->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0600);
}

/* LXC's tools look for PATH/NAME/config; LXC itself must not find it before now, or it would take
 * every item twice. */
static void write_config(struct monitor *monitor)
{
	cleanup_close int fd = open_in_directory(monitor, "config");
	const char *key, *value;

	for (key = monitor->items; fd >= 0 && key < monitor->block_end;
	     key = next_string(monitor, value)) {
		value = next_string(monitor, key);
		dprintf(fd, "%s = %s\n", key, value);
	}
}

/* Renamed when it is whole: `wait` reads it. */
static void record_exit(const struct monitor *monitor, int status)
{
	cleanup_close int fd = open_in_directory(monitor, "exit.new");

	if (fd >= 0 && dprintf(fd, "%d\n", status) > 0)
		renameat(monitor->dir, "exit.new", monitor->dir, "exit");
}

void monitor_main(int control, int log_fd, int lowest, pid_t caller)
{
	struct monitor monitor = {.dir = -1};
	struct error err = ERROR_INIT;
	const struct lxc_library *lxc;
	struct lxc_container *container;
	char init_path[64], plan_number[16];
	char *const arguments[] = {init_path, plan_number, NULL};
	int quiet, status;

	/* Whoever kills the caller half-way gets rid of us, and LXC's own death signal of the
	 * container. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != caller)
		_exit(1);
	clean_descriptors(&monitor, control, log_fd, lowest);
	/*
	 * LXC gives the standard streams of whoever starts a container to its init: owner and mode.
	 * The caller passes the real ones for init under other numbers; these are ours, and nobody
	 * minds.
	 */
	quiet = kernel_memfd_create("runlxc-null", MFD_CLOEXEC);
	if (quiet < 0 || dup2(quiet, 0) < 0 || dup2(quiet, 1) < 0 || dup2(quiet, 2) < 0)
		_exit(1);
	if (quiet > 2)
		close(quiet);
	lxc = lxc_library_load(&err);
	receive_request(&monitor);
	if (!lxc)
		FAIL(&monitor, "%s\n", error_text(&err));

	container = lxc->container_new(monitor.name, monitor.path);
	if (!container)
		FAIL(&monitor, "liblxc can't make a container named \"%s\" in \"%s\"\n",
		     monitor.name, monitor.path);
	set_items(&monitor, container);
	if (monitor.request.keep_monitor) {
		/* It is to outlive the caller. A caller that is killed before it recorded the
		 * container is still noticed: init ends when the sync socket is closed, and we end
		 * after it. */
		prctl(PR_SET_PDEATHSIG, 0);
		write_config(&monitor);
	}
	container->want_daemonize(container, false);
	container->want_close_all_fds(container, false);
	snprintf(init_path, sizeof(init_path), "/proc/self/fd/%d", monitor.request.init_fd);
	snprintf(plan_number, sizeof(plan_number), "%d", monitor.request.plan_fd);
	if (!container->start(container, 0, arguments) && !monitor.request.keep_monitor)
		_exit(1);
	status = monitor.request.keep_monitor ? exit_status(&monitor, container->error_num)
					      : container->error_num;
	if (monitor.request.keep_monitor)
		record_exit(&monitor, status);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}
