/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs commands for bench/run and says how long each took, so that what is measured is the command
 * and not a Python that forks: this program is small, static, and starts commands by vfork.
 *
 * It is a subreaper: what a runtime leaves behind becomes our child, as it becomes a shim's.
 *
 * Requests come on standard input. Each is a list of strings, every one ended by a NUL, and an
 * empty one at the end:
 *
 *   run PROGRAM [ARG...]  runs it; answers "NANOSECONDS MAXRSS-KiB WAIT-STATUS"
 *
 *   in FILE PROGRAM [ARG...]  the same in a cgroup, whose cgroup.procs FILE is
 *
 *   stamp PROGRAM [ARG...]  runs what leads to a number on its standard output, a time by the
 *   monotonic clock in nanoseconds; answers "NANOSECONDS-SINCE-THEN WAIT-STATUS"
 *
 *   many COUNT AT-ONCE PROGRAM [ARG...]  runs it COUNT times, AT-ONCE at the same time, with 0, 1
 *   and so on in place of each "{}"; answers "NANOSECONDS FAILED"
 *
 *   reap PID  waits until that orphan has ended; answers "WAIT-STATUS"
 *
 *   drain  collects every orphan that has ended; answers how many
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

/* `procs`: a cgroup's, to be in; -1: where we are. `output`: its standard output; -1: ours. */
static pid_t spawn(char **argv, int procs, int output)
{
	pid_t pid = vfork();

	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		if ((procs < 0 || write(procs, "0", 1) == 1) &&
		    (output < 0 || dup2(output, STDOUT_FILENO) >= 0))
			execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static int wait_for(pid_t pid, struct rusage *usage)
{
	int status;

	while (wait4(pid, &status, 0, usage) < 0) {
		if (errno != EINTR)
			fail("wait4");
	}
	return status;
}

static void run(FILE *out, char **argv, int procs)
{
	long long start = now(), end;
	struct rusage usage;
	int status = wait_for(spawn(argv, procs, -1), &usage);

	end = now();
	fprintf(out, "%lld %ld %d\n", end - start, usage.ru_maxrss, status);
}

static void run_in(FILE *out, const char *file, char **argv)
{
	int procs = open(file, O_WRONLY | O_CLOEXEC);

	if (procs < 0)
		fail(file);
	run(out, argv, procs);
	close(procs);
}

static void stamp(FILE *out, char **argv)
{
	char text[32] = "";
	long long end;
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe");
	status = wait_for(spawn(argv, -1, ends[1]), NULL);
	end = now();
	close(ends[1]);
	if (read(ends[0], text, sizeof(text) - 1) <= 0)
		status = -1;
	close(ends[0]);
	fprintf(out, "%lld %d\n", end - atoll(text), status);
}

/* "{}", once in a word at most, replaced by the number. */
static char *numbered(const char *word, int number)
{
	const char *place = strstr(word, "{}");
	char *made;

	if (!place)
		made = strdup(word);
	else if (asprintf(&made, "%.*s%d%s", (int)(place - word), word, number, place + 2) < 0)
		made = NULL;
	if (!made)
		fail("out of memory");
	return made;
}

static pid_t spawn_numbered(char **argv, int number)
{
	char *words[WORDS_MAX + 1] = {NULL};
	pid_t pid;
	int i;

	for (i = 0; argv[i]; i++)
		words[i] = numbered(argv[i], number);
	pid = spawn(words, -1, -1);
	for (i = 0; words[i]; i++)
		free(words[i]);
	return pid;
}

static void many(FILE *out, int count, int at_once, char **argv)
{
	long long start = now();
	int begun = 0, running = 0, failed = 0, status, i;
	pid_t pids[64], pid;

	if (at_once > 64)
		at_once = 64;
	while (begun < count || running) {
		while (begun < count && running < at_once)
			pids[running++] = spawn_numbered(argv, begun++);
		pid = wait(&status);
		for (i = 0; i < running && pids[i] != pid; i++)
			;
		if (i == running)
			continue; /* an orphan */
		pids[i] = pids[--running];
		failed += status != 0;
	}
	fprintf(out, "%lld %d\n", now() - start, failed);
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
			run(out, words + 1, -1);
		else if (strcmp(words[0], "in") == 0 && count > 2)
			run_in(out, words[1], words + 2);
		else if (strcmp(words[0], "stamp") == 0 && count > 1)
			stamp(out, words + 1);
		else if (strcmp(words[0], "many") == 0 && count > 3)
			many(out, atoi(words[1]), atoi(words[2]), words + 3);
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
