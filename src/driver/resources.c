/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/resources.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}
#define cleanup_object cleanup_with(cleanup_object_)

static char *text_of(struct json_object *object, struct error *err)
{
	char *text = strdup(json_object_to_json_string_ext(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	if (!text)
		error_errno(err, ENOMEM, "Failed to write the resources");
	return text;
}

char *resources_of_config(const char *config, size_t length, struct error *err)
{
	cleanup_object struct json_object *document =
	    json_parse(config, length, "config.json", err);
	struct json_object *linux_ = NULL, *resources = NULL;
	cleanup_object struct json_object *none = json_object_new_object();

	if (!document)
		return NULL;
	json_object_object_get_ex(document, "linux", &linux_);
	json_object_object_get_ex(linux_, "resources", &resources);
	return text_of(resources ? resources : none, err);
}

/* Where a 0 sets nothing; elsewhere it is a value (idle, burst, swappiness, rdma's). */
static bool zero_is_unset(const char *key)
{
	static const char *const keys[] = {
	    "limit",  "reservation", "swap",   "kernel",	  "kernelTCP",
	    "shares", "quota",	     "period", "realtimeRuntime", "realtimePeriod",
	    "weight", "leafWeight",  "classID"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

static bool is_unset(const char *key, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_int:
		return json_object_get_int64(value) == 0 && zero_is_unset(key);
	case json_type_string:
		return json_object_get_string_len(value) == 0;
	case json_type_array:
		return json_object_array_length(value) == 0;
	default:
		return false;
	}
}

/* Whether two elements of a list are for the same thing. */
static bool same_subject(struct json_object *a, struct json_object *b)
{
	static const char *const keys[] = {"major", "minor", "pageSize", "name"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct json_object *of_a = NULL, *of_b = NULL;

		json_object_object_get_ex(a, keys[i], &of_a);
		json_object_object_get_ex(b, keys[i], &of_b);
		if (!json_object_equal(of_a, of_b))
			return false;
	}
	return true;
}

/* Adds the elements of `from`, each in the place of one for the same thing. */
static void merge_list(struct json_object *into, struct json_object *from)
{
	for (size_t i = 0; i < json_object_array_length(from); i++) {
		struct json_object *element = json_object_array_get_idx(from, i);
		size_t k = 0, count = json_object_array_length(into);

		while (k < count && !same_subject(json_object_array_get_idx(into, k), element))
			k++;
		json_object_array_put_idx(into, k, json_object_get(element));
	}
}

static void merge(struct json_object *into, struct json_object *from)
{
	struct json_object_iter entry;

	json_object_object_foreachC(from, entry)
	{
		struct json_object *old = NULL;
		enum json_type type = json_object_get_type(entry.val);

		if (is_unset(entry.key, entry.val) || strcmp(entry.key, "devices") == 0)
			continue;
		json_object_object_get_ex(into, entry.key, &old);
		if (old && type == json_type_object && json_object_get_type(old) == type)
			merge(old, entry.val);
		else if (old && type == json_type_array && json_object_get_type(old) == type)
			merge_list(old, entry.val);
		else
			json_object_object_add(into, entry.key, json_object_get(entry.val));
	}
}

char *resources_merge(const char *asked, const char *changes, struct error *err)
{
	cleanup_object struct json_object *into =
	    json_parse(asked, strlen(asked), "resources.json", err);
	cleanup_object struct json_object *from =
	    into ? json_parse(changes, strlen(changes), "resources", err) : NULL;

	if (!from)
		return NULL;
	merge(into, from);
	return text_of(into, err);
}
