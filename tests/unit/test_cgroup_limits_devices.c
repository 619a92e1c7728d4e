/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources.blockIO and .devices: exactly what is written, in its order. */
#include "test_cgroup_limits.h"

#include <sched.h>
#include <sys/wait.h>

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

static char *devices_text(const struct host *host, const struct spec_resources *resources,
			  struct error *err)
{
	struct cgroup_settings settings = {.arena = ARENA_INIT};
	char *text = NULL;
	size_t size;
	FILE *stream;

	if (cgroup_settings_add_devices(&host->layout, resources, &settings, err) == 0) {
		stream = open_memstream(&text, &size);
		for (size_t i = 0; i < settings.count; i++) {
			const struct cgroup_setting *item = &settings.items[i];

			assert_string_equal(item->controller, "devices");
			assert_int_equal(item->unified, host->layout.mode == CGROUP_UNIFIED);
			fprintf(stream, "%s %s\n", item->file + strlen("devices."), item->value);
		}
		fclose(stream);
	}
	cgroup_settings_free(&settings);
	return text;
}

/* One line for each setting: allow or deny, and the value. */
static void assert_devices(const struct host *host, const struct spec_resources *resources,
			   const char *expected)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = devices_text(host, resources, &err);

	if (!text)
		fail_msg("%s", error_text(&err));
	assert_string_equal(text, expected);
}

static void assert_devices_refused(const struct host *host, const struct spec_resources *resources,
				   const char *message)
{
	struct error err = ERROR_INIT;

	assert_null(devices_text(host, resources, &err));
	assert_string_equal(err.message, message);
	error_clear(&err);
}

#define RULES(...)                                                                                 \
	(const struct spec_resources)                                                              \
	{                                                                                          \
		.devices_count = ARRAY_SIZE(((struct spec_device_rule[]){__VA_ARGS__})),           \
		.devices = (struct spec_device_rule[]){__VA_ARGS__},                               \
	}
/* clang-format off */
#define RULE(allow, type, major, minor, access)                                                    \
	{allow, type, {(major) >= 0, major}, {(minor) >= 0, minor}, (char *)(access)}
/* clang-format on */
#define DENY_ALL RULE(false, 'a', -1, -1, "rwm")
#define ALLOW_ALL RULE(true, 'a', -1, -1, "rwm")

#define ALWAYS                                                                                     \
	"allow c *:* m\n"                                                                          \
	"allow b *:* m\n"                                                                          \
	"allow c 1:3 rwm\n"                                                                        \
	"allow c 1:8 rwm\n"                                                                        \
	"allow c 1:7 rwm\n"                                                                        \
	"allow c 5:0 rwm\n"                                                                        \
	"allow c 1:5 rwm\n"                                                                        \
	"allow c 1:9 rwm\n"                                                                        \
	"allow c 136:* rwm\n"                                                                      \
	"allow c 5:2 rwm\n"                                                                        \
	"allow c 10:200 rwm\n"

static void without_a_rule_only_the_usual_devices_are_allowed(void **state)
{
	struct host *host = v1(state);
	const struct spec_resources none = {0};

	assert_devices(host, &none, "deny a\n" ALWAYS);
	host->layout.mode = CGROUP_UNIFIED;
	add_hierarchy(host, true, "memory", "memory.max");
	assert_devices(host, &none, "deny a\n" ALWAYS);
}

static void a_list_need_not_begin_with_a_deny(void **state)
{
	struct host *host = v1(state);

	assert_devices(host, &RULES(RULE(true, 'c', 10, 229, "rw")),
		       "deny a\nallow c 10:229 rw\n" ALWAYS);
	assert_devices(host, &RULES(RULE(false, 'c', 10, 229, "rw")), "deny a\n" ALWAYS);
}

static void rules_are_applied_in_their_order_and_the_usual_ones_follow(void **state)
{
	struct host *host = v1(state);
	/* Docker's, and more. */
	const struct spec_resources resources =
	    RULES(DENY_ALL, RULE(true, 'c', 1, 5, "rwm"), RULE(true, 'c', 137, -1, "rw"),
		  RULE(true, 'b', 7, -1, NULL), RULE(true, 'c', 10, 229, "rw"),
		  RULE(false, 'c', 10, 229, "w"), RULE(true, 'c', 137, -1, "m"),
		  RULE(true, 'b', 8, 1, "r"), RULE(false, 'b', 8, -1, "rwm"));

	/* What a later rule takes back isn't there, and what it adds is with the earlier one. */
	assert_devices(host, &resources,
		       "deny a\n"
		       "allow c 1:5 rwm\n"
		       "allow c 137:* rwm\n"
		       "allow b 7:* rwm\n"
		       "allow c 10:229 r\n"
		       "allow c *:* m\n"
		       "allow b *:* m\n"
		       "allow c 1:3 rwm\n"
		       "allow c 1:8 rwm\n"
		       "allow c 1:7 rwm\n"
		       "allow c 5:0 rwm\n"
		       "allow c 1:9 rwm\n"
		       "allow c 136:* rwm\n"
		       "allow c 5:2 rwm\n"
		       "allow c 10:200 rwm\n");
}

static void where_everything_is_allowed_nothing_need_be_added(void **state)
{
	struct host *host = v1(state);

	assert_devices(host, &RULES(ALLOW_ALL), "allow a\n");
	/* A privileged container of Docker 26. */
	assert_devices(host, &RULES(DENY_ALL, RULE(true, 'a', -1, -1, "mrw")), "allow a\n");
	/* What is denied then, but for the usual ones. */
	assert_devices(host,
		       &RULES(ALLOW_ALL, RULE(false, 'c', 10, 229, "mw"),
			      RULE(false, 'c', 1, 3, "rwm"), RULE(false, 'b', -1, -1, "rwm"),
			      RULE(true, 'c', 10, 229, "m")),
		       "allow a\ndeny c 10:229 w\ndeny b *:* rwm\n");
	assert_devices(host, &RULES(ALLOW_ALL, RULE(false, 'b', 8, 0, "r"), DENY_ALL),
		       "deny a\n" ALWAYS);
}

static void a_narrow_rule_for_all_types_opens_no_more(void **state)
{
	struct host *host = v1(state);
	const struct spec_resources resources =
	    RULES(DENY_ALL, RULE(true, 'a', 42, 64, "r"), RULE(true, '\0', -1, -1, "r"),
		  RULE(true, 'a', 10, 200, "rwm"));
	static const char expected[] = "deny a\n"
				       "allow b 42:64 r\n"
				       "allow c 42:64 r\n"
				       "allow b *:* rm\n"
				       "allow c *:* rm\n"
				       "allow b 10:200 rwm\n"
				       "allow c 10:200 rwm\n"
				       "allow c 1:3 rwm\n"
				       "allow c 1:8 rwm\n"
				       "allow c 1:7 rwm\n"
				       "allow c 5:0 rwm\n"
				       "allow c 1:5 rwm\n"
				       "allow c 1:9 rwm\n"
				       "allow c 136:* rwm\n"
				       "allow c 5:2 rwm\n";

	assert_devices(host, &resources, expected);
	host->layout.mode = CGROUP_UNIFIED;
	add_hierarchy(host, true, "memory", "memory.max");
	assert_devices(host, &resources, expected);
}

static void a_hole_that_no_list_can_hold_is_refused(void **state)
{
	struct host *host = v1(state);
#define HOLE ": a cgroup's device list can't hold a hole in a range"
	const struct {
		struct spec_resources resources;
		const char *message;
	} cases[] = {
	    {RULES(DENY_ALL, RULE(true, 'c', 10, -1, "rwm"), RULE(false, 'c', 10, 229, "rm")),
	     "devices[2]: it denies \"c 10:229 rm\", a part of what devices[1] allows (\"c 10:* "
	     "rwm\")" HOLE},
	    {RULES(RULE(true, 'b', -1, 3, "r"), RULE(false, 'b', 8, -1, "r")),
	     "devices[1]: it denies \"b 8:* r\", a part of what devices[0] allows (\"b *:3 "
	     "r\")" HOLE},
	    {RULES(RULE(true, 'c', -1, -1, "rw"), RULE(false, 'a', 10, 229, NULL)),
	     "devices[1]: it denies \"c 10:229 rwm\", a part of what devices[0] allows (\"c *:* "
	     "rw\")" HOLE},
	    {RULES(ALLOW_ALL, RULE(false, 'b', -1, -1, "w"), RULE(true, 'b', 8, 0, "rw")),
	     "devices[2]: it allows \"b 8:0 rw\", a part of what devices[1] denies (\"b *:* "
	     "w\")" HOLE},
	    {RULES(ALLOW_ALL, RULE(false, 'c', 1, -1, "rwm")),
	     "devices[1]: it denies \"c 1:* rwm\", but every container may use \"c 1:3 rwm\"" HOLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[256];

		snprintf(message, sizeof(message), "linux.resources.%s", cases[i].message);
		assert_devices_refused(host, &cases[i].resources, message);
	}
	/* Another access, or another type, is no hole. */
	assert_devices(host,
		       &RULES(RULE(true, 'c', 10, -1, "r"), RULE(false, 'c', 10, 229, "w"),
			      RULE(false, 'b', 10, 229, "r")),
		       "deny a\nallow c 10:* r\n" ALWAYS);
}

/* LXC's program can't tell opening for writing from opening for both. */
static void on_v2_reading_and_writing_are_denied_together(void **state)
{
	struct host *host = v2(state);

	assert_devices_refused(
	    host, &RULES(ALLOW_ALL, RULE(false, 'b', 8, 0, "rw"), RULE(false, 'c', 10, 229, "w")),
	    "linux.resources.devices[2]: with cgroup v2, where all else is allowed, "
	    "reading and writing can only be denied together (\"c 10:229 w\")");
	assert_devices(
	    host, &RULES(ALLOW_ALL, RULE(false, 'b', 8, 0, "rw"), RULE(false, 'c', 10, 229, "m")),
	    "allow a\ndeny b 8:0 rw\ndeny c 10:229 m\n");
	/* LXC reads an int, and no device has such a number. */
	assert_devices(host, &RULES(RULE(true, 'c', 4000000000, 1, "rw")), "deny a\n" ALWAYS);
}

static void bad_device_rules_are_refused(void **state)
{
	struct host *host = v1(state);

	assert_devices_refused(
	    host, &RULES(RULE(true, 'c', 1, 1, "rx")),
	    "linux.resources.devices[0].access: \"rx\" is not made of r, w and m");
	assert_devices_refused(host, &RULES(DENY_ALL, RULE(true, 'p', 1, 1, "r")),
			       "linux.resources.devices[1].type: 'p' is none of a, b and c");
}

static void a_host_without_the_controller_is_no_host_without_rules(void **state)
{
	struct host *host = *state;
	const struct spec_resources none = {0};

	host->layout.mode = CGROUP_LEGACY;
	add_hierarchy(host, false, "memory", memory_files);
	assert_devices_refused(
	    host, &none, "linux.resources.devices: no devices cgroup controller on this host");
	/* Not v2's either: LXC makes no program where there is v1. */
	host->layout.mode = CGROUP_HYBRID;
	add_hierarchy(host, true, "pids", "pids.max");
	assert_devices_refused(
	    host, &none, "linux.resources.devices: no devices cgroup controller on this host");
}

/* There the kernel takes none, and lets nobody make a device. */
static void in_a_user_namespace_no_rules_are_set(void **state)
{
	struct host *host = v1(state);
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct error err = ERROR_INIT;
		const struct spec_resources none = {0};
		const char *text;

		if (unshare(CLONE_NEWUSER))
			_exit(77);
		text = devices_text(host, &none, &err);
		_exit(text && *text == '\0' ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("needs user namespaces\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void limits_and_an_update_leave_device_rules_alone(void **state)
{
	struct host *host = v1(state);

	assert_settings(host, &RULES(DENY_ALL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(block_io_v1),
	    test(the_weight_goes_to_the_scheduler_that_the_kernel_has),
	    test(block_io_v2),
	    test(without_a_rule_only_the_usual_devices_are_allowed),
	    test(a_list_need_not_begin_with_a_deny),
	    test(rules_are_applied_in_their_order_and_the_usual_ones_follow),
	    test(where_everything_is_allowed_nothing_need_be_added),
	    test(a_narrow_rule_for_all_types_opens_no_more),
	    test(a_hole_that_no_list_can_hold_is_refused),
	    test(on_v2_reading_and_writing_are_denied_together),
	    test(bad_device_rules_are_refused),
	    test(a_host_without_the_controller_is_no_host_without_rules),
	    test(in_a_user_namespace_no_rules_are_set),
	    test(limits_and_an_update_leave_device_rules_alone),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
