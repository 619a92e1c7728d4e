/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the filter (config-linux.md, "Seccomp"). One that notifies has a listener, which the
 * parent gets before anything else is done under the filter.
 */
#include "init/init.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Every call from here on may be one that the filter notifies of, and then takes until the agent
 * answers. Until the parent knows the listener's number there is no agent, so that it is told by a
 * single write(2), which no filter may notify of (spec/validate_seccomp.c, and the same with runc).
 * The agent has the listener before the program is executed, or its descriptor would be lost there.
 */
static void hand_over(struct init *init, int listener)
{
	const struct sync_listener message = {.type = SYNC_LISTENER, .descriptor = listener};
	char answer = 0;

	if (write(init->report_fd, &message, sizeof(message)) != (ssize_t)sizeof(message) ||
	    read(init->report_fd, &answer, 1) < 0)
		report_failure(init, 0, errno,
			       "linux.seccomp: the filter lets nobody hand over its listener");
	if (answer != SYNC_LISTENER)
		report_exit(1); /* the parent knows why */
	/* While we had it, calls would wait for an agent that is gone. */
	close(listener);
}

void seccomp_load(struct init *init)
{
	const struct plan *plan = init->plan;
	struct sock_fprog filter = {.len = (unsigned short)plan->seccomp.count,
				    .filter =
					(struct sock_filter *)plan_items(plan, plan->seccomp)};
	long result;

	if (!plan->seccomp.count)
		return;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->seccomp_flags, &filter);
	if (result < 0)
		report_failure(init, 0, errno, "linux.seccomp: Failed to load the filter");
	if (plan->seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		hand_over(init, (int)result);
}
