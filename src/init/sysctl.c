/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl. The files are those of a /proc/sys on the host, of which the parent passed the
 * directory: whatever the container has on its own /proc, nothing there can lead a write elsewhere
 * (CVE-2025-52881). The kernel takes the value for the namespaces of who opens and writes, which
 * are the container's.
 */
#include "init/init.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/procfs.h"

static void set(struct init *init, const struct plan_sysctl *sysctl)
{
	const char *key = plan_text(init->plan, sysctl->key);
	const char *path = plan_text(init->plan, sysctl->path);
	const char *value = plan_text(init->plan, sysctl->value);
	int fd;

	fd = kernel_openat2(init->plan->sysctl_fd, path, O_WRONLY, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
				RESOLVE_NO_XDEV);
	if (fd < 0)
		report_failure(init, 0, errno,
			       "linux.sysctl[\"%s\"]: Failed to open \"/proc/sys/%s\"", key, path);
	if (!procfs_has(fd))
		report_failure(init, 0, 0,
			       "linux.sysctl[\"%s\"]: \"/proc/sys/%s\" is not on a procfs", key,
			       path);
	/* In one write: the kernel reads a value from the start of each. */
	errno = 0;
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		report_failure(init, 0, errno ? errno : EINVAL,
			       "linux.sysctl[\"%s\"]: Failed to write \"%s\"", key, value);
	close(fd);
}

void sysctl_apply(struct init *init)
{
	const struct plan_sysctl *sysctls = plan_items(init->plan, init->plan->sysctls);
	uint32_t i;

	for (i = 0; i < init->plan->sysctls.count; i++)
		set(init, &sysctls[i]);
	/* It leads to all of the host's procfs: gone before anything of the container's is run. */
	if (init->plan->sysctl_fd >= 0)
		close(init->plan->sysctl_fd);
}
