/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share. */
#ifndef RUNLXC_DRIVER_INTERNAL_H
#define RUNLXC_DRIVER_INTERNAL_H

#include "cgroup/cgroup.h"
#include "driver/driver.h"
#include "driver/resctrl.h"
#include "lxc/lxc.h"
#include "lxc/net_devices.h"
#include "lxc/rights.h"
#include "spec/read.h"
#include "spec/spec.h"
#include "state/state.h"
#include "systemd/systemd.h"

/* ---- container.c: an existing container ---- */

struct container {
	int root;
	struct state_dir dir;
	struct state *state;
	bool
	    damaged; /* its state can't be understood; what there is, is what it was created with */
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		-1, STATE_DIR_INIT, NULL, false                                                    \
	}

/* Opens a container by id and reads its state; with `lock` holds its lock until it is closed. */
int container_open(const struct driver *driver, const char *id, bool lock,
		   struct container *container, struct error *err);
/* The same where the state root is open already, as for a list; without `locked` not locked,
 * either. *container is CONTAINER_INIT, or with `locked` open. */
int container_read(struct container *container, int root, const char *id, bool locked,
		   struct error *err);
void container_close(struct container *container);
#define cleanup_container __attribute__((cleanup(container_close)))

/* Whether its first process lives; a zombie is dead, and so is a pid that another process has by
 * now. */
bool container_is_alive(const struct state *state);

/* `layout` may be NULL: then a paused container is "running". */
enum driver_status container_status(const struct container *container,
				    const struct cgroup_layout *layout);

/* Its config.json, as it was created with; and with what raw LXC configuration in it says of the
 * process, for exec. */
struct spec *container_document(const struct container *container, struct error *err);
struct spec *container_spec(const struct container *container, struct error *err);

/* A pidfd of the first process, checked to be that process. errnum ESRCH: it is dead. */
int container_pidfd(const struct state *state, struct error *err);

/* The state document: on one line for hooks, spread out for people. The caller frees it. */
char *container_state_json(const struct state *state, enum driver_status status, bool pretty,
			   struct error *err);

/* What `state` and `list` say of it; takes what it is made of from the container. */
struct driver_container *container_describe(struct container *container,
					    const struct cgroup_layout *layout, struct error *err);

/* Whether the cgroup of its path is the one that it was created in, and not one of that name which
 * somebody made since. -1: that can't be told. */
int container_owns_cgroup(const struct state *state, const struct cgroup_layout *layout,
			  struct error *err);

/* Kills whatever is left in the container's cgroups, removes them, LXC's monitor's and its
 * directory. Keeps going after a failure, and reports the first. */
int container_destroy(const struct driver *driver, struct container *container,
		      const struct cgroup_layout *layout, struct error *err);

/* The status of wait(2) that a kept monitor, or `run --keep`, recorded, and in memory->killed
 * whether memory had to do with it. -1: nobody did. */
struct memory_watch;
int container_recorded_exit(const struct container *container, int *wait_status,
			    struct memory_watch *memory);

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
	struct cgroup_layout *layout; /* where its cgroups are */
	struct cgroup_layout *shown;  /* what its mounts of cgroups show, if that is more; NULL */
	char *cgroup_path;	      /* until it is recorded; NULL: it gets none */
	char *cgroup_base;	      /* where LXC's monitor has its own; "" is the root */
	bool no_controllers;	      /* v2: the cgroups have none, and LXC isn't to try */
	struct systemd *systemd;      /* the manager that makes the cgroup; NULL: LXC does */
	struct systemd_place place;   /* its scope */
	pid_t holder;		      /* keeps the scope between two others of ours; 0 */
	struct lxc_rights rights;
	char *rootfs;
	int rootfs_fd;
	struct lxc_monitor monitor;
	int sync;
	int terminal; /* the master, where nobody was to get it over a console socket; -1 */
	int pidfd;
	pid_t init; /* as soon as it has said something: to be reaped where the start fails; 0 */
	bool made_proc;
	bool pivot_done;		 /* what is to be done before pivot_root(2) is */
	struct net_devices *net_devices; /* moved into the container; NULL */
	struct creation_resctrl resctrl;
	int network;	      /* the network namespace that was made for it; -1 */
	int preserve;	      /* descriptors from 3 on that the program gets */
	bool lxc_annotations; /* there are some, and they are allowed */
	bool start_at_once;   /* run: no start socket, go on as soon as the container is recorded */
	bool oom_killed;      /* a process of an attended one, in a scope of systemd's */
	bool scaffold;	      /* restore: only the cgroups are to stay */
	bool detached;	      /* restore: nobody of ours keeps the terminal */
};
#define CREATION_INIT                                                                              \
	{                                                                                          \
		.container = CONTAINER_INIT, .monitor = LXC_MONITOR_INIT,                          \
		.rights = LXC_RIGHTS_INIT, .rootfs_fd = -1, .sync = -1, .terminal = -1,            \
		.pidfd = -1, .network = -1, .resctrl = CREATION_RESCTRL_INIT                       \
	}

/*
 * Everything from config.json to a container that waits to be started, or with start_at_once to one
 * whose program runs. On failure everything is undone. Zero-initialised by the callee; freed with
 * creation_free() in any case.
 */
int creation_run(struct creation *creation, const struct driver *driver, const char *id,
		 const struct driver_create_options *options, bool start_at_once,
		 struct error *err);
/* The same for `run --detach`: nobody of ours keeps the terminal. */
int creation_run_detached(struct creation *creation, const struct driver *driver, const char *id,
			  const struct driver_create_options *options, struct error *err);
void creation_free(struct creation *creation);

/*
 * For a restore: a container without processes. Its directory, its cgroups with their limits and
 * the targets of its mounts are there, and creation->container.state tells of no process. The
 * caller is the nearest subreaper. On failure everything is undone; later the caller does it.
 */
int creation_scaffold(struct creation *creation, const struct driver *driver, const char *id,
		      const struct driver_create_options *options, bool detached,
		      struct error *err);
void creation_undo(struct creation *creation);

/* scaffold.c: parts of creation_scaffold() */
int scaffold_bring_up(struct creation *creation, int (*bring_up)(struct creation *, struct error *),
		      struct error *err);
int scaffold_check(const struct creation *creation, struct error *err);
int scaffold_leave_cgroups(struct creation *creation, struct error *err);

/* annotations.c: raw LXC configuration, if it is there and allowed; the spec is valid before and
 * after. */
int creation_apply_annotations(struct creation *creation, struct error *err);
#define cleanup_creation __attribute__((cleanup(creation_free)))

/* ---- creation_read.c, creation_record.c, creation_spawn.c: parts of a creation ---- */

/* The bundle's or the caller's document, read and checked; then its root. */
int creation_read_config(struct creation *creation, struct error *err);
int creation_open_rootfs(struct creation *creation, struct error *err);
int creation_check_terminal(const struct creation *creation, bool keeps_terminal,
			    struct error *err);
/* What is going to be made, before it is; then what other commands will want to read. */
int creation_record(struct creation *creation, struct error *err);
/* The caller frees it; NULL: no memory. */
char *creation_monitor_cgroup(const struct creation *creation);
/* Has LXC begin; init's messages tell the rest. */
int creation_spawn(struct creation *creation, struct error *err);
/* Before it: only that there may be that cgroup, which it takes over. */
int creation_record_beside(struct creation *creation, char *cgroup, struct error *err);
int creation_keep_configs(const struct creation *creation, struct error *err);

/* Its first process is known from here on. */
void creation_note_process(struct creation *creation, pid_t pid);

/* ---- rootless.c: a caller who isn't root, or not the host's ---- */

/* Finds the hierarchies, and the container's path in them; creation->layout is empty and its path
 * NULL where it will have no cgroup. */
int creation_place_cgroups(struct creation *creation, struct error *err);
/* lxc_compile() with the rights that it needs. */
int creation_compile(struct creation *creation, const struct lxc_request *request,
		     struct lxc_recipe *recipe, struct plan_buffer *plan, struct error *err);
/* Says, once it is up, that the container has none. */
void creation_warn_of_cgroups(const struct creation *creation);
/* The trees for a mount of type cgroup. */
int creation_open_cgroups(struct creation *creation, int *fds, size_t *count, struct error *err);
/* What only a parent can set on a process that waits; `pidfd` is its. */
int rootless_apply_from_outside(const struct spec_process *process, pid_t pid, int pidfd,
				struct error *err);
/* Takes the directory away again that was made in the root; -1 with errno. */
int creation_remove_proc(const struct creation *creation);
/* Who is in a container without cgroups: its pid namespace's processes. */
int rootless_pids(const struct state *state, pid_t **pids, size_t *count, struct error *err);
int rootless_kill(const struct state *state, int sig, struct error *err);
/* The container's cgroup, or an error: it has none. */
const char *container_cgroup(const struct container *container, struct error *err);

/* ---- scope.c: --systemd-cgroup ---- */

/* creation_place_cgroups() where systemd makes them. */
int creation_place_scope(struct creation *creation, struct error *err);
/* With LXC's monitor in it, which holds it until the container's first process is there. */
int creation_start_scope(struct creation *creation, struct error *err);
/* A restore's: the scope would end with LXC's init, before CRIU is there. */
int creation_hold_scope(struct creation *creation, struct error *err);
void creation_release_scope(struct creation *creation);
/* linux.resources, as the scope's properties and in its files. */
int creation_limit_scope(const struct creation *creation, struct error *err);
/* Of an update: the same for what has been written to the files; and back again. */
int container_update_scope(const struct container *container, const struct cgroup_layout *layout,
			   struct cgroup_settings *settings, struct error *err);
int container_restore_scope(const struct container *container, const struct cgroup_layout *layout,
			    struct cgroup_settings *settings, struct error *err);
/* Whether we may not move processes of ours there; then it is systemd's to do. */
bool container_needs_attaching(const struct container *container,
			       const struct cgroup_layout *layout);
int container_attach(const struct container *container, pid_t pid, struct error *err);
/* Stops it when everybody in it is gone. */
void container_stop_scope(const struct driver *driver, const struct state *state,
			  const struct cgroup_layout *layout);

/* ---- pivot_hooks.c ---- */

/* Whether there is something to do before pivot_root(2), hooks above all; creation_at_pivot(), a
 * sync_handler's, does it. */
bool creation_waits_at_pivot(const struct creation *creation);
int creation_at_pivot(void *data, pid_t pid, struct error *err);

/* ---- seccomp_agent.c ---- */

struct seccomp_process {
	const struct spec *spec;
	const struct state *state;
	enum driver_status status; /* the container's */
	pid_t pid;		   /* the process's */
	int pidfd;
};

/* Where the filter will need an agent: whether there is a socket to reach it by. */
int seccomp_agent_check(const struct spec *spec, const char *bundle, struct error *err);

/* Sends the agent a process's listener and what there is to know of it. On failure the process is
 * killed. */
int seccomp_agent_tell(const struct seccomp_process *process, int listener, struct error *err);

/* ---- run.c: what a container that is attended takes besides ---- */

/* Runs the hooks of that name; kills the container where one fails. */
int creation_poststart(const struct creation *creation, struct error *err);
/* Those of `poststop`; their failures are warned of. */
void creation_poststop(const struct creation *creation);

/* Deletes what is left of an ended container, unless someone else has by now, and runs the hooks
 * `poststop`. With `keep` records its exit status instead. */
int creation_clean_up(struct creation *creation, bool keep, int exit_status, struct error *err);
/* The same for whoever stayed with it; -1 as `stayed` ends it, and err is that of staying. */
int creation_end(struct creation *creation, int stayed, bool keep, int exit_status,
		 struct error *err);

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

/* ---- affinity.c: CPUs ---- */

/* process.execCPUAffinity: `initial` of a process (0: the calling one) before it is in the
 * container's cgroups, `final` of the calling one when it is. */
int affinity_before_join(const struct spec_process *process, pid_t pid, struct error *err);
int affinity_after_join(const struct spec_process *process, struct error *err);
/* Whatever the caller was confined to, on all CPUs that its cgroups allow. */
int affinity_reset(pid_t pid, struct error *err);

/* ---- namespaces.c ---- */

/* CLONE_NEW* for each of a process's namespaces that is not ours. */
int namespaces_not_ours(pid_t pid, uint32_t *flags, struct error *err);

/* The pid that a process has in its own pid namespace. */
int namespaces_own_pid(pid_t pid, pid_t *own, struct error *err);

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
