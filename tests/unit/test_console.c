/* SPDX-License-Identifier: Apache-2.0 */
/* A foreground session: its process and its signals. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/console.h"
#include "test_console.h"

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
	};

	/* Whatever hangs ends with the test: relays and programs die with their parents. */
	alarm(120);
	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
