/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax syntax = {
    .name = "runlxc features",
    .options = options,
    .summary = "Shows what this runtime supports, as the OCI specification defines it.",
};

int verb_features(const struct driver *driver __attribute__((unused)), int argc, char **argv,
		  struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	cleanup_free char *text = NULL;
	enum parse_result parsed = parse_line(&syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	text = driver_features(err);
	if (!text)
		return -1;
	puts(text);
	return 0;
}
