/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed access to a JSON document, on json-c. Whoever reads a document walks it with these calls;
 * every error names the document, the field by its path in it and the reason:
 *
 *	config.json: mounts[3].options[0]: want a string, found a number
 *
 * A member that is null is the same as one that is absent: the calls return 0 and leave *out alone.
 * They return -1 with the document's error filled otherwise. None of them blocks.
 */
#ifndef RUNLXC_BASE_JSON_H
#define RUNLXC_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/error.h"

/*
 * Parses a whole document. Strict: RFC 8259 and nothing beside it, nesting of at most 64, no NUL
 * byte, nothing but white space behind. Of a key that is there twice the last one holds, as in Go.
 * Returns an object for json_object_put(); NULL with an error that names `name` (the document) and
 * where there is a place to name, line and column. The text "null" is an error, too.
 */
struct json_object *json_parse(const char *text, size_t length, const char *name,
			       struct error *err);

/* What all values of a document share. It must outlive them. */
struct json_document {
	const char *name;    /* as errors call it */
	struct arena *arena; /* gets what is read */
	struct error *err;
	const char *text; /* what it was parsed from: errors then name the line; NULL: they don't */
	size_t length;
};

/*
 * A value and its place. It lives on the stack of whoever walks the document, points at the value
 * that it was reached from, and costs nothing unless an error has to spell out the path.
 */
struct json_value {
	const struct json_document *document;
	const struct json_value *parent; /* NULL at the top */
	const char *key;		 /* in an object; NULL in an array and at the top */
	size_t index;			 /* in an array */
	struct json_object *object;	 /* NULL: absent or null */
};

/* Sets "<document>: <path>: <text>" as the error, or with the document's text at hand
 * "<document>:<line>: <path>: <text>". Always returns -1. */
int json_fail(const struct json_value *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The line, from 1, on which a value starts (a member with its key); of one that isn't there, that
 * of the nearest thing around it that is. 0 where the document came without its text.
 */
size_t json_line(const struct json_value *at);

/*
 * A quotation of `text` for an error: in double quotes, without a byte that would break the line,
 * cut when it is long. For use inside one statement: json_quote(&(struct json_quote){0}, text).
 */
struct json_quote {
	char text[160];
};
const char *json_quote(struct json_quote *buffer, const char *text);

/* The member `key` of `at`, which must be an object or absent (then so is the member). */
struct json_value json_member(const struct json_value *at, const char *key);

/* The element `index` of an array; below json_count(). */
struct json_value json_element(const struct json_value *array, size_t index);
size_t json_count(const struct json_value *array);

/* An error if `at` is not of that type or, where `required`, not there. */
int json_want(const struct json_value *at, enum json_type type, bool required);

/* An error if the member `key` is absent. */
int json_require(const struct json_value *at, const char *key);

/* The member `key`, which is an object, an array or absent. */
int json_get_object(const struct json_value *at, const char *key, struct json_value *member);
int json_get_array(const struct json_value *at, const char *key, struct json_value *member);

/*
 * Scalars. Integers are integer literals in the range of their type, as Go's decoder has it: 1.5 is
 * an error, and so are 1.0 and 1e3. A string has no NUL in it; its bytes need not be UTF-8.
 */
int json_get_bool(const struct json_value *at, const char *key, bool *out);
int json_get_i32(const struct json_value *at, const char *key, int32_t *out);
int json_get_u32(const struct json_value *at, const char *key, uint32_t *out);
int json_get_i64(const struct json_value *at, const char *key, int64_t *out);
int json_get_u64(const struct json_value *at, const char *key, uint64_t *out);
int json_get_string(const struct json_value *at, const char *key, char **out);

/* The same for a value that is at hand; it must not be absent. */
int json_as_string(const struct json_value *value, char **out);
int json_as_u32(const struct json_value *value, uint32_t *out);

/* An array of strings, none of them null: *items ends with a NULL pointer when *count > 0. */
int json_get_strings(const struct json_value *at, const char *key, size_t *count, char ***items);

/*
 * An array of objects: `count` zeroed elements of `size` bytes from the arena, each filled by
 * read(). An empty or absent one gives count 0 and items NULL.
 */
struct json_list {
	size_t count;
	void *items;
};
int json_get_list(const struct json_value *at, const char *key, size_t size,
		  int (*read)(const struct json_value *element, void *into),
		  struct json_list *list);

/*
 * An object that is a map: like json_get_list(), in the order of the document; value->key is the
 * key and lives as long as the json-c object. Members that are null are left out.
 */
int json_get_map(const struct json_value *at, const char *key, size_t size,
		 int (*read)(const struct json_value *value, void *into), struct json_list *list);

/* `count` zeroed elements from the document's arena; NULL and an error when memory ran out. */
void *json_alloc(const struct json_value *at, size_t count, size_t size);
char *json_strdup(const struct json_value *at, const char *text);

#endif
