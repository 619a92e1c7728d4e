/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over AF_UNIX sockets that carry descriptors (SCM_RIGHTS). */
#ifndef RUNLXC_BASE_MESSAGE_H
#define RUNLXC_BASE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the kernel lets one message carry (SCM_MAX_FD). */
#define MESSAGE_FDS_MAX 253

/* Of one byte or more. How many of its bytes were sent, which over a stream may be fewer: the
 * descriptors went with the first. -1 with errno; nobody gets a SIGPIPE. */
ssize_t message_send(int socket, const void *data, size_t size, const int *fds, size_t count);

/* What comes beside a message's bytes. */
struct message_extra {
	int *fds;	/* to the caller's array; O_CLOEXEC */
	size_t fds_max; /* those beyond are closed */
	size_t count;
	pid_t pid;   /* of the sender, with SO_PASSCRED; 0: it didn't say */
	bool is_cut; /* the message was longer than `size` */
};

/* The message's length, 0 where the other end is closed, -1 with errno; EMFILE: the message is
 * gone, with its descriptors. `flags` are recvmsg(2)'s. A signal isn't an error. */
ssize_t message_receive(int socket, void *data, size_t size, int flags,
			struct message_extra *extra);

/* One descriptor, or -1. */
ssize_t message_receive_one(int socket, void *data, size_t size, int flags, int *fd);

#endif
