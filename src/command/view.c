/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as the container will see them, before it is there: the root file system with the Command's
 * mounts over it. Every component is opened by itself and symlinks are followed here, so that none
 * leads out of what the container sees: an absolute one starts at the container's root again, also
 * where it lies in a mount's source.
 */
#include "command/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

/* As many links as the kernel follows in one lookup (MAXSYMLINKS). */
#define LINKS_MAX 40

/* More than any image's; an image's file is not trusted to be of a sensible size. */
#define FILE_MAX_BYTES ((size_t)1024 * 1024)

/* Where file systems of the kernel's are that every container gets. */
static const char *const systems[] = {"proc", "dev", "sys"};

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* The mount that a path without symlinks lies in: the last one, which covers the others. */
static const struct view_mount *find_mount(const struct view *view, const char *path)
{
	for (size_t i = view->count; i > 0; i--) {
		if (is_below(path, view->mounts[i - 1].target))
			return &view->mounts[i - 1];
	}
	return NULL;
}

static bool is_made_for_a_mount(const struct view *view, const char *path)
{
	for (size_t i = 0; i < view->count; i++) {
		if (is_below(view->mounts[i].target, path))
			return true;
	}
	return false;
}

static bool is_in_a_system(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		if (is_below(path, systems[i]))
			return true;
	}
	return false;
}

/* ---- a walk ---- */

struct walk {
	const struct view *view;
	char *todo;	     /* owned: what is left to look at */
	char done[PATH_MAX]; /* no symlinks, no leading slash */
	size_t length;
	unsigned int links;
	bool create; /* what is missing is taken for made */
};

static void walk_free(struct walk *walk)
{
	free(walk->todo);
}

static void walk_cut(struct walk *walk, size_t length)
{
	walk->length = length;
	walk->done[length] = '\0';
}

static void walk_pop(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	walk_cut(walk, slash ? (size_t)(slash - walk->done) : 0);
}

static int walk_push(struct walk *walk, const char *name, size_t length)
{
	size_t slash = walk->length > 0;

	if (walk->length + slash + length >= sizeof(walk->done)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash)
		walk->done[walk->length++] = '/';
	memcpy(walk->done + walk->length, name, length);
	walk_cut(walk, walk->length + length);
	return 0;
}

/* What is at walk->done, a symlink itself rather than where it leads. -1 with errno. */
static int walk_open(const struct walk *walk)
{
	const struct view_mount *mount = find_mount(walk->view, walk->done);
	const char *rest = walk->done + (mount ? strlen(mount->target) : 0);

	rest += strspn(rest, "/");
	if (mount && !*rest)
		return fcntl(mount->fd, F_DUPFD_CLOEXEC, 0);
	return kernel_openat2(mount ? mount->fd : walk->view->root, *rest ? rest : ".",
			      O_PATH | O_NOFOLLOW, 0,
			      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/* Puts what a symlink says in front of what is left to look at. */
static int walk_follow(struct walk *walk, int fd, const char *rest)
{
	char target[PATH_MAX], *todo;
	ssize_t length = readlinkat(fd, "", target, sizeof(target));

	if (length < 0)
		return -1;
	if ((size_t)length == sizeof(target) || walk->links++ == LINKS_MAX) {
		errno = walk->links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
		return -1;
	}
	if (asprintf(&todo, "%.*s/%s", (int)length, target, rest) < 0) {
		errno = ENOMEM;
		return -1;
	}
	free(walk->todo);
	walk->todo = todo;
	if (length && target[0] == '/')
		walk_cut(walk, 0);
	else
		walk_pop(walk);
	return 0;
}

/* One step, onto a component that is neither "." nor "..". *fd is what was found there. */
static enum view_result walk_step(struct walk *walk, const char *name, size_t length,
				  const char *rest, int *fd)
{
	struct stat st;

	if (walk_push(walk, name, length))
		return VIEW_FAILED;
	if (!find_mount(walk->view, walk->done) && is_in_a_system(walk->done))
		return VIEW_SYSTEM;
	*fd = walk_open(walk);
	if (*fd < 0) {
		if (errno == ENOENT &&
		    (walk->create || is_made_for_a_mount(walk->view, walk->done)))
			return VIEW_MADE;
		return VIEW_FAILED;
	}
	if (fstat(*fd, &st))
		return VIEW_FAILED;
	if (!S_ISLNK(st.st_mode))
		return VIEW_FOUND;
	if (walk_follow(walk, *fd, rest))
		return VIEW_FAILED;
	fd_close(fd_take(fd));
	return VIEW_FOUND;
}

static enum view_result walk_run(struct walk *walk, int *found)
{
	cleanup_close int fd = -1;
	const char *next = walk->todo;
	enum view_result result = VIEW_FOUND;

	for (;;) {
		const char *name = next + strspn(next, "/"), *todo = walk->todo;
		size_t length = strcspn(name, "/");

		if (length == 0)
			break;
		next = name + length;
		if (length == 1 && name[0] == '.')
			continue;
		fd_close(fd_take(&fd));
		if (length == 2 && name[0] == '.' && name[1] == '.') {
			walk_pop(walk);
			result = VIEW_FOUND;
			continue;
		}
		result = walk_step(walk, name, length, next, &fd);
		/* Below a file system of the kernel's there is nothing that is known. */
		if (result == VIEW_FAILED || (result == VIEW_SYSTEM && !walk->create))
			return result;
		if (walk->todo != todo)
			next = walk->todo;
	}
	if (result != VIEW_FOUND)
		return result;
	if (fd < 0)
		fd = walk_open(walk); /* the root, behind a "..", or where a link ends */
	*found = fd_take(&fd);
	return *found < 0 ? VIEW_FAILED : VIEW_FOUND;
}

enum view_result view_find(const struct view *view, const char *path, int *fd)
{
	cleanup_with(walk_free) struct walk walk = {.view = view, .todo = strdup(path)};

	*fd = -1;
	if (!walk.todo) {
		errno = ENOMEM;
		return VIEW_FAILED;
	}
	return walk_run(&walk, fd);
}

char *view_read(const struct view *view, const char *path)
{
	cleanup_close int fd = -1;
	struct error ignored = ERROR_INIT;
	struct stat st;
	char name[64], *text;

	/* Not to hang on a FIFO, nor to read a device. */
	if (view_find(view, path, &fd) != VIEW_FOUND || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	text = path_read_file(AT_FDCWD, name, FILE_MAX_BYTES, NULL, path, &ignored);
	error_clear(&ignored);
	return text;
}

bool view_is_covered(const struct runlxc_command *command, const char *path)
{
	for (size_t i = 0; i < command->mounts_count; i++) {
		const char *target = command->mounts[i].destination;
		size_t length = strlen(target);

		while (length > 1 && target[length - 1] == '/')
			length--;
		if (strncmp(path, target, length) == 0 &&
		    (path[length] == '/' || path[length] == '\0'))
			return true;
	}
	return false;
}

/* ---- the view ---- */

/* Where a mount goes, with the earlier ones in place; and what is there then. */
static int add_mount(struct view *view, const struct runlxc_command_mount *mount, size_t i,
		     struct error *err)
{
	cleanup_with(walk_free) struct walk walk = {
	    .view = view, .todo = strdup(mount->destination), .create = true};
	cleanup_close int source = -1, covered = -1;

	if (!walk.todo)
		return error_errno(err, ENOMEM, "mounts[%zu]", i);
	/* As a bind mount opens it: on the host, symlinks followed. */
	source = open(mount->source, O_PATH | O_CLOEXEC);
	if (source < 0)
		return error_errno(err, errno, "mounts[%zu].source: %s", i, quoted(mount->source));
	if (walk_run(&walk, &covered) == VIEW_FAILED)
		return error_errno(err, errno, "mounts[%zu].destination: %s", i,
				   quoted(mount->destination));
	if (!walk.length)
		return error_set(err, "mounts[%zu].destination: %s is the root itself", i,
				 quoted(mount->destination));
	view->mounts[view->count].target = strdup(walk.done);
	if (!view->mounts[view->count].target)
		return error_errno(err, ENOMEM, "mounts[%zu]", i);
	view->mounts[view->count++].fd = fd_take(&source);
	return 0;
}

int view_open(struct view *view, const struct runlxc_command *command, struct error *err)
{
	view->command = command;
	view->root = open(command->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (view->root < 0)
		return error_errno(err, errno, "rootfs: %s", quoted(command->rootfs));
	view->mounts = calloc(command->mounts_count + 1, sizeof(*view->mounts));
	if (!view->mounts)
		return error_errno(err, ENOMEM, "mounts");
	for (size_t i = 0; i < command->mounts_count; i++) {
		if (add_mount(view, &command->mounts[i], i, err))
			return -1;
	}
	return 0;
}

void view_close(struct view *view)
{
	fd_close(view->root);
	for (size_t i = 0; i < view->count; i++) {
		fd_close(view->mounts[i].fd);
		free(view->mounts[i].target);
	}
	free(view->mounts);
	*view = (struct view)VIEW_INIT;
}
