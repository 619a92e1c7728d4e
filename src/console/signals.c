/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals are read, not handled: blocked in the calling thread, taken from a signalfd. Nobody's
 * handlers are touched.
 */
#include "console/console.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "console/internal.h"

struct console_signals {
	sigset_t before;
};

/*
 * Everything but the two by which the kernel stops a job that uses its terminal from the
 * background: they are about our terminal, and a shell expects us to stop.
 */
static void fill_blocked(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, SIGTTIN);
	sigdelset(set, SIGTTOU);
}

struct console_signals *console_signals_block(struct error *err)
{
	struct console_signals *signals = malloc(sizeof(*signals));
	sigset_t blocked;
	int failed;

	if (!signals) {
		error_set(err, "out of memory");
		return NULL;
	}
	fill_blocked(&blocked);
	failed = pthread_sigmask(SIG_SETMASK, &blocked, &signals->before);
	if (failed) {
		error_errno(err, failed, "block signals");
		free(signals);
		return NULL;
	}
	return signals;
}

void console_signals_restore(struct console_signals *signals)
{
	static const struct timespec now = {0, 0};
	sigset_t pipe;
	int saved = errno;

	if (!signals)
		return;
	/* Writing to a reader that had gone left one behind, which must not end us now. */
	if (!sigismember(&signals->before, SIGPIPE)) {
		sigemptyset(&pipe);
		sigaddset(&pipe, SIGPIPE);
		while (sigtimedwait(&pipe, NULL, &now) == SIGPIPE)
			continue;
	}
	pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
	free(signals);
	errno = saved;
}

int signals_open(bool forward, struct error *err)
{
	sigset_t set;
	int fd;

	if (forward) {
		fill_blocked(&set);
	} else {
		/* The others stay pending for whoever restores the mask. */
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		sigaddset(&set, SIGWINCH);
		sigaddset(&set, SIGCONT);
		sigaddset(&set, SIGPIPE);
	}
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_errno(err, errno, "signalfd") : fd;
}

bool signals_forwarded(int sig)
{
	struct sigaction action;

	switch (sig) {
	case SIGCHLD:  /* about our children */
	case SIGPIPE:  /* about our output */
	case SIGWINCH: /* followed by the size itself */
	case SIGURG:
		return false;
	default:
		break;
	}
	/* A blocked signal is queued even if it is ignored: under nohup, SIGHUP stays without
	 * effect. */
	return sigaction(sig, NULL, &action) < 0 || action.sa_handler != SIG_IGN;
}

bool signals_ending(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT;
}
