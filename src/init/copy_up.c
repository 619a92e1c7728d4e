/* SPDX-License-Identifier: Apache-2.0 */
#include "init/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper than any image; a bound, so that a crafted tree can't use up the stack. */
#define DEPTH_MAX 128

static int copy_metadata(int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_file(int from, int to, const char *name)
{
	int in, out, result = -1;
	ssize_t n = 0;

	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0)
		return -1;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out >= 0) {
		while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
			;
		result = n < 0 ? -1 : 0;
		close(out);
	}
	close(in);
	return result;
}

static int copy_symlink(int from, int to, const char *name)
{
	char target[4097];
	ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);

	if (length < 0)
		return -1;
	target[length] = '\0';
	return symlinkat(target, to, name);
}

static int copy_directory(int from, int to, dev_t device, int depth);

static int copy_entry(int from, int to, const char *name, dev_t device, int depth)
{
	struct stat st;
	int result;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		int in, out = -1;

		result = -1;
		in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (in >= 0 && mkdirat(to, name, 0700) == 0)
			out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (out >= 0)
			result =
			    st.st_dev == device ? copy_directory(in, out, device, depth + 1) : 0;
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
	} else if (S_ISREG(st.st_mode)) {
		result = copy_file(from, to, name);
	} else if (S_ISLNK(st.st_mode)) {
		result = copy_symlink(from, to, name);
	} else {
		result = mknodat(to, name, st.st_mode & (S_IFMT | 07777), st.st_rdev);
	}
	return result < 0 ? -1 : copy_metadata(to, name, &st);
}

static int copy_directory(int from, int to, dev_t device, int depth)
{
	struct dirent *entry;
	int result = 0;
	DIR *list;

	if (depth > DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	list = fdopendir(fcntl(from, F_DUPFD_CLOEXEC, 0));
	if (!list)
		return -1;
	while (result == 0 && (errno = 0, entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = copy_entry(from, to, entry->d_name, device, depth);
	if (result == 0 && errno)
		result = -1;
	closedir(list);
	return result;
}

int copy_up(int from, int to, bool has_mode)
{
	struct stat st, top;
	int in, result = -1;

	in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0)
		return -1;
	if (fstat(in, &st) == 0 && fstat(to, &top) == 0)
		result = copy_directory(in, to, st.st_dev, 0);
	/* The new root looks like the directory that it covers, unless its options say otherwise.
	 */
	if (result == 0 && (fchown(to, st.st_uid, st.st_gid) < 0 ||
			    fchmod(to, (has_mode ? top : st).st_mode & 07777) < 0))
		result = -1;
	close(in);
	return result;
}
