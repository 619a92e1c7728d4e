/* SPDX-License-Identifier: Apache-2.0 */
/* Values with a type, from GVariant's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/variant.h"

static void write_value(FILE *out, const struct variant *value)
{
	switch (value->type) {
	case 's':
	case 'o':
	case 'g':
		fprintf(out, "<%s>", value->text);
		break;
	case 'd':
		fprintf(out, "%g", value->real);
		break;
	case 'n':
	case 'i':
	case 'x':
		fprintf(out, "%" PRId64, value->integer);
		break;
	case 'a':
	case '(':
		fprintf(out, "%c", value->type == 'a' ? '[' : '(');
		for (size_t i = 0; i < value->count; i++) {
			fprintf(out, i ? "," : "");
			write_value(out, &value->items[i]);
		}
		fprintf(out, "%c", value->type == 'a' ? ']' : ')');
		break;
	default:
		fprintf(out, "%" PRIu64, value->number);
	}
}

/* "SIGNATURE VALUE". */
static void reads(const char *text, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	cleanup_free char *got = NULL;
	struct variant value;
	size_t size;
	FILE *out;

	if (variant_parse(text, &arena, &value, &err) < 0)
		fail_msg("%s: %s", text, error_text(&err));
	out = open_memstream(&got, &size);
	fprintf(out, "%s ", variant_signature(&value, &arena));
	write_value(out, &value);
	fclose(out);
	assert_string_equal(got, expected);
	arena_free(&arena);
}

static void refuses(const char *text, const char *message)
{
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	struct variant value;

	if (variant_parse(text, &arena, &value, &err) == 0)
		fail_msg("%s is taken", text);
	assert_string_equal(error_text(&err), message);
	error_clear(&err);
	arena_free(&arena);
}

static void booleans_and_strings(void **state)
{
	(void)state;
	reads("true", "b 1");
	reads(" false ", "b 0");
	reads("boolean true", "b 1");
	reads("'inactive-or-failed'", "s <inactive-or-failed>");
	reads("\"it's\"", "s <it's>");
	reads("'a\\'b\\\\c\\n\\t'", "s <a'b\\c\n\t>");
	reads("''", "s <>");
	reads("objectpath '/a/b'", "o </a/b>");
	reads("signature 'as'", "g <as>");
	reads("@s 'x'", "s <x>");
}

static void numbers(void **state)
{
	(void)state;
	reads("7", "i 7");
	reads("-7", "i -7");
	reads("0x10", "i 16");
	reads("uint64 123456789", "t 123456789");
	reads("uint64 18446744073709551615", "t 18446744073709551615");
	reads("int64 -9223372036854775808", "x -9223372036854775808");
	reads("@u 4294967295", "u 4294967295");
	reads("byte 255", "y 255");
	reads("int16 -32768", "n -32768");
	reads("uint16 65535", "q 65535");
	reads("int32 5", "i 5");
	reads("1.5", "d 1.5");
	reads("1e3", "d 1000");
	reads("double 2", "d 2");
}

static void numbers_beyond_their_type(void **state)
{
	(void)state;
	refuses("2147483648", "This number is beyond its type: at \"2147483648\"");
	refuses("-2147483649", "This number is beyond its type: at \"-2147483649\"");
	refuses("byte 256", "This number is beyond its type: at \"256\"");
	refuses("uint32 -1", "This number is beyond its type: at \"-1\"");
	refuses("uint64 18446744073709551616",
		"This number is beyond its type: at \"18446744073709551616\"");
	refuses("12x", "This is no number: at \"12x\"");
	refuses("--5", "This is no number: at \"--5\"");
	refuses("-", "This is no number: at \"-\"");
	refuses("1.2.3", "This is no number: at \"1.2.3\"");
}

static void arrays(void **state)
{
	(void)state;
	reads("['a', 'b']", "as [<a>,<b>]");
	reads("[ 1 , 2, 3 ]", "ai [1,2,3]");
	reads("[uint32 1, 2]", "au [1,2]");
	reads("@as []", "as []");
	reads("@ay [1, 255]", "ay [1,255]");
	reads("[[1], [2, 3]]", "aai [[1],[2,3]]");
	reads("[byte 1, 2, 3, 4, 5, 6, 7, 8, 9]", "ay [1,2,3,4,5,6,7,8,9]");
}

static void tuples(void **state)
{
	(void)state;
	reads("('/dev/null', 'rw')", "(ss) (</dev/null>,<rw>)");
	reads("[('/dev/null', 'rw'), ('char-pts', 'r')]",
	      "a(ss) [(</dev/null>,<rw>),(<char-pts>,<r>)]");
	reads("@a(st) [('/dev/vda', 5)]", "a(st) [(</dev/vda>,5)]");
}

static void what_is_no_value(void **state)
{
	(void)state;
	refuses("", "There is no value that can be read at the end");
	refuses("yes", "There is no value that can be read at \"yes\"");
	refuses("'open", "A quote is missing at the end");
	refuses("'a\\u0041'", "Such an escape is not supported, at \"u0041'\"");
	refuses("true false", "Something follows the value at \"false\"");
	refuses("[1, 2", "A comma or a bracket is missing");
	refuses("[1 2]", "A comma or a bracket is missing");
	refuses("[]", "The type of an empty array is missing (\"@as []\")");
	refuses("[1, 'a']", "There is a string where there can be none, at \"a']\"");
	refuses("['a', 1]", "There is a number where there can be none, at \"1]\"");
	refuses("[1, uint32 2]", "The types of one array differ at \"uint32 2]\"");
	refuses("()", "A tuple has too few values");
	refuses("@(ss) ('a')", "A tuple has too few values");
	refuses("@(s) ('a', 'b')", "A tuple has too many values at \" 'b')\"");
	refuses("{'a': <1>}", "There is no value that can be read at \"{'a': <1>}\"");
	refuses("@a{sv} {}", "There is no type of a property's at \"a{sv} {}\"");
	refuses("@z 1", "There is no type of a property's at \"z 1\"");
	refuses("uint32 true", "There is a boolean where there can be none, at \"true\"");
	refuses("[[[[[[[[[1]]]]]]]]]", "It is nested too deeply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(booleans_and_strings),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(numbers_beyond_their_type),
	    cmocka_unit_test(arrays),
	    cmocka_unit_test(tuples),
	    cmocka_unit_test(what_is_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
