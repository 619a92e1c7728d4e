/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/pivot.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/plan.h"

#define EXPORTED __attribute__((visibility("default")))

typedef long (*syscall_function)(long number, ...);

static int announce_on = -1;

void pivot_announce(int sync)
{
	announce_on = sync;
}

static int announce(void)
{
	char message = SYNC_PIVOT;
	ssize_t got;

	if (send(announce_on, &message, 1, MSG_NOSIGNAL) != 1)
		return -1;
	do
		got = recv(announce_on, &message, 1, 0);
	while (got < 0 && errno == EINTR);
	if (got == 1 && message == SYNC_PIVOT)
		return 0;
	/* The caller gave up; LXC undoes what it has made. */
	errno = ECANCELED;
	return -1;
}

/* liblxc makes the call through this function of the C library, as an executable's symbols come
 * before a library's, through ours. */
EXPORTED long syscall(long number, ...)
{
	static syscall_function next;
	long arguments[6];
	va_list list;
	int i;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_pivot_root && announce_on >= 0 && announce() < 0)
		return -1;
	return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		    arguments[5]);
}
