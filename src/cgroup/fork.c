/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

pid_t cgroup_fork(const struct cgroup_layout *layout, const char *path)
{
	/* With other threads, only the C library's own fork leaves a child that may allocate. */
	cleanup_close int cgroup = __libc_single_threaded ? cgroup_open_unified(layout, path) : -1;
	struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	long pid = -1;

	if (cgroup >= 0) {
		arguments.cgroup = (unsigned int)cgroup;
		pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	}
	return pid < 0 ? fork() : (pid_t)pid;
}
