/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liblxc drops the caller's groups before it executes init, and gives up where that isn't allowed:
 * in a user namespace that holds no more than a user's own ids. There nobody can leave a group
 * (user_namespaces(7), /proc/PID/setgroups), and the container's processes keep them, as with runc.
 */
#include <errno.h>
#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int setgroups(size_t count, const gid_t *groups)
{
	int result = (int)syscall(SYS_setgroups, count, groups);

	return result < 0 && errno == EPERM && count == 0 ? 0 : result;
}
