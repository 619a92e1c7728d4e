/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liblxc makes the system calls that the C library has no function for through syscall(3), and, as
 * an executable's symbols come before a library's, through this one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trace.h"
#include "monitor/cgroups.h"
#include "monitor/children.h"
#include "monitor/labels.h"
#include "monitor/network.h"
#include "monitor/payload.h"
#include "monitor/pivot.h"
#include "monitor/scope.h"

#define EXPORTED __attribute__((visibility("default")))

typedef long (*syscall_function)(long number, ...);

static bool is_clone(long number)
{
	return number == SYS_clone || number == SYS_clone3;
}

#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* What clone(2) was asked for; 0: it is another call, or asks only whether the kernel has it. */
static uint64_t clone_flags(long number, const long *arguments)
{
	const struct clone_args *args = (const struct clone_args *)arguments[0];

	if (number == SYS_clone3)
		return args ? args->flags : 0;
	return number == SYS_clone ? (uint64_t)arguments[CLONE_FLAGS] : 0;
}

/* LXC's own arguments: it tries again with them where the kernel refuses. */
static void set_clone_flags(long number, long *arguments, uint64_t flags)
{
	if (number == SYS_clone3)
		((struct clone_args *)arguments[0])->flags = flags;
	else
		arguments[CLONE_FLAGS] = (long)flags;
}

static long clone_in_place(syscall_function next, long number, const long *arguments)
{
	long result;

	if (number == SYS_clone3)
		payload_clone_into((struct clone_args *)arguments[0], (size_t)arguments[1]);
	result = next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		      arguments[5]);
	if (result < 0 && number == SYS_clone3 &&
	    payload_clone_beside((struct clone_args *)arguments[0]))
		result = next(number, arguments[0], arguments[1]);
	return result;
}

/* In the container's network namespace, if there is one already. */
static long clone_for_lxc(syscall_function next, long number, long *arguments)
{
	uint64_t flags = clone_flags(number, arguments);
	int entered = network_enter(flags), error;
	long result;

	if (entered <= 0)
		return entered < 0 ? -1 : clone_in_place(next, number, arguments);
	set_clone_flags(number, arguments, flags & ~(uint64_t)CLONE_NEWNET);
	result = clone_in_place(next, number, arguments);
	if (result == 0) {
		network_stay();
		return 0;
	}
	error = errno;
	set_clone_flags(number, arguments, flags);
	if (network_leave(result > 0) < 0 && result > 0) {
		kill((pid_t)result, SIGKILL);
		syscall(SYS_wait4, result, NULL, __WALL, NULL);
		result = -1;
	}
	errno = error;
	return result;
}

static long open_for_lxc(syscall_function next, const long *arguments)
{
	const char *path = (const char *)arguments[1];
	const struct open_how *how = (const struct open_how *)arguments[2];
	int directory = (int)arguments[0];
	long result;

	/* LXC asks on its way which calls the kernel has. */
	if (!path || !how)
		return next(SYS_openat2, directory, path, how, arguments[3]);
	/* LXC holds a file of that name in the root open, for a root on a disk that nobody must
	 * unmount meanwhile; and leaves it there if it is killed just then. */
	if (strcmp(path, ".lxc_keep") == 0) {
		errno = EROFS;
		return -1;
	}
	result = scope_open(directory, path);
	if (result >= 0 || errno != 0)
		return result;
	result = cgroups_open(directory, path, how->flags);
	if (result >= 0 || errno != 0)
		return result;
	if (payload_is_entered(directory, path))
		return payload_open_nothing();
	result = next(SYS_openat2, directory, path, how, arguments[3]);
	payload_look((int)result, path);
	return result;
}

/* <unistd.h> has it. */
EXPORTED long syscall(long number, ...)
{
	static syscall_function next;
	long arguments[6], result;
	va_list list;
	int i;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_pivot_root)
		trace_step("LXC's child: change the root");
	if (number == SYS_pivot_root && pivot_is_next() < 0)
		return -1;
	if (number == SYS_openat2)
		return open_for_lxc(next, arguments);
	if (is_clone(number))
		result = clone_for_lxc(next, number, arguments);
	else
		result = next(number, arguments[0], arguments[1], arguments[2], arguments[3],
			      arguments[4], arguments[5]);
	if (result > 0 && clone_flags(number, arguments) & CLONE_PIDFD) {
		trace_step("LXC: the container's start, its child at work");
		children_watch((pid_t)result);
	}
	if (result > 0 && is_clone(number))
		scope_has_child(clone_flags(number, arguments));
	if (result == 0 && is_clone(number)) {
		children_follow();
		if (clone_flags(number, arguments) & CLONE_PIDFD) {
			trace_child(TRACE_INIT);
			trace_step("LXC's child: namespaces");
		}
		payload_is_cloned();
		if (clone_flags(number, arguments) & CLONE_NEWIPC)
			labels_in_new_ipc_namespace();
	}
	return result;
}
