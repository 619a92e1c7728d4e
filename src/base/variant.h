/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values with a type of D-Bus's, for the properties of systemd's units; and such a value from
 * GVariant's text ("uint64 5", "['a', 'b']"), which is how annotations have them.
 */
#ifndef RUNLXC_BASE_VARIANT_H
#define RUNLXC_BASE_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Strings and items live in an arena of whoever made the value. */
struct variant {
	char type; /* D-Bus's code: one of "ybnqiuxtdsog", or 'a' (array), or '(' (struct) */
	union {
		uint64_t number;  /* y b q u t */
		int64_t integer;  /* n i x */
		double real;	  /* d */
		const char *text; /* s o g */
	};
	const char *element;	     /* of an array: the signature of what is in it */
	const struct variant *items; /* of arrays and structs */
	size_t count;
};

struct property {
	const char *name;
	struct variant value;
};

struct properties {
	struct arena arena;
	size_t count, capacity;
	struct property *items;
};
#define PROPERTIES_INIT                                                                            \
	{                                                                                          \
		ARENA_INIT, 0, 0, NULL                                                             \
	}

/* Adds one; the value's strings and items must outlive the list, or be in its arena. The name is
 * copied. */
int properties_add(struct properties *properties, const char *name, struct variant value,
		   struct error *err);
void properties_free(struct properties *properties);
#define cleanup_properties __attribute__((cleanup(properties_free)))

static inline struct variant variant_number(uint64_t number)
{
	return (struct variant){.type = 't', .number = number};
}

static inline struct variant variant_flag(bool flag)
{
	return (struct variant){.type = 'b', .number = flag};
}

static inline struct variant variant_text(const char *text)
{
	return (struct variant){.type = 's', .text = text};
}

/* Its signature, in the arena; NULL when memory ran out. */
const char *variant_signature(const struct variant *value, struct arena *arena);

/*
 * Reads a value from GVariant's text format: booleans, numbers, strings, arrays and tuples of them,
 * with a type in front ("uint32 7", "@as []") or the type that GVariant takes without one.
 * Dictionaries, maybes and variants in it are errors; no property of a scope's has one.
 */
int variant_parse(const char *text, struct arena *arena, struct variant *value, struct error *err);

#endif
