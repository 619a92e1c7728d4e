/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of v1's hierarchies. */
#include "cgroup/stats_internal.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ---- cpu, cpuacct ---- */

void stats_read_cpu_v1(struct stats_round *round, int cpu)
{
	struct cgroup_cpu_stats *stats = &round->stats->cpu;
	char *rest = stats_text(round, cpu, "cpu.stat", NULL), *key;
	uint64_t value;

	while (stats_pair(&rest, &key, &value)) {
		if (strcmp(key, "nr_periods") == 0)
			stats->periods = value;
		else if (strcmp(key, "nr_throttled") == 0)
			stats->throttled_periods = value;
		else if (strcmp(key, "throttled_time") == 0)
			stats->throttled_time = value;
	}
}

static size_t count_of(const char *text, char what)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == what;
	return count;
}

/* "5546910 3133266 \n" */
static void read_per_cpu(struct stats_round *round, int cpuacct)
{
	struct cgroup_numbers *list = &round->stats->cpu.per_cpu;
	const char *text = stats_text(round, cpuacct, "cpuacct.usage_percpu", NULL);

	if (!text)
		return;
	list->items = stats_alloc(round, count_of(text, ' ') + 1, sizeof(*list->items));
	while (list->items && (text = stats_parse(text, &list->items[list->count]))) {
		list->count++;
		text += strspn(text, " \n");
	}
}

/* "cpu user system\n0 4000000 0\n…" */
static void read_per_cpu_modes(struct stats_round *round, int cpuacct)
{
	struct cgroup_cpu_stats *stats = &round->stats->cpu;
	const char *text = stats_text(round, cpuacct, "cpuacct.usage_all", NULL);
	struct cgroup_numbers *user = &stats->per_cpu_user, *kernel = &stats->per_cpu_kernel;
	size_t lines;

	if (!text)
		return;
	lines = count_of(text, '\n');
	user->items = stats_alloc(round, lines + 1, sizeof(*user->items));
	kernel->items = stats_alloc(round, lines + 1, sizeof(*kernel->items));
	if (!user->items || !kernel->items)
		return;
	while ((text = strchr(text, '\n'))) {
		uint64_t cpu;

		text = stats_parse(text + 1, &cpu);
		if (text && *text == ' ')
			text = stats_parse(text + 1, &user->items[user->count]);
		if (text && *text == ' ')
			text = stats_parse(text + 1, &kernel->items[kernel->count]);
		if (!text)
			break;
		user->count++;
		kernel->count++;
	}
}

void stats_read_cpuacct_v1(struct stats_round *round, int cpuacct)
{
	struct cgroup_cpu_stats *stats = &round->stats->cpu;
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK), value;
	char *rest = stats_text(round, cpuacct, "cpuacct.stat", NULL), *key;

	while (stats_pair(&rest, &key, &value)) {
		if (strcmp(key, "user") == 0)
			stats->user = value * 1000000000 / ticks;
		else if (strcmp(key, "system") == 0)
			stats->kernel = value * 1000000000 / ticks;
	}
	stats_number(round, cpuacct, "cpuacct.usage", &stats->total);
	read_per_cpu(round, cpuacct);
	read_per_cpu_modes(round, cpuacct);
}

/* ---- cpuset ---- */

/* "0-3,7". Counts only where `items` is NULL. */
static size_t parse_list(const char *text, uint64_t *items)
{
	size_t count = 0;

	while (text) {
		uint64_t first, last;

		text = stats_parse(text, &first);
		last = first;
		if (text && *text == '-')
			text = stats_parse(text + 1, &last);
		/* The kernel numbers CPUs and memory nodes with 16 bits at most. */
		if (!text || first > last || last > UINT16_MAX)
			break;
		for (uint64_t number = first; number <= last; number++, count++) {
			if (items)
				items[count] = number;
		}
		if (*text != ',')
			break;
		text++;
	}
	return count;
}

static void read_list(struct stats_round *round, int dir, const char *file,
		      struct cgroup_numbers *list)
{
	const char *text = stats_text(round, dir, file, NULL);
	size_t count = text ? parse_list(text, NULL) : 0;

	if (count == 0)
		return;
	list->items = stats_alloc(round, count, sizeof(*list->items));
	if (list->items)
		list->count = parse_list(text, list->items);
}

void stats_read_cpuset_v1(struct stats_round *round, int cpuset)
{
	struct cgroup_cpuset_stats *stats = &round->stats->cpuset;
	const struct {
		const char *file;
		uint64_t *value;
	} flags[] = {
	    {"cpuset.cpu_exclusive", &stats->cpu_exclusive},
	    {"cpuset.mem_hardwall", &stats->mem_hardwall},
	    {"cpuset.mem_exclusive", &stats->mem_exclusive},
	    {"cpuset.memory_migrate", &stats->memory_migrate},
	    {"cpuset.memory_spread_page", &stats->memory_spread_page},
	    {"cpuset.memory_spread_slab", &stats->memory_spread_slab},
	    {"cpuset.memory_pressure", &stats->memory_pressure},
	    {"cpuset.sched_load_balance", &stats->sched_load_balance},
	};
	const char *text;

	read_list(round, cpuset, "cpuset.cpus", &stats->cpus);
	read_list(round, cpuset, "cpuset.mems", &stats->mems);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		stats_number(round, cpuset, flags[i].file, flags[i].value);
	text = stats_text(round, cpuset, "cpuset.sched_relax_domain_level", NULL);
	if (text)
		stats->sched_relax_domain_level = strtoll(text, NULL, 10);
}

/* ---- memory ---- */

struct counter_files {
	const char *usage, *max_usage, *failures, *limit;
};

#define COUNTER_FILES(name)                                                                        \
	{                                                                                          \
		name ".usage_in_bytes", name ".max_usage_in_bytes", name ".failcnt",               \
		    name ".limit_in_bytes"                                                         \
	}

static void read_counter(struct stats_round *round, int memory, const struct counter_files *files,
			 struct cgroup_memory_counter *counter)
{
	/* A kernel has all of them or none. */
	if (!stats_number(round, memory, files->usage, &counter->usage))
		return;
	stats_number(round, memory, files->max_usage, &counter->max_usage);
	stats_number(round, memory, files->failures, &counter->failures);
	stats_number(round, memory, files->limit, &counter->limit);
}

void stats_read_memory_v1(struct stats_round *round, int memory)
{
	static const struct counter_files usage = COUNTER_FILES("memory"),
					  swap = COUNTER_FILES("memory.memsw"),
					  kernel = COUNTER_FILES("memory.kmem"),
					  kernel_tcp = COUNTER_FILES("memory.kmem.tcp");
	struct cgroup_memory_stats *stats = &round->stats->memory;
	uint64_t hierarchy = 0;

	stats_read_memory_stat(round, memory, "cache", "total_inactive_file");
	read_counter(round, memory, &usage, &stats->usage);
	read_counter(round, memory, &swap, &stats->swap);
	read_counter(round, memory, &kernel, &stats->kernel);
	read_counter(round, memory, &kernel_tcp, &stats->kernel_tcp);
	stats_number(round, memory, "memory.use_hierarchy", &hierarchy);
	stats->use_hierarchy = hierarchy == 1;
	stats_keyed_number(round, memory, "memory.oom_control", "oom_kill", &stats->oom_kills);
}

/* ---- blkio ---- */

/* "8:0 Read 1282048", "8:0 6792"; "Total 3477504" at the end tells nothing new. */
static bool parse_entry(char *line, struct cgroup_block_io_entry *entry)
{
	const char *at = stats_parse(line, &entry->major);
	char *space;

	if (!at || *at != ':')
		return false;
	at = stats_parse(at + 1, &entry->minor);
	if (!at || *at != ' ')
		return false;
	line = (char *)at + 1;
	space = strchr(line, ' ');
	entry->operation = "";
	if (space) {
		*space = '\0';
		entry->operation = line;
		line = space + 1;
	}
	return stats_parse(line, &entry->value) != NULL;
}

static void read_table(struct stats_round *round, int blkio, const char *file,
		       struct cgroup_block_io_table *table)
{
	char *text = stats_kept_text(round, blkio, file), *line;

	if (!text)
		return;
	table->entries = stats_alloc(round, count_of(text, '\n') + 1, sizeof(*table->entries));
	while (table->entries && (line = strsep(&text, "\n"))) {
		if (parse_entry(line, &table->entries[table->count]))
			table->count++;
	}
}

/*
 * Which file has a counter depends on the I/O scheduler: BFQ has its own (some only in a debug
 * kernel), CFQ was the one until 4.20, and the throttling files, which count whatever the
 * scheduler, got a recursive form in 4.17.
 */
void stats_read_block_io_v1(struct stats_round *round, int blkio)
{
	static const char *const files[CGROUP_IO_KINDS][4] = {
	    [CGROUP_IO_SERVICE_BYTES] = {"blkio.bfq.io_service_bytes_recursive",
					 "blkio.io_service_bytes_recursive",
					 "blkio.throttle.io_service_bytes_recursive",
					 "blkio.throttle.io_service_bytes"},
	    [CGROUP_IO_SERVICED] = {"blkio.bfq.io_serviced_recursive",
				    "blkio.io_serviced_recursive",
				    "blkio.throttle.io_serviced_recursive",
				    "blkio.throttle.io_serviced"},
	    [CGROUP_IO_QUEUED] = {"blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"},
	    [CGROUP_IO_SERVICE_TIME] = {"blkio.bfq.io_service_time_recursive",
					"blkio.io_service_time_recursive"},
	    [CGROUP_IO_WAIT_TIME] = {"blkio.bfq.io_wait_time_recursive",
				     "blkio.io_wait_time_recursive"},
	    [CGROUP_IO_MERGED] = {"blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"},
	    [CGROUP_IO_TIME] = {"blkio.bfq.time_recursive", "blkio.time_recursive"},
	    [CGROUP_IO_SECTORS] = {"blkio.bfq.sectors_recursive", "blkio.sectors_recursive"},
	};

	for (size_t kind = 0; kind < CGROUP_IO_KINDS; kind++) {
		struct cgroup_block_io_table *table = &round->stats->block_io.tables[kind];

		for (size_t i = 0; i < 4 && files[kind][i] && table->count == 0; i++)
			read_table(round, blkio, files[kind][i], table);
	}
}
