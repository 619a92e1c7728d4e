/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/children.h"

#include <sys/types.h>

#define EXPORTED __attribute__((visibility("default")))

/* Before <sys/socket.h>, which defines it where checks of buffers' sizes are compiled in. */
EXPORTED ssize_t recv(int fd, void *buffer, size_t count, int flags);

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lxc/monitor.h"
#include "monitor/payload.h"

/* A pipe that nobody writes to: its writing end is the monitor's alone, and goes with it. */
static int alive[2] = {-1, -1};

/* The one that becomes the container's first process, as its parent knows it. */
static struct {
	pid_t pid;
	int pidfd, log_fd;
	bool is_missed, told;
} child = {.pidfd = -1, .log_fd = -1};

void children_log_to(int log_fd)
{
	child.log_fd = log_fd;
}

void children_begin(void)
{
	if (pipe2(alive, O_CLOEXEC) < 0)
		_exit(1);
}

void children_watch(pid_t pid)
{
	child.pid = pid;
	child.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
}

void children_follow(void)
{
	struct pollfd event = {.fd = alive[0], .events = POLLIN};

	if (child.pidfd >= 0)
		close(child.pidfd);
	child.pidfd = -1;
	if (alive[0] < 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before that. */
	close(alive[1]);
	if (poll(&event, 1, 0) != 0)
		_exit(1);
	close(alive[0]);
	alive[0] = alive[1] = -1;
}

void children_ended(pid_t pid, int status)
{
	if (pid != child.pid || child.told || child.log_fd < 0 || !WIFSIGNALED(status))
		return;
	child.told = true;
	if (payload_ran_out_of_memory())
		dprintf(child.log_fd, "runlxc: " MONITOR_OUT_OF_MEMORY "\n");
	else if (child.is_missed)
		dprintf(child.log_fd, "runlxc: LXC's child was killed by signal %d\n",
			WTERMSIG(status));
}

/* LXC waits for it no longer: its status stays for whoever does that. */
static void miss(void)
{
	siginfo_t info = {0};

	child.is_missed = true;
	if (waitid(P_PIDFD, (id_t)child.pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid && info.si_code != CLD_EXITED)
		children_ended(child.pid, info.si_status);
}

/* Whether there will be nothing to receive any more, since the child that was to send it is dead.
 */
static bool is_in_vain(int fd, int flags)
{
	struct pollfd events[] = {{.fd = fd, .events = POLLIN},
				  {.fd = child.pidfd, .events = POLLIN}};

	if (child.pidfd < 0 || (flags & MSG_DONTWAIT))
		return false;
	while (poll(events, 2, -1) < 0 && errno == EINTR)
		;
	/* What it sent before its end counts. */
	if (poll(events, 1, 0) != 0)
		return false;
	miss();
	errno = ECHILD;
	return true;
}

/*
 * What follows is liblxc's: an executable's symbols come before a library's. Its parent holds both
 * ends of the socket over which its child sends to it, and so would wait for ever for one that was
 * killed, as by a memory limit that is too low.
 */
EXPORTED ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return is_in_vain(fd, flags) ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
	return is_in_vain(fd, flags) ? -1
				     : syscall(SYS_recvfrom, fd, buffer, count, flags, NULL, NULL);
}
