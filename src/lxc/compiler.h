/* SPDX-License-Identifier: Apache-2.0 */
/* What compiling mounts (mounts.c) and devices (devices.c) share. */
#ifndef RUNLXC_LXC_COMPILER_H
#define RUNLXC_LXC_COMPILER_H

#include "lxc/lxc.h"
#include "lxc/mount_options.h"

/* config-linux.md, "Default Devices", but for those that come with a terminal or with /dev/pts. */
#define COMPILER_DEFAULT_DEVICES 6

struct target {
	const char *path; /* relative to the root, no symlinks: "dev/pts"; "" is the root */
	bool late, bind;
	bool foreign; /* what lies in it is not known: a bind mount, a disk, an overlay … */
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

/* One more mount for init; there is room for as many as a spec can have. */
struct plan_mount *compiler_add_late(struct compiler *compiler);

/* A bind mount's source as a detached tree, its options set already: opened by us, on the host.
 * Returns the number that init will know it by. */
int compiler_open_source(struct compiler *compiler, const char *source, const char *what,
			 const struct mount_options *options, struct error *err);

/* devices.c: nodes and binds into the plan. `setup_dev`: /dev is not the user's own. */
int compiler_add_devices(struct compiler *compiler, bool setup_dev, struct error *err);

#endif
