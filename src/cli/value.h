/* SPDX-License-Identifier: Apache-2.0 */
/* The values of flags: numbers, sizes, users and lists. `flag` is what errors call it: "--user". */
#ifndef RUNLXC_CLI_VALUE_H
#define RUNLXC_CLI_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Decimal digits and nothing else, at most `max`. -1 (and no error) for anything else. */
int value_parse_unsigned(const char *text, unsigned long max, unsigned long *number);

/* A count of things: 0 to INT_MAX. */
int value_count(const char *flag, const char *text, int *count, struct error *err);

/* A uid or gid. */
int value_id(const char *flag, const char *text, uint32_t *id, struct error *err);

struct value_user {
	uint32_t uid, gid;
	bool gid_set;
};

/* "UID" or "UID:GID"; numbers only, as in runc. */
int value_user(const char *flag, const char *text, struct value_user *user, struct error *err);

/* A number of bytes with an optional suffix k, m, g or t in either case, powers of 1024; above 0.
 */
int value_bytes(const char *flag, const char *text, int64_t *bytes, struct error *err);

/*
 * The same as runc and Docker read it: "-1" for no limit, "1.5g", "64 MiB", "67108864b"; suffixes
 * from k to p, powers of 1024. 0 is taken.
 */
int value_memory(const char *flag, const char *text, int64_t *bytes, struct error *err);

/* An integer with an optional sign, within these bounds. */
int value_integer(const char *flag, const char *text, int64_t min, int64_t max, int64_t *number,
		  struct error *err);

/* A flag that may be given more than once. items is NULL-terminated once anything was added. */
struct value_list {
	const char **items;
	size_t count;
};

/* Adds to the list; the text is pointed to, not copied. */
int value_list_add(struct value_list *list, const char *text, struct error *err);
void value_list_free(struct value_list *list);

/* Checks -f/--format of list and ps. */
int value_format(const char *text, bool *json, struct error *err);

/* As with runc, and so in scripts whose variables are empty: no value is no flag. */
static inline const char *value_given(const char *value)
{
	return *value ? value : NULL;
}

#endif
