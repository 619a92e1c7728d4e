/* SPDX-License-Identifier: Apache-2.0 */
#include "console/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "console/internal.h"

/*
 * After the process has ended, more than this can't have been written by it: the kernel keeps some
 * ten kilobytes for a pty. Whatever comes on top is from others who have the terminal, and those
 * may go on for ever.
 */
#define DRAIN_MAX ((size_t)256 * 1024)

static char *buffer_tail(struct relay_buffer *buffer, size_t *room)
{
	if (buffer->start > 0) {
		memmove(buffer->data, buffer->data + buffer->start, buffer->length);
		buffer->start = 0;
	}
	*room = sizeof(buffer->data) - buffer->length;
	return buffer->data + buffer->length;
}

static bool has_room(const struct relay_buffer *buffer)
{
	return buffer->length < sizeof(buffer->data);
}

static void buffer_consume(struct relay_buffer *buffer, size_t count)
{
	buffer->start += count;
	buffer->length -= count;
	if (buffer->length == 0)
		buffer->start = 0;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* terminal → buffer, once. False: nothing is there now. */
static bool read_terminal(struct relay *relay)
{
	size_t room;
	char *tail = buffer_tail(&relay->to_output, &room);
	ssize_t count = read(relay->terminal, tail, room);

	if (count > 0) {
		/* Nobody reads: the program must not come to a halt over it. */
		if (relay->output >= 0)
			relay->to_output.length += (size_t)count;
		if (relay->ended)
			relay->drained += (size_t)count;
		return true;
	}
	if (count < 0 && would_block())
		return false;
	/* EIO: every slave is closed and all of it was read. */
	relay->terminal = -1;
	return false;
}

/* Reads what an ended process left, as far as there is room for it. */
static void drain_terminal(struct relay *relay)
{
	while (relay->terminal >= 0 && has_room(&relay->to_output)) {
		if (!read_terminal(relay) || relay->drained >= DRAIN_MAX)
			relay->terminal = -1;
	}
}

/* buffer → output. The output is writable; for a pipe that means at least a page of room, so that a
 * piece of this size doesn't block although the descriptor may be a blocking one. */
static void write_output(struct relay *relay)
{
	struct relay_buffer *buffer = &relay->to_output;
	size_t piece = buffer->length < PIPE_BUF ? buffer->length : PIPE_BUF;
	ssize_t count = write(relay->output, buffer->data + buffer->start, piece);

	if (count >= 0) {
		buffer_consume(buffer, (size_t)count);
	} else if (!would_block()) {
		/* The reader has gone, or the disk is full: the program runs on, unheard. */
		relay->output = -1;
		buffer_consume(buffer, buffer->length);
	}
}

/*
 * The end of input that is no terminal, as a user would type it. VEOF is an end where a line begins
 * and only hands the line over elsewhere: then it takes a second one.
 */
static void end_input(struct relay *relay)
{
	int byte = relay->input_is_terminal ? -1 : terminal_end_of_file(relay->master);
	struct relay_buffer *buffer = &relay->to_terminal;

	relay->input = -1;
	if (byte < 0)
		return;
	buffer->data[0] = buffer->data[1] = (char)byte;
	buffer->start = 0;
	buffer->length = relay->last_input == '\n' ? 1 : 2;
}

/* input → buffer; called only while that is empty. */
static void read_input(struct relay *relay)
{
	size_t room;
	char *tail = buffer_tail(&relay->to_terminal, &room);
	ssize_t count = read(relay->input, tail, room);

	if (count > 0) {
		relay->to_terminal.length = (size_t)count;
		relay->last_input = tail[count - 1];
	} else if (count == 0 || !would_block()) {
		end_input(relay);
	}
}

/* buffer → terminal, whose descriptor doesn't block. */
static void write_terminal(struct relay *relay)
{
	struct relay_buffer *buffer = &relay->to_terminal;
	ssize_t count = write(relay->terminal, buffer->data + buffer->start, buffer->length);

	if (count >= 0) {
		buffer_consume(buffer, (size_t)count);
	} else if (!would_block()) {
		relay->input = -1;
		buffer_consume(buffer, buffer->length);
	}
}

void relay_note_end(struct relay *relay)
{
	relay->ended = true;
	relay->input = -1;
	buffer_consume(&relay->to_terminal, relay->to_terminal.length);
	/* Letting go of the slave turns what is there to read into an end. */
	fd_close(fd_take(&relay->slave));
	drain_terminal(relay);
}

bool relay_is_empty(const struct relay *relay)
{
	return relay->terminal < 0 && relay->to_output.length == 0;
}

void relay_fill_polls(const struct relay *relay, struct pollfd polls[RELAY_POLLS])
{
	bool room = has_room(&relay->to_output);
	short terminal_events =
	    (short)((room ? POLLIN : 0) | (relay->to_terminal.length ? POLLOUT : 0));

	/* A hangup is reported whatever is asked for, and would be over and over. */
	if (!room && relay->slave < 0)
		terminal_events = 0;
	polls[RELAY_TERMINAL] = (struct pollfd){
	    terminal_events && !relay->ended ? relay->terminal : -1, terminal_events, 0};
	polls[RELAY_INPUT] =
	    (struct pollfd){relay->to_terminal.length ? -1 : relay->input, POLLIN, 0};
	polls[RELAY_OUTPUT] =
	    (struct pollfd){relay->to_output.length ? relay->output : -1, POLLOUT, 0};
}

void relay_handle_polls(struct relay *relay, const struct pollfd polls[RELAY_POLLS])
{
	if (polls[RELAY_OUTPUT].revents)
		write_output(relay);
	if (polls[RELAY_TERMINAL].revents & POLLOUT)
		write_terminal(relay);
	if ((polls[RELAY_TERMINAL].revents & (POLLIN | POLLHUP | POLLERR)) &&
	    has_room(&relay->to_output))
		read_terminal(relay);
	if (polls[RELAY_INPUT].revents && !relay->ended)
		read_input(relay);
	if (relay->ended)
		drain_terminal(relay);
}

static int set_nonblocking(int fd, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_errno(err, errno, "set up the terminal");
	return 0;
}

int relay_open(struct relay *relay, int master, int input, int output, struct error *err)
{
	relay->master = relay->terminal = master;
	relay->input = relay->output = relay->slave = relay->own_input = relay->own_output = -1;
	relay->input_is_terminal = relay->ended = false;
	relay->drained = relay->to_output.start = relay->to_output.length = 0;
	relay->to_terminal.start = relay->to_terminal.length = 0;
	relay->last_input = '\n';
	if (master < 0)
		return 0;
	if (set_nonblocking(master, err) < 0)
		return -1;
	relay->own_input = terminal_reopen(input, O_RDONLY);
	relay->own_output = terminal_reopen(output, O_WRONLY);
	relay->input = relay->own_input >= 0 ? relay->own_input : input;
	relay->output = relay->own_output >= 0 ? relay->own_output : output;
	relay->input_is_terminal = input >= 0 && isatty(input);
	relay->slave = terminal_open_slave(master);
	return 0;
}

void relay_close(struct relay *relay)
{
	fd_close(fd_take(&relay->slave));
	fd_close(fd_take(&relay->own_input));
	fd_close(fd_take(&relay->own_output));
}
