/* SPDX-License-Identifier: Apache-2.0 */
/* The parent's side of the talk with init (plan.h, enum sync_type). */
#ifndef RUNLXC_PROCESS_SYNC_H
#define RUNLXC_PROCESS_SYNC_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "process/plan.h"

struct sync_handler {
	/* init asks for the trees of the container's cgroups: fills fds (room for SYNC_FDS_MAX);
	 * the caller of it closes them. */
	int (*cgroups)(void *data, int *fds, size_t *count, struct error *err);
	/* init made a terminal: takes the master over. */
	int (*terminal)(void *data, int master, struct error *err);
	/* LXC's child, `pid`, is about to change its root; it waits until this returns. */
	int (*pivot)(void *data, pid_t pid, struct error *err);
	/* The process loaded a filter that notifies `listener`, which stays ours; it waits until
	 * this returns. */
	int (*listener)(void *data, int listener, struct error *err);
	void *data;
	const struct log *log;
};

/* Both ends, O_CLOEXEC, numbered `lowest` or above; ours tells the sender's pid with each message.
 */
int process_sync_pair(int lowest, int *ours, int *inits, struct error *err);

/*
 * Answers init until it is ready; *pid gets its pid as we see it, *sync becomes the socket on which
 * the talk goes on (the old one is closed). A failure that init told is in *err, its exit code in
 * err->exit_code. When init was never there, or died without a word, errnum is ECONNRESET.
 */
int process_sync_wait_ready(int *sync, const struct sync_handler *handler, pid_t *pid,
			    struct error *err);

/* SYNC_PIVOT, SYNC_COMMIT or SYNC_START. */
int process_sync_send(int sync, char type, struct error *err);
/* SYNC_START to an init that waited for `start`: with the trace's page, if this is traced. */
int process_sync_send_start(int connection, struct error *err);

/* After the start: returns 0 once the program was executed (init's end closed by it), or init's
 * failure. `pidfd` is the process's. */
int process_sync_wait_executed(int sync, int pidfd, const struct sync_handler *handler,
			       struct error *err);

#endif
