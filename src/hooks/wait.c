/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wait.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/kernel.h"

/* Nobody waits longer than 11 days; sums stay in range. */
#define TIMEOUT_MAX 1000000

/* Whether it ended in time. */
static int ends_within(int pidfd, int64_t timeout)
{
	struct pollfd event = {.fd = pidfd, .events = POLLIN};
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout > TIMEOUT_MAX ? TIMEOUT_MAX : timeout;
	for (;;) {
		long long left;
		int ready;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (end.tv_sec - now.tv_sec) * 1000LL + (end.tv_nsec - now.tv_nsec) / 1000000;
		ready = poll(&event, 1, left < 0 ? 0 : (int)left);
		if (ready > 0)
			return 1;
		if (ready == 0 && left <= 0)
			return 0;
	}
}

int hook_wait(pid_t pid, int64_t timeout, int *status)
{
	int pidfd = timeout < 0 ? -1 : kernel_pidfd_open(pid), over = 0;

	if (pidfd >= 0) {
		over = !ends_within(pidfd, timeout);
		close(pidfd);
		if (over)
			kill(pid, SIGKILL);
	}
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return over;
}

const char *hook_signal_text(int number)
{
	static _Thread_local char text[64];

	snprintf(text, sizeof(text), "%s", strsignal(number));
	text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}
