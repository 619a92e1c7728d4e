/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of the unified hierarchy, brought to v1's units where they have a counterpart. */
#include "cgroup/stats_internal.h"

#include <string.h>

#include "base/cleanup.h"

#define NANOSECONDS_PER_MICROSECOND 1000

void stats_read_cpu_v2(struct stats_round *round, int dir)
{
	struct cgroup_cpu_stats *stats = &round->stats->cpu;
	const struct {
		const char *key;
		uint64_t *value;
		uint64_t unit;
	} lines[] = {
	    {"usage_usec", &stats->total, NANOSECONDS_PER_MICROSECOND},
	    {"user_usec", &stats->user, NANOSECONDS_PER_MICROSECOND},
	    {"system_usec", &stats->kernel, NANOSECONDS_PER_MICROSECOND},
	    {"nr_periods", &stats->periods, 1},
	    {"nr_throttled", &stats->throttled_periods, 1},
	    {"throttled_usec", &stats->throttled_time, NANOSECONDS_PER_MICROSECOND},
	};
	char *rest = stats_text(round, dir, "cpu.stat", NULL), *key;
	uint64_t value;

	while (stats_pair(&rest, &key, &value)) {
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			if (strcmp(key, lines[i].key) == 0)
				*lines[i].value = value * lines[i].unit;
		}
	}
}

/* ---- memory ---- */

/* Also v1's: the form is the same. */
void stats_read_memory_stat(struct stats_round *round, int dir, const char *cache,
			    const char *inactive_file)
{
	struct cgroup_memory_stats *stats = &round->stats->memory;
	char *rest = stats_kept_text(round, dir, "memory.stat"), *key;
	size_t lines = 1;
	uint64_t value;

	if (!rest)
		return;
	for (const char *at = rest; *at; at++)
		lines += *at == '\n';
	stats->raw = stats_alloc(round, lines, sizeof(*stats->raw));
	while (stats->raw && stats_pair(&rest, &key, &value)) {
		stats->raw[stats->raw_count++] = (struct cgroup_named_number){key, value};
		if (strcmp(key, cache) == 0)
			stats->cache = value;
		else if (strcmp(key, inactive_file) == 0)
			stats->inactive_file = value;
	}
}

static void read_swap(struct stats_round *round, int dir, struct cgroup_memory_stats *stats)
{
	struct cgroup_memory_counter swap = {0};

	if (!stats_number(round, dir, "memory.swap.current", &swap.usage))
		return;
	stats_number(round, dir, "memory.swap.max", &swap.limit);
	/* As v1 counts: memory and swap together. Their highest sum is not known. */
	stats->swap.usage = swap.usage + stats->usage.usage;
	if (__builtin_add_overflow(swap.limit, stats->usage.limit, &stats->swap.limit))
		stats->swap.limit = UINT64_MAX;
}

static void read_memory_events(struct stats_round *round, int dir,
			       struct cgroup_memory_stats *stats)
{
	char *rest = stats_text(round, dir, "memory.events", NULL), *key;
	uint64_t value;

	while (stats_pair(&rest, &key, &value)) {
		if (strcmp(key, "oom") == 0)
			stats->oom = value;
		else if (strcmp(key, "oom_kill") == 0)
			stats->oom_kills = value;
	}
}

void stats_read_memory_v2(struct stats_round *round, int dir)
{
	struct cgroup_memory_stats *stats = &round->stats->memory;

	stats_read_memory_stat(round, dir, "file", "inactive_file");
	if (!stats_number(round, dir, "memory.current", &stats->usage.usage))
		return; /* the controller is not switched on */
	stats->use_hierarchy = true;
	stats_number(round, dir, "memory.max", &stats->usage.limit);
	stats_number(round, dir, "memory.peak", &stats->usage.max_usage); /* Linux 5.19 */
	read_swap(round, dir, stats);
	read_memory_events(round, dir, stats);
}

/* ---- io ---- */

struct io_line {
	uint64_t major, minor;
	char *words; /* "rbytes=1459200 wbytes=314773504 …" */
};

static bool parse_io_line(char *line, struct io_line *io)
{
	const char *at = stats_parse(line, &io->major);

	if (!at || *at != ':')
		return false;
	at = stats_parse(at + 1, &io->minor);
	if (!at || *at != ' ')
		return false;
	io->words = (char *)at + 1;
	return true;
}

static void add_io_word(struct stats_round *round, const struct io_line *io, const char *word)
{
	static const struct {
		const char *key;
		enum cgroup_block_io_kind kind;
		const char *operation;
	} known[] = {
	    {"rbytes=", CGROUP_IO_SERVICE_BYTES, "Read"},
	    {"wbytes=", CGROUP_IO_SERVICE_BYTES, "Write"},
	    {"rios=", CGROUP_IO_SERVICED, "Read"},
	    {"wios=", CGROUP_IO_SERVICED, "Write"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct cgroup_block_io_table *table = &round->stats->block_io.tables[known[i].kind];
		size_t length = strlen(known[i].key);
		uint64_t value;

		if (strncmp(word, known[i].key, length) != 0 || !stats_parse(word + length, &value))
			continue;
		table->entries[table->count++] =
		    (struct cgroup_block_io_entry){io->major, io->minor, known[i].operation, value};
	}
}

/* "8:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0" */
void stats_read_block_io_v2(struct stats_round *round, int dir)
{
	struct cgroup_block_io_table *tables = round->stats->block_io.tables;
	struct cgroup_block_io_table *bytes = &tables[CGROUP_IO_SERVICE_BYTES];
	struct cgroup_block_io_table *serviced = &tables[CGROUP_IO_SERVICED];
	char *rest = stats_text(round, dir, "io.stat", NULL), *line, *word;
	struct io_line io;
	size_t most = 0;

	if (!rest)
		return;
	for (const char *at = rest; *at; at++)
		most += *at == '=';
	bytes->entries = stats_alloc(round, most + 1, sizeof(*bytes->entries));
	serviced->entries = stats_alloc(round, most + 1, sizeof(*serviced->entries));
	if (!bytes->entries || !serviced->entries)
		return;
	while ((line = strsep(&rest, "\n"))) {
		if (!parse_io_line(line, &io))
			continue;
		while ((word = strsep(&io.words, " ")))
			add_io_word(round, &io, word);
	}
}

/* ---- pressure ---- */

/* "avg10=26.18 avg60=21.16 avg300=9.93 total=1388846600" */
static void parse_pressure(char *words, struct cgroup_pressure_line *pressure)
{
	char *word;

	while ((word = strsep(&words, " "))) {
		char *value = strchr(word, '=');
		uint64_t whole = 0, hundredths = 0;
		const char *point;
		double average;

		if (!value)
			continue;
		*value++ = '\0';
		if (strcmp(word, "total") == 0) {
			stats_parse(value, &pressure->total);
			continue;
		}
		/* Two digits behind a point, whatever the locale's is: not for strtod(). */
		point = stats_parse(value, &whole);
		if (point && *point == '.')
			stats_parse(point + 1, &hundredths);
		average = (double)whole + (double)hundredths / 100;
		if (strcmp(word, "avg10") == 0)
			pressure->avg10 = average;
		else if (strcmp(word, "avg60") == 0)
			pressure->avg60 = average;
		else if (strcmp(word, "avg300") == 0)
			pressure->avg300 = average;
	}
}

void stats_read_pressure(struct stats_round *round, int dir, const char *file,
			 struct cgroup_pressure *pressure)
{
	char *rest = stats_text(round, dir, file, NULL), *line;

	if (!rest)
		return;
	pressure->present = true;
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "some ", 5) == 0)
			parse_pressure(line + 5, &pressure->some);
		else if (strncmp(line, "full ", 5) == 0)
			parse_pressure(line + 5, &pressure->full);
	}
}
