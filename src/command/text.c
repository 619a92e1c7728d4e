/* SPDX-License-Identifier: Apache-2.0 */
#include "command/internal.h"

/* The bytes of the character that starts at `s`, of which `left` are there; 0: it is none. */
static size_t character(const unsigned char *s, size_t left)
{
	size_t length, i;

	if (s[0] < 0x80)
		return 1;
	length = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 4;
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < length)
		return 0;
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Longer than need be, half of a UTF-16 pair, beyond the last character. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

size_t text_utf8(const char *text, size_t length)
{
	size_t good = 0, step;

	while (good < length) {
		step = character((const unsigned char *)text + good, length - good);
		if (!step)
			break;
		good += step;
	}
	return good;
}
