/* SPDX-License-Identifier: Apache-2.0 */
/* linux.mountLabel: which mounts get it as an option. Shared by the compiler and LXC's monitor. */
#ifndef RUNLXC_LXC_MOUNT_LABEL_H
#define RUNLXC_LXC_MOUNT_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Whether a new file system of that type does, as with runc. SELinux labels a procfs or a sysfs by
 * its policy; an mqueue and the cgroups the kernel has already, with the labels they have, when
 * they are mounted.
 */
static inline bool mount_label_applies(const char *type)
{
	static const char *const never[] = {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strcmp(type, never[i]) == 0)
			return false;
	return true;
}

#endif
