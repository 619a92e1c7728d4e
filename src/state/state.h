/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's directory, ROOT/ID/: state.json, and the files that other rooms put there
 * (config.json, config.lxc, the start socket). ROOT is 0700 and belongs to whoever runs runlxc.
 *
 * A directory is made, changed and removed only under its lock (flock on the directory itself), so
 * two commands on one container take turns; state.json is written to a temporary name and renamed,
 * so a reader without the lock sees the old text or the new one and never half of either.
 */
#ifndef RUNLXC_STATE_STATE_H
#define RUNLXC_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define STATE_ID_MAX 1024

/* What state.json holds. Strings are owned by the struct. */
struct state {
	char *id;
	char *oci_version;
	char *bundle;		  /* absolute */
	char *rootfs;		  /* absolute, resolved */
	char *created;		  /* RFC 3339 with nanoseconds, UTC */
	char *owner;		  /* user name, "" if unknown */
	char *cgroup_path;	  /* "/docker/ID" */
	uint64_t cgroup_identity; /* which cgroup of that path is the container's (cgroup.h); 0: it
				     isn't made yet, or by whom isn't known */
	char *monitor_cgroup; /* LXC's monitor's, to be removed with the container; NULL: none */
	char *resctrl_group;  /* whom its processes share the cache with; NULL: linux.intelRdt isn't
				 set */
	uint64_t resctrl_identity; /* which group of that name it is; 0: as cgroup_identity */
	bool resctrl_made;	   /* the group is to be removed with the container */
	bool resctrl_monitor;	   /* it has a monitoring group in there, which is called like it */
	char *annotations;	   /* the JSON object's text, or NULL */
	pid_t pid; /* the container's PID 1 as the host sees it; 0 while it is being created */
	uint64_t pid_start; /* its start time in clock ticks since boot, from /proc/PID/stat */
	pid_t monitor_pid;  /* LXC's monitor where it was kept, else 0 */
	uint64_t monitor_start;
	bool created_only; /* created, not yet started */
	bool systemd_cgroup;
	bool pid_namespace_shared; /* PID 1 of the container is not PID 1 of a namespace of its own
				    */
	bool no_new_keyring; /* its processes share the session keyring of whoever starts them */
	int exit_status;     /* as wait(2) gives it; recorded by a kept monitor; -1: not known */
};

/* An id as runc allows it: 1 to STATE_ID_MAX bytes of [A-Za-z0-9_+.-]; but not one that starts with
 * a dot: those names below the root are runlxc's own (the seccomp cache). */
int state_id_check(const char *id, struct error *err);

/* Opens the root directory; with `create` makes it (and its missing parents) 0700. Returns an
 * O_DIRECTORY descriptor, -1 on failure. Without `create` a missing root is -1 with errnum ENOENT.
 */
int state_root_open(const char *root, bool create, struct error *err);

/* An open, locked (unless opened without the lock) container directory. */
struct state_dir {
	int dir;  /* ROOT/ID */
	int lock; /* the same directory once more, holding the flock; -1: not locked */
};
#define STATE_DIR_INIT                                                                             \
	{                                                                                          \
		-1, -1                                                                             \
	}

/* Makes ROOT/ID and locks it. "container with id exists: ID" when it is there (errnum EEXIST). */
int state_dir_create(int root, const char *id, struct state_dir *dir, struct error *err);

/* Opens and locks an existing one; waits for the lock. "container does not exist: ID" (errnum
 * ENOENT), also when it was removed while we waited. */
int state_dir_lock(int root, const char *id, struct state_dir *dir, struct error *err);

/* Whether someone holds the lock just now. */
bool state_dir_is_locked(const struct state_dir *dir);

/* Opens without the lock: for readers. */
int state_dir_open(int root, const char *id, struct state_dir *dir, struct error *err);

/* Removes ROOT/ID and everything in it, but nothing that is mounted there (an error). Needs the
 * lock; lets go of it, also on failure. A removal that was killed can be repeated. */
int state_dir_remove(int root, const char *id, struct state_dir *dir, struct error *err);

/* Lets go of the lock and keeps the directory open. */
void state_dir_unlock(struct state_dir *dir);

/* Closes the descriptors and lets go of the lock, also where a forked child still has a copy of the
 * descriptor. A forked child closes its copies with close(2), never with this. */
void state_dir_close(struct state_dir *dir);
#define cleanup_state_dir __attribute__((cleanup(state_dir_close)))

int state_write(const struct state_dir *dir, const struct state *state, struct error *err);

/*
 * The first state of all, before there is anything but the directory: what a `delete` must know if
 * the create is killed. It goes into a file of its own, creating.json, which state.json overrules:
 * replacing a file that was written a moment ago makes some file systems wait for the disk.
 */
int state_write_creating(const struct state_dir *dir, const struct state *state, struct error *err);
/* The same once more, when more is known. */
int state_rewrite_creating(const struct state_dir *dir, const struct state *state,
			   struct error *err);

/* NULL when there is none yet, or only half of creating.json (a create that was killed early):
 * errnum ENOENT. */
struct state *state_read(const struct state_dir *dir, const char *id, struct error *err);
/* The same where the directory need not be opened for anything else; NULL for whatever reason, of
 * which state_read() then tells. */
struct state *state_peek(int root, const char *id);
/* As it was recorded when the container was being created, for a delete where state.json is
 * damaged. */
struct state *state_read_creating(const struct state_dir *dir, const char *id, struct error *err);
void state_free(struct state *state);

static inline void cleanup_state_(struct state **state)
{
	state_free(*state);
}
#define cleanup_state __attribute__((cleanup(cleanup_state_)))

/* Writes a file in the directory atomically (temporary name, rename), mode 0600. */
int state_file_write(const struct state_dir *dir, const char *name, const void *data, size_t length,
		     struct error *err);

/* Makes a file in a directory that is being created, mode 0600: nobody reads it before state.json
 * is there, so it need not appear at once. */
int state_file_create(const struct state_dir *dir, const char *name, const void *data,
		      size_t length, struct error *err);

/* The ids below the root, sorted; NULL-terminated; freed with state_ids_free(). */
int state_ids(int root, char ***ids, size_t *count, struct error *err);
void state_ids_free(char **ids);

/* The start time of a process from /proc/PID/stat, 0 if there is no such process; *zombie (may be
 * NULL) tells whether it is dead and not yet reaped. */
uint64_t state_process_start(pid_t pid, bool *zombie);

/* Now, as RFC 3339 with nanoseconds in UTC. The caller frees it. */
char *state_timestamp(void);

#endif
