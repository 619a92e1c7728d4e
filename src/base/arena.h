/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that is given out piece by piece and freed all at once. A spec, with its
 * hundreds of small strings and lists, lives in one; so nothing in it needs an owner of its own.
 */
#ifndef RUNLXC_BASE_ARENA_H
#define RUNLXC_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *first;
};

#define ARENA_INIT                                                                                 \
	{                                                                                          \
		NULL                                                                               \
	}

/* `count` zeroed elements of `size` bytes, aligned for anything. NULL when memory ran out. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);

#endif
