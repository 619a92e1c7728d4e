/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs commands for bench/run and says how long each took, so that what is measured is the command and
 * not a Python that forks: this program is small, static, and starts commands by vfork.
 *
 * It is a subreaper: what a runtime leaves behind becomes our child, as it becomes a shim's.
 *
 * Requests come on standard input. Each is a list of strings, every one ended by a NUL, and an empty
 * one at the end:
 *
 *   run PROGRAM [ARG...]   runs it; answers "NANOSECONDS MAXRSS-KiB WAIT-STATUS"
 *   reap PID               waits until that orphan has ended; answers "WAIT-STATUS"
 *   drain                  collects every orphan that has ended; answers how many
 *
 * Commands get /dev/null as standard input and output, and our standard error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	WORDS_MAX = 64,
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "timer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One request, as an argv in static storage. 0: no more. */
static int read_request(FILE *in, char *words[WORDS_MAX + 1])
{
	static char text[65536];
	size_t used = 0, start = 0;
	int count = 0, c;

	while ((c = getc(in)) != EOF) {
		if (used == sizeof(text) || count == WORDS_MAX) {
			errno = E2BIG;
			fail("request");
		}
		text[used++] = (char)c;
		if (c != '\0')
			continue;
		if (used - start == 1) {
			words[count] = NULL;
			return count;
		}
		words[count++] = text + start;
		start = used;
	}
	return 0;
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void run(FILE *out, char **argv)
{
	struct rusage usage;
	long long start, end;
	int status;
	pid_t pid;

	start = now();
	pid = vfork();
	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			fail("wait4");
	}
	end = now();
	fprintf(out, "%lld %ld %d\n", end - start, usage.ru_maxrss, status);
}

static void reap(FILE *out, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		fprintf(out, "-1\n"); /* it never became our child */
		return;
	}
	fprintf(out, "%d\n", status);
}

static void drain(FILE *out)
{
	int count = 0;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		count++;
	fprintf(out, "%d\n", count);
}

int main(void)
{
	char *words[WORDS_MAX + 1];
	int in_fd, out_fd, null_fd, count;
	FILE *in, *out;

	/* Commands must not see the pipes to bench/run: move those out of the way. */
	in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
	out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in_fd < 0 || out_fd < 0 || null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(null_fd, STDOUT_FILENO) < 0)
		fail("standard streams");
	in = fdopen(in_fd, "r");
	out = fdopen(out_fd, "w");
	if (!in || !out)
		fail("fdopen");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		fail("prctl");

	while ((count = read_request(in, words)) > 0) {
		if (strcmp(words[0], "run") == 0 && count > 1)
			run(out, words + 1);
		else if (strcmp(words[0], "reap") == 0 && count > 1)
			reap(out, (pid_t)atoi(words[1]));
		else if (strcmp(words[0], "drain") == 0)
			drain(out);
		else
			fprintf(out, "-1\n");
		if (fflush(out) == EOF)
			fail("answer");
	}
	return 0;
}
