/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax syntax = {
    .name = "runlxc config",
    .options = options,
    .words = "ID",
    .summary = "Shows the configuration of a container as LXC read it.",
    .min_words = 1,
    .max_words = 1,
};

int verb_config(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	cleanup_free char *text = NULL;
	enum parse_result parsed = parse_line(&syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	text = driver_config(driver, line.words[0], err);
	if (!text)
		return -1;
	fputs(text, stdout);
	return 0;
}
