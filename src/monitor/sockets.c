/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/sockets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/cleanup.h"

#define EXPORTED __attribute__((visibility("default")))

/* What kernels before 6.5 don't have; in no header of a distribution yet. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int hidden_in = -1;
static bool check_peers;

void sockets_hide(int dir)
{
	hidden_in = dir;
}

void sockets_check_peers(void)
{
	check_peers = true;
}

static bool is_abstract(const struct sockaddr *address, socklen_t length)
{
	return address->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path) &&
	       ((const struct sockaddr_un *)address)->sun_path[0] == '\0';
}

EXPORTED int bind(int fd, __CONST_SOCKADDR_ARG given, socklen_t length)
{
	struct sockaddr_un hidden = {.sun_family = AF_UNIX};
	int result;

	if (hidden_in < 0 || !is_abstract(given.__sockaddr__, length))
		return (int)syscall(SYS_bind, fd, given.__sockaddr__, length);
	snprintf(hidden.sun_path, sizeof(hidden.sun_path), "/proc/self/fd/%d/command", hidden_in);
	result = (int)syscall(SYS_bind, fd, &hidden, sizeof(hidden));
	if (result == 0)
		result = unlinkat(hidden_in, "command", 0);
	return result;
}

static bool same_namespace(pid_t pid, const char *name)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &ours) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

/* Held while it is looked at, its pid can't become another's. */
static int peer_pidfd(int peer, pid_t pid)
{
	int pidfd;
	socklen_t length = sizeof(pidfd);

	return getsockopt(peer, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0
		   ? pidfd
		   : (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool is_welcome(int peer)
{
	cleanup_close int pidfd = -1;
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0 ||
	    credentials.pid <= 0)
		return false;
	/* A peer that has ended can't be looked at, nor does it need an answer. */
	pidfd = peer_pidfd(peer, credentials.pid);
	return pidfd >= 0 && same_namespace(credentials.pid, "mnt") &&
	       same_namespace(credentials.pid, "pid") && same_namespace(credentials.pid, "user") &&
	       syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
}

EXPORTED int accept4(int fd, __SOCKADDR_ARG address, socklen_t *length, int flags)
{
	int peer = (int)syscall(SYS_accept4, fd, address.__sockaddr__, length, flags);

	/* Not closed: an accept() that fails is a reason for liblxc to end the container, which so
	 * anybody could do. It reads an end, and drops the peer. */
	if (peer >= 0 && check_peers && !is_welcome(peer))
		shutdown(peer, SHUT_RDWR);
	return peer;
}

EXPORTED int accept(int fd, __SOCKADDR_ARG address, socklen_t *length)
{
	return accept4(fd, address, length, 0);
}
