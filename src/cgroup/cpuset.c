/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cpuset.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* As deep as a path can be. */
#define DEEPEST 2048

/* Without the newline. Below 0: there is no such file, or it can't be read. */
static ssize_t read_list(int directory, const char *file, char *text, size_t size)
{
	cleanup_close int fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == ' '))
		got--;
	if (got >= 0)
		text[got] = '\0';
	return got;
}

static void write_list(int directory, const char *file, const char *text, size_t length)
{
	cleanup_close int fd = openat(directory, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	/* Whoever joins it will be told. */
	if (fd >= 0 && write(fd, text, length) < 0)
		return;
}

static void fill(int directory, const char *file, int depth)
{
	char text[4096];
	cleanup_close int parent = -1;
	ssize_t length;

	if (read_list(directory, file, text, sizeof(text)) != 0 || depth == DEEPEST)
		return;
	/* The topmost always has all, so that nobody gets beyond it. */
	parent = openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return;
	fill(parent, file, depth + 1);
	length = read_list(parent, file, text, sizeof(text));
	if (length > 0)
		write_list(directory, file, text, (size_t)length);
}

void cpuset_fill(int directory)
{
	fill(directory, "cpuset.cpus", 0);
	fill(directory, "cpuset.mems", 0);
}
