/* SPDX-License-Identifier: Apache-2.0 */
/* From a value in a JSON document to its line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/json.h"

/* The line of the value that is reached by names and, where a name is a digit, indices. */
static size_t line_of(const char *text, const char *const *path)
{
	struct error err = ERROR_INIT;
	struct json_object *object = json_parse(text, strlen(text), "test", &err);
	struct json_document document = {"test", NULL, &err, text, strlen(text)};
	struct json_value steps[16] = {{&document, NULL, NULL, 0, object}};
	size_t count = 1, line;

	assert_non_null(object);
	for (; *path; path++, count++) {
		bool index = (*path)[0] >= '0' && (*path)[0] <= '9';

		steps[count] = index ? json_element(&steps[count - 1], (size_t)((*path)[0] - '0'))
				     : json_member(&steps[count - 1], *path);
	}
	line = json_line(&steps[count - 1]);
	json_object_put(object);
	error_clear(&err);
	return line;
}
#define LINE(text, ...) line_of(text, (const char *const[]){__VA_ARGS__, NULL})

static void test_a_member_is_where_its_name_is(void **state)
{
	assert_int_equal(LINE("{\n\"a\": 1,\n\"b\":\n2}", "a"), 2);
	assert_int_equal(LINE("{\n\"a\": 1,\n\"b\":\n2}", "b"), 3);
}

static void test_the_document_is_where_it_begins(void **state)
{
	assert_int_equal(LINE("\n\n{\"a\": 1}", "nothing"), 3);
}

static void test_a_nested_member_is_not_one_of_that_name_elsewhere(void **state)
{
	static const char text[] =
	    "{\"x\": {\n\"ip\": 1},\n\"ip\": 2,\n\"y\": {\"z\": {\n\"ip\": 3}}}";

	assert_int_equal(LINE(text, "ip"), 3);
	assert_int_equal(LINE(text, "x", "ip"), 2);
	assert_int_equal(LINE(text, "y", "z", "ip"), 5);
}

static void test_a_name_in_a_value_is_not_taken_for_it(void **state)
{
	assert_int_equal(LINE("{\"a\": \"\\\"b\\\": {\",\n\"c\": [\"b\", {}],\n\"b\": 1}", "b"), 3);
}

static void test_elements_are_counted(void **state)
{
	static const char text[] =
	    "{\"a\": [\n1,\n[2, 3],\n{\"b\": 4}, \"]\",\n-5e3,\nnull,\ntrue]}";

	assert_int_equal(LINE(text, "a", "0"), 2);
	assert_int_equal(LINE(text, "a", "1"), 3);
	assert_int_equal(LINE(text, "a", "1", "1"), 3);
	assert_int_equal(LINE(text, "a", "2"), 4);
	assert_int_equal(LINE(text, "a", "3"), 4);
	assert_int_equal(LINE(text, "a", "4"), 5);
	assert_int_equal(LINE(text, "a", "5"), 6);
	assert_int_equal(LINE(text, "a", "6"), 7);
}

static void test_a_member_of_an_element(void **state)
{
	static const char text[] = "{\"a\": [{\"b\": 1},\n{\"b\": 2,\n\"c\": 3}]}";

	assert_int_equal(LINE(text, "a", "1", "b"), 2);
	assert_int_equal(LINE(text, "a", "1", "c"), 3);
}

static void test_escapes_in_names_are_resolved(void **state)
{
	static const char text[] = "{\"\\u0062\": 1,\n\"\\u0061\": 2,\n\"q\\\"\": 3,\n\"\\\\\": 4}";

	assert_int_equal(LINE(text, "b"), 1);
	assert_int_equal(LINE(text, "a"), 2);
	assert_int_equal(LINE(text, "q\""), 3);
	assert_int_equal(LINE(text, "\\"), 4);
}

static void test_of_a_name_that_is_there_twice_the_last_counts(void **state)
{
	assert_int_equal(LINE("{\"a\": {\"b\": 1},\n\"a\": {\n\"b\": 2}}", "a", "b"), 3);
}

static void test_what_is_missing_is_where_it_should_be(void **state)
{
	static const char text[] = "{\"a\": 1,\n\"b\": {\n\"c\": []}}";

	assert_int_equal(LINE(text, "b", "d"), 2);
	assert_int_equal(LINE(text, "b", "c", "0"), 3);
	assert_int_equal(LINE(text, "a", "x"), 1);
}

static void test_empty_ones(void **state)
{
	assert_int_equal(LINE("{\"a\": {},\n\"b\": [],\n\"c\": \"\"}", "c"), 3);
}

static void test_without_the_text_there_is_no_line(void **state)
{
	struct json_document document = {"test", NULL, NULL, NULL, 0};
	struct json_value top = {&document, NULL, NULL, 0, NULL};

	assert_int_equal(json_line(&top), 0);
}

static void test_an_error_names_the_line(void **state)
{
	static const char text[] = "{\n\"a\": \"x\"}";
	struct error err = ERROR_INIT;
	struct json_object *object = json_parse(text, strlen(text), "test", &err);
	struct json_document document = {"test", NULL, &err, text, strlen(text)};
	struct json_value top = {&document, NULL, NULL, 0, object};
	bool value = false;

	assert_int_equal(json_get_bool(&top, "a", &value), -1);
	assert_string_equal(error_text(&err), "test:2: a: want a boolean, found a string");
	json_object_put(object);
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_member_is_where_its_name_is),
	    cmocka_unit_test(test_the_document_is_where_it_begins),
	    cmocka_unit_test(test_a_nested_member_is_not_one_of_that_name_elsewhere),
	    cmocka_unit_test(test_a_name_in_a_value_is_not_taken_for_it),
	    cmocka_unit_test(test_elements_are_counted),
	    cmocka_unit_test(test_a_member_of_an_element),
	    cmocka_unit_test(test_escapes_in_names_are_resolved),
	    cmocka_unit_test(test_of_a_name_that_is_there_twice_the_last_counts),
	    cmocka_unit_test(test_what_is_missing_is_where_it_should_be),
	    cmocka_unit_test(test_empty_ones),
	    cmocka_unit_test(test_without_the_text_there_is_no_line),
	    cmocka_unit_test(test_an_error_names_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
