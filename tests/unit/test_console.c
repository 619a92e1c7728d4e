/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreground sessions and descriptors over sockets, on real ptys, pipes and processes. The session
 * runs in a process of its own (the relay), as it does in the command; the test is the user around
 * it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"

#define MEGABYTE ((size_t)1024 * 1024)

/* What a program in a session runs; its result is its exit status. Its streams are 0, 1 and 2, and
 * `control` is a pipe to the test. */
typedef int program_function(int control);

struct setup {
	program_function *program;
	bool terminal;	       /* give it a pty; else it has the relay's streams */
	int input, output;     /* the relay's; -1: none */
	int users_end;	       /* the other end of `input`, for the relay to close; 0: none */
	void (*prepare)(void); /* run in the relay before the program is started */
	bool wait_for_end;     /* let the program end before the session begins */
	bool adopt;	       /* the program's parent is another process, which leaves it to us */
	bool foreign;	       /* … which reaps it */
	int raise_before;      /* a signal that comes before the session begins */
};

struct outcome {
	int result, wait_status;
	bool children_left;
	char message[200];
};

struct relay_process {
	pid_t pid;
	int control; /* what programs write to their `control` */
	int report;  /* the outcome */
};

static void write_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0) {
		ssize_t count = write(fd, at, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			_exit(99);
		at += count;
		length -= (size_t)count;
	}
}

static void read_exactly(int fd, void *data, size_t length)
{
	char *at = data;

	while (length > 0) {
		ssize_t count = read(fd, at, length);

		assert_true(count > 0);
		at += count;
		length -= (size_t)count;
	}
}

static void make_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

static void make_pty(int *master, int *slave)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*slave >= 0);
}

/* The program: a session of its own on the pty, or the relay's streams. */
static _Noreturn void be_program(const struct setup *setup, int slave, int control)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (slave >= 0) {
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		close(slave);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(setup->program(control));
}

/* The program's parent where that isn't the relay: stays until the program has ended. */
static _Noreturn void be_other_parent(const struct setup *setup, int slave, int control,
				      int to_relay, int go)
{
	pid_t pid = fork();
	siginfo_t info;
	char byte;

	if (pid == 0)
		be_program(setup, slave, control);
	write_all(to_relay, &pid, sizeof(pid));
	if (read(go, &byte, 1) != 1)
		_exit(99);
	/* For a while the program is the zombie of someone who isn't the relay. */
	waitid(P_PID, (id_t)pid, &info, WEXITED | (setup->adopt ? WNOWAIT : 0));
	_exit(0);
}

/* Starts the program as our child, or as the child of a process that then leaves it to us or reaps
 * it. */
static void start_program(const struct setup *setup, int slave, int control,
			  struct console_session *session)
{
	int ends[2], go[2];

	if (!setup->adopt && !setup->foreign) {
		session->pid = fork();
		if (session->pid == 0)
			be_program(setup, slave, control);
		session->pidfd = kernel_pidfd_open(session->pid);
		return;
	}
	if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		_exit(99);
	if (fork() == 0)
		be_other_parent(setup, slave, control, ends[1], go[0]);
	if (read(ends[0], &session->pid, sizeof(session->pid)) != sizeof(session->pid))
		_exit(99);
	session->pidfd = kernel_pidfd_open(session->pid);
	write_all(go[1], "g", 1);
	close(ends[0]);
	close(ends[1]);
	close(go[0]);
	close(go[1]);
}

static _Noreturn void be_relay(const struct setup *setup, int control, int report)
{
	struct outcome outcome = {0};
	struct error err = ERROR_INIT;
	struct console_signals *signals;
	struct console_session session = {
	    .terminal = -1,
	    .input = setup->input,
	    .output = setup->output,
	    .forward_signals = true,
	};
	siginfo_t info;
	int slave = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (setup->users_end)
		close(setup->users_end);
	if (setup->prepare)
		setup->prepare();
	signals = console_signals_block(&err);
	if (!signals)
		_exit(99);
	if (setup->terminal)
		make_pty(&session.terminal, &slave);
	start_program(setup, slave, control, &session);
	if (slave >= 0)
		close(slave);
	close(control);
	if (setup->wait_for_end)
		waitid(P_PID, (id_t)session.pid, &info, WEXITED | WNOWAIT);
	if (setup->raise_before)
		kill(getpid(), setup->raise_before);

	outcome.result = console_session_run(&session, &outcome.wait_status, &err);
	if (outcome.result < 0)
		snprintf(outcome.message, sizeof(outcome.message), "%s", error_text(&err));
	error_clear(&err);
	outcome.children_left = waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD;
	close(session.pidfd);
	if (session.terminal >= 0)
		close(session.terminal);
	/* Whatever is pending now takes effect: it must be nothing. */
	console_signals_restore(signals);
	write_all(report, &outcome, sizeof(outcome));
	_exit(0);
}

static struct relay_process start_relay(const struct setup *setup)
{
	struct relay_process relay;
	int control[2], report[2];

	make_pipe(control);
	make_pipe(report);
	relay.pid = fork();
	assert_true(relay.pid >= 0);
	if (relay.pid == 0) {
		close(control[0]);
		close(report[0]);
		be_relay(setup, control[1], report[1]);
	}
	close(control[1]);
	close(report[1]);
	relay.control = control[0];
	relay.report = report[0];
	return relay;
}

static struct outcome finish_relay(struct relay_process *relay)
{
	struct outcome outcome;
	int status;

	read_exactly(relay->report, &outcome, sizeof(outcome));
	assert_int_equal(waitpid(relay->pid, &status, 0), relay->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(relay->control);
	close(relay->report);
	return outcome;
}

static void assert_exited(const struct outcome *outcome, int status)
{
	assert_string_equal(outcome->message, "");
	assert_int_equal(outcome->result, 0);
	assert_true(WIFEXITED(outcome->wait_status));
	assert_int_equal(WEXITSTATUS(outcome->wait_status), status);
}

static struct outcome run_relay(const struct setup *setup)
{
	struct relay_process relay = start_relay(setup);

	return finish_relay(&relay);
}

/* ---- the process ---- */

static int exit_0(int control)
{
	return 0;
}

static int exit_3(int control)
{
	return 3;
}

static int die_by_signal(int control)
{
	raise(SIGKILL);
	return 0;
}

static void exit_status_is_the_programs(void **state)
{
	struct setup setup = {.program = exit_0, .input = -1, .output = -1};
	struct outcome outcome = run_relay(&setup);

	assert_exited(&outcome, 0);

	setup.program = exit_3;
	outcome = run_relay(&setup);
	assert_exited(&outcome, 3);

	setup.terminal = true;
	outcome = run_relay(&setup);
	assert_exited(&outcome, 3);
}

static void end_by_signal_is_reported_as_such(void **state)
{
	struct setup setup = {.program = die_by_signal, .input = -1, .output = -1};
	struct outcome outcome = run_relay(&setup);

	assert_int_equal(outcome.result, 0);
	assert_true(WIFSIGNALED(outcome.wait_status));
	assert_int_equal(WTERMSIG(outcome.wait_status), SIGKILL);
}

static void process_that_ended_before_the_session_is_seen(void **state)
{
	struct setup setup = {.program = exit_3, .input = -1, .output = -1, .wait_for_end = true};
	struct outcome outcome = run_relay(&setup);

	assert_exited(&outcome, 3);
}

static int leave_an_orphan_and_see_it_go(int control)
{
	pid_t pid;
	int ends[2];

	if (pipe(ends) < 0)
		return 99;
	if (fork() == 0) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		write_all(ends[1], &pid, sizeof(pid));
		_exit(0);
	}
	if (read(ends[0], &pid, sizeof(pid)) != sizeof(pid))
		return 99;
	wait(NULL);
	/* It is there as a zombie until the relay reaps it. */
	while (kill(pid, 0) == 0)
		usleep(1000);
	return 0;
}

static void orphans_are_reaped(void **state)
{
	struct setup setup = {.program = leave_an_orphan_and_see_it_go, .input = -1, .output = -1};
	struct outcome outcome = run_relay(&setup);

	assert_exited(&outcome, 0);
	assert_false(outcome.children_left);
}

static void process_may_become_our_child_later(void **state)
{
	struct setup setup = {.program = exit_3, .input = -1, .output = -1, .adopt = true};

	for (int i = 0; i < 20; i++) {
		struct outcome outcome = run_relay(&setup);

		assert_exited(&outcome, 3);
	}
}

static void process_that_another_one_reaped_is_an_error(void **state)
{
	struct setup setup = {.program = exit_3, .input = -1, .output = -1, .foreign = true};
	struct outcome outcome = run_relay(&setup);

	assert_int_equal(outcome.result, -1);
	assert_non_null(strstr(outcome.message, "another process got its exit status"));
}

static void session_without_a_process_is_refused(void **state)
{
	struct console_session session = {
	    .pid = 0, .pidfd = -1, .terminal = -1, .input = -1, .output = -1};
	struct error err = ERROR_INIT;
	int status;

	assert_int_equal(console_session_run(&session, &status, &err), -1);
	error_clear(&err);
}

/* ---- signals ---- */

static volatile sig_atomic_t got_signal;

static void note_signal(int sig)
{
	got_signal = sig;
}

/* Exits with the number of the first signal it gets. */
static int report_signal(int control)
{
	struct sigaction action = {.sa_handler = note_signal};
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int sig = 1; sig < SIGRTMIN; sig++)
		sigaction(sig, &action, NULL);
	write_all(control, "r", 1);
	while (!got_signal)
		sigsuspend(&none);
	return got_signal;
}

static void signals_reach_the_program(void **state)
{
	static const int sent[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, SIGALRM};

	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		struct setup setup = {.program = report_signal, .input = -1, .output = -1};
		struct relay_process relay;
		struct outcome outcome;
		char ready;

		signal(sent[i], SIG_DFL); /* nohup(1) has it ignored */
		relay = start_relay(&setup);
		read_exactly(relay.control, &ready, 1);
		kill(relay.pid, sent[i]);
		outcome = finish_relay(&relay);
		assert_exited(&outcome, sent[i]);
	}
}

static void signals_about_ourselves_are_kept(void **state)
{
	static const int sent[] = {SIGCHLD, SIGWINCH, SIGPIPE, SIGURG};
	struct setup setup = {.program = report_signal, .input = -1, .output = -1};
	struct relay_process relay = start_relay(&setup);
	struct outcome outcome;
	char ready;

	read_exactly(relay.control, &ready, 1);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		kill(relay.pid, sent[i]);
	/* Signals are read in the order of their numbers, and all of those above are below this
	 * one. */
	kill(relay.pid, SIGSYS);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, SIGSYS);
}

static void ignore_hangups(void)
{
	signal(SIGHUP, SIG_IGN);
}

static void ignored_signals_stay_ignored(void **state)
{
	struct setup setup = {
	    .program = report_signal, .input = -1, .output = -1, .prepare = ignore_hangups};
	struct relay_process relay = start_relay(&setup);
	struct outcome outcome;
	char ready;

	read_exactly(relay.control, &ready, 1);
	kill(relay.pid, SIGHUP);
	kill(relay.pid, SIGTERM);
	outcome = finish_relay(&relay);
	assert_exited(&outcome, SIGTERM);
}

static int wait_for_term(int control)
{
	pause();
	return 0;
}

static void signal_before_the_session_is_not_lost(void **state)
{
	struct setup setup = {
	    .program = wait_for_term, .input = -1, .output = -1, .raise_before = SIGTERM};
	struct outcome outcome = run_relay(&setup);

	assert_int_equal(outcome.result, 0);
	assert_true(WIFSIGNALED(outcome.wait_status));
	assert_int_equal(WTERMSIG(outcome.wait_status), SIGTERM);
}

static void mask_is_put_back(void **state)
{
	struct error err = ERROR_INIT;
	struct console_signals *signals;
	sigset_t before, during, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	signals = console_signals_block(&err);
	assert_non_null(signals);
	pthread_sigmask(SIG_SETMASK, NULL, &during);
	assert_true(sigismember(&during, SIGTERM));
	/* The kernel's stop signs for background jobs keep working. */
	assert_false(sigismember(&during, SIGTTIN));
	raise(SIGPIPE);
	console_signals_restore(signals);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < SIGRTMIN; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	console_signals_restore(NULL);
}

/* ---- output ---- */

static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void make_stdout_raw(void)
{
	struct termios settings;

	tcgetattr(STDOUT_FILENO, &settings);
	cfmakeraw(&settings);
	tcsetattr(STDOUT_FILENO, TCSANOW, &settings);
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

/* Sends its terminal's size once a line came, and again when it is told that it changed. */
static int report_sizes(int control)
{
	struct sigaction action = {.sa_handler = note_signal};
	sigset_t change, before;
	char byte;

	sigaction(SIGWINCH, &action, NULL);
	sigemptyset(&change);
	sigaddset(&change, SIGWINCH);
	sigprocmask(SIG_BLOCK, &change, &before);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 99;
	send_size(control);
	/* The first size may have come by a signal, too. */
	got_signal = 0;
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

/* ---- sockets ---- */

/* A listening socket at a path of `length` bytes below a new directory. */
static int listen_at(char *path, size_t length, char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_close int parent = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t used;

	strcpy(directory, "/tmp/runlxc-test-console.XXXXXX");
	assert_non_null(mkdtemp(directory));
	used = (size_t)sprintf(path, "%s/", directory);
	if (length > used)
		memset(path + used, 'd', length - used);
	path[length] = '\0';
	/* bind() has the same limit: it takes a name below a descriptor, as long as that fits. */
	parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (length < sizeof(address.sun_path)) {
		strcpy(address.sun_path, path);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	} else {
		sprintf(address.sun_path, "/proc/self/fd/%d/s", parent);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(renameat(parent, "s", AT_FDCWD, path), 0);
	}
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int receive_descriptor(int listener, char *name, size_t size)
{
	cleanup_close int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {name, size - 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t count;
	int fd;

	assert_true(connection >= 0);
	count = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	assert_true(count > 0);
	name[count] = '\0';
	assert_non_null(CMSG_FIRSTHDR(&message));
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	/* The connection is for that one message. */
	assert_int_equal(read(connection, name + count, 0), 0);
	return fd;
}

static void send_over_path(size_t length)
{
	struct error err = ERROR_INIT;
	char path[512], directory[64], name[64];
	int listener = listen_at(path, length, directory);
	int ends[2], received;
	char byte;

	assert_int_equal(strlen(path), length);
	make_pipe(ends);
	assert_int_equal(console_socket_send(path, ends[1], "/dev/ptmx", &err), 0);
	received = receive_descriptor(listener, name, sizeof(name));
	assert_string_equal(name, "/dev/ptmx");
	write_all(received, "x", 1);
	read_exactly(ends[0], &byte, 1);

	close(received);
	close(ends[0]);
	close(ends[1]);
	close(listener);
	unlink(path);
	rmdir(directory);
}

static void descriptor_is_sent_over_a_socket(void **state)
{
	send_over_path(60);
	send_over_path(107);
}

static void descriptor_is_sent_over_a_socket_with_a_long_path(void **state)
{
	send_over_path(108);
	send_over_path(200);
	send_over_path(280);
}

static void socket_that_is_not_there_is_named(void **state)
{
	struct error err = ERROR_INIT;
	char path[256];

	assert_int_equal(console_socket_send("/nonexistent/socket", 0, "x", &err), -1);
	assert_string_equal(error_text(&err), "connect to console socket \"/nonexistent/socket\": "
					      "no such file or directory");
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);

	memset(path, 'x', 255);
	path[0] = '/';
	path[255] = '\0';
	assert_int_equal(console_socket_send(path, 0, "x", &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);

	assert_int_equal(console_socket_send("", 0, "x", &err), -1);
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exit_status_is_the_programs),
	    cmocka_unit_test(end_by_signal_is_reported_as_such),
	    cmocka_unit_test(process_that_ended_before_the_session_is_seen),
	    cmocka_unit_test(orphans_are_reaped),
	    cmocka_unit_test(process_may_become_our_child_later),
	    cmocka_unit_test(process_that_another_one_reaped_is_an_error),
	    cmocka_unit_test(session_without_a_process_is_refused),
	    cmocka_unit_test(signals_reach_the_program),
	    cmocka_unit_test(signals_about_ourselves_are_kept),
	    cmocka_unit_test(ignored_signals_stay_ignored),
	    cmocka_unit_test(signal_before_the_session_is_not_lost),
	    cmocka_unit_test(mask_is_put_back),
	    cmocka_unit_test(a_megabyte_arrives_unchanged_at_a_slow_reader),
	    cmocka_unit_test(a_megabyte_arrives_unchanged_over_a_socket),
	    cmocka_unit_test(output_of_a_process_that_has_ended_is_not_lost),
	    cmocka_unit_test(background_process_with_the_terminal_does_not_keep_the_session),
	    cmocka_unit_test(background_process_that_writes_does_not_keep_the_session),
	    cmocka_unit_test(reader_that_has_gone_stops_nothing),
	    cmocka_unit_test(stuck_reader_keeps_neither_signals_nor_the_end_from_us),
	    cmocka_unit_test(end_of_input_is_passed_on),
	    cmocka_unit_test(end_of_input_within_a_line_is_passed_on),
	    cmocka_unit_test(input_larger_than_any_buffer_is_passed_on),
	    cmocka_unit_test(end_of_input_is_no_byte_to_a_raw_terminal),
	    cmocka_unit_test(users_terminal_is_raw_during_the_session_only),
	    cmocka_unit_test(users_terminal_is_restored_after_a_fatal_signal),
	    cmocka_unit_test(size_follows_the_users_terminal),
	    cmocka_unit_test(size_is_set_and_zero_leaves_it),
	    cmocka_unit_test(descriptor_is_sent_over_a_socket),
	    cmocka_unit_test(descriptor_is_sent_over_a_socket_with_a_long_path),
	    cmocka_unit_test(socket_that_is_not_there_is_named),
	};

	/* Whatever hangs ends with the test: relays and programs die with their parents. */
	alarm(120);
	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
