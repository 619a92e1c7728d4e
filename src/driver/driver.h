/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs as functions. The command calls these and nothing below them; the public library
 * (include/runlxc/runlxc.h) is a thin cover over the same.
 *
 * No function here prints, exits, or changes its caller's signal handlers. All return 0 or -1 with
 * *err filled unless they say otherwise. Blocking: each says.
 */
#ifndef RUNLXC_DRIVER_DRIVER_H
#define RUNLXC_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

/* Whether a container whose cgroups can't be made is started all the same. */
enum driver_rootless {
	DRIVER_ROOTLESS_AUTO, /* where the caller isn't root, or not the host's */
	DRIVER_ROOTLESS_TRUE,
	DRIVER_ROOTLESS_FALSE,
};

struct driver {
	const char *root; /* the state root, "/run/runlxc" */
	bool systemd_cgroup;
	enum driver_rootless rootless;
	bool lxc_annotations; /* raw LXC configuration is allowed, see driver_create_options */
	bool debug;	      /* LXC's own log at debug level goes to the log, too */
	const char *criu;     /* CRIU's program; NULL: "criu" in $PATH */
	const struct log *log;
};

/* How a program that embeds the library has things, where the command has its own. */
struct driver_embedded {
	const int *streams; /* three descriptors to be the program's 0, 1 and 2 instead of ours */
	/* Called once, before any of the program has run, with the process's pid as the host sees
	 * it. */
	void (*started)(void *data, pid_t pid);
	void *data;
};

struct driver_create_options {
	const char *bundle; /* directory with config.json; NULL with config_text */
	const char *
	    config_text; /* an OCI document instead of the bundle's; "root.path" must be absolute */
	const char *config; /* the bundle's document, meant from there; NULL: config.json. With
			     * config_text no more than what errors call that */
	const char *console_socket; /* path, or NULL */
	const char *pid_file;
	const char *pidfd_socket;
	bool no_new_keyring;
	int preserve_fds;     /* 3 … 3+N-1 reach the program, besides LISTEN_FDS's */
	bool lxc_monitor;     /* keep LXC's monitor as the parent */
	bool lxc_annotations; /* the document may set LXC's own items by its annotations */
	const struct driver_embedded *embedded; /* NULL: the command */
};

/*
 * Makes the container: returns when its first process waits to be started, the pid file is complete
 * and the terminal was sent. On failure nothing is left. OCI runtime.md "create".
 */
int driver_create(const struct driver *driver, const char *id,
		  const struct driver_create_options *options, struct error *err);

/* Lets a created container's program run; returns once it does. A program that can't be executed is
 * an error with exit_code 127 or 126. OCI runtime.md "start". */
int driver_start(const struct driver *driver, const char *id, struct error *err);

struct runlxc_command;

/*
 * The OCI document for a Command of Docker's old execution driver, as config_text of a create that
 * has lxc_annotations: see command/command.h. Containers whose namespaces it shares must be running
 * below this root. NULL on failure; the caller frees it.
 */
char *driver_command_config(const struct driver *driver, const struct runlxc_command *command,
			    struct error *err);

/* Who a user is in a container that runs, by its own passwd and group files. */
struct command_identity;
int driver_find_identity(const struct driver *driver, const char *id, const char *user,
			 const char *const *group_add, struct command_identity *identity,
			 struct error *err);

struct driver_run_options {
	struct driver_create_options create;
	bool detach; /* return once the program runs */
	bool keep;   /* don't delete the container when it has ended */
};

/*
 * create + start, and unless `detach`: stays with the container until it ends (its terminal is
 * relayed to our stdin and stdout, our signals are forwarded), deletes it, and sets *exit_status to
 * 0–255, or 128+n when signal n ended it. The calling process becomes a subreaper meanwhile.
 */
int driver_run(const struct driver *driver, const char *id,
	       const struct driver_run_options *options, int *exit_status, struct error *err);

struct driver_exec_options {
	const char *process_file; /* an OCI process document … */
	const char *process_text; /* … or its text; both NULL: the fields below */
	char *const *args;	  /* NULL-terminated; NULL with process_file */
	char *const *env;	  /* added to the container's own; NULL: none */
	const char *cwd;
	bool user_set;
	uint32_t uid;
	bool gid_set;
	uint32_t gid;
	const uint32_t *additional_gids;
	size_t additional_gids_count;
	bool only_these_gids; /* without the groups of the container's own process */
	char *const
	    *capabilities; /* added to bounding, effective, permitted (and inheritable, as runc) */
	bool tty, detach;
	bool no_new_privs;
	const char *process_label, *apparmor;
	const char *console_socket, *pid_file, *pidfd_socket;
	/* Sub-cgroups: "PATH" for all controllers, or "CONTROLLER[,CONTROLLER…]:PATH", of which
	 * there may be several. Ends with NULL; NULL: the container's own. */
	char *const *cgroups;
	int preserve_fds;
	bool ignore_paused;
	const struct driver_embedded *embedded; /* NULL: the command */
};

/* Runs one more process in a container. Unless `detach` blocks until it ends and sets *exit_status
 * as driver_run() does. Its own failure is -1; err->exit_code is 127 or 126 where the program is at
 * fault. */
int driver_exec(const struct driver *driver, const char *id,
		const struct driver_exec_options *options, int *exit_status, struct error *err);

/* Sends a signal to the first process, or with `all` to every process of the container. */
int driver_kill(const struct driver *driver, const char *id, int sig, bool all, struct error *err);

/* Removes a container that has ended (or, created but not started, is killed first as runc does);
 * with `force` kills it first, and an unknown id is no error. */
int driver_delete(const struct driver *driver, const char *id, bool force, struct error *err);

int driver_pause(const struct driver *driver, const char *id, struct error *err);
int driver_resume(const struct driver *driver, const char *id, struct error *err);

struct driver_update_options {
	const char *resources; /* the text of an OCI resources document (config-linux.md,
				  "Control groups"); NULL: none */
	const char *name;      /* what errors call it; NULL: "resources" */
	const char *l3_cache_schema, *mem_bw_schema; /* Intel RDT's; NULL or "" */
};

/*
 * Changes the limits of a container that is created, runs or is paused. What the document leaves
 * out, zeros that mean "unset", and devices stay as they are. On failure everything is as it was,
 * and the error names the field. May block as long as the kernel takes to free memory.
 */
int driver_update(const struct driver *driver, const char *id,
		  const struct driver_update_options *options, struct error *err);

/* What CRIU is asked for, under runc's names. Strings are NULL where nothing was asked. */
struct driver_criu_options {
	const char *image_path;		 /* "checkpoint" by default */
	const char *work_path;		 /* CRIU's log goes there; by default image_path */
	const char *parent_path;	 /* of an earlier pre-dump, relative to image_path */
	const char *page_server;	 /* ADDRESS:PORT */
	const char *manage_cgroups_mode; /* soft, full, strict, ignore */
	const char *const *empty_ns;
	size_t empty_ns_count;
	const char *lsm_profile, *lsm_mount_context; /* restore */
	bool leave_running, pre_dump;		     /* checkpoint */
	bool tcp_established, tcp_skip_in_flight, ext_unix_sk, shell_job, file_locks, link_remap;
	bool auto_dedup;
	/* The memory stays where it is until the restored processes ask for it: checkpoint serves
	 * it at page_server, and goes on until all of it was asked for. */
	bool lazy_pages;
	int status_fd; /* gets a zero byte once it does; -1: none */
};

/*
 * Writes a running container's processes into files, and unless leave_running or pre_dump ends and
 * deletes it. Blocks until that is done. On failure it runs on as it did.
 */
int driver_checkpoint(const struct driver *driver, const char *id,
		      const struct driver_criu_options *options, struct error *err);

struct driver_restore_options {
	struct driver_create_options create; /* without the flags that a new process has */
	struct driver_criu_options criu;
	bool detach; /* return once it runs */
	bool keep;   /* don't delete the container when it has ended */
};

/* Makes a container of such files. As driver_run(); on failure nothing is left. */
int driver_restore(const struct driver *driver, const char *id,
		   const struct driver_restore_options *options, int *exit_status,
		   struct error *err);

enum driver_status {
	DRIVER_CREATING,
	DRIVER_CREATED,
	DRIVER_RUNNING,
	DRIVER_PAUSED,
	DRIVER_STOPPED,
};
/* "creating", "created" … */
const char *driver_status_name(enum driver_status status);

struct driver_container {
	char *id, *bundle, *rootfs, *created, *owner, *oci_version;
	char *annotations; /* a JSON object's text, or NULL */
	enum driver_status status;
	pid_t pid; /* 0 when stopped */
};

/* NULL on failure: "container does not exist: ID". Freed with driver_container_free(). */
struct driver_container *driver_state(const struct driver *driver, const char *id,
				      struct error *err);
void driver_container_free(struct driver_container *container);

/* The OCI state document (runtime.md "State"), with runc's rootfs, created and owner; freed by the
 * caller. */
char *driver_state_json(const struct driver_container *container, struct error *err);

/* Every container below the root, sorted by id. A root that is not there is an empty list. */
int driver_list(const struct driver *driver, struct driver_container ***containers, size_t *count,
		struct error *err);
void driver_list_free(struct driver_container **containers, size_t count);

/* Every pid of a container as the host sees it, ascending; *pids freed by the caller. */
int driver_pids(const struct driver *driver, const char *id, pid_t **pids, size_t *count,
		struct error *err);

struct driver_exit {
	int status;	 /* 0–255, or 128+n */
	int signal;	 /* n, where a signal ended it; else 0 */
	bool oom_killed; /* the kernel killed a process of the container's for memory */
};

/* Blocks until the container has ended. Where the kernel can't tell the status of a process that
 * someone else reaped, it is an error that says so. */
int driver_wait(const struct driver *driver, const char *id, struct driver_exit *exit,
		struct error *err);

struct driver_info {
	bool exists;
	enum driver_status status;
	pid_t pid; /* 0: none */
	uint64_t oom_kills;
};

/* What a container is doing; one that is not there is no error. */
int driver_info(const struct driver *driver, const char *id, struct driver_info *info,
		struct error *err);

/* Removes every trace of a container that isn't running, half-made ones included; nothing to remove
 * is no error. */
int driver_clean(const struct driver *driver, const char *id, struct error *err);

/* The container's LXC configuration, as LXC read it back. Freed by the caller. */
char *driver_config(const struct driver *driver, const char *id, struct error *err);

/* The OCI features document (features.md); freed by the caller. */
char *driver_features(struct error *err);

/* Versions of the libraries underneath, for --version: "5.0.2". Static strings. */
const char *driver_lxc_version(void);
const char *driver_seccomp_version(void);

#endif
