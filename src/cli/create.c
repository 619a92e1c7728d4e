/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/create_options.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {CREATE_FLAGS, FLAG_HELP, {0}};

static int set(int key, char *value, void *data, struct error *err)
{
	return create_options_set(key, value, data, err);
}

static const struct syntax syntax = {
    .name = "runlxc create",
    .options = options,
    .words = "ID",
    .summary = "Creates a container from a bundle; \"start\" then runs its program.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

int verb_create(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct driver_create_options create = {.bundle = "."};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &create, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	return driver_create(driver, line.words[0], &create, err);
}
