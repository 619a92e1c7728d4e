/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new time namespace (time_namespaces(7)): it is made for children, its offsets can be written
 * until somebody is in it, and only then it is entered. All through a procfs of the host's, so that
 * nothing in the container can lead the write elsewhere.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/trace.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void set_offsets(struct init *init, const char *text)
{
	int fd = kernel_openat2(init->plan->proc_fd, "self/timens_offsets", O_WRONLY, 0,
				RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	/* ERANGE: a clock that would be before its zero, or run over within a lifetime. */
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		report_failure(init, 0, errno, "linux.timeOffsets: Failed to set them");
	close(fd);
}

void clocks_apply(struct init *init)
{
	const struct plan *plan = init->plan;
	int fd;

	if (plan->proc_fd < 0)
		return;
	if (syscall(SYS_unshare, CLONE_NEWTIME) < 0)
		report_failure(init, 0, errno, "linux.namespaces: Failed to make a time namespace");
	if (plan->time_offsets)
		set_offsets(init, plan_text(plan, plan->time_offsets));
	fd = openat(plan->proc_fd, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_setns, fd, CLONE_NEWTIME) < 0)
		report_failure(init, 0, errno,
			       "linux.namespaces: Failed to enter a time namespace");
	close(fd);
	trace_clock_changed();
	/* It leads to all of the host's processes: gone before anything of the container's is run.
	 */
	close(plan->proc_fd);
}
