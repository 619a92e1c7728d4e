/* SPDX-License-Identifier: Apache-2.0 */
/* A foreground session: what the user types, and the user's terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "console/console.h"
#include "test_console.h"

/* ---- input ---- */

static void set_echo(bool on)
{
	struct termios settings;

	tcgetattr(STDIN_FILENO, &settings);
	settings.c_lflag = on ? settings.c_lflag | ECHO : settings.c_lflag & ~(tcflag_t)ECHO;
	settings.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

/* cat: tells the test when its terminal is set up, then copies until the end of its input. */
static int copy_lines(int control)
{
	char line[4096];
	ssize_t count;

	set_echo(false);
	write_all(control, "r", 1);
	while ((count = read(STDIN_FILENO, line, sizeof(line))) > 0)
		write_all(STDOUT_FILENO, line, (size_t)count);
	return count < 0;
}

static void pass_input(const char *text, size_t length)
{
	int input[2], output[2];
	struct setup setup = {.program = copy_lines, .terminal = true};
	cleanup_free char *back = malloc(length + 1);
	struct relay_process relay;
	struct outcome outcome;
	char ready;
	pid_t writer;

	make_pipe(input);
	make_pipe(output);
	setup.input = input[0];
	setup.users_end = input[1];
	setup.output = output[1];
	relay = start_relay(&setup);
	close(output[1]);
	read_exactly(relay.control, &ready, 1);
	writer = fork();
	if (writer == 0) {
		write_all(input[1], text, length);
		_exit(0);
	}
	close(input[1]);
	if (length > 0)
		read_exactly(output[0], back, length);
	assert_memory_equal(back, text, length);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 0);
	assert_int_equal(read(output[0], back, 1), 0);
	/* The user's streams are as they were. */
	assert_int_equal(fcntl(input[0], F_GETFL) & O_NONBLOCK, 0);
	waitpid(writer, NULL, 0);
	close(input[0]);
	close(output[0]);
}

static void end_of_input_is_passed_on(void **state)
{
	pass_input("hello\n", 6);
	pass_input("", 0);
}

static void end_of_input_within_a_line_is_passed_on(void **state)
{
	pass_input("one\ntwo", 7);
}

static void input_larger_than_any_buffer_is_passed_on(void **state)
{
	cleanup_free char *text = malloc(MEGABYTE);

	for (size_t i = 0; i < MEGABYTE; i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + i / 64 % 26);
	pass_input(text, MEGABYTE);
}

/* Exits with 0 when nothing came but what was sent, in a terminal that passes bytes as they are. */
static int read_raw(int control)
{
	char data[3];

	make_stdout_raw();
	write_all(control, "r", 1);
	for (size_t have = 0; have < sizeof(data); have++) {
		if (read(STDIN_FILENO, data + have, 1) != 1)
			return 99;
	}
	return memcmp(data, "ab\n", 3) != 0;
}

static void end_of_input_is_no_byte_to_a_raw_terminal(void **state)
{
	int input[2];
	struct setup setup = {.program = read_raw, .terminal = true, .output = -1};
	struct relay_process relay;
	struct outcome outcome;
	char ready;

	make_pipe(input);
	setup.input = input[0];
	setup.users_end = input[1];
	relay = start_relay(&setup);
	read_exactly(relay.control, &ready, 1);
	write_all(input[1], "ab\n", 3);
	close(input[1]);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 0);
	close(input[0]);
}

/* ---- the user's terminal ---- */

static int users_slave;

static void take_users_terminal(void)
{
	setsid();
	ioctl(users_slave, TIOCSCTTY, 0);
}

/* A relay on a terminal of a user, who has `master`. */
static struct relay_process start_on_terminal(program_function *program, int *master)
{
	struct setup setup = {.program = program, .terminal = true, .prepare = take_users_terminal};
	struct relay_process relay;

	make_pty(master, &users_slave);
	setup.input = setup.output = users_slave;
	relay = start_relay(&setup);
	return relay;
}

static bool is_raw(int terminal)
{
	struct termios settings;

	assert_int_equal(tcgetattr(terminal, &settings), 0);
	return !(settings.c_lflag & (ICANON | ECHO | ISIG)) && !(settings.c_oflag & OPOST);
}

/* Says "ready" when a line came, and then waits for a signal. */
static int say_ready(int control)
{
	char byte;

	set_echo(false);
	write_all(control, "r", 1);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 99;
	write_all(STDOUT_FILENO, "ready\n", 6);
	if (byte == 'x')
		return 5;
	pause();
	return 0;
}

static void users_terminal_is_raw_during_the_session_only(void **state)
{
	struct relay_process relay;
	struct outcome outcome;
	struct termios before, after;
	char text[6], go;
	int master;

	relay = start_on_terminal(say_ready, &master);
	tcgetattr(users_slave, &before);
	read_exactly(relay.control, &go, 1);
	write_all(master, "x\n", 2);
	/* Its own echo could come first if the line was typed before the session took the terminal.
	 */
	do {
		read_exactly(master, text, 1);
	} while (text[0] != 'r');
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 5);
	tcgetattr(users_slave, &after);
	assert_false(is_raw(users_slave));
	assert_memory_equal(&after.c_cc, &before.c_cc, sizeof(before.c_cc));
	assert_int_equal(fcntl(users_slave, F_GETFL) & O_NONBLOCK, 0);
	close(users_slave);
	close(master);
}

static void users_terminal_is_restored_after_a_fatal_signal(void **state)
{
	struct relay_process relay;
	struct outcome outcome;
	char text[6], go;
	int master;

	relay = start_on_terminal(say_ready, &master);
	read_exactly(relay.control, &go, 1);
	write_all(master, "y\n", 2);
	do {
		read_exactly(master, text, 1);
	} while (text[0] != 'r');
	assert_true(is_raw(users_slave));
	kill(relay.pid, SIGTERM);
	outcome = finish_relay(&relay);
	assert_true(WIFSIGNALED(outcome.wait_status));
	assert_int_equal(WTERMSIG(outcome.wait_status), SIGTERM);
	assert_false(is_raw(users_slave));
	close(users_slave);
	close(master);
}

static void send_size(int control)
{
	struct winsize size = {0};

	ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	write_all(control, &size, sizeof(size));
}

/* The first size may come by a signal, too. */
static void wake(int sig)
{
}

/* Sends its terminal's size once a line came, and again when it is told that it changed. */
static int report_sizes(int control)
{
	struct sigaction action = {.sa_handler = wake};
	sigset_t change, before;
	char byte;

	sigaction(SIGWINCH, &action, NULL);
	sigemptyset(&change);
	sigaddset(&change, SIGWINCH);
	sigprocmask(SIG_BLOCK, &change, &before);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 99;
	send_size(control);
	do {
		struct winsize size;

		sigsuspend(&before);
		ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
		if (size.ws_row == 50)
			break;
	} while (true);
	send_size(control);
	return 0;
}

static void size_follows_the_users_terminal(void **state)
{
	struct winsize size = {.ws_row = 33, .ws_col = 99};
	struct setup setup = {
	    .program = report_sizes, .terminal = true, .prepare = take_users_terminal};
	struct relay_process relay;
	struct outcome outcome;
	struct winsize seen;
	int master;

	make_pty(&master, &users_slave);
	ioctl(master, TIOCSWINSZ, &size);
	setup.input = setup.output = users_slave;
	relay = start_relay(&setup);
	write_all(master, "x\n", 2);
	read_exactly(relay.control, &seen, sizeof(seen));
	assert_int_equal(seen.ws_row, 33);
	assert_int_equal(seen.ws_col, 99);

	size.ws_row = 50;
	size.ws_col = 120;
	ioctl(master, TIOCSWINSZ, &size);
	read_exactly(relay.control, &seen, sizeof(seen));
	assert_int_equal(seen.ws_row, 50);
	assert_int_equal(seen.ws_col, 120);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, 0);
	close(users_slave);
	close(master);
}

static void size_is_set_and_zero_leaves_it(void **state)
{
	struct error err = ERROR_INIT;
	struct winsize size;
	int master, slave;

	make_pty(&master, &slave);
	assert_int_equal(console_set_size(master, 40, 132, &err), 0);
	assert_int_equal(console_set_size(master, 0, 80, &err), 0);
	assert_int_equal(console_set_size(master, 25, 0, &err), 0);
	assert_int_equal(ioctl(slave, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_row, 40);
	assert_int_equal(size.ws_col, 132);
	assert_int_equal(console_set_size(master, 70000, 80, &err), -1);
	error_clear(&err);
	close(master);
	close(slave);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(end_of_input_is_passed_on),
	    cmocka_unit_test(end_of_input_within_a_line_is_passed_on),
	    cmocka_unit_test(input_larger_than_any_buffer_is_passed_on),
	    cmocka_unit_test(end_of_input_is_no_byte_to_a_raw_terminal),
	    cmocka_unit_test(users_terminal_is_raw_during_the_session_only),
	    cmocka_unit_test(users_terminal_is_restored_after_a_fatal_signal),
	    cmocka_unit_test(size_follows_the_users_terminal),
	    cmocka_unit_test(size_is_set_and_zero_leaves_it),
	};

	/* Whatever hangs ends with the test: relays and programs die with their parents. */
	alarm(120);
	return cmocka_run_group_tests_name("console-input", tests, NULL, NULL);
}
