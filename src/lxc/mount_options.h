/* SPDX-License-Identifier: Apache-2.0 */
/* The options of mounts[] (config.md "Mounts", "Linux mount options"), sorted by what they act on.
 */
#ifndef RUNLXC_LXC_MOUNT_OPTIONS_H
#define RUNLXC_LXC_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/spec.h"

struct mount_options {
	bool bind, recursive, remount, copy_up;
	bool idmap, idmap_recursive;
	uint64_t attr_set, attr_clear;	       /* MOUNT_ATTR_* of the mount itself */
	uint64_t attr_rec_set, attr_rec_clear; /* the r* forms: of everything below, too */
	uint32_t propagation;		       /* MS_SHARED …, with MS_REC; 0: not given */
	char *data; /* everything else, comma-separated, for the file system; NULL: nothing */
};

/* `what` is what errors call the mount: "mounts[3]". Strings live in the arena. */
int mount_options_parse(const struct spec_mount *mount, const char *what, struct arena *arena,
			struct mount_options *options, struct error *err);

/* Every option name that is not file system data, for `features`; NULL-terminated, static. */
const char *const *mount_options_known(void);

#endif
