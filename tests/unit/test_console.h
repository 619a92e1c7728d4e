/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreground sessions on real ptys, pipes and processes. The session runs in a process of its own
 * (the relay), as it does in the command; the test is the user around it.
 */
#ifndef RUNLXC_TESTS_UNIT_TEST_CONSOLE_H
#define RUNLXC_TESTS_UNIT_TEST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MEGABYTE ((size_t)1024 * 1024)

/* What a program in a session runs; its result is its exit status. Its streams are 0, 1 and 2, and
 * `control` is a pipe to the test. */
typedef int program_function(int control);

struct setup {
	program_function *program;
	bool terminal;	       /* give it a pty; else it has the relay's streams */
	int input, output;     /* the relay's; -1: none */
	int users_end;	       /* the other end of `input`, for the relay to close; 0: none */
	void (*prepare)(void); /* run in the relay before the program is started */
	bool wait_for_end;     /* let the program end before the session begins */
	bool adopt;	       /* the program's parent is another process, which leaves it to us */
	bool foreign;	       /* … which reaps it */
	int raise_before;      /* a signal that comes before the session begins */
};

struct outcome {
	int result, wait_status;
	bool children_left;
	char message[200];
};

struct relay_process {
	pid_t pid;
	int control; /* what programs write to their `control` */
	int report;  /* the outcome */
};

void write_all(int fd, const void *data, size_t length);
void read_exactly(int fd, void *data, size_t length);
void make_pipe(int ends[2]);
/* Of a program. */
void make_stdout_raw(void);
void make_pty(int *master, int *slave);
struct relay_process start_relay(const struct setup *setup);
struct outcome finish_relay(struct relay_process *relay);
void assert_exited(const struct outcome *outcome, int status);
struct outcome run_relay(const struct setup *setup);

#endif
