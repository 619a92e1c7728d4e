/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for a test, that goes with all that is in it. */
#ifndef RUNLXC_TEST_PLACE_H
#define RUNLXC_TEST_PLACE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct place {
	char base[64];
	int fd;
};

/* For cmocka's setup and teardown. */
static inline int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->base, "/tmp/runlxc-test-XXXXXX");
	assert_non_null(mkdtemp(place->base));
	place->fd = open(place->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

static inline int place_remove(void **state)
{
	struct place *place = *state;

	close(place->fd);
	remove_tree(place->base);
	free(place);
	return 0;
}

#endif
