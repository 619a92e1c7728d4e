/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * sun_path holds 107 bytes; state directories of engines are often deeper. A longer path is opened
 * first and the socket then reached through its descriptor, which also is what keeps it the same.
 */
static int make_address(const char *path, struct sockaddr_un *address, int *opened)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (length < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, length);
		return 0;
	}
	*opened = open(path, O_PATH | O_CLOEXEC);
	if (*opened < 0)
		return -1;
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d", *opened);
	return 0;
}

static int connect_to(const char *path, struct error *err)
{
	cleanup_close int opened = -1;
	cleanup_close int connection = -1;
	struct sockaddr_un address;

	/* An empty name would be an address of another kind: a socket without a path. */
	if (!*path)
		return error_set(err, "connect to a console socket: its path is empty");
	if (make_address(path, &address, &opened) < 0)
		return error_errno(err, errno, "connect to console socket \"%s\"", path);
	connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection < 0)
		return error_errno(err, errno, "make a socket");
	while (connect(connection, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EINTR)
			return error_errno(err, errno, "connect to console socket \"%s\"", path);
	}
	return fd_take(&connection);
}

int console_socket_send(const char *socket_path, int descriptor, const char *name,
			struct error *err)
{
	cleanup_close int connection = connect_to(socket_path, err);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	/* Ancillary data travels with at least one byte: a name that is empty is sent as its NUL.
	 */
	struct iovec data = {(void *)name, *name ? strlen(name) : 1};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	if (connection < 0)
		return -1;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &descriptor, sizeof(int));

	do {
		sent = sendmsg(connection, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return error_errno(err, errno, "send a descriptor to console socket \"%s\"",
				   socket_path);
	if ((size_t)sent != data.iov_len)
		return error_set(err, "send a descriptor to console socket \"%s\": short write",
				 socket_path);
	return 0;
}
