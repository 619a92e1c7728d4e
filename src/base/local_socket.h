/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX stream sockets of others, which are handed a descriptor: console sockets, seccomp agents.
 */
#ifndef RUNLXC_BASE_LOCAL_SOCKET_H
#define RUNLXC_BASE_LOCAL_SOCKET_H

#include <stddef.h>

/* The path may be longer than sun_path. -1 with errno; ENOENT for an empty one, which would be an
 * address of another kind. O_CLOEXEC. */
int local_socket_connect(const char *path);

/* Sends all of a text of one byte or more, and with its first byte a descriptor (SCM_RIGHTS). -1
 * with errno. */
int local_socket_send(int socket, int descriptor, const char *text, size_t length);

#endif
