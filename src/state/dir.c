/* SPDX-License-Identifier: Apache-2.0 */
/* The root, a container's directory in it, and the lock. */
#include "state/state.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "state/internal.h"

int state_id_check(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+.-";
	size_t length = strlen(id), good = strspn(id, allowed);

	if (length == 0)
		return error_set(err, "container id cannot be empty");
	if (length > STATE_ID_MAX)
		return error_set(err, "invalid container id format: longer than %d bytes",
				 STATE_ID_MAX);
	if (good < length)
		return error_set(err,
				 "invalid container id format: byte 0x%02x after \"%.*s\": only "
				 "letters, digits and _+.- are allowed",
				 (unsigned char)id[good], (int)good, id);
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return error_set(err, "invalid container id format: \"%s\"", id);
	return 0;
}

int state_root_open(const char *root, bool create, struct error *err)
{
	struct stat st;
	int fd;

	if (create && path_make_directories(root, 0700, err))
		return -1;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		error_errno(err, errno, "can't open the state directory \"%s\"", root);
		fd_close(fd);
		return -1;
	}
	/* Whoever can write there could put a container of theirs in the place of ours. */
	if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & (S_IWGRP | S_IWOTH)) {
		fd_close(fd);
		return error_set(err,
				 "the state directory \"%s\" can be written by others (owner %u, "
				 "mode %04o): want one of ours alone",
				 root, (unsigned int)st.st_uid, (unsigned int)st.st_mode & 07777);
	}
	return fd;
}

static int does_not_exist(const char *id, struct error *err)
{
	error_set(err, "container does not exist: %s", id);
	err->errnum = ENOENT;
	return -1;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* 1: `name` in `parent` still is the directory that `fd` has open; 0: it is another, or none; -1:
 * errno. */
static int still_there(int parent, const char *name, int fd)
{
	struct stat at_name, open_one;

	if (fstat(fd, &open_one) < 0)
		return -1;
	if (fstatat(parent, name, &at_name, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return same_file(&at_name, &open_one);
}

int state_dir_open(int root, const char *id, struct state_dir *dir, struct error *err)
{
	int fd;

	*dir = (struct state_dir)STATE_DIR_INIT;
	if (state_id_check(id, err))
		return -1;
	fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* An id may be longer than a file name can be: there is no such container then. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG))
		return does_not_exist(id, err);
	if (fd < 0)
		return error_errno(err, errno, "can't open the directory of container %s", id);
	dir->dir = fd;
	return 0;
}

/*
 * Takes the lock of an open directory, which is the directory itself: no file to be made, and none
 * to be left. Whoever had the lock may have removed the directory while we waited; a lock on what
 * is not there any more would keep nobody out.
 *
 * 0: locked; 1: the directory is gone; -1: an error.
 */
static int take_lock(int root, const char *id, struct state_dir *dir, struct error *err)
{
	cleanup_close int lock = fcntl(dir->dir, F_DUPFD_CLOEXEC, 0);
	int there;

	if (lock < 0)
		return error_errno(err, errno, "can't lock container %s", id);
	while (flock(lock, LOCK_EX)) {
		if (errno != EINTR)
			return error_errno(err, errno, "can't lock container %s", id);
	}
	there = still_there(root, id, dir->dir);
	if (there < 0)
		return error_errno(err, errno, "can't lock container %s", id);
	if (!there)
		return 1;
	dir->lock = fd_take(&lock);
	return 0;
}

int state_dir_lock(int root, const char *id, struct state_dir *dir, struct error *err)
{
	int result;

	if (state_dir_open(root, id, dir, err))
		return -1;
	result = take_lock(root, id, dir, err);
	if (result == 0)
		return 0;
	state_dir_close(dir);
	return result > 0 ? does_not_exist(id, err) : -1;
}

bool state_dir_is_locked(const struct state_dir *dir)
{
	/* Opened anew: a lock belongs to an open description, and ours is no one's rival. */
	cleanup_close int fd = openat(dir->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int state_dir_create(int root, const char *id, struct state_dir *dir, struct error *err)
{
	*dir = (struct state_dir)STATE_DIR_INIT;
	if (state_id_check(id, err))
		return -1;
	for (;;) {
		int result = mkdirat(root, id, 0700);

		if (result && errno == EEXIST) {
			error_set(err, "container with id exists: %s", id);
			err->errnum = EEXIST;
			return -1;
		}
		if (result) {
			struct state_dir at = {.dir = root, .lock = -1};
			char name[PATH_MAX + NAME_MAX + 2];
			int saved = errno;

			state_file_name(&at, id, name, sizeof(name));
			return error_errno(err, saved, "can't make %s", name);
		}
		result = state_dir_open(root, id, dir, err);
		if (result == 0)
			result = take_lock(root, id, dir, err);
		if (result == 0)
			return 0;
		state_dir_close(dir);
		/* Between mkdir and the lock a "delete --force" may have taken it away: again. */
		if (result < 0 && err->errnum != ENOENT) {
			unlinkat(root, id, AT_REMOVEDIR);
			return -1;
		}
		error_clear(err);
	}
}

void state_dir_unlock(struct state_dir *dir)
{
	/* `dir` is the same open directory, and a child that was forked while we held the lock has
	 * it, too: closing a descriptor alone would leave the container locked. */
	if (dir->lock >= 0)
		flock(dir->lock, LOCK_UN);
	fd_close(fd_take(&dir->lock));
}

void state_dir_close(struct state_dir *dir)
{
	state_dir_unlock(dir);
	fd_close(dir->dir);
	*dir = (struct state_dir)STATE_DIR_INIT;
}
