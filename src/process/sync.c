/* SPDX-License-Identifier: Apache-2.0 */
#include "process/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/message.h"
#include "base/trace.h"
#include "base/trace_file.h"

int process_sync_pair(int lowest, int *ours, int *inits, struct error *err)
{
	cleanup_close int a = -1, b = -1;
	cleanup_close int high_a = -1, high_b = -1;
	int pair[2], on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, errno, "Failed to make a socket pair");
	a = pair[0];
	b = pair[1];
	high_a = fd_duplicate(a, lowest);
	high_b = fd_duplicate(b, lowest);
	if (high_a < 0 || high_b < 0 || setsockopt(a, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return error_errno(err, errno, "Failed to set up a socket pair");
	*ours = fd_take(&high_a);
	*inits = fd_take(&high_b);
	return 0;
}

struct message {
	char data[SYNC_MESSAGE_MAX + 1];
	size_t length;
	int fd;	   /* -1: none came */
	pid_t pid; /* of the sender */
};

/* An other end that is closed with something unread says so once (ECONNRESET), before what it has
 * sent itself: that is still there. */
static ssize_t receive_despite_reset(int sync, struct message *message, int flags,
				     struct message_extra *extra)
{
	ssize_t got = message_receive(sync, message->data, SYNC_MESSAGE_MAX, flags, extra);

	if (got < 0 && errno == ECONNRESET)
		got = message_receive(sync, message->data, SYNC_MESSAGE_MAX, flags, extra);
	return got;
}

/* 1: a message, 0: the other end is closed, -1: errno. */
static int receive(int sync, struct message *message, int flags)
{
	struct message_extra extra = {.fds = &message->fd, .fds_max = 1};
	ssize_t got;

	message->fd = -1;
	got = receive_despite_reset(sync, message, flags, &extra);
	message->pid = extra.pid;
	if (got <= 0)
		return got < 0 && errno != ECONNRESET ? -1 : 0;
	message->length = (size_t)got;
	message->data[got] = '\0';
	return 1;
}

static int init_failed(const struct message *message, struct error *err)
{
	const struct sync_error *failure = (const void *)message->data;

	if (message->length < offsetof(struct sync_error, text))
		return error_set(err, "init failed");
	error_set(err, "%.*s", (int)(message->length - offsetof(struct sync_error, text)),
		  failure->text);
	err->exit_code = failure->exit_code;
	return -1;
}

/* Why the cgroups aren't there may be that init has failed meanwhile. */
static void prefer_its_words(int sync, const struct sync_handler *handler, struct error *err)
{
	struct message message;

	while (receive(sync, &message, MSG_DONTWAIT) > 0) {
		fd_close(message.fd);
		if (message.data[0] == SYNC_STEP)
			log_debug(handler->log, "%s", message.data + 1);
		if (message.data[0] == SYNC_WARNING)
			log_warning(handler->log, "%s", message.data + 1);
		if (message.data[0] != SYNC_ERROR)
			continue;
		error_clear(err);
		init_failed(&message, err);
	}
}

static int send_trees(int sync, const struct sync_handler *handler, struct error *err)
{
	char type = SYNC_CGROUPS;
	int fds[SYNC_FDS_MAX], result;
	size_t count = 0, i;

	result = handler->cgroups ? handler->cgroups(handler->data, fds, &count, err)
				  : error_set(err, "init asked for cgroups that it has no use for");
	if (result < 0)
		prefer_its_words(sync, handler, err);
	/* It may have ended, and said why. */
	if (result == 0 && message_send(sync, &type, 1, fds, count) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		result = error_errno(err, errno, "Failed to send the cgroups to init");
	for (i = 0; i < count; i++)
		close(fds[i]);
	return result;
}

int process_sync_wait_ready(int *sync, const struct sync_handler *handler, pid_t *pid,
			    struct error *err)
{
	struct message message;
	int got;

	while ((got = receive(*sync, &message, 0)) > 0) {
		/* Whatever came unasked is not kept. */
		cleanup_close int fd = message.fd;

		/* Of whoever spoke, also where it fails then: somebody has to reap it. */
		*pid = message.pid;
		trace_pid(TRACE_INIT, message.pid);
		switch (message.data[0]) {
		case SYNC_ERROR:
			return init_failed(&message, err);
		case SYNC_READY:
			if (fd < 0)
				return error_set(err, "init sent no socket");
			close(*sync);
			*sync = fd_take(&fd);
			return 0;
		case SYNC_CGROUPS:
			trace_part("give init the cgroups", NULL);
			if (send_trees(*sync, handler, err) < 0)
				return -1;
			break;
		case SYNC_PIVOT:
			trace_part("hooks and network devices before the pivot", NULL);
			if (!handler->pivot)
				return error_set(err, "LXC announced what nobody asked for");
			if (handler->pivot(handler->data, message.pid, err) < 0 ||
			    process_sync_send(*sync, SYNC_PIVOT, err) < 0)
				return -1;
			break;
		case SYNC_TERMINAL:
			if (fd < 0 || !handler->terminal)
				return error_set(err, "init sent no terminal");
			if (handler->terminal(handler->data, fd_take(&fd), err) < 0)
				return -1;
			break;
		case SYNC_STEP:
			log_debug(handler->log, "%s", message.data + 1);
			break;
		case SYNC_WARNING:
			log_warning(handler->log, "%s", message.data + 1);
			break;
		default:
			return error_set(err, "init said something that is not understood");
		}
	}
	error_errno(err, got < 0 ? errno : ECONNRESET, "The container's init ended without a word");
	return -1;
}

int process_sync_send(int sync, char type, struct error *err)
{
	if (send(sync, &type, 1, MSG_NOSIGNAL) != 1)
		return error_errno(err, errno, "The container's init is gone");
	return 0;
}

int process_sync_send_start(int connection, struct error *err)
{
	char type = SYNC_START;
	cleanup_close int trace = trace_descriptor(0);

	if (message_send(connection, &type, 1, &trace, trace >= 0) != 1)
		return error_errno(err, errno, "The container's init is gone");
	return 0;
}

static int take_listener(int sync, int pidfd, const struct message *message,
			 const struct sync_handler *handler, struct error *err)
{
	cleanup_close int listener = -1;
	struct sync_listener told;

	if (message->length != sizeof(told) || !handler->listener)
		return error_set(err, "init told of a seccomp listener that nobody asked for");
	memcpy(&told, message->data, sizeof(told));
	listener = kernel_pidfd_getfd(pidfd, told.descriptor);
	if (listener < 0)
		return error_errno(err, errno,
				   "linux.seccomp: Failed to fetch the listener by pidfd_getfd(2)");
	return handler->listener(handler->data, listener, err) < 0
		   ? -1
		   : process_sync_send(sync, SYNC_LISTENER, err);
}

int process_sync_wait_executed(int sync, int pidfd, const struct sync_handler *handler,
			       struct error *err)
{
	struct message message;
	int got;

	while ((got = receive(sync, &message, 0)) > 0) {
		fd_close(message.fd);
		if (message.data[0] == SYNC_ERROR)
			return init_failed(&message, err);
		if (message.data[0] == SYNC_WARNING)
			log_warning(handler->log, "%s", message.data + 1);
		if (message.data[0] == SYNC_LISTENER &&
		    take_listener(sync, pidfd, &message, handler, err) < 0)
			return -1;
	}
	trace_end(TRACE_INIT);
	return got < 0 ? error_errno(err, errno, "Failed to hear from the container's init") : 0;
}
