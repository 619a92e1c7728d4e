/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything of a spec that becomes items of LXC's configuration, but for the mounts, and what goes
 * to init instead.
 */
#include "test_lxc_box.c"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- what every container has ---- */

static void a_small_container_has_these_items_and_no_others(void **state)
{
	struct box *box = *state;
	cleanup_free char *text = NULL, *expected = NULL;
	size_t length = 0;

	compile(box, NEW_PID);
	text = lxc_recipe_text(&box->recipe, &length, &box->err);
	assert_non_null(text);
	assert_int_equal(length, strlen(text));
	assert_true(asprintf(&expected,
			     "# Made by runlxc for this container; read, not edited.\n"
			     "lxc.rootfs.path = dir:%s\n"
			     "lxc.namespace.clone = pid mnt\n"
			     "lxc.cgroup.dir.container = docker/box\n"
			     "lxc.cgroup.dir.monitor = lxc.monitor.box\n"
			     "lxc.cgroup.dir.monitor.pivot = lxc.monitor.box/pivot\n"
			     "lxc.cgroup.devices.deny = a\n"
			     "lxc.cgroup.devices.allow = c *:* m\n"
			     "lxc.cgroup.devices.allow = b *:* m\n"
			     "lxc.cgroup.devices.allow = c 1:3 rwm\n"
			     "lxc.cgroup.devices.allow = c 1:8 rwm\n"
			     "lxc.cgroup.devices.allow = c 1:7 rwm\n"
			     "lxc.cgroup.devices.allow = c 5:0 rwm\n"
			     "lxc.cgroup.devices.allow = c 1:5 rwm\n"
			     "lxc.cgroup.devices.allow = c 1:9 rwm\n"
			     "lxc.cgroup.devices.allow = c 136:* rwm\n"
			     "lxc.cgroup.devices.allow = c 5:2 rwm\n"
			     "lxc.cgroup.devices.allow = c 10:200 rwm\n"
			     "lxc.mount.entry = " PROC_FOR_INIT "lxc.console.path = none\n"
			     "lxc.autodev = 0\n"
			     "lxc.pty.max = 0\n"
			     "lxc.tty.max = 0\n"
			     "lxc.apparmor.profile = unconfined\n"
			     "lxc.signal.halt = SIGTERM\n",
			     box->rootfs) > 0);
	assert_string_equal(text, expected);
}

static void a_keyring_is_new_unless_it_is_not_wanted(void **state)
{
	struct box *box = *state;

	compile(box, NEW_PID);
	assert_null(item(box, "lxc.keyring.session", 0));
	box->no_new_keyring = true;
	compile(box, NEW_PID);
	assert_item(box, "lxc.keyring.session", "0");
}

/* ---- namespaces ---- */

#define NAMESPACES(list) "'linux': {'namespaces': [" list "]}"

static void new_namespaces_are_exactly_those_that_are_listed(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'time'}, {'type': 'cgroup'}, {'type': 'uts'},"
				"{'type': 'ipc'}, {'type': 'mount'}, {'type': 'network'},"
				"{'type': 'pid'}"));
	/* The time namespace is init's to make. */
	assert_item(box, "lxc.namespace.clone", "pid net mnt ipc uts cgroup");
	compile(box, NAMESPACES("{'type': 'mount'}"));
	assert_item(box, "lxc.namespace.clone", "mnt");
	/* Without the item LXC would make all of them. */
	compile(box, NAMESPACES(""));
	assert_item(box, "lxc.namespace.clone", "");
}

static void a_new_network_has_its_loopback_up(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'mount'}, {'type': 'network'}"));
	assert_item(box, "lxc.net.0.type", "empty");
	assert_item(box, "lxc.net.0.flags", "up");
	compile(box, NAMESPACES("{'type': 'mount'}"));
	assert_null(item(box, "lxc.net.0.type", 0));
	compile(box, NAMESPACES("{'type': 'mount'},"
				"{'type': 'network', 'path': '/proc/self/ns/net'}"));
	assert_null(item(box, "lxc.net.0.type", 0));
}

static void namespaces_are_joined_by_their_path(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'mount'}, {'type': 'pid', 'path': '/proc/self/ns/pid'},"
				"{'type': 'network', 'path': '/proc/self/ns/net'},"
				"{'type': 'ipc', 'path': '/proc/self/ns/ipc'},"
				"{'type': 'uts', 'path': '/proc/self/ns/uts'}"));
	assert_item(box, "lxc.namespace.clone", "mnt");
	assert_item(box, "lxc.namespace.share.pid", "/proc/self/ns/pid");
	assert_item(box, "lxc.namespace.share.net", "/proc/self/ns/net");
	assert_item(box, "lxc.namespace.share.ipc", "/proc/self/ns/ipc");
	assert_item(box, "lxc.namespace.share.uts", "/proc/self/ns/uts");
	assert_int_equal(head(box)->join_cgroup_fd, -1);
}

/* LXC takes the item and does nothing. */
static void a_cgroup_namespace_is_joined_by_init(void **state)
{
	struct box *box = *state;
	struct stat st, own;

	compile(box, NAMESPACES("{'type': 'mount'},"
				"{'type': 'cgroup', 'path': '/proc/self/ns/cgroup'}"));
	assert_null(item(box, "lxc.namespace.share.cgroup", 0));
	assert_item(box, "lxc.namespace.clone", "mnt");
	assert_true(head(box)->join_cgroup_fd >= LOWEST);
	assert_int_equal(fstat(head(box)->join_cgroup_fd, &st), 0);
	assert_int_equal(stat("/proc/self/ns/cgroup", &own), 0);
	assert_true(st.st_ino == own.st_ino);
}

static void a_path_that_is_not_such_a_namespace_is_refused(void **state)
{
	struct box *box = *state;

	assert_refused(
	    box, NAMESPACES("{'type': 'mount'}, {'type': 'ipc', 'path': '/proc/self/ns/net'}"),
	    "linux.namespaces[1].path: \"/proc/self/ns/net\" is not a ipc namespace");
	assert_refused(box, NAMESPACES("{'type': 'ipc', 'path': '/dev/null'}"),
		       "linux.namespaces[0].path: \"/dev/null\" is not a namespace");
	assert_refused(
	    box, NAMESPACES("{'type': 'network', 'path': '/run/netns/nothing'}"),
	    "linux.namespaces[0].path: \"/run/netns/nothing\": no such file or directory");
}

/* ---- names ---- */

static void the_hostname_is_lxcs_in_a_new_namespace_and_inits_in_a_joined_one(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'uts'}") ", 'hostname': 'box', 'domainname': 'a.b'");
	assert_item(box, "lxc.uts.name", "box");
	assert_int_equal(head(box)->hostname, 0);
	assert_string_equal(plan_text(box, head(box)->domainname), "a.b");
	compile(box,
		NAMESPACES("{'type': 'uts', 'path': '/proc/self/ns/uts'}") ", 'hostname': 'box'");
	assert_null(item(box, "lxc.uts.name", 0));
	assert_string_equal(plan_text(box, head(box)->hostname), "box");
	assert_int_equal(head(box)->domainname, 0);
	compile(box, NAMESPACES("{'type': 'uts'}"));
	assert_null(item(box, "lxc.uts.name", 0));
}

/* ---- id mappings ---- */

static void id_mappings_are_in_the_order_of_the_file(void **state)
{
	struct box *box = *state;

	/* Joined to nothing: no devices are bound for a namespace that is not listed. */
	compile(box, "'linux': {'namespaces': [{'type': 'mount'}],"
		     " 'uidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536},"
		     "                 {'containerID': 4000000000, 'hostID': 5, 'size': 1}],"
		     " 'gidMappings': [{'containerID': 0, 'hostID': 200000, 'size': 1000}]}");
	assert_string_equal(item(box, "lxc.idmap", 0), "u 0 100000 65536");
	assert_string_equal(item(box, "lxc.idmap", 1), "u 4000000000 5 1");
	assert_string_equal(item(box, "lxc.idmap", 2), "g 0 200000 1000");
	assert_null(item(box, "lxc.idmap", 3));
}

/* A process in a user namespace with mappings of its own; it waits until `end` is closed. */
static pid_t start_in_user_namespace(const char *uid_map, const char *gid_map, int *end)
{
	int ready[2], wait[2];
	char byte = 0, path[64];
	pid_t pid;
	int fd;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(wait, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(wait[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		_exit(read(wait[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(wait[0]);
	*end = wait[1];
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	for (int i = 0; byte == 'y' && i < 2; i++) {
		const char *map = i ? gid_map : uid_map;

		snprintf(path, sizeof(path), "/proc/%d/%cid_map", (int)pid, i ? 'g' : 'u');
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, map, strlen(map)) != (ssize_t)strlen(map))
			byte = 'n';
		fd_close(fd);
	}
	if (byte != 'y') {
		close(*end);
		waitpid(pid, NULL, 0);
		print_message("skipped: may not make a user namespace\n");
		skip();
	}
	return pid;
}

static void a_joined_user_namespace_brings_its_mappings(void **state)
{
	struct box *box = *state;
	cleanup_free char *members = NULL;
	int end, result;
	pid_t pid;

	needs_rights();
	pid = start_in_user_namespace("0 100000 1000\n5000 300000 1\n", "0 200000 500\n", &end);
	assert_true(asprintf(&members,
			     "'linux': {'namespaces': [{'type': 'mount'},"
			     " {'type': 'user', 'path': '/proc/%d/ns/user'}]}",
			     (int)pid) > 0);
	result = try_members(box, members);
	close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (result < 0)
		fail_msg("%s", error_text(&box->err));
	assert_string_equal(item(box, "lxc.idmap", 0), "u 0 100000 1000");
	assert_string_equal(item(box, "lxc.idmap", 1), "u 5000 300000 1");
	assert_string_equal(item(box, "lxc.idmap", 2), "g 0 200000 500");
	assert_null(item(box, "lxc.idmap", 3));
	assert_non_null(item(box, "lxc.namespace.share.user", 0));
}

/* ---- cgroups ---- */

/* A hierarchy of our own with the files of a kernel's. */
static void make_hierarchy(const struct box *box, const char *name, const char *const *files)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", box->base, name);
	assert_int_equal(mkdir(path, 0755), 0);
	for (; *files; files++)
		make_file(path, *files);
}

#define RESOURCES                                                                                  \
	"'linux': {'namespaces': [{'type': 'mount'}], 'resources': {'memory': {'limit': "          \
	"67108864},"                                                                               \
	" 'devices': [{'allow': false}, {'allow': true, 'type': 'c', 'major': 1, 'minor': 3,"      \
	" 'access': 'rw'}, {'allow': true, 'type': 'b', 'major': 8, 'access': 'r'}]}}"

static void limits_and_device_rules_of_v1_are_files(void **state)
{
	static const char *const memory_files[] = {"memory.limit_in_bytes", NULL};
	static const char *const device_files[] = {"devices.allow", "devices.deny", NULL};
	struct box *box = *state;
	char memory[200], devices[200];
	struct cgroup_hierarchy hierarchies[] = {
	    {.mount = memory,
	     .own = (char *)"/",
	     .label = (char *)"memory",
	     .controllers = (char **)(const char *[]){"memory", NULL}},
	    {.mount = devices,
	     .own = (char *)"/",
	     .label = (char *)"devices",
	     .controllers = (char **)(const char *[]){"devices", NULL}}};
	const struct cgroup_layout layout = {CGROUP_LEGACY, 2, hierarchies};

	make_hierarchy(box, "memory", memory_files);
	make_hierarchy(box, "devices", device_files);
	snprintf(memory, sizeof(memory), "%s/memory", box->base);
	snprintf(devices, sizeof(devices), "%s/devices", box->base);
	box->layout = &layout;
	compile(box, RESOURCES);
	box->layout = &hybrid_layout;
	assert_item(box, "lxc.cgroup.memory.limit_in_bytes", "67108864");
	assert_string_equal(item(box, "lxc.cgroup.devices.deny", 0), "a");
	assert_null(item(box, "lxc.cgroup.devices.deny", 1));
	assert_string_equal(item(box, "lxc.cgroup.devices.allow", 1), "b 8:* r");
	assert_null(item(box, "lxc.cgroup2.devices.allow", 0));
	assert_null(item(box, "lxc.cgroup2.memory.max", 0));
}

/* LXC makes the eBPF program from these. */
static void on_v2_device_rules_are_lxcs_in_their_order(void **state)
{
	static const char *const files[] = {"memory.max", "cgroup.controllers", NULL};
	static const char *const allowed[] = {
	    "c 1:3 rwm", "b 8:* r",   "c *:* m",   "b *:* m",	  "c 1:8 rwm", "c 1:7 rwm",
	    "c 5:0 rwm", "c 1:5 rwm", "c 1:9 rwm", "c 136:* rwm", "c 5:2 rwm", "c 10:200 rwm"};
	struct box *box = *state;
	char mount[200];
	struct cgroup_hierarchy hierarchy = {.unified = true,
					     .mount = mount,
					     .own = (char *)"/",
					     .label = (char *)"",
					     .controllers =
						 (char **)(const char *[]){"memory", NULL}};
	const struct cgroup_layout layout = {CGROUP_UNIFIED, 1, &hierarchy};

	make_hierarchy(box, "unified", files);
	/* Only cgroups below the root have the files of limits. */
	make_hierarchy(box, "unified/system.slice", files);
	snprintf(mount, sizeof(mount), "%s/unified", box->base);
	box->layout = &layout;
	compile(box, RESOURCES);
	assert_item(box, "lxc.cgroup2.memory.max", "67108864");
	assert_string_equal(item(box, "lxc.cgroup2.devices.deny", 0), "a");
	assert_null(item(box, "lxc.cgroup2.devices.deny", 1));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		assert_string_equal(item(box, "lxc.cgroup2.devices.allow", i), allowed[i]);
	assert_null(item(box, "lxc.cgroup2.devices.allow", ARRAY_SIZE(allowed)));
	compile(box, NEW_PID);
	assert_string_equal(item(box, "lxc.cgroup2.devices.deny", 0), "a");
	assert_string_equal(item(box, "lxc.cgroup2.devices.allow", 0), "c *:* m");
	box->layout = &hybrid_layout;
}

static void a_limit_that_the_host_does_not_have_is_refused(void **state)
{
	struct box *box = *state;

	assert_refused(box,
		       "'linux': {'namespaces': [{'type': 'mount'}],"
		       " 'resources': {'memory': {'limit': 67108864}}}",
		       "config.json: linux.resources.memory.limit: no memory cgroup controller on "
		       "this host");
}

/* ---- sysctls ---- */

static void assert_sysctl(const struct box *box, size_t index, const char *key, const char *path,
			  const char *value)
{
	const struct plan_sysctl *sysctl =
	    (const void *)(box->plan.data + head(box)->sysctls.offset);

	assert_true(index < head(box)->sysctls.count);
	assert_string_equal(plan_text(box, sysctl[index].key), key);
	assert_string_equal(plan_text(box, sysctl[index].path), path);
	assert_string_equal(plan_text(box, sysctl[index].value), value);
}

/* CVE-2025-52881: LXC would write them by name. */
static void sysctls_are_inits_with_a_descriptor_of_the_hosts(void **state)
{
	struct box *box = *state;
	struct stat given, own;

	compile(box, "'linux': {'namespaces': [{'type': 'mount'}], 'sysctl':"
		     " {'net.ipv4.ip_forward': '1', 'net.ipv4.ping_group_range': '0 5',"
		     " 'net.ipv4.conf.eno2/100.rp_filter': '2', 'net/ipv4/conf/a.b/tag': '3'}}");
	assert_sysctl(box, 0, "net.ipv4.ip_forward", "net/ipv4/ip_forward", "1");
	assert_sysctl(box, 1, "net.ipv4.ping_group_range", "net/ipv4/ping_group_range", "0 5");
	assert_sysctl(box, 2, "net.ipv4.conf.eno2/100.rp_filter",
		      "net/ipv4/conf/eno2.100/rp_filter", "2");
	assert_sysctl(box, 3, "net/ipv4/conf/a.b/tag", "net/ipv4/conf/a.b/tag", "3");
	for (size_t i = 0; i < box->recipe.count; i++)
		assert_int_not_equal(strncmp(box->recipe.items[i].key, "lxc.sysctl", 10), 0);
	assert_int_equal(box->recipe.fds_count, 1);
	assert_int_equal(box->recipe.fds[0], head(box)->sysctl_fd);
	assert_true(fcntl(head(box)->sysctl_fd, F_GETFL) & O_PATH);
	assert_int_equal(fstat(head(box)->sysctl_fd, &given), 0);
	assert_int_equal(stat("/proc/sys", &own), 0);
	assert_int_equal(given.st_ino, own.st_ino);
	/* None is opened for nothing. */
	compile(box, NEW_PID);
	assert_int_equal(head(box)->sysctl_fd, -1);
	assert_int_equal(box->recipe.fds_count, 0);
}

/* ---- what init does ---- */

static void the_rest_of_the_root_is_inits(void **state)
{
	struct box *box = *state;
	const plan_string *paths;

	compile(box, "'linux': {'namespaces': [{'type': 'mount'}],"
		     " 'maskedPaths': ['/proc/kcore', '/sys/firmware'],"
		     " 'readonlyPaths': ['/proc/sys']}");
	assert_int_equal(head(box)->masked.count, 2);
	paths = (const void *)(box->plan.data + head(box)->masked.offset);
	assert_string_equal(plan_text(box, paths[0]), "/proc/kcore");
	assert_string_equal(plan_text(box, paths[1]), "/sys/firmware");
	assert_int_equal(head(box)->readonly.count, 1);
	paths = (const void *)(box->plan.data + head(box)->readonly.offset);
	assert_string_equal(plan_text(box, paths[0]), "/proc/sys");
	assert_false(head(box)->flags & PLAN_READONLY_ROOT);
	assert_false(head(box)->flags & PLAN_PERSONALITY);
	assert_int_equal(try_config(box, "{'ociVersion': '1.3.0',"
					 " 'root': {'path': 'rootfs', 'readonly': true},"
					 " 'process': {'args': ['sh'], 'cwd': '/'}}"),
			 0);
	assert_true(head(box)->flags & PLAN_READONLY_ROOT);
}

static void the_roots_propagation_is_inits_unless_it_is_private(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} cases[] = {
	    {"private", 0},
	    {"rprivate", 0},
	    {"shared", MS_SHARED},
	    {"rshared", MS_SHARED | MS_REC},
	    {"slave", MS_SLAVE},
	    {"rslave", MS_SLAVE | MS_REC},
	    {"unbindable", MS_UNBINDABLE},
	    {"runbindable", MS_UNBINDABLE | MS_REC},
	};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char members[200];

		snprintf(members, sizeof(members),
			 "'linux': {'namespaces': [{'type': 'mount'}], 'rootfsPropagation': '%s'}",
			 cases[i].name);
		compile(box, members);
		assert_int_equal(head(box)->root_propagation, cases[i].flags);
	}
	compile(box, NEW_PID);
	assert_int_equal(head(box)->root_propagation, 0);
}

static void the_personality_is_inits(void **state)
{
	struct box *box = *state;

	compile(box, "'linux': {'namespaces': [{'type': 'mount'}],"
		     " 'personality': {'domain': 'LINUX32'}}");
	assert_true(head(box)->flags & PLAN_PERSONALITY);
	assert_int_equal(head(box)->personality, 8);
	compile(box, "'linux': {'namespaces': [{'type': 'mount'}],"
		     " 'personality': {'domain': 'LINUX'}}");
	assert_true(head(box)->flags & PLAN_PERSONALITY);
	assert_int_equal(head(box)->personality, 0);
}

static void a_new_time_namespace_is_inits(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'mount'}"));
	assert_int_equal(head(box)->proc_fd, -1);
	compile(box, NAMESPACES("{'type': 'mount'}, {'type': 'time'}"));
	assert_true(head(box)->proc_fd >= 0);
	assert_int_equal(head(box)->time_offsets, 0);
	compile(box, "'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time'}],"
		     " 'timeOffsets': {'monotonic': {'secs': -5, 'nanosecs': 7}}}");
	assert_string_equal(plan_text(box, head(box)->time_offsets),
			    "monotonic -5 7\nboottime 0 0\n");
}

static void a_time_namespace_is_joined_by_the_monitor(void **state)
{
	struct box *box = *state;

	compile(box, NAMESPACES("{'type': 'mount'}"));
	assert_false(box->recipe.join_time);
	compile(box,
		NAMESPACES("{'type': 'mount'}, {'type': 'time', 'path': '/proc/self/ns/time'}"));
	assert_true(box->recipe.join_time);
	assert_true(box->recipe.time_fd >= 0);
	assert_int_equal(head(box)->proc_fd, -1);
	assert_null(item(box, "lxc.namespace.share.time", 0));
}

static void the_memory_policy_is_inits(void **state)
{
	struct box *box = *state;
	const uint64_t *words;

	compile(box, NAMESPACES("{'type': 'mount'}"));
	assert_false(head(box)->memory_policy_set);
	compile(box, "'linux': {'namespaces': [{'type': 'mount'}], 'memoryPolicy':"
		     " {'mode': 'MPOL_BIND', 'nodes': '0,65', 'flags': ['MPOL_F_STATIC_NODES']}}");
	assert_true(head(box)->memory_policy_set);
	assert_int_equal(head(box)->memory_policy, 2 | 1 << 15);
	words = (const void *)((const char *)head(box) + head(box)->memory_nodes.offset);
	assert_true(head(box)->memory_nodes.count > 2);
	assert_int_equal(words[0], 1);
	assert_int_equal(words[1], 2);
	assert_int_equal(words[2], 0);
}

/* ---- one value is one value ---- */

static void a_newline_is_not_given_to_lxc(void **state)
{
	struct box *box = *state;

	assert_refused(box, NAMESPACES("{'type': 'uts'}") ", 'hostname': 'a\\nlxc.hook.start = /x'",
		       "lxc.uts.name: a newline in its value can't be given to LXC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOX(a_small_container_has_these_items_and_no_others),
	    IN_BOX(a_keyring_is_new_unless_it_is_not_wanted),
	    IN_BOX(new_namespaces_are_exactly_those_that_are_listed),
	    IN_BOX(a_new_network_has_its_loopback_up),
	    IN_BOX(namespaces_are_joined_by_their_path),
	    IN_BOX(a_cgroup_namespace_is_joined_by_init),
	    IN_BOX(a_path_that_is_not_such_a_namespace_is_refused),
	    IN_BOX(the_hostname_is_lxcs_in_a_new_namespace_and_inits_in_a_joined_one),
	    IN_BOX(id_mappings_are_in_the_order_of_the_file),
	    IN_BOX(a_joined_user_namespace_brings_its_mappings),
	    IN_BOX(limits_and_device_rules_of_v1_are_files),
	    IN_BOX(on_v2_device_rules_are_lxcs_in_their_order),
	    IN_BOX(a_limit_that_the_host_does_not_have_is_refused),
	    IN_BOX(sysctls_are_inits_with_a_descriptor_of_the_hosts),
	    IN_BOX(the_rest_of_the_root_is_inits),
	    IN_BOX(the_roots_propagation_is_inits_unless_it_is_private),
	    IN_BOX(the_personality_is_inits),
	    IN_BOX(a_new_time_namespace_is_inits),
	    IN_BOX(a_time_namespace_is_joined_by_the_monitor),
	    IN_BOX(the_memory_policy_is_inits),
	    IN_BOX(a_newline_is_not_given_to_lxc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
