/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax syntax = {
    .name = "runlxc state",
    .options = options,
    .words = "ID",
    .summary = "Shows the OCI state of a container.",
    .min_words = 1,
    .max_words = 1,
};

int verb_state(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct driver_container *container;
	cleanup_free char *text = NULL;
	enum parse_result parsed = parse_line(&syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	container = driver_state(driver, line.words[0], err);
	if (!container)
		return -1;
	text = driver_state_json(container, err);
	driver_container_free(container);
	if (!text)
		return -1;
	puts(text);
	return 0;
}
