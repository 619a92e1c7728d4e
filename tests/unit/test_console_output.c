/* SPDX-License-Identifier: Apache-2.0 */
/* A foreground session: what the program writes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"
#include "test_console.h"

static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void write_pattern(size_t length)
{
	char *data = malloc(length);

	for (size_t i = 0; i < length; i++)
		data[i] = (char)pattern(i);
	write_all(STDOUT_FILENO, data, length);
	free(data);
}

static int write_a_megabyte(int control)
{
	make_stdout_raw();
	write_pattern(MEGABYTE);
	return 0;
}

static size_t read_pattern(int fd, size_t piece)
{
	unsigned char buffer[4096];
	size_t total = 0;
	ssize_t count;

	while ((count = read(fd, buffer, piece)) > 0) {
		for (ssize_t i = 0; i < count; i++)
			assert_int_equal(buffer[i], pattern(total + (size_t)i));
		total += (size_t)count;
	}
	return total;
}

static void a_megabyte_arrives_unchanged_at_a_slow_reader(void **state)
{
	int output[2];
	struct setup setup = {.program = write_a_megabyte, .terminal = true, .input = -1};
	struct relay_process relay;
	struct outcome outcome;

	make_pipe(output);
	fcntl(output[1], F_SETPIPE_SZ, 4096);
	setup.output = output[1];
	relay = start_relay(&setup);
	close(output[1]);
	assert_int_equal(read_pattern(output[0], 100), MEGABYTE);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 0);
	close(output[0]);
}

static void a_megabyte_arrives_unchanged_over_a_socket(void **state)
{
	int output[2];
	struct setup setup = {.program = write_a_megabyte, .terminal = true, .input = -1};
	struct relay_process relay;
	struct outcome outcome;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output), 0);
	setup.output = output[1];
	relay = start_relay(&setup);
	close(output[1]);
	assert_int_equal(read_pattern(output[0], 4096), MEGABYTE);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 0);
	close(output[0]);
}

static int write_3000_bytes(int control)
{
	make_stdout_raw();
	write_pattern(3000);
	return 0;
}

static void output_of_a_process_that_has_ended_is_not_lost(void **state)
{
	for (int i = 0; i < 50; i++) {
		int output[2];
		struct setup setup = {.program = write_3000_bytes,
				      .terminal = true,
				      .input = -1,
				      .wait_for_end = i % 2};
		struct outcome outcome;

		make_pipe(output);
		setup.output = output[1];
		outcome = run_relay(&setup);
		close(output[1]);
		assert_exited(&outcome, 0);
		assert_int_equal(read_pattern(output[0], 4096), 3000);
		close(output[0]);
	}
}

/* Leaves a process behind that keeps the terminal. */
static int leave_a_background_process(int control)
{
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	make_stdout_raw();
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	write_pattern(3000);
	write_all(control, &pid, sizeof(pid));
	return 0;
}

static void background_process_with_the_terminal_does_not_keep_the_session(void **state)
{
	int output[2];
	struct setup setup = {.program = leave_a_background_process, .terminal = true, .input = -1};
	struct relay_process relay;
	struct outcome outcome;
	pid_t left;

	make_pipe(output);
	setup.output = output[1];
	relay = start_relay(&setup);
	close(output[1]);
	read_exactly(relay.control, &left, sizeof(left));
	outcome = finish_relay(&relay);
	kill(left, SIGKILL);
	assert_exited(&outcome, 0);
	assert_int_equal(read_pattern(output[0], 4096), 3000);
	close(output[0]);
}

/* … and which never stops writing to it. */
static int leave_a_writing_process(int control)
{
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		char data[4096] = {0};

		while (write(STDOUT_FILENO, data, sizeof(data)) > 0)
			continue;
		_exit(0);
	}
	write_all(control, &pid, sizeof(pid));
	return 3;
}

static void background_process_that_writes_does_not_keep_the_session(void **state)
{
	struct setup setup = {.program = leave_a_writing_process, .terminal = true, .input = -1};
	cleanup_close int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct relay_process relay;
	struct outcome outcome;
	pid_t left;

	setup.output = null;
	relay = start_relay(&setup);
	read_exactly(relay.control, &left, sizeof(left));
	outcome = finish_relay(&relay);
	kill(left, SIGKILL);
	assert_exited(&outcome, 3);
}

static void reader_that_has_gone_stops_nothing(void **state)
{
	int output[2];
	struct setup setup = {.program = write_a_megabyte, .terminal = true, .input = -1};
	struct outcome outcome;

	make_pipe(output);
	setup.output = output[1];
	close(output[0]);
	outcome = run_relay(&setup);
	assert_exited(&outcome, 0);
	close(output[1]);
}

static int write_for_ever(int control)
{
	char data[4096] = {0};
	pid_t self = getpid();

	write_all(control, &self, sizeof(self));
	while (write(STDOUT_FILENO, data, sizeof(data)) > 0)
		continue;
	return 99;
}

/* Waits until a process sleeps: then it has nothing to do, and isn't in a busy loop. */
static void wait_until_asleep(pid_t pid)
{
	char path[64], line[512], *state = NULL;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		cleanup_fclose FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_non_null(fgets(line, sizeof(line), file));
		state = strrchr(line, ')');
	} while (state[2] != 'S');
}

static void stuck_reader_keeps_neither_signals_nor_the_end_from_us(void **state)
{
	int output[2];
	struct setup setup = {.program = write_for_ever, .terminal = true, .input = -1};
	struct relay_process relay;
	struct outcome outcome;
	struct pollfd end, done, room;
	pid_t program;

	make_pipe(output);
	setup.output = output[1];
	relay = start_relay(&setup);
	read_exactly(relay.control, &program, sizeof(program));
	end = (struct pollfd){kernel_pidfd_open(program), POLLIN, 0};
	done = (struct pollfd){relay.report, POLLIN, 0};
	room = (struct pollfd){output[1], POLLOUT, 0};
	while (poll(&room, 1, 0) != 0)
		usleep(1000);
	wait_until_asleep(relay.pid);

	kill(relay.pid, SIGTERM);
	assert_int_equal(poll(&end, 1, -1), 1);
	/* It ended, but what it wrote can't be passed on: a signal from here on gives up on that.
	 */
	do {
		kill(relay.pid, SIGTERM);
	} while (poll(&done, 1, 10) == 0);
	outcome = finish_relay(&relay);
	assert_int_equal(outcome.result, 0);
	assert_true(WIFSIGNALED(outcome.wait_status));
	assert_int_equal(WTERMSIG(outcome.wait_status), SIGTERM);
	close(end.fd);
	close(output[0]);
	close(output[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_megabyte_arrives_unchanged_at_a_slow_reader),
	    cmocka_unit_test(a_megabyte_arrives_unchanged_over_a_socket),
	    cmocka_unit_test(output_of_a_process_that_has_ended_is_not_lost),
	    cmocka_unit_test(background_process_with_the_terminal_does_not_keep_the_session),
	    cmocka_unit_test(background_process_that_writes_does_not_keep_the_session),
	    cmocka_unit_test(reader_that_has_gone_stops_nothing),
	    cmocka_unit_test(stuck_reader_keeps_neither_signals_nor_the_end_from_us),
	};

	/* Whatever hangs ends with the test: relays and programs die with their parents. */
	alarm(120);
	return cmocka_run_group_tests_name("console-output", tests, NULL, NULL);
}
