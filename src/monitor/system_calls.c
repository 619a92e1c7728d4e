/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liblxc makes the system calls that the C library has no function for through syscall(3), and, as
 * an executable's symbols come before a library's, through this one.
 */
#include <dlfcn.h>
#include <linux/sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "monitor/cgroups.h"
#include "monitor/children.h"
#include "monitor/labels.h"
#include "monitor/pivot.h"

#define EXPORTED __attribute__((visibility("default")))

typedef long (*syscall_function)(long number, ...);

/* What clone(2) was asked for; 0: it is another call. */
static uint64_t clone_flags(long number, const long *arguments)
{
	if (number == SYS_clone3)
		return ((const struct clone_args *)arguments[0])->flags;
#if defined(__s390__)
	return number == SYS_clone ? (uint64_t)arguments[1] : 0;
#else
	return number == SYS_clone ? (uint64_t)arguments[0] : 0;
#endif
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
	if (number == SYS_pivot_root && pivot_is_next() < 0)
		return -1;
	if (number == SYS_openat2 &&
	    cgroups_is_entered((int)arguments[0], (const char *)arguments[1]))
		return cgroups_open_nothing();
	result = next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		      arguments[5]);
	if (result == 0 && (number == SYS_clone || number == SYS_clone3)) {
		children_follow();
		if (clone_flags(number, arguments) & CLONE_NEWIPC)
			labels_in_new_ipc_namespace();
	}
	return result;
}
