/* SPDX-License-Identifier: Apache-2.0 */
/* A container's counters, from whichever hierarchy has them. */
#include "cgroup/stats.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"
#include "cgroup/stats_internal.h"

/* Where one controller's files are. */
struct source {
	int dir; /* -1: nowhere; the reader's list owns it */
	bool unified;
};

/* The names of the files of one huge page size. */
struct page_size {
	char *name;
	char *usage, *max_usage, *failures;
};

struct cgroup_stats_reader {
	char *path;
	int *dirs; /* one for each hierarchy of the layout, -1 where it isn't needed */
	size_t dirs_count;
	struct source cpu, cpuacct, cpuset, memory, pids, block_io, hugetlb, unified;
	struct page_size *page_sizes;
	size_t page_sizes_count;
	struct arena arena; /* owns the names */
	struct stats_buffer buffer;
};

static void cleanup_reader(struct cgroup_stats_reader **reader)
{
	cgroup_stats_close(*reader);
}

/* ---- opening ---- */

/* The cgroup in the hierarchy of a controller, if it is there. */
static int open_source(struct cgroup_stats_reader *reader, const struct cgroup_layout *layout,
		       const char *controller, struct source *source, struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, controller);
	int *dir;

	if (!hierarchy)
		return 0;
	dir = &reader->dirs[hierarchy - layout->hierarchies];
	if (*dir < 0)
		*dir = cgroup_open(hierarchy, reader->path);
	if (*dir < 0 && errno != ENOENT)
		return error_errno(err, errno, "can't open cgroup %s (%s)", reader->path,
				   cgroup_hierarchy_name(hierarchy));
	*source = (struct source){*dir, hierarchy->unified};
	return 0;
}

static int open_sources(struct cgroup_stats_reader *reader, const struct cgroup_layout *layout,
			struct error *err)
{
	const struct {
		const char *controller;
		struct source *source;
	} wanted[] = {
	    {"cpu", &reader->cpu},	   {"cpuacct", &reader->cpuacct},
	    {"cpuset", &reader->cpuset},   {"memory", &reader->memory},
	    {"pids", &reader->pids},	   {"blkio", &reader->block_io},
	    {"hugetlb", &reader->hugetlb}, {"", &reader->unified},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		*wanted[i].source = (struct source){-1, false};
		if (open_source(reader, layout, wanted[i].controller, wanted[i].source, err))
			return -1;
	}
	/* v2's name for it. */
	if (reader->block_io.dir < 0 &&
	    open_source(reader, layout, "io", &reader->block_io, err) < 0)
		return -1;
	/* Every v2 cgroup has cpu.stat, no controller is needed. */
	if (reader->cpuacct.dir < 0)
		reader->cpuacct = reader->unified;
	return 0;
}

static int add_page_size(struct cgroup_stats_reader *reader, const char *name, struct error *err)
{
	struct arena *arena = &reader->arena;
	bool unified = reader->hugetlb.unified;
	struct page_size *size,
	    *grown = reallocarray(reader->page_sizes, reader->page_sizes_count + 1, sizeof(*grown));

	if (!grown)
		return error_errno(err, ENOMEM, "can't read cgroup %s", reader->path);
	reader->page_sizes = grown;
	size = &grown[reader->page_sizes_count++];
	size->name = arena_strdup(arena, name);
	size->usage =
	    arena_printf(arena, "hugetlb.%s.%s", name, unified ? "current" : "usage_in_bytes");
	size->max_usage = arena_printf(arena, "hugetlb.%s.max_usage_in_bytes", name);
	size->failures = arena_printf(arena, "hugetlb.%s.%s", name, unified ? "events" : "failcnt");
	if (!size->name || !size->usage || !size->max_usage || !size->failures)
		return error_errno(err, ENOMEM, "can't read cgroup %s", reader->path);
	return 0;
}

/* Which sizes the kernel has shows in the names of the files: "hugetlb.2MB.current". */
static int find_page_sizes(struct cgroup_stats_reader *reader, struct error *err)
{
	const char *suffix = reader->hugetlb.unified ? ".current" : ".usage_in_bytes";
	cleanup_closedir DIR *stream = NULL;
	struct dirent *entry;
	int fd;

	if (reader->hugetlb.dir < 0)
		return 0;
	fd = openat(reader->hugetlb.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		fd_close(fd);
		return error_errno(err, errno, "can't read cgroup %s", reader->path);
	}
	while ((entry = readdir(stream))) {
		char *name = entry->d_name + strlen("hugetlb."), *dot;

		if (strncmp(entry->d_name, "hugetlb.", strlen("hugetlb.")) != 0)
			continue;
		dot = strchr(name, '.');
		if (!dot || strcmp(dot, suffix) != 0)
			continue;
		*dot = '\0';
		if (add_page_size(reader, name, err))
			return -1;
	}
	return 0;
}

struct cgroup_stats_reader *cgroup_stats_open(const struct cgroup_layout *layout, const char *path,
					      struct error *err)
{
	cleanup_with(cleanup_reader) struct cgroup_stats_reader *reader =
	    calloc(1, sizeof(*reader));
	bool found = false;

	if (reader) {
		reader->path = strdup(path);
		reader->dirs = calloc(layout->count + 1, sizeof(*reader->dirs));
	}
	if (!reader || !reader->path || !reader->dirs) {
		error_errno(err, ENOMEM, "can't read cgroup %s", path);
		return NULL;
	}
	reader->dirs_count = layout->count;
	for (size_t i = 0; i < layout->count; i++)
		reader->dirs[i] = -1;
	if (open_sources(reader, layout, err))
		return NULL;
	for (size_t i = 0; i < layout->count; i++)
		found |= reader->dirs[i] >= 0;
	if (!found) {
		error_set(err, "cgroup %s does not exist", path);
		err->errnum = ENOENT;
		return NULL;
	}
	return find_page_sizes(reader, err) ? NULL : PTR_TAKE(reader);
}

void cgroup_stats_close(struct cgroup_stats_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < reader->dirs_count; i++)
		fd_close(reader->dirs[i]);
	free(reader->dirs);
	free(reader->path);
	free(reader->page_sizes);
	free(reader->buffer.text);
	arena_free(&reader->arena);
	free(reader);
}

/* ---- reading ---- */

static void read_cpu(struct stats_round *round, const struct cgroup_stats_reader *reader)
{
	if (reader->cpuacct.unified)
		stats_read_cpu_v2(round, reader->cpuacct.dir);
	else
		stats_read_cpuacct_v1(round, reader->cpuacct.dir);
	if (!reader->cpu.unified)
		stats_read_cpu_v1(round, reader->cpu.dir);
}

static void read_memory(struct stats_round *round, const struct cgroup_stats_reader *reader)
{
	if (reader->memory.unified)
		stats_read_memory_v2(round, reader->memory.dir);
	else
		stats_read_memory_v1(round, reader->memory.dir);
}

/* The same files in v1 and v2. */
static void read_pids(struct stats_round *round, const struct cgroup_stats_reader *reader)
{
	struct cgroup_pids_stats *stats = &round->stats->pids;

	stats_number(round, reader->pids.dir, "pids.current", &stats->current);
	stats_number(round, reader->pids.dir, "pids.max", &stats->limit);
	if (stats->limit == UINT64_MAX)
		stats->limit = 0;
}

static void read_block_io(struct stats_round *round, const struct cgroup_stats_reader *reader)
{
	if (reader->block_io.unified)
		stats_read_block_io_v2(round, reader->block_io.dir);
	else
		stats_read_block_io_v1(round, reader->block_io.dir);
}

static void read_hugetlb(struct stats_round *round, const struct cgroup_stats_reader *reader)
{
	struct cgroup_stats *stats = round->stats;
	int dir = reader->hugetlb.dir;

	if (reader->page_sizes_count == 0)
		return;
	stats->hugetlb = stats_alloc(round, reader->page_sizes_count, sizeof(*stats->hugetlb));
	for (size_t i = 0; stats->hugetlb && i < reader->page_sizes_count; i++) {
		const struct page_size *size = &reader->page_sizes[i];
		struct cgroup_hugetlb_stats *entry = &stats->hugetlb[stats->hugetlb_count];

		if (!stats_number(round, dir, size->usage, &entry->usage))
			continue;
		entry->page_size = arena_strdup(&stats->arena, size->name);
		if (!entry->page_size)
			continue;
		stats->hugetlb_count++;
		if (reader->hugetlb.unified) {
			stats_keyed_number(round, dir, size->failures, "max", &entry->failures);
		} else {
			stats_number(round, dir, size->max_usage, &entry->max_usage);
			stats_number(round, dir, size->failures, &entry->failures);
		}
	}
}

int cgroup_stats_read(struct cgroup_stats_reader *reader, struct cgroup_stats *stats,
		      struct error *err)
{
	struct stats_round round = {.buffer = &reader->buffer, .stats = stats};
	int unified = reader->unified.dir;

	*stats = (struct cgroup_stats){.arena = ARENA_INIT};
	read_cpu(&round, reader);
	if (!reader->cpuset.unified)
		stats_read_cpuset_v1(&round, reader->cpuset.dir);
	read_memory(&round, reader);
	read_pids(&round, reader);
	read_block_io(&round, reader);
	read_hugetlb(&round, reader);
	/* On a hybrid host, too: a container is in the v2 tree as well. */
	stats_read_pressure(&round, unified, "cpu.pressure", &stats->cpu.pressure);
	stats_read_pressure(&round, unified, "memory.pressure", &stats->memory.pressure);
	stats_read_pressure(&round, unified, "io.pressure", &stats->block_io.pressure);
	if (round.errnum)
		return error_errno(err, round.errnum, "can't read %s of cgroup %s", round.failed,
				   reader->path);
	if (!round.found) {
		error_set(err, "cgroup %s was removed", reader->path);
		err->errnum = ENODEV;
		return -1;
	}
	return 0;
}

void cgroup_stats_free(struct cgroup_stats *stats)
{
	arena_free(&stats->arena);
}
