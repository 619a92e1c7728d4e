/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of real cgroups move as their processes work; what this kernel lacks is left out. */
#include "test_cgroup.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "cgroup/stats.h"

#define MEBIBYTE ((uint64_t)1 << 20)

/* ---- helpers ---- */

/* A host with v2 only: its root gives its children controllers only when asked. */
static int find_layouts_with_controllers(void **state)
{
	static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io"};
	char path[PATH_MAX];

	find_layouts(state);
	if (!host || host->mode != CGROUP_UNIFIED || geteuid() != 0)
		return 0;
	file_of(&host->hierarchies[0], "", "cgroup.subtree_control", path);
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

		(void)!write(fd, controllers[i], strlen(controllers[i]));
	}
	return 0;
}

/* The path of a file of the box's, if the layout and the kernel have it. */
static bool find_file(const struct box *box, const char *controller, const char *file, char *path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(box->layout, controller);

	if (!hierarchy)
		return false;
	file_of(hierarchy, box->path, file, path);
	return access(path, F_OK) == 0;
}

/* Writes v1's file or v2's; false where there is neither. */
static bool set(const struct box *box, const char *controller, const char *v1, const char *v2,
		const char *value)
{
	char path[PATH_MAX];

	if (!find_file(box, controller, v1, path) && !find_file(box, controller, v2, path))
		return false;
	write_text(path, value);
	return true;
}

static uint64_t number_in(const struct box *box, const char *controller, const char *file)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = cgroup_read(box->layout, box->path, controller, file, &err);

	if (!text)
		fail_msg("%s", error_text(&err));
	return strtoull(text, NULL, 10);
}

static struct cgroup_stats_reader *open_reader(const struct box *box)
{
	struct cgroup_stats_reader *reader = cgroup_stats_open(box->layout, box->path, &oops);

	if (!reader)
		fail_msg("%s", error_text(&oops));
	return reader;
}

/* Reads once. The caller frees *stats. */
static void read_once(const struct box *box, struct cgroup_stats *stats)
{
	struct cgroup_stats_reader *reader = open_reader(box);

	ok(cgroup_stats_read(reader, stats, &oops));
	cgroup_stats_close(reader);
}

static uint64_t sum(const struct cgroup_numbers *numbers)
{
	uint64_t total = 0;

	for (size_t i = 0; i < numbers->count; i++)
		total += numbers->items[i];
	return total;
}

static const struct cgroup_named_number *find_raw(const struct cgroup_stats *stats,
						  const char *name)
{
	for (size_t i = 0; i < stats->memory.raw_count; i++) {
		if (strcmp(stats->memory.raw[i].name, name) == 0)
			return &stats->memory.raw[i];
	}
	fail_msg("no %s in memory.stat", name);
	return NULL;
}

/* ---- what children do ---- */

static int64_t cpu_time(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* From now on: what it took to come into the cgroup is counted elsewhere. */
static void burn(long nanoseconds)
{
	int64_t began = cpu_time();

	while (cpu_time() - began < nanoseconds)
		;
}

static void burn_50_ms(void)
{
	burn(50000000);
}

static void burn_20_ms(void)
{
	burn(20000000);
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int told[2]; /* a pipe on which a child tells that it has done its work */

static void tell_and_stay(void)
{
	(void)!write(told[1], "x", 1);
	run_sleep();
}

static void wait_for_child(void)
{
	char byte;

	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	close(told[1]);
}

static void take_16_mebibytes(void)
{
	void *memory =
	    mmap(NULL, 16 * MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	memset(memory, 1, 16 * MEBIBYTE);
	tell_and_stay();
}

/* ---- cpu ---- */

static void counts_cpu_time(const struct box *box)
{
	struct cgroup_stats before, after;

	read_once(box, &before);
	reap(enter(box, "", burn_50_ms));
	read_once(box, &after);
	/* v2 counts in microseconds, and rounds down. */
	assert_true(after.cpu.total - before.cpu.total >= 49000000);
	assert_true(after.cpu.total < UINT64_C(60) * 1000000000);
	if (cgroup_find(box->layout, "cpuacct")) {
		assert_int_equal(after.cpu.per_cpu.count, sysconf(_SC_NPROCESSORS_CONF));
		assert_int_equal(after.cpu.per_cpu_user.count, after.cpu.per_cpu.count);
		assert_int_equal(after.cpu.per_cpu_kernel.count, after.cpu.per_cpu.count);
		assert_int_equal(sum(&after.cpu.per_cpu), after.cpu.total);
	} else {
		assert_int_equal(after.cpu.per_cpu.count, 0);
		assert_true(after.cpu.user + after.cpu.kernel >= 49000000);
	}
	cgroup_stats_free(&before);
	cgroup_stats_free(&after);
}

static void cpu_time_is_counted(void **state)
{
	(void)state;
	on_every_layout(counts_cpu_time);
}

static void counts_throttling(const struct box *box)
{
	struct cgroup_stats stats;

	/* 20 ms of work at 1 ms in every 10: however busy the machine is, that is too little. */
	if (!set(box, "cpu", "cpu.cfs_period_us", "cpu.max", "10000"))
		return;
	if (cgroup_find(box->layout, "cpu")->unified)
		set(box, "cpu", "cpu.max", "cpu.max", "1000 10000");
	else
		set(box, "cpu", "cpu.cfs_quota_us", "cpu.cfs_quota_us", "1000");
	reap(enter(box, "", burn_20_ms));
	read_once(box, &stats);
	assert_true(stats.cpu.periods >= 2);
	assert_true(stats.cpu.throttled_periods >= 1);
	assert_true(stats.cpu.throttled_periods <= stats.cpu.periods);
	/* At least a millisecond: it is nanoseconds on v1 and v2 alike. */
	assert_true(stats.cpu.throttled_time > 1000000);
	cgroup_stats_free(&stats);
}

static void throttling_is_counted(void **state)
{
	(void)state;
	on_every_layout(counts_throttling);
}

/* ---- memory ---- */

static void counts_memory(const struct box *box)
{
	struct cgroup_stats stats;
	bool v1;
	pid_t pid;

	if (!set(box, "memory", "memory.limit_in_bytes", "memory.max", "67108864"))
		return;
	v1 = !cgroup_find(box->layout, "memory")->unified;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid = enter(box, "", take_16_mebibytes);
	wait_for_child();
	read_once(box, &stats);
	assert_true(stats.memory.usage.usage >= 16 * MEBIBYTE);
	assert_true(stats.memory.usage.usage <= 64 * MEBIBYTE);
	assert_int_equal(stats.memory.usage.limit, 64 * MEBIBYTE);
	assert_true(stats.memory.usage.max_usage == 0 /* v2 before 5.19 */ ||
		    stats.memory.usage.max_usage >= 16 * MEBIBYTE);
	assert_true(find_raw(&stats, v1 ? "total_rss" : "anon")->value >= 16 * MEBIBYTE);
	assert_int_equal(stats.memory.cache, find_raw(&stats, v1 ? "cache" : "file")->value);
	assert_true(stats.memory.use_hierarchy);
	assert_int_equal(stats.memory.oom_kills, 0);
	if (v1) {
		assert_int_equal(stats.memory.kernel.limit,
				 number_in(box, "memory", "memory.kmem.limit_in_bytes"));
		assert_true(stats.memory.kernel.usage > 0);
		assert_int_equal(stats.memory.kernel_tcp.limit,
				 number_in(box, "memory", "memory.kmem.tcp.limit_in_bytes"));
	}
	if (stats.memory.swap.limit)
		assert_true(stats.memory.swap.usage >= stats.memory.usage.usage);
	cgroup_stats_free(&stats);
	end(pid);
}

static void memory_is_counted(void **state)
{
	(void)state;
	on_every_layout(counts_memory);
}

static void counts_memory_failures(const struct box *box)
{
	struct cgroup_stats stats;

	/* v2 has no such count. */
	if (!set(box, "memory", "memory.limit_in_bytes", "memory.limit_in_bytes", "8388608"))
		return;
	assert_int_equal(signal_of(enter(box, "", take_16_mebibytes)), SIGKILL);
	read_once(box, &stats);
	assert_true(stats.memory.usage.failures > 0);
	assert_int_equal(stats.memory.oom_kills, 1);
	cgroup_stats_free(&stats);
}

static void a_memory_limit_that_was_hit_is_counted(void **state)
{
	(void)state;
	told[0] = told[1] = -1;
	on_every_layout(counts_memory_failures);
}

/* ---- pids ---- */

static void counts_pids(const struct box *box)
{
	struct cgroup_stats stats;
	char path[PATH_MAX];
	pid_t one, two;

	if (!find_file(box, "pids", "pids.max", path))
		return;
	read_once(box, &stats);
	assert_int_equal(stats.pids.current, 0);
	assert_int_equal(stats.pids.limit, 0); /* none */
	cgroup_stats_free(&stats);

	write_text(path, "42");
	one = enter(box, "", run_sleep);
	two = enter(box, "", run_sleep);
	read_once(box, &stats);
	assert_int_equal(stats.pids.current, 2);
	assert_int_equal(stats.pids.limit, 42);
	cgroup_stats_free(&stats);
	end(one);
	end(two);
}

static void pids_are_counted(void **state)
{
	(void)state;
	on_every_layout(counts_pids);
}

/* ---- cpuset, huge pages, pressure ---- */

static void shows_cpuset(const struct box *box)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(box->layout, "cpuset");
	struct cgroup_stats stats;

	read_once(box, &stats);
	if (!hierarchy || hierarchy->unified) {
		assert_int_equal(stats.cpuset.cpus.count, 0);
	} else {
		/* A new cgroup of these tests has its parent's: all there are. */
		assert_int_equal(stats.cpuset.cpus.count, sysconf(_SC_NPROCESSORS_ONLN));
		for (size_t i = 0; i < stats.cpuset.cpus.count; i++)
			assert_int_equal(stats.cpuset.cpus.items[i], i);
		assert_true(stats.cpuset.mems.count >= 1);
		assert_int_equal(stats.cpuset.mems.items[0], 0);
		assert_int_equal(stats.cpuset.sched_load_balance,
				 number_in(box, "cpuset", "cpuset.sched_load_balance"));
		assert_int_equal(stats.cpuset.sched_relax_domain_level, -1);
	}
	cgroup_stats_free(&stats);
}

static void the_cpuset_is_shown(void **state)
{
	(void)state;
	on_every_layout(shows_cpuset);
}

/* The kernel's directory names: "hugepages-2048kB". */
static size_t count_huge_page_sizes(void)
{
	cleanup_closedir DIR *dir = opendir("/sys/kernel/mm/hugepages");
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir)))
		count += strncmp(entry->d_name, "hugepages-", 10) == 0;
	return count;
}

static void shows_huge_pages(const struct box *box)
{
	struct cgroup_stats stats;
	char path[PATH_MAX];

	read_once(box, &stats);
	if (!find_file(box, "hugetlb", "hugetlb.2MB.current", path) &&
	    !find_file(box, "hugetlb", "hugetlb.2MB.usage_in_bytes", path)) {
		assert_int_equal(stats.hugetlb_count, 0);
	} else {
		bool found = false;

		assert_int_equal(stats.hugetlb_count, count_huge_page_sizes());
		for (size_t i = 0; i < stats.hugetlb_count; i++) {
			found |= strcmp(stats.hugetlb[i].page_size, "2MB") == 0;
			assert_int_equal(stats.hugetlb[i].usage, 0);
		}
		assert_true(found);
	}
	cgroup_stats_free(&stats);
}

static void every_size_of_huge_pages_is_shown(void **state)
{
	(void)state;
	on_every_layout(shows_huge_pages);
}

static void shows_pressure(const struct box *box)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = cgroup_read(box->layout, box->path, "", "cpu.pressure", &err);
	struct cgroup_stats stats;

	error_clear(&err);
	read_once(box, &stats);
	assert_int_equal(stats.cpu.pressure.present, text != NULL);
	assert_int_equal(stats.memory.pressure.present, text != NULL);
	assert_int_equal(stats.block_io.pressure.present, text != NULL);
	cgroup_stats_free(&stats);
}

static void pressure_is_shown_where_the_kernel_has_it(void **state)
{
	(void)state;
	on_every_layout(shows_pressure);
}

/* ---- what goes wrong ---- */

static void reads_until_removed(const struct box *box)
{
	struct cgroup_stats_reader *reader = open_reader(box);
	struct cgroup_stats stats;

	ok(cgroup_stats_read(reader, &stats, &oops));
	cgroup_stats_free(&stats);
	ok(cgroup_remove(box->layout, box->path, &oops));
	assert_int_equal(cgroup_stats_read(reader, &stats, &oops), -1);
	assert_int_equal(oops.errnum, ENODEV);
	assert_non_null(strstr(oops.message, box->path));
	error_clear(&oops);
	cgroup_stats_free(&stats);
	cgroup_stats_close(reader);
}

static void a_removed_cgroup_is_an_error(void **state)
{
	(void)state;
	on_every_layout(reads_until_removed);
}

static void a_cgroup_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	if (!host)
		skip();
	assert_null(cgroup_stats_open(host, "/runlxc-test-nothing", &oops));
	assert_int_equal(oops.errnum, ENOENT);
	error_clear(&oops);
}

/* A file that can't be opened for another reason than that it isn't there: no zeros, an error. */
static void fails_without_descriptors(const struct box *box)
{
	struct cgroup_stats_reader *reader = open_reader(box);
	struct rlimit before, none;
	struct cgroup_stats stats;
	int result;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = cgroup_stats_read(reader, &stats, &oops);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result, -1);
	assert_int_equal(oops.errnum, EMFILE);
	error_clear(&oops);
	cgroup_stats_free(&stats);
	cgroup_stats_close(reader);
}

static void a_lack_of_descriptors_is_an_error_and_not_zeros(void **state)
{
	(void)state;
	on_every_layout(fails_without_descriptors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(cpu_time_is_counted),
	    test(throttling_is_counted),
	    test(memory_is_counted),
	    test(a_memory_limit_that_was_hit_is_counted),
	    test(pids_are_counted),
	    test(the_cpuset_is_shown),
	    test(every_size_of_huge_pages_is_shown),
	    test(pressure_is_shown_where_the_kernel_has_it),
	    test(a_removed_cgroup_is_an_error),
	    test(a_cgroup_that_is_not_there_is_an_error),
	    test(a_lack_of_descriptors_is_an_error_and_not_zeros),
	};

	return cmocka_run_group_tests(tests, find_layouts_with_controllers, free_layouts);
}
