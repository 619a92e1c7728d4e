/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a tree of cgroups that its members may change meanwhile. */
#include "cgroup/internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* One cgroup on the way down. The way back is "..": a cgroup can't be moved below another parent.
 */
struct level {
	char *children; /* names, each with its NUL, and an empty one at the end */
	char *next;	/* in `children` */
	char *name;	/* in the parent's `children`; NULL at the top */
	ino_t inode;
};

struct walk {
	int dir; /* of the deepest level */
	struct level *levels;
	size_t depth, capacity;
};

static void walk_free(struct walk *walk)
{
	fd_close(walk->dir);
	while (walk->depth > 0)
		free(walk->levels[--walk->depth].children);
	free(walk->levels);
}

/* The names of a cgroup's children; empty when it is gone. NULL with errno. */
static char *list_children(int dir, const struct stat *st)
{
	cleanup_closedir DIR *stream = NULL;
	cleanup_free char *names = NULL;
	size_t size = 0;
	struct dirent *entry;
	FILE *list;
	int fd;

	/* kernfs counts the directories in a directory: two links and no more is none. */
	if (st->st_nlink == 2)
		return calloc(1, 1);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? calloc(1, 1) : NULL;
	stream = fdopendir(fd);
	if (!stream) {
		fd_close(fd);
		return NULL;
	}
	list = open_memstream(&names, &size);
	if (!list)
		return NULL;
	while ((entry = readdir(stream))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			fwrite(entry->d_name, 1, strlen(entry->d_name) + 1, list);
	}
	fputc('\0', list);
	if (fclose(list)) {
		errno = ENOMEM;
		return NULL;
	}
	return PTR_TAKE(names);
}

/* Makes `dir` the deepest level; takes it over. */
static int walk_down(struct walk *walk, int dir, char *name)
{
	struct level *level;
	struct stat st;

	fd_close(walk->dir);
	walk->dir = dir;
	if (fstat(dir, &st))
		return -1;
	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 8;
		struct level *grown = reallocarray(walk->levels, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		walk->levels = grown;
		walk->capacity = capacity;
	}
	level = &walk->levels[walk->depth];
	*level = (struct level){.name = name, .inode = st.st_ino};
	level->children = level->next = list_children(dir, &st);
	if (!level->children)
		return -1;
	walk->depth++;
	return 0;
}

/* Back to the parent of the deepest level, which is not the top. */
static int walk_up(struct walk *walk)
{
	int parent = openat(walk->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	free(walk->levels[--walk->depth].children);
	if (parent < 0)
		return -1;
	fd_close(walk->dir);
	walk->dir = parent;
	if (fstat(parent, &st))
		return -1;
	if (st.st_ino != walk->levels[walk->depth - 1].inode) {
		errno = ESTALE;
		return -1;
	}
	return 0;
}

int cgroup_walk(int top, const struct cgroup_walker *walker)
{
	cleanup_with(walk_free) struct walk walk = {.dir = -1};
	int result, dir = openat(top, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || walk_down(&walk, dir, NULL))
		return -1;
	for (;;) {
		struct level *level = &walk.levels[walk.depth - 1];
		char *name = level->next;

		if (*name) {
			level->next += strlen(name) + 1;
			dir = openat(walk.dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (dir >= 0 && walk_down(&walk, dir, name))
				return -1;
			if (dir < 0 && errno != ENOENT && errno != ENODEV)
				return -1;
			continue;
		}
		name = level->name;
		result = walker->visit ? walker->visit(walk.dir, walker->data) : 0;
		if (result || walk.depth == 1)
			return result;
		if (walk_up(&walk))
			return -1;
		result = walker->leave ? walker->leave(walk.dir, name, walker->data) : 0;
		if (result)
			return result;
	}
}
