/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that the C libraries don't wrap, or wrap under headers that can't be included
 * together
 * (<sys/mount.h> and <linux/mount.h>). Used by the library (glibc) and by init (musl) alike;
 * include this instead of <sys/mount.h>.
 */
#ifndef RUNLXC_BASE_KERNEL_H
#define RUNLXC_BASE_KERNEL_H

#include <errno.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#define MFD_ALLOW_SEALING 0x0002U
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100
#endif
#ifndef O_PATH
#define O_PATH 010000000
#endif

static inline int kernel_mount(const char *source, const char *target, const char *type,
			       unsigned long flags, const void *data)
{
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static inline int kernel_umount(const char *target, int flags)
{
	return (int)syscall(SYS_umount2, target, flags);
}

static inline int kernel_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}

/* Attaches the detached mount `tree` on what `target` (an O_PATH descriptor) is. */
static inline int kernel_move_mount(int tree, int target)
{
	return (int)syscall(SYS_move_mount, tree, "", target, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static inline int kernel_set_group(int from, int to)
{
	return (int)syscall(SYS_move_mount, from, "", to, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
				MOVE_MOUNT_SET_GROUP);
}

/* Puts the private mount `to` into the peer group of `from`, and below its master. EINVAL: it has
 * neither. ENOSYS: Linux before 5.15. */
static inline int kernel_join_peers(int from, int to)
{
	if (kernel_set_group(from, to) == 0)
		return 0;
	/* Only a kernel that does not know the flag minds it more than these descriptors. */
	if (errno == EINVAL)
		errno = kernel_set_group(-1, -1) < 0 && errno == EINVAL ? ENOSYS : EINVAL;
	return -1;
}

static inline int kernel_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

/* The file system whose mount `target` (an O_PATH descriptor of its root) is, to be changed. */
static inline int kernel_fspick(int target)
{
	return (int)syscall(SYS_fspick, target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
}

static inline int kernel_fsconfig(int fd, unsigned int command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

static inline int kernel_fsmount(int fd, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static inline int kernel_mount_setattr(int dirfd, const char *path, unsigned int flags,
				       struct mount_attr *attributes)
{
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attributes, sizeof(*attributes));
}

static inline int kernel_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
				 uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

static inline int kernel_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* A duplicate of a descriptor of that process's. O_CLOEXEC. */
static inline int kernel_pidfd_getfd(int pidfd, int descriptor)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, descriptor, 0);
}

static inline int kernel_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/*
 * The wait(2) status of a process that was reaped, by a pidfd that was opened before
 * (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15; in no header of a distribution yet). -1: not
 * known; errno ENOTTY: nor will it ever be.
 */
static inline int kernel_pidfd_exit_status(int pidfd, int *wait_status)
{
	struct {
		uint64_t mask, cgroup_id;
		uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
		int32_t exit_code;
	} info = {.mask = 1 << 3};

	/* _IOWR(0xFF, 11, 64 bytes) */
	if (syscall(SYS_ioctl, pidfd, 0xc040ff0bUL, &info) < 0)
		return -1;
	if (!(info.mask & (1 << 3))) {
		errno = EAGAIN;
		return -1;
	}
	*wait_status = info.exit_code;
	return 0;
}

/* Default dispositions and an empty mask. By the system call: the C libraries keep a few real-time
 * signals to themselves. */
static inline void kernel_reset_signals(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {0};
	uint64_t none = 0;
	int sig;

	for (sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, &action, NULL,
			sizeof(none)); /* KILL and STOP: EINVAL */
	syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, sizeof(none));
}

static inline int kernel_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int kernel_memfd_create(const char *name, unsigned int flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

#endif
