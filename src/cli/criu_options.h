/* SPDX-License-Identifier: Apache-2.0 */
/* The flags that checkpoint and restore have in common. */
#ifndef RUNLXC_CLI_CRIU_OPTIONS_H
#define RUNLXC_CLI_CRIU_OPTIONS_H

#include "base/error.h"
#include "cli/parse.h"
#include "cli/value.h"
#include "driver/driver.h"

enum {
	FLAG_IMAGE_PATH = FLAG_KEY_FIRST + 64,
	FLAG_WORK_PATH,
	FLAG_TCP_ESTABLISHED,
	FLAG_EXT_UNIX_SK,
	FLAG_SHELL_JOB,
	FLAG_FILE_LOCKS,
	FLAG_MANAGE_CGROUPS_MODE,
	FLAG_EMPTY_NS,
	FLAG_AUTO_DEDUP,
	FLAG_LAZY_PAGES,
	FLAG_LSM_PROFILE,
	FLAG_LSM_MOUNT_CONTEXT,
	FLAG_CRIU_LAST,
};

/* clang-format off */
#define CRIU_FLAGS                                                                                 \
	{"image-path", FLAG_IMAGE_PATH, "DIR", 0,                                                  \
	 "Where the checkpoint is; by default \"checkpoint\"", 0},                                 \
	{"work-path", FLAG_WORK_PATH, "DIR", 0, "Where CRIU's log goes; by default there, too", 0}, \
	{"tcp-established", FLAG_TCP_ESTABLISHED, NULL, 0, "Allow open TCP connections", 0},       \
	{"ext-unix-sk", FLAG_EXT_UNIX_SK, NULL, 0, "Allow unix sockets to the outside", 0},        \
	{"shell-job", FLAG_SHELL_JOB, NULL, 0, "Allow a session and terminal of the outside", 0},  \
	{"file-locks", FLAG_FILE_LOCKS, NULL, 0, "Allow file locks", 0},                           \
	{"manage-cgroups-mode", FLAG_MANAGE_CGROUPS_MODE, "MODE", 0,                               \
	 "soft (the default), full, strict or ignore", 0},                                         \
	{"empty-ns", FLAG_EMPTY_NS, "NAMESPACE", 0,                                                \
	 "Make it, but restore nothing in it: network", 0},                                        \
	{"auto-dedup", FLAG_AUTO_DEDUP, NULL, 0, "Drop from older images what is in newer ones", 0}, \
	{"lazy-pages", FLAG_LAZY_PAGES, NULL, 0, "Fetch memory when it is used", 0}
/* clang-format on */

struct criu_flags {
	struct driver_criu_options *options;
	struct value_list empty_ns;
};

/* Takes one of them. 1: the key is none of theirs. */
int criu_flags_set(int key, char *value, struct criu_flags *flags, struct error *err);

#endif
