/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb says what it takes, and the reading of it by argp. */
#ifndef RUNLXC_CLI_PARSE_H
#define RUNLXC_CLI_PARSE_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cli/flags.h"

/* Last in every table of flags but for the zero: argp shows group -1 behind all others. */
#define FLAG_HELP                                                                                  \
	{                                                                                          \
		"help", 'h', NULL, 0, "Show this help and exit", -1                                \
	}

/* For syntax.max_words: no limit. */
#define WORDS_ANY SIZE_MAX

/* Keys of flags without a letter begin here. */
#define FLAG_KEY_FIRST 256

struct syntax {
	const char *name;		   /* "runlxc exec", for help and errors */
	const struct argp_option *options; /* ends with FLAG_HELP and {0} */
	const char *words;		   /* "ID COMMAND [ARG...]" */
	const char *summary;		   /* what `--help` says first */
	size_t min_words, max_words;	   /* how many words it takes */
	size_t stop_after;		   /* see flags_rewrite() */
	/* Takes one flag; NULL for a verb that has none but --help. */
	int (*set)(int key, char *value, void *data, struct error *err);
};

enum parse_result {
	PARSE_FAILED = -1,
	PARSE_OK = 0,
	PARSE_HELP = 1, /* the help was printed; there is nothing else to do */
};

/* Reads a command line. line->words are the words; the caller frees *line whatever the result. */
enum parse_result parse_line(const struct syntax *syntax, int argc, char **argv, void *data,
			     struct flags_line *line, struct error *err);

/* Prints the help to standard output. */
void parse_print_help(const struct syntax *syntax);

/* What a verb returns when parse_line() gave anything but PARSE_OK. */
static inline int parse_exit(enum parse_result result)
{
	return result == PARSE_HELP ? 0 : -1;
}

#define cleanup_flags_line cleanup_with(flags_line_free)

#endif
