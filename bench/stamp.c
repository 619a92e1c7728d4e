/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of a container that tells when something ended, by the monotonic clock in
 * nanoseconds:
 *
 *   stamp  it does itself, right after it said so
 *
 *   stamp oom  for every byte on its standard input a child, which takes memory until it is killed
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* *last: when it asked for the page that it was not given. */
static void take_memory(volatile long long *last)
{
	enum { MIB = 1 << 20, PAGE = 4096 };

	for (;;) {
		char *memory =
		    mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t at = 0; memory != MAP_FAILED && at < MIB; at += PAGE) {
			*last = now();
			memory[at] = 1;
		}
	}
}

int main(int argc, char **argv)
{
	volatile long long *last;
	char byte;
	pid_t pid;

	if (argc < 2 || strcmp(argv[1], "oom") != 0) {
		dprintf(STDOUT_FILENO, "%lld\n", now());
		return 0;
	}
	last = mmap(NULL, sizeof(*last), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	while (last != MAP_FAILED && read(STDIN_FILENO, &byte, 1) == 1) {
		pid = fork();
		if (pid == 0)
			take_memory(last);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
		dprintf(STDOUT_FILENO, "%lld\n", *last);
	}
	return 0;
}
