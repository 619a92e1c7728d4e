/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use, side by side, kept up to date. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cli/duration.h"
#include "cli/parse.h"
#include "cli/stats_table.h"
#include "cli/value.h"
#include "cli/verbs.h"
#include "driver/stats.h"

#define DEFAULT_INTERVAL UINT64_C(1000000000)
#define NANOSECONDS UINT64_C(1000000000)

enum {
	FLAG_NO_STREAM = FLAG_KEY_FIRST,
	FLAG_INTERVAL,
	FLAG_SORT,
};

struct stats_flags {
	uint64_t interval;
	bool no_stream, json, by_memory;
};

static const struct argp_option options[] = {
    {"no-stream", FLAG_NO_STREAM, NULL, 0, "Show them once and exit", 0},
    {"format", 'f', "FORMAT", 0, "table (the default) or json", 0},
    {"interval", FLAG_INTERVAL, "DURATION", 0, "How often they are shown; by default 1s", 0},
    {"sort", FLAG_SORT, "KEY", 0, "What comes first: cpu (the default) or memory", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err)
{
	struct stats_flags *flags = data;

	switch (key) {
	case 'f':
		return value_format(value, &flags->json, err);
	case FLAG_INTERVAL:
		return duration_interval(value, &flags->interval, err);
	case FLAG_SORT:
		if (strcmp(value, "cpu") != 0 && strcmp(value, "memory") != 0)
			return error_set(err, "invalid sort option \"%s\": must be cpu or memory",
					 value);
		flags->by_memory = strcmp(value, "memory") == 0;
		return 0;
	default:
		flags->no_stream = true;
		return 0;
	}
}

static const struct syntax syntax = {
    .name = "runlxc stats",
    .options = options,
    .words = "[ID...]",
    .summary = "Shows what containers use, and again at every interval: those that are named until "
	       "all have ended, or whichever run.",
    .max_words = WORDS_ANY,
    .set = set,
};

/* ---- the containers that are shown ---- */

struct watched {
	struct driver_stats_reader *reader;
	char *id, *json;
	struct driver_stats now, before;
	unsigned int readings;
};

struct watch {
	const struct driver *driver;
	const struct stats_flags *flags;
	struct watched *items;
	size_t count;
};

static void drop(struct watch *watch, size_t index)
{
	struct watched *item = &watch->items[index];

	driver_stats_close(item->reader);
	free(item->id);
	free(item->json);
	*item = watch->items[--watch->count];
}

static void watch_free(struct watch *watch)
{
	while (watch->count > 0)
		drop(watch, watch->count - 1);
	free(watch->items);
}

static bool is_watched(const struct watch *watch, const char *id)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (strcmp(watch->items[i].id, id) == 0)
			return true;
	}
	return false;
}

static int add(struct watch *watch, const char *id, struct error *err)
{
	struct watched *grown = reallocarray(watch->items, watch->count + 1, sizeof(*grown));
	struct watched item = {.reader = NULL};

	if (!grown)
		return error_set(err, "out of memory");
	watch->items = grown;
	if (is_watched(watch, id))
		return 0;
	item.reader = driver_stats_open(watch->driver, id, err);
	if (!item.reader)
		return -1;
	item.id = strdup(id);
	watch->items[watch->count++] = item;
	return item.id ? 0 : error_set(err, "out of memory");
}

/* Whatever runs by now. */
static int add_running(struct watch *watch, struct error *err)
{
	struct driver_container **containers;
	size_t count;
	int result = 0;

	if (driver_list(watch->driver, &containers, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count && result == 0; i++) {
		if (containers[i]->status == DRIVER_CREATING ||
		    containers[i]->status == DRIVER_STOPPED ||
		    add(watch, containers[i]->id, err) == 0)
			continue;
		/* Ended or deleted since it was listed. */
		if (err->errnum == ESRCH || err->errnum == ENOENT)
			error_clear(err);
		else
			result = -1;
	}
	driver_list_free(containers, count);
	return result;
}

/* Reads everything once more, and forgets what has ended. */
static int read_all(struct watch *watch, struct error *err)
{
	for (size_t i = watch->count; i-- > 0;) {
		struct watched *item = &watch->items[i];

		item->before = item->now;
		free(item->json);
		item->json = NULL;
		if (driver_stats_read(item->reader, watch->flags->json ? &item->json : NULL,
				      &item->now, err) < 0) {
			if (err->errnum != ENODEV)
				return -1;
			error_clear(err);
			drop(watch, i);
			continue;
		}
		item->readings++;
	}
	return 0;
}

/* ---- showing them ---- */

/* Percent of one CPU since the reading before. */
static double cpu_rate(const struct watched *item)
{
	if (item->readings < 2 || item->now.time <= item->before.time ||
	    item->now.cpu < item->before.cpu)
		return 0;
	return (double)(item->now.cpu - item->before.cpu) * 100 /
	       (double)(item->now.time - item->before.time);
}

static int compare(const void *left, const void *right, void *data)
{
	const struct watched *a = left, *b = right;
	const struct stats_flags *flags = data;
	double x, y;

	if (flags->by_memory) {
		x = (double)a->now.memory;
		y = (double)b->now.memory;
	} else if (flags->json) {
		x = (double)a->now.cpu; /* JSON has no rate */
		y = (double)b->now.cpu;
	} else {
		x = cpu_rate(a);
		y = cpu_rate(b);
	}
	return x != y ? (x < y ? 1 : -1) : strcmp(a->id, b->id);
}

static int print_table(const struct watch *watch, struct error *err)
{
	cleanup_free struct stats_row *rows = calloc(watch->count + 1, sizeof(*rows));

	if (!rows)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < watch->count; i++) {
		const struct watched *item = &watch->items[i];

		rows[i] =
		    (struct stats_row){item->id, &item->now, item->readings > 1, cpu_rate(item)};
	}
	/* To the upper left corner, and nothing below what is printed. */
	if (!watch->flags->no_stream && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	return stats_table_print(rows, watch->count, err);
}

static int print(struct watch *watch, struct error *err)
{
	if (watch->count > 0)
		qsort_r(watch->items, watch->count, sizeof(*watch->items), compare,
			(void *)watch->flags);
	if (watch->flags->json) {
		for (size_t i = 0; i < watch->count; i++)
			puts(watch->items[i].json);
	} else if (print_table(watch, err) < 0) {
		return -1;
	}
	return fflush(stdout) == EOF ? error_errno(err, errno, "write to standard output") : 0;
}

static int start_timer(uint64_t interval, struct error *err)
{
	const struct timespec period = {(time_t)(interval / NANOSECONDS),
					(long)(interval % NANOSECONDS)};
	const struct itimerspec times = {period, period};
	cleanup_close int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &times, NULL) < 0)
		return error_errno(err, errno, "can't start a timer");
	return fd_take(&timer);
}

static int wait_for(int timer, struct error *err)
{
	uint64_t expirations;

	while (read(timer, &expirations, sizeof(expirations)) < 0) {
		if (errno != EINTR)
			return error_errno(err, errno, "can't wait for the timer");
	}
	return 0;
}

/* `named`: only what is watched from the start. */
static int show(struct watch *watch, bool named, struct error *err)
{
	const struct stats_flags *flags = watch->flags;
	cleanup_close int timer = start_timer(flags->interval, err);
	/* A table that is shown once is shown with rates: they need two readings. */
	bool wait_first = flags->no_stream && !flags->json;

	if (timer < 0)
		return -1;
	for (;;) {
		if (read_all(watch, err) < 0)
			return -1;
		if (named && watch->count == 0)
			return 0;
		if (!wait_first && print(watch, err) < 0)
			return -1;
		if (!wait_first && flags->no_stream)
			return 0;
		wait_first = false;
		if (wait_for(timer, err) < 0 ||
		    (!named && !flags->no_stream && add_running(watch, err) < 0))
			return -1;
	}
}

int verb_stats(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct stats_flags flags = {.interval = DEFAULT_INTERVAL};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	cleanup_with(watch_free) struct watch watch = {.driver = driver, .flags = &flags};

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	for (size_t i = 0; i < line.words_count; i++) {
		if (add(&watch, line.words[i], err) < 0)
			return -1;
	}
	if (line.words_count == 0 && add_running(&watch, err) < 0)
		return -1;
	return show(&watch, line.words_count > 0, err);
}
