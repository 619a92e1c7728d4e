/* SPDX-License-Identifier: Apache-2.0 */
/* A process's mounts, proc_pid_mountinfo(5). */
#ifndef RUNLXC_BASE_MOUNTINFO_H
#define RUNLXC_BASE_MOUNTINFO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct mountinfo_mount {
	unsigned int id, major, minor;
	const char *root, *point, *type; /* unescaped */
};

struct mountinfo {
	char *text;
	size_t count;
	struct mountinfo_mount *mounts;
};

/* Undoes \040 and its like, in place. */
void mountinfo_unescape(char *text);

/* 0: our own. Lines that can't be read are left out. */
int mountinfo_read(pid_t pid, struct mountinfo *info, struct error *err);
void mountinfo_free(struct mountinfo *info);
#define cleanup_mountinfo __attribute__((cleanup(mountinfo_free)))

#endif
