/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the talk with init share, included by them and no test of its own. init is a
 * forked child that says what the test wants it to; the parent sees no difference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "process/sync.h"

#define LOWEST 40

/* ---- the two sides ---- */

static inline int open_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static inline void make_pair(int *ours, int *inits)
{
	struct error err = ERROR_INIT;

	if (process_sync_pair(LOWEST, ours, inits, &err) < 0)
		fail_msg("%s", error_text(&err));
}

/* What init is; its result is its exit status. */
typedef int init_function(int sync);

static inline pid_t start_init(init_function *function, int ours, int inits)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ours);
		_exit(function(inits));
	}
	close(inits);
	return pid;
}

static inline int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* In init: one message, with descriptors. */
static inline void say(int sync, const void *data, size_t size, const int *fds, size_t fds_count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(SYNC_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};

	if (fds_count) {
		head.msg_control = &control;
		head.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(fds_count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, fds_count * sizeof(int));
	}
	if (sendmsg(sync, &head, MSG_NOSIGNAL) != (ssize_t)size)
		_exit(98);
}

static inline void say_text(int sync, const char *text)
{
	say(sync, text, strlen(text), NULL, 0);
}

/* READY, with the socket on which the talk goes on; returns init's end of it. */
static inline int say_ready(int sync)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		_exit(96);
	say(sync, "R", 1, pair, 1);
	close(pair[0]);
	return pair[1];
}

static inline void wait_for_a_word(int sync)
{
	char byte;

	if (recv(sync, &byte, 1, 0) < 0)
		_exit(97);
}

struct outcome {
	int result;
	pid_t init, ready;
	int errnum, exit_code;
	char message[SYNC_MESSAGE_MAX + 100];
};

static inline struct outcome take(struct error *err, int result)
{
	struct outcome outcome = {.result = result, .ready = -1};

	outcome.errnum = err->errnum;
	outcome.exit_code = err->exit_code;
	if (result < 0)
		snprintf(outcome.message, sizeof(outcome.message), "%s", error_text(err));
	error_clear(err);
	return outcome;
}

/* Runs init until it is ready, has failed or is gone. */
static inline struct outcome wait_ready(init_function *init, const struct sync_handler *handler)
{
	static const struct sync_handler nothing;
	struct error err = ERROR_INIT;
	struct outcome outcome;
	pid_t pid, ready = -1;
	int ours, inits, result;

	make_pair(&ours, &inits);
	pid = start_init(init, ours, inits);
	result = process_sync_wait_ready(&ours, handler ? handler : &nothing, &ready, &err);
	outcome = take(&err, result);
	outcome.init = pid;
	outcome.ready = ready;
	close(ours);
	assert_int_equal(end_of(pid), 0);
	return outcome;
}

static inline struct outcome wait_executed_with(init_function *init,
						const struct sync_handler *handler)
{
	struct error err = ERROR_INIT;
	struct outcome outcome;
	int ours, inits, pidfd, result;
	pid_t pid;

	make_pair(&ours, &inits);
	pid = start_init(init, ours, inits);
	pidfd = kernel_pidfd_open(pid);
	result = process_sync_wait_executed(ours, pidfd, handler, &err);
	outcome = take(&err, result);
	outcome.init = pid;
	close(ours);
	close(pidfd);
	assert_int_equal(end_of(pid), 0);
	return outcome;
}

static inline struct outcome wait_executed(init_function *init, const struct log *log)
{
	return wait_executed_with(init, &(struct sync_handler){.log = log});
}
