/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/parse.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {FLAG_HELP, {0}};

static const struct syntax syntax = {
    .name = "runlxc wait",
    .options = options,
    .words = "ID",
    .summary = "Waits until a container has ended and shows its exit status and the reason.",
    .min_words = 1,
    .max_words = 1,
};

int verb_wait(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct driver_exit ended;
	enum parse_result parsed = parse_line(&syntax, argc, argv, NULL, &line, err);

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (driver_wait(driver, line.words[0], &ended, err) < 0)
		return -1;
	printf("%d %s%s\n", ended.status, ended.signal ? "signalled" : "exited",
	       ended.oom_killed ? " oom-killed" : "");
	return 0;
}
