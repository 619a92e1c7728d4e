/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"
#include "console/relay.h"
#include "driver/internal.h"
#include "driver/memory_watch.h"

enum {
	WATCH_RELAY,
	WATCH_PROCESS = WATCH_RELAY + RELAY_POLLS,
	WATCH_OOM,
	WATCH_COUNT,
};

/* A descriptor in the epoll set. */
struct watch {
	int fd; /* a duplicate of our own where it is a stream; -1: not in the set */
	short events;
};

struct handle {
	const struct driver *driver;
	struct creation creation;    /* of a first process … */
	struct exec_started started; /* … or of another one */
	bool first, kept_monitor;
	pid_t pid, waited_pid; /* whose status is the process's: its own, or a kept monitor's */
	int pidfd;
	int terminal; /* owned by creation or started */
	int streams[3];
	bool ended, over;
	struct driver_exit exit;
	struct memory_watch memory;
	int epoll;
	int ready; /* an eventfd: something that can't be polled, a file, is always ready */
	struct watch watches[WATCH_COUNT];
	struct relay *relay; /* NULL: no terminal, or the caller has it */
	int relay_input, relay_output;
	const struct handle_io *io; /* until it has begun */
};

/* ---- streams ---- */

/* What the program gets: the caller's own, or what is opened here for the names that stand for one.
 */
static int open_streams(struct handle *handle, const struct handle_io *io, int streams[3],
			int opened[3], struct error *err)
{
	int i, pair[2];

	for (i = 0; i < 3; i++) {
		streams[i] = io->streams[i];
		if (streams[i] >= 0) {
			/* Not as an inherited one, where closed stays closed: it was asked for. */
			if (fcntl(streams[i], F_GETFD) < 0)
				return error_errno(err, errno, "stream %d: descriptor %d", i,
						   streams[i]);
			continue;
		}
		if (streams[i] == DRIVER_STREAM_NULL) {
			opened[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		} else if (streams[i] != DRIVER_STREAM_PIPE) {
			return error_set(err, "stream %d: %d is no descriptor", i, streams[i]);
		} else if (pipe2(pair, O_CLOEXEC) == 0) {
			opened[i] = pair[i == 0 ? 0 : 1];
			handle->streams[i] = pair[i == 0 ? 1 : 0];
		}
		if (opened[i] < 0)
			return error_errno(err, errno, "stream %d", i);
		streams[i] = opened[i];
	}
	return 0;
}

/* Duplicates, so that nobody else's closing or reuse of a number is ours; for epoll, which takes a
 * descriptor once, input and output are two. */
static int duplicate(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The master as the caller's end of both streams. It doesn't block: a program that doesn't read is
 * to stop nobody. */
static int hand_over_terminal(struct handle *handle, struct error *err)
{
	int flags = fcntl(handle->terminal, F_GETFL);

	handle->streams[0] = duplicate(handle->terminal);
	handle->streams[1] = duplicate(handle->terminal);
	if (handle->streams[0] < 0 || handle->streams[1] < 0 || flags < 0 ||
	    fcntl(handle->terminal, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_errno(err, errno, "Failed to hand the terminal over");
	return 0;
}

/* What is copied to the terminal: the caller's descriptor or, if he asked for a pipe, that. */
static int open_relay_input(struct handle *handle, int input, struct error *err)
{
	int pair[2];

	if (input != DRIVER_STREAM_PIPE) {
		handle->relay_input = duplicate(input);
		return 0;
	}
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, errno, "stream 0");
	handle->relay_input = pair[0];
	handle->streams[0] = pair[1];
	return 0;
}

/* The program has a terminal, so nothing of its caller's streams: they are copied to and from it. A
 * caller who asked for a pipe as its output gets the master, and does that himself. */
static int attend_terminal(struct handle *handle, const struct handle_io *io, struct error *err)
{
	int i;

	for (i = 0; i < 3; i++) {
		fd_close(handle->streams[i]);
		handle->streams[i] = -1;
	}
	if (io->streams[1] == DRIVER_STREAM_PIPE)
		return hand_over_terminal(handle, err);
	if (open_relay_input(handle, io->streams[0], err) < 0)
		return -1;
	handle->relay_output = duplicate(io->streams[1]);
	handle->relay = malloc(sizeof(*handle->relay));
	if (!handle->relay)
		return error_errno(err, ENOMEM, "Failed to attend to the terminal");
	/* Output for which there is nobody is read and dropped: the program must not come to a halt
	 * over it. */
	return relay_open(handle->relay, handle->terminal, handle->relay_input,
			  handle->relay_output, err);
}

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

static int watch_all(struct handle *handle, struct error *err)
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

static int set_up(struct handle *handle, const struct handle_io *io, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = WATCH_COUNT};

	handle->epoll = epoll_create1(EPOLL_CLOEXEC);
	handle->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (handle->epoll < 0 || handle->ready < 0 ||
	    epoll_ctl(handle->epoll, EPOLL_CTL_ADD, handle->ready, &event) < 0)
		return error_errno(err, errno, "Failed to wait for the process");
	if (handle->terminal >= 0 && attend_terminal(handle, io, err) < 0)
		return -1;
	return watch_all(handle, err);
}

static struct handle *allocate(const struct driver *driver, const struct handle_io *io,
			       struct error *err)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	size_t i;

	if (!handle) {
		error_errno(err, ENOMEM, "Failed to attend to the process");
		return NULL;
	}
	handle->driver = driver;
	handle->io = io;
	handle->started = (struct exec_started)EXEC_STARTED_INIT;
	handle->pidfd = handle->terminal = handle->epoll = handle->ready = -1;
	handle->relay_input = handle->relay_output = -1;
	for (i = 0; i < ARRAY_SIZE(handle->streams); i++)
		handle->streams[i] = -1;
	for (i = 0; i < WATCH_COUNT; i++)
		handle->watches[i].fd = -1;
	return handle;
}

/* ---- a first process ---- */

/* What isn't needed any more once the container runs. */
static void slim(struct creation *creation)
{
	fd_close(fd_take(&creation->rootfs_fd));
	fd_close(fd_take(&creation->sync));
	free(PTR_TAKE(creation->config_text));
	free(PTR_TAKE(creation->lxc_text));
	/* Others may work on the container meanwhile. */
	state_dir_unlock(&creation->container.dir);
}

static void started(void *data, pid_t pid)
{
	struct handle *handle = data;

	/* Before there is a program that could use it up. */
	memory_watch_open(&handle->memory, handle->creation.layout,
			  handle->creation.container.state->cgroup_path);
	if (handle->io->started)
		handle->io->started(handle->io->data, pid);
}

/* The init of a start that failed. It has ended or was killed, and is our child, unless LXC's
 * monitor was there to reap it. */
static void reap_failed(const struct creation *creation)
{
	while (creation->init > 0 && waitpid(creation->init, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/*
 * LXC and we need more descriptors than this for the smallest of containers. Who has hardly any
 * left is told so before anything is made: half-way through they would be lacking for the undoing,
 * too.
 */
#define DESCRIPTORS_LEAST 48

static int check_descriptors(int fd, struct error *err)
{
	int spare[DESCRIPTORS_LEAST], count = 0, result = 0;

	while (result == 0 && count < DESCRIPTORS_LEAST) {
		spare[count] = duplicate(fd);
		if (spare[count] < 0)
			result = error_errno(err, errno, "Failed to start a container");
		else
			count++;
	}
	while (count > 0)
		fd_close(spare[--count]);
	return result;
}

static int begin_run(struct handle *handle, const char *id,
		     const struct driver_create_options *options, struct error *err)
{
	struct creation *creation = &handle->creation;
	int streams[3], opened[3] = {-1, -1, -1}, result;
	const struct driver_embedded embedded = {
	    .streams = streams, .started = started, .data = handle};
	struct driver_create_options create = *options;

	create.embedded = &embedded;
	result = open_streams(handle, handle->io, streams, opened, err);
	if (result == 0)
		result = check_descriptors(streams[0], err);
	if (result == 0) {
		handle->first = true;
		subreaper_enter();
		result = creation_run(creation, handle->driver, id, &create, true, err);
		if (result < 0)
			reap_failed(creation);
		subreaper_leave();
	}
	streams_close(opened);
	if (result < 0)
		return -1;
	handle->kept_monitor = options->lxc_monitor;
	handle->pid = creation->container.state->pid;
	handle->terminal = creation->terminal;
	handle->waited_pid = handle->kept_monitor ? creation->monitor.pid : handle->pid;
	if (creation_poststart(creation, err) < 0)
		return -1;
	handle->pidfd = handle->kept_monitor ? kernel_pidfd_open(handle->waited_pid)
					     : duplicate(creation->pidfd);
	if (handle->pidfd < 0)
		return error_errno(err, errno, "Failed to wait for the process");
	slim(creation);
	/* These are the caller's, and gone when he has returned. */
	creation->options = NULL;
	creation->id = creation->container.state->id;
	return 0;
}

/* Kills a container whose handle could not be set up. */
static void abandon(struct handle *handle)
{
	struct error ignored = ERROR_INIT;

	if (handle->pid <= 0)
		return;
	kernel_pidfd_send_signal(handle->first ? handle->creation.pidfd : handle->pidfd, SIGKILL);
	while (waitpid(handle->waited_pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (handle->first) {
		if (handle->kept_monitor)
			handle->creation.monitor.pid = -1;
		state_dir_unlock(&handle->creation.container.dir);
		creation_clean_up(&handle->creation, false, 0, &ignored);
	}
	error_clear(&ignored);
}

static struct handle *begun(struct handle *handle, const struct handle_io *io, int result,
			    struct error *err)
{
	if (result == 0)
		result = set_up(handle, io, err);
	handle->io = NULL;
	if (result == 0)
		return handle;
	abandon(handle);
	handle_free(handle);
	return NULL;
}

struct handle *handle_run(const struct driver *driver, const char *id,
			  const struct driver_create_options *options, const struct handle_io *io,
			  struct error *err)
{
	struct handle *handle = allocate(driver, io, err);

	return handle ? begun(handle, io, begin_run(handle, id, options, err), err) : NULL;
}

/* ---- another process ---- */

static int begin_exec(struct handle *handle, const char *id,
		      const struct driver_exec_options *options, struct error *err)
{
	int streams[3], opened[3] = {-1, -1, -1}, result;
	const struct driver_embedded embedded = {
	    .streams = streams, .started = handle->io->started, .data = handle->io->data};
	struct driver_exec_options exec = *options;

	exec.embedded = &embedded;
	result = open_streams(handle, handle->io, streams, opened, err);
	if (result == 0)
		result = exec_start(handle->driver, id, &exec, &handle->started, err);
	streams_close(opened);
	if (result < 0)
		return -1;
	handle->pid = handle->waited_pid = handle->started.pid;
	handle->pidfd = fd_take(&handle->started.pidfd);
	handle->terminal = handle->started.terminal;
	return 0;
}

struct handle *handle_exec(const struct driver *driver, const char *id,
			   const struct driver_exec_options *options, const struct handle_io *io,
			   struct error *err)
{
	struct handle *handle = allocate(driver, io, err);

	return handle ? begun(handle, io, begin_exec(handle, id, options, err), err) : NULL;
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
	    container_recorded_exit(&handle->creation.container, status) == 0)
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
		if (is_readable(memory_watch_fd(&handle->memory)))
			memory_watch_look(&handle->memory);
		/* The streams first and the end last: what it wrote before is read in any case. */
		if (is_readable(handle->pidfd)) {
			result = end(handle, err);
			if (handle->relay)
				relay_note_end(handle->relay);
		}
	}
	if (handle->ended && (!handle->relay || relay_is_empty(handle->relay)))
		handle->over = true;
	if (watch_all(handle, result < 0 ? &later : err) < 0)
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
