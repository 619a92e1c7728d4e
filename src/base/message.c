/* SPDX-License-Identifier: Apache-2.0 */
#include "base/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t message_send(int socket, const void *data, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (count > MESSAGE_FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		memset(&control, 0, message.msg_controllen);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

static void close_all(struct message_extra *extra)
{
	while (extra->count)
		close(extra->fds[--extra->count]);
}

static void take_descriptors(const struct cmsghdr *part, struct message_extra *extra)
{
	size_t i;
	int fd;

	for (i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= part->cmsg_len; i++) {
		memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
		if (extra->count < extra->fds_max)
			extra->fds[extra->count++] = fd;
		else
			close(fd);
	}
}

ssize_t message_receive(int socket, void *data, size_t size, int flags, struct message_extra *extra)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int)) +
			   CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	struct cmsghdr *header;
	struct ucred sender;
	ssize_t got;

	extra->count = 0;
	extra->pid = 0;
	do {
		message.msg_controllen = sizeof(control);
		got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	extra->is_cut = message.msg_flags & MSG_TRUNC;
	for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_RIGHTS)
			take_descriptors(header, extra);
		if (header->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&sender, CMSG_DATA(header), sizeof(sender));
			extra->pid = sender.pid;
		}
	}
	/* There is room for all that the kernel sends: it had no more numbers for us. */
	if (message.msg_flags & MSG_CTRUNC) {
		close_all(extra);
		errno = EMFILE;
		return -1;
	}
	return got;
}

ssize_t message_receive_one(int socket, void *data, size_t size, int flags, int *fd)
{
	struct message_extra extra = {.fds = fd, .fds_max = 1};

	*fd = -1;
	return message_receive(socket, data, size, flags, &extra);
}
