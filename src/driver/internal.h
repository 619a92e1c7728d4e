/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share. */
#ifndef RUNLXC_DRIVER_INTERNAL_H
#define RUNLXC_DRIVER_INTERNAL_H

#include "cgroup/cgroup.h"
#include "driver/driver.h"
#include "lxc/lxc.h"
#include "spec/read.h"
#include "spec/spec.h"
#include "state/state.h"

/* ---- container.c: an existing container ---- */

struct container {
	int root;
	struct state_dir dir;
	struct state *state;
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		-1, STATE_DIR_INIT, NULL                                                           \
	}

/* Opens a container by id and reads its state; with `lock` holds its lock until it is closed. */
int container_open(const struct driver *driver, const char *id, bool lock,
		   struct container *container, struct error *err);
void container_close(struct container *container);
#define cleanup_container __attribute__((cleanup(container_close)))

/* Whether its first process lives; a zombie is dead, and so is a pid that another process has by
 * now. */
bool container_is_alive(const struct state *state);

/* `layout` may be NULL: then a paused container is "running". */
enum driver_status container_status(const struct container *container,
				    const struct cgroup_layout *layout);

/* Its config.json, as it was created with. */
struct spec *container_spec(const struct container *container, struct error *err);

/* A pidfd of the first process, checked to be that process. errnum ESRCH: it is dead. */
int container_pidfd(const struct state *state, struct error *err);

/* The state document: on one line for hooks, spread out for people. The caller frees it. */
char *container_state_json(const struct state *state, enum driver_status status, bool pretty,
			   struct error *err);

/* Kills whatever is left in the container's cgroups, removes them, LXC's monitor's and its
 * directory. Keeps going after a failure, and reports the first. */
int container_destroy(const struct driver *driver, struct container *container,
		      const struct cgroup_layout *layout, struct error *err);

/* The status of wait(2) that a kept monitor, or `run --keep`, recorded. -1: nobody did. */
int container_recorded_exit(const struct container *container, int *wait_status);

/* The shell's convention for a status of wait(2). */
int driver_exit_status(int wait_status);

/* ---- bring_up.c: a new container ---- */

/* A container while it is brought up. */
struct creation {
	const struct driver *driver;
	const struct driver_create_options *options;
	const char *id;
	char tag[32]; /* what LXC's monitor and its cgroup are called, unless it is kept */
	char *bundle, *config_text, *lxc_text;
	size_t config_length, lxc_length;
	struct spec *spec;
	struct container container;
	struct cgroup_layout *layout;
	char *rootfs;
	int rootfs_fd;
	struct lxc_monitor monitor;
	int sync;
	int terminal; /* the master, where nobody was to get it over a console socket; -1 */
	int pidfd;
	bool made_proc;
	int preserve;	    /* descriptors from 3 on that the program gets */
	bool start_at_once; /* run: no start socket, go on as soon as the container is recorded */
};

/*
 * Everything from config.json to a container that waits to be started, or with start_at_once to one
 * whose program runs. On failure everything is undone. Zero-initialised by the callee; freed with
 * creation_free() in any case.
 */
int creation_run(struct creation *creation, const struct driver *driver, const char *id,
		 const struct driver_create_options *options, bool start_at_once,
		 struct error *err);
void creation_free(struct creation *creation);
#define cleanup_creation __attribute__((cleanup(creation_free)))

/* ---- run.c: what a container that is attended takes besides ---- */

/* Runs the hooks of that name; kills the container where one fails. */
int creation_poststart(const struct creation *creation, struct error *err);

/* Deletes what is left of an ended container, unless someone else has by now, and runs the hooks
 * `poststop`. With `keep` records its exit status instead. */
int creation_clean_up(struct creation *creation, bool keep, int exit_status, struct error *err);

/* ---- exec.c: one more process, which runs ---- */

struct exec_started {
	pid_t pid; /* a child of ours */
	int pidfd;
	int terminal; /* the master, unless it went over a console socket; -1 */
};
#define EXEC_STARTED_INIT                                                                          \
	{                                                                                          \
		0, -1, -1                                                                          \
	}

int exec_start(const struct driver *driver, const char *id,
	       const struct driver_exec_options *options, struct exec_started *started,
	       struct error *err);
void exec_started_close(struct exec_started *started);

/* ---- subreaper.c ---- */

/*
 * From enter to leave this process is the nearest subreaper: what LXC's monitor leaves behind as it
 * is killed falls to us. The flag is the whole process's, so that threads count who needs it, and
 * it gets its old value back from the last one.
 */
void subreaper_enter(void);
void subreaper_leave(void);

/* ---- streams.c: descriptors that travel ---- */

/* Duplicates of 0, 1, 2 (or of `from`, unless it is NULL) for init, numbered `lowest` or above; -1
 * where the stream is closed. */
int streams_dup(int lowest, const int *from, int streams[3], struct error *err);
void streams_close(int streams[3]);
/* How many descriptors from 3 on the program gets: --preserve-fds and, with `listen`, LISTEN_FDS.
 */
int streams_preserve(int asked, bool listen, int *count, struct error *err);
/* Adds the LISTEN_* variables to the process's environment where we got some ourselves. */
int streams_listen(struct spec *spec, struct error *err);
/* A file with the pid's digits and nothing else, complete or not there at all. */
int pid_file_write(const char *path, pid_t pid, struct error *err);

#endif
