/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/duration.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

struct unit {
	const char *name;
	uint64_t nanoseconds;
};

static const struct unit units[] = {
    {"ns", 1},		 {"us", 1000},	    {"\xc2\xb5s", 1000}, /* µ, the micro sign … */
    {"\xce\xbcs", 1000},					 /* … and the Greek letter */
    {"ms", 1000000},	 {"s", 1000000000}, {"m", 60000000000},	 {"h", 3600000000000},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What a part of a duration is multiplied with; *text is moved behind it. NULL: no such unit. */
static const struct unit *take_unit(const char **text)
{
	size_t length = 0;

	while ((*text)[length] && (*text)[length] != '.' && !is_digit((*text)[length]))
		length++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == length && memcmp(*text, units[i].name, length) == 0) {
			*text += length;
			return &units[i];
		}
	}
	return NULL;
}

/* One number with its unit: "1.5h". */
static int take_part(const char **text, uint64_t *sum)
{
	uint64_t whole = 0, part;
	double fraction = 0, scale = 1;
	const struct unit *unit;
	size_t digits = 0;

	for (; is_digit(**text); (*text)++, digits++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(**text - '0'), &whole))
			return -1;
	}
	if (**text == '.') {
		for ((*text)++; is_digit(**text); (*text)++, digits++) {
			scale /= 10;
			fraction += scale * (**text - '0');
		}
	}
	unit = digits ? take_unit(text) : NULL;
	if (!unit || __builtin_mul_overflow(whole, unit->nanoseconds, &part) ||
	    __builtin_add_overflow(part, (uint64_t)(fraction * (double)unit->nanoseconds + 0.5),
				   &part) ||
	    __builtin_add_overflow(*sum, part, sum))
		return -1;
	return 0;
}

int duration_parse(const char *text, int64_t *nanoseconds)
{
	bool negative = *text == '-';
	uint64_t sum = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (!*text)
		return -1;
	while (*text && strcmp(text, "0") != 0) {
		if (take_part(&text, &sum) < 0)
			return -1;
	}
	if (sum > INT64_MAX)
		return -1;
	*nanoseconds = negative ? -(int64_t)sum : (int64_t)sum;
	return 0;
}

int duration_interval(const char *text, uint64_t *nanoseconds, struct error *err)
{
	int64_t parsed;

	if (duration_parse(text, &parsed) < 0)
		return error_set(err,
				 "invalid value \"%s\" for flag --interval: not a duration such as "
				 "5s or 500ms",
				 text);
	if (parsed <= 0)
		return error_set(err,
				 "invalid value \"%s\" for flag --interval: duration interval "
				 "must be greater than 0",
				 text);
	*nanoseconds = (uint64_t)parsed;
	return 0;
}
