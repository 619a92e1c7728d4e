/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/duration.h"
#include "cli/parse.h"
#include "cli/verbs.h"
#include "driver/stats.h"

#define DEFAULT_INTERVAL UINT64_C(5000000000)

enum {
	FLAG_INTERVAL = FLAG_KEY_FIRST,
	FLAG_STATS,
};

struct events_flags {
	uint64_t interval;
	bool stats;
};

static const struct argp_option options[] = {
    {"interval", FLAG_INTERVAL, "DURATION", 0, "How often statistics are shown; by default 5s", 0},
    {"stats", FLAG_STATS, NULL, 0, "Show the statistics once and exit", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err)
{
	struct events_flags *flags = data;

	if (key == FLAG_INTERVAL)
		return duration_interval(value, &flags->interval, err);
	flags->stats = true;
	return 0;
}

static const struct syntax syntax = {
    .name = "runlxc events",
    .options = options,
    .words = "ID",
    .summary =
	"Shows what a container uses, and when the kernel kills its processes for memory, as "
	"JSON objects, one a line, until it has ended.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

/* Each event at once: whoever reads a pipe waits for it. */
static int print(void *data __attribute__((unused)), const char *json, struct error *err)
{
	if (puts(json) == EOF || fflush(stdout) == EOF)
		return error_errno(err, errno, "write to standard output");
	return 0;
}

int verb_events(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct events_flags flags = {DEFAULT_INTERVAL, false};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	cleanup_free char *json = NULL;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (flags.stats) {
		if (driver_stats(driver, line.words[0], &json, NULL, err) < 0)
			return -1;
		return print(NULL, json, err);
	}
	return driver_events(driver, line.words[0],
			     &(struct driver_events_options){.interval = flags.interval,
							     .output = STDOUT_FILENO,
							     .report = print},
			     err);
}
