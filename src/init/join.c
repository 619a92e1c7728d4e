/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exec's way in. The parent put us into the container's cgroups and executed us from a sealed
 * memfd; from here one setns(2) by pidfd enters all namespaces at once, so no half-way state is
 * ever seen, and the container can't have exchanged its namespaces in between. We are not dumpable:
 * nothing inside can trace us or reach our descriptors while we pass (CVE-2016-9962).
 */
#include "init/init.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/trace.h"

void join_apply(struct init *init)
{
	const struct plan *plan = init->plan;
	long pid;

	trace_step("join the namespaces");
	if (setns(plan->join_pidfd, (int)plan->join_namespaces) < 0)
		report_failure(init, 0, errno, "Failed to join the container's namespaces");
	report_line(init, SYNC_STEP, "init: joined the container's namespaces");
	close(plan->join_pidfd);
	trace_clock_changed();

	if (plan->flags & PLAN_JOIN_USERNS) {
		/* Root of the container's user namespace, if it has one; the groups of the host
		 * mean nothing there. */
		if (syscall(SYS_setresgid, 0, 0, 0) < 0 && errno != EINVAL)
			report_failure(init, 0, errno,
				       "Failed to become the container's root group");
		if (syscall(SYS_setresuid, 0, 0, 0) < 0 && errno != EINVAL)
			report_failure(init, 0, errno,
				       "Failed to become the container's root user");
	}
	if (!(plan->flags & PLAN_JOIN_PIDNS))
		return;
	/* Only a child is in the joined pid namespace. It is made our sibling: whoever started us
	 * is its parent, reaps it, and reads its exit status. */
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		report_failure(init, 0, errno, "Failed to enter the container's pid namespace");
	if (pid > 0) {
		trace_end(TRACE_ENTERING);
		_exit(0);
	}
	trace_self = TRACE_INIT;
}
