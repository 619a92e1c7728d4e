/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's half: turns a spec into LXC configuration, has liblxc build the container, and
 * takes it over. The only room that knows liblxc.
 *
 * Whatever LXC can express becomes an `lxc.*` item, set value by value (set_config_item), so no
 * byte of a value is ever parsed as another line. What it can't express (see mounts.c) goes into
 * the process plan and is done by init once LXC has pivoted.
 */
#ifndef RUNLXC_LXC_LXC_H
#define RUNLXC_LXC_LXC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "process/process.h"
#include "spec/spec.h"

/* SCM_RIGHTS carries at most 253 descriptors; a dozen are our own. */
#define LXC_FDS_MAX 240

struct lxc_item {
	const char *key, *value;
};

/* What a container comes to for LXC, and what it takes besides. */
struct lxc_recipe {
	struct arena arena;
	size_t count, capacity;
	struct lxc_item *items;
	int fds[LXC_FDS_MAX]; /* detached trees for init, in the plan by number; owned */
	size_t fds_count;
	bool join_time; /* time_fd is one of them: a time namespace for LXC's monitor to join */
	int time_fd;
	const char *mount_label; /* for new file systems that LXC mounts; NULL: none */
	bool network_follows;	 /* its network namespace can be made by the caller */
	bool has_mqueue;	 /* one is mounted; its label is the monitor's affair */
	bool made_proc; /* the root had no /proc directory: made for the start, to be removed after
			   it */
};

struct lxc_request {
	const struct spec *spec;
	const char *rootfs; /* absolute, resolved */
	int rootfs_fd;
	const char *bundle; /* absolute: relative bind sources are meant from here */
	const struct cgroup_layout *layout;
	const struct cgroup_layout *shown;	  /* in mounts of cgroups; NULL: `layout` */
	const char *cgroup_path, *monitor_cgroup; /* "/docker/ID"; NULL: it gets none */
	const char *cgroup_base;		  /* the caller's, which these are below */
	bool cgroup_relative;			  /* LXC begins there, and not at the root */
	bool cgroup_limited;			  /* by somebody else, but for devices */
	bool rootless;				  /* the caller isn't root */
	bool in_user_namespace;			  /* or not the host's */
	bool no_new_keyring;
	bool lxc_annotations;	    /* the operator allows raw configuration */
	const char *network_prefix; /* of lxc_network_prefix() */
	int lowest_fd;		    /* descriptors for init must not be below this one */
	const struct log *log;
};

/*
 * Fills the recipe and the container's part of the plan. Makes missing mount targets in the root,
 * which is all that is ever written there. lxc_recipe_free() must be called after a failure, too.
 */
int lxc_compile(const struct lxc_request *request, struct lxc_recipe *recipe,
		struct plan_buffer *plan, struct error *err);
int lxc_recipe_add(struct lxc_recipe *recipe, const char *key, const char *value,
		   struct error *err);
/* Takes over a host descriptor that init will get, numbered above those that the program keeps;
 * returns the number that init will know it by. */
int lxc_recipe_keep_fd(struct lxc_recipe *recipe, int fd, int lowest, struct error *err);
void lxc_recipe_free(struct lxc_recipe *recipe);
#define cleanup_recipe __attribute__((cleanup(lxc_recipe_free)))

/* mounts.c and sysctls.c, parts of lxc_compile(). */
int lxc_compile_mounts(const struct lxc_request *request, struct lxc_recipe *recipe,
		       struct plan_buffer *plan, struct error *err);
int lxc_compile_sysctls(const struct lxc_request *request, struct lxc_recipe *recipe,
			struct plan_buffer *plan, struct error *err);

/* ---- raw configuration: raw.c ---- */

/* "org.linuxcontainers.lxc.KEY" sets "lxc.KEY"; "#2" and the like behind it let a key be repeated.
 */
#define LXC_RAW_PREFIX "org.linuxcontainers.lxc."
/* Where the operator allows it for the whole host: {"lxc_annotations": ["lxc.uts.name"]} */
#define LXC_RAW_OPERATOR_FILE "/etc/runlxc.conf"

/* The name of the first such annotation; NULL: there is none, and no more to do. */
const char *lxc_raw_asked(const struct spec *spec);
/* The error for one that nobody allowed. */
int lxc_raw_refuse(const char *annotation, struct error *err);
/* The same for the first whose key, by its name of today, is none of `allowed`: "lxc.net.*" is all
 * keys that begin with "lxc.net.". */
int lxc_raw_check_allowed(const struct spec *spec, char *const *allowed, size_t count,
			  struct error *err);
/*
 * Changes a spec that is valid by what belongs to init and to the spec itself; it is valid after
 * that, too. With `process_only` by what an exec has as well, and nothing else. What is LXC's to
 * apply becomes items in lxc_compile(). Every error names the annotation. May read files that the
 * annotations name (lxc.mount.fstab, lxc.seccomp.profile).
 */
int lxc_raw_apply(struct spec *spec, bool process_only, const struct log *log, struct error *err);
/* An error for an item that LXC has refused; it names the annotation if it was one's. */
int lxc_raw_blame(const struct spec *spec, const char *key, const char *value, const char *reason,
		  struct error *err);
/* Parts of lxc_compile(): what is LXC's; and after everything else the networks. */
int lxc_raw_compile(const struct lxc_request *request, struct lxc_recipe *recipe,
		    struct error *err);

/* ---- networks: network.c ---- */

/* How the host's ends of this container's veth pairs are called, but for a number. `root` is the
 * state root's descriptor. */
#define LXC_NETWORK_PREFIX 13
void lxc_network_prefix(int root, const char *id, char prefix[LXC_NETWORK_PREFIX]);
/* Once init is up: what LXC can't set on the host's ends. `config` is lxc_recipe_text()'s. */
int lxc_network_after_start(const struct spec *spec, const char *config, struct error *err);
/* Removes the host's ends, and with them the pairs. Only needed where the text of a container's
 * annotations says so (lxc_network_asked()); where they are gone, there is nothing to do. */
bool lxc_network_asked(const char *annotations);
void lxc_network_forget(int root, const char *id);

/* The items as a configuration file's text, one "key = value" a line; the caller frees it. */
char *lxc_recipe_text(const struct lxc_recipe *recipe, size_t *length, struct error *err);

/* ---- starting ---- */

/*
 * LXC's monitor: a child of ours in which liblxc's start() runs, and so init's parent until it is
 * killed (the hand-over) or, where it is kept, until the container ends. It is forked before it is
 * needed: loading liblxc takes as long as everything that we do meanwhile.
 */
struct lxc_monitor {
	pid_t pid;
	int control; /* ours; the monitor waits at the other end, and ends when we do */
	int log_fd;
	bool kept;	   /* not to be killed by lxc_monitor_close() */
	bool forked;	   /* not executed */
	bool left_cgroups; /* the container's; known when it has ended by itself */
};
#define LXC_MONITOR_INIT                                                                           \
	{                                                                                          \
		-1, -1, -1, false, false, false                                                    \
	}

/*
 * Executes it, for the container `id`. It keeps the standard streams and the descriptors below
 * `lowest`, and no other.
 */
int lxc_monitor_spawn(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err);

/*
 * The same, but forked, where that is possible: only in a program that has the monitor inside
 * (lxc_monitor_inside()) and no other threads. It is ready half a millisecond earlier, but what
 * comes from it shows the caller's own program behind /proc/PID/exe until it has executed init: it
 * is not for a container whose pid namespace others are in.
 */
int lxc_monitor_fork(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err);

/* Executes one instead of a forked one, which has not been told what to start. */
int lxc_monitor_unfork(struct lxc_monitor *monitor, const char *id, int lowest, struct error *err);

/* Once, at the beginning of a program that has monitor/ inside: its monitor_run(). */
void lxc_monitor_inside(int (*run)(int lowest, pid_t caller));

struct lxc_start {
	const struct lxc_recipe *recipe;
	const char *name, *path; /* LXC's name for the container and its lxcpath */
	int init_fd, plan_fd;
	int pivot_fd; /* one of `pass`: the sync socket, on which the moment before pivot_root(2) is
			 announced (SYNC_PIVOT); -1: nobody wants to know */
	const int
	    *pass; /* more descriptors that init gets, under the same numbers; -1 is skipped */
	size_t pass_count;
	int dir;		 /* the container's directory */
	int trace_fd;		 /* one of `pass`: base/trace.h; -1: nothing is traced */
	const char *made_cgroup; /* the container's, where somebody else has made it; NULL */
	/* Where LXC is to begin ("": the root), and in which hierarchies; NULL: where it wants to,
	 * in all that it finds. */
	const char *cgroup_base;
	const struct cgroup_layout *layout;
	bool delegated;	     /* it isn't the host's root who may write there */
	bool no_controllers; /* v2: it hands none down, but believes so */
	dev_t memory_device; /* of the hierarchies that have these controllers; 0: none */
	dev_t cpuset_device;
	bool network_follows; /* lxc_monitor_give_network() comes afterwards */
	bool keep_monitor;    /* the monitor writes DIR/config before and DIR/exit after */
	bool debug;
};

/*
 * Has it start the container. Returns at once; init's messages tell the rest. All descriptors must
 * be numbered `room` or above, where room is what lxc_monitor_room() says for as many.
 */
int lxc_monitor_start(struct lxc_monitor *monitor, const struct lxc_start *start,
		      struct error *err);

/* The lowest number for descriptors that are passed on, where `count` of them are passed and the
 * program keeps those below `lowest`. */
int lxc_monitor_room(int lowest, size_t count);

/* Tells a monitor that it is kept, and which the container's first process is: what it records at
 * the end is how that ended. `oom_file` (-1: none) counts who was killed for memory; LXC removes
 * the cgroup before anybody else could look. */
int lxc_monitor_keep(struct lxc_monitor *monitor, pid_t pid, int oom_file, struct error *err);

/* Kills the monitor, without waiting for its end. */
void lxc_hand_over_begin(const struct lxc_monitor *monitor);
/* Kills the monitor and reaps it. The container's first process, if it is there, goes to the
 * nearest subreaper. */
void lxc_hand_over(struct lxc_monitor *monitor);

/* After a start that failed in LXC: what its log says, as an error; a mount is named by its field.
 */
int lxc_error_from_log(const struct lxc_monitor *monitor, const struct spec *spec,
		       struct error *err);
/* Passes LXC's log on to ours, at debug level. */
void lxc_log_forward(const struct lxc_monitor *monitor, const struct log *log);

/* Removes what LXC leaves of a container on `path` (its lxcpath) when its monitor has ended: the
 * empty directories of its lock. */
void lxc_forget_path(const char *path);

/* Reaps a monitor that ends by itself. */
void lxc_monitor_wait(struct lxc_monitor *monitor);

/* Ends a monitor that is not kept, and lets go of it. */
void lxc_monitor_close(struct lxc_monitor *monitor);
#define cleanup_monitor __attribute__((cleanup(lxc_monitor_close)))

/* Makes a network namespace, with loopback up. A descriptor of it; -1 on error. */
int lxc_network_make(struct error *err);

/* After lxc_monitor_start() with network_follows: the container is to be in it. */
int lxc_monitor_give_network(struct lxc_monitor *monitor, int ns, struct error *err);

/* Brings loopback up in a process's network namespace, as LXC does it for a new container. */
int lxc_loopback_up(pid_t pid, struct error *err);

/* ---- looking ---- */

/* A stored configuration (lxc_recipe_text()), set into a fresh LXC container and written back by
 * LXC. The caller frees it. */
char *lxc_config_read_back(const char *text, struct error *err);

/* Whether liblxc is there, and new enough. Loads it. */
int lxc_library_check(struct error *err);

/* liblxc's version: "5.0.2". */
const char *lxc_library_version(void);

#endif
