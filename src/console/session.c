/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A foreground session: one loop over the process, our signals, its terminal and our streams. It
 * never waits anywhere but in its one poll(), so that a reader who doesn't read, or a program that
 * doesn't, can't keep signals from being forwarded or the end from being seen.
 */
#include "console/console.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/internal.h"
#include "console/relay.h"

/* How often to look for the status of a process that ended but isn't our child yet. */
#define ADOPTION_POLL_MS 50

struct attended {
	const struct console_session *session;
	int signals;
	bool ended;  /* the process has ended … */
	bool reaped; /* … and this is its status */
	int status;
	bool watching;	/* as the session says, and there is still something to see */
	bool abandoned; /* a signal came that asks us to give up on what is left to write */
	struct relay relay;
};

static void cleanup_raw(struct terminal_raw *raw)
{
	terminal_raw_leave(raw);
}

/* Reaps every child that has ended, orphans that we adopted as a subreaper among them. */
static void reap(struct attended *attended)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == attended->session->pid) {
			attended->status = status;
			attended->reaped = attended->ended = true;
		}
	}
}

static void take_signal(struct attended *attended, int sig, const struct terminal_raw *raw)
{
	const struct console_session *session = attended->session;

	switch (sig) {
	case SIGCHLD:
		reap(attended);
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
	if (!attended->ended)
		kernel_pidfd_send_signal(session->target_pidfd > 0 ? session->target_pidfd
								   : session->pidfd,
					 sig); /* fails only if it has just ended */
	else if (signals_ending(sig))
		attended->abandoned = true;
}

static void read_signals(struct attended *attended, const struct terminal_raw *raw)
{
	struct signalfd_siginfo infos[8];
	ssize_t count = read(attended->signals, infos, sizeof(infos));

	for (ssize_t i = 0; i < count / (ssize_t)sizeof(infos[0]); i++)
		take_signal(attended, (int)infos[i].ssi_signo, raw);
}

static void look(struct attended *attended)
{
	if (attended->watching)
		attended->watching = attended->session->look(attended->session->data);
}

static void note_end(struct attended *attended)
{
	attended->ended = true;
	relay_note_end(&attended->relay);
	reap(attended);
}

/* A process that ended without ever becoming our child: someone else may have reaped it. */
static int check_adoption(const struct attended *attended, struct error *err)
{
	if (kernel_pidfd_send_signal(attended->session->pidfd, 0) == 0 || errno != ESRCH)
		return 0; /* a zombie of another parent yet */
	return error_set(err, "process %d ended, but another process got its exit status",
			 attended->session->pid);
}

static bool is_over(const struct attended *attended)
{
	return attended->reaped && (attended->abandoned || relay_is_empty(&attended->relay));
}

enum {
	POLL_RELAY,
	POLL_SIGNALS = POLL_RELAY + RELAY_POLLS,
	POLL_PROCESS,
	POLL_WATCHED,
	POLL_COUNT,
};

static void fill_polls(const struct attended *attended, struct pollfd *polls)
{
	relay_fill_polls(&attended->relay, polls + POLL_RELAY);
	polls[POLL_SIGNALS] = (struct pollfd){attended->signals, POLLIN, 0};
	polls[POLL_PROCESS] =
	    (struct pollfd){attended->ended ? -1 : attended->session->pidfd, POLLIN, 0};
	polls[POLL_WATCHED] = (struct pollfd){
	    attended->watching && !attended->ended ? attended->session->watched : -1, POLLIN, 0};
}

/* The streams first and the end of the process last: what it wrote before is read in any case. */
static void handle_polls(struct attended *attended, const struct pollfd *polls,
			 const struct terminal_raw *raw)
{
	/* Before anything that takes time: it may be gone then. */
	if (polls[POLL_WATCHED].revents)
		look(attended);
	if (polls[POLL_PROCESS].revents && !attended->ended)
		look(attended);
	if (polls[POLL_SIGNALS].revents)
		read_signals(attended, raw);
	relay_handle_polls(&attended->relay, polls + POLL_RELAY);
	if (polls[POLL_PROCESS].revents || (attended->ended && !attended->relay.ended))
		note_end(attended);
}

static int attend(struct attended *attended, const struct terminal_raw *raw, struct error *err)
{
	struct pollfd polls[POLL_COUNT];

	while (!is_over(attended)) {
		fill_polls(attended, polls);
		if (poll(polls, POLL_COUNT,
			 attended->ended && !attended->reaped ? ADOPTION_POLL_MS : -1) < 0) {
			if (errno != EINTR)
				return error_errno(err, errno, "poll");
			continue;
		}
		handle_polls(attended, polls, raw);
		if (attended->ended && !attended->reaped) {
			reap(attended);
			if (!attended->reaped && check_adoption(attended, err) < 0)
				return -1;
		}
	}
	return 0;
}

int console_session_run(const struct console_session *session, int *wait_status, struct error *err)
{
	cleanup_with(cleanup_raw) struct terminal_raw raw = {.fd = -1};
	cleanup_close int signals = signals_open(session->forward_signals, err);
	struct attended attended;
	int result;

	if (signals < 0)
		return -1;
	if (session->pid <= 0 || session->pidfd < 0)
		return error_set(err, "a session needs a process");
	attended.session = session;
	attended.signals = signals;
	attended.ended = attended.reaped = attended.abandoned = false;
	attended.watching = session->look != NULL;
	attended.status = 0;
	if (relay_open(&attended.relay, session->terminal, session->input, session->output, err) <
	    0)
		return -1;
	result = 0;
	if (session->terminal >= 0) {
		terminal_copy_size(session->input, session->output, session->terminal);
		result = terminal_raw_enter(&raw, session->input, err);
	}
	if (result == 0)
		result = attend(&attended, &raw, err);
	relay_close(&attended.relay);
	if (result == 0)
		*wait_status = attended.status;
	return result;
}
