/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, as Go's time.ParseDuration reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "cli/duration.h"

static void durations_are_numbers_with_units(void **state)
{
	static const struct {
		const char *text;
		int64_t nanoseconds;
	} cases[] = {
	    {"0", 0},
	    {"+0", 0},
	    {"0s", 0},
	    {"5s", 5000000000},
	    {"+5s", 5000000000},
	    {"-5s", -5000000000},
	    {"30s", 30000000000},
	    {"1.5s", 1500000000},
	    {".5s", 500000000},
	    {"5.s", 5000000000},
	    {"100ns", 100},
	    {"10us", 10000},
	    {"10\xc2\xb5s", 10000},
	    {"10\xce\xbcs", 10000},
	    {"250ms", 250000000},
	    {"1m", 60000000000},
	    {"1.5h", 5400000000000},
	    {"3h30m", 12600000000000},
	    {"1h15m30.918273645s", 4530918273645},
	    {"10.5s4m", 250500000000},
	    {"2562047h47m16.854775807s", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t nanoseconds = -1;

		if (duration_parse(cases[i].text, &nanoseconds) < 0)
			fail_msg("\"%s\" was refused", cases[i].text);
		if (nanoseconds != cases[i].nanoseconds)
			fail_msg("\"%s\" is %lld", cases[i].text, (long long)nanoseconds);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const cases[] = {
	    "",	    "5",	"00",	"s",	".",
	    "-",    "-.s",	"+.s",	"5 s",	" 5s",
	    "5s ",  "5S",	"1d",	"1x",	"5s3",
	    "--5s", "3000000h", "0x5s", "1e3s", "99999999999999999999s",
	    "5ss",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t nanoseconds;

		if (duration_parse(cases[i], &nanoseconds) == 0)
			fail_msg("\"%s\" was taken for %lld", cases[i], (long long)nanoseconds);
	}
}

static void an_interval_is_above_zero(void **state)
{
	static const char *const cases[] = {"0", "0s", "-1s", "5", ""};
	struct error err = ERROR_INIT;
	uint64_t nanoseconds;

	(void)state;
	assert_int_equal(duration_interval("1ns", &nanoseconds, &err), 0);
	assert_int_equal(nanoseconds, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(duration_interval(cases[i], &nanoseconds, &err), -1);
		assert_non_null(strstr(err.message, "--interval"));
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_are_numbers_with_units),
	    cmocka_unit_test(anything_else_is_refused),
	    cmocka_unit_test(an_interval_is_above_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
