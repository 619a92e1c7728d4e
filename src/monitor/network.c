/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/message.h"

/* It comes over the first, and is the second; the third is the one that we are in otherwise. */
static int from = -1, theirs = -1, own = -1;
static int log_to = -1;
static bool is_ours_to_enter, is_lost, is_there;

void network_follows(int control, int log_fd)
{
	is_ours_to_enter = true;
	from = control;
	log_to = log_fd;
}

/* Into LXC's log, where the caller looks for what went wrong. LXC tries other ways of cloning, and
 * then undoes what it has made. */
static int fail(const char *reason)
{
	dprintf(log_to,
		"runlxc: linux.namespaces: can't enter the container's network namespace: %s\n",
		reason);
	is_lost = true;
	return -1;
}

static int receive(void)
{
	char byte;
	ssize_t got = message_receive_one(from, &byte, 1, 0, &theirs);

	/* The caller gave up, and says itself why. */
	if (got == 0)
		_exit(1);
	if (got < 0)
		return fail(strerror(errno));
	return theirs < 0 ? fail("its descriptor didn't arrive") : 0;
}

/* What is cloned with a mount namespace of its own is the container; LXC's helpers have none.
 * Nobody but us is in its network namespace yet. */
int network_enter(uint64_t flags)
{
	if (!is_ours_to_enter || is_there || !(flags & (CLONE_NEWNET | CLONE_NEWNS)))
		return 0;
	if (is_lost || (theirs < 0 && receive() < 0))
		return -1;
	if (!(flags & CLONE_NEWNET))
		return fail("this version of LXC doesn't clone into a new one");
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || syscall(SYS_setns, theirs, CLONE_NEWNET) < 0)
		return fail(strerror(errno));
	return 1;
}

int network_leave(bool cloned)
{
	int result = syscall(SYS_setns, own, CLONE_NEWNET) < 0 ? fail(strerror(errno)) : 0;

	close(own);
	own = -1;
	if (!cloned)
		return result;
	close(theirs);
	is_ours_to_enter = false;
	return result;
}

void network_stay(void)
{
	close(theirs);
	close(own);
	is_there = true;
}

void network_check(void)
{
	if (!is_ours_to_enter || is_there)
		return;
	fail("this version of LXC did not come by the place where that is done");
	_exit(1);
}
