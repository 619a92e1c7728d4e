/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's files say, read from files with such texts: for the forms that the cgroups of
 * one host can't show all at once (v1 and v2, schedulers that aren't there, big machines).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroup/stats_internal.h"
#include "test_place.h"

/* ---- a directory of files ---- */

struct files {
	char path[64];
	int dir;
	struct stats_buffer buffer;
	struct cgroup_stats stats;
	struct stats_round round;
};

static int files_make(void **state)
{
	struct files *place = calloc(1, sizeof(*place));

	strcpy(place->path, "/tmp/runlxc-test-stats-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	place->dir = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	place->round = (struct stats_round){.buffer = &place->buffer, .stats = &place->stats};
	*state = place;
	return 0;
}

static int files_remove(void **state)
{
	struct files *place = *state;

	assert_int_equal(place->round.errnum, 0);
	close(place->dir);
	remove_tree(place->path);
	arena_free(&place->stats.arena);
	free(place->buffer.text);
	free(place);
	return 0;
}

static void put(const struct files *place, const char *file, const char *text)
{
	cleanup_close int fd =
	    openat(place->dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* ---- numbers ---- */

static void a_number_is_digits_max_or_below_zero(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_string_equal(stats_parse("12 34", &value), " 34");
	assert_int_equal(value, 12);
	assert_string_equal(stats_parse("18446744073709551615\n", &value), "\n");
	assert_true(value == UINT64_MAX);
	assert_string_equal(stats_parse("max\n", &value), "\n");
	assert_true(value == UINT64_MAX);
	assert_string_equal(stats_parse("-4096", &value), "");
	assert_int_equal(value, 0);
	value = 7;
	assert_null(stats_parse("", &value));
	assert_null(stats_parse("\n", &value));
	assert_null(stats_parse("-", &value));
	assert_null(stats_parse("Total", &value));
	assert_int_equal(value, 7);
}

static void a_file_that_is_not_there_leaves_the_value_as_it_is(void **state)
{
	struct files *place = *state;
	uint64_t value = 7;

	assert_false(stats_number(&place->round, place->dir, "memory.peak", &value));
	assert_false(stats_number(&place->round, -1, "memory.peak", &value));
	assert_int_equal(value, 7);
	assert_false(place->round.found);
	put(place, "memory.peak", "8192\n");
	assert_true(stats_number(&place->round, place->dir, "memory.peak", &value));
	assert_int_equal(value, 8192);
	assert_true(place->round.found);
}

static void lines_that_are_no_pairs_are_skipped(void **state)
{
	struct files *place = *state;
	uint64_t value = 0;

	put(place, "memory.events", "low 0\nnonsense\nhigh x\noom_kill_group 4\noom_kill 3\n");
	assert_true(
	    stats_keyed_number(&place->round, place->dir, "memory.events", "oom_kill", &value));
	assert_int_equal(value, 3);
	assert_false(
	    stats_keyed_number(&place->round, place->dir, "memory.events", "high", &value));
}

/* ---- v2 ---- */

static void cpu_v2(void **state)
{
	struct files *place = *state;
	struct cgroup_cpu_stats *cpu = &place->stats.cpu;

	put(place, "cpu.stat",
	    "usage_usec 2000\nuser_usec 1500\nsystem_usec 500\nnice_usec 1\n"
	    "core_sched.force_idle_usec 0\nnr_periods 9\nnr_throttled 4\nthrottled_usec 77\n"
	    "nr_bursts 0\nburst_usec 0\n");
	stats_read_cpu_v2(&place->round, place->dir);
	assert_int_equal(cpu->total, 2000000);
	assert_int_equal(cpu->user, 1500000);
	assert_int_equal(cpu->kernel, 500000);
	assert_int_equal(cpu->periods, 9);
	assert_int_equal(cpu->throttled_periods, 4);
	assert_int_equal(cpu->throttled_time, 77000);
}

static void put_memory_v2(struct files *place, const char *max, const char *swap_max)
{
	put(place, "memory.stat", "anon 1000\nfile 2000\nkernel 300\ninactive_file 1500\n");
	put(place, "memory.current", "4096\n");
	put(place, "memory.max", max);
	put(place, "memory.peak", "8192\n");
	put(place, "memory.swap.current", "100\n");
	put(place, "memory.swap.max", swap_max);
	put(place, "memory.events", "low 0\nhigh 0\nmax 30\noom 5\noom_kill 2\n");
}

static void memory_v2(void **state)
{
	struct files *place = *state;
	struct cgroup_memory_stats *memory = &place->stats.memory;

	put_memory_v2(place, "1000000\n", "500000\n");
	stats_read_memory_v2(&place->round, place->dir);
	assert_int_equal(memory->usage.usage, 4096);
	assert_int_equal(memory->usage.limit, 1000000);
	assert_int_equal(memory->usage.max_usage, 8192);
	assert_int_equal(memory->cache, 2000);
	assert_int_equal(memory->inactive_file, 1500);
	assert_int_equal(memory->oom, 5);
	assert_int_equal(memory->oom_kills, 2);
	/* Memory and swap together, as on v1. */
	assert_int_equal(memory->swap.usage, 4196);
	assert_int_equal(memory->swap.limit, 1500000);
	assert_int_equal(memory->swap.max_usage, 0);
	assert_int_equal(memory->raw_count, 4);
	assert_string_equal(memory->raw[3].name, "inactive_file");
	assert_int_equal(memory->raw[3].value, 1500);
}

static void memory_v2_without_limits(void **state)
{
	struct files *place = *state;
	struct cgroup_memory_stats *memory = &place->stats.memory;

	put_memory_v2(place, "max\n", "500000\n");
	stats_read_memory_v2(&place->round, place->dir);
	assert_true(memory->usage.limit == UINT64_MAX);
	assert_true(memory->swap.limit == UINT64_MAX);
}

static void memory_v2_without_its_controller(void **state)
{
	struct files *place = *state;

	stats_read_memory_v2(&place->round, place->dir);
	assert_int_equal(place->stats.memory.raw_count, 0);
	assert_int_equal(place->stats.memory.usage.limit, 0);
	assert_false(place->stats.memory.use_hierarchy);
}

static const struct cgroup_block_io_entry *entry(const struct files *place,
						 enum cgroup_block_io_kind kind, size_t index)
{
	assert_true(index < place->stats.block_io.tables[kind].count);
	return &place->stats.block_io.tables[kind].entries[index];
}

static void assert_entry(const struct cgroup_block_io_entry *entry, uint64_t major, uint64_t minor,
			 const char *operation, uint64_t value)
{
	assert_int_equal(entry->major, major);
	assert_int_equal(entry->minor, minor);
	assert_string_equal(entry->operation, operation);
	assert_int_equal(entry->value, value);
}

static void block_io_v2(void **state)
{
	struct files *place = *state;

	/* A device without counters has a line of its own in some kernels. */
	put(place, "io.stat",
	    "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n7:0 \n"
	    "254:1 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0 cost.usage=5\n");
	stats_read_block_io_v2(&place->round, place->dir);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICE_BYTES].count, 4);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICED].count, 4);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 0), 8, 16, "Read", 1459200);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 1), 8, 16, "Write", 314773504);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 2), 254, 1, "Read", 4096);
	assert_entry(entry(place, CGROUP_IO_SERVICED, 0), 8, 16, "Read", 192);
	assert_entry(entry(place, CGROUP_IO_SERVICED, 1), 8, 16, "Write", 353);
}

static void a_thousand_devices(void **state)
{
	struct files *place = *state;
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	for (int i = 0; i < 1000; i++)
		fprintf(stream, "8:%d rbytes=%d wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n", i,
			1000 + i);
	fclose(stream);
	put(place, "io.stat", text);
	stats_read_block_io_v2(&place->round, place->dir);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICE_BYTES].count, 2000);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 1998), 8, 999, "Read", 1999);
}

static void pressure(void **state)
{
	struct files *place = *state;
	struct cgroup_pressure *cpu = &place->stats.cpu.pressure;

	put(place, "cpu.pressure",
	    "some avg10=26.18 avg60=0.05 avg300=100.00 total=1388846600\n"
	    "full avg10=0.00 avg60=1.00 avg300=0.99 total=7\n");
	stats_read_pressure(&place->round, place->dir, "cpu.pressure", cpu);
	assert_true(cpu->present);
	assert_true(cpu->some.avg10 == 26.18);
	assert_true(cpu->some.avg60 == 0.05);
	assert_true(cpu->some.avg300 == 100);
	assert_int_equal(cpu->some.total, 1388846600);
	assert_true(cpu->full.avg300 == 0.99);
	assert_int_equal(cpu->full.total, 7);
	stats_read_pressure(&place->round, place->dir, "io.pressure",
			    &place->stats.block_io.pressure);
	assert_false(place->stats.block_io.pressure.present);
}

/* ---- v1 ---- */

static const char io_text[] = "8:0 Read 1282048\n8:0 Write 2195456\n8:0 Sync 2195456\n"
			      "8:0 Async 1282048\n8:0 Total 3477504\nTotal 3477504\n";

static void block_io_v1_of_the_throttling_files(void **state)
{
	struct files *place = *state;

	/* BFQ is there, but not in use. */
	put(place, "blkio.bfq.io_service_bytes_recursive", "Total 0\n");
	put(place, "blkio.bfq.io_serviced_recursive", "Total 0\n");
	put(place, "blkio.throttle.io_service_bytes_recursive", io_text);
	put(place, "blkio.throttle.io_service_bytes", "8:0 Read 1\nTotal 1\n");
	put(place, "blkio.throttle.io_serviced", "8:0 Read 11\nTotal 11\n");
	stats_read_block_io_v1(&place->round, place->dir);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICE_BYTES].count, 5);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 0), 8, 0, "Read", 1282048);
	assert_entry(entry(place, CGROUP_IO_SERVICE_BYTES, 4), 8, 0, "Total", 3477504);
	/* No recursive form: Linux before 4.17. */
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICED].count, 1);
	assert_entry(entry(place, CGROUP_IO_SERVICED, 0), 8, 0, "Read", 11);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_TIME].count, 0);
}

static void block_io_v1_of_the_scheduler(void **state)
{
	struct files *place = *state;

	put(place, "blkio.throttle.io_service_bytes_recursive", "8:0 Read 1\nTotal 1\n");
	put(place, "blkio.io_service_bytes_recursive", io_text);
	put(place, "blkio.sectors_recursive", "8:0 6792\n");
	put(place, "blkio.bfq.time_recursive", "8:0 55\n");
	put(place, "blkio.time_recursive", "8:0 66\n");
	stats_read_block_io_v1(&place->round, place->dir);
	assert_int_equal(place->stats.block_io.tables[CGROUP_IO_SERVICE_BYTES].count, 5);
	assert_entry(entry(place, CGROUP_IO_SECTORS, 0), 8, 0, "", 6792);
	assert_entry(entry(place, CGROUP_IO_TIME, 0), 8, 0, "", 55);
}

static void cpuset_lists(void **state)
{
	struct files *place = *state;
	struct cgroup_cpuset_stats *cpuset = &place->stats.cpuset;

	put(place, "cpuset.cpus", "0-2,5,7-8\n");
	put(place, "cpuset.mems", "\n");
	put(place, "cpuset.mem_hardwall", "1\n");
	put(place, "cpuset.sched_relax_domain_level", "-1\n");
	stats_read_cpuset_v1(&place->round, place->dir);
	assert_int_equal(cpuset->cpus.count, 6);
	assert_int_equal(cpuset->cpus.items[2], 2);
	assert_int_equal(cpuset->cpus.items[3], 5);
	assert_int_equal(cpuset->cpus.items[5], 8);
	assert_int_equal(cpuset->mems.count, 0);
	assert_int_equal(cpuset->mem_hardwall, 1);
	assert_int_equal(cpuset->sched_relax_domain_level, -1);
}

static void cpu_time_v1(void **state)
{
	struct files *place = *state;
	struct cgroup_cpu_stats *cpu = &place->stats.cpu;

	put(place, "cpuacct.stat", "user 12\nsystem 3\n");
	put(place, "cpuacct.usage", "155000000\n");
	put(place, "cpuacct.usage_percpu", "100000000 55000000 \n");
	put(place, "cpuacct.usage_all", "cpu user system\n0 90 10\n1 50 5\n");
	stats_read_cpuacct_v1(&place->round, place->dir);
	/* In ticks of the clock, which is 1/100 s. */
	assert_int_equal(cpu->user, 120000000);
	assert_int_equal(cpu->kernel, 30000000);
	assert_int_equal(cpu->total, 155000000);
	assert_int_equal(cpu->per_cpu.count, 2);
	assert_int_equal(cpu->per_cpu.items[1], 55000000);
	assert_int_equal(cpu->per_cpu_user.count, 2);
	assert_int_equal(cpu->per_cpu_user.items[1], 50);
	assert_int_equal(cpu->per_cpu_kernel.items[0], 10);
}

#define with_place(name) cmocka_unit_test_setup_teardown(name, files_make, files_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_digits_max_or_below_zero),
	    with_place(a_file_that_is_not_there_leaves_the_value_as_it_is),
	    with_place(lines_that_are_no_pairs_are_skipped),
	    with_place(cpu_v2),
	    with_place(memory_v2),
	    with_place(memory_v2_without_limits),
	    with_place(memory_v2_without_its_controller),
	    with_place(block_io_v2),
	    with_place(a_thousand_devices),
	    with_place(pressure),
	    with_place(block_io_v1_of_the_throttling_files),
	    with_place(block_io_v1_of_the_scheduler),
	    with_place(cpuset_lists),
	    with_place(cpu_time_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
