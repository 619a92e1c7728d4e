/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of linux.seccomp share, included by them and no test of its own: a profile is
 * compiled and installed in a forked child that makes calls. Most of these are getppid(2), which
 * the kernel gives no arguments to: the filter sees whatever was put there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"
#include "spec/read.h"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

#define TEXT(text) ((char *)(uintptr_t)(text))

/* What the tests' own rules answer: no call fails with it by itself. */
#define BLOCKED EXFULL

#define RULE(call, what, ...)                                                                      \
	(struct spec_seccomp_rule)                                                                 \
	{                                                                                          \
		.names = STRINGS(call), .action = TEXT(what), __VA_ARGS__                          \
	}

#define ALLOW_ALL_BUT(rule_list, count)                                                            \
	(struct spec_seccomp)                                                                      \
	{                                                                                          \
		.set = true, .default_action = TEXT("SCMP_ACT_ALLOW"), .syscalls = (rule_list),    \
		.syscalls_count = (count)                                                          \
	}

/* ---- compiling ---- */

static inline void compile(const struct spec_seccomp *seccomp, struct plan_buffer *buffer)
{
	struct error err = ERROR_INIT;
	const struct plan *plan;

	plan_buffer_init(buffer);
	if (process_compile_seccomp(seccomp, -1, NULL, buffer, &err) < 0)
		fail_msg("%s", error_text(&err));
	plan = plan_head(buffer);
	assert_true(plan->seccomp.count > 0);
	assert_true(plan->seccomp.count <= BPF_MAXINSNS);
	assert_int_equal(plan->seccomp.offset % 8, 0);
	assert_true(plan->seccomp.offset + plan->seccomp.count * sizeof(struct sock_filter) <=
		    buffer->size);
}

/* ---- a child under the filter ---- */

struct call {
	long number;
	unsigned long args[6];
	int error; /* errno, 0: it went through */
};

static inline bool filters_work(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

/* In the child: as init does it, but for the rights that a plain user has not. */
static inline void install(const struct plan_buffer *buffer)
{
	const struct plan *plan = (const void *)buffer->data;
	struct sock_fprog program = {.len = (unsigned short)plan->seccomp.count,
				     .filter = (void *)(buffer->data + plan->seccomp.offset)};

	/* cmocka has a handler for it, which would go on with the next test. */
	signal(SIGSYS, SIG_DFL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->seccomp_flags, &program) < 0)
		_exit(99);
}

/* Makes the calls one after another; returns the child's wait status. */
static inline int run(const struct spec_seccomp *seccomp, struct call *calls, size_t count)
{
	size_t size = count * sizeof(*calls);
	struct call *shared =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cleanup_plan struct plan_buffer buffer;
	int status;
	pid_t pid;

	if (!filters_work()) {
		print_message("skipped: this kernel has no seccomp\n");
		skip();
	}
	assert_true(shared != MAP_FAILED);
	memcpy(shared, calls, size);
	compile(seccomp, &buffer);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		install(&buffer);
		for (struct call *call = shared; call < shared + count; call++) {
			const unsigned long *args = call->args;
			long result = syscall(call->number, args[0], args[1], args[2], args[3],
					      args[4], args[5]);

			call->error = result < 0 ? errno : 0;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	memcpy(calls, shared, size);
	munmap(shared, size);
	return status;
}

static inline int error_of(const struct spec_seccomp *seccomp, long number)
{
	struct call call = {.number = number};

	assert_int_equal(run(seccomp, &call, 1), 0);
	return call.error;
}
