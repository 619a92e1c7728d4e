/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/cgroups.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *monitor_cgroup;
static size_t monitor_length;

void cgroups_stay_out(const char *cgroup)
{
	monitor_cgroup = cgroup;
	monitor_length = strlen(cgroup);
}

bool cgroups_is_entered(int directory, const char *path)
{
	char name[64], target[4096];
	ssize_t length;

	if (!monitor_cgroup || strcmp(path, "cgroup.procs") != 0)
		return false;
	/* Whether it is a directory of the monitor's own cgroup, in whatever hierarchy. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", directory);
	length = readlink(name, target, sizeof(target));
	return length > (ssize_t)monitor_length && length < (ssize_t)sizeof(target) &&
	       memcmp(target + length - monitor_length, monitor_cgroup, monitor_length) == 0;
}

int cgroups_open_nothing(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}
