/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in the shared page, and the events that are made of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trace.h"
#include "base/trace_file.h"

static char path[] = "/tmp/runlxc-test-trace-XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void begin(void)
{
	struct error err = ERROR_INIT;

	assert_int_equal(trace_open(path, &err), 0);
}

/* The events called `name` in what was written; *total gets how many events there are. */
static int count(const char *name, int *total)
{
	struct error err = ERROR_INIT;
	struct json_object *root, *events, *value;
	int found = 0;

	assert_int_equal(trace_close("test", 0, &err), 0);
	assert_null(trace_page);
	root = json_object_from_file(path);
	assert_true(json_object_object_get_ex(root, "traceEvents", &events));
	*total = (int)json_object_array_length(events);
	for (int i = 0; i < *total; i++) {
		json_object_object_get_ex(json_object_array_get_idx(events, (size_t)i), "name",
					  &value);
		found += strcmp(json_object_get_string(value), name) == 0;
	}
	json_object_put(root);
	return found;
}

static void test_without_a_page_a_mark_is_nothing(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	trace_step("nothing");
	trace_part("nothing", "at all");
	trace_end(TRACE_INIT);
	trace_pid(TRACE_INIT, 1);
	assert_int_equal(trace_close("test", 0, &err), 0);
	assert_int_equal(trace_descriptor(0), -1);
}

static void test_a_step_and_its_parts(void **state)
{
	int total;

	(void)state;
	begin();
	trace_step("step");
	trace_part("part", "one");
	trace_part("part", NULL);
	trace_step("last");
	assert_int_equal(count("part", &total), 2);
	assert_int_equal(total, 1 + 1 + 2 + 2); /* the process's name, the process, its steps */
}

static void test_another_process_writes_by_the_descriptor(void **state)
{
	int total, status;
	pid_t pid;

	(void)state;
	begin();
	pid = fork();
	if (pid == 0) {
		int fd = trace_descriptor(10);

		trace_attach(fd, TRACE_INIT);
		/* It doesn't keep it. */
		if (fcntl(fd, F_GETFD) >= 0)
			_exit(1);
		trace_step("in the child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count("in the child", &total), 1);
}

static void test_more_marks_than_there_is_room_for_are_dropped(void **state)
{
	int total;

	(void)state;
	begin();
	for (int i = 0; i < TRACE_MARKS + 100; i++)
		trace_step("step");
	assert_int_equal(count("step", &total), TRACE_MARKS);
}

static void test_a_mark_that_was_not_finished_is_left_out(void **state)
{
	int total;

	(void)state;
	begin();
	trace_step("whole");
	trace_step("half");
	/* As if its process had been killed before it wrote the time. */
	trace_page->marks[1].time = 0;
	assert_int_equal(count("half", &total), 0);
	assert_int_equal(total, 3);
}

static void test_long_and_strange_texts(void **state)
{
	char name[TRACE_TEXT * 2], detail[TRACE_TEXT * 2];
	int total;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(detail, '\xff', sizeof(detail) - 1);
	name[sizeof(name) - 1] = detail[sizeof(detail) - 1] = '\0';
	begin();
	trace_step(name);
	trace_part(name, detail);
	trace_part("\xc3\x28\"\\\n", detail);
	/* It is JSON all the same. */
	assert_int_equal(count("\xef\xbf\xbd(\"\\\n", &total), 1);
	assert_int_equal(total, 5);
}

static void test_nobody_can_cut_the_page_off(void **state)
{
	int fd, total;

	(void)state;
	begin();
	fd = trace_descriptor(0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK, F_SEAL_SHRINK);
	close(fd);
	count("", &total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_a_page_a_mark_is_nothing),
	    cmocka_unit_test(test_a_step_and_its_parts),
	    cmocka_unit_test(test_another_process_writes_by_the_descriptor),
	    cmocka_unit_test(test_more_marks_than_there_is_room_for_are_dropped),
	    cmocka_unit_test(test_a_mark_that_was_not_finished_is_left_out),
	    cmocka_unit_test(test_long_and_strange_texts),
	    cmocka_unit_test(test_nobody_can_cut_the_page_off),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
