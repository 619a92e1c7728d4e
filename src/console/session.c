/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A foreground session: one loop over the process, our signals, its terminal and our streams. It
 * never waits anywhere but in its one poll(), so that a reader who doesn't read, or a program that
 * doesn't, can't keep signals from being forwarded or the end from being seen.
 */
#include "console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/internal.h"

/*
 * After the process has ended, more than this can't have been written by it: the kernel keeps some
 * ten kilobytes for a pty. Whatever comes on top is from others who have the terminal, and those
 * may go on for ever.
 */
#define DRAIN_MAX ((size_t)256 * 1024)

/* How often to look for the status of a process that ended but isn't our child yet. */
#define ADOPTION_POLL_MS 50

struct buffer {
	size_t start, length;
	char data[32 * 1024];
};

struct relay {
	const struct console_session *session;
	int signals;
	int terminal; /* the master while it is read; -1: nothing comes from there any more */
	int input;    /* … -1: nothing more is read from the user */
	int output;   /* … -1: nobody reads any more */
	int slave;    /* held, so that a program that closes it for a while hangs nothing up */
	bool input_is_terminal;
	bool ended;  /* the process has ended … */
	bool reaped; /* … and this is its status */
	int status;
	bool abandoned;	 /* a signal came that asks us to give up on what is left to write */
	size_t drained;	 /* bytes that were read since it ended */
	char last_input; /* the byte that was read from the user last */
	struct buffer to_output, to_terminal;
};

static void cleanup_raw(struct terminal_raw *raw)
{
	terminal_raw_leave(raw);
}

static char *buffer_tail(struct buffer *buffer, size_t *room)
{
	if (buffer->start > 0) {
		memmove(buffer->data, buffer->data + buffer->start, buffer->length);
		buffer->start = 0;
	}
	*room = sizeof(buffer->data) - buffer->length;
	return buffer->data + buffer->length;
}

static bool has_room(const struct buffer *buffer)
{
	return buffer->length < sizeof(buffer->data);
}

static void buffer_consume(struct buffer *buffer, size_t count)
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
	struct buffer *buffer = &relay->to_output;
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
	int byte = relay->input_is_terminal ? -1 : terminal_end_of_file(relay->session->terminal);
	struct buffer *buffer = &relay->to_terminal;

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
	struct buffer *buffer = &relay->to_terminal;
	ssize_t count = write(relay->terminal, buffer->data + buffer->start, buffer->length);

	if (count >= 0) {
		buffer_consume(buffer, (size_t)count);
	} else if (!would_block()) {
		relay->input = -1;
		buffer_consume(buffer, buffer->length);
	}
}

/* Reaps every child that has ended, orphans that we adopted as a subreaper among them. */
static void reap(struct relay *relay)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == relay->session->pid) {
			relay->status = status;
			relay->reaped = relay->ended = true;
		}
	}
}

static void take_signal(struct relay *relay, int sig, const struct terminal_raw *raw)
{
	const struct console_session *session = relay->session;

	switch (sig) {
	case SIGCHLD:
		reap(relay);
		break;
	case SIGCONT:
		/* We had been stopped, and whoever had the terminal meanwhile left it as they like
		 * it. */
		terminal_raw_again(raw);
		__attribute__((fallthrough));
	case SIGWINCH:
		if (session->terminal >= 0)
			terminal_copy_size(session->input, session->output, session->terminal);
		break;
	default:
		break;
	}
	if (!session->forward_signals || !signals_forwarded(sig))
		return;
	if (!relay->ended)
		kernel_pidfd_send_signal(session->target_pidfd > 0 ? session->target_pidfd
								    : session->pidfd,
					 sig); /* fails only if it has just ended */
	else if (signals_ending(sig))
		relay->abandoned = true;
}

static void read_signals(struct relay *relay, const struct terminal_raw *raw)
{
	struct signalfd_siginfo infos[8];
	ssize_t count = read(relay->signals, infos, sizeof(infos));

	for (ssize_t i = 0; i < count / (ssize_t)sizeof(infos[0]); i++)
		take_signal(relay, (int)infos[i].ssi_signo, raw);
}

/*
 * The process has ended: nothing is passed to it any more, and of its terminal there is only to
 * read what is there. Letting go of the slave turns that into an end.
 */
static void note_end(struct relay *relay)
{
	relay->ended = true;
	relay->input = -1;
	buffer_consume(&relay->to_terminal, relay->to_terminal.length);
	fd_close(fd_take(&relay->slave));
	reap(relay);
}

/* A process that ended without ever becoming our child: someone else may have reaped it. */
static int check_adoption(const struct relay *relay, struct error *err)
{
	if (kernel_pidfd_send_signal(relay->session->pidfd, 0) == 0 || errno != ESRCH)
		return 0; /* a zombie of another parent yet */
	return error_set(err, "process %d ended, but another process got its exit status",
			 relay->session->pid);
}

static bool is_over(const struct relay *relay)
{
	if (!relay->reaped)
		return false;
	return relay->abandoned || (relay->terminal < 0 && relay->to_output.length == 0);
}

enum {
	POLL_SIGNALS,
	POLL_PROCESS,
	POLL_TERMINAL,
	POLL_INPUT,
	POLL_OUTPUT,
	POLL_COUNT,
};

/* What there is to wait for now. A descriptor of -1 is left out by poll(). */
static void fill_polls(const struct relay *relay, struct pollfd *polls)
{
	bool room = has_room(&relay->to_output);
	short terminal_events =
	    (short)((room ? POLLIN : 0) | (relay->to_terminal.length ? POLLOUT : 0));

	/* A hangup is reported whatever is asked for, and would be over and over. */
	if (!room && relay->slave < 0)
		terminal_events = 0;
	polls[POLL_SIGNALS] = (struct pollfd){relay->signals, POLLIN, 0};
	polls[POLL_PROCESS] = (struct pollfd){relay->ended ? -1 : relay->session->pidfd, POLLIN, 0};
	polls[POLL_TERMINAL] = (struct pollfd){
	    terminal_events && !relay->ended ? relay->terminal : -1, terminal_events, 0};
	polls[POLL_INPUT] =
	    (struct pollfd){relay->to_terminal.length ? -1 : relay->input, POLLIN, 0};
	polls[POLL_OUTPUT] =
	    (struct pollfd){relay->to_output.length ? relay->output : -1, POLLOUT, 0};
}

/* The streams first and the end of the process last: what it wrote before is read in any case. */
static void handle_polls(struct relay *relay, const struct pollfd *polls,
			 const struct terminal_raw *raw)
{
	if (polls[POLL_SIGNALS].revents)
		read_signals(relay, raw);
	if (polls[POLL_OUTPUT].revents)
		write_output(relay);
	if (polls[POLL_TERMINAL].revents & POLLOUT)
		write_terminal(relay);
	if ((polls[POLL_TERMINAL].revents & (POLLIN | POLLHUP | POLLERR)) &&
	    has_room(&relay->to_output))
		read_terminal(relay);
	if (polls[POLL_INPUT].revents && !relay->ended)
		read_input(relay);
	if (polls[POLL_PROCESS].revents || relay->ended)
		note_end(relay);
	if (relay->ended)
		drain_terminal(relay);
}

static int relay_until_end(struct relay *relay, const struct terminal_raw *raw, struct error *err)
{
	struct pollfd polls[POLL_COUNT];

	while (!is_over(relay)) {
		fill_polls(relay, polls);
		if (poll(polls, POLL_COUNT,
			 relay->ended && !relay->reaped ? ADOPTION_POLL_MS : -1) < 0) {
			if (errno != EINTR)
				return error_errno(err, errno, "poll");
			continue;
		}
		handle_polls(relay, polls, raw);
		if (relay->ended && !relay->reaped && check_adoption(relay, err) < 0)
			return -1;
	}
	return 0;
}

static int set_nonblocking(int fd, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_errno(err, errno, "set up the terminal");
	return 0;
}

int console_session_run(const struct console_session *session, int *wait_status, struct error *err)
{
	cleanup_with(cleanup_raw) struct terminal_raw raw = {.fd = -1};
	cleanup_close int signals = signals_open(session->forward_signals, err);
	cleanup_close int own_input = -1, own_output = -1;
	struct relay relay = {
	    .session = session,
	    .signals = signals,
	    .terminal = session->terminal,
	    .input = -1,
	    .output = -1,
	    .slave = -1,
	    .last_input = '\n',
	};
	int result;

	if (signals < 0)
		return -1;
	if (session->pid <= 0 || session->pidfd < 0)
		return error_set(err, "a session needs a process");
	if (session->terminal >= 0) {
		if (set_nonblocking(session->terminal, err) < 0)
			return -1;
		own_input = terminal_reopen(session->input, O_RDONLY);
		own_output = terminal_reopen(session->output, O_WRONLY);
		relay.input = own_input >= 0 ? own_input : session->input;
		relay.output = own_output >= 0 ? own_output : session->output;
		relay.input_is_terminal = session->input >= 0 && isatty(session->input);
		relay.slave = terminal_open_slave(session->terminal);
		terminal_copy_size(session->input, session->output, session->terminal);
		if (terminal_raw_enter(&raw, session->input, err) < 0) {
			fd_close(relay.slave);
			return -1;
		}
	}
	result = relay_until_end(&relay, &raw, err);
	fd_close(relay.slave);
	if (result == 0)
		*wait_status = relay.status;
	return result;
}
