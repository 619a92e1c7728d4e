/* SPDX-License-Identifier: Apache-2.0 */
/* The resctrl room on a directory that looks like the file system. What the kernel makes of a group
 * the tests make; whether it is the kernel's is not looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "resctrl/resctrl.h"

static int root = -1;
static char place[] = "/tmp/test-resctrl-XXXXXX";

static void write_at(int directory, const char *path, const char *text)
{
	cleanup_close int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_text(const char *path, const char *expected)
{
	char text[4096] = "";
	cleanup_close int fd = openat(root, path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, expected);
}

static void assert_error(struct error *err, int errnum, const char *words)
{
	assert_int_equal(err->errnum, errnum);
	if (!strstr(error_text(err), words))
		fail_msg("\"%s\" doesn't say \"%s\"", error_text(err), words);
	error_clear(err);
}

/* What appears in a directory that was made. */
static void fill(int group)
{
	write_at(group, "tasks", "");
	write_at(group, "schemata", "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n");
	assert_int_equal(mkdirat(group, "mon_groups", 0755), 0);
}

static int a_group(const char *name)
{
	struct error err = ERROR_INIT;
	int group = resctrl_group_make(root, name, &err);

	if (group < 0)
		fail_msg("%s", error_text(&err));
	fill(group);
	return group;
}

static int set_up(void **state)
{
	strcpy(place + sizeof(place) - 7, "XXXXXX");
	assert_non_null(mkdtemp(place));
	root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	fill(root);
	assert_int_equal(mkdirat(root, "info", 0755), 0);
	assert_int_equal(mkdirat(root, "info/MB", 0755), 0);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int tear_down(void **state)
{
	fd_close(fd_take(&root));
	return nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- groups ---- */

static void a_host_without_resctrl_has_none(void **state)
{
	struct error err = ERROR_INIT;

	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		skip();
	assert_int_equal(resctrl_open(&err), -1);
	assert_error(&err, ENOENT, "the host has no resctrl file system mounted");
}

static void a_group_is_made_and_found(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int made = a_group("gold");
	cleanup_close int found = resctrl_group_open(root, "gold", &err);
	cleanup_close int everybody = resctrl_group_open(root, "/", &err);

	assert_true(found >= 0 && everybody >= 0);
	assert_true(resctrl_group_identity(made) != 0);
	assert_int_equal(resctrl_group_identity(found), resctrl_group_identity(made));
	assert_int_equal(resctrl_group_identity(everybody), resctrl_group_identity(root));
	assert_int_equal(resctrl_group_open(root, "silver", &err), -1);
	assert_error(&err, ENOENT, "the resctrl group \"silver\"");
}

static void one_that_exists_is_not_made(void **state)
{
	struct error err = ERROR_INIT;

	fd_close(a_group("gold"));
	assert_int_equal(resctrl_group_make(root, "gold", &err), -1);
	assert_error(&err, EEXIST, "Failed to make the resctrl group \"gold\"");
}

static void only_a_group_is_one(void **state)
{
	struct error err = ERROR_INIT;

	assert_int_equal(resctrl_group_open(root, "info", &err), -1);
	assert_error(&err, EINVAL, "\"info\" is no resctrl group");
	assert_int_equal(resctrl_group_open(root, "mon_groups", &err), -1);
	assert_error(&err, EINVAL, "\"mon_groups\" is no resctrl group");
	assert_int_equal(resctrl_group_open(root, "tasks", &err), -1);
	assert_error(&err, ENOTDIR, "\"tasks\"");
}

static void nothing_outside_is_reached(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int inner = a_group("gold");

	assert_int_equal(symlinkat("gold", root, "link"), 0);
	assert_int_equal(resctrl_group_open(root, "link", &err), -1);
	assert_error(&err, ELOOP, "\"link\"");
	assert_int_equal(resctrl_group_open(inner, "..", &err), -1);
	assert_error(&err, EXDEV, "\"..\"");
	assert_int_equal(resctrl_group_open(root, "/sys", &err), -1);
	assert_error(&err, EXDEV, "\"/sys\"");
}

static void a_process_joins(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");
	cleanup_close int tasks = resctrl_tasks_open(group, &err);
	cleanup_close int again = resctrl_tasks_open(group, &err);

	assert_int_equal(resctrl_join(tasks, 4711, &err), 0);
	assert_text("gold/tasks", "4711\n");
	assert_int_equal(resctrl_join(again, 0, &err), 0);
	assert_text("gold/tasks", "0\n11\n");
}

static void a_process_that_cannot_join_is_told(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int full = open("/dev/full", O_WRONLY);

	assert_int_equal(resctrl_join(full, 1, &err), -1);
	assert_error(&err, ENOSPC, "Failed to enter the resctrl group");
	assert_int_equal(resctrl_tasks_open(openat(root, "info", O_RDONLY), &err), -1);
	assert_error(&err, ENOENT, "tasks");
}

static void who_is_in_a_group(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");
	cleanup_free pid_t *none = NULL, *some = NULL;
	size_t count;

	assert_int_equal(resctrl_group_pids(group, &none, &count, &err), 0);
	assert_int_equal(count, 0);
	write_at(group, "tasks", "12\n345\n");
	assert_int_equal(resctrl_group_pids(group, &some, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(some[0], 12);
	assert_int_equal(some[1], 345);
}

static void a_group_is_removed(void **state)
{
	struct error err = ERROR_INIT;

	fd_close(resctrl_group_make(root, "gold", &err));
	assert_int_equal(resctrl_group_remove(root, "gold", &err), 0);
	assert_int_equal(faccessat(root, "gold", F_OK, 0), -1);
	assert_int_equal(resctrl_group_remove(root, "gold", &err), 0);
	assert_int_equal(resctrl_group_remove(root, "tasks", &err), -1);
	assert_error(&err, ENOTDIR, "Failed to remove the resctrl group \"tasks\"");
}

/* ---- monitoring groups ---- */

static void a_monitoring_group_is_made_in_its_group(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");
	cleanup_close int made = resctrl_monitor_make(group, "box", &err);
	cleanup_close int found = resctrl_monitor_open(group, "box", &err);

	assert_true(made >= 0);
	assert_int_equal(resctrl_group_identity(made), resctrl_group_identity(found));
	assert_int_equal(faccessat(root, "gold/mon_groups/box", F_OK, 0), 0);
	assert_int_equal(resctrl_monitor_make(group, "box", &err), -1);
	assert_error(&err, EEXIST, "Failed to make the resctrl monitoring group \"box\"");
	assert_int_equal(resctrl_monitor_remove(group, "box", &err), 0);
	assert_int_equal(faccessat(root, "gold/mon_groups/box", F_OK, 0), -1);
	assert_int_equal(resctrl_monitor_remove(group, "box", &err), 0);
	assert_int_equal(resctrl_monitor_open(group, "box", &err), -1);
	assert_error(&err, ENOENT, "\"box\"");
}

static void a_host_that_counts_nothing_has_no_place_for_one(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");

	assert_int_equal(unlinkat(group, "mon_groups", AT_REMOVEDIR), 0);
	assert_int_equal(resctrl_monitor_make(group, "box", &err), -1);
	assert_error(&err, ENOENT, "the host's resctrl does not count");
	assert_int_equal(resctrl_monitor_remove(group, "box", &err), 0);
}

static void counters_must_be_there(void **state)
{
	struct error err = ERROR_INIT;
	const struct spec_intel_rdt none = {0}, cache = {.enable_cmt = true},
				    bandwidth = {.enable_mbm = true};

	assert_int_equal(resctrl_check_counters(root, &none, &err), 0);
	assert_int_equal(resctrl_check_counters(root, &cache, &err), -1);
	assert_error(&err, 0, "enableCMT: ");
	assert_int_equal(resctrl_check_counters(root, &bandwidth, &err), -1);
	assert_error(&err, 0, "enableMBM: ");
	assert_int_equal(mkdirat(root, "info/L3_MON", 0755), 0);
	write_at(root, "info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes_config\n");
	assert_int_equal(resctrl_check_counters(root, &cache, &err), 0);
	assert_int_equal(resctrl_check_counters(root, &bandwidth, &err), -1);
	assert_error(&err, 0, "enableMBM: ");
	write_at(root, "info/L3_MON/mon_features", "mbm_total_bytes\nmbm_local_bytes\n");
	assert_int_equal(resctrl_check_counters(root, &bandwidth, &err), 0);
	assert_int_equal(resctrl_check_counters(root, &cache, &err), -1);
	assert_error(&err, 0, "enableCMT: ");
}

/* ---- schemata ---- */

static void assert_combined(const char *cache, const char *bandwidth, const char *expected)
{
	cleanup_free char *lines = resctrl_combine(cache, bandwidth);

	assert_string_equal(lines, expected);
}

static void schemas_are_combined(void **state)
{
	assert_combined(NULL, NULL, "");
	assert_combined("", "", "");
	assert_combined("L3:0=f", NULL, "L3:0=f\n");
	assert_combined(NULL, "MB:0=20", "MB:0=20\n");
	assert_combined("L3:0=f", "MB:0=20", "L3:0=f\nMB:0=20\n");
	/* Bandwidth has a field of its own. */
	assert_combined("L3:0=f\nMB:0=10", "MB:0=20", "L3:0=f\nMB:0=20\n");
	assert_combined("MB:0=10\nL3CODE:0=f\nL3DATA:0=f0\n", NULL, "L3CODE:0=f\nL3DATA:0=f0\n");
	assert_combined("MB:0=10", NULL, "");
}

static void schemata_are_a_line_each(void **state)
{
	char *items[] = {(char *)"L3:0=f", (char *)"L2:0=3"};
	cleanup_free char *two = resctrl_lines(&(struct spec_strings){2, items});
	cleanup_free char *none = resctrl_lines(&(struct spec_strings){0, NULL});

	assert_string_equal(two, "L3:0=f\nL2:0=3\n");
	assert_string_equal(none, "");
}

static void schemata_are_written_and_read(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");
	cleanup_free char *text = NULL;

	write_at(group, "schemata", "");
	assert_int_equal(resctrl_schemata_write(root, group, "L3:0=f\nMB:0=20\n", &err), 0);
	text = resctrl_schemata_read(group, &err);
	assert_string_equal(text, "L3:0=f\nMB:0=20\n");
}

static void what_the_kernel_has_against_them_is_told(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int group = a_group("gold");

	assert_int_equal(unlinkat(group, "schemata", 0), 0);
	assert_int_equal(resctrl_schemata_write(root, group, "L3:0=5\n", &err), -1);
	assert_error(&err, ENOENT, "Failed to write the resctrl group's schemata: no such file");
	write_at(root, "info/last_cmd_status", "Mask 5 has non-consecutive 1-bits\n");
	assert_int_equal(resctrl_schemata_write(root, group, "L3:0=5\n", &err), -1);
	assert_error(&err, ENOENT, "schemata (Mask 5 has non-consecutive 1-bits): ");
}

#define NOW "    MB:0=100;1= 20\nL3CODE:0=1\n    L3:0=000ff;1=fffff\n  L2:0=14\n"

static void assert_match(const char *wanted, int expected)
{
	if (resctrl_schemata_match(NOW, wanted, 10) != expected)
		fail_msg("%s", wanted);
}

static void a_group_has_what_is_wanted(void **state)
{
	assert_match("", 1);
	assert_match("L3:0=ff;1=fffff\n", 1);
	assert_match("L3:1=fffff;0=0ff\n", 1);
	assert_match("L3:0=0xff\n", 1);
	assert_match("L3: 0 = ff ; 1 = FFFFF ;\n", 1);
	assert_match("L3:0=ff\nMB:0=100;1=20\n", 1);
	assert_match("MB:1=20\nL3CODE:0=1\n", 1);
	assert_match("L2:0=14\n", 1);
}

static void a_group_has_something_else(void **state)
{
	assert_match("L3:0=f\n", 0);
	assert_match("L3:0=ff;1=ff\n", 0);
	assert_match("L3:2=ff\n", 0);
	assert_match("L2:0=ff\n", 0);
	assert_match("L4:0=ff\n", 0);
	assert_match("L3DATA:0=1\n", 0);
	assert_match("MB:1=100\n", 0);
	assert_match("L3:0=ff\nMB:0=50\n", 0);
}

static void a_line_that_makes_no_sense_is_had_by_none(void **state)
{
	assert_match("L3\n", 0);
	assert_match("L3:\n", 0);
	assert_match("L3:0\n", 0);
	assert_match("L3:0=\n", 0);
	assert_match("L3:0=ffx\n", 0);
	assert_match("L3:0=ff;x\n", 0);
	assert_match("nonsense\n", 0);
}

/* The kernel writes back the next step above. */
static void bandwidth_is_in_steps(void **state)
{
	assert_match("MB:0=91;1=11\n", 1);
	assert_match("MB:0=90\n", 0);
	assert_match("L2:0=f\n", 0); /* 15, of 20 */
	assert_int_equal(resctrl_schemata_match(NOW, "MB:1=11\n", 0), 0);
	assert_int_equal(resctrl_bandwidth_granularity(root), 0);
	write_at(root, "info/MB/bandwidth_gran", "10\n");
	assert_int_equal(resctrl_bandwidth_granularity(root), 10);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_host_without_resctrl_has_none),
	    test(a_group_is_made_and_found),
	    test(one_that_exists_is_not_made),
	    test(only_a_group_is_one),
	    test(nothing_outside_is_reached),
	    test(a_process_joins),
	    test(a_process_that_cannot_join_is_told),
	    test(who_is_in_a_group),
	    test(a_group_is_removed),
	    test(a_monitoring_group_is_made_in_its_group),
	    test(a_host_that_counts_nothing_has_no_place_for_one),
	    test(counters_must_be_there),
	    test(schemas_are_combined),
	    test(schemata_are_a_line_each),
	    test(schemata_are_written_and_read),
	    test(what_the_kernel_has_against_them_is_told),
	    test(a_group_has_what_is_wanted),
	    test(a_group_has_something_else),
	    test(a_line_that_makes_no_sense_is_had_by_none),
	    test(bandwidth_is_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
