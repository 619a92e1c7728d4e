/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume: the two ends of one thing. */
#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax pause_syntax = {
    .name = "runlxc pause",
    .options = options,
    .words = "ID",
    .summary = "Suspends every process of a container.",
    .min_words = 1,
    .max_words = 1,
};

static const struct syntax resume_syntax = {
    .name = "runlxc resume",
    .options = options,
    .words = "ID",
    .summary = "Lets a paused container go on.",
    .min_words = 1,
    .max_words = 1,
};

int verb_pause(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	enum parse_result parsed = parse_line(&pause_syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	return driver_pause(driver, line.words[0], err);
}

int verb_resume(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	enum parse_result parsed = parse_line(&resume_syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	return driver_resume(driver, line.words[0], err);
}
