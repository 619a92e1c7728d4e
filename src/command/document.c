/* SPDX-License-Identifier: Apache-2.0 */
/* Building a JSON document without a check behind every line. */
#include "command/internal.h"

struct json_object *document_put(struct document *document, struct json_object *parent,
				 const char *key, struct json_object *value)
{
	if (parent && value && json_object_object_add(parent, key, value) == 0)
		return value;
	document->failed = true;
	json_object_put(value);
	return NULL;
}

struct json_object *document_append(struct document *document, struct json_object *array,
				    struct json_object *value)
{
	if (array && value && json_object_array_add(array, value) == 0)
		return value;
	document->failed = true;
	json_object_put(value);
	return NULL;
}

void document_put_text(struct document *document, struct json_object *parent, const char *key,
		       const char *text)
{
	document_put(document, parent, key, json_object_new_string(text));
}

void document_put_number(struct document *document, struct json_object *parent, const char *key,
			 int64_t number)
{
	document_put(document, parent, key, json_object_new_int64(number));
}

void document_put_bool(struct document *document, struct json_object *parent, const char *key,
		       bool value)
{
	document_put(document, parent, key, json_object_new_boolean(value));
}

void document_append_text(struct document *document, struct json_object *array, const char *text)
{
	document_append(document, array, json_object_new_string(text));
}

void document_put_texts(struct document *document, struct json_object *parent, const char *key,
			const char *const *texts)
{
	struct json_object *array = document_put(document, parent, key, json_object_new_array());

	for (; texts && *texts; texts++)
		document_append_text(document, array, *texts);
}
