/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines as users of runc write them, made into ones that argp reads.
 *
 * runc's flags are Go's: one dash or two before a long name, "=true" and "=false" behind a boolean
 * one. crun's are GNU's: short ones in clusters, flags after the words. Both are accepted.
 */
#ifndef RUNLXC_CLI_FLAGS_H
#define RUNLXC_CLI_FLAGS_H

#include <argp.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

struct flags_line {
	/* argv[0], then every flag as "--name" or "--name=value", then "--", then the words;
	 * NULL-terminated. */
	int argc;
	char **argv;
	/* The part of argv behind that "--". */
	char **words;
	size_t words_count;
	/* How many of the words stood before the user's own "--"; all of them when there was none.
	 */
	size_t words_before_dashes;
	struct arena arena; /* owns argv and what was made for it */
};

#define FLAGS_LINE_INIT                                                                            \
	{                                                                                          \
		0, NULL, NULL, 0, 0, ARENA_INIT                                                    \
	}

/*
 * Rewrites argv by the flags in `options` (argp's table; each has a long name). Flags and words may
 * be mixed until `stop_after` words were seen; from there on everything is a word. 0: until the
 * end. A flag that is not in the table, a missing value and a value that isn't a boolean are errors
 * that name the flag. argv's strings are pointed to, not copied: they must outlive *line.
 */
int flags_rewrite(const struct argp_option *options, size_t stop_after, int argc, char **argv,
		  struct flags_line *line, struct error *err);

void flags_line_free(struct flags_line *line);

#endif
