/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {
    {"force", 'f', NULL, 0, "Kill it first if it still runs; no error if there is none", 0},
    FLAG_HELP,
    {0},
};

static int set(int key __attribute__((unused)), char *value __attribute__((unused)), void *data,
	       struct error *err __attribute__((unused)))
{
	bool *force = data;

	*force = true;
	return 0;
}

static const struct syntax syntax = {
    .name = "runlxc delete",
    .options = options,
    .words = "ID",
    .summary = "Removes what is left of a container that has ended.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

int verb_delete(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	bool force = false;
	enum parse_result parsed = parse_line(&syntax, argc, argv, &force, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	return driver_delete(driver, line.words[0], force, err);
}
