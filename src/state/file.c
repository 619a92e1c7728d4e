/* SPDX-License-Identifier: Apache-2.0 */
/* Files in a container's directory, each whole or not there. */
#include "state/state.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "state/internal.h"

void state_file_name(const struct state_dir *dir, const char *name, char *text, size_t size)
{
	char link[32], target[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir->dir);
	length = readlink(link, target, sizeof(target));
	if (length > 0 && (size_t)length < sizeof(target))
		snprintf(text, size, "%.*s/%s", (int)length, target, name);
	else
		snprintf(text, size, "%s", name);
}

/* Makes and fills a file. -1 with errno; a half-written one is removed. */
static int write_new(int dir, const char *name, const void *data, size_t length)
{
	int result,
	    fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
			0600);

	if (fd < 0)
		return -1;
	result = path_write_all(fd, data, length);
	/* Some file systems tell only here that the disk or the quota is full. No fsync: a
	 * container does not outlive its host, so neither need its state. */
	if (result) {
		fd_close(fd);
	} else {
		result = close(fd);
	}
	if (result) {
		int saved = errno;

		unlinkat(dir, name, 0);
		errno = saved;
	}
	return result;
}

int state_file_create(const struct state_dir *dir, const char *name, const void *data,
		      size_t length, struct error *err)
{
	char full[PATH_MAX + NAME_MAX + 2];
	int saved;

	if (write_new(dir->dir, name, data, length) == 0)
		return 0;
	saved = errno;
	state_file_name(dir, name, full, sizeof(full));
	return error_errno(err, saved, "can't write %s", full);
}

int state_file_write(const struct state_dir *dir, const char *name, const void *data, size_t length,
		     struct error *err)
{
	char temporary[NAME_MAX + 1], full[PATH_MAX + NAME_MAX + 2];
	int saved;

	/* The pid keeps two writers apart where one has no lock; what a killed one leaves goes with
	 * the directory, or with the next process of that number. */
	if (snprintf(temporary, sizeof(temporary), ".%s.%d", name, getpid()) <
	    (int)sizeof(temporary)) {
		unlinkat(dir->dir, temporary, 0);
		if (write_new(dir->dir, temporary, data, length) == 0) {
			if (renameat(dir->dir, temporary, dir->dir, name) == 0)
				return 0;
			saved = errno;
			unlinkat(dir->dir, temporary, 0);
		} else {
			saved = errno;
		}
	} else {
		saved = ENAMETOOLONG;
	}
	state_file_name(dir, name, full, sizeof(full));
	return error_errno(err, saved, "can't write %s", full);
}
