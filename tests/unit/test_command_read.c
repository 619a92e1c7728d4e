/* SPDX-License-Identifier: Apache-2.0 */
/* A Command from JSON: every field of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "test_command.h"

/* JSON written as it is, without a backslash before every quote. */
#define JSON(...) #__VA_ARGS__

/* clang-format off */
static const char everything[] = JSON({
	"id": "all", "rootfs": "/srv/all", "readonly_rootfs": true, "initpath": "/.dockerinit",
	"working_dir": "/tmp", "config_path": "/var/lib/docker/x",
	"network": {
		"interface": {
			"gateway": "10.0.3.1", "ip": "10.0.3.7", "ip_prefix_len": 24,
			"mac": "02:42:ac:11:00:02", "bridge": "br0", "global_ipv6": "2001:db8::7",
			"link_local_ipv6": "fe80::7", "global_ipv6_prefix_len": 64,
			"ipv6_gateway": "2001:db8::1", "hairpin_mode": true
		},
		"mtu": 1400
	},
	"ipc": {"container_id": "other"},
	"pid": {"host_pid": true},
	"uts": {"host_uts": true},
	"resources": {
		"memory": 1073741824, "memory_reservation": 536870912, "memory_swap": 2147483648,
		"cpu_shares": 512, "cpuset_cpus": "0-1", "cpuset_mems": "0", "cpu_period": 50000,
		"cpu_quota": 25000, "blkio_weight": 300,
		"rlimits": [{"Name": "nofile", "Soft": 64, "Hard": -1}],
		"oom_kill_disable": true, "memory_swappiness": 0
	},
	"mounts": [
		{"source": "/a", "destination": "/b", "writable": true, "private": true},
		{"source": "/c", "destination": "/d", "slave": true}
	],
	"allowed_devices": [{"type": "c", "major": -1, "minor": 5, "permissions": "rm"}],
	"autocreated_devices": [{
		"type": 98, "path": "/dev/x", "major": 7, "minor": 1, "permissions": "rwm",
		"file_mode": 25008, "uid": 3, "gid": 4
	}],
	"cap_add": ["SYS_ADMIN"], "cap_drop": ["all"], "group_add": ["audio", "17"],
	"container_pid": 12,
	"process_config": {
		"privileged": true, "user": "bin:5", "tty": true, "entrypoint": "sh",
		"arguments": ["-c", "true"], "env": ["A=1", "B"]
	},
	"process_label": "p", "mount_label": "m", "lxc_config": ["lxc.cgroup.cpu.shares = 7"],
	"apparmor_profile": "docker-default", "cgroup_parent": "/docker", "first_start": true
});
/* clang-format on */

static struct runlxc_command *read_text(const char *text)
{
	struct error err = ERROR_INIT;
	struct runlxc_command *command = command_read(text, strlen(text), "command.json", &err);

	if (!command)
		fail_msg("%s", error_text(&err));
	return command;
}

static void test_the_container(void **state)
{
	struct runlxc_command *command = read_text(everything);

	assert_string_equal(command->id, "all");
	assert_string_equal(command->rootfs, "/srv/all");
	assert_int_equal(command->readonly_rootfs, 1);
	assert_string_equal(command->initpath, "/.dockerinit");
	assert_string_equal(command->working_dir, "/tmp");
	assert_string_equal(command->config_path, "/var/lib/docker/x");
	assert_string_equal(command->ipc.container_id, "other");
	assert_int_equal(command->ipc.host_ipc, 0);
	assert_int_equal(command->pid.host_pid, 1);
	assert_int_equal(command->uts.host_uts, 1);
	assert_int_equal(command->container_pid, 12);
	assert_string_equal(command->process_label, "p");
	assert_string_equal(command->mount_label, "m");
	assert_string_equal(command->lxc_config[0], "lxc.cgroup.cpu.shares = 7");
	assert_null(command->lxc_config[1]);
	assert_string_equal(command->apparmor_profile, "docker-default");
	assert_string_equal(command->cgroup_parent, "/docker");
	assert_int_equal(command->first_start, 1);
	command_free(command);
}

static void test_the_network(void **state)
{
	struct runlxc_command *command = read_text(everything);
	const struct runlxc_command_interface *interface = command->network.interface;

	assert_non_null(interface);
	assert_string_equal(interface->bridge, "br0");
	assert_string_equal(interface->ip, "10.0.3.7");
	assert_int_equal(interface->ip_prefix_len, 24);
	assert_string_equal(interface->gateway, "10.0.3.1");
	assert_string_equal(interface->mac, "02:42:ac:11:00:02");
	assert_string_equal(interface->global_ipv6, "2001:db8::7");
	assert_int_equal(interface->global_ipv6_prefix_len, 64);
	assert_string_equal(interface->link_local_ipv6, "fe80::7");
	assert_string_equal(interface->ipv6_gateway, "2001:db8::1");
	assert_int_equal(interface->hairpin_mode, 1);
	assert_int_equal(command->network.mtu, 1400);
	assert_null(command->network.container_id);
	command_free(command);
}

static void test_the_other_networks(void **state)
{
	struct runlxc_command *command;

	command = read_text("{\"rootfs\": \"/r\", \"process_config\": {\"entrypoint\": \"x\"},"
			    "\"network\": {\"container_id\": \"other\"}}");
	assert_string_equal(command->network.container_id, "other");
	command_free(command);
	command = read_text("{\"rootfs\": \"/r\", \"process_config\": {\"entrypoint\": \"x\"},"
			    "\"network\": {\"namespace_path\": \"/run/netns/a\"}}");
	assert_string_equal(command->network.namespace_path, "/run/netns/a");
	command_free(command);
	command =
	    read_text("{\"rootfs\": \"/r\", \"process_config\": {\"entrypoint\": \"x\"},"
		      "\"network\": {\"host_networking\": true}, \"ipc\": {\"host_ipc\": true}}");
	assert_int_equal(command->network.host_networking, 1);
	assert_int_equal(command->ipc.host_ipc, 1);
	command_free(command);
}

static void test_the_resources(void **state)
{
	struct runlxc_command *command = read_text(everything);
	const struct runlxc_command_resources *resources = &command->resources;

	assert_int_equal(resources->memory, 1073741824);
	assert_int_equal(resources->memory_reservation, 536870912);
	assert_int_equal(resources->memory_swap, 2147483648);
	assert_int_equal(resources->cpu_shares, 512);
	assert_string_equal(resources->cpuset_cpus, "0-1");
	assert_string_equal(resources->cpuset_mems, "0");
	assert_int_equal(resources->cpu_period, 50000);
	assert_int_equal(resources->cpu_quota, 25000);
	assert_int_equal(resources->blkio_weight, 300);
	assert_int_equal(resources->rlimits_count, 1);
	assert_string_equal(resources->rlimits[0].Name, "nofile");
	assert_int_equal(resources->rlimits[0].Soft, 64);
	assert_int_equal(resources->rlimits[0].Hard, -1);
	assert_int_equal(resources->oom_kill_disable, 1);
	assert_int_equal(resources->memory_swappiness_set, 1);
	assert_int_equal(resources->memory_swappiness, 0);
	command_free(command);
}

static void test_a_swappiness_of_minus_one_is_none(void **state)
{
	struct runlxc_command *command;

	command = read_text("{\"rootfs\": \"/r\", \"process_config\": {\"entrypoint\": \"x\"},"
			    "\"network\": {\"host_networking\": true},"
			    "\"resources\": {\"memory_swappiness\": -1}}");
	assert_int_equal(command->resources.memory_swappiness_set, 0);
	command_free(command);
}

static void test_mounts_and_devices(void **state)
{
	struct runlxc_command *command = read_text(everything);

	assert_int_equal(command->mounts_count, 2);
	assert_string_equal(command->mounts[0].source, "/a");
	assert_string_equal(command->mounts[0].destination, "/b");
	assert_int_equal(command->mounts[0].writable, 1);
	assert_int_equal(command->mounts[0].private_, 1);
	assert_int_equal(command->mounts[1].writable, 0);
	assert_int_equal(command->mounts[1].slave, 1);

	assert_int_equal(command->allowed_devices_count, 1);
	assert_int_equal(command->allowed_devices[0].type, 'c');
	assert_int_equal(command->allowed_devices[0].major, -1);
	assert_int_equal(command->allowed_devices[0].minor, 5);
	assert_string_equal(command->allowed_devices[0].permissions, "rm");

	assert_int_equal(command->autocreated_devices_count, 1);
	assert_int_equal(command->autocreated_devices[0].type, 'b');
	assert_string_equal(command->autocreated_devices[0].path, "/dev/x");
	assert_int_equal(command->autocreated_devices[0].file_mode, 25008);
	assert_int_equal(command->autocreated_devices[0].uid, 3);
	assert_int_equal(command->autocreated_devices[0].gid, 4);
	command_free(command);
}

static void test_the_process(void **state)
{
	struct runlxc_command *command = read_text(everything);
	const struct runlxc_command_process *process = &command->process_config;

	assert_int_equal(process->privileged, 1);
	assert_string_equal(process->user, "bin:5");
	assert_int_equal(process->tty, 1);
	assert_string_equal(process->entrypoint, "sh");
	assert_string_equal(process->arguments[1], "true");
	assert_null(process->arguments[2]);
	assert_string_equal(process->env[1], "B");
	assert_null(process->env[2]);
	assert_string_equal(command->cap_add[0], "SYS_ADMIN");
	assert_string_equal(command->cap_drop[0], "all");
	assert_string_equal(command->group_add[1], "17");
	command_free(command);
}

static void test_null_is_not_given(void **state)
{
	struct runlxc_command *command;

	command = read_text("{\"id\": null, \"rootfs\": \"/r\", \"mounts\": null, \"ipc\": null,"
			    "\"network\": {\"interface\": null, \"host_networking\": true},"
			    "\"process_config\": {\"entrypoint\": \"x\", \"env\": null}}");
	assert_null(command->id);
	assert_null(command->network.interface);
	assert_null(command->process_config.env);
	assert_int_equal(command->mounts_count, 0);
	command_free(command);
}

static void test_values_may_hold_anything(void **state)
{
	struct runlxc_command *command;

	command =
	    read_text("{\"rootfs\": \"/r\", \"network\": {\"host_networking\": true},"
		      "\"process_config\": {\"entrypoint\": \"x\", \"env\": "
		      "[\"A=\\n#=\\\"'\\\\\\u00e9\\ud83d\\ude00\xc3\xa9\", \"B=\\\\ud800\"]}}");
	assert_string_equal(command->process_config.env[0],
			    "A=\n#=\"'\\\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9");
	assert_string_equal(command->process_config.env[1], "B=\\ud800");
	command_free(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_container),
	    cmocka_unit_test(test_the_network),
	    cmocka_unit_test(test_the_other_networks),
	    cmocka_unit_test(test_the_resources),
	    cmocka_unit_test(test_a_swappiness_of_minus_one_is_none),
	    cmocka_unit_test(test_mounts_and_devices),
	    cmocka_unit_test(test_the_process),
	    cmocka_unit_test(test_null_is_not_given),
	    cmocka_unit_test(test_values_may_hold_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
