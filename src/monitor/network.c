/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where it comes from, it, and the one that we are in otherwise. */
static int from = -1, theirs = -1, own = -1;
static int log_to = -1;

void network_follows(int control, int log_fd)
{
	from = control;
	log_to = log_fd;
}

bool network_is_awaited(void)
{
	return from >= 0;
}

/* Into LXC's log, where the caller looks for what went wrong. */
static int fail(const char *reason)
{
	dprintf(log_to,
		"runlxc: linux.namespaces: can't enter the container's network namespace: %s\n",
		reason);
	return -1;
}

static int receive(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t got;
	int fd;

	do
		got = syscall(SYS_recvmsg, from, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	header = CMSG_FIRSTHDR(&message);
	/* The caller gave up, and says itself why. */
	if (got != 1 || !header || header->cmsg_type != SCM_RIGHTS)
		_exit(1);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Nobody but us is in it yet, and what is cloned now is the container's own. */
int network_enter(uint64_t flags)
{
	if (from < 0 || !(flags & CLONE_NEWNET))
		return 0;
	if (theirs < 0)
		theirs = receive();
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || syscall(SYS_setns, theirs, CLONE_NEWNET) < 0)
		return fail(strerror(errno));
	return 1;
}

static void forget(void)
{
	close(theirs);
	close(own);
	from = theirs = own = -1;
}

int network_leave(bool cloned)
{
	int result = syscall(SYS_setns, own, CLONE_NEWNET) < 0 ? fail(strerror(errno)) : 0;

	if (cloned) {
		forget();
	} else {
		close(own);
		own = -1;
	}
	return result;
}

void network_stay(void)
{
	forget();
}

void network_check(void)
{
	if (from < 0)
		return;
	fail("this version of LXC did not come by the place where that is done");
	_exit(1);
}
