/* SPDX-License-Identifier: Apache-2.0 */
/* What spec_validate() lets through and what it refuses, rule by rule. */
#include "test_spec.h"

#include <stdio.h>

/* PATH_MAX bytes: one more than a path can have. */
static const char *long_path(void)
{
	static char path[4097];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	return path;
}

__attribute__((format(printf, 1, 0))) static void expect_long(const char *format,
							      const char *expected)
{
	cleanup_free char *patch = NULL;

	assert_true(asprintf(&patch, format, long_path()) > 0);
	expect(patch, expected);
}

static void the_smallest_config_is_valid(void **state)
{
	expect("{}", NULL);
}

static void a_root_and_a_process_are_required(void **state)
{
	expect("{'root': null}", "config.json: root.path: is missing");
	expect("{'root': {'path': ''}}", "config.json: root.path: is missing");
	expect("{'process': null}", "config.json: process: is missing");
	expect("{'process': {'args': null}}", "config.json: process.args: is missing or empty");
	expect("{'process': {'args': []}}", "config.json: process.args: is missing or empty");
	expect("{'process': {'cwd': null}}", "config.json: process.cwd: is missing");
	expect("{'process': {'cwd': 'tmp'}}",
	       "config.json: process.cwd: \"tmp\" is not an absolute path");
}

static void a_path_fits_into_path_max(void **state)
{
	expect_long("{'root': {'path': '%s'}}",
		    "config.json: root.path: is longer than a path can be");
	expect_long("{'process': {'cwd': '%s'}}",
		    "config.json: process.cwd: is longer than a path can be");
	expect_long("{'mounts': [{'destination': '%s'}]}",
		    "config.json: mounts[0].destination: is longer than a path can be");
	expect_long("{'mounts': [{'destination': '/a', 'type': 'bind', 'source': '%s'}]}",
		    "config.json: mounts[0].source: is longer than a path can be");
	expect_long("{'hooks': {'poststop': [{'path': '%s'}]}}",
		    "config.json: hooks.poststop[0].path: is longer than a path can be");
	expect_long("{'linux': {'maskedPaths': ['/a', '%s']}}",
		    "config.json: linux.maskedPaths[1]: is longer than a path can be");
	expect_long("{'linux': {'cgroupsPath': '%s'}}",
		    "config.json: linux.cgroupsPath: is longer than a path can be");
	expect_long("{'linux': {'devices': [{'path': '%s', 'type': 'p'}]}}",
		    "config.json: linux.devices[0].path: is longer than a path can be");
	expect_long("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'ipc', 'path': '%s'}]}}",
		    "config.json: linux.namespaces[1].path: is longer than a path can be");
}

static void a_path_of_path_max_less_one_is_taken(void **state)
{
	cleanup_free char *patch = NULL;

	assert_true(asprintf(&patch, "{'process': {'cwd': '/%s'}}", long_path() + 2) > 0);
	expect(patch, NULL);
}

/* ---- process ---- */

static void umask_and_oom_score_have_their_ranges(void **state)
{
	expect("{'process': {'user': {'umask': 511}}}", NULL);
	expect("{'process': {'user': {'umask': 512}}}",
	       "config.json: process.user.umask: 512 is more than 511 (0777)");
	expect("{'process': {'oomScoreAdj': -1000}}", NULL);
	expect("{'process': {'oomScoreAdj': 1000}}", NULL);
	expect("{'process': {'oomScoreAdj': -1001}}",
	       "config.json: process.oomScoreAdj: -1001 is not in -1000 to 1000");
	expect("{'process': {'oomScoreAdj': 1001}}",
	       "config.json: process.oomScoreAdj: 1001 is not in -1000 to 1000");
	expect("{'process': {'consoleSize': {'height': 65535, 'width': 1}}}", NULL);
	expect("{'process': {'consoleSize': {'height': 1, 'width': 65536}}}",
	       "config.json: process.consoleSize: is more than 65535");
}

static void an_environment_without_equals_signs_is_tolerated(void **state)
{
	expect("{'process': {'env': ['PATH=/bin', 'odd', '']}}", NULL);
}

static void capabilities_are_checked_for_their_form_alone(void **state)
{
	expect("{'process': {'capabilities': {'ambient': ['CAP_KILL', 'CAP_OF_2030']}}}", NULL);
	expect("{'process': {'capabilities': {'bounding': ['CAP_KILL', 'CAP KILL']}}}",
	       "config.json: process.capabilities.bounding[1]: \"CAP KILL\" is not a capability's "
	       "name");
	expect("{'process': {'capabilities': {'permitted': ['']}}}",
	       "config.json: process.capabilities.permitted[0]: \"\" is not a capability's name");
}

static void rlimits_are_known_single_and_in_order(void **state)
{
	expect("{'process': {'rlimits': [{'type': 'RLIMIT_CORE', 'soft': 0, 'hard': 0},"
	       " {'type': 'RLIMIT_NOFILE', 'soft': 18446744073709551615,"
	       " 'hard': 18446744073709551615}]}}",
	       NULL);
	expect("{'process': {'rlimits': [{'type': 'RLIMIT_TEA', 'soft': 1, 'hard': 1}]}}",
	       "config.json: process.rlimits[0].type: \"RLIMIT_TEA\" is not a limit");
	expect("{'process': {'rlimits': [{'type': 'RLIMIT_CPU', 'soft': 1, 'hard': 1},"
	       " {'type': 'RLIMIT_CPU', 'soft': 2, 'hard': 2}]}}",
	       "config.json: process.rlimits[1].type: RLIMIT_CPU is there twice");
	expect("{'process': {'rlimits': [{'type': 'RLIMIT_CPU', 'soft': 2, 'hard': 1}]}}",
	       "config.json: process.rlimits[0].soft: 2 is more than hard (1)");
}

static void a_schedulers_fields_fit_its_policy(void **state)
{
	expect("{'process': {'scheduler': {'policy': 'SCHED_BATCH', 'nice': 19,"
	       " 'flags': ['SCHED_FLAG_RESET_ON_FORK']}}}",
	       NULL);
	expect("{'process': {'scheduler': {'policy': 'SCHED_FIFO', 'priority': 5}}}", NULL);
	expect("{'process': {'scheduler': {'policy': 'SCHED_DEADLINE', 'runtime': 1,"
	       " 'deadline': 2, 'period': 3}}}",
	       NULL);
	expect("{'process': {'scheduler': {}}}",
	       "config.json: process.scheduler.policy: is missing");
	expect("{'process': {'scheduler': {'policy': 'SCHED_LOTTERY'}}}",
	       "config.json: process.scheduler.policy: \"SCHED_LOTTERY\" is not a policy");
	expect("{'process': {'scheduler': {'policy': 'SCHED_OTHER', 'nice': 20}}}",
	       "config.json: process.scheduler.nice: 20 is not in -20 to 19");
	expect("{'process': {'scheduler': {'policy': 'SCHED_OTHER', 'priority': 1}}}",
	       "config.json: process.scheduler.priority: is for SCHED_FIFO and SCHED_RR");
	expect("{'process': {'scheduler': {'policy': 'SCHED_OTHER', 'period': 1}}}",
	       "config.json: process.scheduler: runtime, deadline and period are for "
	       "SCHED_DEADLINE");
	expect("{'process': {'scheduler': {'policy': 'SCHED_OTHER', 'flags': ['FAST']}}}",
	       "config.json: process.scheduler.flags[0]: \"FAST\" is not a flag");
}

static void an_io_priority_has_a_class_and_eight_levels(void **state)
{
	expect("{'process': {'ioPriority': {'class': 'IOPRIO_CLASS_IDLE', 'priority': 7}}}", NULL);
	expect("{'process': {'ioPriority': {'priority': 7}}}",
	       "config.json: process.ioPriority.class: is missing");
	expect("{'process': {'ioPriority': {'class': 'IOPRIO_CLASS_NONE', 'priority': 0}}}",
	       "config.json: process.ioPriority.class: \"IOPRIO_CLASS_NONE\" is not a class");
	expect("{'process': {'ioPriority': {'class': 'IOPRIO_CLASS_BE', 'priority': 8}}}",
	       "config.json: process.ioPriority.priority: 8 is not in 0 to 7");
	expect("{'process': {'ioPriority': {'class': 'IOPRIO_CLASS_BE', 'priority': -1}}}",
	       "config.json: process.ioPriority.priority: -1 is not in 0 to 7");
}

static void a_process_without_a_document_has_its_fields_named_all_the_same(void **state)
{
	struct spec_process process = {.set = true};
	struct error err = ERROR_INIT;

	assert_int_equal(spec_validate_process(&process, &err), -1);
	assert_string_equal(error_text(&err), "process.args: is missing or empty");
	error_clear(&err);
}

/* ---- names, mounts, hooks ---- */

#define UTS "'linux': {'namespaces': [{'type': 'mount'}, {'type': 'uts'}]}"

static void a_hostname_needs_a_uts_namespace_and_64_bytes_at_most(void **state)
{
	expect("{'hostname': 'box', 'domainname': 'example', " UTS "}", NULL);
	expect("{'hostname': '', 'domainname': ''}", NULL);
	expect("{'hostname': 'box'}",
	       "config.json: hostname: can't be set without a uts namespace in linux.namespaces");
	expect("{'domainname': 'example'}",
	       "config.json: domainname: can't be set without a uts namespace in linux.namespaces");
	expect("{'hostname': "
	       "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', " UTS "}",
	       NULL);
	expect("{'hostname': "
	       "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0', " UTS "}",
	       "config.json: hostname: is longer than 64 bytes");
	expect("{'hostname': 'a\\nb', " UTS "}",
	       "config.json: hostname: \"a\\x0ab\" has a control character in it");
	expect("{'domainname': 'a\\u007f', " UTS "}",
	       "config.json: domainname: \"a\\x7f\" has a control character in it");
}

static void a_mount_has_a_destination_and_a_bind_has_a_source(void **state)
{
	expect("{'mounts': [{'destination': '/proc', 'type': 'proc'}]}", NULL);
	expect("{'mounts': [{'destination': 'relative', 'type': 'tmpfs'}]}", NULL);
	expect("{'mounts': [{'destination': '/a', 'type': 'bind', 'source': 'relative'}]}", NULL);
	expect("{'mounts': [{'destination': '/a'}, {'type': 'tmpfs'}]}",
	       "config.json: mounts[1].destination: is missing");
	expect("{'mounts': [{'destination': '/a', 'type': 'bind'}]}",
	       "config.json: mounts[0].source: is missing");
	expect("{'mounts': [{'destination': '/a', 'type': 'none', 'options': ['ro', 'rbind']}]}",
	       "config.json: mounts[0].source: is missing");
	expect("{'mounts': [{'destination': '/a', 'options': ['bind']}]}",
	       "config.json: mounts[0].source: is missing");
	expect("{'mounts': [{'destination': '/a', 'uidMappings':"
	       " [{'containerID': 0, 'hostID': 1, 'size': 1}]}]}",
	       "config.json: mounts[0].gidMappings: is missing beside the other mappings");
	expect("{'mounts': [{'destination': '/a', 'gidMappings':"
	       " [{'containerID': 0, 'hostID': 1, 'size': 1}]}]}",
	       "config.json: mounts[0].uidMappings: is missing beside the other mappings");
}

static void a_hook_has_an_absolute_path_and_time_to_run(void **state)
{
	expect("{'hooks': {}}", NULL);
	expect("{'hooks': {'prestart': [], 'createRuntime': [{'path': '/bin/true'}],"
	       " 'poststart': [{'path': '/bin/true', 'timeout': 1}],"
	       " 'createContainer': [], 'startContainer': null}}",
	       NULL);
	expect("{'hooks': {'prestart': [{'args': ['x']}]}}",
	       "config.json: hooks.prestart[0].path: is missing");
	expect("{'hooks': {'createRuntime': [{'path': '/x'}, {'path': 'true'}]}}",
	       "config.json: hooks.createRuntime[1].path: must be an absolute path");
	expect("{'hooks': {'poststart': [{'path': '/x', 'timeout': 0}]}}",
	       "config.json: hooks.poststart[0].timeout: must be more than 0");
	expect("{'hooks': {'poststop': [{'path': '/x', 'timeout': -1}]}}",
	       "config.json: hooks.poststop[0].timeout: must be more than 0");
}

static void an_annotation_has_a_name(void **state)
{
	(void)state;
	expect("{'annotations': {'key': ''}}", NULL);
	expect("{'annotations': {'': 'value'}}",
	       "config.json: annotations: a key must not be empty");
}

static void a_device_has_a_weight(void **state)
{
	(void)state;
	expect("{'linux': {'resources': {'blockIO': {'weightDevice':"
	       " [{'major': 8, 'minor': 0, 'leafWeight': 10}]}}}}",
	       NULL);
	expect("{'linux': {'resources': {'blockIO': {'weightDevice':"
	       " [{'major': 8, 'minor': 0}]}}}}",
	       "config.json: linux.resources.blockIO.weightDevice[0]: has neither weight nor "
	       "leafWeight");
}

static void an_rdma_device_has_a_limit(void **state)
{
	(void)state;
	expect("{'linux': {'resources': {'rdma': {'mlx5_1': {}}}}}",
	       "config.json: linux.resources.rdma: \"mlx5_1\" has neither hcaHandles nor "
	       "hcaObjects");
}

/* ---- update documents ---- */

static void an_updates_resources_are_checked_by_their_own_names(void **state)
{
	struct {
		const char *text, *expected;
	} cases[] = {
	    {"{'cpu': {'shares': 0}, 'blockIO': {'weight': 0}, 'network': {'classID': 0}}", NULL},
	    {"{'devices': [{'allow': false, 'access': 'rwx'}]}",
	     "update: devices[0].access: \"rwx\" has more than r, w and m in it"},
	    {"{'unified': {'memory.high/../x': '1'}}",
	     "update: unified: \"memory.high/../x\" is not the name of a cgroup's file"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *text = with_quotes(cases[i].text);
		struct error err = ERROR_INIT;
		cleanup_spec struct spec *spec =
		    spec_read_resources_text(text, strlen(text), "update", &err);
		int result;

		assert_non_null(spec);
		result = spec_validate_resources(&spec->linux_.resources, &err);
		assert_int_equal(result, cases[i].expected ? -1 : 0);
		if (cases[i].expected)
			assert_string_equal(error_text(&err), cases[i].expected);
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_smallest_config_is_valid),
	    cmocka_unit_test(a_root_and_a_process_are_required),
	    cmocka_unit_test(a_path_fits_into_path_max),
	    cmocka_unit_test(a_path_of_path_max_less_one_is_taken),
	    cmocka_unit_test(umask_and_oom_score_have_their_ranges),
	    cmocka_unit_test(an_environment_without_equals_signs_is_tolerated),
	    cmocka_unit_test(capabilities_are_checked_for_their_form_alone),
	    cmocka_unit_test(rlimits_are_known_single_and_in_order),
	    cmocka_unit_test(a_schedulers_fields_fit_its_policy),
	    cmocka_unit_test(an_io_priority_has_a_class_and_eight_levels),
	    cmocka_unit_test(a_process_without_a_document_has_its_fields_named_all_the_same),
	    cmocka_unit_test(a_hostname_needs_a_uts_namespace_and_64_bytes_at_most),
	    cmocka_unit_test(a_mount_has_a_destination_and_a_bind_has_a_source),
	    cmocka_unit_test(a_hook_has_an_absolute_path_and_time_to_run),
	    cmocka_unit_test(an_annotation_has_a_name),
	    cmocka_unit_test(a_device_has_a_weight),
	    cmocka_unit_test(an_rdma_device_has_a_limit),
	    cmocka_unit_test(an_updates_resources_are_checked_by_their_own_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
