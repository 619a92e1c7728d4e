/* SPDX-License-Identifier: Apache-2.0 */
/* A Command from JSON. */
#include "command/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* No Command comes near it; larger ones are refused before they are parsed. */
#define COMMAND_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* A Command and everything that it points to; the Command comes first, so that its address is that
 * of the whole. */
struct block {
	struct runlxc_command command;
	struct arena arena;
};

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

/* ---- fields ---- */

static int read_object(const struct json_value *at, const struct command_shape *shape, void *into);

static int check_names(const struct json_value *at, const struct command_shape *shape)
{
	struct json_object_iter entry;

	json_object_object_foreachC(at->object, entry)
	{
		struct json_value member = {at->document, at, entry.key, 0, entry.val};
		size_t i = 0;

		while (i < shape->count && strcmp(shape->fields[i].name, entry.key))
			i++;
		if (i == shape->count)
			return json_fail(&member, "unknown field");
	}
	return 0;
}

static int read_list(const struct json_value *at, const struct command_field *field, void *into)
{
	size_t count;
	char *items;

	if (json_want(at, json_type_array, true))
		return -1;
	count = json_count(at);
	items = json_alloc(at, count ? count : 1, field->shape->size);
	if (!items)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_value element = json_element(at, i);

		if (read_object(&element, field->shape, items + i * field->shape->size))
			return -1;
	}
	memcpy((char *)into + field->offset, &items, sizeof(items));
	memcpy((char *)into + field->beside, &count, sizeof(count));
	return 0;
}

static int read_pointer(const struct json_value *at, const struct command_field *field, void *into)
{
	void *object = json_alloc(at, 1, field->shape->size);

	if (!object || read_object(at, field->shape, object))
		return -1;
	memcpy((char *)into + field->offset, &object, sizeof(object));
	return 0;
}

/* A rune, as Go's encoder writes it (99), or the letter ("c"). */
static int read_device_type(const struct json_value *at, const char *name, int *type)
{
	struct json_value member = json_member(at, name);
	char *text = NULL;

	if (json_object_is_type(member.object, json_type_int))
		return json_get_i32(at, name, type);
	if (json_as_string(&member, &text))
		return -1;
	if (!*text || text[1])
		return json_fail(&member, "%s is not one letter", quoted(text));
	*type = *text;
	return 0;
}

static int read_field(const struct json_value *at, const struct command_field *field, void *into)
{
	struct json_value member = json_member(at, field->name);
	void *place = (char *)into + field->offset;
	size_t count = 0;
	bool flag = false;

	if (!member.object)
		return 0;
	switch (field->kind) {
	case COMMAND_TEXT:
		return json_get_string(at, field->name, place);
	case COMMAND_TEXTS:
		return json_get_strings(at, field->name, &count, place);
	case COMMAND_FLAG:
		if (json_get_bool(at, field->name, &flag))
			return -1;
		*(int *)place = flag;
		return 0;
	case COMMAND_INT:
		return json_get_i32(at, field->name, place);
	case COMMAND_I64:
		return json_get_i64(at, field->name, place);
	case COMMAND_U32:
		return json_get_u32(at, field->name, place);
	case COMMAND_OBJECT:
		return read_object(&member, field->shape, place);
	case COMMAND_POINTER:
		return read_pointer(&member, field, into);
	case COMMAND_LIST:
		return read_list(&member, field, into);
	case COMMAND_DEVICE:
		return read_device_type(at, field->name, place);
	case COMMAND_SWAPPINESS:
		if (json_get_i64(at, field->name, place))
			return -1;
		/* Docker wrote -1 for one that isn't given. */
		*(int *)(void *)((char *)into + field->beside) = *(int64_t *)place != -1;
		return 0;
	}
	return 0;
}

static int read_object(const struct json_value *at, const struct command_shape *shape, void *into)
{
	if (json_want(at, json_type_object, true) || check_names(at, shape))
		return -1;
	for (size_t i = 0; i < shape->count; i++) {
		if (read_field(at, &shape->fields[i], into))
			return -1;
	}
	return 0;
}

/* ---- what json-c would change ---- */

static bool is_surrogate(const char *escape, size_t left, unsigned int first)
{
	char digits[5] = "";

	if (left < 6 || escape[0] != '\\' || escape[1] != 'u')
		return false;
	memcpy(digits, escape + 2, 4);
	return (strtoul(digits, NULL, 16) & 0xfc00) == first;
}

/* Where half of a UTF-16 pair is written as an escape, which json-c replaces; `length`: nowhere. */
static size_t find_half_pair(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\\')
			continue;
		if (is_surrogate(text + i, length - i, 0xd800) && length - i > 6 &&
		    is_surrogate(text + i + 6, length - i - 6, 0xdc00))
			i += 6; /* and what is skipped below */
		else if (is_surrogate(text + i, length - i, 0xd800) ||
			 is_surrogate(text + i, length - i, 0xdc00))
			return i;
		i++;
	}
	return length;
}

/* A value is one value: what can't be kept as it is written is refused, not replaced. */
static int check_bytes(const char *text, size_t length, const char *name, struct error *err)
{
	size_t place = text_utf8(text, length), line = 1, i;
	const char *reason = "is not UTF-8";

	if (place == length) {
		place = find_half_pair(text, length);
		reason = "has half of a character in it (a surrogate)";
	}
	if (place == length)
		return 0;
	for (i = 0; i < place; i++)
		line += text[i] == '\n';
	return error_set(err, "%s:%zu: the text %s", name, line, reason);
}

/* ---- the whole ---- */

/* Puts the line of the field that is at `path` below `at` in front of what the error says. */
static int add_line(const struct json_value *at, const char *path)
{
	size_t length = strcspn(path, ".[");
	struct json_value step;
	char key[64];

	if (!*path || length >= sizeof(key))
		return error_prefix(at->document->err, "%s:%zu", at->document->name, json_line(at));
	if (*path == '[') {
		step = json_element(at, strtoul(path + 1, NULL, 10));
		path = strchr(path, ']') + 1;
	} else {
		memcpy(key, path, length);
		key[length] = '\0';
		step = json_member(at, key);
		path += length;
	}
	/* What isn't there has no members; the line is that of what is. */
	return step.object ? add_line(&step, path + (*path == '.')) : add_line(at, "");
}

static int read_block(const struct json_value *top, struct block *block)
{
	struct command_fault fault = {.err = top->document->err};

	if (read_object(top, &command_shape, &block->command))
		return -1;
	return command_check(&block->command, &fault) ? add_line(top, fault.path) : 0;
}

struct runlxc_command *command_read(const char *text, size_t length, const char *name,
				    struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *object = NULL;
	struct json_document document;
	struct json_value top;
	struct block *block;

	if (length > COMMAND_MAX_BYTES) {
		error_set(err, "%s: is larger than %zu MiB", name, COMMAND_MAX_BYTES >> 20);
		return NULL;
	}
	object = json_parse(text, length, name, err);
	if (!object || check_bytes(text, length, name, err))
		return NULL;
	block = calloc(1, sizeof(*block));
	if (!block) {
		error_set(err, "%s: out of memory", name);
		return NULL;
	}
	document = (struct json_document){name, &block->arena, err, text, length};
	top = (struct json_value){&document, NULL, NULL, 0, object};
	if (read_block(&top, block)) {
		command_free(&block->command);
		return NULL;
	}
	return &block->command;
}

void command_free(struct runlxc_command *command)
{
	struct block *block = (struct block *)(void *)command;

	if (!block)
		return;
	arena_free(&block->arena);
	free(block);
}
