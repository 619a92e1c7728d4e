/* SPDX-License-Identifier: Apache-2.0 */
/* What test_console.h promises. */
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
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"
#include "test_console.h"

void write_all(int fd, const void *data, size_t length)
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

void read_exactly(int fd, void *data, size_t length)
{
	char *at = data;

	while (length > 0) {
		ssize_t count = read(fd, at, length);

		assert_true(count > 0);
		at += count;
		length -= (size_t)count;
	}
}

void make_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

void make_pty(int *master, int *slave)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*slave >= 0);
}

void make_stdout_raw(void)
{
	struct termios settings;

	tcgetattr(STDOUT_FILENO, &settings);
	cfmakeraw(&settings);
	tcsetattr(STDOUT_FILENO, TCSANOW, &settings);
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

struct relay_process start_relay(const struct setup *setup)
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

struct outcome finish_relay(struct relay_process *relay)
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

void assert_exited(const struct outcome *outcome, int status)
{
	assert_string_equal(outcome->message, "");
	assert_int_equal(outcome->result, 0);
	assert_true(WIFEXITED(outcome->wait_status));
	assert_int_equal(WEXITSTATUS(outcome->wait_status), status);
}

struct outcome run_relay(const struct setup *setup)
{
	struct relay_process relay = start_relay(setup);

	return finish_relay(&relay);
}
