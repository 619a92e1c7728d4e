/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"

int streams_dup(int lowest, const int *from, int streams[3], struct error *err)
{
	int i;

	for (i = 0; i < 3; i++) {
		streams[i] = fd_duplicate(from ? from[i] : i, lowest);
		if (streams[i] < 0 && errno != EBADF)
			return error_errno(err, errno, "Failed to duplicate standard stream %d", i);
	}
	return 0;
}

void streams_close(int streams[3])
{
	int i;

	for (i = 0; i < 3; i++) {
		fd_close(streams[i]);
		streams[i] = -1;
	}
}

static int add_variable(struct spec *spec, const char *text)
{
	struct spec_strings *env = &spec->process.env;
	char **items = arena_alloc(&spec->arena, env->count + 2, sizeof(*items));

	if (!items)
		return -1;
	if (env->count)
		memcpy(items, env->items, env->count * sizeof(*items));
	items[env->count] = arena_strdup(&spec->arena, text);
	if (!items[env->count])
		return -1;
	env->items = items;
	env->count++;
	return 0;
}

static bool is_open(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	/* What came through our own exec can't be close-on-exec; what is was opened by us. */
	return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* sd_listen_fds(3): descriptors that a service manager passed to us are meant for the container. */
static int listening(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	long number = count ? strtol(count, NULL, 10) : 0;

	if (number < 0 || number > 512 || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return (int)number;
}

int streams_preserve(int asked, bool listen, int *count, struct error *err)
{
	int passed = listen ? listening() : 0, i;

	if (asked < 0 || asked > 512)
		return error_set(err, "--preserve-fds: %d is out of range", asked);
	/* Whoever promised sockets and has closed them: so they are for the program, as with crun.
	 */
	while (!asked && passed && !is_open(2 + passed))
		passed--;
	*count = asked + passed;
	for (i = 0; i < passed; i++)
		if (!is_open(3 + i))
			return error_set(err, "LISTEN_FDS: descriptor %d is not open", 3 + i);
	/* The words are runc's. */
	for (i = 0; i < asked; i++)
		if (!is_open(3 + passed + i))
			return error_set(err,
					 "--preserve-fds: unable to stat preserved-fd %d (of %d): "
					 "descriptor %d is not open",
					 i, asked, 3 + passed + i);
	return 0;
}

int streams_listen(struct spec *spec, struct error *err)
{
	char text[48];

	if (!listening())
		return 0;
	snprintf(text, sizeof(text), "LISTEN_FDS=%d", listening());
	/* The program is PID 1 of its container. */
	if (add_variable(spec, text) < 0 || add_variable(spec, "LISTEN_PID=1") < 0)
		return error_errno(err, ENOMEM, "LISTEN_FDS");
	return 0;
}

/* A device, a pipe, or whatever a stream of ours is (/dev/stdout): what is there is to be written
 * to, and not to be replaced by a file. */
static bool is_for_writing(const char *path)
{
	static const char streams[] = "/proc/self/fd/";
	char target[sizeof(streams)];
	struct stat st;

	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return false;
	return !S_ISREG(st.st_mode) ||
	       (readlink(path, target, sizeof(target)) >= (ssize_t)strlen(streams) &&
		strncmp(target, streams, strlen(streams)) == 0);
}

/* Where nobody reads a pipe, that is an error (ENXIO) and nothing to wait for. */
static int write_into(const char *path, const char *text, size_t length, struct error *err)
{
	cleanup_close int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && path_write_all(fd, text, length) == 0
		   ? 0
		   : error_errno(err, errno, "--pid-file: Failed to write \"%s\"", path);
}

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	cleanup_close int fd = -1;
	char temporary[PATH_MAX], text[16];
	const char *slash = strrchr(path, '/');
	int length = snprintf(text, sizeof(text), "%d", (int)pid);
	int directory = slash ? (int)(slash - path) + 1 : 0;

	if (is_for_writing(path))
		return write_into(path, text, (size_t)length, err);
	if ((size_t)snprintf(temporary, sizeof(temporary), "%.*s.%s.%d", directory, path,
			     path + directory, (int)pid) >= sizeof(temporary))
		return error_errno(err, ENAMETOOLONG, "--pid-file \"%s\"", path);
	/* An engine reads it the moment it appears: it appears whole. A file of that name that is
	 * there, in a directory where others may write, is not ours to use; one that a killed
	 * command left is nobody's any more. */
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno(err, errno, "--pid-file: Failed to write \"%s\"", path);
	if (path_write_all(fd, text, (size_t)length) < 0 || rename(temporary, path) < 0) {
		error_errno(err, errno, "--pid-file: Failed to write \"%s\"", path);
		unlink(temporary);
		return -1;
	}
	return 0;
}
