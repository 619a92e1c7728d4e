/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf's encoding (https://protobuf.dev/programming-guides/encoding): a field is a tag, its
 * number and kind, and then a number of seven bits a byte, or a length and as many bytes.
 */
#include "criu/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum kind {
	VARINT = 0,
	FIXED64 = 1,
	BYTES = 2,
	FIXED32 = 5,
};

/* ---- writing ---- */

static void append(struct criu_options *to, const void *data, size_t size)
{
	if (to->failed)
		return;
	if (to->size + size > to->capacity) {
		size_t capacity = (to->size + size) * 2 + 256;
		char *grown = realloc(to->data, capacity);

		if (!grown) {
			to->failed = true;
			return;
		}
		to->data = grown;
		to->capacity = capacity;
	}
	memcpy(to->data + to->size, data, size);
	to->size += size;
}

static void append_varint(struct criu_options *to, uint64_t value)
{
	unsigned char bytes[10];
	size_t count = 0;

	do {
		bytes[count] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
		count++;
	} while (value);
	append(to, bytes, count);
}

static void append_tag(struct criu_options *to, unsigned int field, enum kind kind)
{
	append_varint(to, field << 3 | kind);
}

static void append_number(struct criu_options *to, unsigned int field, int64_t value)
{
	append_tag(to, field, VARINT);
	append_varint(to, (uint64_t)value);
}

static void append_bytes(struct criu_options *to, unsigned int field, const void *data, size_t size)
{
	append_tag(to, field, BYTES);
	append_varint(to, size);
	append(to, data, size);
}

static void append_message(struct criu_options *to, unsigned int field,
			   const struct criu_options *message)
{
	if (message->failed)
		to->failed = true;
	append_bytes(to, field, message->data ? message->data : "", message->size);
}

void criu_options_free(struct criu_options *options)
{
	free(options->data);
	*options = (struct criu_options){0};
}

void criu_add_number(struct criu_options *options, enum criu_option option, int64_t value)
{
	append_number(options, option, value);
}

void criu_add_text(struct criu_options *options, enum criu_option option, const char *text)
{
	append_bytes(options, option, text, strlen(text));
}

/* All of CRIU's pairs have their parts as the fields 1 and 2. */
void criu_add_pair(struct criu_options *options, enum criu_option option, const char *first,
		   const char *second)
{
	cleanup_criu_options struct criu_options pair = {0};

	append_bytes(&pair, 1, first, strlen(first));
	append_bytes(&pair, 2, second, strlen(second));
	append_message(options, option, &pair);
}

void criu_add_text_number(struct criu_options *options, enum criu_option option, const char *text,
			  int64_t number)
{
	cleanup_criu_options struct criu_options pair = {0};

	append_bytes(&pair, 1, text, strlen(text));
	append_number(&pair, 2, number);
	append_message(options, option, &pair);
}

/* criu_req: type 1, opts 2, notify_success 3, features 5 with mem_track 1, lazy_pages 2 */
void criu_request(struct criu_options *message, enum criu_type type,
		  const struct criu_options *options)
{
	append_number(message, 1, type);
	if (options)
		append_message(message, 2, options);
	if (type == CRIU_FEATURE_CHECK) {
		cleanup_criu_options struct criu_options features = {0};

		append_number(&features, 1, true);
		append_number(&features, 2, true);
		append_message(message, 5, &features);
	}
}

void criu_notify_answer(struct criu_options *message, bool success)
{
	append_number(message, 1, CRIU_NOTIFY);
	append_number(message, 3, success);
}

/* ---- reading ---- */

struct reader {
	const char *at, *end;
};

struct field {
	uint64_t number; /* of the field */
	enum kind kind;
	uint64_t value;	     /* VARINT */
	struct reader bytes; /* BYTES */
};

static bool read_varint(struct reader *reader, uint64_t *value)
{
	unsigned int shift = 0;

	*value = 0;
	while (reader->at < reader->end && shift < 64) {
		unsigned char byte = (unsigned char)*reader->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
		shift += 7;
	}
	return false;
}

static bool skip(struct reader *reader, uint64_t size)
{
	if (size > (uint64_t)(reader->end - reader->at))
		return false;
	reader->at += size;
	return true;
}

/* 1: a field, 0: the end, -1: nonsense. */
static int read_field(struct reader *reader, struct field *field)
{
	uint64_t tag, size;

	if (reader->at == reader->end)
		return 0;
	if (!read_varint(reader, &tag))
		return -1;
	*field = (struct field){.number = tag >> 3, .kind = tag & 7};
	switch (field->kind) {
	case VARINT:
		return read_varint(reader, &field->value) ? 1 : -1;
	case FIXED64:
		return skip(reader, 8) ? 1 : -1;
	case FIXED32:
		return skip(reader, 4) ? 1 : -1;
	case BYTES:
		if (!read_varint(reader, &size))
			return -1;
		field->bytes.at = reader->at;
		if (!skip(reader, size))
			return -1;
		field->bytes.end = reader->at;
		return 1;
	default:
		return -1;
	}
}

static void copy_text(char *to, size_t size, const struct reader *from)
{
	size_t length = (size_t)(from->end - from->at);

	if (length > size - 1)
		length = size - 1;
	memcpy(to, from->at, length);
	to[length] = '\0';
}

/* criu_notify: script 1, pid 2. criu_restore_resp: pid 1. criu_features: mem_track 1,
 * lazy_pages 2. criu_version: major 1, minor 2, sublevel 4. */
static int parse_part(uint64_t part, struct reader reader, struct criu_response *response)
{
	struct field field;
	int more;

	while ((more = read_field(&reader, &field)) > 0) {
		switch (part << 8 | field.number) {
		case 4 << 8 | 1:
		case 5 << 8 | 2:
			response->pid = (pid_t)field.value;
			break;
		case 5 << 8 | 1:
			if (field.kind == BYTES)
				copy_text(response->event, sizeof(response->event), &field.bytes);
			break;
		case 8 << 8 | 1:
			response->mem_track = field.value;
			break;
		case 8 << 8 | 2:
			response->lazy_pages = field.value;
			break;
		case 10 << 8 | 1:
			response->version += (int)(field.value % 1000) * 10000;
			break;
		case 10 << 8 | 2:
			response->version += (int)(field.value % 100) * 100;
			break;
		case 10 << 8 | 4:
			response->version += (int)(field.value % 100);
			break;
		default:
			break;
		}
	}
	return more;
}

int criu_response_parse(const char *data, size_t size, struct criu_response *response)
{
	struct reader reader = {data, data + size};
	struct field field;
	int more;

	*response = (struct criu_response){0};
	while ((more = read_field(&reader, &field)) > 0) {
		if (field.kind == BYTES && field.number == 9)
			copy_text(response->message, sizeof(response->message), &field.bytes);
		else if (field.kind == BYTES && parse_part(field.number, field.bytes, response) < 0)
			return -1;
		else if (field.kind == VARINT && field.number == 1)
			response->type = field.value;
		else if (field.kind == VARINT && field.number == 2)
			response->success = field.value;
		else if (field.kind == VARINT && field.number == 7)
			response->error = (int)field.value;
	}
	return more < 0 || !response->type ? -1 : 0;
}
