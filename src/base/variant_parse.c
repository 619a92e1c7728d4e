/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GVariant's text format, as far as it can be the value of a unit's property. What the format is:
 * GLib's reference manual, "GVariant Text Format".
 */
#include "base/variant.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Deeper than any property; a document decides how deep the text is. */
#define DEPTH_MAX 8

static const char basic_types[] = "ybnqiuxtdsog";

struct parser {
	const char *at;
	struct arena *arena;
	struct error *err;
	int depth;
};

static int parse_value(struct parser *parser, const char *wanted, struct variant *value);

static void skip_blanks(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static int fail(struct parser *parser, const char *what)
{
	return *parser->at ? error_set(parser->err, "%s at \"%.20s\"", what, parser->at)
			   : error_set(parser->err, "%s at the end", what);
}

static int no_memory(struct parser *parser)
{
	return error_errno(parser->err, ENOMEM, "Failed to read a value");
}

/* The length of one whole type; 0: it is none, or one that no property has. */
static size_t type_length(const char *signature, int depth)
{
	size_t length = 1, part;

	if (!*signature || depth > DEPTH_MAX)
		return 0;
	if (strchr(basic_types, *signature))
		return 1;
	if (*signature == 'a') {
		part = type_length(signature + 1, depth + 1);
		return part ? part + 1 : 0;
	}
	if (*signature != '(' || signature[1] == ')')
		return 0;
	while (signature[length] != ')') {
		part = type_length(signature + length, depth + 1);
		if (!part)
			return 0;
		length += part;
	}
	return length + 1;
}

/* Whether a value of a basic type may be here. */
static bool is_wanted(const char *wanted, char type)
{
	return !wanted || (wanted[0] == type && wanted[1] == '\0');
}

/* ---- basic values ---- */

static int parse_text(struct parser *parser, const char *wanted, struct variant *value)
{
	static const char names[] = "btnrfva", meanings[] = "\b\t\n\r\f\v\a";
	char quote = *parser->at++, *text = arena_alloc(parser->arena, strlen(parser->at) + 1, 1);
	const char *escape;
	size_t length = 0;

	if (!text)
		return no_memory(parser);
	if (wanted && (strlen(wanted) != 1 || !strchr("sog", *wanted)))
		return fail(parser, "There is a string where there can be none,");
	while (*parser->at != quote) {
		if (*parser->at == '\\') {
			parser->at++;
			if (*parser->at == 'u' || *parser->at == 'U')
				return fail(parser, "Such an escape is not supported,");
			escape = *parser->at ? strchr(names, *parser->at) : NULL;
			if (*parser->at)
				text[length++] = escape ? meanings[escape - names] : *parser->at++;
			if (escape)
				parser->at++;
		} else if (*parser->at) {
			text[length++] = *parser->at++;
		}
		if (!*parser->at)
			return fail(parser, "A quote is missing");
	}
	parser->at++;
	*value = (struct variant){.type = wanted ? *wanted : 's', .text = text};
	return 0;
}

static const struct range {
	char type;
	int64_t lowest;
	uint64_t highest;
} ranges[] = {{'y', 0, UINT8_MAX},	   {'n', INT16_MIN, INT16_MAX}, {'q', 0, UINT16_MAX},
	      {'i', INT32_MIN, INT32_MAX}, {'u', 0, UINT32_MAX},	{'x', INT64_MIN, INT64_MAX},
	      {'t', 0, UINT64_MAX}};

static int parse_real(struct parser *parser, size_t length, struct variant *value)
{
	char *end;

	value->type = 'd';
	value->real = strtod(parser->at, &end);
	if (end != parser->at + length || !isfinite(value->real))
		return fail(parser, "This is no number:");
	parser->at = end;
	return 0;
}

static int parse_number(struct parser *parser, const char *wanted, struct variant *value)
{
	size_t length = strcspn(parser->at, " \t\r\n,])");
	bool negative = *parser->at == '-', hexadecimal = length > 2 && parser->at[1] == 'x';
	const struct range *range = NULL;
	char type = wanted ? *wanted : 'i', *end;
	const char *digits;
	uint64_t magnitude;

	if (type == 'd' || (!wanted && !hexadecimal && strcspn(parser->at, ".eE") < length))
		return parse_real(parser, length, value);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (is_wanted(wanted, ranges[i].type) && ranges[i].type == type)
			range = &ranges[i];
	if (!range)
		return fail(parser, "There is a number where there can be none,");
	digits = parser->at + (negative || *parser->at == '+');
	errno = 0;
	magnitude = strtoull(digits, &end, 0);
	if (!isdigit((unsigned char)*digits) || end != parser->at + length)
		return fail(parser, "This is no number:");
	if (errno || (negative ? magnitude > (uint64_t)0 - (uint64_t)range->lowest
			       : magnitude > range->highest))
		return fail(parser, "This number is beyond its type:");
	parser->at = end;
	value->type = type;
	value->number = negative ? (uint64_t)0 - magnitude : magnitude;
	return 0;
}

/* A word: true, false, or a type before its value. */
static int parse_word(struct parser *parser, const char *wanted, struct variant *value)
{
	static const struct {
		const char *word, *type;
	} types[] = {{"boolean", "b"}, {"byte", "y"},	{"int16", "n"},	     {"uint16", "q"},
		     {"int32", "i"},   {"uint32", "u"}, {"int64", "x"},	     {"uint64", "t"},
		     {"double", "d"},  {"string", "s"}, {"objectpath", "o"}, {"signature", "g"}};
	size_t length = strspn(parser->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	bool yes = length == 4 && strncmp(parser->at, "true", 4) == 0;

	if (yes || (length == 5 && strncmp(parser->at, "false", 5) == 0)) {
		if (!is_wanted(wanted, 'b'))
			return fail(parser, "There is a boolean where there can be none,");
		parser->at += length;
		*value = variant_flag(yes);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i].word) != length ||
		    strncmp(parser->at, types[i].word, length) != 0)
			continue;
		if (!is_wanted(wanted, *types[i].type))
			return fail(parser, "The types of one array differ");
		parser->at += length;
		return parse_value(parser, types[i].type, value);
	}
	return fail(parser, "There is no value that can be read");
}

/* ---- the rest ---- */

/* "@TYPE VALUE". */
static int parse_typed(struct parser *parser, const char *wanted, struct variant *value)
{
	size_t length = type_length(++parser->at, 0);
	const char *type = arena_printf(parser->arena, "%.*s", (int)length, parser->at);

	if (!type)
		return no_memory(parser);
	if (!length || !strchr(" \t\r\n", parser->at[length]))
		return fail(parser, "There is no type of a property's");
	if (wanted && strcmp(wanted, type) != 0)
		return fail(parser, "The types of one array differ");
	parser->at += length;
	return parse_value(parser, type, value);
}

/* Makes room for one more. */
static struct variant *add_item(struct parser *parser, struct variant *value)
{
	struct variant *items = (struct variant *)(uintptr_t)value->items;

	/* Full at each power of two. */
	if ((value->count & (value->count - 1)) == 0) {
		size_t capacity = value->count ? value->count * 2 : 1;
		struct variant *grown = arena_alloc(parser->arena, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		if (value->count)
			memcpy(grown, items, value->count * sizeof(*grown));
		value->items = items = grown;
	}
	return &items[value->count++];
}

/* "[A, B]": all are of the first one's type. */
static int parse_array(struct parser *parser, const char *wanted, struct variant *value)
{
	const char *element = wanted ? wanted + 1 : NULL;
	struct variant *item;

	if (wanted && *wanted != 'a')
		return fail(parser, "There is an array where there can be none,");
	value->type = 'a';
	parser->at++;
	for (skip_blanks(parser); *parser->at != ']'; skip_blanks(parser)) {
		if (value->count && *parser->at++ != ',')
			return error_set(parser->err, "A comma or a bracket is missing");
		item = add_item(parser, value);
		if (!item)
			return no_memory(parser);
		if (parse_value(parser, element, item) < 0)
			return -1;
		if (!element)
			element = variant_signature(item, parser->arena);
	}
	parser->at++;
	if (!element)
		return error_set(parser->err, "The type of an empty array is missing (\"@as []\")");
	value->element = element;
	return 0;
}

/* "(A, B)". */
static int parse_tuple(struct parser *parser, const char *wanted, struct variant *value)
{
	const char *next = wanted ? wanted + 1 : NULL, *type = NULL;
	struct variant *item;

	if (wanted && *wanted != '(')
		return fail(parser, "There is a tuple where there can be none,");
	value->type = '(';
	parser->at++;
	for (skip_blanks(parser); *parser->at != ')'; skip_blanks(parser)) {
		if (value->count && *parser->at++ != ',')
			return error_set(parser->err, "A comma or a parenthesis is missing");
		item = add_item(parser, value);
		if (next)
			type = arena_printf(parser->arena, "%.*s", (int)type_length(next, 0), next);
		if (!item || (next && !type))
			return no_memory(parser);
		if (next && !*type)
			return fail(parser, "A tuple has too many values");
		next = next ? next + strlen(type) : NULL;
		if (parse_value(parser, type, item) < 0)
			return -1;
	}
	parser->at++;
	return value->count == 0 || (next && *next != ')')
		   ? error_set(parser->err, "A tuple has too few values")
		   : 0;
}

static int parse_value(struct parser *parser, const char *wanted, struct variant *value)
{
	int result;

	*value = (struct variant){0};
	skip_blanks(parser);
	if (++parser->depth > DEPTH_MAX)
		return error_set(parser->err, "It is nested too deeply");
	if (*parser->at == '\'' || *parser->at == '"')
		result = parse_text(parser, wanted, value);
	else if (*parser->at && strchr("0123456789+-.", *parser->at))
		result = parse_number(parser, wanted, value);
	else if (*parser->at == '@')
		result = parse_typed(parser, wanted, value);
	else if (*parser->at == '[')
		result = parse_array(parser, wanted, value);
	else if (*parser->at == '(')
		result = parse_tuple(parser, wanted, value);
	else
		result = parse_word(parser, wanted, value);
	parser->depth--;
	return result;
}

int variant_parse(const char *text, struct arena *arena, struct variant *value, struct error *err)
{
	struct parser parser = {text, arena, err, 0};

	if (parse_value(&parser, NULL, value) < 0)
		return -1;
	skip_blanks(&parser);
	return *parser.at ? fail(&parser, "Something follows the value") : 0;
}
