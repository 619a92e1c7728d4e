/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ranges.h"

#include <ctype.h>
#include <string.h>

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* By hand: strtoul() takes signs. NULL: no number, or one that is too large. */
static const char *read_number(const char *text, unsigned int *number)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (*number = 0; isdigit((unsigned char)*text); text++) {
		*number = *number * 10 + (unsigned int)(*text - '0');
		if (*number >= RANGES_MAX)
			return NULL;
	}
	return text;
}

int ranges_parse(const char *text, struct ranges *ranges)
{
	unsigned int first, last;
	int count = 0;

	memset(ranges, 0, sizeof(*ranges));
	for (text = skip_blanks(text); *text; text = skip_blanks(text)) {
		if (*text == ',') {
			text++;
			continue;
		}
		text = read_number(text, &first);
		last = first;
		if (text && *text == '-')
			text = read_number(text + 1, &last);
		if (!text || last < first)
			return -1;
		text = skip_blanks(text);
		if (*text && *text != ',')
			return -1;
		for (; first <= last; first++) {
			uint64_t bit = UINT64_C(1) << first % 64;

			count += !(ranges->words[first / 64] & bit);
			ranges->words[first / 64] |= bit;
		}
	}
	return count;
}
