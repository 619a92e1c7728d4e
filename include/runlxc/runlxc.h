/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librunlxc: OCI containers on LXC, from C.
 *
 *	struct runlxc_error err = RUNLXC_ERROR_INIT;
 *	struct runlxc *driver = runlxc_open("/run/runlxc", &err);
 *	int status;
 *
 *	if (!driver || runlxc_run(driver, "first", &(struct runlxc_create_options){.bundle =
 *"/srv/first"}, &status, &err) < 0) fprintf(stderr, "%s\n", err.message); runlxc_error_clear(&err);
 *	runlxc_close(driver);
 *
 * Every call returns 0, or a pointer, on success; -1, or NULL, on failure, and then fills *err with
 *one line that names what was asked for and what went wrong. Strings and arrays that a call hands
 *out belong to the caller, who frees them with free(3). Nothing here prints, exits, or installs a
 *signal handler.
 *
 * Threads: one `struct runlxc` may be used by several threads at once, for different containers;
 *two calls on one container take turns. runlxc_run() waits for children of the calling process,
 *whichever they are, and makes it a subreaper meanwhile: a program that has children of its own
 *calls runlxc_create(), runlxc_start() and runlxc_wait() instead.
 *
 * Needs the rights that making containers needs: root, or what stands for it.
 */
#ifndef RUNLXC_H
#define RUNLXC_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a failure comes with. Start with RUNLXC_ERROR_INIT; clear before reusing it. */
struct runlxc_error {
	int exit_code; /* 127 or 126 where the container's program is at fault, else 0 */
	int errnum;    /* errno of the failing system call where there was one, else 0 */
	char *message; /* one line, no newline; NULL when there was no error */
};
#define RUNLXC_ERROR_INIT                                                                          \
	{                                                                                          \
		0, 0, NULL                                                                         \
	}

void runlxc_error_clear(struct runlxc_error *err);

/* A state root and what is to be done with it. */
struct runlxc;

/*
 * Opens a driver on a state root, where every container has a directory. The root is made, 0700,
 * when the first container is. Does not block.
 */
struct runlxc *runlxc_open(const char *root, struct runlxc_error *err);
void runlxc_close(struct runlxc *driver);

enum runlxc_log_level {
	RUNLXC_LOG_ERROR,
	RUNLXC_LOG_WARNING,
	RUNLXC_LOG_INFO,
	RUNLXC_LOG_DEBUG,
};

/*
 * Where warnings go, and with RUNLXC_LOG_DEBUG the steps of each call, liblxc's included. `write`
 * is called from the thread that called into the library, one line a call, without a newline. NULL:
 * nowhere.
 */
void runlxc_set_log(struct runlxc *driver, enum runlxc_log_level level,
		    void (*write)(void *data, enum runlxc_log_level level, const char *message),
		    void *data);

/* "lxc-" and the version of liblxc underneath; static. */
const char *runlxc_name(const struct runlxc *driver);

/* What create and run may be told. Zero what you don't use. */
struct runlxc_create_options {
	const char *bundle; /* directory with config.json (runtime-spec, bundle.md); NULL: "." */
	const char *config; /* the text of a config.json instead of the bundle's; NULL */
	const char
	    *console_socket; /* AF_UNIX socket that gets the terminal's master (process.terminal) */
	const char *pid_file;	  /* gets the first process's pid, digits and nothing else */
	const char *pidfd_socket; /* AF_UNIX socket that gets a pidfd of it */
	int preserve_fds;	  /* descriptors 3 … 3+n-1 reach the program */
	int no_new_keyring;	  /* not 0: it keeps our session keyring */
	int lxc_monitor; /* not 0: LXC's monitor stays as its parent, so that LXC's tools see the
			    container, and the exit status is recorded for runlxc_wait() */
};

/*
 * Makes a container (runtime.md, "create"). Standard streams are inherited. Returns when its first
 * process waits to be started; that process is then a child of the nearest subreaper (prctl(2)),
 * which reaps it. On failure nothing is left. Blocks for milliseconds, or as long as the config's
 * hooks take.
 */
int runlxc_create(struct runlxc *driver, const char *id,
		  const struct runlxc_create_options *options, struct runlxc_error *err);

/* Starts a created container's program (runtime.md, "start"); returns once it runs. */
int runlxc_start(struct runlxc *driver, const char *id, struct runlxc_error *err);

/*
 * create, start, stay until it ends, delete. The container's terminal is relayed to descriptors 0
 * and 1, the signals that the process gets are passed on. *exit_status: 0–255, or 128+n when signal
 * n ended it.
 */
int runlxc_run(struct runlxc *driver, const char *id, const struct runlxc_create_options *options,
	       int *exit_status, struct runlxc_error *err);

/*
 * Runs one more process in a container, by an OCI process document's file (config.md, "Process"),
 * with our standard streams; blocks until it ends. *exit_status as in runlxc_run().
 */
int runlxc_exec(struct runlxc *driver, const char *id, const char *process_file, int *exit_status,
		struct runlxc_error *err);

/* Sends a signal to the first process, or, with `all` not 0, to every process of the container. */
int runlxc_kill(struct runlxc *driver, const char *id, int sig, int all, struct runlxc_error *err);

/* Removes a container that has ended, or that was never started. With `force` not 0 a running one,
 * too, and an unknown id is no error. Nothing of it is left: process, cgroup, mount, file. */
int runlxc_delete(struct runlxc *driver, const char *id, int force, struct runlxc_error *err);

/* Freezes or thaws every process; return once it is so. */
int runlxc_pause(struct runlxc *driver, const char *id, struct runlxc_error *err);
int runlxc_resume(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The OCI state document (runtime.md, "State"), JSON. */
char *runlxc_state(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The ids of all containers, sorted: a NULL-terminated array in one block, for one free(3). */
char **runlxc_list(struct runlxc *driver, struct runlxc_error *err);

/* Every pid in the container as the host sees it, ascending. */
int runlxc_pids(struct runlxc *driver, const char *id, pid_t **pids, size_t *count,
		struct runlxc_error *err);

/*
 * Blocks until the container has ended; *exit_status as in runlxc_run(). Without LXC's monitor the
 * kernel is asked, which tells it since Linux 6.15, and only to whoever waited already while the
 * container ran.
 */
int runlxc_wait(struct runlxc *driver, const char *id, int *exit_status, struct runlxc_error *err);

/* The container's LXC configuration, as LXC writes it. */
char *runlxc_config(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The OCI features document (features.md), JSON. */
char *runlxc_features(struct runlxc_error *err);

#ifdef __cplusplus
}
#endif

#endif
