/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a container: the state of one, a real process in real cgroups, no LXC. */
#include "test_cgroup.h"

#include <json-c/json.h>
#include <poll.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "driver/stats.h"
#include "state/state.h"
#include "test_place.h"

#define ID "statistics"
#define READS 1000
/* A thousand a second on one CPU; an ordinary machine needs some 130 us. */
#define MOST_NANOSECONDS_PER_READ 1000000

/* ---- a container ---- */

static struct box box;
static struct driver driver;
static char root[64];
static pid_t first_process;

/* In a network namespace of its own. */
static void run_first_process(void)
{
	if (unshare(CLONE_NEWNET))
		_exit(1);
	kill(getpid(), SIGSTOP);
	run_sleep();
}

static void write_state(void)
{
	struct state_dir dir = STATE_DIR_INIT;
	struct state state = {
	    .id = (char *)ID,
	    .oci_version = (char *)"1.0.2",
	    .bundle = (char *)"/bundle",
	    .rootfs = (char *)"/bundle/rootfs",
	    .created = (char *)"2026-01-01T00:00:00.000000000Z",
	    .owner = (char *)"",
	    .cgroup_path = box.path,
	    .pid = first_process,
	    .pid_start = state_process_start(first_process, NULL),
	    .exit_status = -1,
	};
	int root_fd = state_root_open(root, true, &oops);

	assert_true(root_fd >= 0);
	ok(state_dir_create(root_fd, ID, &dir, &oops));
	ok(state_write(&dir, &state, &oops));
	state_dir_close(&dir);
	close(root_fd);
}

static int make_container(void **unused)
{
	int status;

	(void)unused;
	if (geteuid() != 0 || !host)
		return 0;
	box.layout = host;
	snprintf(box.path, sizeof(box.path), "/runlxc-test-%d", getpid());
	make(&box, "");
	strcpy(root, "/tmp/runlxc-test-stats-XXXXXX");
	assert_non_null(mkdtemp(root));
	driver = (struct driver){.root = root};
	first_process = enter(&box, "", run_first_process);
	/* It stops once it is in its namespace. */
	assert_int_equal(waitpid(first_process, &status, WUNTRACED), first_process);
	assert_true(WIFSTOPPED(status));
	write_state();
	return 0;
}

static int remove_container(void **state)
{
	if (geteuid() == 0 && host)
		remove_tree(root);
	return clean_up(state);
}

static void need_container(void)
{
	if (geteuid() != 0 || !host) {
		print_message("needs root and mounted cgroups\n");
		skip();
	}
}

static struct driver_stats_reader *open_reader(void)
{
	struct driver_stats_reader *reader = driver_stats_open(&driver, ID, &oops);

	if (!reader)
		fail_msg("%s", error_text(&oops));
	return reader;
}

static void assert_error(int errnum, const char *part)
{
	if (!strstr(error_text(&oops), part))
		fail_msg("\"%s\" is not in \"%s\"", part, error_text(&oops));
	assert_int_equal(oops.errnum, errnum);
	error_clear(&oops);
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no \"%s\" in %s", key, json_object_to_json_string(object));
	return value;
}

/* ---- tests ---- */

static void the_text_and_the_numbers_agree(void **state)
{
	static const char *const keys[] = {"cpu",	  "cpuset", "memory",
					   "pids",	  "blkio",  "hugetlb",
					   "intel_rdt",	  "read",   "network_interfaces",
					   "memory_limit"};
	cleanup_free char *text = NULL;
	struct driver_stats numbers;
	struct json_object *event, *data;

	(void)state;
	need_container();
	ok(driver_stats(&driver, ID, &text, &numbers, &oops));
	assert_null(strchr(text, '\n'));
	event = json_tokener_parse(text);
	assert_non_null(event);
	assert_string_equal(json_object_get_string(member(event, "type")), "stats");
	assert_string_equal(json_object_get_string(member(event, "id")), ID);
	data = member(event, "data");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		member(data, keys[i]);
	assert_int_equal(json_object_object_length(data), ARRAY_SIZE(keys));
	assert_null(member(data, "network_interfaces")); /* loopback only */
	assert_int_equal(
	    json_object_get_uint64(member(member(member(data, "cpu"), "usage"), "total")),
	    numbers.cpu);
	assert_true(numbers.cpu > 0);
	assert_int_equal(json_object_get_uint64(member(data, "memory_limit")),
			 numbers.memory_limit);
	json_object_put(event);
}

static void without_a_limit_the_machine_is_it(void **state)
{
	struct driver_stats numbers;
	struct sysinfo info;

	(void)state;
	need_container();
	ok(driver_stats(&driver, ID, NULL, &numbers, &oops));
	assert_int_equal(sysinfo(&info), 0);
	assert_int_equal(numbers.memory_limit, (uint64_t)info.totalram * info.mem_unit);
}

static uint64_t cpu_time(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void a_thousand_reads_take_less_than_a_second(void **state)
{
	struct driver_stats_reader *reader;
	uint64_t begin;

	(void)state;
	need_container();
	reader = open_reader();
	/* CPU time, so that a busy machine doesn't count. */
	begin = cpu_time();
	for (int i = 0; i < READS; i++) {
		cleanup_free char *text = NULL;
		struct driver_stats numbers;

		ok(driver_stats_read(reader, &text, &numbers, &oops));
		assert_non_null(text);
	}
	begin = cpu_time() - begin;
	print_message("%d us of CPU time for each reading\n", (int)(begin / READS / 1000));
	assert_true(begin / READS <= MOST_NANOSECONDS_PER_READ);
	driver_stats_close(reader);
}

static size_t count_descriptors(void)
{
	cleanup_closedir DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count;
}

static void a_reader_that_is_closed_leaves_no_descriptor(void **state)
{
	struct driver_stats_reader *reader;
	size_t before;

	(void)state;
	need_container();
	before = count_descriptors();
	reader = open_reader();
	ok(driver_stats_read(reader, NULL, NULL, &oops));
	assert_true(count_descriptors() > before);
	driver_stats_close(reader);
	assert_int_equal(count_descriptors(), before);
}

static void a_container_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	need_container();
	assert_null(driver_stats_open(&driver, "nobody", &oops));
	assert_error(ENOENT, "container does not exist");
}

/* The last: it ends the process. */
static void the_end_is_told_by_the_descriptor_and_an_error(void **state)
{
	struct driver_stats_reader *reader;
	struct pollfd polled;

	(void)state;
	need_container();
	reader = open_reader();
	polled = (struct pollfd){driver_stats_fd(reader), POLLIN, 0};
	assert_int_equal(poll(&polled, 1, 0), 0);
	kill(first_process, SIGKILL);
	assert_int_equal(poll(&polled, 1, 10000), 1);
	assert_int_equal(driver_stats_read(reader, NULL, NULL, &oops), -1);
	assert_error(ENODEV, "is not running");
	driver_stats_close(reader);
	waitpid(first_process, NULL, 0);
	assert_null(driver_stats_open(&driver, ID, &oops));
	assert_error(ESRCH, "container with id " ID " is not running");
}

static int set_up(void **state)
{
	find_layouts(state);
	return make_container(state);
}

static int tear_down(void **state)
{
	remove_container(state);
	return free_layouts(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_text_and_the_numbers_agree),
	    cmocka_unit_test(without_a_limit_the_machine_is_it),
	    cmocka_unit_test(a_thousand_reads_take_less_than_a_second),
	    cmocka_unit_test(a_reader_that_is_closed_leaves_no_descriptor),
	    cmocka_unit_test(a_container_that_is_not_there_is_an_error),
	    cmocka_unit_test(the_end_is_told_by_the_descriptor_and_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
