/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of init, from the first instruction inside the container to the user's program. Read
 * init.h for what it is, process/plan.h for what it is told.
 */
#include "init/init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "init/mounts.h"

static const struct plan *map_plan(const char *descriptor)
{
	int fd = atoi(descriptor);
	const struct plan *plan;
	struct stat st;

	if (fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(*plan))
		return NULL;
	plan = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return plan == MAP_FAILED || plan->magic != PLAN_MAGIC ? NULL : plan;
}

static void take_streams(struct init *init)
{
	int i;

	for (i = 0; i < 3; i++) {
		int fd = init->plan->stdio_fd[i];

		/* Where the caller's stream was closed, so is the program's. */
		if (fd < 0)
			close(i);
		else if (fd != i && dup2(fd, i) < 0)
			report_failure(init, 0, errno, "Failed to set standard stream %d", i);
		if (fd > 2)
			close(fd);
	}
}

static void set_names(struct init *init)
{
	const char *hostname = plan_text(init->plan, init->plan->hostname);
	const char *domainname = plan_text(init->plan, init->plan->domainname);

	if (hostname && sethostname(hostname, strlen(hostname)) < 0)
		report_failure(init, 0, errno, "hostname: Failed to set \"%s\"", hostname);
	if (domainname && setdomainname(domainname, strlen(domainname)) < 0)
		report_failure(init, 0, errno, "domainname: Failed to set \"%s\"", domainname);
}

/*
 * The start. Whoever can connect to the socket may start the container: it lies in the container's
 * directory on the host, which only the owner of the state root can enter. A `start` that was
 * killed before it said so has started nothing.
 */
static void wait_for_start(struct init *init)
{
	int trace = -1;
	size_t count = 0;
	char message = 0;

	close(init->report_fd);
	init->report_fd = -1;
	/* It would be kept in memory for as long as this takes, and nobody looks at it any more. */
	trace_detach();
	while (message != SYNC_START) {
		fd_close(init->report_fd);
		do
			init->report_fd = accept4(init->plan->start_fd, NULL, NULL, SOCK_CLOEXEC);
		while (init->report_fd < 0 && (errno == EINTR || errno == ECONNABORTED));
		if (init->report_fd < 0)
			_exit(1);
		message = report_receive(init, &trace, 1, &count);
	}
	close(init->plan->start_fd);
	if (count)
		trace_attach(trace, TRACE_INIT);
}

int main(int argc, char **argv)
{
	struct init init = {.report_fd = -1, .null_fd = -1};
	const struct plan *plan;

	/* LXC asks for a signal when its monitor ends; the monitor is to end. That the caller is
	 * gone is told by the sync socket instead. */
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_DUMPABLE, 0);
	plan = argc == 2 ? map_plan(argv[1]) : NULL;
	if (!plan) {
		static const char text[] = "This is a part of runlxc and is started by it alone\n";

		return write(2, text, sizeof(text) - 1) < 0 ? 2 : 1;
	}
	init.plan = plan;
	init.report_fd = plan->sync_fd;
	trace_attach(plan->trace_fd, plan->flags & PLAN_JOIN ? TRACE_ENTERING : TRACE_INIT);
	trace_step("init: take streams and signals");
	mounts_ask_for_cgroups(&init);
	umask(0);
	/* The program gets defaults, whatever engine started the runtime. */
	kernel_reset_signals();
	take_streams(&init);

	if (plan->flags & PLAN_JOIN) {
		join_apply(&init);
	} else {
		/* Taken off first: it hides what the container has there. */
		if (plan->flags & PLAN_HIDE_PROC && kernel_umount("/proc", MNT_DETACH) < 0)
			report_failure(&init, 0, errno, "Failed to take off init's own /proc");
		if (plan->join_cgroup_fd >= 0 && setns(plan->join_cgroup_fd, CLONE_NEWCGROUP) < 0)
			report_failure(&init, 0, errno,
				       "linux.namespaces: Failed to join the cgroup namespace");
		trace_step("clocks, sysctls, propagation");
		clocks_apply(&init);
		sysctl_apply(&init);
		propagation_begin(&init);
		trace_step("late mounts");
		mounts_apply(&init);
		trace_step("devices, names");
		devices_apply(&init);
		set_names(&init);
	}
	trace_step("session, terminal");
	if (plan->flags & PLAN_TERMINAL)
		terminal_apply(&init);
	else
		setsid();
	if (!(plan->flags & PLAN_JOIN)) {
		trace_step("masked and read-only paths");
		become_make_directory(&init);
		mounts_finish(&init);
		hide_apply(&init);
		propagation_finish(&init);
	}
	trace_step("prepare the process");
	become_prepare(&init);

	trace_step("ready: wait for the command");
	report_ready(&init);
	switch (report_receive(&init, NULL, 0, NULL)) {
	case SYNC_COMMIT:
		if (plan->flags & PLAN_WAIT_START)
			wait_for_start(&init);
		break;
	case SYNC_START:
		if (plan->flags & PLAN_WAIT_START)
			close(plan->start_fd);
		break;
	default:
		/* The caller gave up or was killed before the container was recorded. */
		_exit(1);
	}
	become_execute(&init);
}
