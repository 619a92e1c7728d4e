/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On which CPUs a process is: an exec's as process.execCPUAffinity says, before it is in the
 * container's cgroups and then; all others on those of the container's cpuset. As with runc, what
 * the caller was confined to (taskset(1), an engine's CPUAffinity=) doesn't follow into a
 * container: since Linux 6.2 it would hold on in whatever cpuset.
 */
#include "driver/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranges.h"

static int set(pid_t pid, const struct ranges *cpus)
{
	/* By the system call: no more CPUs than cpu_set_t has room for are known to the C library.
	 */
	return syscall(SYS_sched_setaffinity, pid, sizeof(cpus->words), cpus->words) < 0 ? -1 : 0;
}

static int set_list(const char *field, const char *list, pid_t pid, struct error *err)
{
	struct ranges cpus;

	if (ranges_parse(list, &cpus) <= 0)
		return error_set(err, "process.execCPUAffinity.%s: \"%s\" is not a list of CPUs",
				 field, list);
	/* EINVAL: none of them is there, or in the cpuset. */
	if (set(pid, &cpus) < 0)
		return error_errno(err, errno,
				   "process.execCPUAffinity.%s: Failed to be on the CPUs \"%s\"",
				   field, list);
	return 0;
}

int affinity_before_join(const struct spec_process *process, pid_t pid, struct error *err)
{
	return process->cpu_affinity_initial
		   ? set_list("initial", process->cpu_affinity_initial, pid, err)
		   : 0;
}

int affinity_reset(pid_t pid, struct error *err)
{
	struct ranges all;

	memset(&all, 0xff, sizeof(all));
	/* The kernel takes away what the process's cpuset hasn't. */
	return set(pid, &all) < 0
		   ? error_errno(err, errno, "Failed to be on all of the container's CPUs")
		   : 0;
}

int affinity_after_join(const struct spec_process *process, struct error *err)
{
	/* config.md: without it, the container's. */
	return process->cpu_affinity_final ? set_list("final", process->cpu_affinity_final, 0, err)
					   : affinity_reset(0, err);
}
