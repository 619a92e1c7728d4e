/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a value back to its line. json-c keeps no positions, so the text is walked once more along
 * the value's path. Only when an error is to be told: the text was parsed, so it is JSON.
 */
#include "base/json.h"

#include <string.h>

#include "base/cleanup.h"

struct cursor {
	const char *text;
	size_t length, offset;
};

static char peek(const struct cursor *cursor)
{
	return cursor->offset < cursor->length ? cursor->text[cursor->offset] : '\0';
}

/* White space, and what separates members and elements. */
static void skip_gap(struct cursor *cursor)
{
	while (cursor->offset < cursor->length && strchr(" \t\r\n,:", peek(cursor)))
		cursor->offset++;
}

static void skip_string(struct cursor *cursor)
{
	for (cursor->offset++; cursor->offset < cursor->length; cursor->offset++) {
		if (peek(cursor) == '"') {
			cursor->offset++;
			return;
		}
		if (peek(cursor) == '\\')
			cursor->offset++;
	}
}

static void skip_value(struct cursor *cursor)
{
	size_t depth = 0;

	do {
		switch (peek(cursor)) {
		case '"':
			skip_string(cursor);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		default:
			/* A number or a word, up to what ends it; inside brackets, any byte. */
			while (!depth && cursor->offset < cursor->length &&
			       !strchr(" \t\r\n,]}", peek(cursor)))
				cursor->offset++;
			if (!depth)
				return;
		}
		cursor->offset++;
	} while (depth && cursor->offset < cursor->length);
}

/* Whether the quoted name from `start` to `end` is `key`, once its escapes are resolved. */
static bool is_key(const struct cursor *cursor, size_t start, size_t end, const char *key)
{
	const char *quoted = cursor->text + start;
	size_t length = end - start;
	struct json_tokener *tokener;
	struct json_object *name;
	bool same;

	if (!memchr(quoted, '\\', length))
		return length == strlen(key) + 2 && memcmp(quoted + 1, key, length - 2) == 0;
	tokener = json_tokener_new();
	name = tokener ? json_tokener_parse_ex(tokener, quoted, (int)length) : NULL;
	same = name && strcmp(json_object_get_string(name), key) == 0;
	json_object_put(name);
	if (tokener)
		json_tokener_free(tokener);
	return same;
}

/*
 * From the start of an object or an array to what `step` names in it: *place is where that starts,
 * the cursor is left on its value. Of a key that is there twice it is the last, as for json-c.
 */
static bool enter(struct cursor *cursor, const struct json_value *step, size_t *place)
{
	bool object = peek(cursor) == '{';
	size_t value = 0, index = 0;

	if (object != (step->key != NULL) || (!object && peek(cursor) != '['))
		return false;
	cursor->offset++;
	for (skip_gap(cursor); cursor->offset < cursor->length && !strchr("]}", peek(cursor));
	     skip_gap(cursor)) {
		size_t start = cursor->offset;
		bool found = !object && index++ == step->index;

		if (object) {
			skip_string(cursor);
			found = is_key(cursor, start, cursor->offset, step->key);
			skip_gap(cursor);
		}
		if (found) {
			*place = start;
			value = cursor->offset;
		}
		skip_value(cursor);
	}
	if (value)
		cursor->offset = value;
	return value;
}

/* False: it isn't there, and *place is that of the nearest thing around it that is. */
static bool find(const struct json_value *at, struct cursor *cursor, size_t *place)
{
	if (at->parent)
		return find(at->parent, cursor, place) && enter(cursor, at, place);
	skip_gap(cursor);
	*place = cursor->offset;
	return true;
}

size_t json_line(const struct json_value *at)
{
	struct cursor cursor = {at->document->text, at->document->length, 0};
	size_t place = 0, line = 1;

	if (!cursor.text)
		return 0;
	find(at, &cursor, &place);
	for (size_t i = 0; i < place; i++)
		line += cursor.text[i] == '\n';
	return line;
}
