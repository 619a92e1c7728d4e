/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	struct arena_block *block = arena->first;
	size_t bytes;
	void *result;

	if (__builtin_mul_overflow(count, size, &bytes) ||
	    bytes > SIZE_MAX - ALIGNMENT - BLOCK_SIZE)
		return NULL;
	bytes = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

	if (!block || block->size - block->used < bytes) {
		size_t want = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;

		block = malloc(sizeof(*block) + want);
		if (!block)
			return NULL;
		block->used = 0;
		block->size = want;
		block->next = arena->first;
		arena->first = block;
	}
	result = block->data + block->used;
	block->used += bytes;
	return memset(result, 0, bytes);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(arena, size, 1);

	return copy ? memcpy(copy, text, size) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *result;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return NULL;
	result = arena_alloc(arena, (size_t)length + 1, 1);
	if (!result)
		return NULL;
	va_start(args, format);
	vsnprintf(result, (size_t)length + 1, format, args);
	va_end(args);
	return result;
}

void arena_free(struct arena *arena)
{
	while (arena->first) {
		struct arena_block *next = arena->first->next;

		free(arena->first);
		arena->first = next;
	}
}
