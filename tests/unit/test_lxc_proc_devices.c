/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container gets beside its mounts[]: the procfs that init is executed through, device
 * nodes, and the names of its cgroups.
 */
#include "test_lxc_box.c"

/* ---- the procfs for init ---- */

#define SHARED_PID "'linux': {'namespaces': [{'type': 'mount'}]}"
#define JOINED_PID                                                                                 \
	"'linux': {'namespaces': [{'type': 'pid', 'path': '/proc/self/ns/pid'}, {'type': "         \
	"'mount'}]}"
#define MOUNT_PROC "'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'}]"

static bool is_hidden(const struct box *box)
{
	return head(box)->flags & PLAN_HIDE_PROC;
}

static void a_container_with_a_proc_of_its_own_gets_no_other(void **state)
{
	struct box *box = *state;

	compile(box, NEW_PID "," MOUNT_PROC);
	assert_entries(box, "proc proc proc defaults 0 0\n");
	assert_false(is_hidden(box));
	assert_false(box->recipe.made_proc);
}

static void nor_does_one_that_shares_its_pid_namespace(void **state)
{
	struct box *box = *state;

	compile(box, SHARED_PID "," MOUNT_PROC);
	assert_entries(box, "proc proc proc defaults 0 0\n");
	assert_false(is_hidden(box));
	compile(box, JOINED_PID "," MOUNT_PROC);
	assert_entries(box, "proc proc proc defaults 0 0\n");
	assert_false(is_hidden(box));
}

static void a_container_without_a_proc_gets_one_that_init_takes_off(void **state)
{
	struct box *box = *state;

	compile(box, NEW_PID);
	assert_entries(box, PROC_FOR_INIT);
	assert_true(is_hidden(box));
	assert_false(box->recipe.made_proc);
	compile(box, SHARED_PID);
	assert_entries(box, PROC_FOR_INIT);
	assert_true(is_hidden(box));
	compile(box, JOINED_PID);
	assert_entries(box, PROC_FOR_INIT);
	assert_true(is_hidden(box));
}

static void it_comes_after_all_the_others(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/tmp', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/run', 'type': 'tmpfs', 'source': 'x'}");
	assert_entries(box, "x tmp tmpfs defaults 0 0\nx run tmpfs defaults 0 0\n" PROC_FOR_INIT);
}

static void a_root_without_a_proc_directory_gets_one_for_the_start(void **state)
{
	struct box *box = *state;

	assert_int_equal(unlinkat(box->root, "proc", AT_REMOVEDIR), 0);
	compile(box, NEW_PID);
	assert_true(box->recipe.made_proc);
	assert_int_equal(kind_of(box, "proc"), 'd');
	/* The user's own is the user's, and stays. */
	assert_int_equal(unlinkat(box->root, "proc", AT_REMOVEDIR), 0);
	compile(box, NEW_PID "," MOUNT_PROC);
	assert_false(box->recipe.made_proc);
	assert_int_equal(kind_of(box, "proc"), 'd');
}

static void a_procfs_may_be_bound_there(void **state)
{
	struct box *box = *state;

	needs_rights();
	/* As podman does it for --pid=host. */
	compile(box, SHARED_PID ", 'mounts': [{'destination': '/proc', 'type': 'bind',"
				" 'source': '/proc', 'options': ['rbind']}]");
	assert_entries(box, PROC_FOR_INIT);
	assert_true(is_hidden(box));
	assert_int_equal(late_count(box), 1);
	assert_int_equal(late(box, 0)->proc, PLAN_PROC_ROOT);
}

static void a_proc_elsewhere_is_not_the_one(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/mnt', 'type': 'proc', 'source': 'proc'}");
	assert_entries(box, "proc mnt proc defaults 0 0\n" PROC_FOR_INIT);
	assert_true(is_hidden(box));
}

static void a_proc_that_init_mounts_comes_too_late_for_init(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/proc', 'type': 'proc', 'source': 'proc',"
			    " 'options': ['shared']}");
	assert_entries(box, PROC_FOR_INIT);
	assert_true(is_hidden(box));
	assert_int_equal(late_count(box), 1);
}

static void a_root_whose_proc_is_no_directory_is_refused(void **state)
{
	struct box *box = *state;

	assert_int_equal(unlinkat(box->root, "proc", AT_REMOVEDIR), 0);
	make_file(box->rootfs, "proc");
	assert_refused(box, NEW_PID, "root.path: \"/proc\" in it is not a directory");
	assert_int_equal(unlinkat(box->root, "proc", 0), 0);
	make_link(box, "tmp", "proc");
	assert_refused(box, NEW_PID, "root.path: \"/proc\" in it is not a directory");
}

/* ---- devices ---- */

static const struct plan_device *device(const struct box *box, size_t index)
{
	assert_true(index < head(box)->devices.count);
	return (const struct plan_device *)(const void *)(box->plan.data +
							  head(box)->devices.offset) +
	       index;
}

static void assert_device(const struct box *box, size_t index, const char *path, uint32_t mode,
			  uint32_t major, uint32_t minor)
{
	const struct plan_device *node = device(box, index);

	assert_string_equal(plan_text(box, node->path), path);
	assert_int_equal(node->type_mode, mode);
	assert_int_equal(node->major, major);
	assert_int_equal(node->minor, minor);
}

static void the_default_devices_are_those_of_the_specification(void **state)
{
	static const struct {
		const char *path;
		uint32_t major, minor;
	} expected[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
			{"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
	struct box *box = *state;

	compile(box, NEW_PID);
	assert_true(head(box)->flags & PLAN_SETUP_DEV);
	assert_int_equal(head(box)->devices.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_device(box, i, expected[i].path, S_IFCHR | 0666, expected[i].major,
			      expected[i].minor);
		assert_int_equal(device(box, i)->uid, 0);
		assert_int_equal(device(box, i)->gid, 0);
		assert_int_equal(device(box, i)->keep, 1);
	}
}

#define WITH_DEVICES(devices)                                                                      \
	"'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount'}], 'devices': [" devices "]}"

static void listed_devices_come_first_as_they_are_listed(void **state)
{
	struct box *box = *state;

	compile(box,
		WITH_DEVICES(
		    "{'path': '/dev/fuse', 'type': 'c', 'major': 10, 'minor': 229,"
		    " 'fileMode': 432, 'uid': 5, 'gid': 6},"
		    "{'path': '/dev/sda', 'type': 'b', 'major': 8, 'minor': 0},"
		    "{'path': '/run/pipe', 'type': 'p', 'fileMode': 384},"
		    "{'path': '/dev/raw', 'type': 'u', 'major': 162, 'minor': 0, 'fileMode': 0}"));
	assert_int_equal(head(box)->devices.count, 4 + 6);
	assert_device(box, 0, "/dev/fuse", S_IFCHR | 0660, 10, 229);
	assert_int_equal(device(box, 0)->uid, 5);
	assert_int_equal(device(box, 0)->gid, 6);
	assert_int_equal(device(box, 0)->keep, 0);
	assert_device(box, 1, "/dev/sda", S_IFBLK | 0666, 8, 0);
	assert_string_equal(plan_text(box, device(box, 2)->path), "/run/pipe");
	assert_int_equal(device(box, 2)->type_mode, S_IFIFO | 0600);
	assert_device(box, 3, "/dev/raw", S_IFCHR | 0000, 162, 0);
	assert_device(box, 4, "/dev/null", S_IFCHR | 0666, 1, 3);
}

static void a_mode_is_without_the_type_that_engines_add(void **state)
{
	struct box *box = *state;

	/* Docker: 0666 | S_IFCHR as the host has it; 0o1020666 has bits of Go's own, too. */
	compile(box, WITH_DEVICES("{'path': '/dev/a', 'type': 'c', 'major': 1, 'minor': 1,"
				  " 'fileMode': 8630},"
				  "{'path': '/dev/b', 'type': 'b', 'major': 1, 'minor': 1,"
				  " 'fileMode': 4294967295}"));
	assert_device(box, 0, "/dev/a", S_IFCHR | 0666, 1, 1);
	assert_device(box, 1, "/dev/b", S_IFBLK | 07777, 1, 1);
}

static void a_default_device_that_is_listed_is_made_as_listed(void **state)
{
	struct box *box = *state;

	compile(box, WITH_DEVICES("{'path': '/dev/zero', 'type': 'c', 'major': 1, 'minor': 5,"
				  " 'fileMode': 384, 'uid': 7}"));
	assert_int_equal(head(box)->devices.count, 6);
	assert_device(box, 0, "/dev/zero", S_IFCHR | 0600, 1, 5);
	assert_int_equal(device(box, 0)->uid, 7);
	for (size_t i = 1; i < 6; i++)
		assert_string_not_equal(plan_text(box, device(box, i)->path), "/dev/zero");
}

static void ptmx_and_the_terminals_console_are_not_nodes(void **state)
{
	static const char devices[] =
	    WITH_DEVICES("{'path': '/dev/ptmx', 'type': 'c', 'major': 5, 'minor': 2},"
			 "{'path': '/dev/console', 'type': 'c', 'major': 5, 'minor': 1}");
	struct box *box = *state;
	cleanup_free char *config = NULL;

	compile(box, devices);
	assert_int_equal(head(box)->devices.count, 1 + 6);
	assert_device(box, 0, "/dev/console", S_IFCHR | 0666, 5, 1);
	assert_true(asprintf(&config,
			     "{'ociVersion': '1.3.0', 'root': {'path': 'rootfs'},"
			     " 'process': {'args': ['sh'], 'cwd': '/', 'terminal': true}, %s}",
			     devices) > 0);
	assert_int_equal(try_config(box, config), 0);
	assert_int_equal(head(box)->devices.count, 6);
}

/* A /dev that is bound in has its owner's devices. */
static void nothing_is_made_in_a_bound_dev_that_was_not_asked_for(void **state)
{
	struct box *box = *state;

	make_source(box, "dev");
	compile(
	    box,
	    WITH_DEVICES(
		"{'path': '/dev/fuse', 'type': 'c', 'major': 10, 'minor': 229}") ", 'mounts': "
										 "[{'destination': "
										 "'/dev', 'type': "
										 "'bind', "
										 "'source': "
										 "'host/dev'}]");
	assert_false(head(box)->flags & PLAN_SETUP_DEV);
	assert_int_equal(head(box)->devices.count, 1);
	assert_string_equal(plan_text(box, device(box, 0)->path), "/dev/fuse");
	assert_int_equal(device(box, 0)->keep, 1);
	/* The last mount on it counts. */
	compile_mounts(box, "{'destination': '/dev', 'type': 'bind', 'source': '{host}/dev'},"
			    "{'destination': '/dev/', 'type': 'tmpfs', 'source': 'x'}");
	assert_true(head(box)->flags & PLAN_SETUP_DEV);
}

/* ---- in a user namespace, which can't make any ---- */

#define WITH_USER(devices)                                                                         \
	"'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount'}, {'type': 'user'}],"          \
	" 'uidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536}],"                   \
	" 'gidMappings': [{'containerID': 0, 'hostID': 100000, 'size': 65536}],"                   \
	" 'devices': [" devices "]}"

static void in_a_user_namespace_the_hosts_devices_are_bound(void **state)
{
	static const char *const paths[] = {"/dev/null",   "/dev/zero",	   "/dev/full",
					    "/dev/random", "/dev/urandom", "/dev/tty"};
	struct box *box = *state;

	needs_rights();
	compile(box, WITH_USER(""));
	assert_int_equal(head(box)->devices.count, 0);
	assert_true(head(box)->flags & PLAN_SETUP_DEV);
	assert_int_equal(late_count(box), ARRAY_SIZE(paths));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct plan_mount *mount = late(box, i);
		struct stat st, node;

		assert_int_equal(mount->kind, PLAN_MOUNT_TREE);
		assert_int_equal(mount->is_file, 1);
		assert_string_equal(plan_text(box, mount->destination), paths[i]);
		assert_string_equal(plan_text(box, mount->what), "default device");
		assert_true(mount->fd >= LOWEST);
		assert_int_equal(fstat(mount->fd, &st), 0);
		assert_int_equal(stat(paths[i], &node), 0);
		assert_true(st.st_rdev == node.st_rdev);
	}
}

static void in_a_user_namespace_listed_devices_are_bound_too_and_pipes_made(void **state)
{
	struct box *box = *state;

	needs_rights();
	compile(box, WITH_USER("{'path': '/dev/zero', 'type': 'c', 'major': 1, 'minor': 5},"
			       "{'path': '/run/pipe', 'type': 'p', 'fileMode': 384}"));
	assert_int_equal(late_count(box), 6);
	assert_string_equal(plan_text(box, late(box, 0)->destination), "/dev/zero");
	assert_string_equal(plan_text(box, late(box, 0)->what), "linux.devices[0]");
	assert_int_equal(head(box)->devices.count, 1);
	assert_int_equal(device(box, 0)->type_mode, S_IFIFO | 0600);
}

static void in_a_user_namespace_another_device_is_refused(void **state)
{
	struct box *box = *state;

	assert_refused(box, WITH_USER("{'path': '/dev/zero', 'type': 'c', 'major': 1, 'minor': 3}"),
		       "linux.devices[0]: \"/dev/zero\" on the host is another device");
	assert_refused(box, WITH_USER("{'path': '/dev/zero', 'type': 'b', 'major': 1, 'minor': 5}"),
		       "linux.devices[0]: \"/dev/zero\" on the host is another device");
	assert_refused(
	    box,
	    WITH_USER("{'path': '/dev/of-tomorrow', 'type': 'c', 'major': 1,"
		      " 'minor': 5}"),
	    "linux.devices[0]: \"/dev/of-tomorrow\" on the host: no such file or directory");
}

/* ---- cgroups ---- */

static void assert_cgroups(struct box *box, const struct cgroup_layout *layout,
			   const char *expected)
{
	const struct plan_cgroup *names;
	char text[200] = "";

	box->layout = layout;
	compile(box, NEW_PID);
	names = (const void *)(box->plan.data + head(box)->cgroups.offset);
	for (size_t i = 0; i < head(box)->cgroups.count; i++) {
		strcat(text, names[i].name ? plan_text(box, names[i].name) : "(the mount)");
		strcat(text, " ");
	}
	assert_string_equal(text, expected);
}

static void cgroups_are_named_as_their_mounts_are(void **state)
{
	struct box *box = *state;
	struct cgroup_hierarchy tree = hybrid[3];
	const struct cgroup_layout legacy = {CGROUP_LEGACY, 3, hybrid};
	const struct cgroup_layout unified = {CGROUP_UNIFIED, 1, &tree};

	tree.mount = box->host;
	assert_cgroups(box, &legacy, "cpu,cpuacct devices systemd ");
	/* The v2 tree of a hybrid host is not shown. */
	assert_cgroups(box, &hybrid_layout, "cpu,cpuacct devices systemd ");
	assert_cgroups(box, &unified, "(the mount) ");
	box->layout = &hybrid_layout;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOX(a_container_with_a_proc_of_its_own_gets_no_other),
	    IN_BOX(nor_does_one_that_shares_its_pid_namespace),
	    IN_BOX(a_container_without_a_proc_gets_one_that_init_takes_off),
	    IN_BOX(it_comes_after_all_the_others),
	    IN_BOX(a_root_without_a_proc_directory_gets_one_for_the_start),
	    IN_BOX(a_procfs_may_be_bound_there),
	    IN_BOX(a_proc_elsewhere_is_not_the_one),
	    IN_BOX(a_proc_that_init_mounts_comes_too_late_for_init),
	    IN_BOX(a_root_whose_proc_is_no_directory_is_refused),
	    IN_BOX(the_default_devices_are_those_of_the_specification),
	    IN_BOX(listed_devices_come_first_as_they_are_listed),
	    IN_BOX(a_mode_is_without_the_type_that_engines_add),
	    IN_BOX(a_default_device_that_is_listed_is_made_as_listed),
	    IN_BOX(ptmx_and_the_terminals_console_are_not_nodes),
	    IN_BOX(nothing_is_made_in_a_bound_dev_that_was_not_asked_for),
	    IN_BOX(in_a_user_namespace_the_hosts_devices_are_bound),
	    IN_BOX(in_a_user_namespace_listed_devices_are_bound_too_and_pipes_made),
	    IN_BOX(in_a_user_namespace_another_device_is_refused),
	    IN_BOX(cgroups_are_named_as_their_mounts_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
