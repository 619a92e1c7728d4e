/* SPDX-License-Identifier: Apache-2.0 */
/* What LXC's log becomes: the error of a start that failed, and lines for the debug log. */
#include "test_spec.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/path.h"
#include "lxc/lxc.h"

#define LINE "lxc 20260102030405.678 "
#define PLACE "../src/lxc/conf.c:mount_entry:2515 - "

/* ---- a log ---- */

static struct lxc_monitor monitor_with(const char *log)
{
	struct lxc_monitor monitor = LXC_MONITOR_INIT;

	monitor.log_fd = kernel_memfd_create("test-log", MFD_CLOEXEC);
	assert_true(monitor.log_fd >= 0);
	assert_int_equal(path_write_all(monitor.log_fd, log, strlen(log)), 0);
	return monitor;
}

static void assert_error(const char *log, const char *expected, int errnum)
{
	struct spec_mount mounts[] = {
	    {.destination = (char *)"/x", .type = (char *)"tmpfs"},
	    {.destination = (char *)"/x/y", .type = (char *)"nofs"},
	    {.destination = (char *)"/x", .type = (char *)"ext4"},
	    {.destination = (char *)"/z"},
	};
	struct spec spec = {.mounts = mounts, .mounts_count = ARRAY_SIZE(mounts)};
	struct lxc_monitor monitor = monitor_with(log);
	struct error err = ERROR_INIT;

	spec.linux_.namespaces[SPEC_NS_NETWORK] =
	    (struct spec_namespace){.listed = true, .path = (char *)"/run/net", .index = 2};
	assert_int_equal(lxc_error_from_log(&monitor, &spec, &err), -1);
	assert_string_equal(error_text(&err), expected);
	assert_int_equal(err.errnum, errnum);
	error_clear(&err);
	close(monitor.log_fd);
}

/* ---- the error ---- */

static void the_first_error_is_the_cause(void **state)
{
	(void)state;
	assert_error(LINE "DEBUG    conf - " PLACE "looking\n" LINE "WARN     conf - " PLACE
			  "well\n" LINE "ERROR    conf - " PLACE "Failed to do this\n" LINE
			  "ERROR    start - ../src/lxc/start.c:do_start:1 - Failed to start\n",
		     "LXC: Failed to do this", 0);
}

static void a_hook_that_failed_is_named(void **state)
{
	(void)state;
	assert_error(LINE "ERROR    conf - " PLACE "Script exited with status 1\n" LINE
			  "ERROR    conf - " PLACE "Failed to run pre-mount hooks\n" LINE
			  "ERROR    conf - " PLACE "Failed to setup rootfs\n",
		     "LXC: Failed to run pre-mount hooks: Script exited with status 1", 0);
	assert_error(LINE "ERROR    conf - " PLACE "Script exited with status 1\n" LINE
			  "ERROR    conf - " PLACE "Failed to setup rootfs\n",
		     "LXC: Script exited with status 1", 0);
	assert_error(LINE "ERROR    conf - " PLACE "Script terminated by signal 9\n",
		     "LXC: Script terminated by signal 9", 0);
}

static void a_namespace_that_could_not_be_joined_is_named_by_its_field(void **state)
{
	(void)state;
	assert_error(
	    LINE "ERROR    start - " PLACE
		 "Operation not permitted - Failed to inherit net namespace\n",
	    "linux.namespaces[2].path: \"/run/net\": LXC: Failed to inherit net namespace: "
	    "operation not permitted",
	    EPERM);
	assert_error(LINE "ERROR    start - " PLACE "Failed to inherit ipc namespace\n",
		     "LXC: Failed to inherit ipc namespace", 0);
}

static void errnos_text_goes_behind(void **state)
{
	(void)state;
	assert_error(LINE "ERROR    conf - " PLACE
			  "No such file or directory - Failed to open \"x\"\n",
		     "LXC: Failed to open \"x\": no such file or directory", ENOENT);
	assert_error(LINE "ERROR    conf - " PLACE "Read-only file system - Failed to make it\n",
		     "LXC: Failed to make it: read-only file system", EROFS);
	/* What is no errno's text stays where it is. */
	assert_error(LINE "ERROR    conf - " PLACE "Some - thing - else\n",
		     "LXC: Some - thing - else", 0);
}

static void our_own_word_in_it_is_an_error(void **state)
{
	(void)state;
	assert_error("runlxc: the recipe can't be read\n", "LXC: the recipe can't be read", 0);
}

static void an_item_that_lxc_refused_is_named_with_the_reason(void **state)
{
	(void)state;
	assert_error("runlxc: LXC refuses lxc.uts.name = a = b\n",
		     "LXC refuses lxc.uts.name = a = b", 0);
	assert_error("runlxc: LXC 5.0.2 has no such key\nrunlxc: LXC refuses lxc.nonsense = 1\n",
		     "LXC refuses lxc.nonsense = 1: LXC 5.0.2 has no such key", 0);
	/* liblxc says so of every key with a name in it. */
	assert_error("runlxc: LXC 5.0.2 has no such key\nrunlxc: LXC refuses lxc.sysctl.x = 1\n",
		     "LXC refuses lxc.sysctl.x = 1", 0);
	assert_error(LINE "ERROR    confile - " PLACE
			  "Invalid argument - Invalid ipv4 address \"x\"\n"
			  "runlxc: LXC refuses lxc.net.0.ipv4.address = x\n",
		     "LXC refuses lxc.net.0.ipv4.address = x: Invalid ipv4 address \"x\"", 0);
}

static void what_is_always_said_is_no_error(void **state)
{
	(void)state;
	assert_error(LINE "ERROR    utils - ../src/lxc/utils.c:f:1 - "
			  "No such file or directory - Can't open /dev/null\n" LINE
			  "ERROR    conf - " PLACE "The cause\n",
		     "LXC: The cause", 0);
	assert_error(LINE "ERROR    cgfsng - ../src/lxc/cgroups/cgfsng.c:f:1 - No such file or "
			  "directory - Fail to open directory "
			  "13(lxc.monitor.runlxc-571-5f2f1277)\n" LINE "ERROR    conf - " PLACE
			  "The cause\n",
		     "LXC: The cause", 0);
}

static void a_mount_is_named_by_its_field(void **state)
{
	(void)state;
	assert_error(
	    LINE "ERROR    conf - " PLACE "No such device - Failed to mount \"none\" on "
		 "\"/usr/lib/x86_64-linux-gnu/lxc/rootfs/x/y\"\n",
	    "mounts[1]: a mount of type \"nofs\" on \"/x/y\": LXC: Failed to mount \"none\" "
	    "on \"/usr/lib/x86_64-linux-gnu/lxc/rootfs/x/y\": no such device",
	    ENODEV);
	/* Of several on a place the last was being made. */
	assert_error(LINE "ERROR    conf - " PLACE "Failed on \"/usr/lib/lxc/rootfs/x\"\n",
		     "mounts[2]: a mount of type \"ext4\" on \"/x\": "
		     "LXC: Failed on \"/usr/lib/lxc/rootfs/x\"",
		     0);
	assert_error(LINE "ERROR    conf - " PLACE "Failed on \"/usr/lib/lxc/rootfs/z\"\n",
		     "mounts[3]: a mount of type \"\" on \"/z\": "
		     "LXC: Failed on \"/usr/lib/lxc/rootfs/z\"",
		     0);
	assert_error(LINE "ERROR    conf - " PLACE "Failed on \"/usr/lib/lxc/rootfs/unknown\"\n",
		     "LXC: Failed on \"/usr/lib/lxc/rootfs/unknown\"", 0);
	assert_error(LINE "ERROR    conf - " PLACE "Failed on \"/usr/lib/lxc/rootfs/x\n",
		     "LXC: Failed on \"/usr/lib/lxc/rootfs/x", 0);
}

static void a_log_that_says_nothing_is_an_error_too(void **state)
{
	static const char *const logs[] = {"",
					   "\n\n",
					   "ERROR",
					   "a b",
					   "lxc x ERROR",
					   "lxc x ERROR conf",
					   " - ",
					   " -  - ",
					   LINE "DEBUG    conf - " PLACE "nothing\n",
					   LINE "ERROR    conf - no place\n"};
	struct lxc_monitor none = LXC_MONITOR_INIT;
	const struct spec spec = {0};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		assert_error(logs[i], "LXC ended without saying why", 0);
	assert_int_equal(lxc_error_from_log(&none, &spec, &err), -1);
	assert_string_equal(error_text(&err), "LXC ended without saying why");
	error_clear(&err);
}

/* ---- the debug log ---- */

struct lines {
	int count;
	char text[300];
};

static void note(void *data, enum log_level level, const char *message)
{
	struct lines *lines = data;
	size_t length = strlen(lines->text);

	assert_int_equal(level, LOG_LEVEL_DEBUG);
	lines->count++;
	snprintf(lines->text + length, sizeof(lines->text) - length, "%s\n", message);
}

static void every_line_is_passed_on_to_the_debug_log(void **state)
{
	static const char text[] = LINE "DEBUG    conf - " PLACE "one %s\nruns on\nand ends";
	struct lxc_monitor monitor = monitor_with(text);
	struct lines lines = {0};
	struct log log = {note, &lines, LOG_LEVEL_DEBUG};

	(void)state;
	lxc_log_forward(&monitor, &log);
	assert_int_equal(lines.count, 3);
	assert_memory_equal(lines.text, text, sizeof(text) - 1);
	log.level = LOG_LEVEL_INFO;
	lxc_log_forward(&monitor, &log);
	assert_int_equal(lines.count, 3);
	close(monitor.log_fd);
	monitor.log_fd = -1;
	lxc_log_forward(&monitor, &log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_error_is_the_cause),
	    cmocka_unit_test(a_hook_that_failed_is_named),
	    cmocka_unit_test(a_namespace_that_could_not_be_joined_is_named_by_its_field),
	    cmocka_unit_test(errnos_text_goes_behind),
	    cmocka_unit_test(our_own_word_in_it_is_an_error),
	    cmocka_unit_test(an_item_that_lxc_refused_is_named_with_the_reason),
	    cmocka_unit_test(what_is_always_said_is_no_error),
	    cmocka_unit_test(a_mount_is_named_by_its_field),
	    cmocka_unit_test(a_log_that_says_nothing_is_an_error_too),
	    cmocka_unit_test(every_line_is_passed_on_to_the_debug_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
