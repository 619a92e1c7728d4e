/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running processes in containers: what runlxc_run() and its kin hand out. Each has one descriptor
 * that poll(2) takes, so that one thread can have as many as it likes:
 *
 *	struct pollfd event = {.fd = runlxc_process_fd(process), .events = POLLIN};
 *	struct runlxc_exit how;
 *
 *	while (runlxc_process_dispatch(process, &how, &err) == 0)
 *		poll(&event, 1, -1);
 *
 * or, for a thread that has nothing else to do, runlxc_process_wait().
 */
#ifndef RUNLXC_PROCESS_H
#define RUNLXC_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct runlxc;
struct runlxc_error;
struct runlxc_process;

/* How a process ended. */
struct runlxc_exit {
	int status;	/* 0–255, or 128+n when signal n ended it */
	int signal;	/* n, else 0 */
	int oom_killed; /* not 0: the kernel killed a process of the container's for memory; it need
			   not have been this one. Told for a container's first process alone. */
};

/* In the place of a descriptor. */
enum {
	RUNLXC_STREAM_NULL = -1, /* /dev/null */
	RUNLXC_STREAM_PIPE =
	    -2, /* a new pipe; the caller gets its end by runlxc_process_take_stream() */
};

/*
 * A process's standard streams, and who is told of its start.
 *
 * A descriptor becomes the program's own: nothing is copied, and the library keeps none of it. With
 * a terminal (process.terminal, or the Command's "tty") the library copies instead, whenever
 * runlxc_process_dispatch() is called: from `input` to the terminal, from the terminal to `output`;
 * `error` has no meaning then. At the end of an `input` that is no terminal itself the program
 * reads an end of file. A pipe for `output` then means that the caller copies: both streams are the
 * terminal's master.
 */
struct runlxc_io {
	int input, output, error;
	/* Called once, from the starting thread, before any of the program has run; `pid` is the
	 * process's as the host sees it. NULL: nobody. */
	void (*started)(void *data, pid_t pid);
	void *data;
};
#define RUNLXC_IO_NULL                                                                             \
	{                                                                                          \
		RUNLXC_STREAM_NULL, RUNLXC_STREAM_NULL, RUNLXC_STREAM_NULL, NULL, NULL             \
	}

/* The process's pid as the host sees it; it is a child of the caller, but leave it to the library
 * to wait for it. Waiting for any child (waitpid(-1)) while one of these runs may take its status
 * away; so does ignoring SIGCHLD. */
pid_t runlxc_process_pid(const struct runlxc_process *process);

/* A descriptor, owned by the process, that polls readable whenever there is something to do: bytes
 * to copy, memory that ran out, an end. */
int runlxc_process_fd(const struct runlxc_process *process);

/*
 * Does what there is to do and returns: 1 when the process has ended and everything it wrote to its
 * terminal was passed on, with *how filled (again at every later call); 0 when it hasn't; -1 when
 * something failed at its end, told once; the next call is then 1. It waits for no reader, writer
 * or program. When a container's first process has ended, its container is deleted here, which
 * takes milliseconds, and the hooks `poststop` are run.
 */
int runlxc_process_dispatch(struct runlxc_process *process, struct runlxc_exit *how,
			    struct runlxc_error *err);

/* Dispatches until the process has ended. 0, or -1. Blocks for as long as it takes: a container's
 * first process ends when every other process in it was waited for, those of runlxc_exec() too. */
int runlxc_process_wait(struct runlxc_process *process, struct runlxc_exit *how,
			struct runlxc_error *err);

/* The caller's end of stream 0, 1 or 2 where RUNLXC_STREAM_PIPE was asked for: close-on-exec,
 * blocking (but for a terminal's master), and the caller's to close from now on. -1: there is none,
 * or it was taken. Streams that aren't taken are closed with the process. */
int runlxc_process_take_stream(struct runlxc_process *process, int stream);

/* Sets the size of the process's terminal, in character cells; the program gets SIGWINCH. An error
 * where it has no terminal. */
int runlxc_process_resize(struct runlxc_process *process, unsigned int height, unsigned int width,
			  struct runlxc_error *err);

/* Sends it a signal, by pidfd: never to another process. errnum ESRCH: it has ended. */
int runlxc_process_signal(struct runlxc_process *process, int sig, struct runlxc_error *err);

/* Lets go of it. If it hasn't ended it runs on, unattended: a container then stays until
 * runlxc_delete(), and the caller has one more child to wait for. */
void runlxc_process_free(struct runlxc_process *process);

#ifdef __cplusplus
}
#endif

#endif
