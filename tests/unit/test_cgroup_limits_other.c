/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources' rdma, network and unified as settings. */
#include "test_cgroup_limits.h"

static void rdma_on_v1_and_v2(void **state)
{
	struct spec_rdma devices[] = {{(char *)"mlx5_1", U64(3), U64(10000)},
				      {(char *)"rxe3", {false, 0}, U64(0)},
				      {(char *)"mlx4_0", U64(1), {false, 0}}};
	struct spec_resources resources = {.rdma_count = 3, .rdma = devices};
	struct host *host = *state;

	host->layout.mode = CGROUP_LEGACY;
	add_hierarchy(host, false, "rdma", "");
	assert_settings(host, &resources,
			"rdma.max mlx5_1 hca_handle=3 hca_object=10000\n"
			"rdma.max rxe3 hca_object=0\n"
			"rdma.max mlx4_0 hca_handle=1\n");
	drop_hierarchies(host);
	host->layout.mode = CGROUP_UNIFIED;
	add_hierarchy(host, true, "cpu,rdma", unified_files);
	resources.rdma_count = 1;
	assert_settings(host, &resources, "v2 rdma.max mlx5_1 hca_handle=3 hca_object=10000\n");
	for (const char *const *bad = (const char *const[]){"", "a b", "a\nb hca_handle=max", NULL};
	     *bad; bad++) {
		char message[160];

		devices[0].device = (char *)*bad;
		snprintf(message, sizeof(message),
			 "linux.resources.rdma: \"%s\" is not the name of a device", *bad);
		assert_refused(host, &resources, message);
	}
}

static void network_on_v1(void **state)
{
	struct spec_interface_priority priorities[] = {{(char *)"eth0", 500}, {(char *)"lo", 0}};
	struct spec_resources resources = {.network = {.class_id = U64(0x100001),
						       .priorities_count = 2,
						       .priorities = priorities}};
	struct host *host = *state;

	host->layout.mode = CGROUP_LEGACY;
	add_hierarchy(host, false, "net_cls,net_prio", "");
	assert_settings(host, &resources,
			"net_cls.classid 1048577\n"
			"net_prio.ifpriomap eth0 500\n"
			"net_prio.ifpriomap lo 0\n");
	priorities[1].name = (char *)"eth0 5\nlo";
	assert_refused(host, &resources,
		       "linux.resources.network.priorities[1].name: \"eth0 5\nlo\" is not the name "
		       "of an interface");
	resources.network.class_id.value = 0;
	resources.network.priorities_count = 0;
	assert_settings(host, &resources, "");
}

static void missing_controllers_are_named(void **state)
{
	struct spec_interface_priority priority = {(char *)"eth0", 500};
	struct spec_rdma device = {(char *)"mlx5_1", U64(3), {false, 0}};
	const struct {
		struct spec_resources resources;
		const char *words;
	} cases[] = {
	    {{.network = {.class_id = U64(5)}}, "network.classID: no net_cls"},
	    {{.network = {.priorities_count = 1, .priorities = &priority}},
	     "network.priorities: no net_prio"},
	    {{.rdma_count = 1, .rdma = &device}, "rdma: no rdma"},
	};
	struct host *host = v2(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[160];

		snprintf(message, sizeof(message),
			 "linux.resources.%s cgroup controller on this host", cases[i].words);
		assert_refused(host, &cases[i].resources, message);
	}
}

/* config-linux.md, "Unified": written as it is, with what is not known. */
static void unified_comes_last_and_line_by_line(void **state)
{
	struct spec_pair pairs[] = {
	    {(char *)"memory.high", (char *)"1073741824"},
	    {(char *)"io.max", (char *)"259:0 rbps=2097152 wiops=120\n253:0 rbps=2097152\n"},
	    {(char *)"cgroup.max.depth", (char *)"5"},
	    {(char *)"cpu.not.invented.yet", (char *)"a b=c"},
	};
	struct spec_resources resources = {.pids_limit = I64(5),
					   .unified = {ARRAY_SIZE(pairs), pairs}};
	struct host *host = v2(state);

	assert_settings(host, &resources,
			"v2 pids.max 5\n"
			"v2 memory.high 1073741824\n"
			"v2 io.max 259:0 rbps=2097152 wiops=120\n"
			"v2 io.max 253:0 rbps=2097152\n"
			"v2 cgroup.max.depth 5\n"
			"v2 cpu.not.invented.yet a b=c\n");
}

static void unified_that_cannot_be_is_refused(void **state)
{
	const struct {
		const char *key, *value, *words;
	} cases[] = {
	    {"rdma.max", "a hca_handle=1",
	     "unified.rdma.max: can't be set: controller \"rdma\" not available"},
	    {"devices.deny", "a",
	     "unified.devices.deny: can't be set: controller \"devices\" not available"},
	    {"cgroup.procs", "1", "unified.cgroup.procs: is not a setting"},
	    {"cgroup.kill", "1", "unified.cgroup.kill: is not a setting"},
	    {"cgroup.freeze", "1", "unified.cgroup.freeze: is not a setting"},
	    {"memory.high", "", "unified.memory.high: is empty"},
	    {"memory.high", "\n\n", "unified.memory.high: is empty"},
	};
	struct host *host = v2(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_pair pair = {(char *)cases[i].key, (char *)cases[i].value};
		struct spec_resources resources = {.unified = {1, &pair}};
		char message[160];

		snprintf(message, sizeof(message), "linux.resources.%s", cases[i].words);
		assert_refused(host, &resources, message);
	}
}

static void unified_is_not_for_v1(void **state)
{
	struct spec_pair pair = {(char *)"pids.max", (char *)"5"};
	struct spec_resources resources = {.unified = {1, &pair}};
	struct host *host = v1(state);

	assert_refused(
	    host, &resources,
	    "linux.resources.unified: invalid configuration: cannot use unified on cgroup v1");
	host->layout.mode = CGROUP_HYBRID;
	assert_refused(
	    host, &resources,
	    "linux.resources.unified: invalid configuration: cannot use unified on cgroup v1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(rdma_on_v1_and_v2),
	    test(network_on_v1),
	    test(missing_controllers_are_named),
	    test(unified_comes_last_and_line_by_line),
	    test(unified_that_cannot_be_is_refused),
	    test(unified_is_not_for_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
