/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/local_socket.h"

int console_socket_send(const char *socket_path, int descriptor, const char *name,
			struct error *err)
{
	cleanup_close int connection = -1;

	if (!*socket_path)
		return error_set(err, "connect to a socket: its path is empty");
	connection = local_socket_connect(socket_path);
	if (connection < 0)
		return error_errno(err, errno, "connect to the socket \"%s\"", socket_path);
	/* A descriptor travels with at least one byte: a name that is empty is sent as its NUL. */
	if (local_socket_send(connection, descriptor, name, *name ? strlen(name) : 1) < 0)
		return error_errno(err, errno, "send a descriptor to the socket \"%s\"",
				   socket_path);
	return 0;
}
