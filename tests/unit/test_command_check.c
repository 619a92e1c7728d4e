/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused in a Command that is a struct, which may hold what JSON can't. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "test_command.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_what_must_be_there(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.id = NULL;
	assert_refused(&command, "id: is missing");
	command = minimal(*state);
	command.rootfs = "";
	assert_refused(&command, "rootfs: is missing");
	command.rootfs = "relative";
	assert_refused(&command, "rootfs: is not an absolute path");
	command.rootfs = "/no/such";
	assert_refused(&command, "rootfs: \"/no/such\": no such file or directory");
	command = minimal(*state);
	command.process_config.entrypoint = NULL;
	assert_refused(&command, "process_config.entrypoint: is missing");
}

static void test_exactly_one_way_to_a_network(void **state)
{
	static const struct runlxc_command_interface interface = {.bridge = "br0"};
	struct runlxc_command command = minimal(*state);

	command.network.host_networking = 0;
	assert_refused(&command, "empty network namespace path for non-container network");
	command.network.namespace_path = "";
	command.network.mtu = 1500;
	assert_refused(&command, "empty network namespace path for non-container network");
	command.network.interface = &interface;
	command.network.host_networking = 1;
	assert_refused(&command, "network: interface and host_networking exclude each other");
	command.network.host_networking = 0;
	command.network.container_id = "other";
	assert_refused(&command, "network: interface and container_id exclude each other");
	command.network.interface = NULL;
	command.network.namespace_path = "/run/netns/a";
	assert_refused(&command, "network: container_id and namespace_path exclude each other");
	command.network.container_id = NULL;
	command.network.namespace_path = "netns/a";
	assert_refused(&command, "network.namespace_path: \"netns/a\" is not an absolute path");
	command.network.namespace_path = "/run/netns/a\nb";
	assert_refused(&command, "network.namespace_path: \"/run/netns/a\\x0ab\" has a newline");
}

static void test_the_interface(void **state)
{
	struct runlxc_command_interface interface = {0};
	struct runlxc_command command = minimal(*state);

	command.network.host_networking = 0;
	command.network.interface = &interface;
	assert_refused(&command, "network.interface.bridge: is missing");
	interface.bridge = "br0/../x";
	assert_refused(&command, "network.interface.bridge: \"br0/../x\" is not the name of");
	interface.bridge = "a-bridge-with-16";
	assert_refused(&command, "network.interface.bridge: \"a-bridge-with-16\" is not the name");
	interface.bridge = "br\n0";
	assert_refused(&command, "network.interface.bridge: \"br\\x0a0\" is not the name of");
	interface.bridge = "br0";
	command.network.mtu = 67;
	assert_refused(&command, "network.mtu: 67 is not in 68 to 65535");
}

static void test_containers_to_share_with(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.ipc.host_ipc = 1;
	command.ipc.container_id = "other";
	assert_refused(&command, "ipc: container_id and host_ipc exclude each other");
	command.ipc.host_ipc = 0;
	command.ipc.container_id = "a/b";
	assert_refused(&command, "ipc.container_id: invalid container id format");
	command.ipc.container_id = "unknown";
	assert_refused(&command, "ipc.container_id: container does not exist: unknown");
	command.ipc.container_id = NULL;
	command.network.host_networking = 0;
	command.network.container_id = "unknown";
	assert_refused(&command, "network.container_id: container does not exist: unknown");
}

static void test_bytes_that_json_cant_hold_in_any_string(void **state)
{
	static const struct runlxc_command_mount mounts[] = {
	    {.source = "/", .destination = "/a"}, {.source = "/", .destination = "/\xff"}};
	static const struct runlxc_command_rlimit limit = {.Name = "\xc3"};
	static const struct runlxc_command_interface interface = {.bridge = "br\xfe"};
	struct runlxc_command command = minimal(*state);

	command.mounts = mounts;
	command.mounts_count = 2;
	assert_refused(&command, "mounts[1].destination: byte 0xff after 1 others is not UTF-8");
	command = minimal(*state);
	command.process_config.env = LIST("A=1", "B=\xe9");
	assert_refused(&command, "process_config.env[1]: byte 0xe9 after 2 others is not UTF-8");
	command = minimal(*state);
	command.resources.rlimits = &limit;
	command.resources.rlimits_count = 1;
	assert_refused(&command, "resources.rlimits[0].Name: byte 0xc3");
	command = minimal(*state);
	command.network.interface = &interface;
	assert_refused(&command, "network.interface.bridge: byte 0xfe");
	command = minimal(*state);
	command.first_start = 1;
	command.initpath = "\x80";
	assert_refused(&command, "initpath: byte 0x80 after 0 others is not UTF-8");
}

static void test_newlines_where_they_would_do_harm(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.rootfs = "/a\nlxc.mount.entry = / mnt none bind";
	assert_refused(&command, "rootfs: has a newline in it");
	command = minimal(*state);
	command.process_config.env = LIST("HOSTNAME=a\nlxc.cap.drop =");
	assert_refused(&command, "process_config.env: HOSTNAME: \"a\\x0alxc.cap.drop =\" is not a "
				 "hostname");
	command = minimal(*state);
	command.lxc_config = LIST("lxc.cap.drop = a\nlxc.net.0.type = none");
	assert_refused(&command, "lxc_config[0]: \"lxc.cap.drop = a\\x0alxc.net.0.type = none\" is "
				 "not one line");
	command = minimal(*state);
	command.cgroup_parent = "/a\nb";
	assert_refused(&command, "cgroup_parent: \"/a\\x0ab\" has a control character in it");
	command = minimal(*state);
	command.apparmor_profile = "a\nb";
	assert_refused(&command, "apparmor_profile: \"a\\x0ab\" has a control character in it");
	command = minimal(*state);
	command.process_label = "a\nb";
	assert_refused(&command, "process_label: \"a\\x0ab\" has a control character in it");
}

static void test_mounts(void **state)
{
	struct runlxc_command_mount mount = {.destination = "/a"};
	struct runlxc_command command = minimal(*state);

	command.mounts = &mount;
	command.mounts_count = 1;
	assert_refused(&command, "mounts[0].source: is missing");
	mount.source = "etc";
	assert_refused(&command, "mounts[0].source: is not an absolute path");
	mount.source = "/no/such";
	assert_refused(&command, "mounts[0].source: \"/no/such\": no such file or directory");
	mount = (struct runlxc_command_mount){.source = "/", .destination = "a"};
	assert_refused(&command, "mounts[0].destination: is not an absolute path");
	mount.destination = "//./";
	assert_refused(&command, "mounts[0].destination: is the root itself");
	mount.destination = "/srv/..";
	assert_refused(&command, "mounts[0].destination: \"/srv/..\" is the root itself");
	mount = (struct runlxc_command_mount){
	    .source = "/", .destination = "/a", .private_ = 1, .slave = 1};
	assert_refused(&command, "mounts[0]: private and slave exclude each other");
}

static void test_devices(void **state)
{
	struct runlxc_command_device device = {.type = 'p', .path = "/dev/x"};
	struct runlxc_command command = minimal(*state);

	command.autocreated_devices = &device;
	command.autocreated_devices_count = 1;
	assert_refused(&command, "autocreated_devices[0].type: \"p\" is not one of c and b");
	device.type = 'a';
	assert_refused(&command, "autocreated_devices[0].type: \"a\" is not one of c and b");
	device.type = 0;
	assert_refused(&command, "autocreated_devices[0].type: is missing");
	device.type = 355; /* 'c' in its lowest byte */
	assert_refused(&command, "autocreated_devices[0].type: 355 is not one of c and b");
	device.type = 'c';
	device.major = -1;
	assert_refused(&command, "autocreated_devices[0].major: -1 is not in 0 to 4095");
	device.major = 1;
	device.permissions = "rx";
	assert_refused(&command, "autocreated_devices[0].permissions: \"rx\" has more than");
	device.permissions = NULL;
	device.path = "x";
	assert_refused(&command, "autocreated_devices[0].path: is not an absolute path");
	command.autocreated_devices_count = 0;
	command.allowed_devices = &device;
	command.allowed_devices_count = 1;
	device.type = 'u';
	assert_refused(&command, "allowed_devices[0].type: \"u\" is not one of c, b and a");
	device.type = 'c';
	device.minor = -2;
	assert_refused(&command, "allowed_devices[0].minor: -2 is not in -1 to 4294967295");
}

static void test_resources(void **state)
{
	const struct runlxc_command_rlimit limits[] = {
	    {"nofile", 1, 2}, {"RLIMIT_NOFILE", 1, 2}, {"files", 1, 2},
	    {"cpu", 3, 2},    {"as", -2, 0},	       {"core", -1, 0},
	};
	struct runlxc_command command = minimal(*state);
	struct runlxc_command_resources *resources = &command.resources;

	resources->rlimits = limits;
	resources->rlimits_count = 2;
	assert_refused(&command, "resources.rlimits[1].Name: \"RLIMIT_NOFILE\" is there twice");
	resources->rlimits_count = 1;
	resources->rlimits = &limits[2];
	assert_refused(&command, "resources.rlimits[0].Name: \"files\" is not a limit");
	resources->rlimits = &limits[3];
	assert_refused(&command, "resources.rlimits[0].Soft: 3 is more than Hard (2)");
	resources->rlimits = &limits[4];
	assert_refused(&command, "resources.rlimits[0].Soft: -2 is neither -1 nor a limit");
	resources->rlimits = &limits[5];
	assert_refused(&command, "resources.rlimits[0].Soft: -1 is more than Hard (0)");
	*resources = (struct runlxc_command_resources){.memory = -1};
	assert_refused(&command, "resources.memory: -1 is less than 1");
	*resources = (struct runlxc_command_resources){.memory_swap = 5};
	assert_refused(&command, "resources.memory_swap: is memory and swap together, and needs");
	*resources = (struct runlxc_command_resources){.memory_swap = -2};
	assert_refused(&command, "resources.memory_swap: -2 is neither -1 nor at least 1");
	*resources = (struct runlxc_command_resources){.memory = 5, .memory_reservation = 6};
	assert_refused(&command, "resources.memory_reservation: 6 is more than memory (5)");
	*resources = (struct runlxc_command_resources){.cpu_period = 999};
	assert_refused(&command, "resources.cpu_period: 999 is not in 1000 to 1000000");
	*resources = (struct runlxc_command_resources){.cpu_quota = 999};
	assert_refused(&command, "resources.cpu_quota: 999 is neither -1 nor at least 1000");
	*resources = (struct runlxc_command_resources){.cpuset_cpus = "0-"};
	assert_refused(&command, "resources.cpuset_cpus: \"0-\" is not a list such as 0-2,7");
	*resources = (struct runlxc_command_resources){.cpuset_cpus = "0,"};
	assert_refused(&command, "resources.cpuset_cpus: \"0,\" is not a list such as 0-2,7");
	*resources = (struct runlxc_command_resources){.cpuset_mems = "0 1"};
	assert_refused(&command, "resources.cpuset_mems: \"0 1\" is not a list such as 0-2,7");
}

static void test_the_process(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.cap_add = LIST("kill", "CAP_FLY");
	assert_refused(&command, "cap_add[1]: \"CAP_FLY\" is not a capability");
	command.cap_add = NULL;
	command.cap_drop = LIST("");
	assert_refused(&command, "cap_drop[0]: \"\" is not a capability");
	command = minimal(*state);
	command.process_config.env = LIST("A", "=b");
	assert_refused(&command, "process_config.env[1]: \"=b\" has no name");
	command.process_config.env = LIST("");
	assert_refused(&command, "process_config.env[0]: \"\" has no name");
	command.process_config.env =
	    LIST("HOSTNAME=12345678901234567890123456789012345678901234567890123456789012345");
	assert_refused(&command, "process_config.env: HOSTNAME is longer than 64 bytes");
	command = minimal(*state);
	command.group_add = LIST("");
	assert_refused(&command, "group_add[0]: is empty");
}

static void test_the_working_directory(void **state)
{
	struct runlxc_command command = minimal(*state);

	image_write(*state, "root/srv/file", "");
	command.working_dir = "srv";
	assert_refused(&command, "working_dir: \"srv\" is not an absolute path");
	command.working_dir = "/tmp"; /* the host has one */
	assert_refused(&command,
		       "working_dir: \"/tmp\" in the container: no such file or directory");
	command.working_dir = "/srv/file";
	assert_refused(&command, "working_dir: \"/srv/file\" in the container: not a directory");
}

static void test_lines_of_lxc_config(void **state)
{
	static const char *const wrong[] = {"",
					    "lxc.cap.drop",
					    "cap.drop = x",
					    "lxc. = x",
					    "lxc.a b = x",
					    "# lxc.cap.drop = x",
					    "lxc.net.0.ipv4.address#2 = x"};
	struct runlxc_command command = minimal(*state);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		command.lxc_config = LIST("lxc.pty.max=9", wrong[i]);
		assert_refused(&command, "lxc_config[1]: ");
	}
}

static void test_the_cgroup_parent(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.cgroup_parent = "/a/../b";
	assert_refused(&command, "cgroup_parent: \"..\" would lead elsewhere");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, image_make, image_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_must_be_there),
	    TEST(test_exactly_one_way_to_a_network),
	    TEST(test_the_interface),
	    TEST(test_containers_to_share_with),
	    TEST(test_bytes_that_json_cant_hold_in_any_string),
	    TEST(test_newlines_where_they_would_do_harm),
	    TEST(test_mounts),
	    TEST(test_devices),
	    TEST(test_resources),
	    TEST(test_the_process),
	    TEST(test_the_working_directory),
	    TEST(test_lines_of_lxc_config),
	    TEST(test_the_cgroup_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
