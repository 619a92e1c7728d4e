/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

/* As many links as the kernel follows in one lookup (MAXSYMLINKS). */
#define LINKS_MAX 40
/*
 * A lookup with ".." below a confined root fails with EAGAIN while anything on the machine is being
 * renamed or mounted (openat2(2)); that passes, unless somebody does it to stop us.
 */
#define AGAIN_MAX 128

static int open_confined(int root, const char *path, uint64_t flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
	    .flags = flags | O_CLOEXEC,
	    .mode = mode,
	    .resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int tries = 0;
	long fd;

	/* No weaker lookup where openat2 is missing: ENOSYS goes up to the caller. */
	do {
		fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || (errno == EAGAIN && tries++ < AGAIN_MAX)));
	return (int)fd;
}

int path_open_in_root(int root, const char *path, uint64_t flags, mode_t mode)
{
	return open_confined(root, path, flags, mode, RESOLVE_IN_ROOT);
}

/* ---- where a path leads ---- */

/* A walk in progress. What is in `done` has no link in it, so its last component's parent is what
 * is in front of the last slash, and ".." just cuts. */
struct walk {
	int root;
	char *todo; /* owned: what is left to look at */
	char done[PATH_MAX];
	size_t length;
	size_t existing;    /* so many bytes of `done` are known to exist; the rest is not there */
	bool is_directory;  /* the last existing component */
	unsigned int links; /* followed so far */
};

static void walk_free(struct walk *walk)
{
	free(walk->todo);
}

static bool walk_missing(const struct walk *walk)
{
	return walk->length > walk->existing;
}

/* Adds a component to `done`; where it ends up is not looked at. */
static int walk_push(struct walk *walk, const char *name, size_t length)
{
	size_t slash = walk->length > 0 ? 1 : 0;

	if (walk->length + slash + length >= sizeof(walk->done)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash)
		walk->done[walk->length++] = '/';
	memcpy(walk->done + walk->length, name, length);
	walk->length += length;
	walk->done[walk->length] = '\0';
	return 0;
}

static void walk_cut(struct walk *walk, size_t length)
{
	walk->length = length;
	walk->done[length] = '\0';
	if (walk->existing > length) {
		/* The parent of something is a directory. */
		walk->existing = length;
		walk->is_directory = true;
	}
}

static void walk_pop(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	walk_cut(walk, slash ? (size_t)(slash - walk->done) : 0);
}

/* Puts what the link `fd` says in front of what is left to look at. */
static int walk_follow(struct walk *walk, int fd, const char *rest, size_t parent)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(fd, "", target, sizeof(target));
	cleanup_close int check = -1;
	char *todo = NULL;

	if (length < 0)
		return -1;
	if ((size_t)length >= sizeof(target)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (walk->links++ >= LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	/* The text of a magic link (/proc/PID/fd/N, /proc/PID/root) is not where it leads: the
	 * kernel, asked to follow it, says ELOOP. */
	check = open_confined(walk->root, walk->done, O_PATH, 0, RESOLVE_IN_ROOT);
	if (check < 0 && errno == ELOOP)
		return -1;
	if (asprintf(&todo, "%.*s/%s", (int)length, target, rest) < 0) {
		errno = ENOMEM;
		return -1;
	}
	free(walk->todo);
	walk->todo = todo;
	walk_cut(walk, length > 0 && target[0] == '/' ? 0 : parent);
	return 0;
}

/* Takes one component, which is neither "." nor "..". */
static int walk_enter(struct walk *walk, const char *name, size_t length, const char *rest)
{
	size_t parent = walk->length;
	bool below_missing = walk_missing(walk);
	cleanup_close int fd = -1;
	struct stat st;

	if (!below_missing && !walk->is_directory) {
		errno = ENOTDIR;
		return -1;
	}
	if (walk_push(walk, name, length))
		return -1;
	if (below_missing)
		return 0;

	/* O_PATH | O_NOFOLLOW opens a link itself; one on the way there appeared just now: ELOOP.
	 */
	fd = open_confined(walk->root, walk->done, O_PATH | O_NOFOLLOW, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st))
		return -1;
	if (S_ISLNK(st.st_mode))
		return walk_follow(walk, fd, rest, parent);
	walk->existing = walk->length;
	walk->is_directory = S_ISDIR(st.st_mode);
	return 0;
}

static int walk_run(struct walk *walk)
{
	const char *next = walk->todo;

	for (;;) {
		const char *name = next + strspn(next, "/");
		size_t length = strcspn(name, "/");
		const char *todo = walk->todo;

		if (length == 0)
			return 0;
		next = name + length;
		if (length == 1 && name[0] == '.')
			continue;
		if (length == 2 && name[0] == '.' && name[1] == '.') {
			if (!walk_missing(walk) && !walk->is_directory) {
				errno = ENOTDIR;
				return -1;
			}
			walk_pop(walk);
			continue;
		}
		if (walk_enter(walk, name, length, next))
			return -1;
		if (walk->todo != todo)
			next = walk->todo; /* a link was put in front */
	}
}

/* Whether ".." is among the components; writes the path without empty ones and "." to walk->done.
 */
static int walk_lexically(struct walk *walk, const char *path, bool *dotdot)
{
	*dotdot = false;
	for (;;) {
		const char *name = path + strspn(path, "/");
		size_t length = strcspn(name, "/");

		if (length == 0)
			return 0;
		path = name + length;
		if (length == 1 && name[0] == '.')
			continue;
		if (length == 2 && name[0] == '.' && name[1] == '.') {
			*dotdot = true;
			walk_pop(walk);
		} else if (walk_push(walk, name, length)) {
			return -1;
		}
	}
}

/*
 * Most paths have no link on the way, and one call finds that out: then the path means what it
 * says, up to its end or, without "..", up to a component that is not there. 0: that was it; 1:
 * walk.
 */
static int resolve_plain(struct walk *walk, const char *path, bool *missing)
{
	cleanup_close int fd = -1;
	bool dotdot;

	if (walk_lexically(walk, path, &dotdot))
		return -1;
	fd = open_confined(walk->root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	*missing = fd < 0;
	if (fd >= 0 || (errno == ENOENT && !dotdot))
		return 0;
	return errno == ENOSYS ? -1 : 1;
}

char *path_resolve_in_root(int root, const char *path, bool *missing, struct error *err)
{
	cleanup_with(walk_free) struct walk walk = {.root = root, .is_directory = true};
	bool not_there;
	char *result;
	int rest = resolve_plain(&walk, path, &not_there);

	if (rest > 0) {
		walk_cut(&walk, 0);
		walk.is_directory = true;
		walk.todo = strdup(path);
		if (!walk.todo)
			errno = ENOMEM;
		rest = walk.todo ? walk_run(&walk) : -1;
		not_there = walk_missing(&walk);
	}
	if (rest) {
		error_errno(err, errno, "can't resolve \"%s\" inside the root", path);
		return NULL;
	}
	if (missing)
		*missing = not_there;
	result = strdup(walk.done);
	if (!result)
		error_errno(err, ENOMEM, "can't resolve \"%s\" inside the root", path);
	return result;
}

/* ---- making things ---- */

/* Opens what `name` is in `parent`, a link never. */
static int open_entry(int parent, const char *name, uint64_t flags)
{
	return open_confined(parent, name, O_PATH | flags, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int make_directory(int parent, const char *name, mode_t mode)
{
	int fd = open_entry(parent, name, O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) && errno != EEXIST)
		return -1;
	return open_entry(parent, name, O_DIRECTORY);
}

static int make_file(int parent, const char *name, mode_t mode)
{
	cleanup_close int made = -1;
	cleanup_close int fd = open_entry(parent, name, 0);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		made =
		    openat(parent, name,
			   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, mode);
		if (made < 0 && errno != EEXIST)
			return -1;
		fd = open_entry(parent, name, 0);
	}
	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	return fd_take(&fd);
}

int path_make_in_root(int root, const char *path, bool directory, mode_t mode, struct error *err)
{
	cleanup_close int fd = open_entry(root, ".", O_DIRECTORY);
	const char *next = path;

	while (fd >= 0) {
		const char *name = next + strspn(next, "/");
		size_t length = strcspn(name, "/");
		char component[NAME_MAX + 1];
		bool last;
		int child;

		if (length == 0) {
			if (!directory && name == path + strspn(path, "/")) {
				errno = EISDIR; /* the root itself */
				break;
			}
			return fd_take(&fd);
		}
		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(component, name, length);
		component[length] = '\0';
		if (strcmp(component, "..") == 0) {
			errno = EINVAL;
			break;
		}
		next = name + length;
		last = next[strspn(next, "/")] == '\0';
		child = last && !directory ? make_file(fd, component, mode)
					   : make_directory(fd, component, last ? mode : 0755);
		if (child < 0)
			break;
		fd_close(fd);
		fd = child;
	}
	return error_errno(err, errno, "can't make \"%s\" inside the root", path);
}

int path_make_directories(const char *path, mode_t mode, struct error *err)
{
	cleanup_free char *copy = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	copy = *path ? strdup(path) : NULL;
	if (!copy)
		return error_errno(err, *path ? ENOMEM : ENOENT, "can't make the directory \"%s\"",
				   path);
	for (char *end = copy; *end;) {
		char saved;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		saved = *end;
		*end = '\0';
		/* EROFS and EACCES may come before EEXIST: what counts is whether it is there. */
		if (mkdir(copy, mode)) {
			int errnum = errno;

			if (stat(copy, &st))
				return error_errno(err, errnum, "can't make the directory \"%s\"",
						   copy);
			if (!S_ISDIR(st.st_mode))
				return error_errno(err, ENOTDIR, "can't make the directory \"%s\"",
						   copy);
		}
		*end = saved;
	}
	return 0;
}

/* ---- reading and writing ---- */

/* Without O_NONBLOCK open(2) itself would wait for a FIFO's writer. */
static int open_for_reading(int dirfd, const char *path, struct stat *st, const char *name,
			    struct error *err)
{
	cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fstat(fd, st))
		return error_errno(err, errno, "can't read %s", name);
	if (S_ISDIR(st->st_mode))
		return error_errno(err, EISDIR, "can't read %s", name);
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode))
		return error_set(err, "can't read %s: neither a regular file nor a pipe", name);
	return fd_take(&fd);
}

/* As read(2), but waits where a pipe's writer has nothing yet. The descriptor stays non-blocking.
 */
static ssize_t read_some(int fd, char *data, size_t size)
{
	for (;;) {
		ssize_t got = read(fd, data, size);

		if (got >= 0 || (errno != EINTR && errno != EAGAIN))
			return got;
		if (errno == EAGAIN)
			poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
	}
}

char *path_read_file(int dirfd, const char *path, size_t max, size_t *length, const char *name,
		     struct error *err)
{
	struct stat st;
	cleanup_close int fd = open_for_reading(dirfd, path, &st, name, err);
	cleanup_free char *data = NULL;
	size_t size = 0, used = 0;

	if (fd < 0)
		return NULL;
	for (;;) {
		ssize_t got;

		/* Always room for one byte more than has been read, and at last for max + 1. */
		if (used == size) {
			size_t want = size ? size * 2 : (size_t)st.st_size + 1;
			char *grown;

			if (want < 4096)
				want = 4096;
			size = want > max ? max + 1 : want;
			grown = realloc(data, size + 1);
			if (!grown) {
				error_errno(err, ENOMEM, "can't read %s", name);
				return NULL;
			}
			data = grown;
		}
		got = read_some(fd, data + used, size - used);
		if (got < 0) {
			error_errno(err, errno, "can't read %s", name);
			return NULL;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > max) {
			error_set(err, "%s: larger than %zu bytes", name, max);
			return NULL;
		}
		/* All of it: no need to be told so. What the kernel makes up has a size of 0. */
		if (S_ISREG(st.st_mode) && used == (size_t)st.st_size)
			break;
	}
	data[used] = '\0';
	if (length)
		*length = used;
	return PTR_TAKE(data);
}

int path_write_all(int fd, const void *data, size_t length)
{
	const char *next = data;

	while (length > 0) {
		ssize_t put = write(fd, next, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			if (put == 0)
				errno = EIO;
			return -1;
		}
		next += put;
		length -= (size_t)put;
	}
	return 0;
}
