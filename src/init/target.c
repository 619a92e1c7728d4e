/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount goes: opened inside the container, made if it is missing, and looked at before it
 * is covered.
 */
#include "init/init.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/kernel.h"
#include "base/procfs.h"

/* "/" is the container's; magic links would lead out of it through /proc/PID/root and fd. */
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
/*
 * A lookup with ".." below a confined root fails with EAGAIN while anything on the machine is being
 * renamed or mounted (openat2(2)); that passes, unless somebody does it to stop us.
 */
#define AGAIN_MAX 128

static int open_at(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
	int tries = 0, fd;

	do
		fd = kernel_openat2(directory, path, flags, 0, resolve);
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && tries++ < AGAIN_MAX)));
	return fd;
}

/* As many links as the kernel follows in one lookup (MAXSYMLINKS). */
#define LINKS_MAX 40

struct lookup {
	int root;
	uint64_t resolve;
	int links; /* followed so far */
};

static int open_missing(struct lookup *lookup, const char *path, bool is_file);

static int make_missing(struct lookup *lookup, const char *path, bool is_file)
{
	char *copy, *slash;
	int fd = -1, parent;

	if (asprintf(&copy, "/%s", path) < 0)
		return -1;
	/* Make the parent first, then the last component in it. */
	slash = strrchr(copy, '/');
	while (slash > copy && slash[1] == '\0') {
		*slash = '\0';
		slash = strrchr(copy, '/');
	}
	if (slash == copy) {
		parent = open_at(lookup->root, ".", O_PATH | O_DIRECTORY, lookup->resolve);
	} else {
		*slash = '\0';
		parent = open_at(lookup->root, copy, O_PATH | O_DIRECTORY, lookup->resolve);
		if (parent < 0 && errno == ENOENT)
			parent = open_missing(lookup, copy, false);
		*slash = '/';
	}
	if (parent >= 0) {
		const char *name = slash + 1;
		int made = -1;

		/* 0755 and 0644 whatever the umask is: it is 0 in init. Neither call follows a
		 * symlink. */
		if (is_file)
			made = mknodat(parent, name, S_IFREG | 0644, 0);
		else
			made = mkdirat(parent, name, 0755);
		if (made == 0 || errno == EEXIST)
			fd = open_at(parent, name, O_PATH | (is_file ? 0 : O_DIRECTORY),
				     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		close(parent);
	}
	free(copy);
	return fd;
}

/* Where a symlink at `walk` leads. NULL with errno: ENOENT where it is none. */
static char *next_path(struct lookup *lookup, const char *walk, int at)
{
	const char *slash = strrchr(walk, '/');
	char *link = NULL, *next = NULL;
	ssize_t length;

	if (++lookup->links > LINKS_MAX || lookup->resolve & RESOLVE_NO_SYMLINKS) {
		errno = ELOOP;
		return NULL;
	}
	link = malloc(PATH_MAX);
	length = link ? readlinkat(at, "", link, PATH_MAX - 1) : -1;
	if (length < 0) {
		free(link);
		/* Not a symlink, yet it could not be opened: let the caller see why. */
		errno = ENOENT;
		return NULL;
	}
	link[length] = '\0';
	if (link[0] == '/')
		return link;
	if (asprintf(&next, "%.*s/%s", slash ? (int)(slash - walk) : 0, walk, link) < 0)
		next = NULL;
	free(link);
	return next;
}

/*
 * A dangling symlink in the way: where does it lead? Missing targets are made where the symlink
 * points to, as runc does, so follow by hand what openat2 can't follow to the end.
 */
static int open_missing(struct lookup *lookup, const char *path, bool is_file)
{
	char *walk = strdup(path), *next;
	int fd = -1, at;

	while (walk) {
		at = open_at(lookup->root, walk, O_PATH | O_NOFOLLOW, lookup->resolve);
		if (at < 0) {
			if (errno == ENOENT)
				fd = make_missing(lookup, walk, is_file);
			break;
		}
		next = next_path(lookup, walk, at);
		close(at);
		free(walk);
		walk = next;
	}
	free(walk);
	return fd;
}

int mounts_open_target(const char *path, bool make, bool is_file, bool no_symlink)
{
	struct lookup lookup = {.resolve = INSIDE | (no_symlink ? RESOLVE_NO_SYMLINKS : 0)};
	int fd, saved;

	lookup.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (lookup.root < 0)
		return -1;
	fd = open_at(lookup.root, path, O_PATH, lookup.resolve);
	if (fd < 0 && errno == ENOENT && make)
		fd = open_missing(&lookup, path, is_file);
	saved = errno;
	close(lookup.root);
	errno = saved;
	return fd;
}

/* Whether it is what /proc is, by whatever name it was come to. */
static bool is_proc(int target)
{
	struct stat proc, st;

	return fstat(target, &st) == 0 && lstat("/proc", &proc) == 0 && st.st_dev == proc.st_dev &&
	       st.st_ino == proc.st_ino;
}

bool mounts_may_cover(const struct plan_mount *mount, int tree, int target)
{
	if (is_proc(target))
		return mount->proc == PLAN_PROC_ROOT && procfs_is_root(tree);
	return mount->proc == PLAN_PROC_FILE || !procfs_has(target) || procfs_is_root(target);
}
