/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl, for init to write. LXC would write them by name, below whatever is mounted on /proc
 * in the container by then (CVE-2025-52881); init has a descriptor of a /proc/sys that nobody in
 * the container has touched. Which namespace's value that means is decided by who opens and writes.
 */
#include "lxc/lxc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/procfs.h"
#include "lxc/compiler.h"

int compiler_open_procfs(const char *path)
{
	cleanup_close int host = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int sys = openat(host, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fs = -1, root = -1;
	struct statvfs there;

	if (sys < 0 || fstatvfs(sys, &there) < 0)
		return -1;
	if (procfs_has(sys) && !(there.f_flag & ST_RDONLY))
		return fd_take(&sys);
	fs = kernel_fsopen("proc");
	if (fs < 0 || kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	root = kernel_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return root < 0 ? -1 : openat(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int lxc_compile_sysctls(const struct lxc_request *request, struct lxc_recipe *recipe,
			struct plan_buffer *plan, struct error *err)
{
	const struct spec_pairs *sysctls = &request->spec->linux_.sysctl;
	cleanup_free struct plan_sysctl *items = NULL;
	struct plan_list list;
	size_t i;
	int fd;

	if (!sysctls->count)
		return 0;
	items = calloc(sysctls->count, sizeof(*items));
	if (!items)
		return error_errno(err, ENOMEM, "linux.sysctl");
	for (i = 0; i < sysctls->count; i++) {
		/* The very path that validation has looked at. */
		cleanup_free char *path = spec_sysctl_path(sysctls->items[i].key);

		if (!path)
			return error_errno(err, ENOMEM, "linux.sysctl");
		items[i].key = plan_add_string(plan, sysctls->items[i].key);
		items[i].path = plan_add_string(plan, path);
		items[i].value = plan_add_string(plan, sysctls->items[i].value);
	}
	list = plan_add_items(plan, items, sysctls->count, sizeof(*items));
	plan_head(plan)->sysctls = list;
	fd = compiler_open_procfs("sys");
	if (fd < 0)
		return error_errno(err, errno, "linux.sysctl: Failed to open \"/proc/sys\"");
	fd = lxc_recipe_keep_fd(recipe, fd, request->lowest_fd, err);
	if (fd < 0)
		return -1;
	plan_head(plan)->sysctl_fd = fd;
	return 0;
}
