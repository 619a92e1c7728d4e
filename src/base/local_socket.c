/* SPDX-License-Identifier: Apache-2.0 */
#include "base/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/message.h"

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

int local_socket_connect(const char *path)
{
	cleanup_close int opened = -1;
	cleanup_close int connection = -1;
	struct sockaddr_un address;

	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	if (make_address(path, &address, &opened) < 0)
		return -1;
	connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection < 0)
		return -1;
	while (connect(connection, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return fd_take(&connection);
}

int local_socket_send(int socket, int descriptor, const char *text, size_t length)
{
	size_t count = 1;

	while (length) {
		ssize_t sent = message_send(socket, text, length, &descriptor, count);

		if (sent < 0)
			return -1;
		text += sent;
		length -= (size_t)sent;
		/* It has gone with the first part. */
		count = 0;
	}
	return 0;
}
