/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parse.h"
#include "cli/signal.h"
#include "cli/verbs.h"

static const struct argp_option options[] = {
    {"all", 'a', NULL, 0, "Send it to every process of the container", 0},
    FLAG_HELP,
    {0},
};

static int set(int key __attribute__((unused)), char *value __attribute__((unused)), void *data,
	       struct error *err __attribute__((unused)))
{
	bool *all = data;

	*all = true;
	return 0;
}

static const struct syntax syntax = {
    .name = "runlxc kill",
    .options = options,
    .words = "ID [SIGNAL]",
    .summary =
	"Sends a signal to the first process of a container. SIGNAL is a name or a number, by "
	"default TERM.",
    .min_words = 1,
    .max_words = 2,
    .set = set,
};

int verb_kill(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	bool all = false;
	enum parse_result parsed = parse_line(&syntax, argc, argv, &all, &line, err);
	int number;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	number = signal_parse(line.words_count > 1 ? line.words[1] : "TERM", err);
	if (number < 0)
		return -1;
	return driver_kill(driver, line.words[0], number, all, err);
}
