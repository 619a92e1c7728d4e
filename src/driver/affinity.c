/* SPDX-License-Identifier: Apache-2.0 */
/* process.execCPUAffinity: on which CPUs an exec's process is, before it is in the container's
 * cgroups and then. */
#include "driver/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranges.h"

static int set(const struct ranges *cpus)
{
	/* By the system call: no more CPUs than cpu_set_t has room for are known to the C library.
	 */
	return syscall(SYS_sched_setaffinity, 0, sizeof(cpus->words), cpus->words) < 0 ? -1 : 0;
}

static int set_list(const char *field, const char *list, struct error *err)
{
	struct ranges cpus;

	if (ranges_parse(list, &cpus) <= 0)
		return error_set(err, "process.execCPUAffinity.%s: \"%s\" is not a list of CPUs",
				 field, list);
	/* EINVAL: none of them is there, or in the cpuset. */
	if (set(&cpus) < 0)
		return error_errno(err, errno,
				   "process.execCPUAffinity.%s: Failed to be on the CPUs \"%s\"",
				   field, list);
	return 0;
}

int affinity_before_join(const struct spec_process *process, struct error *err)
{
	return process->cpu_affinity_initial
		   ? set_list("initial", process->cpu_affinity_initial, err)
		   : 0;
}

int affinity_after_join(const struct spec_process *process, struct error *err)
{
	struct ranges all;

	if (process->cpu_affinity_final)
		return set_list("final", process->cpu_affinity_final, err);
	if (!process->cpu_affinity_initial)
		return 0;
	/* config.md: without it, the container's. The kernel takes away what its cpuset hasn't. */
	memset(&all, 0xff, sizeof(all));
	if (set(&all) < 0)
		return error_errno(err, errno,
				   "process.execCPUAffinity: Failed to be on the container's CPUs");
	return 0;
}
