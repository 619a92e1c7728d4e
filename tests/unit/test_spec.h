/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/spec share. Documents in them are written with ' for ". */
#ifndef RUNLXC_TEST_SPEC_H
#define RUNLXC_TEST_SPEC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/cleanup.h"
#include "spec/read.h"

static inline char *with_quotes(const char *text)
{
	char *result = strdup(text);

	assert_non_null(result);
	for (char *c = result; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	return result;
}

/* Reads a config.json written with ' for ". */
static inline struct spec *read_config(const char *text, struct error *err)
{
	cleanup_free char *json = with_quotes(text);

	return spec_read_oci_text(json, strlen(json), "config.json", err);
}

/* A merge patch (RFC 7396): members one by one, null removes, all else replaces. */
static inline void merge(struct json_object *target, struct json_object *patch)
{
	json_object_object_foreach(patch, key, value)
	{
		struct json_object *old = json_object_object_get(target, key);

		if (!value)
			json_object_object_del(target, key);
		else if (json_object_is_type(value, json_type_object) &&
			 json_object_is_type(old, json_type_object))
			merge(old, value);
		else
			json_object_object_add(target, key, json_object_get(value));
	}
}

/* The smallest config.json that is valid, with `patch` merged over it; freed by the caller. */
static inline char *config_with(const char *patch)
{
	cleanup_free char *base_text =
	    with_quotes("{'ociVersion': '1.3.0', 'root': {'path': 'rootfs'},"
			" 'process': {'args': ['sh'], 'cwd': '/', 'user': {'uid': 0, 'gid': 0}},"
			" 'linux': {'namespaces': [{'type': 'mount'}]}}");
	cleanup_free char *patch_text = with_quotes(patch);
	struct json_object *base = json_tokener_parse(base_text);
	struct json_object *changes = json_tokener_parse(patch_text);
	char *result;

	assert_non_null(base);
	assert_non_null(changes);
	merge(base, changes);
	result = strdup(json_object_to_json_string(base));
	assert_non_null(result);
	json_object_put(base);
	json_object_put(changes);
	return result;
}

/* Reads and validates config_with(patch): the error must be `expected`, NULL for none. */
static inline void expect(const char *patch, const char *expected)
{
	cleanup_free char *text = config_with(patch);
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    spec_read_oci_text(text, strlen(text), "config.json", &err);
	bool good = spec && !spec_validate(spec, &err);

	if (expected && good)
		fail_msg("accepted: %s\n  wanted: %s", patch, expected);
	if (!expected && !good)
		fail_msg("refused: %s\n  with: %s", patch, error_text(&err));
	if (expected && strcmp(error_text(&err), expected))
		fail_msg("%s\n  gave:   %s\n  wanted: %s", patch, error_text(&err), expected);
	error_clear(&err);
}

/* Reads a config.json that must be good; freed by the caller. */
static inline struct spec *read_good(const char *text)
{
	struct error err = ERROR_INIT;
	struct spec *spec = spec_read_oci_text(text, strlen(text), "config.json", &err);

	if (!spec)
		fail_msg("%s", error_text(&err));
	return spec;
}

/* One string, or two. */
static inline void assert_strings(const struct spec_strings *strings, const char *first,
				  const char *second)
{
	assert_int_equal(strings->count, second ? 2 : 1);
	assert_string_equal(strings->items[0], first);
	if (second)
		assert_string_equal(strings->items[1], second);
	assert_null(strings->items[strings->count]);
}

#define assert_set(number, expected)                                                               \
	do {                                                                                       \
		assert_true((number).set);                                                         \
		assert_true((number).value == (expected));                                         \
	} while (0)

#endif
