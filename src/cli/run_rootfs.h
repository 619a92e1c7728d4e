/* SPDX-License-Identifier: Apache-2.0 */
/* `run --rootfs DIR`: a container without a bundle, described by flags. */
#ifndef RUNLXC_CLI_RUN_ROOTFS_H
#define RUNLXC_CLI_RUN_ROOTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/value.h"

struct run_rootfs {
	const char *directory; /* the root file system */
	char *const *args;     /* the command, NULL-terminated; empty: the default's */
	struct value_list env; /* added to the default's, or in its place */
	const char *cwd, *hostname;
	bool tty, read_only, user_set;
	struct value_user user;
	int64_t memory; /* bytes; 0: no limit */
};

/* The OCI document for it: the default config.json, changed as asked. The caller frees it. */
char *run_rootfs_config(const struct run_rootfs *run, struct error *err);

#endif
