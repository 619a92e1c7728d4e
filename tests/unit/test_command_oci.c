/* SPDX-License-Identifier: Apache-2.0 */
/* What a Command comes to as a config.json. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "spec/read.h"
#include "test_command.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_at(struct json_object *object, const char *pointer, const char *expected)
{
	if (strcmp(at(object, pointer), expected))
		fail_msg("%s is %s, not %s", pointer, at(object, pointer), expected);
}

/* The mount on `destination`, as JSON; "" when there is none. */
static const char *mount_on(struct json_object *object, const char *destination)
{
	struct json_object *mounts = json_object_object_get(object, "mounts"), *found = NULL;

	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		struct json_object *mount = json_object_array_get_idx(mounts, i);

		if (!strcmp(json_object_get_string(json_object_object_get(mount, "destination")),
			    destination))
			found = mount;
	}
	return found ? json_object_to_json_string_ext(found, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE)
		     : "";
}

static void test_the_least(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object = convert(&command);

	assert_at(object, "/ociVersion", "\"1.3.0\"");
	assert_at(object, "/root/readonly", "false");
	assert_at(object, "/process/terminal", "false");
	assert_at(object, "/process/args", "[\"/bin/date\"]");
	assert_at(object, "/process/env", "[\"container=lxc\"]");
	assert_at(object, "/process/cwd", "\"/\"");
	assert_at(object, "/process/user", "{\"uid\":0,\"gid\":0}");
	assert_at(object, "/hostname", "");
	assert_at(object, "/annotations", "");
	assert_at(object, "/linux/cgroupsPath", "");
	assert_at(object, "/linux/devices", "");
	assert_at(object, "/linux/resources/memory", "{}");
	json_object_put(object);
}

static void test_the_document_is_a_valid_one(void **state)
{
	struct runlxc_command command = minimal(*state);
	const struct command_context context = {0};
	struct error err = ERROR_INIT;
	char *text = command_to_oci(&command, &context, &err);
	struct spec *spec;

	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	spec = spec_read_oci_text(text, strlen(text), "config.json", &err);
	assert_non_null(spec);
	assert_int_equal(spec_validate(spec, &err), 0);
	assert_string_equal(spec->root.path, command.rootfs);
	spec_free(spec);
	free(text);
}

static void test_the_environment(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.process_config.env =
	    LIST("A=1", "EMPTY", "A=x=\n\"y\"", "container=docker", "B=", "AB=2", "HOSTNAME=web-1");
	object = convert(&command);
	assert_at(object, "/process/env",
		  "[\"EMPTY=\",\"A=x=\\n\\\"y\\\"\",\"B=\",\"AB=2\",\"HOSTNAME=web-1\","
		  "\"container=lxc\"]");
	assert_at(object, "/hostname", "\"web-1\"");
	json_object_put(object);

	command.uts.host_uts = 1;
	object = convert(&command);
	assert_at(object, "/hostname", "");
	json_object_put(object);
}

static void test_the_process(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.process_config.entrypoint = "sh";
	command.process_config.arguments = LIST("-c", "echo 'a\nb'", "");
	command.process_config.tty = 1;
	command.working_dir = "/srv/data";
	command.readonly_rootfs = 1;
	command.process_label = "system_u:x";
	command.mount_label = "system_u:y";
	command.apparmor_profile = "docker-default";
	object = convert(&command);
	assert_at(object, "/process/args", "[\"sh\",\"-c\",\"echo 'a\\nb'\",\"\"]");
	assert_at(object, "/process/terminal", "true");
	assert_at(object, "/process/cwd", "\"/srv/data\"");
	assert_at(object, "/root/readonly", "true");
	assert_at(object, "/process/selinuxLabel", "\"system_u:x\"");
	assert_at(object, "/linux/mountLabel", "\"system_u:y\"");
	assert_at(object, "/process/apparmorProfile", "\"docker-default\"");
	json_object_put(object);
}

static const char *capabilities(const struct runlxc_command *command, const char *set)
{
	static char text[4096];
	struct json_object *object = convert(command);
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/process/capabilities/%s", set);
	snprintf(text, sizeof(text), "%s", at(object, pointer));
	json_object_put(object);
	return text;
}

static void test_capabilities(void **state)
{
	static const char docker[] =
	    "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\","
	    "\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\","
	    "\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\",\"CAP_MKNOD\",\"CAP_AUDIT_WRITE\","
	    "\"CAP_SETFCAP\"]";
	struct runlxc_command command = minimal(*state);

	assert_string_equal(capabilities(&command, "bounding"), docker);
	assert_string_equal(capabilities(&command, "effective"), docker);
	assert_string_equal(capabilities(&command, "permitted"), docker);
	assert_string_equal(capabilities(&command, "inheritable"), "");
	assert_string_equal(capabilities(&command, "ambient"), "");

	command.cap_drop = LIST("ALL");
	assert_string_equal(capabilities(&command, "bounding"), "[]");
	command.cap_add = LIST("cap_Net_Admin", "KILL");
	assert_string_equal(capabilities(&command, "bounding"), "[\"CAP_KILL\",\"CAP_NET_ADMIN\"]");

	command.cap_drop = LIST("kill", "CAP_CHOWN");
	command.cap_add = LIST("KILL");
	assert_null(strstr(capabilities(&command, "bounding"), "CAP_CHOWN"));
	assert_non_null(strstr(capabilities(&command, "bounding"), "CAP_KILL"));

	command.cap_add = LIST("all");
	assert_null(strstr(capabilities(&command, "bounding"), "CAP_CHOWN"));
	assert_null(strstr(capabilities(&command, "bounding"), "CAP_KILL"));
	assert_non_null(strstr(capabilities(&command, "bounding"), "CAP_SYS_ADMIN"));
}

static void test_who_is_not_root_gets_the_bounding_set_alone(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.process_config.user = "7";
	assert_non_null(strstr(capabilities(&command, "bounding"), "CAP_KILL"));
	assert_string_equal(capabilities(&command, "effective"), "");
	assert_string_equal(capabilities(&command, "permitted"), "");
}

static void test_unprivileged(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object = convert(&command);

	assert_at(object, "/linux/resources/devices/0",
		  "{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"}");
	assert_at(object, "/linux/readonlyPaths",
		  "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
		  "\"/proc/sysrq-trigger\"]");
	assert_non_null(strstr(at(object, "/linux/maskedPaths"), "\"/proc/kcore\""));
	assert_non_null(strstr(mount_on(object, "/sys"), "\"ro\""));
	assert_non_null(strstr(mount_on(object, "/sys/fs/cgroup"), "\"ro\""));
	json_object_put(object);
}

static void test_privileged(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.process_config.privileged = 1;
	command.apparmor_profile = "docker-default";
	command.cap_drop = LIST("all");
	object = convert(&command);
	assert_at(object, "/linux/resources/devices",
		  "[{\"allow\":true,\"type\":\"a\",\"access\":\"rwm\"}]");
	assert_at(object, "/linux/readonlyPaths", "");
	assert_at(object, "/linux/maskedPaths", "");
	assert_null(strstr(mount_on(object, "/sys"), "\"ro\""));
	assert_null(strstr(mount_on(object, "/sys/fs/cgroup"), "\"ro\""));
	assert_at(object, "/process/apparmorProfile", "");
	assert_non_null(strstr(at(object, "/process/capabilities/effective"), "CAP_SYS_ADMIN"));
	json_object_put(object);
}

static void test_namespaces(void **state)
{
	static const char own[] = "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"uts\"}";
	struct runlxc_command command = minimal(*state);
	struct json_object *object = convert(&command);
	char expected[256];

	snprintf(expected, sizeof(expected), "[%s,{\"type\":\"ipc\"}]", own);
	assert_at(object, "/linux/namespaces", expected);
	json_object_put(object);

	command.network =
	    (struct runlxc_command_network){.namespace_path = "/proc/self/ns/net", .mtu = 1500};
	command.ipc.container_id = "other";
	object = convert(&command);
	snprintf(expected, sizeof(expected),
		 "[%s,{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"},"
		 "{\"type\":\"ipc\",\"path\":\"/proc/4711/ns/ipc\"}]",
		 own);
	assert_at(object, "/linux/namespaces", expected);
	assert_string_equal(mount_on(object, "/dev/mqueue"), "");
	json_object_put(object);

	command.network = (struct runlxc_command_network){.container_id = "other"};
	command.ipc.container_id = NULL;
	command.ipc.host_ipc = command.pid.host_pid = command.uts.host_uts = 1;
	object = convert(&command);
	assert_at(object, "/linux/namespaces",
		  "[{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/proc/4711/ns/net\"}]");
	json_object_put(object);
}

static void test_devices(void **state)
{
	const struct runlxc_command_device allowed[] = {
	    {.type = 'b', .major = 8, .minor = -1, .permissions = "r"}, {.type = 'c', .major = 10}};
	const struct runlxc_command_device made[] = {
	    {.type = 'c', .path = "/dev/a", .major = 10, .minor = 200},
	    {.type = 'b',
	     .path = "/dev/b",
	     .major = 7,
	     .file_mode = 0060640,
	     .uid = 3,
	     .gid = 6,
	     .permissions = "rw"}};
	struct runlxc_command command = minimal(*state);
	struct json_object *object, *rules;
	const char *text;
	size_t count;

	command.allowed_devices = allowed;
	command.allowed_devices_count = 2;
	command.autocreated_devices = made;
	command.autocreated_devices_count = 2;
	object = convert(&command);
	assert_at(object, "/linux/devices",
		  "[{\"path\":\"/dev/a\",\"type\":\"c\",\"major\":10,\"minor\":200,"
		  "\"fileMode\":438,\"uid\":0,\"gid\":0},"
		  "{\"path\":\"/dev/b\",\"type\":\"b\",\"major\":7,\"minor\":0,\"fileMode\":416,"
		  "\"uid\":3,\"gid\":6}]");
	assert_int_equal(json_pointer_get(object, "/linux/resources/devices", &rules), 0);
	count = json_object_array_length(rules);
	for (size_t i = 0; i < count - 4; i++)
		json_object_array_del_idx(rules, 0, 1);
	text = json_object_to_json_string_ext(rules, JSON_C_TO_STRING_PLAIN);
	assert_string_equal(
	    text, "[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"r\"},"
		  "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":0,\"access\":\"rwm\"},"
		  "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"rwm\"},"
		  "{\"allow\":true,\"type\":\"b\",\"major\":7,\"minor\":0,\"access\":\"rw\"}]");
	json_object_put(object);
}

static void test_mounts(void **state)
{
	const struct runlxc_command_mount mounts[] = {
	    {.source = "/etc", .destination = "/srv/a\nb \\#"},
	    {.source = "/etc", .destination = "/b", .writable = 1, .slave = 1},
	    {.source = "/etc", .destination = "/dev/shm/", .private_ = 1}};
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.mounts = mounts;
	command.mounts_count = 3;
	object = convert(&command);
	assert_string_equal(mount_on(object, "/srv/a\nb \\#"),
			    "{\"destination\":\"/srv/a\\nb \\\\#\",\"type\":\"bind\",\"source\":"
			    "\"/etc\",\"options\":[\"rbind\",\"rro\",\"rprivate\"]}");
	assert_string_equal(mount_on(object, "/b"),
			    "{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/etc\","
			    "\"options\":[\"rbind\",\"rw\",\"rslave\"]}");
	/* Whoever brings one of the usual mounts gets it in their place. */
	assert_string_equal(mount_on(object, "/dev/shm"), "");
	assert_true(*mount_on(object, "/dev/pts"));
	assert_non_null(strstr(mount_on(object, "/dev/pts"), "\"newinstance\""));
	json_object_put(object);

	command.mounts_count = 0;
	object = convert(&command);
	assert_non_null(strstr(mount_on(object, "/dev/shm"), "\"size=65536k\""));
	assert_true(*mount_on(object, "/dev/mqueue"));
	json_object_put(object);
}

static void test_resources(void **state)
{
	const struct runlxc_command_rlimit limits[] = {{"nofile", 64, -1}, {"rlimit_Core", -1, -1}};
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.resources = (struct runlxc_command_resources){
	    .memory = 1000,
	    .memory_reservation = 500,
	    .memory_swap = 1500,
	    .cpu_shares = 2,
	    .cpu_period = 50000,
	    .cpu_quota = -1,
	    .cpuset_cpus = "0-2,7",
	    .cpuset_mems = "0",
	    .blkio_weight = 10,
	    .rlimits = limits,
	    .rlimits_count = 2,
	    .oom_kill_disable = 1,
	    .memory_swappiness_set = 1,
	};
	object = convert(&command);
	assert_at(object, "/linux/resources/memory",
		  "{\"limit\":1000,\"reservation\":500,\"swap\":1500,\"swappiness\":0,"
		  "\"disableOOMKiller\":true}");
	assert_at(object, "/linux/resources/cpu",
		  "{\"shares\":2,\"period\":50000,\"quota\":-1,\"cpus\":\"0-2,7\",\"mems\":\"0\"}");
	assert_at(object, "/linux/resources/blockIO", "{\"weight\":10}");
	assert_at(object, "/process/rlimits",
		  "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":64,\"hard\":18446744073709551615},"
		  "{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,"
		  "\"hard\":18446744073709551615}]");
	json_object_put(object);
}

static void assert_memory(const struct runlxc_command *command, bool soft, bool no_swap,
			  const char *expected)
{
	const struct command_context context = {.soft_limit = soft, .no_swap_limit = no_swap};
	struct json_object *object = convert_in(command, &context);

	assert_at(object, "/linux/resources/memory", expected);
	json_object_put(object);
}

static void test_the_default_of_swap_and_of_the_soft_limit(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.resources.memory = 1000;
	assert_memory(&command, false, false, "{\"limit\":1000,\"swap\":2000}");
	assert_memory(&command, true, false, "{\"limit\":1000,\"reservation\":1000,\"swap\":2000}");
	assert_memory(&command, false, true, "{\"limit\":1000}");
	command.resources.memory_swap = -1;
	assert_memory(&command, false, false, "{\"limit\":1000,\"swap\":-1}");
	command.resources.memory_swap = 0;
	command.resources.memory = INT64_MAX;
	assert_memory(&command, false, false, "{\"limit\":9223372036854775807}");
}

static void test_the_cgroup_parent(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.cgroup_parent = "docker/x//";
	object = convert(&command);
	assert_at(object, "/linux/cgroupsPath", "\"/docker/x/lxc.payload.first\"");
	json_object_put(object);
	command.cgroup_parent = "/";
	object = convert(&command);
	assert_at(object, "/linux/cgroupsPath", "");
	json_object_put(object);
}

static void test_annotations(void **state)
{
	const struct runlxc_command_interface interface = {
	    .bridge = "br0",
	    .ip = "10.0.3.7",
	    .ip_prefix_len = 24,
	    .gateway = "10.0.3.1",
	    .mac = "02:42:ac:11:00:02",
	    .global_ipv6 = "2001:db8::7",
	    .global_ipv6_prefix_len = 64,
	    .link_local_ipv6 = "fe80::7",
	    .ipv6_gateway = "2001:db8::1",
	    .hairpin_mode = 1,
	};
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.network = (struct runlxc_command_network){.interface = &interface, .mtu = 1400};
	command.lxc_config = LIST("lxc.net.0.ipv6.address=2001:db8::8/64",
				  "  lxc.cap.drop\t= ", "lxc.environment = A=\"#\\ '",
				  "lxc.network.type = veth", "lxc.cap.drop = kill");
	object = convert(&command);
	assert_at(object, "/annotations",
		  "{\"org.linuxcontainers.lxc.net.0.type\":\"veth\","
		  "\"org.linuxcontainers.lxc.net.0.link\":\"br0\","
		  "\"org.linuxcontainers.lxc.net.0.flags\":\"up\","
		  "\"org.linuxcontainers.lxc.net.0.name\":\"eth0\","
		  "\"org.linuxcontainers.lxc.net.0.mtu\":\"1400\","
		  "\"org.linuxcontainers.lxc.net.0.hwaddr\":\"02:42:ac:11:00:02\","
		  "\"org.linuxcontainers.lxc.net.0.ipv4.address\":\"10.0.3.7/24\","
		  "\"org.linuxcontainers.lxc.net.0.ipv4.gateway\":\"10.0.3.1\","
		  "\"org.linuxcontainers.lxc.net.0.ipv6.address\":\"2001:db8::7/64\","
		  "\"org.linuxcontainers.lxc.net.0.ipv6.address#2\":\"fe80::7/64\","
		  "\"org.linuxcontainers.lxc.net.0.ipv6.gateway\":\"2001:db8::1\","
		  "\"org.runlxc.net.0.hairpin\":\"1\","
		  "\"org.linuxcontainers.lxc.net.0.ipv6.address#3\":\"2001:db8::8/64\","
		  "\"org.linuxcontainers.lxc.cap.drop\":\"\","
		  "\"org.linuxcontainers.lxc.environment\":\"A=\\\"#\\\\ '\","
		  "\"org.linuxcontainers.lxc.network.type\":\"veth\","
		  "\"org.linuxcontainers.lxc.cap.drop#2\":\"kill\"}");
	assert_at(object, "/linux/namespaces/3", "{\"type\":\"network\"}");
	json_object_put(object);
}

static void test_what_has_no_effect(void **state)
{
	struct runlxc_command command = minimal(*state), other = command;
	const struct command_context context = {0};
	struct error err = ERROR_INIT;
	char *plain, *with;

	other.initpath = "/.dockerinit";
	other.config_path = "/x";
	other.container_pid = 12;
	other.first_start = 1;
	plain = command_to_oci(&command, &context, &err);
	with = command_to_oci(&other, &context, &err);
	assert_string_equal(plain, with);
	free(plain);
	free(with);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, image_make, image_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_least),
	    TEST(test_the_document_is_a_valid_one),
	    TEST(test_the_environment),
	    TEST(test_the_process),
	    TEST(test_capabilities),
	    TEST(test_who_is_not_root_gets_the_bounding_set_alone),
	    TEST(test_unprivileged),
	    TEST(test_privileged),
	    TEST(test_namespaces),
	    TEST(test_devices),
	    TEST(test_mounts),
	    TEST(test_resources),
	    TEST(test_the_default_of_swap_and_of_the_soft_limit),
	    TEST(test_the_cgroup_parent),
	    TEST(test_annotations),
	    TEST(test_what_has_no_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
