/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources.blockIO and .devices: exactly what is written, in its order. */
#include "test_cgroup_limits.h"

/* ---- block devices ---- */

static void block_io_v1(void **state)
{
	struct host *host = v1(state);
	struct spec_weight_device weights[] = {
	    {8, 0, .weight = U64(500), .leaf_weight = U64(300)},
	    {8, 16, .weight = U64(0)},
	};
	struct spec_throttle_device rates[] = {{8, 0, 1048576}, {8, 16, 0}};
	struct spec_resources resources = {
	    .block_io = {.weight = U64(100),
			 .leaf_weight = U64(200),
			 .weight_device_count = 2,
			 .weight_device = weights,
			 .read_bps = {2, rates},
			 .write_bps = {1, rates},
			 .read_iops = {1, rates},
			 .write_iops = {1, rates}},
	};

	assert_settings(host, &resources,
			"blkio.weight 100\n"
			"blkio.leaf_weight 200\n"
			"blkio.weight_device 8:0 500\n"
			"blkio.leaf_weight_device 8:0 300\n"
			"blkio.throttle.read_bps_device 8:0 1048576\n"
			"blkio.throttle.read_bps_device 8:16 0\n"
			"blkio.throttle.write_bps_device 8:0 1048576\n"
			"blkio.throttle.read_iops_device 8:0 1048576\n"
			"blkio.throttle.write_iops_device 8:0 1048576\n");
}

static void the_weight_goes_to_the_scheduler_that_the_kernel_has(void **state)
{
	struct host *host = v1(state);
	struct spec_weight_device weight = {8, 0, .weight = U64(500)};
	struct spec_resources resources = {
	    .block_io = {.weight = U64(100), .weight_device_count = 1, .weight_device = &weight},
	};

	drop_file(host, "blkio/blkio.weight");
	assert_refused(host, &resources,
		       "linux.resources.blockIO.weight: this kernel has no blkio.weight and no "
		       "blkio.bfq.weight");
	add_files(host, "blkio", "blkio.bfq.io_service_bytes");
	assert_settings(host, &resources,
			"blkio.bfq.weight 100\nblkio.bfq.weight_device 8:0 500\n");
	resources.block_io.weight.value = 9;
	assert_refused(host, &resources,
		       "linux.resources.blockIO.weight: 9 is not from 10 to 1000");
	drop_file(host, "blkio/blkio.leaf_weight");
	resources = (struct spec_resources){.block_io = {.leaf_weight = U64(100)}};
	assert_refused(host, &resources,
		       "linux.resources.blockIO.leafWeight: this kernel has no blkio.leaf_weight");
}

static void block_io_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_weight_device weight = {8, 0, .weight = U64(1000)};
	struct spec_throttle_device rates[] = {{8, 0, 1048576}, {8, 16, 0}};
	struct spec_resources resources = {
	    .block_io = {.weight = U64(10),
			 .weight_device_count = 1,
			 .weight_device = &weight,
			 .read_bps = {2, rates},
			 .write_bps = {1, rates},
			 .read_iops = {1, rates},
			 .write_iops = {1, rates}},
	};

	assert_settings(host, &resources,
			"v2 io.weight 1\n"
			"v2 io.weight 8:0 10000\n"
			"v2 io.max 8:0 rbps=1048576\n"
			"v2 io.max 8:16 rbps=max\n"
			"v2 io.max 8:0 wbps=1048576\n"
			"v2 io.max 8:0 riops=1048576\n"
			"v2 io.max 8:0 wiops=1048576\n");
	resources = (struct spec_resources){.block_io = {.weight = U64(100)}};
	add_files(host, "unified/system.slice", "io.bfq.weight");
	assert_settings(host, &resources, "v2 io.bfq.weight 100\n");
	drop_file(host, "unified/system.slice/io.bfq.weight");
	drop_file(host, "unified/system.slice/io.weight");
	assert_refused(host, &resources,
		       "linux.resources.blockIO.weight: this kernel has no io.weight and no "
		       "io.bfq.weight");
	resources = (struct spec_resources){.block_io = {.leaf_weight = U64(100)}};
	assert_refused(host, &resources,
		       "linux.resources.blockIO.leafWeight: cgroup v2 has no leaf weights");
}

/* ---- devices ---- */

#define ALWAYS                                                                                     \
	"devices.allow c *:* m\n"                                                                  \
	"devices.allow b *:* m\n"                                                                  \
	"devices.allow c 1:3 rwm\n"                                                                \
	"devices.allow c 1:8 rwm\n"                                                                \
	"devices.allow c 1:7 rwm\n"                                                                \
	"devices.allow c 5:0 rwm\n"                                                                \
	"devices.allow c 1:5 rwm\n"                                                                \
	"devices.allow c 1:9 rwm\n"                                                                \
	"devices.allow c 136:* rwm\n"                                                              \
	"devices.allow c 5:2 rwm\n"

static void device_rules_keep_their_order_and_the_defaults_follow(void **state)
{
	struct host *host = v1(state);
	/* Docker's. */
	struct spec_device_rule rules[] = {
	    {.allow = false, .type = 'a', .access = (char *)"rwm"},
	    {true, 'c', I64(1), I64(5), (char *)"rwm"},
	    {true, 'c', I64(136), .access = (char *)"rw"},
	    {true, 'b', I64(7), I64(-1), NULL},
	    {false, 'c', I64(10), I64(229), (char *)"rwm"},
	};
	struct spec_resources resources = {.devices_count = 5, .devices = rules};

	assert_settings(host, &resources,
			"devices.deny a *:* rwm\n"
			"devices.allow c 1:5 rwm\n"
			"devices.allow c 136:* rw\n"
			"devices.allow b 7:* rwm\n"
			"devices.deny c 10:229 rwm\n" ALWAYS);
}

static void where_everything_is_allowed_no_defaults_follow(void **state)
{
	struct host *host = v1(state);
	/* A privileged container of Docker 26. */
	struct spec_device_rule rules[] = {
	    {.allow = false, .type = 'a'},
	    {.allow = true, .type = 'a', .access = (char *)"mrw"},
	};
	struct spec_resources resources = {.devices_count = 2, .devices = rules};

	assert_settings(host, &resources, "devices.deny a *:* rwm\ndevices.allow a *:* mrw\n");
}

static void a_narrow_rule_for_all_types_opens_no_more(void **state)
{
	struct host *host = v1(state);
	struct spec_device_rule rules[] = {
	    {.allow = false, .type = 'a'},
	    {true, 'a', I64(42), I64(64), (char *)"r"},
	    {true, 'a', .access = (char *)"r"},
	};
	struct spec_resources resources = {.devices_count = 3, .devices = rules};

	assert_settings(host, &resources,
			"devices.deny a *:* rwm\n"
			"devices.allow b 42:64 r\n"
			"devices.allow c 42:64 r\n"
			"devices.allow b *:* r\n"
			"devices.allow c *:* r\n" ALWAYS);
}

static void bad_device_rules_are_refused(void **state)
{
	struct host *host = v1(state);
	struct spec_device_rule rule = {.allow = true, .type = 'c', .access = (char *)"rx"};
	struct spec_resources resources = {.devices_count = 1, .devices = &rule};

	assert_refused(host, &resources,
		       "linux.resources.devices[0].access: \"rx\" is not made of r, w and m");
	rule.access = NULL;
	rule.type = 'p';
	assert_refused(host, &resources,
		       "linux.resources.devices[0].type: 'p' is none of a, b and c");
}

static void on_v2_device_rules_are_not_files(void **state)
{
	struct host *host = v2(state);
	struct spec_device_rule rule = {.allow = false, .type = 'a'};
	struct spec_resources resources = {.devices_count = 1, .devices = &rule};

	assert_settings(host, &resources, "");
	assert_null(cgroup_find(&host->layout, "devices"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(block_io_v1),
	    test(the_weight_goes_to_the_scheduler_that_the_kernel_has),
	    test(block_io_v2),
	    test(device_rules_keep_their_order_and_the_defaults_follow),
	    test(where_everything_is_allowed_no_defaults_follow),
	    test(a_narrow_rule_for_all_types_opens_no_more),
	    test(bad_device_rules_are_refused),
	    test(on_v2_device_rules_are_not_files),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
