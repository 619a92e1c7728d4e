/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a root file system. Whatever a container can influence is opened through these:
 * openat2(2) with RESOLVE_IN_ROOT, so that symlinks and ".." stay below the root, and magic links
 * (/proc/PID/fd …) are refused (CVE-2018-15664, CVE-2019-14271, CVE-2021-30465, CVE-2024-21626).
 */
#ifndef RUNLXC_BASE_PATH_H
#define RUNLXC_BASE_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* openat2 below `root` with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS; O_CLOEXEC is added; "" is the
 * root itself. -1 with errno on failure: ENOSYS on a kernel before 5.6, which nothing makes up for.
 */
int path_open_in_root(int root, const char *path, uint64_t flags, mode_t mode);

/*
 * Where `path` leads inside the root once every symlink on the way, the last component included, is
 * followed: a path without a leading slash, without "." and "..", "" for the root itself.
 * Components that don't exist yet are kept as they are; a ".." behind one takes it away. *missing
 * (may be NULL) tells whether the last component is not there. The caller frees the result. NULL on
 * failure (more than 40 links, a magic link, no permission, not a directory on the way).
 */
char *path_resolve_in_root(int root, const char *path, bool *missing, struct error *err);

/*
 * Makes `path` (as path_resolve_in_root() gave it) inside the root, as a directory or as an empty
 * file, its missing parents as directories (0755), and opens it with O_PATH. The process's umask
 * applies. What is there already stays as it is; a directory where a file is asked for is an error
 * (EISDIR), and the other way round (ENOTDIR). Never follows a symlink: one that appears meanwhile
 * is an error (ELOOP).
 */
int path_make_in_root(int root, const char *path, bool directory, mode_t mode, struct error *err);

/* Makes a directory and its missing parents on the host, like mkdir -p, all with `mode`. */
int path_make_directories(const char *path, mode_t mode, struct error *err);

/* Reads a whole file of at most `max` bytes; *length gets its size (may be NULL); a NUL is put
 * behind. Regular files and pipes only; a pipe is read to its end, which is at once where nobody
 * has it open for writing. The caller frees it. NULL on failure; `name` is what errors call it. */
char *path_read_file(int dirfd, const char *path, size_t max, size_t *length, const char *name,
		     struct error *err);

/* Writes `length` bytes, going on after short writes. -1 with errno on failure. */
int path_write_all(int fd, const void *data, size_t length);

#endif
