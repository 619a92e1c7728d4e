/* SPDX-License-Identifier: Apache-2.0 */
/* Writing marks: the part that the command, LXC's monitor and init share. */
#include "base/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct trace_page *trace_page;
enum trace_process trace_self = TRACE_COMMAND;

/* How far this process's clock is ahead of the command's. */
static int64_t ahead;

enum {
	SECOND = 1000000000,
	/* What two readings one after another, and the host's time being adjusted, come to at most.
	 */
	NOT_A_NAMESPACE = SECOND / 1000,
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

/* CLOCK_REALTIME is the same in all time namespaces (time_namespaces(7)). Where it is ahead of or
 * behind CLOCK_MONOTONIC by something else than for the command, we are in another one. */
void trace_set_clock(void)
{
	int64_t clock = read_clock(CLOCK_MONOTONIC) - read_clock(CLOCK_REALTIME);

	if (!trace_page->clock)
		trace_page->clock = clock;
	ahead = clock - trace_page->clock;
	if (llabs(ahead) < NOT_A_NAMESPACE)
		ahead = 0;
}

void trace_write(enum trace_process process, enum trace_level level, const char *name,
		 const char *detail)
{
	uint64_t time = (uint64_t)(read_clock(CLOCK_MONOTONIC) - ahead);
	uint32_t number = __atomic_fetch_add(&trace_page->used, 1, __ATOMIC_RELAXED);
	size_t length = strnlen(name, TRACE_TEXT - 2), room = TRACE_TEXT - 1 - (length + 1);
	struct trace_mark *mark;

	if (number >= TRACE_MARKS)
		return;
	mark = &trace_page->marks[number];
	mark->process = process;
	mark->level = level;
	/* The page was zero: every text ends with a NUL. */
	memcpy(mark->text, name, length);
	if (detail)
		memcpy(mark->text + length + 1, detail, strnlen(detail, room));
	__atomic_store_n(&mark->time, time, __ATOMIC_RELEASE);
}

void trace_become(enum trace_process process)
{
	char name[16];
	ssize_t length = readlink("/proc/self", name, sizeof(name) - 1);

	/* getpid(2) would tell the pid in a namespace that may be new. */
	if (length > 0) {
		name[length] = '\0';
		trace_pid(process, (pid_t)atoi(name));
	}
	trace_self = process;
}

void trace_attach(int descriptor, enum trace_process process)
{
	struct trace_page *page;

	if (descriptor < 0)
		return;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	close(descriptor);
	if (page == MAP_FAILED)
		return;
	trace_detach();
	trace_page = page;
	trace_self = process;
	trace_set_clock();
}

void trace_detach(void)
{
	if (trace_page)
		munmap(trace_page, sizeof(*trace_page));
	trace_page = NULL;
}
