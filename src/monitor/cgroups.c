/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitor/scope.h"

#define EXPORTED __attribute__((visibility("default")))

/* The last part of the monitor's cgroup; NULL: LXC is to make what it likes. */
static const char *name;
/* Where liblxc has just made one, as it believes: it is going to open it. */
static int made_in = -1;
/* What it got for that: the directories that they would be in. */
static struct {
	int fd;
	dev_t device;
	ino_t inode;
} instead[64];
static size_t instead_count;
/* The container's, and its last part. */
static const char *watched_path, *watched;
static int left;
static bool is_met;

static const char *last_part(const char *cgroup)
{
	const char *slash = strrchr(cgroup, '/');

	return slash ? slash + 1 : cgroup;
}

void cgroups_stay_out(const char *cgroup)
{
	name = last_part(cgroup);
}

void cgroups_watch(const char *cgroup)
{
	watched_path = cgroup;
	watched = last_part(cgroup);
}

bool cgroups_are_left(void)
{
	return left > 0 && !is_met;
}

/* One above may have the same name. */
static bool is_watched(int directory)
{
	return watched == watched_path ||
	       scope_ends(directory, watched_path, (size_t)(watched - watched_path) - 1);
}

/* A number that was closed since may be another directory's. */
static bool is_instead(int directory)
{
	struct stat st;

	for (size_t i = 0; i < instead_count; i++) {
		if (instead[i].fd == directory)
			return fstat(directory, &st) == 0 && st.st_dev == instead[i].device &&
			       st.st_ino == instead[i].inode;
	}
	return false;
}

static bool is_own(int directory, const char *path)
{
	return name && (strcmp(path, name) == 0 || is_instead(directory));
}

static int open_above(int directory)
{
	int fd = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	size_t i;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	for (i = 0; i < instead_count && instead[i].fd != fd; i++)
		;
	if (i == ARRAY_SIZE(instead)) {
		close(fd);
		errno = EMFILE;
		return -1;
	}
	instead[i].fd = fd;
	instead[i].device = st.st_dev;
	instead[i].inode = st.st_ino;
	instead_count += i == instead_count;
	return fd;
}

/* liblxc's: an executable's symbols come before a library's. */
EXPORTED int mkdirat(int directory, const char *path, mode_t mode)
{
	if (!is_own(directory, path)) {
		int result = (int)syscall(SYS_mkdirat, directory, path, mode);

		if (result < 0 && errno == EEXIST && scope_is_taken(directory, path))
			return 0;
		if (watched && strcmp(path, watched) == 0) {
			left += result == 0;
			if (result < 0 && errno == EEXIST) {
				is_met |= is_watched(directory);
				errno = EEXIST;
			}
		}
		return result;
	}
	made_in = directory;
	return 0;
}

EXPORTED int unlinkat(int directory, const char *path, int flags)
{
	int result = (int)syscall(SYS_unlinkat, directory, path, flags);

	if (result == 0 && watched && (flags & AT_REMOVEDIR) &&
	    strcmp(last_part(path), watched) == 0)
		left--;
	return result;
}

/*
 * Removing them again, LXC looks into each for others to remove: it may not find one, or it would
 * look into the one above. So only what it has made a moment ago is there, as a place for others,
 * and what is written into that goes nowhere.
 */
int cgroups_open(int directory, const char *path, unsigned long long flags)
{
	bool made = made_in >= 0 && made_in == directory;

	made_in = -1;
	errno = 0;
	if (!is_own(directory, path))
		return -1;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (made && (flags & O_PATH))
		return open_above(directory);
	errno = (flags & O_DIRECTORY) || strcmp(path, name) == 0 ? ENOENT : 0;
	return -1;
}
