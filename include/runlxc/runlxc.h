/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librunlxc: containers on LXC, from C.
 *
 *	struct runlxc_error err = RUNLXC_ERROR_INIT;
 *	struct runlxc *driver = runlxc_open("/run/runlxc", &err);
 *	struct runlxc_command command = {.id = "first", .rootfs = "/srv/first",
 *					 .network.host_networking = 1,
 *					 .process_config.entrypoint = "/bin/date"};
 *	struct runlxc_io io = {.input = 0, .output = 1, .error = 2};
 *	struct runlxc_exit how;
 *
 *	if (!driver || runlxc_command_run(driver, &command, &io, &how, &err) < 0)
 *		fprintf(stderr, "%s\n", err.message);
 *	runlxc_error_clear(&err);
 *	runlxc_close(driver);
 *
 * What to run is a Command (command.h) or an OCI bundle; what runs is a process (process.h), which
 * can be polled. Below that are the OCI verbs, create, start, state and the rest.
 *
 * Every call returns 0 (or a pointer, or what its comment says) on success; -1, or NULL, on
 * failure, and then fills *err, unless that is NULL, with one line that names what was asked for
 * and what went wrong. Strings and arrays that a call hands out belong to the caller, who frees
 * them with free(3). Nothing here prints, exits, or changes a signal handler, or a mask but for the
 * time of a call. Only what a call says it does blocks for longer than the kernel takes.
 *
 * Threads: one `struct runlxc` may be used by several threads at once, for different containers;
 * two calls on one container take turns. A `struct runlxc_process` belongs to one thread at a time.
 * The caller's process is a subreaper (prctl(2)) while a container of runlxc_run()'s is being
 * started, for a few milliseconds; a descendant that is orphaned in just that time becomes its
 * child.
 *
 * Needs the rights that making containers needs: root, or what stands for it.
 */
#ifndef RUNLXC_H
#define RUNLXC_H

#include <stddef.h>
#include <sys/types.h>

#include <runlxc/command.h>
#include <runlxc/process.h>

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
 * Opens a driver on a state root (NULL: "/run/runlxc"), where every container has a directory:
 * made, 0700, if it isn't there; it must belong to the caller and be nobody else's to write. An
 * error, too, where liblxc isn't there or is too old. (Row D01 of the old driver's behaviour, as
 * the rest of these names below.)
 */
struct runlxc *runlxc_open(const char *root, struct runlxc_error *err);

/* Processes that it started must have been freed by then. */
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
 * create and start, with these streams: the container of an OCI bundle, which is deleted as its
 * first process ends. Returns when its program runs. `options` and `io` are not needed after that.
 */
struct runlxc_process *runlxc_run(struct runlxc *driver, const char *id,
				  const struct runlxc_create_options *options,
				  const struct runlxc_io *io, struct runlxc_error *err);

/* The same for a Command (D03–D31). A Command that can't be had as it is is an error that names the
 * field. */
struct runlxc_process *runlxc_command_start(struct runlxc *driver,
					    const struct runlxc_command *command,
					    const struct runlxc_io *io, struct runlxc_error *err);

/* … and blocks until it has ended (D04). */
int runlxc_command_run(struct runlxc *driver, const struct runlxc_command *command,
		       const struct runlxc_io *io, struct runlxc_exit *how,
		       struct runlxc_error *err);

/* The config.json that a Command becomes. Containers that it names must be running. */
char *runlxc_command_config(struct runlxc *driver, const struct runlxc_command *command,
			    struct runlxc_error *err);

/* What exec runs (D38). Zero what you don't use. */
struct runlxc_exec_options {
	const char *process; /* the text of an OCI process document (config.md, "Process"), with
				everything that a process may have; NULL: the members below, and the
				container's own process for what they don't say */
	struct runlxc_command_process command; /* as a Command's process_config; env is added to the
						  container's own; user NULL: the container's */
	const char *working_dir;	       /* NULL: the container's */
	const char *const *group_add;	       /* names or numbers; NULL-terminated */
	const char *const *cap_add; /* "NET_ADMIN", with or without CAP_; NULL-terminated */
	int no_new_privs;	    /* not 0: no_new_privs(2), whatever the container has */
	const char *process_label, *apparmor_profile; /* NULL: the container's */
	const char *cgroup; /* below the container's own, and there; NULL: the container's */
	int ignore_paused;  /* not 0: in a paused container, too, where it waits for the end of that
			     */
};

/* Runs one more process in a container. */
struct runlxc_process *runlxc_exec(struct runlxc *driver, const char *id,
				   const struct runlxc_exec_options *options,
				   const struct runlxc_io *io, struct runlxc_error *err);

/* Sends a signal to the first process, or, with `all` not 0, to every process of the container. */
int runlxc_kill(struct runlxc *driver, const char *id, int sig, int all, struct runlxc_error *err);

/* Removes a container that has ended, or that was never started. With `force` not 0 a running one,
 * too, and an unknown id is no error. Nothing of it is left: process, cgroup, mount, file. */
int runlxc_delete(struct runlxc *driver, const char *id, int force, struct runlxc_error *err);

/* Freezes or thaws every process; return once it is so. */
int runlxc_pause(struct runlxc *driver, const char *id, struct runlxc_error *err);
int runlxc_resume(struct runlxc *driver, const char *id, struct runlxc_error *err);

/*
 * Changes the limits of a container that is created, runs or is paused. `resources` is the text
 * of an OCI resources document (config-linux.md, "Control groups"): what it leaves out, zeros that
 * mean "unset", and devices stay as they are. On failure every limit is as it was, and the error
 * names the field. Lowering a memory limit may block until the kernel has freed that much.
 */
int runlxc_update(struct runlxc *driver, const char *id, const char *resources,
		  struct runlxc_error *err);

/* The same as resume, as the old driver called it (D34). */
int runlxc_unpause(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* SIGKILL for every process of the container (D35). It is not deleted by that. */
int runlxc_terminate(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* Removes every trace of a container that isn't running, one whose create was killed half-way
 * included; a running one is an error, and nothing to remove is none (D39). */
int runlxc_clean(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* What a container is doing (D36). */
struct runlxc_info {
	int running; /* not 0: its program runs; 0, too, for an id that nobody has */
	int paused;  /* … and is frozen */
	pid_t pid;   /* of its first process, which may be waiting to be started; 0: none */
	unsigned long long oom_kills; /* processes that the kernel killed for memory so far */
};

/* Never an error but for an id that can't be one. */
int runlxc_info(struct runlxc *driver, const char *id, struct runlxc_info *info,
		struct runlxc_error *err);

/*
 * What a container uses, as JSON: an object like `runc events --stats` prints, network interfaces
 * included, with "read" (the time) and "memory_limit" (the machine's memory where there is none) in
 * its "data" (D40).
 */
char *runlxc_stats(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The same again and again: a reader keeps what it needs open, so that each time takes
 * microseconds. errnum ENODEV: the container has ended. One thread at a time. */
struct runlxc_stats_reader;
struct runlxc_stats_reader *runlxc_stats_open(struct runlxc *driver, const char *id,
					      struct runlxc_error *err);
char *runlxc_stats_read(struct runlxc_stats_reader *reader, struct runlxc_error *err);
void runlxc_stats_close(struct runlxc_stats_reader *reader);

/* The OCI state document (runtime.md, "State"), JSON. */
char *runlxc_state(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The ids of all containers, sorted: a NULL-terminated array in one block, for one free(3). */
char **runlxc_list(struct runlxc *driver, struct runlxc_error *err);

/* Every pid in the container as the host sees it, ascending. */
int runlxc_pids(struct runlxc *driver, const char *id, pid_t **pids, size_t *count,
		struct runlxc_error *err);

/*
 * Blocks until a container that somebody else runs has ended. Without LXC's monitor the kernel is
 * asked for the status, which tells it since Linux 6.15, and only to whoever waited already while
 * the container ran.
 */
int runlxc_wait(struct runlxc *driver, const char *id, struct runlxc_exit *how,
		struct runlxc_error *err);

/* The container's LXC configuration, as LXC writes it. */
char *runlxc_config(struct runlxc *driver, const char *id, struct runlxc_error *err);

/* The OCI features document (features.md), JSON. */
char *runlxc_features(struct runlxc_error *err);

#ifdef __cplusplus
}
#endif

#endif
