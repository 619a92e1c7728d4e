/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

/* Names that glibc knows but gives no abbreviation for, since their number has another name too. */
static const struct {
	const char *name;
	int number;
} aliases[] = {
    {"IOT", SIGIOT},
    {"CLD", SIGCLD},
    {"IO", SIGIO},
};

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n", as C programs may count them: from glibc's first. -1:
 * none. */
static int parse_realtime(const char *name)
{
	int base = strncasecmp(name, "RTMIN", 5) == 0 ? SIGRTMIN : SIGRTMAX;
	unsigned long offset;

	if (strncasecmp(name, "RTMIN", 5) != 0 && strncasecmp(name, "RTMAX", 5) != 0)
		return -1;
	name += 5;
	if (!*name)
		return base;
	if (*name != (base == SIGRTMIN ? '+' : '-') ||
	    value_parse_unsigned(name + 1, (unsigned long)(SIGRTMAX - SIGRTMIN), &offset) < 0)
		return -1;
	return base == SIGRTMIN ? base + (int)offset : base - (int)offset;
}

static int parse_name(const char *name)
{
	for (int number = 1; number < SIGRTMIN; number++) {
		const char *known = sigabbrev_np(number);

		if (known && strcasecmp(known, name) == 0)
			return number;
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcasecmp(aliases[i].name, name) == 0)
			return aliases[i].number;
	}
	return parse_realtime(name);
}

int signal_parse(const char *text, struct error *err)
{
	unsigned long number;
	int named;

	/* Numbers go up to the kernel's last, 32 and 33 included, which have no name in C. */
	if (value_parse_unsigned(text, (unsigned long)SIGRTMAX, &number) == 0)
		return (int)number;
	named = parse_name(strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text);
	return named >= 0 ? named : error_set(err, "unknown signal \"%s\"", text);
}
