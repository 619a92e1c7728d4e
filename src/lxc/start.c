/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Having liblxc start the container, in a forked child: LXC's monitor. It is our child and init's parent
 * until it is killed (the hand-over) or, where it is kept, until the container ends.
 */
#include "lxc/lxc.h"

#include <errno.h>
#include <linux/sched.h>
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

static int set_items(struct lxc_container *container, const struct lxc_start *start, int log_fd)
{
	char path[64];
	size_t i;

	/* LXC opens its log by name: a memfd has one here. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", log_fd);
	if (!container->set_config_item(container, "lxc.log.file", path) ||
	    !container->set_config_item(container, "lxc.log.level", start->debug ? "DEBUG" : "ERROR"))
		return -1;
	for (i = 0; i < start->recipe->count; i++) {
		const struct lxc_item *item = &start->recipe->items[i];

		if (!container->set_config_item(container, item->key, item->value)) {
			dprintf(log_fd, "runlxc: LXC refuses %s = %s\n", item->key, item->value);
			return -1;
		}
	}
	return 0;
}

static void record_exit(const struct lxc_start *start, int status)
{
	cleanup_close int fd = -1;

	/* Renamed when it is whole: `wait` and `state` read it. */
	fd = openat(start->dir, "exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && dprintf(fd, "%d\n", status) > 0)
		renameat(start->dir, "exit.new", start->dir, "exit");
}

static void write_config(const struct lxc_start *start)
{
	struct error err = ERROR_INIT;
	cleanup_close int fd = -1;
	cleanup_free char *text = NULL;
	size_t length = 0;

	/* LXC's tools look for PATH/NAME/config; LXC itself must not find it before, or it would take
	 * every item twice. */
	text = lxc_recipe_text(start->recipe, &length, &err);
	fd = openat(start->dir, "config", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (text && fd >= 0)
		path_write_all(fd, text, length);
	error_clear(&err);
}

_Noreturn static void monitor_main(const struct lxc_start *start, int log_fd, pid_t caller)
{
	struct lxc_container *container;
	char init_path[64], plan_number[16];
	char *const arguments[] = {init_path, plan_number, NULL};
	int quiet, status;
	size_t i;

	/* Whoever kills the caller half-way gets rid of us, and LXC's own death signal of the container. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != caller)
		_exit(1);
	/*
	 * LXC gives the standard streams of whoever starts a container to its init: owner and mode. The
	 * real ones have been put aside for init; these are ours, and nobody minds.
	 */
	quiet = kernel_memfd_create("runlxc-null", MFD_CLOEXEC);
	if (quiet < 0 || dup2(quiet, 0) < 0 || dup2(quiet, 1) < 0 || dup2(quiet, 2) < 0)
		_exit(1);
	for (i = 0; i < start->pass_count; i++)
		if (start->pass[i] >= 0)
			fcntl(start->pass[i], F_SETFD, 0);
	fcntl(start->plan_fd, F_SETFD, 0);
	fcntl(start->init_fd, F_SETFD, 0);

	container = lxc_container_new(start->name, start->path);
	if (!container) {
		dprintf(log_fd, "runlxc: liblxc can't make a container named \"%s\" in \"%s\"\n", start->name,
			start->path);
		_exit(1);
	}
	if (set_items(container, start, log_fd) < 0)
		_exit(1);
	if (start->keep_monitor)
		write_config(start);
	container->want_daemonize(container, false);
	container->want_close_all_fds(container, false);
	snprintf(init_path, sizeof(init_path), "/proc/self/fd/%d", start->init_fd);
	snprintf(plan_number, sizeof(plan_number), "%d", start->plan_fd);
	if (!container->start(container, 0, arguments) && !start->keep_monitor)
		_exit(1);
	status = container->error_num;
	if (start->keep_monitor)
		record_exit(start, status);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

int lxc_spawn(const struct lxc_start *start, struct lxc_monitor *monitor, struct error *err)
{
	pid_t caller = getpid();

	monitor->log_fd = kernel_memfd_create("runlxc-lxc-log", MFD_CLOEXEC);
	if (monitor->log_fd < 0)
		return error_errno(err, errno, "Failed to make a memfd for LXC's log");
	monitor->pid = fork();
	if (monitor->pid < 0)
		return error_errno(err, errno, "Failed to fork LXC's monitor");
	if (monitor->pid == 0)
		monitor_main(start, monitor->log_fd, caller);
	return 0;
}

void lxc_hand_over_begin(const struct lxc_monitor *monitor)
{
	/* Our own child, not reaped yet: the pid can be nobody else's. */
	if (monitor->pid > 0)
		kill(monitor->pid, SIGKILL);
}

void lxc_hand_over(struct lxc_monitor *monitor)
{
	if (monitor->pid <= 0)
		return;
	lxc_hand_over_begin(monitor);
	while (waitpid(monitor->pid, NULL, 0) < 0 && errno == EINTR)
		;
	monitor->pid = -1;
}

void lxc_monitor_close(struct lxc_monitor *monitor)
{
	fd_close(monitor->log_fd);
	monitor->log_fd = -1;
}

const char *lxc_library_version(void)
{
	return lxc_get_version();
}
