/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/message.h"

void report_exit(int exit_code)
{
	/* libc's _exit() would ask a filter that refuses it for ever. */
	syscall(SYS_exit_group, exit_code);
	syscall(SYS_exit, exit_code);
	__builtin_trap();
}

void report_failure(struct init *init, int exit_code, int errnum, const char *format, ...)
{
	struct sync_error message = {.type = SYNC_ERROR, .exit_code = (unsigned char)exit_code};
	size_t length;
	va_list args;
	int written;

	va_start(args, format);
	written = vsnprintf(message.text, sizeof(message.text), format, args);
	va_end(args);
	length = written < 0 ? 0 : (size_t)written;
	if (length >= sizeof(message.text))
		length = sizeof(message.text) - 1;
	if (errnum && length < sizeof(message.text) - 2) {
		const char *text = strerror(errnum);
		size_t room = sizeof(message.text) - length;

		written = snprintf(
		    message.text + length, room, ": %c%s",
		    isupper((unsigned char)text[1]) ? text[0] : tolower((unsigned char)text[0]),
		    text + 1);
		if (written > 0)
			length += (size_t)written < room ? (size_t)written : room - 1;
	}
	if (init->report_fd >= 0)
		send(init->report_fd, &message, offsetof(struct sync_error, text) + length,
		     MSG_NOSIGNAL);
	report_exit(exit_code ? exit_code : 1);
}

void report_line(struct init *init, char type, const char *format, ...)
{
	char text[SYNC_MESSAGE_MAX];
	va_list args;
	int length;

	if (type == SYNC_STEP && !(init->plan->flags & PLAN_LOG_STEPS))
		return;
	text[0] = type;
	va_start(args, format);
	length = vsnprintf(text + 1, sizeof(text) - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length > sizeof(text) - 2)
		length = sizeof(text) - 2;
	send(init->report_fd, text, (size_t)length + 1, MSG_NOSIGNAL);
}

void report_send(struct init *init, char type, int descriptor)
{
	/* Nobody listens any more: the caller was killed. A container that it does not know of must
	 * not live on. */
	if (message_send(init->report_fd, &type, 1, &descriptor, descriptor >= 0) < 0)
		_exit(1);
}

void report_ready(struct init *init)
{
	int pair[2];

	/*
	 * LXC's monitor has a copy of our end of the sync socket, so its closing would tell nobody
	 * anything while the monitor lives. From here on the talk goes over a socket that is ours
	 * and the parent's alone: it sees our exec, and we see its death.
	 */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		report_failure(init, 0, errno, "Failed to make a socket pair");
	report_send(init, SYNC_READY, pair[0]);
	close(pair[0]);
	close(init->report_fd);
	init->report_fd = pair[1];
}

char report_receive(struct init *init, int *fds, size_t max, size_t *count)
{
	struct message_extra extra = {.fds = fds, .fds_max = max};
	char type = 0;
	ssize_t got = message_receive(init->report_fd, &type, 1, 0, &extra);

	if (count)
		*count = extra.count;
	return got > 0 ? type : 0;
}
