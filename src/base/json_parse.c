/* SPDX-License-Identifier: Apache-2.0 */
/* From text to json-c's objects, with errors that say where. */
#include "base/json.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"

/* Deeper than anything the specification nests, shallow enough for every walk by recursion. */
#define MAX_DEPTH 64
#define STRICT (JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS)

static void cleanup_tokener_(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

/* Fills the error with the place of byte `offset`; columns count bytes. */
static int fail_at(const char *text, size_t offset, const char *name, const char *reason,
		   struct error *err)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	return error_set(err, "%s: line %zu, column %zu: %s", name, line, offset - start + 1,
			 reason);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/*
 * json-c's parser, strict or not, takes more than JSON: 'single quotes', NaN, bare control
 * characters in strings. It stops at a NUL byte, clamps an integer beyond 64 bits (0.16) and ends a
 * key at a NUL escape, so that "hooks\u0000x" would be read as "hooks". One look at the raw text
 * rules all of that out; what is wrong in any other way the parser finds.
 */
struct scan {
	const char *text;
	size_t length, offset;
};

/* The string that starts at the offset; leaves it on the closing quote. */
static const char *scan_string(struct scan *scan)
{
	const char *text = scan->text;
	size_t length = scan->length, i = scan->offset + 1, nul = 0;

	for (; i < length && text[i] != '"'; i++) {
		if ((unsigned char)text[i] < 0x20) {
			scan->offset = i;
			return text[i] ? "a control character in a string" : "a NUL byte";
		}
		if (text[i] == '\\') {
			if (length - i > 5 && !memcmp(text + i + 1, "u0000", 5))
				nul = i;
			i++;
		}
	}
	scan->offset = i;
	if (!nul)
		return NULL;
	for (i++; i < length && is_space(text[i]); i++)
		;
	if (i >= length || text[i] != ':')
		return NULL; /* a value: whoever reads it refuses it by its field's name */
	scan->offset = nul;
	return "a NUL character in a name";
}

/* The number that starts at the offset; leaves it on the last character. */
static const char *scan_number(struct scan *scan)
{
	const char *number = scan->text + scan->offset;
	bool negative = *number == '-', integer = true;
	const char *limit = negative ? "9223372036854775808" : "18446744073709551615";
	size_t most = strlen(limit), room = scan->length - scan->offset, length, digits;

	for (length = 1; length < room && is_number(number[length]); length++)
		integer = integer && number[length] >= '0' && number[length] <= '9';
	digits = length - negative;
	/* What isn't an integer is for the parser to judge; */
	if (integer && digits >= most &&
	    (digits > most || memcmp(number + negative, limit, most) > 0))
		return "a number beyond 64 bits";
	scan->offset += length - 1;
	return NULL;
}

/* What is wrong with the text, at the offset; or NULL. */
static const char *scan_text(struct scan *scan)
{
	const char *fault = NULL;

	for (; scan->offset < scan->length; scan->offset++) {
		switch (scan->text[scan->offset]) {
		case '"':
			fault = scan_string(scan);
			break;
		case '-':
		case '0' ... '9':
			fault = scan_number(scan);
			break;
		case '\0':
			fault = "a NUL byte";
			break;
		case '\'':
		case 'I':
		case 'N':
			fault = "unexpected character";
			break;
		default:
			continue;
		}
		if (fault)
			return fault;
	}
	return NULL;
}

static struct json_object *parse(const char *text, size_t length, int flags, const char *name,
				 struct error *err)
{
	cleanup_with(cleanup_tokener_) struct json_tokener *tokener = NULL;
	cleanup_with(cleanup_object_) struct json_object *object = NULL;
	enum json_tokener_error fault;
	size_t end;

	tokener = json_tokener_new_ex(MAX_DEPTH);
	if (!tokener) {
		error_set(err, "%s: out of memory", name);
		return NULL;
	}
	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int)length);
	fault = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);

	if (fault == json_tokener_continue) {
		/* A number or a word at the top is complete only once something follows it. */
		object = json_tokener_parse_ex(tokener, " ", 1);
		if (json_tokener_get_error(tokener) != json_tokener_success) {
			fail_at(text, length, name, "truncated: the text ends early", err);
			return NULL;
		}
		end = length;
	} else if (fault != json_tokener_success) {
		fail_at(text, end, name, json_tokener_error_desc(fault), err);
		return NULL;
	}
	while (end < length && is_space(text[end]))
		end++;
	if (end < length) {
		fail_at(text, end, name, "more text behind the document", err);
		return NULL;
	}
	/* json-c has no object for null; and no document of ours is one. */
	if (!object)
		error_set(err, "%s: want an object, found null", name);
	return PTR_TAKE(object);
}

/*
 * json-c 0.18, which is Debian 13's, takes every byte beyond ASCII for a control character where it
 * is strict. So it is strict about a text that has others in their place, and is as long; what it
 * has nothing to say against means the same to a parser that isn't.
 */
static struct json_object *parse_beyond_ascii(const char *text, size_t length, const char *name,
					      struct error *err)
{
	cleanup_free char *plain = malloc(length);
	struct json_object *object;

	if (!plain) {
		error_set(err, "%s: out of memory", name);
		return NULL;
	}
	for (size_t i = 0; i < length; i++)
		plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : 'x';
	object = parse(plain, length, STRICT, name, err);
	if (!object)
		return NULL;
	json_object_put(object);
	return parse(text, length, 0, name, err);
}

struct json_object *json_parse(const char *text, size_t length, const char *name, struct error *err)
{
	struct scan scan = {text, length, 0};
	const char *reason;
	size_t i;

	if (length > INT_MAX) {
		error_set(err, "%s: is too large", name);
		return NULL;
	}
	reason = scan_text(&scan);
	if (reason) {
		fail_at(text, scan.offset, name, reason, err);
		return NULL;
	}
	for (i = 0; i < length && (unsigned char)text[i] < 0x80; i++)
		;
	return i < length ? parse_beyond_ascii(text, length, name, err)
			  : parse(text, length, STRICT, name, err);
}
