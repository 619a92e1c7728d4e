/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax syntax = {
    .name = "runlxc start",
    .options = options,
    .words = "ID",
    .summary = "Runs the program of a created container.",
    .min_words = 1,
    .max_words = 1,
};

int verb_start(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	enum parse_result parsed = parse_line(&syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	return driver_start(driver, line.words[0], err);
}
