/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as properties of a unit of systemd's. */
#include "test_cgroup_limits.h"

static void write_value(FILE *out, const struct variant *value)
{
	if (value->type == 's')
		fprintf(out, " %s", value->text);
	else if (value->type != 'a' && value->type != '(')
		fprintf(out, " %lld", (long long)value->number);
	for (size_t i = 0; i < value->count; i++)
		write_value(out, &value->items[i]);
}

/* One line for each property: NAME VALUE... */
static void assert_properties(const struct host *host, const struct cgroup_settings *settings,
			      const char *expected)
{
	cleanup_properties struct properties properties = PROPERTIES_INIT;
	struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out;

	if (cgroup_properties(&host->layout, NULL, settings, &properties, &err) < 0)
		fail_msg("%s", error_text(&err));
	out = open_memstream(&text, &size);
	for (size_t i = 0; i < properties.count; i++) {
		fprintf(out, "%s", properties.items[i].name);
		write_value(out, &properties.items[i].value);
		fprintf(out, "\n");
	}
	fclose(out);
	assert_string_equal(text, expected);
}

static void assert_limits(const struct host *host, const struct spec_resources *resources,
			  const char *expected)
{
	struct cgroup_settings settings = {0};
	struct error err = ERROR_INIT;

	if (cgroup_settings_from_resources(&host->layout, resources, &settings, &err) < 0)
		fail_msg("%s", error_text(&err));
	assert_properties(host, &settings, expected);
	cgroup_settings_free(&settings);
}

static void assert_devices(const struct host *host, size_t count, struct spec_device_rule *rules,
			   const char *expected)
{
	const struct spec_resources resources = {.devices_count = count, .devices = rules};
	struct cgroup_settings settings = {0};
	struct error err = ERROR_INIT;

	if (cgroup_settings_add_devices(&host->layout, &resources, &settings, &err) < 0)
		fail_msg("%s", error_text(&err));
	assert_properties(host, &settings, expected);
	cgroup_settings_free(&settings);
}

/* ---- limits ---- */

static const struct spec_resources many = {
    .memory = {.limit = I64(MB(64)), .reservation = I64(MB(32)), .swap = I64(MB(96))},
    .cpu = {.shares = U64(512),
	    .quota = I64(25000),
	    .period = U64(50000),
	    .cpus = (char *)"0-2,9",
	    .mems = (char *)"0"},
    .pids_limit = I64(50),
};

static void limits_on_v2(void **state)
{
	assert_limits(v2(state), &many,
		      "MemoryMax 67108864\n"
		      "MemoryLow 33554432\n"
		      "MemorySwapMax 33554432\n"
		      "CPUWeight 20\n"
		      "TasksMax 50\n"
		      "AllowedCPUs 7 2\n"
		      "AllowedMemoryNodes 1\n"
		      "CPUQuotaPeriodUSec 50000\n"
		      "CPUQuotaPerSecUSec 500000\n");
}

static void limits_on_v1(void **state)
{
	assert_limits(v1(state), &many,
		      "MemoryLimit 67108864\n"
		      "CPUShares 512\n"
		      "TasksMax 50\n"
		      "AllowedCPUs 7 2\n"
		      "AllowedMemoryNodes 1\n"
		      "CPUQuotaPeriodUSec 50000\n"
		      "CPUQuotaPerSecUSec 500000\n");
}

static void no_limit_is_infinity(void **state)
{
	const struct spec_resources resources = {
	    .memory = {.limit = I64(-1), .swap = I64(-1)},
	    .cpu = {.quota = I64(-1)},
	    .pids_limit = I64(-1),
	};

	assert_limits(v2(state), &resources,
		      "MemoryMax -1\n"
		      "MemorySwapMax -1\n"
		      "TasksMax -1\n"
		      "CPUQuotaPeriodUSec 100000\n"
		      "CPUQuotaPerSecUSec -1\n");
}

static void a_quota_is_rounded_up_to_a_percent(void **state)
{
	struct host *host = v2(state);
	struct spec_resources resources = {.cpu = {.quota = I64(12345), .period = U64(100000)}};

	assert_limits(host, &resources, "CPUQuotaPeriodUSec 100000\nCPUQuotaPerSecUSec 130000\n");
	resources.cpu.quota.value = 13000;
	assert_limits(host, &resources, "CPUQuotaPeriodUSec 100000\nCPUQuotaPerSecUSec 130000\n");
}

static void unified_files_that_systemd_knows(void **state)
{
	struct spec_pair files[] = {
	    {(char *)"memory.high", (char *)"1048576"},
	    {(char *)"memory.min", (char *)"max"},
	    {(char *)"cpu.max", (char *)"20000 40000"},
	    {(char *)"memory.oom.group", (char *)"1"},
	};
	const struct spec_resources resources = {.unified = {4, files}};

	assert_limits(v2(state), &resources,
		      "MemoryHigh 1048576\n"
		      "MemoryMin -1\n"
		      "CPUQuotaPeriodUSec 40000\n"
		      "CPUQuotaPerSecUSec 500000\n");
}

static void nothing_asked_for_is_nothing_set(void **state)
{
	assert_limits(v2(state), &(struct spec_resources){0}, "");
}

/* ---- devices ---- */

#define ALWAYS                                                                                     \
	" char-* m block-* m /dev/char/1:3 rwm /dev/char/1:8 rwm /dev/char/1:7 rwm /dev/char/5:0 " \
	"rwm /dev/char/1:5 rwm /dev/char/1:9 rwm char-pts rwm /dev/char/5:2 rwm /dev/char/10:200 " \
	"rwm\n"
#define ANY                                                                                        \
	{                                                                                          \
		false, 0                                                                           \
	}

static void devices_that_are_allowed(void **state)
{
	struct spec_device_rule rules[] = {
	    {.allow = false, .access = (char *)"rwm"},
	    {true, 'c', I64(10), I64(229), (char *)"rw"},
	};

	assert_devices(v2(state), 2, rules,
		       "DevicePolicy strict\n"
		       "DeviceAllow\n"
		       "DeviceAllow /dev/char/10:229 rw" ALWAYS);
}

static void everything_allowed_is_no_policy(void **state)
{
	struct spec_device_rule rules[] = {{.allow = true, .access = (char *)"rwm"}};

	assert_devices(v2(state), 1, rules, "DevicePolicy auto\nDeviceAllow\n");
}

/* systemd has no word for "this minor number of any driver". */
static struct spec_device_rule inexpressible[] = {
    {.allow = false, .access = (char *)"rwm"},
    {true, 'c', ANY, I64(5), (char *)"r"},
};

static void on_v2_systemd_never_forbids_what_a_rule_allows(void **state)
{
	assert_devices(v2(state), 2, inexpressible, "DevicePolicy auto\nDeviceAllow\n");
}

static void on_v1_systemd_never_allows_what_a_rule_forbids(void **state)
{
	struct spec_device_rule most[] = {
	    {.allow = true, .access = (char *)"rwm"},
	    {false, 'c', I64(10), I64(229), (char *)"rwm"},
	};
	struct host *host = v1(state);

	assert_devices(host, 2, inexpressible,
		       "DevicePolicy strict\nDeviceAllow\nDeviceAllow" ALWAYS);
	assert_devices(host, 2, most, "DevicePolicy strict\nDeviceAllow\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(limits_on_v2),
	    test(limits_on_v1),
	    test(no_limit_is_infinity),
	    test(a_quota_is_rounded_up_to_a_percent),
	    test(unified_files_that_systemd_knows),
	    test(nothing_asked_for_is_nothing_set),
	    test(devices_that_are_allowed),
	    test(everything_allowed_is_no_policy),
	    test(on_v2_systemd_never_forbids_what_a_rule_allows),
	    test(on_v1_systemd_never_allows_what_a_rule_forbids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
