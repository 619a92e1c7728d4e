/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups: where a container's are, what its limits are called, who is in them. Nobody
 * outside this room knows a cgroup file's name.
 *
 * A container has one path, the same in every hierarchy ("/docker/ID"); LXC creates it and writes
 * the settings while it starts the container (see lxc/), this room computes them, and later
 * freezes, counts, kills and removes.
 */
#ifndef RUNLXC_CGROUP_CGROUP_H
#define RUNLXC_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/variant.h"
#include "spec/spec.h"

enum cgroup_mode {
	CGROUP_LEGACY,	/* v1 hierarchies only */
	CGROUP_HYBRID,	/* v1 hierarchies and a v2 tree beside them, its controllers included */
	CGROUP_UNIFIED, /* v2 at /sys/fs/cgroup */
};

struct cgroup_hierarchy {
	bool unified; /* a cgroup2 mount */
	char *mount;  /* where it is mounted: /sys/fs/cgroup/memory */
	char *own;    /* the calling process's cgroup in it, from /proc/self/cgroup: "/" … */
	char *label;  /* v1: the mount's option text, "cpu,cpuacct" or "name=systemd"; v2: "" */
	char **controllers; /* NULL-terminated: {"cpu","cpuacct"}, {"name=systemd"}; v2:
			       cgroup.controllers */
	char *delegated;    /* v2: the cgroup that these controllers are of; NULL: the root */
	bool read_only;	    /* so mounted: no cgroup can be made */
};

struct cgroup_layout {
	enum cgroup_mode mode;
	size_t count;
	struct cgroup_hierarchy *hierarchies;
	int freezer_root; /* of cgroup_hold_freezer(); 0: not held */
	bool delegated;	  /* cgroup_keep_delegated() has been here */
};

/*
 * Finds the mounted hierarchies from /proc/self/mountinfo (one read) and /proc/self/cgroup. Only
 * mounts of a hierarchy's root (or of the cgroup namespace's) count; of several mounts of one
 * hierarchy the first below /sys/fs/cgroup. Caller frees with cgroup_layout_free().
 */
struct cgroup_layout *cgroup_detect(struct error *err);
void cgroup_layout_free(struct cgroup_layout *layout);

/* The v1 hierarchy or the unified one that has this controller, or NULL. "" is the unified one,
 * whatever it has; "name=systemd" a v1 hierarchy without controllers. */
const struct cgroup_hierarchy *cgroup_find(const struct cgroup_layout *layout,
					   const char *controller);

/* ---- for users other than root: delegated.c ---- */

/* Leaves the hierarchies in which the caller may make cgroups below its own, and of these the ones
 * with the path that most have. Returns that, which is theirs to free; NULL where none is left. */
const char *cgroup_keep_delegated(struct cgroup_layout *layout);

/*
 * Below which cgroup a container's is to be, where `own` is what cgroup_keep_delegated() gave: own
 * on v1. On v2 a cgroup with processes in it gives no controllers to those below, and the caller is
 * in its own; so it is the one above, as with runc, if that is delegated as well. An absolute
 * cgroups_path may lead further up, as far as that holds. The caller frees it; NULL: no memory.
 */
char *cgroup_delegated_base(const struct cgroup_layout *layout, const char *own,
			    const char *cgroups_path);

/* As cgroup_path_of(), but below `base`: a relative path is meant from there, an absolute one must
 * lead there. */
char *cgroup_path_below(const char *base, const char *cgroups_path, const char *id,
			struct error *err);

/*
 * On v2: has `base` give all its controllers, which from here on are those of the layout, to the
 * cgroups below it, and so on down to the one above `path` as far as they are there. Where one of
 * them has processes in it and so can't, `*busy` is its path, which the caller frees; that is no
 * error, but there are no limits at `path`.
 */
int cgroup_hand_down(struct cgroup_layout *layout, const char *base, const char *path, char **busy,
		     struct error *err);

/* ---- limits ---- */

/* One file to be written below the container's cgroup: {"memory", "memory.limit",
 * "memory.limit_in_bytes", "67108864"}. */
struct cgroup_setting {
	char *controller; /* "" where the v2 tree has it without one */
	char *field;	  /* of linux.resources, for errors */
	char *file, *value;
	bool unified; /* belongs to the v2 tree */
	/* Of an update: what brings back what was there (NULL: nothing does), and whether it has to
	 * be brought back. */
	char *before;
	bool written;
};

struct cgroup_settings {
	struct arena arena;
	const char *where; /* what errors put before a field: "linux.resources." */
	size_t count, capacity;
	struct cgroup_setting *items;
};

/*
 * What the limits of linux.resources come to on this layout, in an order that the kernel accepts;
 * not its device rules. Zeros that mean "unset" in the specification or as engines write them set
 * nothing. A limit on a controller, or a file of one, that is not there is an error that names the
 * field and what is missing; so is one on a controller in a v2 tree beside v1, where LXC sets none.
 * `resources` must outlive the settings.
 */
int cgroup_settings_from_resources(const struct cgroup_layout *layout,
				   const struct spec_resources *resources,
				   struct cgroup_settings *settings, struct error *err);

/*
 * The same for a container that is there: `changes` is what an update asks for, and `asked` what
 * was asked for before. Where the kernel has two fields in one file, or v2 counts otherwise than
 * linux.resources does, what `changes` doesn't say is taken from the cgroup at `path` or from
 * `asked`. With memory.checkBeforeUpdate a limit below what is in use is an error.
 */
int cgroup_settings_for_update(const struct cgroup_layout *layout, const char *path,
			       const struct spec_resources *changes,
			       const struct spec_resources *asked, struct cgroup_settings *settings,
			       struct error *err);
void cgroup_settings_free(struct cgroup_settings *settings);

/*
 * Adds what a new container may do with devices: the rules of linux.resources applied in their
 * order, and what every container may use. It begins with nothing, whether a rule says so or not.
 * "devices.allow" and "devices.deny" are files of v1; on v2 they are words of LXC's, which makes
 * the eBPF program. What a cgroup's list can't express is an error that names the rule. In a user
 * namespace nothing is added: the kernel takes rules from the host's root only.
 */
int cgroup_settings_add_devices(const struct cgroup_layout *layout,
				const struct spec_resources *resources,
				struct cgroup_settings *settings, struct error *err);

/* LXC names the file of a limit that the kernel refuses, and the value: puts the field in front of
 * such an error. */
void cgroup_name_limit(const struct cgroup_layout *layout, const struct spec_resources *resources,
		       struct error *err);

/*
 * The same limits and device rules as properties of a unit of systemd's, as far as it has such.
 * `path` is the cgroup of an update, for the half of a limit that is not changed; else NULL.
 */
int cgroup_properties(const struct cgroup_layout *layout, const char *path,
		      const struct cgroup_settings *settings, struct properties *properties,
		      struct error *err);

/* Fills in what the files of `settings` say now. What can't be read can't be put back. */
int cgroup_settings_save(const struct cgroup_layout *layout, const char *path,
			 struct cgroup_settings *settings, struct error *err);

/*
 * Writes settings into a container's cgroups, for an update: in their order, and what the kernel
 * refuses once more after the others, since what may come first depends on what is set now. An
 * error names the field; the others may have been written by then.
 */
int cgroup_apply(const struct cgroup_layout *layout, const char *path,
		 struct cgroup_settings *settings, struct error *err);

/* Undoes that as far as it was saved before; an error is the first of what can't be undone. */
int cgroup_put_back(const struct cgroup_layout *layout, const char *path,
		    struct cgroup_settings *settings, struct error *err);

/* ---- a container's cgroups ---- */

/*
 * The absolute path of a container's cgroup below every hierarchy: linux.cgroupsPath if given (made
 * absolute; empty components and "." are dropped; "..", a control character, a name longer than the
 * kernel allows, or nothing but slashes is an error), else "/lxc.payload.ID", which is LXC's
 * default. The caller frees it.
 */
char *cgroup_path_of(const char *cgroups_path, const char *id, struct error *err);

/* Whether it is there, in the first hierarchy, for what is made in all of them. */
bool cgroup_exists(const struct cgroup_layout *layout, const char *path);

/* Makes v1's cpusets above `path` ones that can have processes below them, as far as they are there
 * and may be written. */
void cgroup_fill_cpusets(const struct cgroup_layout *layout, const char *path);

/* Where a hierarchy is mounted read-only, its name is the error's. */
int cgroup_check_writable(const struct cgroup_layout *layout, const char *path, struct error *err);

/* Whether `path` exists in any hierarchy, and whether a process or a child cgroup is in it. */
int cgroup_probe(const struct cgroup_layout *layout, const char *path, bool *exists, bool *in_use,
		 struct error *err);

/*
 * Whether `path`, an empty cgroup that is there already, could as well be made anew: an error names
 * the first limit that somebody has set in it. What `resources` sets is not looked at, since that
 * counts. Makes the cgroup `beside`, which must not be there and must have the same parent, for
 * a moment, to compare with.
 */
int cgroup_check_unlimited(const struct cgroup_layout *layout, const char *path, const char *beside,
			   const struct spec_resources *resources, struct error *err);

/*
 * A number that tells this cgroup from every other that had, or will have, its path: the kernel
 * gives each directory of a cgroup hierarchy one that isn't used again. 0 where it is in no
 * hierarchy.
 */
uint64_t cgroup_identity(const struct cgroup_layout *layout, const char *path);

/* Whether LXC has made the container's cgroup in every hierarchy; 0 or -1 with *err, which names
 * the one where it hasn't. It passes over those that are mounted where it doesn't look, and LXC 7
 * over all of v1. */
int cgroup_check_made(const struct cgroup_layout *layout, const char *path, struct error *err);

/* Whether what is at `path` is the cgroup of that identity, or what is left of it; 0: it is
 * another's. -1: that can't be told. */
int cgroup_has_identity(const struct cgroup_layout *layout, const char *path, uint64_t identity,
			struct error *err);

/*
 * Moves `pid` (0: the caller, which must not have other threads) into `path` in every hierarchy
 * that has it; a hierarchy that the caller is in already by CLONE_INTO_CGROUP is left alone. 0 is
 * much cheaper: a child that joins by itself spares some 5 ms on v1, and one that was cloned into
 * cgroup_open_unified() 10 ms on v2. errnum EBUSY: a v2 cgroup that has given controllers to its
 * children takes no process itself.
 */
int cgroup_join(const struct cgroup_layout *layout, const char *path, pid_t pid, struct error *err);

/*
 * fork(2), but the child is in the unified tree's `path` from the beginning, where that can be had
 * and the caller has no other threads; it isn't where the kernel is too old for it, or refuses. The
 * child calls cgroup_join() in any case, which moves it only if it must.
 */
pid_t cgroup_fork(const struct cgroup_layout *layout, const char *path);

/* Where a process is in the unified tree; the caller frees it. NULL: that can't be told. */
char *cgroup_unified_path(pid_t pid);

/* Whether a process is in `path` in every hierarchy: an error names one in which it isn't. systemd
 * may have put it elsewhere: below another cgroup of its own, under another name where one could be
 * mistaken for a file of the kernel's, or into the slice's. */
int cgroup_check_member(const struct cgroup_layout *layout, const char *path, pid_t pid,
			struct error *err);

/* Whether the kernel lets the caller move processes of its own into `path` of the unified tree: it
 * looks at the innermost cgroup that both are in. True where there is no such tree. */
bool cgroup_may_join(const struct cgroup_layout *layout, const char *path);

/* The container's cgroup in the unified tree, O_PATH, for clone3(CLONE_INTO_CGROUP). -1 with errno;
 * ENOENT also where there is no unified tree. */
int cgroup_open_unified(const struct cgroup_layout *layout, const char *path);

/* Every pid in `path` and below it, ascending, no duplicates; none if the cgroup is not there.
 * Zombies are not in it. The caller frees *pids, which is NULL for none. */
int cgroup_pids(const struct cgroup_layout *layout, const char *path, pid_t **pids, size_t *count,
		struct error *err);

/* Sends `sig` to every process in `path` and below it until none is left that has not got it, and
 * to nobody else, pids that are used again included. SIGKILL uses cgroup.kill where there is one,
 * else a freeze, and thaws. Does not wait for their end. A cgroup that is not there is no error. */
int cgroup_signal_all(const struct cgroup_layout *layout, const char *path, int sig,
		      struct error *err);

/* Freezes or thaws, and returns once it is so; after 10 s a freeze is taken back and an error. */
int cgroup_freeze(const struct cgroup_layout *layout, const char *path, struct error *err);
int cgroup_thaw(const struct cgroup_layout *layout, const char *path, struct error *err);
/* Whether `path` itself was frozen; not, when only a cgroup above it was, or it is not there. */
int cgroup_is_frozen(const struct cgroup_layout *layout, const char *path, bool *frozen,
		     struct error *err);
/* For who asks that of many: the hierarchy stays open as long as the layout is there. */
void cgroup_hold_freezer(struct cgroup_layout *layout);
/* Whether a cgroup above `path`, which need not be there yet, is frozen: whoever joins would stop.
 */
int cgroup_parent_is_frozen(const struct cgroup_layout *layout, const char *path, bool *frozen,
			    struct error *err);

/* Waits (by event where the kernel gives one) until no live process is left in `path`, at most
 * `timeout_ms`; then it is an error (errnum ETIMEDOUT) that names one. */
int cgroup_wait_empty(const struct cgroup_layout *layout, const char *path, int timeout_ms,
		      struct error *err);

/* Removes `path` and every cgroup below it, bottom up, in every hierarchy. What is not there is no
 * error; a cgroup that still holds a process after 2 s is, by its path and the process. */
int cgroup_remove(const struct cgroup_layout *layout, const char *path, struct error *err);

/* The text of one of the container's cgroup files, from the hierarchy of `controller`; without its
 * last newline. The caller frees it. */
char *cgroup_read(const struct cgroup_layout *layout, const char *path, const char *controller,
		  const char *file, struct error *err);

#endif
