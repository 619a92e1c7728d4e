/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of containers for a program that embeds the library: each has one descriptor to poll,
 * so that one thread can have many.
 */
#ifndef RUNLXC_DRIVER_HANDLE_H
#define RUNLXC_DRIVER_HANDLE_H

#include "driver/driver.h"

/* What a process's streams are: a descriptor that the caller keeps open and owns, or one of these.
 */
enum {
	DRIVER_STREAM_NULL = -1, /* /dev/null */
	DRIVER_STREAM_PIPE = -2, /* a pipe; handle_stream() is the caller's end */
};

struct handle_io {
	int streams[3];
	void (*started)(void *data, pid_t pid);
	void *data;
};

struct handle;

/*
 * A container's first process. With a terminal, input is copied to it and its output to
 * streams[1], by handle_dispatch(). The container is deleted as its process ends. `driver` must
 * outlive the handle.
 */
struct handle *handle_run(const struct driver *driver, const char *id,
			  const struct driver_create_options *options, const struct handle_io *io,
			  struct error *err);

/* One more process in a container. */
struct handle *handle_exec(const struct driver *driver, const char *id,
			   const struct driver_exec_options *options, const struct handle_io *io,
			   struct error *err);

pid_t handle_pid(const struct handle *handle);

/* Readable whenever handle_dispatch() has something to do. */
int handle_fd(const struct handle *handle);

/* Does what there is to do without waiting for anybody else. 1: the process has ended, and *exit
 * tells how (from then on at each call); 0: not yet; -1: it ended, but something failed. */
int handle_dispatch(struct handle *handle, struct driver_exit *exit, struct error *err);

/* The caller's end of stream 0, 1 or 2 where that is a pipe, non-blocking if the caller wants it
 * so; handed over, to be closed by the caller. With a terminal and pipes, its master for 0 and 1.
 * -1: there is none, or it was taken. */
int handle_take_stream(struct handle *handle, int stream);

int handle_resize(const struct handle *handle, uint32_t height, uint32_t width, struct error *err);
int handle_signal(const struct handle *handle, int sig, struct error *err);

/* Lets go of it. A process that hasn't ended runs on, unattended: its container stays, and its
 * status is for whoever waits for the caller's children. */
void handle_free(struct handle *handle);

#endif
