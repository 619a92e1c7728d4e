/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies between a terminal and the user's streams, a piece whenever there is one. It waits
 * nowhere: whoever drives it polls for what it asks for.
 */
#ifndef RUNLXC_CONSOLE_RELAY_H
#define RUNLXC_CONSOLE_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct relay_buffer {
	size_t start, length;
	char data[32 * 1024];
};

struct relay {
	int master;   /* the terminal */
	int terminal; /* the same while it is read; -1: nothing comes from there any more */
	int input;    /* where the user types … -1: nothing more is read */
	int output;   /* … -1: nobody reads any more */
	int slave; /* held, so that a program that closes it for a while hangs nothing up; owned */
	int own_input, own_output; /* descriptors of our own for the user's terminal; -1: none */
	bool input_is_terminal;
	bool ended;	 /* the process has ended */
	size_t drained;	 /* bytes that were read since it ended */
	char last_input; /* the byte that was read from the user last */
	struct relay_buffer to_output, to_terminal;
};

enum {
	RELAY_TERMINAL,
	RELAY_INPUT,
	RELAY_OUTPUT,
	RELAY_POLLS,
};

/*
 * `master` (-1: nothing is to be copied), `input` and `output` stay the caller's, and must stay
 * open until relay_close(). The master is made non-blocking.
 */
int relay_open(struct relay *relay, int master, int input, int output, struct error *err);
void relay_close(struct relay *relay);

/* What there is to wait for now. A descriptor of -1 is left out by poll(2). */
void relay_fill_polls(const struct relay *relay, struct pollfd polls[RELAY_POLLS]);

/* Does what can be done without waiting. A write may raise SIGPIPE. */
void relay_handle_polls(struct relay *relay, const struct pollfd polls[RELAY_POLLS]);

/* The process has ended: nothing is passed to it any more, and of its terminal there is only to
 * read what is there. */
void relay_note_end(struct relay *relay);

/* Whether all that the process wrote was passed on; only after its end. */
bool relay_is_empty(const struct relay *relay);

#endif
