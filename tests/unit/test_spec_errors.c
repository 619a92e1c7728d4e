/* SPDX-License-Identifier: Apache-2.0 */
/* What a document that can't be read is told: which one, where, and why, in one line. */
#include "test_spec.h"

#include <stdio.h>

#define VERSION "'ociVersion': '1.3.0'"

static void expect_bytes(const char *text, size_t length, const char *expected)
{
	struct error err = ERROR_INIT;
	struct spec *spec = spec_read_oci_text(text, length, "config.json", &err);

	if (spec)
		fail_msg("read: %s\n  wanted: %s", text, expected);
	assert_string_equal(error_text(&err), expected);
	assert_null(strchr(error_text(&err), '\n'));
	error_clear(&err);
}

/* The document { <members> } must fail with "config.json: <expected>". */
static void expect_field(const char *members, const char *expected)
{
	cleanup_free char *text = NULL, *json = NULL, *message = NULL;

	assert_true(asprintf(&text, "{" VERSION ", %s}", members) > 0);
	json = with_quotes(text);
	assert_true(asprintf(&message, "config.json: %s", expected) > 0);
	expect_bytes(json, strlen(json), message);
}

static void expect_text(const char *text, const char *expected)
{
	expect_bytes(text, strlen(text), expected);
}

static void a_value_of_another_type_is_named_by_its_path(void **state)
{
	expect_field("'mounts': [{'destination': '/'}, {}, {}, {'options': [7]}]",
		     "mounts[3].options[0]: want a string, found a number");
	expect_field("'hostname': 1", "hostname: want a string, found a number");
	expect_field("'hostname': 1.5", "hostname: want a string, found a number");
	expect_field("'hostname': true", "hostname: want a string, found a boolean");
	expect_field("'hostname': []", "hostname: want a string, found an array");
	expect_field("'hostname': {}", "hostname: want a string, found an object");
	expect_field("'root': 'rootfs'", "root: want an object, found a string");
	expect_field("'root': {'readonly': 1}", "root.readonly: want a boolean, found a number");
	expect_field("'mounts': {}", "mounts: want an array, found an object");
	expect_field("'mounts': ['/proc']", "mounts[0]: want an object, found a string");
	expect_field("'process': {'user': {'uid': '0'}}",
		     "process.user.uid: want an integer, found a string");
	expect_field("'process': {'capabilities': ['CAP_KILL']}",
		     "process.capabilities: want an object, found an array");
	expect_field("'process': {'user': {'additionalGids': [1, 'x']}}",
		     "process.user.additionalGids[1]: want an integer, found a string");
	expect_field("'linux': {'seccomp': {'syscalls': [{'action': 'a', 'args': [3]}]}}",
		     "linux.seccomp.syscalls[0].args[0]: want an object, found a number");
	expect_field("'linux': {'resources': {'memory': {'limit': '1G'}}}",
		     "linux.resources.memory.limit: want an integer, found a string");
	expect_field("'linux': {'netDevices': {'eth0': 1}}",
		     "linux.netDevices.eth0: want an object, found a number");
}

static void the_key_of_a_map_is_told_from_a_field(void **state)
{
	expect_field("'linux': {'sysctl': {'net.ipv4.ip_forward': 1}}",
		     "linux.sysctl[\"net.ipv4.ip_forward\"]: want a string, found a number");
	expect_field("'annotations': {'': 1}", "annotations[\"\"]: want a string, found a number");
	expect_field("'annotations': {'a\\nb': 1}",
		     "annotations.a\\x0ab: want a string, found a number");
}

static void null_is_no_element_of_a_list(void **state)
{
	expect_field("'process': {'args': ['a', null]}",
		     "process.args[1]: want a string, found null");
	expect_field("'mounts': [null]", "mounts[0]: want an object, found null");
	expect_field("'process': {'user': {'additionalGids': [null]}}",
		     "process.user.additionalGids[0]: want an integer, found null");
}

static void integers_have_ranges_and_no_fractions(void **state)
{
	expect_field("'process': {'user': {'uid': -1}}",
		     "process.user.uid: -1 is out of range (0 to 4294967295)");
	expect_field("'process': {'user': {'gid': 4294967296}}",
		     "process.user.gid: 4294967296 is out of range (0 to 4294967295)");
	expect_field("'process': {'user': {'uid': 1.5}}",
		     "process.user.uid: want an integer, found a fraction or an exponent");
	expect_field("'process': {'user': {'uid': 1.0}}",
		     "process.user.uid: want an integer, found a fraction or an exponent");
	expect_field("'process': {'user': {'uid': 1e3}}",
		     "process.user.uid: want an integer, found a fraction or an exponent");
	expect_field("'process': {'rlimits': [{'type': 'RLIMIT_CPU', 'soft': -1, 'hard': 1}]}",
		     "process.rlimits[0].soft: -1 is out of range (0 to 18446744073709551615)");
	expect_field(
	    "'process': {'scheduler': {'nice': 2147483648}}",
	    "process.scheduler.nice: 2147483648 is out of range (-2147483648 to 2147483647)");
	expect_field(
	    "'process': {'oomScoreAdj': 9223372036854775808}",
	    "process.oomScoreAdj: 9223372036854775808 is out of range (-9223372036854775808 "
	    "to 9223372036854775807)");
	expect_field("'linux': {'resources': {'blockIO': {'weight': 65536}}}",
		     "linux.resources.blockIO.weight: 65536 is out of range (0 to 65535)");
	expect_field(
	    "'linux': {'resources': {'network': {'classID': 4294967296}}}",
	    "linux.resources.network.classID: 4294967296 is out of range (0 to 4294967295)");
}

static void numbers_beyond_64_bits_are_refused_where_they_stand(void **state)
{
	/* json-c would clamp both. */
	expect_field("'x': 18446744073709551616", "line 1, column 30: a number beyond 64 bits");
	expect_field("'x': -9223372036854775809", "line 1, column 30: a number beyond 64 bits");
	expect_field("'x': 100000000000000000000", "line 1, column 30: a number beyond 64 bits");
}

static void what_must_be_there_is_missed(void **state)
{
	expect_text("{}", "config.json: ociVersion: is missing");
	expect_text("{\"ociVersion\": null}", "config.json: ociVersion: is missing");
	expect_field("'process': {'rlimits': [{'type': 'RLIMIT_CPU', 'soft': 1}]}",
		     "process.rlimits[0].hard: is missing");
	expect_field("'linux': {'resources': {'hugepageLimits': [{'pageSize': '2MB'}]}}",
		     "linux.resources.hugepageLimits[0].limit: is missing");
	expect_field("'linux': {'resources': {'blockIO': {'throttleReadBpsDevice': [{'major': 8,"
		     " 'rate': 1}]}}}",
		     "linux.resources.blockIO.throttleReadBpsDevice[0].minor: is missing");
	expect_field("'linux': {'gidMappings': [{'hostID': 1, 'size': 1}]}",
		     "linux.gidMappings[0].containerID: is missing");
}

static void a_version_is_quoted_in_one_line(void **state)
{
	expect_text("{\"ociVersion\": \"2.0.0\"}",
		    "config.json: ociVersion: version \"2.0.0\" is not supported, only 1.x.y is");
	expect_text("{\"ociVersion\": \"1.0\\n\"}",
		    "config.json: ociVersion: \"1.0\\x0a\" is not a version (1.x.y)");
}

static void a_long_value_is_quoted_in_part(void **state)
{
	char text[512] = "{\"ociVersion\": \"", expected[256];
	size_t used = strlen(text);

	memset(text + used, 'x', 300);
	strcpy(text + used + 300, "\"}");
	snprintf(expected, sizeof(expected),
		 "config.json: ociVersion: \"%.100s…\" is not a version (1.x.y)", text + used);
	expect_text(text, expected);
}

static void nul_is_refused(void **state)
{
	expect_field("'hostname': 'a\\u0000b'", "hostname: has a NUL character in it");
	expect_field("'process': {'args': ['ok', 'a\\u0000']}",
		     "process.args[1]: has a NUL character in it");
	expect_field("'annotations': {'k': '\\u0000'}", "annotations.k: has a NUL character in it");
	/* json-c would end the name at it, and read it as hostname. */
	expect_field("'hostname\\u0000x' : 'b'", "line 1, column 34: a NUL character in a name");
	expect_bytes("{\"a\": \"b\0c\"}", 12, "config.json: line 1, column 9: a NUL byte");
	expect_bytes("{\0}", 3, "config.json: line 1, column 2: a NUL byte");
	expect_bytes("{}\0", 3, "config.json: line 1, column 3: a NUL byte");
}

static void a_backslash_before_u0000_is_no_nul(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    read_config("{" VERSION ", 'a\\\\u0000': 1, 'hostname': '\\\\u0000'}", &err);

	assert_non_null(spec);
	assert_string_equal(spec->hostname, "\\u0000");
}

static void a_syntax_error_has_a_line_and_a_column(void **state)
{
	expect_text("{\n  \"a\": 1,\n  \"b\" 2\n}",
		    "config.json: line 3, column 7: object property name separator ':' expected");
	expect_text("{\"a\": tru}", "config.json: line 1, column 10: boolean expected");
	expect_text("{\"a\": 01}", "config.json: line 1, column 9: number expected");
	expect_text("{\"a\": 1,}", "config.json: line 1, column 9: unexpected character");
	expect_text("{\"a\": /* no */ 1}", "config.json: line 1, column 7: unexpected character");
	expect_text("{'a': 1}", "config.json: line 1, column 2: unexpected character");
	expect_text("{\"a\": NaN}", "config.json: line 1, column 7: unexpected character");
	expect_text("{\"a\": \"x\ny\"}",
		    "config.json: line 1, column 9: a control character in a string");
	expect_text("\xef\xbb\xbf{}", "config.json: line 1, column 1: unexpected character");
}

static void a_text_that_ends_early_is_called_truncated(void **state)
{
	expect_text("", "config.json: line 1, column 1: truncated: the text ends early");
	expect_text(" \n ", "config.json: line 2, column 2: truncated: the text ends early");
	expect_text("{\"ociVersion\": \"1.0",
		    "config.json: line 1, column 20: truncated: the text ends early");
	expect_text("{\"a\": [1, 2",
		    "config.json: line 1, column 12: truncated: the text ends early");
	expect_text("{\"a\": tr", "config.json: line 1, column 9: truncated: the text ends early");
}

/* However a good document is cut, it is an error and nothing worse. */
static void every_beginning_of_a_document_is_truncated(void **state)
{
	cleanup_free char *text = config_with("{'annotations': {'a': 'b\\u00e9'}, 'x': [1, -2.5]}");
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		/* Its own block, so that a read beyond the end is seen. */
		cleanup_free char *part = malloc(i + 1);
		struct error err = ERROR_INIT;

		memcpy(part, text, i);
		part = realloc(part, i ? i : 1);
		assert_null(spec_read_oci_text(part, i, "config.json", &err));
		assert_non_null(strstr(error_text(&err), "truncated"));
		error_clear(&err);
	}
}

static void nothing_stands_behind_the_document(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = read_config("{" VERSION "} \r\n\t ", &err);

	assert_non_null(spec);
	expect_text("{} {}", "config.json: line 1, column 4: more text behind the document");
	expect_text("{}\n}", "config.json: line 2, column 1: more text behind the document");
}

static void bytes_beyond_ascii_make_nothing_less_strict(void **state)
{
	static const char *const texts[] = {
	    "{\"a\": \"\xc3\xa9\",}",
	    "{\"a\": [\"\xc3\xa9\",]}",
	    "{\"a\": \"\xc3\xa9\" /* b */}",
	    "{\"a\": \"\xc3\xa9\", \"b\": TRUE}",
	    "{\"a\": \xc3\xa9}",
	    "\xef\xbb\xbf{\"a\": 1}",
	    "{\"a\": \"\xc3\xa9\"} \xc3",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct error err = ERROR_INIT;

		assert_null(spec_read_oci_text(texts[i], strlen(texts[i]), "config.json", &err));
		assert_non_null(strstr(error_text(&err), "config.json: line 1, column "));
		error_clear(&err);
	}
}

static void the_document_is_an_object(void **state)
{
	expect_text("[]", "config.json: want an object, found an array");
	expect_text("12", "config.json: want an object, found a number");
	expect_text("\"config\"", "config.json: want an object, found a string");
	expect_text("null", "config.json: want an object, found null");
}

static void a_depth_bomb_is_defused(void **state)
{
	size_t length = (size_t)8 * 1024 * 1024;
	cleanup_free char *bomb = malloc(length);
	char fine[256] = "{\"ociVersion\": \"1.0.0\", \"x\": ";
	struct error err = ERROR_INIT;
	struct spec *spec;

	assert_non_null(bomb);
	memset(bomb, '[', length);
	expect_bytes(bomb, length, "config.json: line 1, column 65: nesting too deep");
	for (size_t i = 0; i + 5 <= length; i += 5)
		memcpy(bomb + i, "{\"a\":", 5);
	expect_bytes(bomb, length - length % 5,
		     "config.json: line 1, column 321: nesting too deep");

	memset(fine + strlen(fine), '[', 60);
	memset(fine + strlen(fine), ']', 60);
	strcat(fine, "}");
	spec = spec_read_oci_text(fine, strlen(fine), "config.json", &err);
	assert_non_null(spec);
	spec_free(spec);
}

static void a_document_has_16_mib_at_most(void **state)
{
	cleanup_free char *text = malloc(SPEC_MAX_BYTES + 1);
	const char *document = "{\"ociVersion\": \"1.0.0\"}";
	struct error err = ERROR_INIT;
	struct spec *spec;

	assert_non_null(text);
	memset(text, ' ', SPEC_MAX_BYTES + 1);
	memcpy(text, document, strlen(document));
	spec = spec_read_oci_text(text, SPEC_MAX_BYTES, "config.json", &err);
	assert_non_null(spec);
	spec_free(spec);
	expect_bytes(text, SPEC_MAX_BYTES + 1, "config.json: is larger than 16 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_of_another_type_is_named_by_its_path),
	    cmocka_unit_test(the_key_of_a_map_is_told_from_a_field),
	    cmocka_unit_test(null_is_no_element_of_a_list),
	    cmocka_unit_test(integers_have_ranges_and_no_fractions),
	    cmocka_unit_test(numbers_beyond_64_bits_are_refused_where_they_stand),
	    cmocka_unit_test(what_must_be_there_is_missed),
	    cmocka_unit_test(a_version_is_quoted_in_one_line),
	    cmocka_unit_test(a_long_value_is_quoted_in_part),
	    cmocka_unit_test(nul_is_refused),
	    cmocka_unit_test(a_backslash_before_u0000_is_no_nul),
	    cmocka_unit_test(a_syntax_error_has_a_line_and_a_column),
	    cmocka_unit_test(a_text_that_ends_early_is_called_truncated),
	    cmocka_unit_test(every_beginning_of_a_document_is_truncated),
	    cmocka_unit_test(nothing_stands_behind_the_document),
	    cmocka_unit_test(bytes_beyond_ascii_make_nothing_less_strict),
	    cmocka_unit_test(the_document_is_an_object),
	    cmocka_unit_test(a_depth_bomb_is_defused),
	    cmocka_unit_test(a_document_has_16_mib_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
