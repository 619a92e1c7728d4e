/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "lxc/mount_label.h"

#define NO_NEW_FILE_SYSTEM                                                                         \
	(MS_BIND | MS_MOVE | MS_REMOUNT | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static const char *mount_label;
static bool mqueue;
static int log_to = -1;

void labels_set(const char *label, bool label_mqueue, int log_fd)
{
	mount_label = label;
	mqueue = label_mqueue;
	log_to = log_fd;
}

static int label_mqueue(void)
{
	cleanup_close int fs = kernel_fsopen("mqueue"), tree = -1, root = -1;

	if (fs < 0 || kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	tree = kernel_fsmount(fs, 0);
	/* What that gave is only a name for it. */
	root = tree < 0 ? -1 : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0
		   ? -1
		   : fsetxattr(root, "security.selinux", mount_label, strlen(mount_label) + 1, 0);
}

void labels_in_new_ipc_namespace(void)
{
	if (!mqueue || label_mqueue() == 0)
		return;
	dprintf(log_to, "runlxc: Failed to give the mqueue linux.mountLabel %s: %s\n", mount_label,
		strerror(errno));
	_exit(1);
}

static int mount_labelled(const char *source, const char *target, const char *type,
			  unsigned long flags, const char *data)
{
	cleanup_free char *all = NULL;
	int saved;

	/* In quotes a comma ends nothing. The label has no quote in it:
	 * process_check_mount_label(). */
	if (asprintf(&all, "%s%scontext=\"%s\"", data ? data : "", data && *data ? "," : "",
		     mount_label) < 0) {
		all = NULL;
		errno = ENOMEM;
		return -1;
	}
	if (kernel_mount(source, target, type, flags, all) == 0)
		return 0;
	saved = errno;
	dprintf(log_to, "runlxc: Failed to mount a %s with linux.mountLabel %s: %s\n", type,
		mount_label, strerror(saved));
	errno = saved;
	return -1;
}

/* liblxc's mount(2): see system_calls.c. */
__attribute__((visibility("default"))) int mount(const char *source, const char *target,
						 const char *type, unsigned long flags,
						 const void *data)
{
	trace_part("mount", type && *type ? type : target);
	if (mount_label && type && !(flags & NO_NEW_FILE_SYSTEM) && mount_label_applies(type))
		return mount_labelled(source, target, type, flags, data);
	return kernel_mount(source, target, type, flags, data);
}
