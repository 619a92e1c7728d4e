/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container uses: the counters of its cgroups, from v1 and v2 files alike, under one set of
 * names. What the kernel, or the container's cgroup, doesn't have is left out.
 */
#ifndef RUNLXC_CGROUP_STATS_H
#define RUNLXC_CGROUP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"

/* Times are in nanoseconds, memory in bytes. UINT64_MAX is "no limit" of v2; v1 has a number of its
 * own for that, a little below INT64_MAX. */

struct cgroup_numbers {
	uint64_t *items;
	size_t count;
};

/* Pressure stall information (v2's files): the share of time lost, in percent, and its sum in
 * microseconds. */
struct cgroup_pressure_line {
	double avg10, avg60, avg300;
	uint64_t total;
};

struct cgroup_pressure {
	bool present;
	struct cgroup_pressure_line some, full;
};

struct cgroup_cpu_stats {
	uint64_t total, kernel, user;
	/* By CPU; empty on v2. */
	struct cgroup_numbers per_cpu, per_cpu_kernel, per_cpu_user;
	uint64_t periods, throttled_periods, throttled_time;
	struct cgroup_pressure pressure;
};

/* v1 only. */
struct cgroup_cpuset_stats {
	struct cgroup_numbers cpus, mems;
	uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page,
	    memory_spread_slab, memory_pressure, sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct cgroup_memory_counter {
	uint64_t usage, max_usage, failures, limit;
};

struct cgroup_named_number {
	const char *name;
	uint64_t value;
};

struct cgroup_memory_stats {
	uint64_t cache;
	/* File pages that were not used lately: what `free` would call available. */
	uint64_t inactive_file;
	/* `swap` is memory and swap together, as v1 counts; `kernel` and `kernel_tcp` are v1's. */
	struct cgroup_memory_counter usage, swap, kernel, kernel_tcp;
	bool use_hierarchy;
	/* How many processes the out-of-memory killer has killed, and (v2) how often memory ran
	 * out. */
	uint64_t oom_kills, oom;
	/* memory.stat as it is. */
	struct cgroup_named_number *raw;
	size_t raw_count;
	struct cgroup_pressure pressure;
};

struct cgroup_pids_stats {
	uint64_t current;
	uint64_t limit; /* 0: none */
};

struct cgroup_block_io_entry {
	uint64_t major, minor;
	const char *operation; /* "Read", "Write", "Sync" …; "" where the kernel tells none */
	uint64_t value;
};

struct cgroup_block_io_table {
	struct cgroup_block_io_entry *entries;
	size_t count;
};

enum cgroup_block_io_kind {
	CGROUP_IO_SERVICE_BYTES,
	CGROUP_IO_SERVICED,
	CGROUP_IO_QUEUED,
	CGROUP_IO_SERVICE_TIME,
	CGROUP_IO_WAIT_TIME,
	CGROUP_IO_MERGED,
	CGROUP_IO_TIME,
	CGROUP_IO_SECTORS,
	CGROUP_IO_KINDS,
};

struct cgroup_block_io_stats {
	struct cgroup_block_io_table tables[CGROUP_IO_KINDS];
	struct cgroup_pressure pressure;
};

struct cgroup_hugetlb_stats {
	const char *page_size; /* "2MB" */
	uint64_t usage, max_usage, failures;
};

struct cgroup_stats {
	struct cgroup_cpu_stats cpu;
	struct cgroup_cpuset_stats cpuset;
	struct cgroup_memory_stats memory;
	struct cgroup_pids_stats pids;
	struct cgroup_block_io_stats block_io;
	struct cgroup_hugetlb_stats *hugetlb;
	size_t hugetlb_count;
	struct arena arena; /* owns what is pointed to */
};

/* Reads one container's counters again and again: it holds the cgroup's directories. */
struct cgroup_stats_reader;

/* `layout` need not outlive the call. An error, errnum ENOENT, when the cgroup is in no hierarchy.
 */
struct cgroup_stats_reader *cgroup_stats_open(const struct cgroup_layout *layout, const char *path,
					      struct error *err);
void cgroup_stats_close(struct cgroup_stats_reader *reader);

/* Fills *stats, which is freed with cgroup_stats_free() also on failure. errnum ENODEV: the cgroup
 * was removed. Does not block. */
int cgroup_stats_read(struct cgroup_stats_reader *reader, struct cgroup_stats *stats,
		      struct error *err);
void cgroup_stats_free(struct cgroup_stats *stats);

/* ---- out of memory ---- */

/*
 * A watch on the out-of-memory killer in one container's cgroup. It may be opened as soon as the
 * cgroup is there, before the program runs, and be read as long as it is there.
 *
 * On v2 what happens in cgroups below counts as well. On v1 the kernel counts in each by itself;
 * the counts are added up, and kills that another limit than the container's (or one above it)
 * caused give no event.
 */
struct cgroup_oom;

struct cgroup_oom_state {
	uint64_t kills; /* processes killed so far */
	/* v1, where the killer is switched off: processes wait for memory. */
	bool waiting;
};

/* An error, errnum ENOENT, where the cgroup has no memory controller. */
struct cgroup_oom *cgroup_oom_open(const struct cgroup_layout *layout, const char *path,
				   struct error *err);
void cgroup_oom_close(struct cgroup_oom *oom);

/* For who has to tell at once: by a thread it is seen, on v1 too, that somebody was killed while
 * the kernel still writes its report of that to a slow console. As far as that can be done. */
void cgroup_oom_hurry(struct cgroup_oom *oom);

/* Readable (POLLIN) when something may have happened: read then what did. Owned by `oom`. */
int cgroup_oom_fd(const struct cgroup_oom *oom);

/* The state now; what made the descriptor readable is taken away. errnum ENODEV: the cgroup was
 * removed, which makes it readable as well, on v2 for good. Does not block. */
int cgroup_oom_read(struct cgroup_oom *oom, struct cgroup_oom_state *state, struct error *err);

/* The file that holds the count, open for reading: a line of it is "oom_kill N". -1 where there is
 * no memory controller. */
int cgroup_oom_file(const struct cgroup_layout *layout, const char *path);

/* The count alone, without a watch. 0 where there is no memory controller. */
int cgroup_oom_count(const struct cgroup_layout *layout, const char *path, uint64_t *kills,
		     struct error *err);

#endif
