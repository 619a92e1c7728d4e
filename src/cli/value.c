/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int value_parse_unsigned(const char *text, unsigned long max, unsigned long *number)
{
	unsigned long parsed;

	/* strtoul takes blanks, signs and "" as well. */
	if (!*text || text[strspn(text, "0123456789")])
		return -1;
	errno = 0;
	parsed = strtoul(text, NULL, 10);
	if (errno || parsed > max)
		return -1;
	*number = parsed;
	return 0;
}

int value_count(const char *flag, const char *text, int *count, struct error *err)
{
	unsigned long number;

	if (value_parse_unsigned(text, INT_MAX, &number) < 0)
		return error_set(err, "invalid value \"%s\" for flag %s: not a number from 0 to %d",
				 text, flag, INT_MAX);
	*count = (int)number;
	return 0;
}

int value_id(const char *flag, const char *text, uint32_t *id, struct error *err)
{
	unsigned long number;

	/* (uid_t)-1 means "leave it" to the kernel and is no id. */
	if (value_parse_unsigned(text, UINT32_MAX - 1, &number) < 0)
		return error_set(err, "invalid value \"%s\" for flag %s: not a numeric id", text,
				 flag);
	*id = (uint32_t)number;
	return 0;
}

int value_user(const char *flag, const char *text, struct value_user *user, struct error *err)
{
	cleanup_free char *copy = strdup(text);
	char *colon;

	if (!copy)
		return error_set(err, "out of memory");
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	user->gid_set = colon != NULL;
	user->gid = 0;
	if (value_id(flag, copy, &user->uid, err) < 0 ||
	    (colon && value_id(flag, colon + 1, &user->gid, err) < 0))
		return error_set(err,
				 "invalid value \"%s\" for flag %s: want UID[:GID], in numbers",
				 text, flag);
	return 0;
}

int value_bytes(const char *flag, const char *text, int64_t *bytes, struct error *err)
{
	static const char suffixes[] = "kmgt";
	cleanup_free char *copy = strdup(text);
	size_t length = strlen(text);
	unsigned long number, unit = 1;
	const char *suffix = NULL;

	if (!copy)
		return error_set(err, "out of memory");
	if (length > 0)
		suffix = strchr(suffixes, text[length - 1] | 0x20);
	if (suffix && *suffix) {
		copy[length - 1] = '\0';
		unit = 1UL << (10 * (suffix - suffixes + 1));
	}
	if (value_parse_unsigned(copy, INT64_MAX / unit, &number) < 0 || number == 0)
		return error_set(err, "invalid value \"%s\" for flag %s: not a size such as 64m",
				 text, flag);
	*bytes = (int64_t)(number * unit);
	return 0;
}

int value_memory(const char *flag, const char *text, int64_t *bytes, struct error *err)
{
	static const char suffixes[] = "kmgtp";
	size_t whole = strspn(text, "0123456789"), length = whole;
	const char *suffix;
	double size;

	if (strcmp(text, "-1") == 0) {
		*bytes = -1;
		return 0;
	}
	if (whole > 0 && text[whole] == '.' && isdigit((unsigned char)text[whole + 1]))
		length += 1 + strspn(text + whole + 1, "0123456789");
	/* strtod's own forms (exponents, hexadecimal) are not among these characters. */
	size = strtod(text, NULL);
	text += length;
	text += *text == ' ' && text[1];
	suffix = *text ? strchr(suffixes, *text | 0x20) : NULL;
	if (suffix && *suffix) {
		size *= (double)(INT64_C(1) << (10 * (suffix - suffixes + 1)));
		text++;
		text += (*text | 0x20) == 'i';
	}
	text += (*text | 0x20) == 'b';
	if (whole == 0 || *text || size >= (double)INT64_MAX)
		return error_set(err, "invalid value for flag %s: not a size such as 64m, nor -1",
				 flag);
	*bytes = (int64_t)size;
	return 0;
}

int value_integer(const char *flag, const char *text, int64_t min, int64_t max, int64_t *number,
		  struct error *err)
{
	const char *digits = text + (*text == '-' || *text == '+');
	long long parsed;

	errno = 0;
	parsed = strtoll(text, NULL, 10);
	if (!*digits || digits[strspn(digits, "0123456789")] || errno || parsed < min ||
	    parsed > max)
		return error_set(err,
				 "invalid value \"%s\" for flag %s: not a number from %lld to %lld",
				 text, flag, (long long)min, (long long)max);
	*number = parsed;
	return 0;
}

int value_list_add(struct value_list *list, const char *text, struct error *err)
{
	const char **items = reallocarray(list->items, list->count + 2, sizeof(*items));

	if (!items)
		return error_set(err, "out of memory");
	items[list->count++] = text;
	items[list->count] = NULL;
	list->items = items;
	return 0;
}

void value_list_free(struct value_list *list)
{
	free(list->items);
	*list = (struct value_list){NULL, 0};
}

int value_format(const char *text, bool *json, struct error *err)
{
	if (strcmp(text, "table") != 0 && strcmp(text, "json") != 0)
		return error_set(err, "invalid format option \"%s\": must be table or json", text);
	*json = strcmp(text, "json") == 0;
	return 0;
}
