/* SPDX-License-Identifier: Apache-2.0 */
/* What compiling mounts (mounts.c, destination.c, late_mounts.c) and devices (devices.c) share. */
#ifndef RUNLXC_LXC_COMPILER_H
#define RUNLXC_LXC_COMPILER_H

#include "lxc/lxc.h"
#include "lxc/mount_options.h"

/* config-linux.md, "Default Devices", but for those that come with a terminal or with /dev/pts. */
#define COMPILER_DEFAULT_DEVICES 6

struct target {
	const char *path; /* relative to the root, no symlinks: "dev/pts"; "" is the root */
	const char *type; /* of a new file system */
	bool late, bind;
	bool foreign; /* what lies in it is not empty: a bind mount, a disk, a procfs … */
};

struct compiler {
	const struct lxc_request *request;
	struct lxc_recipe *recipe;
	struct plan_buffer *plan;
	struct target *targets;
	size_t targets_count;
	struct plan_mount *late;
	size_t late_count;
	bool have_proc; /* LXC mounts a procfs on /proc */
};

/* ---- destination.c ---- */

/* What is to be mounted, as far as that matters for where. */
struct place_request {
	const char *destination, *what, *type; /* what: "mounts[3]" */
	bool bind, remount;
};

struct place {
	const char *lexical, *path; /* relative, as the file has it, and with symlinks followed */
	bool known;		    /* false: only once the earlier mounts are made */
	bool symlink;
	enum plan_proc proc;
};

/* Finds a destination's place in the root, and refuses one in /proc. Strings live in the arena. */
int compiler_place(struct compiler *compiler, const struct place_request *request,
		   struct place *place, struct error *err);

/* What was mounted on that place last, or NULL. */
const struct target *compiler_target_at(const struct compiler *compiler, const char *path);

/* Both relative and clean; "" is the root, and a path is below itself. */
bool compiler_is_below(const char *path, const char *directory);

/* ---- late_mounts.c ---- */

struct late_request {
	const struct spec_mount *mount;
	const struct mount_options *options;
	const struct place *place;
	const char *what, *source;
	bool is_file, no_symlink;
};

/* A new tmpfs that is to be read-only when everything is in it. */
bool compiler_is_read_only_last(const struct mount_options *options, const char *type);

/* One of mounts[], for init. */
int compiler_add_late_mount(struct compiler *compiler, const struct late_request *request,
			    struct error *err);

/* One more mount for init; there is room for as many as a spec can have. */
struct plan_mount *compiler_add_late(struct compiler *compiler);

/* A bind mount's source as a detached tree, its options set already, and cut off from the host's
 * mounts unless the options say otherwise: opened by us, on the host. Returns the number that init
 * will know it by. */
int compiler_open_source(struct compiler *compiler, const char *source, const char *what,
			 const struct mount_options *options, struct error *err);

/* ---- reach.c ---- */

/* Whether the container's root, as which LXC makes mounts in a user namespace, can come to a path
 * of the host's. */
bool compiler_reaches(const struct compiler *compiler, const char *source);

/* ---- idmap.c ---- */

/* Whether the owners of its files are to be others, and whether that can be asked for there. */
bool compiler_is_mapped(const struct spec_mount *mount, const struct mount_options *options);
int compiler_check_mapping(const struct compiler *compiler, const struct spec_mount *mount,
			   const struct mount_options *options, const char *what,
			   struct error *err);
/* Does it to a detached tree. */
int compiler_map_tree(const struct compiler *compiler, const struct late_request *request, int tree,
		      struct error *err);

/* sysctls.c: a directory of a procfs ("." or below), the host's, or one of our own where the host's
 * may only be read (runlxc in a container). -1 with errno. */
int compiler_open_procfs(const char *path);

/* sysfs.c: whether that is to be a sysfs which only we can make; makes it, and returns the number
 * that init will know it by. */
bool compiler_makes_sysfs(const struct compiler *compiler, const char *type);
int compiler_make_sysfs(struct compiler *compiler, const char *what,
			const struct mount_options *options, struct error *err);

/* devices.c: nodes and binds into the plan. `setup_dev`: /dev is not the user's own. */
int compiler_add_devices(struct compiler *compiler, bool setup_dev, struct error *err);

/* host_sources.c: file systems whose sources are the host's; a detached tree's number, as init will
 * know it. */
bool compiler_has_host_source(const char *type, const char *source);
int compiler_make_from_host(struct compiler *compiler, const struct late_request *request,
			    struct error *err);

#endif
