/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a container that is there: what an update writes, and what would bring back what was.
 */
#include "test_cgroup_limits.h"

static const struct spec_resources nothing;

/* The container's file says so. */
static void says(const struct host *host, const char *hierarchy, const char *file, const char *text)
{
	char path[256];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s/box", host->base, hierarchy);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/box/%s", host->base, hierarchy, file);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fprintf(stream, "%s\n", text);
	fclose(stream);
}

static void assert_says(const struct host *host, const char *hierarchy, const char *file,
			const char *expected)
{
	char path[256], text[256] = "";
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s/box/%s", host->base, hierarchy, file);
	stream = fopen(path, "r");
	assert_non_null(stream);
	text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
	fclose(stream);
	assert_string_equal(text, expected);
}

static void for_update(const struct host *host, const struct spec_resources *changes,
		       const struct spec_resources *asked, struct cgroup_settings *settings)
{
	struct error err = ERROR_INIT;

	if (cgroup_settings_for_update(&host->layout, "/box", changes, asked, settings, &err))
		fail_msg("%s", error_text(&err));
}

/* One line for each setting: FILE VALUE. */
static void assert_update(const struct host *host, const struct spec_resources *changes,
			  const struct spec_resources *asked, const char *expected)
{
	struct cgroup_settings settings;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	for_update(host, changes, asked, &settings);
	for (size_t i = 0; i < settings.count; i++)
		fprintf(stream, "%s %s\n", settings.items[i].file, settings.items[i].value);
	fclose(stream);
	assert_string_equal(text, expected);
	cgroup_settings_free(&settings);
}

static void assert_update_refused(const struct host *host, const struct spec_resources *changes,
				  const struct spec_resources *asked, const char *expected)
{
	struct error err = ERROR_INIT;
	struct cgroup_settings settings;

	assert_int_equal(
	    cgroup_settings_for_update(&host->layout, "/box", changes, asked, &settings, &err), -1);
	assert_string_equal(error_text(&err), expected);
	error_clear(&err);
}

/* ---- what is written ---- */

static void a_period_alone_keeps_the_quota_of_now_on_v2(void **state)
{
	struct host *host = v2(state);
	struct spec_resources changes = {.cpu = {.period = U64(50000)}};

	says(host, "unified", "cpu.max", "20000 100000");
	assert_update(host, &changes, &nothing, "cpu.max 20000 50000\n");
	says(host, "unified", "cpu.max", "max 100000");
	assert_update(host, &changes, &nothing, "cpu.max max 50000\n");
	changes.cpu.quota = (struct spec_i64)I64(-1);
	says(host, "unified", "cpu.max", "20000 100000");
	assert_update(host, &changes, &nothing, "cpu.max max 50000\n");
}

static void memory_and_swap_are_completed_by_what_was_asked_for(void **state)
{
	struct host *host = v2(state);
	struct spec_resources asked = {.memory = {.limit = I64(MB(10)), .swap = I64(MB(30))}};
	struct spec_resources changes = {.memory = {.limit = I64(MB(20))}};

	says(host, "unified", "memory.max", "10485760");
	says(host, "unified", "memory.swap.max", "20971520");
	assert_update(host, &changes, &asked, "memory.swap.max 10485760\nmemory.max 20971520\n");
	assert_update(host, &changes, &nothing, "memory.max 20971520\n");
	changes.memory.limit.value = -1;
	assert_update(host, &changes, &asked, "memory.swap.max max\nmemory.max max\n");
	changes.memory.limit.value = MB(40);
	assert_update_refused(host, &changes, &asked,
			      "linux.resources.memory.swap: memory+swap limit should be >= memory "
			      "limit");
	changes = (struct spec_resources){.memory = {.swap = I64(MB(15))}};
	assert_update(host, &changes, &asked, "memory.swap.max 5242880\n");
	assert_update_refused(host, &changes, &nothing,
			      "linux.resources.memory.swap: unable to set swap limit without "
			      "memory limit");
	/* The other fields have nothing to do with that. */
	changes = (struct spec_resources){.memory = {.reservation = I64(MB(5))}};
	says(host, "unified", "memory.low", "0");
	assert_update(host, &changes, &asked, "memory.low 5242880\n");
}

static void v1_keeps_memory_and_swap_apart_by_itself(void **state)
{
	struct host *host = v1(state);
	struct spec_resources asked = {.memory = {.limit = I64(MB(10)), .swap = I64(MB(30))}};
	struct spec_resources changes = {.memory = {.limit = I64(MB(20))}};

	says(host, "memory", "memory.limit_in_bytes", "10485760");
	says(host, "memory", "memory.memsw.limit_in_bytes", "31457280");
	assert_update(host, &changes, &asked, "memory.limit_in_bytes 20971520\n");
	changes = (struct spec_resources){.memory = {.swap = I64(MB(20))}};
	assert_update(host, &changes, &asked, "memory.memsw.limit_in_bytes 20971520\n");
}

static void a_limit_below_the_usage_is_refused_where_that_is_asked_for(void **state)
{
	struct host *host = v2(state);
	struct spec_resources asked = {.memory = {.check_before_update = {true, true}}};
	struct spec_resources changes = {.memory = {.limit = I64(5000)}};

	says(host, "unified", "memory.max", "max");
	says(host, "unified", "memory.current", "5000");
	assert_update(host, &changes, &nothing, "memory.max 5000\n");
	assert_update_refused(host, &changes, &asked,
			      "linux.resources.memory.limit: rejecting memory limit 5000 <= usage "
			      "5000");
	changes.memory.check_before_update = (struct spec_bool){true, false};
	assert_update(host, &changes, &asked, "memory.max 5000\n");
	changes.memory.check_before_update.value = true;
	changes.memory.limit.value = 5001;
	assert_update(host, &changes, &nothing, "memory.max 5001\n");
}

static void a_file_that_the_container_lacks_is_named(void **state)
{
	struct host *host = v2(state);
	struct spec_resources changes = {.cpu = {.burst = U64(5)}};

	says(host, "unified", "cpu.max", "max 100000");
	assert_update_refused(host, &changes, &nothing,
			      "linux.resources.cpu.burst: this kernel has no cpu.max.burst");
}

/* ---- what brings it back ---- */

/* The value that undoes a setting, when the file says `text`. */
static void assert_before(struct host *host, const char *file, const char *value, const char *text,
			  const char *expected)
{
	struct cgroup_setting item = {.controller = (char *)"io",
				      .field = (char *)"x",
				      .file = (char *)file,
				      .value = (char *)value};
	struct cgroup_settings settings = {.arena = ARENA_INIT, .count = 1, .items = &item};
	struct error err = ERROR_INIT;

	says(host, "unified", file, text);
	assert_int_equal(cgroup_settings_save(&host->layout, "/box", &settings, &err), 0);
	if (expected)
		assert_string_equal(item.before, expected);
	else
		assert_null(item.before);
	arena_free(&settings.arena);
}

static void the_value_of_now_is_what_brings_it_back(void **state)
{
	static const char devices[] = "8:0 rbps=5 wbps=max riops=max wiops=max\n"
				      "8:16 rbps=7 wbps=max riops=max wiops=max";
	struct host *host = v2(state);

	assert_before(host, "pids.max", "5", "max", "max");
	assert_before(host, "cpu.max", "max", "500 1000", "500 1000");
	assert_before(host, "cpuset.cpus", "0", "", "\n");
	assert_before(host, "memory.oom_control", "1",
		      "oom_kill_disable 0\nunder_oom 0\noom_kill 0", "0");
	assert_before(host, "memory.oom_control", "1",
		      "oom_kill_disable 1\nunder_oom 0\noom_kill 0", "1");
	/* A device's line, or what takes it away where there was none. */
	assert_before(host, "io.max", "8:16 rbps=9", devices,
		      "8:16 rbps=7 wbps=max riops=max wiops=max");
	assert_before(host, "io.max", "8:1 rbps=9", devices,
		      "8:1 rbps=max wbps=max riops=max wiops=max");
	assert_before(host, "io.weight", "500", "default 100\n8:16 200", "default 100");
	assert_before(host, "io.weight", "8:16 500", "default 100\n8:16 200", "8:16 200");
	assert_before(host, "io.bfq.weight", "8:0 500", "default 100\n8:16 200", "8:0 default");
	assert_before(host, "blkio.throttle.read_bps_device", "8:0 5", "8:16 9", "8:0 0");
	assert_before(host, "blkio.throttle.read_bps_device", "8:16 5", "8:16 9", "8:16 9");
	assert_before(host, "rdma.max", "mlx5_1 hca_handle=1",
		      "mlx4_0 hca_handle=max hca_object=max\nmlx5_1 hca_handle=7 hca_object=max",
		      "mlx5_1 hca_handle=7 hca_object=max");
	assert_before(host, "net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3", "eth0 3");
	assert_before(host, "net_prio.ifpriomap", "eth1 5", "lo 0\neth0 3", NULL);
}

static void the_weight_of_an_idle_cgroup_comes_with_its_idleness(void **state)
{
	struct host *host = v2(state);

	says(host, "unified", "cpu.idle", "1");
	assert_before(host, "cpu.weight", "20", "0", NULL);
	says(host, "unified", "cpu.idle", "0");
	assert_before(host, "cpu.weight", "20", "39", "39");
}

static void what_was_written_is_put_back_and_nothing_else(void **state)
{
	struct host *host = v1(state);
	struct spec_resources changes = {.where = "it: ",
					 .cpu = {.shares = U64(3000)},
					 .memory = {.limit = I64(5000)},
					 .pids_limit = I64(50)};
	struct cgroup_settings settings;
	struct error err = ERROR_INIT;
	char message[200];

	says(host, "cpu", "cpu.shares", "1024");
	says(host, "memory", "memory.limit_in_bytes", "7000");
	snprintf(message, sizeof(message), "%s/pids/box", host->base);
	mkdir(message, 0755);
	for_update(host, &changes, &nothing, &settings);
	assert_int_equal(cgroup_settings_save(&host->layout, "/box", &settings, &err), 0);
	assert_int_equal(cgroup_apply(&host->layout, "/box", &settings, &err), -1);
	assert_string_equal(error_text(&err),
			    "it: pids.limit: can't write \"50\" to pids.max of cgroup /box: no "
			    "such file or directory");
	error_clear(&err);
	assert_says(host, "cpu", "cpu.shares", "3000\n");
	assert_says(host, "memory", "memory.limit_in_bytes", "5000\n");
	assert_int_equal(cgroup_put_back(&host->layout, "/box", &settings, &err), 0);
	assert_says(host, "cpu", "cpu.shares", "1024\n");
	assert_says(host, "memory", "memory.limit_in_bytes", "7000\n");
	cgroup_settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_period_alone_keeps_the_quota_of_now_on_v2),
	    test(memory_and_swap_are_completed_by_what_was_asked_for),
	    test(v1_keeps_memory_and_swap_apart_by_itself),
	    test(a_limit_below_the_usage_is_refused_where_that_is_asked_for),
	    test(a_file_that_the_container_lacks_is_named),
	    test(the_value_of_now_is_what_brings_it_back),
	    test(the_weight_of_an_idle_cgroup_comes_with_its_idleness),
	    test(what_was_written_is_put_back_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
