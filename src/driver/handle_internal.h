/* SPDX-License-Identifier: Apache-2.0 */
/* A handle from within: handle_begin.c makes it, handle.c attends to it. */
#ifndef RUNLXC_DRIVER_HANDLE_INTERNAL_H
#define RUNLXC_DRIVER_HANDLE_INTERNAL_H

#include "console/relay.h"
#include "driver/handle.h"
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

/* Brings what the handle's descriptor waits for up to date. */
int handle_watch_all(struct handle *handle, struct error *err);

#endif
