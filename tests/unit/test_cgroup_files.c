/* SPDX-License-Identifier: Apache-2.0 */
/* A container's cgroup files: read, and written with limits that the kernel takes. */
#include "test_cgroup.h"

/* ---- files ---- */

static void reads(const struct box *box)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	const char *controller = box->layout->mode == CGROUP_UNIFIED ? "" : "freezer";

	if (!cgroup_find(box->layout, controller))
		return;
	text = cgroup_read(box->layout, box->path, controller,
			   *controller ? "freezer.state" : "cgroup.freeze", &err);
	assert_string_equal(text, *controller ? "THAWED" : "0");
	assert_null(cgroup_read(box->layout, box->path, controller, "none", &err));
	assert_int_equal(err.errnum, ENOENT);
	assert_non_null(strstr(err.message, "none of cgroup "));
	error_clear(&err);
	assert_null(cgroup_read(box->layout, box->path, "nonsense", "x", &err));
	assert_non_null(strstr(err.message, "no nonsense cgroup controller"));
	error_clear(&err);
}

static void a_file_is_read_without_its_newline(void **state)
{
	(void)state;
	on_every_layout(reads);
}

static void apply(const struct box *box, const struct spec_resources *resources)
{
	struct cgroup_settings settings;

	ok(cgroup_settings_from_resources(box->layout, resources, &settings, &oops));
	ok(cgroup_apply(box->layout, box->path, &settings, &oops));
	cgroup_settings_free(&settings);
}

static void assert_file(const struct box *box, const char *controller, const char *file,
			const char *expected)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = cgroup_read(box->layout, box->path, controller, file, &err);

	if (!text)
		fail_msg("%s", error_text(&err));
	assert_string_equal(text, expected);
}

static void applies(const struct box *box)
{
	const struct cgroup_hierarchy *memory = cgroup_find(box->layout, "memory");
	struct error err = ERROR_INIT;
	struct cgroup_settings settings;
	struct spec_resources resources = {0};

	if (!memory || memory->unified || !cgroup_find(box->layout, "cpu"))
		return;
	/* Up and down: each time another of the two has to be first. */
	for (int i = 0; i < 4; i++) {
		long megabytes = i % 2 ? 8 : 64;
		char expected[32];

		resources.memory.limit = (struct spec_i64){true, megabytes << 20};
		resources.memory.swap = (struct spec_i64){true, (megabytes + 1) << 20};
		resources.cpu.period = (struct spec_u64){true, i % 2 ? 1000 : 1000000};
		resources.cpu.quota = (struct spec_i64){true, i % 2 ? 1000 : 900000};
		resources.cpu.burst = (struct spec_u64){true, i % 2 ? 500 : 800000};
		apply(box, &resources);
		snprintf(expected, sizeof(expected), "%ld", megabytes << 20);
		assert_file(box, "memory", "memory.limit_in_bytes", expected);
		assert_file(box, "cpu", "cpu.cfs_quota_us", i % 2 ? "1000" : "900000");
		assert_file(box, "cpu", "cpu.cfs_burst_us", i % 2 ? "500" : "800000");
	}
	resources = (struct spec_resources){.memory = {.limit = {true, -1}}};
	apply(box, &resources);
	assert_file(box, "memory", "memory.memsw.limit_in_bytes", "9223372036854771712");
	resources = (struct spec_resources){.cpu = {.period = {true, 5}}};
	ok(cgroup_settings_from_resources(box->layout, &resources, &settings, &oops));
	assert_int_equal(cgroup_apply(box->layout, box->path, &settings, &err), -1);
	assert_non_null(strstr(err.message, "can't write \"5\" to cpu.cfs_period_us of cgroup "));
	assert_int_equal(err.errnum, EINVAL);
	error_clear(&err);
	cgroup_settings_free(&settings);
}

static void limits_change_in_either_direction(void **state)
{
	(void)state;
	on_every_layout(applies);
}

/* Writes what linux.resources comes to line by line, as LXC will. */
static void write_all(const struct box *box, const struct spec_resources *resources)
{
	struct cgroup_settings settings;

	ok(cgroup_settings_from_resources(box->layout, resources, &settings, &oops));
	if (cgroup_find(box->layout, "devices"))
		ok(cgroup_settings_add_devices(box->layout, resources, &settings, &oops));
	for (size_t i = 0; i < settings.count; i++) {
		char file[PATH_MAX];

		file_of(cgroup_find(box->layout, settings.items[i].controller), box->path,
			settings.items[i].file, file);
		write_text(file, settings.items[i].value);
	}
	cgroup_settings_free(&settings);
}

static void writes_v1(const struct box *box)
{
	struct spec_device_rule rules[] = {
	    {.allow = false, .type = 'a'},
	    {true, 'c', {true, 10}, {true, 200}, (char *)"rwm"},
	    {true, 'a', {true, 42}, {false, 0}, (char *)"r"},
	};
	struct spec_resources resources = {
	    .devices_count = ARRAY_SIZE(rules),
	    .devices = rules,
	    .memory = {.limit = {true, 64 << 20},
		       .swap = {true, 64 << 20},
		       .reservation = {true, 32 << 20},
		       .kernel = {true, 32 << 20},
		       .kernel_tcp = {true, 32 << 20},
		       .swappiness = {true, 10},
		       .disable_oom_killer = {true, true}},
	    .cpu = {.shares = {true, 512},
		    .period = {true, 100000},
		    .quota = {true, 50000},
		    .burst = {true, 1000},
		    .cpus = (char *)"0",
		    .mems = (char *)"0"},
	    .block_io = {.weight = {true, 500}},
	    .pids_limit = {true, 50},
	};

	write_all(box, &resources);
	assert_file(box, "devices", "devices.list",
		    "c 10:200 rwm\nb 42:* r\nc 42:* r\nc *:* m\nb *:* m\nc 1:3 rwm\nc 1:8 rwm\n"
		    "c 1:7 rwm\nc 5:0 rwm\nc 1:5 rwm\nc 1:9 rwm\nc 136:* rwm\nc 5:2 rwm");
	assert_file(box, "memory", "memory.memsw.limit_in_bytes", "67108864");
	assert_file(box, "cpu", "cpu.cfs_burst_us", "1000");
	assert_file(box, "pids", "pids.max", "50");
}

static void writes_v2(const struct box *box)
{
	struct spec_resources resources = {
	    .memory = {.limit = {true, 64 << 20},
		       .swap = {true, 96 << 20},
		       .reservation = {true, 32 << 20},
		       .swappiness = {true, 10}},
	    .cpu = {.shares = {true, 1024},
		    .period = {true, 100000},
		    .quota = {true, 50000},
		    .burst = {true, 1000}},
	    .pids_limit = {true, 50},
	};
	const struct cgroup_hierarchy *unified = cgroup_find(box->layout, "");
	char file[PATH_MAX];

	file_of(unified, box->path, "cpuset.cpus", file);
	if (access(file, F_OK) == 0)
		resources.cpu.cpus = resources.cpu.mems = (char *)"0";
	file_of(unified, box->path, "io.weight", file);
	if (access(file, F_OK) == 0)
		resources.block_io.weight = (struct spec_u64){true, 500};
	write_all(box, &resources);
	assert_file(box, "memory", "memory.max", "67108864");
	assert_file(box, "memory", "memory.low", "33554432");
	assert_file(box, "cpu", "cpu.weight", "39");
	assert_file(box, "cpu", "cpu.max", "50000 100000");
	assert_file(box, "cpu", "cpu.max.burst", "1000");
	assert_file(box, "pids", "pids.max", "50");
	/* The period that an update does not name stays. */
	resources = (struct spec_resources){.cpu = {.period = {true, 50000}}};
	apply(box, &resources);
	resources = (struct spec_resources){.cpu = {.quota = {true, 20000}}};
	apply(box, &resources);
	assert_file(box, "cpu", "cpu.max", "20000 50000");
}

/* Everything that this kernel has is really taken by it. */
static void writes_all(const struct box *box)
{
	const struct cgroup_hierarchy *unified = cgroup_find(box->layout, "");
	char file[PATH_MAX];

	if (box->layout->mode != CGROUP_UNIFIED) {
		if (cgroup_find(box->layout, "memory") && cgroup_find(box->layout, "devices"))
			writes_v1(box);
		return;
	}
	/* Whether controllers are switched on is the host's affair. */
	file_of(unified, box->path, "memory.max", file);
	if (access(file, F_OK) == 0)
		writes_v2(box);
	else
		print_message("no limits on v2: the controllers are not switched on here\n");
}

static void the_kernel_takes_every_setting(void **state)
{
	(void)state;
	on_every_layout(writes_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_file_is_read_without_its_newline),
	    test(limits_change_in_either_direction),
	    test(the_kernel_takes_every_setting),
	};

	return cmocka_run_group_tests(tests, find_layouts, free_layouts);
}
