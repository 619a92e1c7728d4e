/* SPDX-License-Identifier: Apache-2.0 */
/* How a handle begins: its streams, and the start of its process. */
#include "driver/handle_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"

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
	return handle_watch_all(handle, err);
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
