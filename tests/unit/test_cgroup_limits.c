/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources to cgroup files: for each field exactly what is written, in its order, on v1, on
 * v2 and on a hybrid host. */
#include "test_cgroup_limits.h"

/* ---- nothing ---- */

static void nothing_asked_is_nothing_written(void **state)
{
	struct host *host = v1(state), bare = {.layout = {.mode = CGROUP_LEGACY}};
	struct spec_resources none = {0};
	/* As Docker, containerd and Podman write what they don't ask for. */
	struct spec_resources zeros = {
	    .memory = {.limit = I64(0), .reservation = I64(0), .swap = I64(0), .kernel = I64(0)},
	    .cpu = {.shares = U64(0), .quota = I64(0), .period = U64(0)},
	    .block_io = {.weight = U64(0)},
	    .pids_limit = I64(0),
	};

	zeros.memory.disable_oom_killer = (struct spec_bool){true, false};
	zeros.memory.swappiness = (struct spec_u64){true, UINT64_MAX};
	assert_settings(host, &none, "");
	assert_settings(host, &zeros, "");
	/* Nor is anything missed on a host without controllers. */
	assert_settings(&bare, &zeros, "");
}

/* ---- memory ---- */

static void memory_v1(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {
	    .memory = {.limit = I64(MB(64)), .swap = I64(MB(128)), .reservation = I64(MB(32))},
	};

	resources.memory.swappiness = (struct spec_u64){true, 0};
	resources.memory.disable_oom_killer = (struct spec_bool){true, true};
	resources.memory.kernel = (struct spec_i64){true, MB(10)};
	resources.memory.kernel_tcp = (struct spec_i64){true, MB(11)};
	assert_settings(host, &resources,
			"memory.limit_in_bytes 67108864\n"
			"memory.memsw.limit_in_bytes 134217728\n"
			"memory.soft_limit_in_bytes 33554432\n"
			"memory.kmem.tcp.limit_in_bytes 11534336\n"
			"memory.oom_control 1\n"
			"memory.swappiness 0\n");
}

static void memory_without_swap_leaves_swap_alone(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.memory = {.limit = I64(MB(64))}};

	assert_settings(host, &resources, "memory.limit_in_bytes 67108864\n");
}

static void unlimited_memory_v1(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.memory = {.limit = I64(-1)}};

	assert_settings(host, &resources,
			"memory.memsw.limit_in_bytes -1\nmemory.limit_in_bytes -1\n");
	resources.memory.limit = (struct spec_i64){true, MB(64)};
	resources.memory.swap = (struct spec_i64){true, -1};
	assert_settings(host, &resources,
			"memory.memsw.limit_in_bytes -1\nmemory.limit_in_bytes 67108864\n");
}

static void memory_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {
	    .memory = {.limit = I64(MB(64)), .swap = I64(MB(96)), .reservation = I64(MB(32))},
	};

	assert_settings(host, &resources,
			"v2 memory.swap.max 33554432\n"
			"v2 memory.max 67108864\n"
			"v2 memory.low 33554432\n");
	/* No swap. */
	resources.memory.swap.value = MB(64);
	resources.memory.reservation.set = false;
	assert_settings(host, &resources, "v2 memory.swap.max 0\nv2 memory.max 67108864\n");
	resources.memory.swap.value = -1;
	assert_settings(host, &resources, "v2 memory.swap.max max\nv2 memory.max 67108864\n");
	resources.memory.swap.set = false;
	assert_settings(host, &resources, "v2 memory.max 67108864\n");
	resources.memory.limit.value = -1;
	assert_settings(host, &resources, "v2 memory.swap.max max\nv2 memory.max max\n");
}

static void what_v2_does_not_know_is_left_out_as_runc_does(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {0};

	resources.memory.swappiness = (struct spec_u64){true, 60};
	resources.memory.disable_oom_killer = (struct spec_bool){true, true};
	resources.memory.kernel = (struct spec_i64){true, MB(10)};
	resources.memory.kernel_tcp = (struct spec_i64){true, MB(10)};
	assert_settings(host, &resources, "");
}

static void bad_memory_is_refused(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {0};

	resources.memory.limit = (struct spec_i64){true, -2};
	assert_refused(host, &resources,
		       "linux.resources.memory.limit: -2 is neither a size nor -1");
	resources.memory.limit = (struct spec_i64){true, MB(64)};
	resources.memory.swap = (struct spec_i64){true, MB(63)};
	assert_refused(host, &resources,
		       "linux.resources.memory.swap: memory+swap limit should be >= memory limit");
	resources.memory.limit.value = -1;
	assert_refused(host, &resources,
		       "linux.resources.memory.swap: memory+swap limit should be >= memory limit");
	resources = (struct spec_resources){.memory = {.swappiness = U64(101)}};
	assert_refused(host, &resources,
		       "linux.resources.memory.swappiness: 101 is not from 0 to 100");
	/* The document has another name in an update. */
	resources.where = "r.json: ";
	assert_refused(host, &resources, "r.json: memory.swappiness: 101 is not from 0 to 100");
}

static void swap_without_a_limit_is_refused_on_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {.memory = {.swap = I64(MB(64))}};

	assert_refused(
	    host, &resources,
	    "linux.resources.memory.swap: unable to set swap limit without memory limit");
}

static void without_swap_accounting_only_a_limit_on_swap_is_refused(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.memory = {.limit = I64(MB(64)), .swap = I64(-1)}};

	drop_file(host, "memory/memory.memsw.limit_in_bytes");
	assert_settings(host, &resources, "memory.limit_in_bytes 67108864\n");
	resources.memory.swap.value = MB(64);
	assert_refused(
	    host, &resources,
	    "linux.resources.memory.swap: this kernel has no memory.memsw.limit_in_bytes");
}

static void without_swap_accounting_on_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {.memory = {.limit = I64(MB(64)), .swap = I64(MB(64))}};

	drop_file(host, "unified/system.slice/memory.swap.max");
	assert_settings(host, &resources, "v2 memory.max 67108864\n");
	resources.memory.swap.value = MB(65);
	assert_refused(host, &resources,
		       "linux.resources.memory.swap: this kernel has no memory.swap.max");
	/* Where no cgroup has the controller yet, the write will tell. */
	drop_file(host, "unified/system.slice/memory.max");
	assert_settings(host, &resources, "v2 memory.swap.max 1048576\nv2 memory.max 67108864\n");
}

/* ---- cpu ---- */

static void cpu_v1(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {
	    .cpu = {.shares = U64(512),
		    .quota = I64(50000),
		    .period = U64(100000),
		    .burst = U64(1000),
		    .realtime_period = U64(1000000),
		    .realtime_runtime = I64(950000)},
	};

	assert_settings(host, &resources,
			"cpu.rt_period_us 1000000\n"
			"cpu.rt_runtime_us 950000\n"
			"cpu.shares 512\n"
			"cpu.cfs_period_us 100000\n"
			"cpu.cfs_quota_us 50000\n"
			"cpu.cfs_burst_us 1000\n");
	resources = (struct spec_resources){.cpu = {.quota = I64(-1)}};
	assert_settings(host, &resources, "cpu.cfs_quota_us -1\n");
}

static void an_idle_cgroup_has_no_shares(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.cpu = {.shares = U64(512), .idle = I64(1)}};

	assert_settings(host, &resources, "cpu.idle 1\n");
	resources.cpu.idle.value = 0;
	assert_settings(host, &resources, "cpu.idle 0\ncpu.shares 512\n");
}

static void shares_that_the_kernel_would_change_are_refused(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.cpu = {.shares = U64(1)}};

	assert_refused(host, &resources,
		       "linux.resources.cpu.shares: the minimum allowed cpu-shares is 2");
	resources.cpu.shares.value = 262145;
	assert_refused(host, &resources,
		       "linux.resources.cpu.shares: the maximum allowed cpu-shares is 262144");
	resources.cpu.shares.value = 2;
	assert_settings(host, &resources, "cpu.shares 2\n");
}

static void a_missing_cpu_file_is_named_when_it_is_needed(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.cpu = {.burst = U64(0), .idle = I64(0)}};

	drop_file(host, "cpu/cpu.cfs_burst_us");
	drop_file(host, "cpu/cpu.idle");
	drop_file(host, "cpu/cpu.rt_runtime_us");
	assert_settings(host, &resources, "");
	resources.cpu.idle.value = 1;
	assert_refused(host, &resources, "linux.resources.cpu.idle: this kernel has no cpu.idle");
	resources = (struct spec_resources){.cpu = {.burst = U64(5)}};
	assert_refused(host, &resources,
		       "linux.resources.cpu.burst: this kernel has no cpu.cfs_burst_us");
	resources = (struct spec_resources){.cpu = {.realtime_runtime = I64(5)}};
	assert_refused(host, &resources,
		       "linux.resources.cpu.realtimeRuntime: this kernel has no cpu.rt_runtime_us");
}

static void cpu_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {
	    .cpu = {.shares = U64(1024),
		    .quota = I64(50000),
		    .period = U64(100000),
		    .burst = U64(1000),
		    .idle = I64(0)},
	};

	assert_settings(host, &resources,
			"v2 cpu.idle 0\n"
			"v2 cpu.weight 39\n"
			"v2 cpu.max 50000 100000\n"
			"v2 cpu.max.burst 1000\n");
	resources = (struct spec_resources){.cpu = {.quota = I64(50000)}};
	assert_settings(host, &resources, "v2 cpu.max 50000\n");
	resources.cpu.quota.value = -1;
	assert_settings(host, &resources, "v2 cpu.max max\n");
	resources = (struct spec_resources){.cpu = {.period = U64(50000)}};
	assert_settings(host, &resources, "v2 cpu.max max 50000\n");
	resources = (struct spec_resources){.cpu = {.shares = U64(2)}};
	assert_settings(host, &resources, "v2 cpu.weight 1\n");
	resources.cpu.shares.value = 262144;
	assert_settings(host, &resources, "v2 cpu.weight 10000\n");
	resources = (struct spec_resources){.cpu = {.realtime_runtime = I64(5)}};
	assert_refused(host, &resources,
		       "linux.resources.cpu.realtimeRuntime: cgroup v2 has no limits on real time");
}

/* The kernel would refuse them, too, but by the name of cpu.max, which has both in it. */
static void a_quota_or_a_period_that_v2_cannot_take_is_named(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {.cpu = {.period = U64(999)}};

	assert_refused(host, &resources,
		       "linux.resources.cpu.period: 999 is not from 1000 to 1000000");
	resources.cpu.period.value = 1000001;
	assert_refused(host, &resources,
		       "linux.resources.cpu.period: 1000001 is not from 1000 to 1000000");
	resources.cpu.period.value = 1000000;
	assert_settings(host, &resources, "v2 cpu.max max 1000000\n");
	resources.cpu.quota = (struct spec_i64)I64(999);
	assert_refused(host, &resources, "linux.resources.cpu.quota: 999 is less than 1000");
	resources.cpu.quota.value = 1000;
	assert_settings(host, &resources, "v2 cpu.max 1000 1000000\n");
}

static void cpusets(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {
	    .cpu = {.cpus = (char *)"0-1,3", .mems = (char *)"0"},
	};

	assert_settings(host, &resources, "cpuset.cpus 0-1,3\ncpuset.mems 0\n");
	resources.cpu.cpus = (char *)"0\n1";
	assert_refused(host, &resources, "linux.resources.cpu.cpus: a newline in it");
}

/* ---- pids, huge pages ---- */

static void pids(void **state)
{
	struct host *host = v1(state);
	struct spec_resources resources = {.pids_limit = I64(50)};

	assert_settings(host, &resources, "pids.max 50\n");
	resources.pids_limit.value = -1;
	assert_settings(host, &resources, "pids.max max\n");
	resources.pids_limit.value = 0;
	assert_settings(host, &resources, "");
}

static void huge_pages(void **state)
{
	struct spec_hugepage_limit limits[] = {{(char *)"2MB", 4194304}, {(char *)"1GB", 0}};
	struct spec_resources resources = {.hugepage_limits_count = 1, .hugepage_limits = limits};
	struct host *host;

	if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK)) {
		print_message("needs a kernel with huge pages of 2 MB\n");
		skip();
	}
	host = v1(state);
	assert_settings(host, &resources,
			"hugetlb.2MB.limit_in_bytes 4194304\n"
			"hugetlb.2MB.rsvd.limit_in_bytes 4194304\n");
	for (const char *const *bad = (const char *const[]){"2M", "3MB", "2048", "x", "2MB/../x",
							    "-2MB", "99999999999999999999MB", NULL};
	     *bad; bad++) {
		char message[160];

		limits[0].page_size = (char *)*bad;
		snprintf(message, sizeof(message),
			 "linux.resources.hugepageLimits[0].pageSize: \"%s\" is not a size of huge "
			 "pages on this host",
			 *bad);
		assert_refused(host, &resources, message);
	}
}

/* LXC would leave such a limit out. */
static void on_a_hybrid_host_a_limit_in_the_v2_tree_is_refused(void **state)
{
	struct host *host = *state;
	struct spec_hugepage_limit huge_pages = {(char *)"2MB", 0};
	struct spec_throttle_device rate = {8, 0, 1};
	const struct {
		struct spec_resources resources;
		const char *field, *controller;
	} cases[] = {
	    {{.cpu = {.cpus = (char *)"0"}}, "cpu.cpus", "cpuset"},
	    {{.cpu = {.shares = U64(5)}}, "cpu.shares", "cpu"},
	    {{.pids_limit = I64(5)}, "pids.limit", "pids"},
	    {{.block_io = {.read_bps = {1, &rate}}}, "blockIO.throttleReadBpsDevice", "io"},
	    {{.hugepage_limits_count = 1, .hugepage_limits = &huge_pages},
	     "hugepageLimits",
	     "hugetlb"},
	};
	const struct spec_resources resources = {.memory = {.limit = I64(MB(64))}};

	host->layout.mode = CGROUP_HYBRID;
	add_hierarchy(host, false, "memory", memory_files);
	add_hierarchy(host, true, "cpuset,cpu,io,hugetlb,pids", unified_files);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[200];

		snprintf(message, sizeof(message),
			 "linux.resources.%s: the %s cgroup controller is in the v2 tree beside v1 "
			 "on this host, where LXC sets no limits",
			 cases[i].field, cases[i].controller);
		assert_refused(host, &cases[i].resources, message);
	}
	assert_settings(host, &resources, "memory.limit_in_bytes 67108864\n");
}

/* ---- controllers ---- */

static void a_missing_controller_is_named_with_the_field(void **state)
{
	struct host *host = *state;
	struct spec_hugepage_limit limit = {(char *)"2MB", 0};
	struct spec_throttle_device rate = {8, 0, 1};
	const struct {
		struct spec_resources resources;
		const char *v1, *v2;
	} cases[] = {
	    {{.memory = {.reservation = I64(5)}},
	     "memory.reservation: no memory",
	     "memory.reservation: no memory"},
	    {{.cpu = {.period = U64(5)}}, "cpu.period: no cpu", "cpu.period: no cpu"},
	    {{.cpu = {.mems = (char *)"0"}}, "cpu.mems: no cpuset", "cpu.mems: no cpuset"},
	    {{.pids_limit = I64(5)}, "pids.limit: no pids", "pids.limit: no pids"},
	    {{.block_io = {.write_iops = {1, &rate}}},
	     "blockIO.throttleWriteIOPSDevice: no blkio",
	     "blockIO.throttleWriteIOPSDevice: no io"},
	    {{.hugepage_limits_count = 1, .hugepage_limits = &limit},
	     "hugepageLimits: no hugetlb",
	     "hugepageLimits: no hugetlb"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[160];

		host->layout.mode = CGROUP_LEGACY;
		snprintf(message, sizeof(message),
			 "linux.resources.%s cgroup controller on this host", cases[i].v1);
		assert_refused(host, &cases[i].resources, message);
		host->layout.mode = CGROUP_UNIFIED;
		snprintf(message, sizeof(message),
			 "linux.resources.%s cgroup controller on this host", cases[i].v2);
		assert_refused(host, &cases[i].resources, message);
	}
}

static void many_settings_are_all_kept(void **state)
{
	struct host *host = v1(state);
	cleanup_free char *expected = NULL;
	struct spec_throttle_device rates[500];
	struct spec_resources resources = {.block_io = {.read_bps = {500, rates}}};
	size_t size;
	FILE *stream = open_memstream(&expected, &size);

	for (int i = 0; i < 500; i++) {
		rates[i] = (struct spec_throttle_device){8, i, (uint64_t)i};
		fprintf(stream, "blkio.throttle.read_bps_device 8:%d %d\n", i, i);
	}
	fclose(stream);
	assert_settings(host, &resources, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(nothing_asked_is_nothing_written),
	    test(memory_v1),
	    test(memory_without_swap_leaves_swap_alone),
	    test(unlimited_memory_v1),
	    test(memory_v2),
	    test(what_v2_does_not_know_is_left_out_as_runc_does),
	    test(bad_memory_is_refused),
	    test(swap_without_a_limit_is_refused_on_v2),
	    test(without_swap_accounting_only_a_limit_on_swap_is_refused),
	    test(without_swap_accounting_on_v2),
	    test(cpu_v1),
	    test(an_idle_cgroup_has_no_shares),
	    test(shares_that_the_kernel_would_change_are_refused),
	    test(a_missing_cpu_file_is_named_when_it_is_needed),
	    test(cpu_v2),
	    test(a_quota_or_a_period_that_v2_cannot_take_is_named),
	    test(cpusets),
	    test(pids),
	    test(huge_pages),
	    test(on_a_hybrid_host_a_limit_in_the_v2_tree_is_refused),
	    test(a_missing_controller_is_named_with_the_field),
	    test(many_settings_are_all_kept),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
