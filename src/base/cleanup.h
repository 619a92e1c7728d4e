/* SPDX-License-Identifier: Apache-2.0 */
/* Owners that let go by themselves: every fd, pointer and stream is declared with one of these. */
#ifndef RUNLXC_BASE_CLEANUP_H
#define RUNLXC_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes a descriptor if it is one; keeps errno, so that it can run between a failure and its
 * report. */
static inline void fd_close(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
}

/* Hands a descriptor over: returns it and leaves -1 behind. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Another number for the same, at `lowest` or above, with O_CLOEXEC. -1 with errno; EMFILE also
 * where `lowest` is more than RLIMIT_NOFILE lets a process have, of which the kernel says EINVAL.
 */
static inline int fd_duplicate(int fd, int lowest)
{
	int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, lowest);

	if (duplicate < 0 && errno == EINVAL)
		errno = EMFILE;
	return duplicate;
}

/* Hands a pointer over: returns it and leaves NULL behind. */
#define PTR_TAKE(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

static inline void cleanup_close_(int *fd)
{
	fd_close(*fd);
}

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fclose_(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir_(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define cleanup_close __attribute__((cleanup(cleanup_close_)))
#define cleanup_free __attribute__((cleanup(cleanup_free_)))
#define cleanup_fclose __attribute__((cleanup(cleanup_fclose_)))
#define cleanup_closedir __attribute__((cleanup(cleanup_closedir_)))
#define cleanup_with(function) __attribute__((cleanup(function)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
