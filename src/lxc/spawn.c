/* SPDX-License-Identifier: Apache-2.0 */
/* LXC's monitor comes to be: as a program of its own, or as a fork of ours. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/program.h"
#include "base/trace.h"
#include "lxc/lxc.h"
#include "lxc/monitor.h"

extern char **environ;

/* The monitor's program (monitor/), in the library. */
extern const char runlxc_monitor_start[], runlxc_monitor_end[];

static int (*monitor_inside)(int lowest, pid_t caller);

void lxc_monitor_inside(int (*run)(int lowest, pid_t caller))
{
	monitor_inside = run;
}

/* Out of the way of the places that the descriptors are to have in the monitor. */
static int move_above(int *fd, int lowest)
{
	int moved = fd_duplicate(*fd, lowest);

	if (moved < 0)
		return -1;
	fd_close(*fd);
	*fd = moved;
	return 0;
}

/* The caller's own PATH, as environ has it. */
static char *search_path(void)
{
	for (char **variable = environ; variable && *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			return *variable;
	return NULL;
}

/* The control socket and LXC's log: ours and the monitor's. */
static int make_control(struct lxc_monitor *monitor, int lowest, int *theirs, struct error *err)
{
	int pair[2];

	monitor->log_fd = kernel_memfd_create("runlxc-lxc-log", MFD_CLOEXEC);
	if (monitor->log_fd < 0 || fcntl(monitor->log_fd, F_SETFL, O_APPEND) < 0)
		return error_errno(err, errno, "Failed to make a memfd for LXC's log");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, errno, "Failed to make a socket pair");
	monitor->control = pair[0];
	*theirs = pair[1];
	if (move_above(theirs, lowest + 2) < 0 || move_above(&monitor->log_fd, lowest + 2) < 0)
		return error_errno(err, errno, "Failed to duplicate a descriptor");
	return 0;
}

static int execute(struct lxc_monitor *monitor, const char *id, int program, int control,
		   int lowest, struct error *err)
{
	posix_spawn_file_actions_t actions;
	char path[64], number[16], caller[16];
	char *const arguments[] = {(char *)"runlxc-monitor", number, caller, (char *)id, NULL};
	/* As a user, LXC needs newuidmap(1) and newgidmap(1). */
	char *const environment[] = {geteuid() != 0 ? search_path() : NULL, NULL};
	int failed;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	snprintf(number, sizeof(number), "%d", lowest);
	snprintf(caller, sizeof(caller), "%d", (int)getpid());
	failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return error_errno(err, failed, "Failed to start LXC's monitor");
	failed = posix_spawn_file_actions_adddup2(&actions, control, lowest);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, monitor->log_fd, lowest + 1);
	if (!failed)
		failed = posix_spawn(&monitor->pid, path, &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (failed) {
		monitor->pid = -1;
		return error_errno(err, failed, "Failed to start LXC's monitor");
	}
	trace_pid(TRACE_MONITOR, monitor->pid);
	trace_of(TRACE_MONITOR, "load liblxc, wait for the request");
	return 0;
}

int lxc_monitor_spawn(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err)
{
	cleanup_close int theirs = -1, program = -1;

	program = program_open("runlxc-monitor", runlxc_monitor_start, runlxc_monitor_end, err);
	if (program < 0 || make_control(monitor, lowest, &theirs, err) < 0)
		return -1;
	if (move_above(&program, lowest + 2) < 0)
		return error_errno(err, errno, "Failed to duplicate a descriptor");
	return execute(monitor, id, program, theirs, lowest, err);
}

/* ---- forked ---- */

/* What an execve(2) would have done. */
static void be_as_executed(int lowest)
{
	static char *environment[2];
	int number;

	environment[0] = geteuid() != 0 ? search_path() : NULL;
	environ = environment;
	for (number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
		    action.sa_handler != SIG_IGN)
			signal(number, SIG_DFL);
	}
	for (number = 3; number < lowest; number++) {
		if (fcntl(number, F_GETFD) & FD_CLOEXEC)
			close(number);
	}
	prctl(PR_SET_NAME, "runlxc-monitor");
}

int lxc_monitor_fork(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err)
{
	cleanup_close int theirs = -1;
	pid_t caller = getpid();

	if (!monitor_inside)
		return lxc_monitor_spawn(monitor, id, lowest, err);
	if (make_control(monitor, lowest, &theirs, err) < 0)
		return -1;
	monitor->pid = fork();
	if (monitor->pid < 0)
		return error_errno(err, errno, "Failed to start LXC's monitor");
	if (monitor->pid == 0) {
		if (dup2(theirs, lowest) < 0 || dup2(monitor->log_fd, lowest + 1) < 0)
			_exit(1);
		be_as_executed(lowest);
		_exit(monitor_inside(lowest, caller));
	}
	monitor->forked = true;
	trace_pid(TRACE_MONITOR, monitor->pid);
	trace_of(TRACE_MONITOR, "load liblxc, wait for the request");
	return 0;
}

int lxc_monitor_unfork(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err)
{
	if (!monitor->forked)
		return 0;
	lxc_monitor_close(monitor);
	*monitor = (struct lxc_monitor)LXC_MONITOR_INIT;
	return lxc_monitor_spawn(monitor, id, lowest, err);
}
