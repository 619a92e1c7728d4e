/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by stats*.c: one round of reading a cgroup's counters. */
#ifndef RUNLXC_CGROUP_STATS_INTERNAL_H
#define RUNLXC_CGROUP_STATS_INTERNAL_H

#include "cgroup/stats.h"

/* What the last file read said; grows as needed. */
struct stats_buffer {
	char *text;
	size_t size;
};

struct stats_round {
	struct stats_buffer *buffer;
	struct cgroup_stats *stats;
	bool found; /* any file at all */
	/* What went wrong, other than that a file is not there; nothing is read from then on. */
	int errnum;
	const char *failed;
};

/*
 * A file's text, which the next read overwrites; its length in *length (may be NULL). NULL when it
 * is not there. `file` is remembered on failure: a literal, or as long-lived as the reader.
 */
char *stats_text(struct stats_round *round, int dir, const char *file, size_t *length);

/* The same in the arena, for what is pointed into. */
char *stats_kept_text(struct stats_round *round, int dir, const char *file);

/* Memory that lives as long as the statistics. */
void *stats_alloc(struct stats_round *round, size_t count, size_t size);

/* A file with one number in it, or "max". *value stays as it is when there is none. */
bool stats_number(struct stats_round *round, int dir, const char *file, uint64_t *value);

/* Reads a decimal number or "max"; below zero, which some kernels show for a moment, is zero.
 * Returns what is behind it, NULL when there is none. */
const char *stats_parse(const char *text, uint64_t *value);

/* Takes the next line of the form "key value"; others are skipped. False at the end. */
bool stats_pair(char **rest, char **key, uint64_t *value);

/* A number by its key in a file of such lines. */
bool stats_keyed_number(struct stats_round *round, int dir, const char *file, const char *key,
			uint64_t *value);

void stats_read_cpu_v1(struct stats_round *round, int cpu);
void stats_read_cpuacct_v1(struct stats_round *round, int cpuacct);
void stats_read_cpuset_v1(struct stats_round *round, int cpuset);
void stats_read_memory_v1(struct stats_round *round, int memory);
void stats_read_block_io_v1(struct stats_round *round, int blkio);

void stats_read_cpu_v2(struct stats_round *round, int dir);
void stats_read_memory_v2(struct stats_round *round, int dir);
void stats_read_block_io_v2(struct stats_round *round, int dir);
void stats_read_pressure(struct stats_round *round, int dir, const char *file,
			 struct cgroup_pressure *pressure);

/* memory.stat, of which `cache` and `inactive_file` name two lines. */
void stats_read_memory_stat(struct stats_round *round, int dir, const char *cache,
			    const char *inactive_file);

#endif
