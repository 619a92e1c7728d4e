/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals: handing a pty to an engine, and being the user's terminal while a process runs in the
 * foreground.
 */
#ifndef RUNLXC_CONSOLE_CONSOLE_H
#define RUNLXC_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Sends a descriptor over an AF_UNIX stream socket (SCM_RIGHTS, with `name` as the message), as
 * containerd and conmon expect from --console-socket ("/dev/ptmx" style name) and --pidfd-socket.
 * The path may be longer than sun_path: it is then reached through /proc/self/fd.
 */
int console_socket_send(const char *socket_path, int descriptor, const char *name,
			struct error *err);

/* Sets a terminal's size in character cells; 0 in either leaves it as it is. */
int console_set_size(int terminal, uint32_t height, uint32_t width, struct error *err);

/* Gives `to` the size of the terminal `from`; does nothing where `from` is none. */
void console_copy_size(int from, int to);

struct console_session {
	pid_t pid; /* the process whose end ends the session; must be, or become, our child */
	int pidfd; /* of that process */
	int target_pidfd; /* of the process that signals are meant for, where it is another; 0: the
			     same */
	int terminal;	  /* the pty's master; -1: the process has our streams, nothing is copied */
	int input;	  /* where the user types; -1: nothing is read */
	int output;	  /* where the terminal's output goes */
	/* Send what we get to the process: all but SIGCHLD, SIGPIPE, SIGWINCH, SIGURG, and what our
	 * caller ignores. */
	bool forward_signals;
	/* Called when `watched` (-1: nothing is) is readable, as long as it says true, and once
	 * more as soon as the process has ended; NULL. */
	bool (*look)(void *data);
	int watched;
	void *data;
};

/*
 * Runs a session until its process has ended and everything it wrote has been passed on. Copies
 * input → terminal and terminal → output without polling and without losing a byte: the end of
 * input closes nothing but our reading of it (a ^D is the user's to type; for an input that is no
 * terminal its end is passed on as VEOF). Puts a terminal `input` into raw mode and restores it on
 * every way out, follows its size (SIGWINCH), reaps whatever else was reparented to us.
 * *wait_status gets the process's status as waitpid(2) gives it.
 *
 * Output that can't be written any more (its reader has gone) is dropped, and the process runs on.
 * One that is stuck with a reader who doesn't read is waited for, until a signal comes that asks
 * for an end.
 *
 * console_signals_block() must have been called before the process was started, so that no signal
 * is lost; it stores the old mask, which console_signals_restore() puts back. Children inherit the
 * blocked mask: whoever executes a program empties it first.
 */
int console_session_run(const struct console_session *session, int *wait_status, struct error *err);

struct console_signals;
struct console_signals *console_signals_block(struct error *err);
void console_signals_restore(struct console_signals *signals);

#endif
