/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may not be mounted on: /proc and what is in it, however the destination is written and
 * wherever an image's symlinks lead (src/lxc/destination.c).
 */
#include "test_lxc_box.c"

static void try_at(struct box *box, const char *destination, const char *rest, int *result)
{
	char mounts[400];

	snprintf(mounts, sizeof(mounts),
		 "{'destination': '/proc', 'type': 'proc', 'source': 'proc'},"
		 "{'destination': '%s', %s}",
		 destination, rest);
	*result = try_mounts(box, mounts);
}

static void assert_not_at(struct box *box, const char *destination, const char *rest,
			  const char *reason)
{
	char expected[300];
	int result;

	try_at(box, destination, rest, &result);
	if (result == 0)
		fail_msg("accepted: %s with %s", destination, rest);
	snprintf(expected, sizeof(expected),
		 "mounts[1].destination: \"%s\" cannot be mounted because it is %s", destination,
		 reason);
	assert_string_equal(error_text(&box->err), expected);
}

#define TMPFS "'type': 'tmpfs', 'source': 'x'"
#define BIND "'type': 'bind', 'source': '{host}'"

static void nothing_is_mounted_in_proc(void **state)
{
	static const char *const destinations[] = {
	    "/proc/sys",      "/proc/self/root/tmp", "/proc/1/attr/exec", "proc/acpi",
	    "//proc//./sys/", "/x/../proc/sys",	     "/../../proc/bus",	  "/proc/uptime/x",
	    "/proc/uptimes",  "/proc/net/dev",	     "/proc/sys/kernel",
	};
	static const char *const rests[] = {
	    TMPFS,
	    BIND,
	    "'type': 'bind', 'source': '{host}', 'options': ['rbind', 'nosuid']",
	    "'type': 'bind', 'source': '/proc', 'options': ['rbind']",
	    "'type': 'proc', 'source': 'proc'",
	    "'type': 'cgroup', 'source': 'cgroup'",
	    "'type': 'tmpfs', 'source': 'x', 'options': ['remount', 'ro']",
	};

	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rests); k++)
			assert_not_at(*state, destinations[i], rests[k], "inside /proc");
}

static void the_files_of_lxcfs_may_be_covered_and_init_knows_them(void **state)
{
	static const char *const files[] = {"/proc/cpuinfo",
					    "/proc/diskstats",
					    "/proc/loadavg",
					    "/proc/meminfo",
					    "/proc/slabinfo",
					    "/proc/stat",
					    "/proc/swaps",
					    "/proc/uptime",
					    "/proc/sys/kernel/ns_last_pid",
					    "/proc/sys/crypto/fips_enabled"};
	struct box *box = *state;
	char written[100];
	int result;

	needs_rights();
	make_file(box->host, "file");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		/* Given to init as it was checked. */
		snprintf(written, sizeof(written), "/x/..%s/", files[i]);
		try_at(box, written, "'type': 'bind', 'source': '{host}/file'", &result);
		assert_int_equal(result, 0);
		assert_int_equal(late_count(box), 1);
		assert_int_equal(late(box, 0)->proc, PLAN_PROC_FILE);
		assert_int_equal(late(box, 0)->no_symlink, 1);
		assert_string_equal(plan_text(box, late(box, 0)->destination), files[i]);
	}
}

static void proc_itself_is_for_a_procfs(void **state)
{
	struct box *box = *state;
	int result;

	assert_not_at(box, "/proc", TMPFS, "not of type proc");
	assert_not_at(box, "/proc/", "'type': 'cgroup', 'source': 'x'", "not of type proc");
	try_at(box, "/proc", "'type': 'proc', 'source': 'x', 'options': ['hidepid=2']", &result);
	assert_int_equal(result, 0);
	try_at(box, "/proc", "'type': 'proc', 'source': 'x', 'options': ['remount', 'ro']",
	       &result);
	assert_int_equal(result, 0);
	needs_rights();
	assert_not_at(box, "/proc", BIND, "not of type proc");
	assert_not_at(box, "/proc", "'type': 'bind', 'source': '/proc/self'", "not of type proc");
	try_at(box, "/proc", "'type': 'bind', 'source': '/proc'", &result);
	assert_int_equal(result, 0);
	assert_int_equal(late(box, 0)->proc, PLAN_PROC_ROOT);
}

static void an_images_symlinks_are_followed_before_they_are_judged(void **state)
{
	struct box *box = *state;

	make_directory(box, "deep");
	make_link(box, "/proc/sys", "one");
	make_link(box, "../proc", "deep/two");
	make_link(box, "proc", "three");
	assert_mounts_refused(box, "{'destination': '/one', " TMPFS "}",
			      "mounts[0].destination: \"/one\" cannot be mounted because it is "
			      "inside /proc");
	assert_mounts_refused(box, "{'destination': '/deep/two/bus', " TMPFS "}",
			      "mounts[0].destination: \"/deep/two/bus\" cannot be mounted because "
			      "it is inside /proc");
	assert_mounts_refused(box, "{'destination': '/three', " TMPFS "}",
			      "mounts[0].destination: \"/three\" cannot be mounted because it is "
			      "not of type proc");
	needs_rights();
	assert_mounts_refused(box, "{'destination': '/three', " BIND "}",
			      "mounts[0].destination: \"/three\" cannot be mounted because it is "
			      "not of type proc");
}

static void what_only_sounds_like_it_is_no_matter(void **state)
{
	static const char *const destinations[] = {"/process", "/proc2/sys", "/srv/proc/sys",
						   "/proc/../etc", "/.proc"};
	struct box *box = *state;
	int result;

	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++) {
		try_at(box, destinations[i], TMPFS, &result);
		if (result < 0)
			fail_msg("%s: %s", destinations[i], error_text(&box->err));
		assert_int_equal(late_count(box), 0);
	}
}

static void init_is_told_what_it_has_to_find_there(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/proc', 'type': 'proc', 'source': 'x'},"
			    "{'destination': '/sys', 'type': 'sysfs', 'source': 'x'}");
	assert_int_equal(head(box)->flags & (PLAN_HAS_PROC | PLAN_HAS_SYS),
			 PLAN_HAS_PROC | PLAN_HAS_SYS);
	compile_mounts(box, "{'destination': '/sys', 'type': 'sysfs', 'source': 'x'},"
			    "{'destination': '/sys', 'type': 'tmpfs', 'source': 'x'}");
	assert_int_equal(head(box)->flags & (PLAN_HAS_PROC | PLAN_HAS_SYS), 0);
}

static void a_dev_that_is_no_directory_is_refused(void **state)
{
	struct box *box = *state;

	make_link(box, "tmp", "dev");
	assert_refused(box, NEW_PID, "root.path: \"/dev\" in it is not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOX(nothing_is_mounted_in_proc),
	    IN_BOX(the_files_of_lxcfs_may_be_covered_and_init_knows_them),
	    IN_BOX(proc_itself_is_for_a_procfs),
	    IN_BOX(an_images_symlinks_are_followed_before_they_are_judged),
	    IN_BOX(what_only_sounds_like_it_is_no_matter),
	    IN_BOX(init_is_told_what_it_has_to_find_there),
	    IN_BOX(a_dev_that_is_no_directory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
