/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy, linux.netDevices, and the CPUs of an exec. */
#include "test_spec.h"

#include <linux/mempolicy.h>

#define POLICY(text) "{'linux': {'memoryPolicy': {" text "}}}"
#define DEVICES(text)                                                                              \
	"{'linux': {'netDevices': {" text                                                          \
	"}, 'namespaces': [{'type': 'mount'}, {'type': 'network'}]}}"

static void modes_and_flags_of_a_memory_policy_are_known(void **state)
{
	expect(POLICY("'mode': 'MPOL_BIND', 'nodes': '0-3,7', 'flags': ['MPOL_F_STATIC_NODES']"),
	       NULL);
	expect(POLICY("'mode': 'MPOL_WEIGHTED_INTERLEAVE', 'nodes': '0'"), NULL);
	expect(POLICY("'mode': 'MPOL_DEFAULT'"), NULL);
	expect(POLICY("'mode': 'MPOL_LOCAL', 'nodes': ''"), NULL);
	expect(POLICY("'mode': 'MPOL_PREFERRED'"), NULL);
	expect(POLICY(""), "config.json: linux.memoryPolicy.mode: is missing: invalid memory "
			   "policy mode");
	expect(POLICY("'mode': 'BIND', 'nodes': '0'"),
	       "config.json: linux.memoryPolicy.mode: \"BIND\": invalid memory policy mode");
	expect(POLICY("'mode': 'MPOL_BIND', 'nodes': '0', 'flags': ['MPOL_F_STATIC_NODES', 'F']"),
	       "config.json: linux.memoryPolicy.flags[1]: \"F\": invalid memory policy flag");
}

static void the_nodes_of_a_memory_policy_fit_its_mode(void **state)
{
	expect(POLICY("'mode': 'MPOL_DEFAULT', 'nodes': '0-7'"),
	       "config.json: linux.memoryPolicy.nodes: MPOL_DEFAULT mode requires 0 nodes but got "
	       "8");
	expect(POLICY("'mode': 'MPOL_LOCAL', 'nodes': '1'"),
	       "config.json: linux.memoryPolicy.nodes: MPOL_LOCAL mode requires 0 nodes but got 1");
	expect(POLICY("'mode': 'MPOL_INTERLEAVE'"),
	       "config.json: linux.memoryPolicy.nodes: MPOL_INTERLEAVE mode requires nodes");
	expect(POLICY("'mode': 'MPOL_BIND', 'nodes': '0-9876543210'"),
	       "config.json: linux.memoryPolicy.nodes: \"0-9876543210\": invalid memory policy "
	       "nodes; want a list like \"0-3,7\"");
}

static void a_memory_policy_has_the_kernels_numbers(void **state)
{
	static const char *const flags[] = {"MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"};
	struct spec_linux linux_ = {0};
	int i;

	(void)state;
	for (i = 0; spec_memory_policy_modes()[i]; i++) {
		linux_.memory_policy.mode = (char *)spec_memory_policy_modes()[i];
		assert_int_equal(spec_memory_policy_mode(&linux_), i);
	}
	linux_.memory_policy.mode = (char *)"MPOL_BIND";
	assert_int_equal(spec_memory_policy_mode(&linux_), MPOL_BIND);
	linux_.memory_policy.mode = (char *)"MPOL_PREFERRED_MANY";
	assert_int_equal(spec_memory_policy_mode(&linux_), MPOL_PREFERRED_MANY);
	linux_.memory_policy.flags = (struct spec_strings){2, (char **)flags};
	assert_int_equal(spec_memory_policy_mode(&linux_),
			 MPOL_PREFERRED_MANY | MPOL_F_STATIC_NODES | MPOL_F_NUMA_BALANCING);
}

static void network_devices_have_names_that_can_be(void **state)
{
	expect(DEVICES("'eth0': {}, 'eth1': {'name': 'in0'}, 'eth2': {'name': 'net%d'}"), NULL);
	expect(DEVICES("'eth%d': {}"),
	       "config.json: linux.netDevices: \"eth%d\" is not the name of a device");
	expect(DEVICES("'..': {}"), "config.json: linux.netDevices: \"..\" is not the name of a "
				    "device");
	expect(DEVICES("'eth0': {'name': 'a/b'}"),
	       "config.json: linux.netDevices.eth0.name: \"a/b\" is not the name of a device");
	expect(DEVICES("'eth0': {'name': 'net%d%d'}"),
	       "config.json: linux.netDevices.eth0.name: \"net%d%d\" is not the name of a device");
	expect(DEVICES("'eth0': {'name': 'aaaaaaaaaaaaaaaa'}"),
	       "config.json: linux.netDevices.eth0.name: \"aaaaaaaaaaaaaaaa\" is not the name of "
	       "a device");
	expect("{'linux': {'netDevices': {'eth0': {}}}}",
	       "config.json: linux.netDevices: unable to move network devices without a NET "
	       "namespace in linux.namespaces");
	expect("{'linux': {'netDevices': {}, 'memoryPolicy': null}}", NULL);
}

static void the_cpus_of_an_exec_are_a_list(void **state)
{
	expect("{'process': {'execCPUAffinity': {'initial': '0-3', 'final': '7'}}}", NULL);
	expect("{'process': {'execCPUAffinity': {'initial': ''}}}", NULL);
	expect("{'process': {'execCPUAffinity': {}}}", NULL);
	expect("{'process': {'execCPUAffinity': {'initial': 'all'}}}",
	       "config.json: process.execCPUAffinity.initial: \"all\" is not a list of CPUs like "
	       "\"0-3,7\"");
	expect("{'process': {'execCPUAffinity': {'final': ','}}}",
	       "config.json: process.execCPUAffinity.final: \",\" is not a list of CPUs like "
	       "\"0-3,7\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modes_and_flags_of_a_memory_policy_are_known),
	    cmocka_unit_test(the_nodes_of_a_memory_policy_fit_its_mode),
	    cmocka_unit_test(a_memory_policy_has_the_kernels_numbers),
	    cmocka_unit_test(network_devices_have_names_that_can_be),
	    cmocka_unit_test(the_cpus_of_an_exec_are_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
