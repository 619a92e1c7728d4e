/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/reaped.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "monitor/children.h"

#define EXPORTED __attribute__((visibility("default")))

static struct {
	int control;
	pid_t expected; /* 0: not told yet */
	int oom_file;
	bool ended, oom_killed;
	int status;
} first = {.control = -1, .oom_file = -1};

void reaped_listen(int control)
{
	first.control = control;
}

static void receive(void)
{
	if (message_receive_one(first.control, &first.expected, sizeof(first.expected),
				MSG_DONTWAIT, &first.oom_file) != (ssize_t)sizeof(first.expected))
		first.expected = 0;
}

static bool somebody_was_killed(void)
{
	char text[512], *line;
	ssize_t got = first.oom_file < 0 ? -1 : pread(first.oom_file, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return false;
	text[got] = '\0';
	/* Not "oom_kill_disable": the number comes behind a space. */
	line = strstr(text, "oom_kill ");
	return line && strtoull(line + strlen("oom_kill "), NULL, 10) > 0;
}

EXPORTED pid_t waitpid(pid_t pid, int *status, int options)
{
	int unused = 0;
	pid_t got;

	if (!status)
		status = &unused;
	got = (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
	if (got > 0)
		children_ended(got, *status);
	if (got <= 0 || first.ended || first.control < 0 ||
	    !(WIFEXITED(*status) || WIFSIGNALED(*status)))
		return got;
	if (!first.expected)
		receive();
	if (got == first.expected) {
		first.ended = true;
		first.status = *status;
		first.oom_killed = somebody_was_killed();
	}
	return got;
}

int reaped_status(int *status, bool *oom_killed)
{
	if (!first.ended)
		return -1;
	*status = first.status;
	*oom_killed = first.oom_killed;
	return 0;
}
