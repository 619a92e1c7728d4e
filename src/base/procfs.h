/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of procfs from its root, whoever looks: the library or init. */
#ifndef RUNLXC_BASE_PROCFS_H
#define RUNLXC_BASE_PROCFS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* <linux/magic.h> and <linux/proc_ns.h>: PROC_SUPER_MAGIC, PROC_ROOT_INO. */
#define PROCFS_MAGIC 0x9fa0
#define PROCFS_ROOT_INODE 1

/* Whether a descriptor is of a file on a procfs. */
static inline bool procfs_has(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROCFS_MAGIC;
}

/* Whether it is the root of one: no file of another file system can look like that, nor a directory
 * in a procfs. */
static inline bool procfs_is_root(int fd)
{
	struct stat st;

	return procfs_has(fd) && fstat(fd, &st) == 0 && st.st_ino == PROCFS_ROOT_INODE;
}

#endif
