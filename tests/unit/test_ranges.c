/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPUs and memory nodes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/ranges.h"

static struct ranges ranges;

static void numbers_and_ranges_are_counted_once(void **state)
{
	(void)state;
	assert_int_equal(ranges_parse("0-3,7", &ranges), 5);
	assert_int_equal(ranges.words[0], 0x8f);
	assert_int_equal(ranges_parse("1,1,0-1", &ranges), 2);
	assert_int_equal(ranges.words[0], 3);
	assert_int_equal(ranges_parse("63-64", &ranges), 2);
	assert_int_equal(ranges.words[0], UINT64_C(1) << 63);
	assert_int_equal(ranges.words[1], 1);
	assert_int_equal(ranges_parse("5-5", &ranges), 1);
	assert_int_equal(ranges.words[1], 0);
}

static void all_of_them(void **state)
{
	(void)state;
	assert_int_equal(ranges_parse("0-8191", &ranges), RANGES_MAX);
	assert_int_equal(ranges.words[RANGES_MAX / 64 - 1], UINT64_MAX);
	assert_int_equal(ranges_parse("0-8192", &ranges), -1);
	assert_int_equal(ranges_parse("8192", &ranges), -1);
}

static void blanks_and_empty_elements_are_nothing(void **state)
{
	(void)state;
	assert_int_equal(ranges_parse("", &ranges), 0);
	assert_int_equal(ranges_parse(" , ,", &ranges), 0);
	assert_int_equal(ranges_parse(" 1 ,, 2-3\t", &ranges), 3);
	assert_int_equal(ranges.words[0], 14);
}

static void what_is_no_list(void **state)
{
	static const char *const texts[] = {
	    "a",
	    "1a",
	    "-1",
	    "1-",
	    "3-1",
	    "1--2",
	    "1-2-3",
	    "+1",
	    "1 2",
	    "1;2",
	    "0x1",
	    "1 -2",
	    "99999999999999999999",
	    "4294967296",
	    "0-4294967296",
	    "1.5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(ranges_parse(texts[i], &ranges), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_and_ranges_are_counted_once),
	    cmocka_unit_test(all_of_them),
	    cmocka_unit_test(blanks_and_empty_elements_are_nothing),
	    cmocka_unit_test(what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
