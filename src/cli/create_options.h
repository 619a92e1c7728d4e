/* SPDX-License-Identifier: Apache-2.0 */
/* The flags that create and run have in common. */
#ifndef RUNLXC_CLI_CREATE_OPTIONS_H
#define RUNLXC_CLI_CREATE_OPTIONS_H

#include "base/error.h"
#include "cli/parse.h"
#include "driver/driver.h"

enum {
	FLAG_CONSOLE_SOCKET = FLAG_KEY_FIRST,
	FLAG_PID_FILE,
	FLAG_PIDFD_SOCKET,
	FLAG_NO_PIVOT,
	FLAG_NO_NEW_KEYRING,
	FLAG_PRESERVE_FDS,
	FLAG_CONFIG,
	FLAG_CREATE_LAST,
};

/* clang-format off */
#define CREATE_FLAGS                                                                               \
	{"bundle", 'b', "DIR", 0, "The bundle; by default the current directory", 0},              \
	{"config", FLAG_CONFIG, "FILE", 0, "Another file than the bundle's config.json", 0},       \
	{"console-socket", FLAG_CONSOLE_SOCKET, "PATH", 0,                                         \
	 "AF_UNIX socket that gets the terminal", 0},                                              \
	{"pid-file", FLAG_PID_FILE, "FILE", 0, "Write the process id to FILE", 0},                 \
	{"pidfd-socket", FLAG_PIDFD_SOCKET, "PATH", 0,                                             \
	 "AF_UNIX socket that gets a pidfd of the first process", 0},                              \
	{"no-pivot", FLAG_NO_PIVOT, NULL, 0, "Accepted for runc's sake", 0},                       \
	{"no-new-keyring", FLAG_NO_NEW_KEYRING, NULL, 0, "Keep the caller's session keyring", 0},  \
	{"preserve-fds", FLAG_PRESERVE_FDS, "N", 0, "Pass N more descriptors to the program", 0}
/* clang-format on */

/* Takes one of them. 1: the key is none of theirs. */
int create_options_set(int key, char *value, struct driver_create_options *options,
		       struct error *err);

#endif
