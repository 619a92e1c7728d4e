/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/namespaces.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static bool no_cgroup_namespace;

void namespaces_only(const char *wanted)
{
	no_cgroup_namespace = !strstr(wanted, "cgroup");
}

EXPORTED int unshare(int flags)
{
	if (no_cgroup_namespace)
		flags &= ~CLONE_NEWCGROUP;
	return flags ? (int)syscall(SYS_unshare, flags) : 0;
}
