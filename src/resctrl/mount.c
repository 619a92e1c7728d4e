/* SPDX-License-Identifier: Apache-2.0 */
/* Where it is mounted. */
#include "resctrl/resctrl.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/mountinfo.h"

/* Not a bind mount of one group, which would look like the default one; and what is mounted over it
 * by now is something else. */
static int open_mount(const struct mountinfo_mount *mount)
{
	cleanup_close int fd = -1;
	struct statfs fs;

	if (strcmp(mount->type, "resctrl") != 0 || strcmp(mount->root, "/") != 0)
		return -1;
	fd = open(mount->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == RDTGROUP_SUPER_MAGIC ? fd_take(&fd)
										     : -1;
}

int resctrl_open(struct error *err)
{
	cleanup_mountinfo struct mountinfo info = {0};

	if (mountinfo_read(0, &info, err) < 0)
		return -1;
	for (size_t i = 0; i < info.count; i++) {
		int fd = open_mount(&info.mounts[i]);

		if (fd >= 0)
			return fd;
	}
	error_set(err, "the host has no resctrl file system mounted");
	err->errnum = ENOENT;
	return -1;
}
