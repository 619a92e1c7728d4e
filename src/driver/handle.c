/* SPDX-License-Identifier: Apache-2.0 */
/* What is done while a handle's process runs, and when it ends. */
#include "driver/handle_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"

/* ---- what to wait for ---- */

/* Brings the epoll set up to date: exactly what is waited for is in it, since a hangup would wake
 * us for nothing otherwise. */
static int watch(struct handle *handle, int which, int fd, short events, bool *always)
{
	struct watch *current = &handle->watches[which];
	struct epoll_event event = {.events = (uint32_t)events, .data.u32 = (uint32_t)which};

	if (current->fd == fd && current->events == events)
		return 0;
	if (current->fd >= 0)
		epoll_ctl(handle->epoll, EPOLL_CTL_DEL, current->fd, NULL);
	*current = (struct watch){-1, 0};
	if (fd < 0)
		return 0;
	if (epoll_ctl(handle->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		if (errno != EPERM)
			return -1;
		*always = true;
		return 0;
	}
	*current = (struct watch){fd, events};
	return 0;
}

/* Before a descriptor may be closed: by then its number may be another thread's. */
static void unwatch(struct handle *handle, int which)
{
	bool ignored;

	watch(handle, which, -1, 0, &ignored);
}

int handle_watch_all(struct handle *handle, struct error *err)
{
	struct pollfd polls[RELAY_POLLS];
	bool always = false;
	uint64_t one = 1, count;
	int i, result = 0;

	if (handle->relay) {
		relay_fill_polls(handle->relay, polls);
		for (i = 0; i < RELAY_POLLS; i++)
			result |=
			    watch(handle, WATCH_RELAY + i, polls[i].fd, polls[i].events, &always);
	}
	result |= watch(handle, WATCH_OOM, memory_watch_fd(&handle->memory), POLLIN, &always);
	result |= watch(handle, WATCH_PROCESS, handle->ended ? -1 : handle->pidfd, POLLIN, &always);
	if (result < 0)
		return error_errno(err, errno, "Failed to wait for the process");
	/* When all is over, so is waiting: whoever polls then must see it again. */
	if (always || handle->over)
		return write(handle->ready, &one, sizeof(one)) < 0 && errno != EAGAIN
			   ? error_errno(err, errno, "Failed to wait for the process")
			   : 0;
	return read(handle->ready, &count, sizeof(count)) < 0 && errno != EAGAIN
		   ? error_errno(err, errno, "Failed to wait for the process")
		   : 0;
}

/* ---- the end ---- */

/* The status of the process, which is a child of ours. A kept monitor has recorded it. */
static int take_status(struct handle *handle, int *status, struct error *err)
{
	pid_t got;

	do
		got = waitpid(handle->waited_pid, status, 0);
	while (got < 0 && errno == EINTR);
	if (handle->kept_monitor &&
	    container_recorded_exit(&handle->creation.container, status, &handle->memory) == 0)
		return 0;
	/* Who embeds us may reap whatever child there is; the kernel may know nevertheless. */
	if (got < 0 && kernel_pidfd_exit_status(handle->pidfd, status) < 0)
		return error_errno(err, errno,
				   "The exit status of process %d was taken by someone else",
				   (int)handle->pid);
	return 0;
}

static int end(struct handle *handle, struct error *err)
{
	struct error later = ERROR_INIT;
	int status = 0, result;

	handle->ended = true;
	result = take_status(handle, &status, err);
	if (result == 0) {
		handle->exit.status = driver_exit_status(status);
		handle->exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	}
	unwatch(handle, WATCH_OOM);
	handle->exit.oom_killed = memory_watch_end(&handle->memory);
	memory_watch_close(&handle->memory);
	if (handle->first) {
		/* Reaped: not to be killed again by its number. */
		if (handle->kept_monitor)
			handle->creation.monitor.pid = -1;
		if (creation_clean_up(&handle->creation, false, handle->exit.status,
				      result < 0 ? &later : err) < 0)
			result = -1;
	}
	error_clear(&later);
	return result;
}

/* ---- in between ---- */

/*
 * Nobody's signal handlers are touched, and no signal of ours reaches them: a SIGPIPE that writing
 * raised is taken away again, unless one was pending already.
 */
struct quiet {
	sigset_t pipe, before;
	bool pending;
};

static void quiet_begin(struct quiet *quiet)
{
	sigset_t pending;

	sigemptyset(&quiet->pipe);
	sigaddset(&quiet->pipe, SIGPIPE);
	sigpending(&pending);
	quiet->pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &quiet->pipe, &quiet->before);
}

static void quiet_end(const struct quiet *quiet)
{
	static const struct timespec now = {0, 0};

	if (!quiet->pending)
		while (sigtimedwait(&quiet->pipe, NULL, &now) == SIGPIPE)
			continue;
	pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

static void relay_once(struct handle *handle)
{
	struct pollfd polls[RELAY_POLLS];
	struct quiet quiet;

	relay_fill_polls(handle->relay, polls);
	if (poll(polls, RELAY_POLLS, 0) <= 0)
		return;
	quiet_begin(&quiet);
	relay_handle_polls(handle->relay, polls);
	quiet_end(&quiet);
}

static bool is_readable(int fd)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&event, 1, 0) > 0;
}

static void close_relay(struct handle *handle)
{
	if (handle->relay)
		relay_close(handle->relay);
	free(PTR_TAKE(handle->relay));
	fd_close(fd_take(&handle->relay_input));
	fd_close(fd_take(&handle->relay_output));
}

/* The streams that nothing is copied from or to any more, so that whoever is at their other end
 * sees that. They are out of the epoll set by now. */
static void close_ended(struct handle *handle)
{
	if (handle->over)
		close_relay(handle);
	else if (handle->relay && handle->relay->input < 0)
		fd_close(fd_take(&handle->relay_input));
}

int handle_dispatch(struct handle *handle, struct driver_exit *exit, struct error *err)
{
	struct error later = ERROR_INIT;
	int result = 0;

	if (handle->relay)
		relay_once(handle);
	if (!handle->ended) {
		if (is_readable(memory_watch_fd(&handle->memory))) {
			unwatch(handle, WATCH_OOM);
			memory_watch_look(&handle->memory);
		}
		/* The streams first and the end last: what it wrote before is read in any case. */
		if (is_readable(handle->pidfd)) {
			result = end(handle, err);
			if (handle->relay)
				relay_note_end(handle->relay);
		}
	}
	if (handle->ended && (!handle->relay || relay_is_empty(handle->relay)))
		handle->over = true;
	if (handle_watch_all(handle, result < 0 ? &later : err) < 0)
		result = -1;
	close_ended(handle);
	error_clear(&later);
	if (result < 0 || !handle->over)
		return result;
	*exit = handle->exit;
	return 1;
}

pid_t handle_pid(const struct handle *handle)
{
	return handle->pid;
}

int handle_fd(const struct handle *handle)
{
	return handle->epoll;
}

int handle_take_stream(struct handle *handle, int stream)
{
	return stream < 0 || stream > 2 ? -1 : fd_take(&handle->streams[stream]);
}

int handle_resize(const struct handle *handle, uint32_t height, uint32_t width, struct error *err)
{
	if (handle->terminal < 0)
		return error_set(err, "the process has no terminal");
	return console_set_size(handle->terminal, height, width, err);
}

int handle_signal(const struct handle *handle, int sig, struct error *err)
{
	int pidfd = handle->first ? handle->creation.pidfd : handle->pidfd;

	if (handle->ended || kernel_pidfd_send_signal(pidfd, sig) < 0)
		return error_errno(err, handle->ended ? ESRCH : errno, "signal %d", sig);
	return 0;
}

void handle_free(struct handle *handle)
{
	int i;

	if (!handle)
		return;
	close_relay(handle);
	for (i = 0; i < 3; i++)
		fd_close(handle->streams[i]);
	memory_watch_close(&handle->memory);
	fd_close(handle->epoll);
	fd_close(handle->ready);
	fd_close(handle->pidfd);
	if (handle->first)
		creation_free(&handle->creation);
	exec_started_close(&handle->started);
	free(handle);
}
