/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a container's directory away. */
#include "state/state.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "state/internal.h"

/* Deeper than anything that is put there, and few enough open directories. */
#define DEPTH_MAX 32

/* Opens a directory to be emptied: never through a link, and never one that something is mounted
 * on, whose files are not ours. */
static int open_below(int parent, const char *name)
{
	struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));
}

static bool is_kept(int depth, const char *name)
{
	return depth == 0 && strcmp(name, STATE_FILE) == 0;
}

/* Removes what is in `dir`; at depth 0 all but state.json. Takes `dir` over. */
static int empty_directory(int dir, int depth, struct error *err)
{
	cleanup_closedir DIR *stream = fdopendir(dir);
	struct dirent *entry;

	if (!stream) {
		error_errno(err, errno, "can't read a directory of the container");
		fd_close(dir);
		return -1;
	}
	rewinddir(stream);
	while (errno = 0, (entry = readdir(stream))) {
		const char *name = entry->d_name;
		int below;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_kept(depth, name))
			continue;
		if (unlinkat(dirfd(stream), name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return error_errno(err, errno, "can't remove \"%s\"", name);
		if (unlinkat(dirfd(stream), name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return error_errno(err, errno, "can't remove \"%s\"", name);
		if (depth == DEPTH_MAX)
			return error_set(err, "can't remove \"%s\": nested too deeply", name);
		below = open_below(dirfd(stream), name);
		if (below < 0)
			return error_errno(err, errno, "can't remove \"%s\"", name);
		if (empty_directory(below, depth + 1, err))
			return error_prefix(err, "%s", name);
		if (unlinkat(dirfd(stream), name, AT_REMOVEDIR) && errno != ENOENT)
			return error_errno(err, errno, "can't remove \"%s\"", name);
	}
	return errno ? error_errno(err, errno, "can't read a directory of the container") : 0;
}

static int unlink_file(int dir, const char *name, struct error *err)
{
	if (unlinkat(dir, name, 0) && errno != ENOENT)
		return error_errno(err, errno, "can't remove \"%s\"", name);
	return 0;
}

/*
 * In this order a removal that is killed can be done again at any point: state.json goes when
 * nothing else is left, so until then it still is a container that delete finds.
 */
static int remove_all(int root, const char *id, const struct state_dir *dir, struct error *err)
{
	int stream = openat(dir->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (stream < 0)
		return error_errno(err, errno, "can't open its directory");
	if (empty_directory(stream, 0, err) || unlink_file(dir->dir, STATE_FILE, err))
		return -1;
	if (unlinkat(root, id, AT_REMOVEDIR) && errno != ENOENT)
		return error_errno(err, errno, "can't remove its directory");
	return 0;
}

int state_dir_remove(int root, const char *id, struct state_dir *dir, struct error *err)
{
	int result = remove_all(root, id, dir, err);

	if (result)
		error_prefix(err, "can't remove container %s", id);
	state_dir_close(dir);
	return result;
}
