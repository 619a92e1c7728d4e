/* SPDX-License-Identifier: Apache-2.0 */
/* What this version does not apply is refused by its name; asking for nothing is not refused. */
#include "test_spec.h"

#define REFUSED(field) "config.json: " field ": not supported by this version of runlxc"

static void cpu_affinity_of_exec(void **state)
{
	expect("{'process': {'execCPUAffinity': {'initial': '0-3'}}}",
	       REFUSED("process.execCPUAffinity"));
	expect("{'process': {'execCPUAffinity': {'final': '7'}}}",
	       REFUSED("process.execCPUAffinity"));
	expect("{'process': {'execCPUAffinity': {'initial': ''}}}", NULL);
	expect("{'process': {'execCPUAffinity': {}}}", NULL);
}

static void mapped_mounts(void **state)
{
	expect("{'mounts': [{'destination': '/a', 'type': 'bind', 'source': '/b', 'uidMappings':"
	       " [{'containerID': 0, 'hostID': 1, 'size': 1}], 'gidMappings':"
	       " [{'containerID': 0, 'hostID': 1, 'size': 1}]}]}",
	       REFUSED("mounts[0].uidMappings"));
	expect("{'mounts': [{'destination': '/a'}, {'destination': '/b', 'type': 'bind', 'source':"
	       " '/b', 'options': ['rbind', 'idmap']}]}",
	       REFUSED("mounts[1].options[1] (idmap)"));
	expect("{'mounts': [{'destination': '/a', 'type': 'bind', 'source': '/b', 'options':"
	       " ['ridmap']}]}",
	       REFUSED("mounts[0].options[0] (ridmap)"));
	expect("{'mounts': [{'destination': '/a', 'uidMappings': [], 'gidMappings': []}]}", NULL);
}

static void clocks(void **state)
{
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time'}]}}",
	       REFUSED("linux.namespaces[1] (time)"));
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time', 'path': '/x'}]}}",
	       REFUSED("linux.namespaces[1] (time)"));
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time'}], 'timeOffsets':"
	       " {'boottime': {'secs': 1}}}}",
	       REFUSED("linux.timeOffsets"));
	expect("{'linux': {'timeOffsets': {'boottime': null}}}", NULL);
}

static void cache_memory_and_network_devices(void **state)
{
	expect("{'linux': {'intelRdt': {'closID': 'a'}}}", REFUSED("linux.intelRdt"));
	expect("{'linux': {'intelRdt': {}}}", REFUSED("linux.intelRdt"));
	expect("{'linux': {'mountLabel': 'system_u:object_r:container_file_t:s0'}}",
	       REFUSED("linux.mountLabel"));
	expect("{'linux': {'mountLabel': ''}}", NULL);
	expect("{'linux': {'memoryPolicy': {'mode': 'MPOL_LOCAL'}}}",
	       REFUSED("linux.memoryPolicy"));
	expect("{'linux': {'netDevices': {'eth0': {}}}}", REFUSED("linux.netDevices"));
	expect("{'linux': {'intelRdt': null, 'memoryPolicy': null, 'netDevices': {}}}", NULL);
}

static void limits(void **state)
{
	expect("{'linux': {'resources': {'rdma': {'mlx5_1': {'hcaHandles': 3}}}}}",
	       REFUSED("linux.resources.rdma"));
	expect("{'linux': {'resources': {'network': {'classID': 1048577}}}}",
	       REFUSED("linux.resources.network"));
	expect("{'linux': {'resources': {'network': {'priorities': [{'name': 'eth0', 'priority':"
	       " 1}]}}}}",
	       REFUSED("linux.resources.network"));
	expect("{'linux': {'resources': {'unified': {'memory.high': '1073741824'}}}}",
	       REFUSED("linux.resources.unified"));
	expect("{'linux': {'resources': {'rdma': {}, 'unified': {}, 'network': {'classID': 0,"
	       " 'priorities': []}}}}",
	       NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cpu_affinity_of_exec),
	    cmocka_unit_test(mapped_mounts),
	    cmocka_unit_test(clocks),
	    cmocka_unit_test(cache_memory_and_network_devices),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
