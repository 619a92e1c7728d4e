/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room have among themselves. */
#ifndef RUNLXC_CONSOLE_INTERNAL_H
#define RUNLXC_CONSOLE_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

/* A terminal's settings while it is raw. */
struct terminal_raw {
	int fd; /* -1: there is nothing to restore */
	struct termios before;
};

/* Makes `fd` raw if it is a terminal; anything else is left alone. */
int terminal_raw_enter(struct terminal_raw *raw, int fd, struct error *err);

/* Makes it raw once more, after someone else (a shell) had the terminal for a while. */
void terminal_raw_again(const struct terminal_raw *raw);

/* Puts the settings back; harmless when that was done, or when there are none. */
void terminal_raw_leave(struct terminal_raw *raw);

/* Gives `to` the size of the first of the two descriptors that is a terminal with a size. */
void terminal_copy_size(int first, int second, int to);

/*
 * A descriptor of our own for the terminal behind `fd`, with O_NONBLOCK: that flag on `fd` itself
 * would be there for everyone who has the terminal, the user's shell among them. -1 where `fd` is
 * no terminal or can't be opened again.
 */
int terminal_reopen(int fd, int access);

/* The other end of the pty of master `fd`; -1 if it can't be had. */
int terminal_open_slave(int fd);

/* The byte that ends the input of whoever reads a line from the terminal of master `fd`; -1 when it
 * isn't in canonical mode, where no byte does. */
int terminal_end_of_file(int fd);

/* A signalfd for what a session reads. With `forward` that is every signal that is blocked. */
int signals_open(bool forward, struct error *err);

/* Whether a signal that reached us is for the session's process as well. */
bool signals_forwarded(int sig);

/* Whether it asks a process to end. */
bool signals_ending(int sig);

#endif
