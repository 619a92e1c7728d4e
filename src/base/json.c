/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* ---- errors ---- */

/* A bounded line of text that only ever gets printable characters; what doesn't fit is dropped. */
struct line {
	char *text;
	size_t used, size;
};

static void line_add(struct line *line, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char escaped[8];
		size_t length;

		/* Bytes from 0x80 are UTF-8 or what the document had; neither breaks a line. */
		if (c < 0x20 || c == 0x7f)
			length = (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x", c);
		else
			length = (size_t)snprintf(escaped, sizeof(escaped), "%c", c);
		if (line->size - line->used <= length)
			return;
		memcpy(line->text + line->used, escaped, length);
		line->used += length;
	}
}

static void line_add_path(struct line *line, const struct json_value *at)
{
	char index[32];

	if (!at->parent)
		return;
	line_add_path(line, at->parent);
	if (!at->key) {
		snprintf(index, sizeof(index), "[%zu]", at->index);
		line_add(line, index);
	} else if (*at->key && !strpbrk(at->key, ".[]\" ")) {
		line_add(line, line->used ? "." : "");
		line_add(line, at->key);
	} else {
		/* A map's key may be anything: net.ipv4.x must not look like three fields. */
		line_add(line, "[\"");
		line_add(line, at->key);
		line_add(line, "\"]");
	}
}

int json_fail(const struct json_value *at, const char *format, ...)
{
	char path[512] = "";
	struct line line = {path, 0, sizeof(path)};
	cleanup_free char *reason = NULL;
	size_t number = json_line(at);
	char where[32] = "";
	va_list args;

	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);

	if (number)
		snprintf(where, sizeof(where), ":%zu", number);
	line_add_path(&line, at);
	return error_set(at->document->err, "%s%s: %s%s%s", at->document->name, where, path,
			 line.used ? ": " : "", reason ? reason : "out of memory");
}

const char *json_quote(struct json_quote *buffer, const char *text)
{
	/* Room for the end is kept back. */
	struct line line = {buffer->text, 0, sizeof(buffer->text) - sizeof("…\"")};
	char head[101];
	size_t length = strnlen(text, sizeof(head));

	if (length == sizeof(head)) {
		length--;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(head, text, length);
	head[length] = '\0';

	line_add(&line, "\"");
	line_add(&line, head);
	snprintf(buffer->text + line.used, sizeof(buffer->text) - line.used, "%s\"",
		 text[length] ? "…" : "");
	return buffer->text;
}

static const char *type_name(struct json_object *object)
{
	switch (json_object_get_type(object)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	}
	return "something else";
}

static const char *wanted_name(enum json_type type)
{
	switch (type) {
	case json_type_boolean:
		return "a boolean";
	case json_type_int:
		return "an integer";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	default:
		return "a string";
	}
}

/* ---- walking ---- */

int json_want(const struct json_value *at, enum json_type type, bool required)
{
	if (!at->object) {
		if (!required)
			return 0;
		/* A field can be absent; an element and the document can only be null. */
		if (at->key)
			return json_fail(at, "is missing");
	} else if (json_object_is_type(at->object, type)) {
		return 0;
	} else if (type == json_type_int && json_object_is_type(at->object, json_type_double)) {
		return json_fail(at, "want an integer, found a fraction or an exponent");
	}
	return json_fail(at, "want %s, found %s", wanted_name(type), type_name(at->object));
}

struct json_value json_member(const struct json_value *at, const char *key)
{
	struct json_value member = {at->document, at, key, 0, NULL};

	if (at->object)
		json_object_object_get_ex(at->object, key, &member.object);
	return member;
}

struct json_value json_element(const struct json_value *array, size_t index)
{
	return (struct json_value){array->document, array, NULL, index,
				   json_object_array_get_idx(array->object, index)};
}

size_t json_count(const struct json_value *array)
{
	return array->object ? json_object_array_length(array->object) : 0;
}

int json_require(const struct json_value *at, const char *key)
{
	struct json_value member = json_member(at, key);

	return member.object ? 0 : json_fail(&member, "is missing");
}

int json_get_object(const struct json_value *at, const char *key, struct json_value *member)
{
	*member = json_member(at, key);
	return json_want(member, json_type_object, false);
}

int json_get_array(const struct json_value *at, const char *key, struct json_value *member)
{
	*member = json_member(at, key);
	return json_want(member, json_type_array, false);
}

void *json_alloc(const struct json_value *at, size_t count, size_t size)
{
	void *memory = arena_alloc(at->document->arena, count, size);

	if (!memory)
		json_fail(at, "out of memory");
	return memory;
}

char *json_strdup(const struct json_value *at, const char *text)
{
	char *copy = arena_strdup(at->document->arena, text);

	if (!copy)
		json_fail(at, "out of memory");
	return copy;
}

/* ---- scalars ---- */

int json_get_bool(const struct json_value *at, const char *key, bool *out)
{
	struct json_value member = json_member(at, key);

	if (json_want(&member, json_type_boolean, false))
		return -1;
	if (member.object)
		*out = json_object_get_boolean(member.object);
	return 0;
}

/*
 * json-c keeps an integer as int64_t or, above INT64_MAX, as uint64_t, and each getter clamps what
 * the other kind holds; so both are asked. (Above UINT64_MAX the strict parser has refused it.)
 */
static int as_i64(const struct json_value *value, int64_t min, int64_t max, int64_t *out)
{
	int64_t number;

	if (json_want(value, json_type_int, true))
		return -1;
	number = json_object_get_int64(value->object);
	if (number < min || number > max || json_object_get_uint64(value->object) > INT64_MAX)
		return json_fail(value, "%s is out of range (%" PRId64 " to %" PRId64 ")",
				 json_object_get_string(value->object), min, max);
	*out = number;
	return 0;
}

static int as_u64(const struct json_value *value, uint64_t max, uint64_t *out)
{
	uint64_t number;

	if (json_want(value, json_type_int, true))
		return -1;
	number = json_object_get_uint64(value->object);
	if (number > max || json_object_get_int64(value->object) < 0)
		return json_fail(value, "%s is out of range (0 to %" PRIu64 ")",
				 json_object_get_string(value->object), max);
	*out = number;
	return 0;
}

int json_get_i32(const struct json_value *at, const char *key, int32_t *out)
{
	struct json_value member = json_member(at, key);
	int64_t number = 0;

	if (!member.object)
		return 0;
	if (as_i64(&member, INT32_MIN, INT32_MAX, &number))
		return -1;
	*out = (int32_t)number;
	return 0;
}

int json_get_i64(const struct json_value *at, const char *key, int64_t *out)
{
	struct json_value member = json_member(at, key);

	return member.object ? as_i64(&member, INT64_MIN, INT64_MAX, out) : 0;
}

int json_as_u32(const struct json_value *value, uint32_t *out)
{
	uint64_t number = 0;

	if (as_u64(value, UINT32_MAX, &number))
		return -1;
	*out = (uint32_t)number;
	return 0;
}

int json_get_u32(const struct json_value *at, const char *key, uint32_t *out)
{
	struct json_value member = json_member(at, key);

	return member.object ? json_as_u32(&member, out) : 0;
}

int json_get_u64(const struct json_value *at, const char *key, uint64_t *out)
{
	struct json_value member = json_member(at, key);

	return member.object ? as_u64(&member, UINT64_MAX, out) : 0;
}

int json_as_string(const struct json_value *value, char **out)
{
	const char *text;
	char *copy;

	if (json_want(value, json_type_string, true))
		return -1;
	text = json_object_get_string(value->object);
	if (strlen(text) != (size_t)json_object_get_string_len(value->object))
		return json_fail(value, "has a NUL character in it");
	copy = json_strdup(value, text);
	if (!copy)
		return -1;
	*out = copy;
	return 0;
}

int json_get_string(const struct json_value *at, const char *key, char **out)
{
	struct json_value member = json_member(at, key);

	return member.object ? json_as_string(&member, out) : 0;
}

/* ---- lists ---- */

int json_get_strings(const struct json_value *at, const char *key, size_t *count, char ***items)
{
	struct json_value list;
	size_t length;
	char **strings;

	if (json_get_array(at, key, &list))
		return -1;
	length = json_count(&list);
	if (!length)
		return 0;
	strings = json_alloc(&list, length + 1, sizeof(*strings));
	if (!strings)
		return -1;
	for (size_t i = 0; i < length; i++) {
		struct json_value element = json_element(&list, i);

		if (json_as_string(&element, &strings[i]))
			return -1;
	}
	*items = strings;
	*count = length;
	return 0;
}

int json_get_list(const struct json_value *at, const char *key, size_t size,
		  int (*read)(const struct json_value *element, void *into), struct json_list *list)
{
	struct json_value array;
	size_t count;

	*list = (struct json_list){0, NULL};
	if (json_get_array(at, key, &array))
		return -1;
	count = json_count(&array);
	if (!count)
		return 0;
	list->items = json_alloc(&array, count, size);
	if (!list->items)
		return -1;
	for (; list->count < count; list->count++) {
		struct json_value element = json_element(&array, list->count);

		if (json_want(&element, json_type_object, true) ||
		    read(&element, (char *)list->items + list->count * size))
			return -1;
	}
	return 0;
}

int json_get_map(const struct json_value *at, const char *key, size_t size,
		 int (*read)(const struct json_value *value, void *into), struct json_list *list)
{
	struct json_object_iter entry;
	struct json_value map;
	size_t room;

	*list = (struct json_list){0, NULL};
	if (json_get_object(at, key, &map))
		return -1;
	room = map.object ? (size_t)json_object_object_length(map.object) : 0;
	if (!room)
		return 0;
	list->items = json_alloc(&map, room, size);
	if (!list->items)
		return -1;
	json_object_object_foreachC(map.object, entry)
	{
		struct json_value value = {map.document, &map, entry.key, 0, entry.val};

		if (!entry.val)
			continue;
		if (read(&value, (char *)list->items + list->count * size))
			return -1;
		list->count++;
	}
	return 0;
}
