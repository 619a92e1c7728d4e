/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks on the host. Each hook is a real program: most are /bin/sh with a script as an argument,
 * which writes what it sees to a file in the directory that it is started in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "hooks/hooks.h"
#include "test_place.h"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

/* sh -c SCRIPT */
#define SHELL(script)                                                                              \
	{                                                                                          \
		.path = (char *)"/bin/sh", .args = STRINGS("sh", "-c", script)                     \
	}

#define STATE "{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"creating\"}"

/* ---- a directory for what the hooks write ---- */

static void assert_written(const struct place *place, const char *file, const char *expected)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text =
	    path_read_file(place->fd, file, (size_t)1 << 24, NULL, file, &err);

	if (!text)
		fail_msg("%s", error_text(&err));
	assert_string_equal(text, expected);
}

static bool is_written(const struct place *place, const char *file)
{
	return faccessat(place->fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- running ---- */

static int try_run(const struct place *place, struct spec_hook *hooks, size_t count,
		   const char *state, struct error *err)
{
	struct spec spec = {0};

	spec.hooks[SPEC_HOOK_CREATE_RUNTIME] = (struct spec_hooks){count, hooks};
	return hooks_run(&spec, SPEC_HOOK_CREATE_RUNTIME, state, place->base, NULL, err);
}

static void run(const struct place *place, struct spec_hook *hooks, size_t count)
{
	struct error err = ERROR_INIT;

	if (try_run(place, hooks, count, STATE, &err) < 0)
		fail_msg("%s", error_text(&err));
}

static void assert_fails(const struct place *place, struct spec_hook *hooks, size_t count,
			 const char *expected)
{
	struct error err = ERROR_INIT;

	assert_int_equal(try_run(place, hooks, count, STATE, &err), -1);
	assert_string_equal(err.message, expected);
	error_clear(&err);
	/* Nobody is left behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- what a hook gets ---- */

static void hooks_run_one_after_another_in_their_order(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {
	    SHELL("i=0; while test $i -lt 20000; do i=$((i+1)); done; echo one >>log"),
	    SHELL("echo two >>log"), SHELL("echo three >>log")};

	run(place, hooks, 3);
	assert_written(place, "log", "one\ntwo\nthree\n");
}

static void only_hooks_of_the_kind_run(void **state)
{
	const struct place *place = *state;
	struct spec_hook mine[] = {SHELL("echo mine >>log")}, other[] = {SHELL("echo other >>log")};
	struct error err = ERROR_INIT;
	struct spec spec = {0};

	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++)
		spec.hooks[kind] = (struct spec_hooks){1, other};
	spec.hooks[SPEC_HOOK_POSTSTOP] = (struct spec_hooks){1, mine};
	assert_int_equal(hooks_run(&spec, SPEC_HOOK_POSTSTOP, STATE, place->base, NULL, &err), 0);
	assert_written(place, "log", "mine\n");
}

static void no_hooks_are_no_error(void **state)
{
	run(*state, NULL, 0);
}

static void the_state_is_on_stdin(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("cat >one"), SHELL("cat >two; cat >>two")};

	run(place, hooks, 2);
	assert_written(place, "one", STATE);
	/* To its end, and no more. */
	assert_written(place, "two", STATE);
}

/* Runs a hook in a child that has those streams closed that are set in `closed`; true if it went as
 * `expected`, NULL for no error. */
static bool goes_with_closed_streams(const struct place *place, struct spec_hook *hook, int closed,
				     const char *expected)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = ERROR_INIT;
		int result;

		for (int fd = 0; fd < 3; fd++) {
			if (closed & 1 << fd)
				close(fd);
		}
		result = try_run(place, hook, 1, STATE, &err);
		if (expected)
			_exit(result < 0 && strcmp(error_text(&err), expected) == 0 ? 0 : 1);
		_exit(result == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* What is made for a hook has these very numbers then. */
static void a_hook_has_all_streams_where_the_runtime_lacks_some(void **state)
{
	const struct place *place = *state;
	/* Writing to a closed stream would fail. */
	struct spec_hook hook = SHELL("cat >copy && printf a && printf b >&2");
	struct spec_hook missing = {.path = (char *)"/nowhere/hook"};

	for (int closed = 1; closed < 8; closed++) {
		if (!goes_with_closed_streams(place, &hook, closed, NULL))
			fail_msg("closed: %#x", (unsigned int)closed);
		assert_written(place, "copy", STATE);
		if (!goes_with_closed_streams(
			place, &missing, closed,
			"hooks.createRuntime[0]: error running createRuntime hook #0: "
			"Failed to execute "
			"\"/nowhere/hook\": no such file or directory"))
			fail_msg("closed, and no program: %#x", (unsigned int)closed);
	}
}

static void a_state_larger_than_a_pipe_is_whole(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("cat >copy")};
	size_t size = (size_t)4 * 1024 * 1024;
	cleanup_free char *large = malloc(size + 1);
	struct error err = ERROR_INIT;

	memset(large, 'x', size);
	large[size] = '\0';
	assert_int_equal(try_run(place, hooks, 1, large, &err), 0);
	assert_written(place, "copy", large);
}

static void the_environment_is_the_hooks_alone(void **state)
{
	const struct place *place = *state;
	struct spec_hook hook = {
	    .path = (char *)"/bin/sh",
	    .args = STRINGS("sh", "-c", "cat /proc/$$/environ >env"),
	    .env = STRINGS("PATH=/usr/bin:/bin", "A=b=c", "EMPTY=", "odd one", "A=again")};

	setenv("RUNLXC_TEST_SECRET", "of the runtime's", 1);
	run(place, &hook, 1);
	unsetenv("RUNLXC_TEST_SECRET");
	{
		static const char expected[] =
		    "PATH=/usr/bin:/bin\0A=b=c\0EMPTY=\0odd one\0A=again";
		struct error err = ERROR_INIT;
		size_t length = 0;
		cleanup_free char *text =
		    path_read_file(place->fd, "env", 4096, &length, "env", &err);

		assert_non_null(text);
		assert_int_equal(length, sizeof(expected));
		assert_memory_equal(text, expected, sizeof(expected));
	}
}

static void with_an_empty_env_the_environment_is_empty(void **state)
{
	const struct place *place = *state;
	/* A shell finds cat by a path of its own. */
	struct spec_hook hooks[] = {SHELL("cat /proc/$$/environ >env")};
	struct stat st;

	setenv("RUNLXC_TEST_SECRET", "of the runtime's", 1);
	run(place, hooks, 1);
	unsetenv("RUNLXC_TEST_SECRET");
	assert_int_equal(fstatat(place->fd, "env", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
}

/* No `env` at all: the runtime's, as with runc and crun. */
static void a_hook_that_says_nothing_of_it_gets_the_runtimes_environment(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("echo \"$RUNLXC_TEST_SECRET\" >env")};

	hooks[0].inherits_env = true;
	setenv("RUNLXC_TEST_SECRET", "of the runtime's", 1);
	run(place, hooks, 1);
	unsetenv("RUNLXC_TEST_SECRET");
	assert_written(place, "env", "of the runtime's\n");
}

static void arguments_are_exactly_as_given(void **state)
{
	const struct place *place = *state;
	struct spec_hook hook = {.path = (char *)"/bin/sh",
				 .args = STRINGS("a name of its own", "-c",
						 "printf '<%s>' \"$0\" \"$@\" >args", "zero", "",
						 "two words", "$HOME `id` * ;", "new\nline")};

	run(place, &hook, 1);
	assert_written(place, "args", "<zero><><two words><$HOME `id` * ;><new\nline>");
	hook.args = STRINGS("a name of its own", "-c", "tr '\\0' '|' </proc/$$/cmdline >name");
	run(place, &hook, 1);
	assert_written(place, "name", "a name of its own|-c|tr '\\0' '|' </proc/$$/cmdline >name|");
}

static void write_script(const struct place *place, const char *name, const char *text, mode_t mode)
{
	cleanup_close int fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(path_write_all(fd, text, strlen(text)), 0);
}

static void without_args_the_path_is_the_name(void **state)
{
	const struct place *place = *state;
	char path[128];
	struct spec_hook hook = {.path = path};

	snprintf(path, sizeof(path), "%s/hook", place->base);
	write_script(place, "hook", "#!/bin/sh\nprintf '%s %s' \"$#\" \"$0\" >name\n", 0755);
	run(place, &hook, 1);
	{
		char expected[160];

		snprintf(expected, sizeof(expected), "0 %s", path);
		assert_written(place, "name", expected);
	}
}

static void the_working_directory_is_the_one_given(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("pwd -P >cwd")};
	char expected[80];

	run(place, hooks, 1);
	snprintf(expected, sizeof(expected), "%s\n", place->base);
	assert_written(place, "cwd", expected);
}

static void no_directory_given_is_the_runtimes_own(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("pwd -P >cwd")};
	struct error err = ERROR_INIT;
	cleanup_close int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spec spec = {0};
	int result;

	spec.hooks[SPEC_HOOK_PRESTART] = (struct spec_hooks){1, hooks};
	assert_int_equal(fchdir(place->fd), 0);
	result = hooks_run(&spec, SPEC_HOOK_PRESTART, STATE, NULL, NULL, &err);
	assert_int_equal(fchdir(back), 0);
	assert_int_equal(result, 0);
	assert_true(is_written(place, "cwd"));
}

static void no_descriptor_leaks_to_a_hook(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("exec ls /proc/self/fd >fds")};
	int leaky[50];

	for (size_t i = 0; i < ARRAY_SIZE(leaky); i++)
		leaky[i] = open("/dev/null", O_RDWR); /* not closed on exec */
	run(place, hooks, 1);
	for (size_t i = 0; i < ARRAY_SIZE(leaky); i++)
		close(leaky[i]);
	/* 3 is the directory that ls reads. */
	assert_written(place, "fds", "0\n1\n2\n3\n");
}

static void signals_are_as_by_default(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {
	    SHELL("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n' >signals")};
	struct error err = ERROR_INIT;
	sigset_t all, old;
	void (*old_pipe)(int) = signal(SIGPIPE, SIG_IGN);
	int result;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	result = try_run(place, hooks, 1, STATE, &err);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, old_pipe);
	assert_int_equal(result, 0);
	assert_written(place, "signals", "SigBlk:0000000000000000SigIgn:0000000000000000");
}

/* ---- what a hook may do ---- */

static void a_hook_that_does_not_read_its_stdin_is_fine(void **state)
{
	struct spec_hook hooks[] = {{.path = (char *)"/bin/true"}, SHELL("exec <&-; exit 0")};

	run(*state, hooks, 2);
}

static void a_hook_that_closes_everything_is_waited_for(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {
	    SHELL("exec 0<&- 1>&- 2>&-; i=0; while test $i -lt 20000; do i=$((i+1)); done; : >end"),
	    SHELL("test -e end")};

	run(place, hooks, 2);
}

static void a_hook_may_leave_a_process_behind(void **state)
{
	const struct place *place = *state;
	/* It keeps stdin and stdout open until it is told to go. */
	struct spec_hook hooks[] = {SHELL("mkfifo go; { cat go >/dev/null; rm go; } & :")};
	cleanup_close int go = -1;
	pid_t left;

	/* It falls to us then. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run(place, hooks, 1);
	go = openat(place->fd, "go", O_WRONLY | O_CLOEXEC);
	assert_true(go >= 0);
	close(fd_take(&go));
	left = waitpid(-1, NULL, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_true(left > 0);
	assert_false(is_written(place, "go"));
}

/* ---- failures ---- */

static void a_status_other_than_zero_ends_the_row(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("echo one >>log"), SHELL("exit 3"),
				    SHELL("echo three >>log")};

	assert_fails(place, hooks, 3,
		     "hooks.createRuntime[1]: error running createRuntime hook #1: "
		     "\"/bin/sh\" exited with status 3");
	assert_written(place, "log", "one\n");
}

static void a_status_of_127_is_a_status_if_the_hook_says_so(void **state)
{
	struct spec_hook hooks[] = {SHELL("exit 127")};

	assert_fails(*state, hooks, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" exited with status 127");
}

static void a_hook_that_a_signal_ends_has_failed(void **state)
{
	struct spec_hook hooks[] = {SHELL("kill -TERM $$")};

	assert_fails(*state, hooks, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" was ended by signal 15 (terminated)");
}

static void the_error_names_the_kind_and_the_place(void **state)
{
	static const char *const names[] = {"prestart",	      "createRuntime", "createContainer",
					    "startContainer", "poststart",     "poststop"};
	struct spec_hook hooks[] = {SHELL("exit 0"), SHELL("exit 1")};
	const struct place *place = *state;

	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		struct error err = ERROR_INIT;
		struct spec spec = {0};
		char expected[160];

		spec.hooks[kind] = (struct spec_hooks){2, hooks};
		assert_int_equal(
		    hooks_run(&spec, (enum spec_hook_kind)kind, STATE, place->base, NULL, &err),
		    -1);
		snprintf(expected, sizeof(expected),
			 "hooks.%s[1]: error running %s hook #1: \"/bin/sh\" exited with status 1",
			 names[kind], names[kind]);
		assert_string_equal(err.message, expected);
		error_clear(&err);
	}
}

static void what_a_hook_says_last_is_in_the_error(void **state)
{
	const struct place *place = *state;
	struct spec_hook plain[] = {SHELL("echo out; echo err >&2; exit 2")};
	struct spec_hook blank[] = {SHELL("printf ' \\n\\n'; exit 2")};
	struct spec_hook odd[] = {SHELL("printf 'a\\tb\\033[1m%%s%%n \\n\\n'; exit 2")};
	struct spec_hook fine[] = {SHELL("echo out; echo err >&2")};

	assert_fails(place, plain, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" exited with status 2: out err");
	assert_fails(place, blank, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" exited with status 2");
	assert_fails(place, odd, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" exited with status 2: a b [1m%s%n");
	run(place, fine, 1);
}

static void of_much_that_a_hook_says_the_end_is_in_the_error(void **state)
{
	struct spec_hook hooks[] = {SHELL("i=0; while test $i -lt 2000; do i=$((i+1)); "
					  "echo line $i; done; exit 2")};
	const struct place *place = *state;
	struct error err = ERROR_INIT;

	assert_int_equal(try_run(place, hooks, 1, STATE, &err), -1);
	assert_true(strlen(err.message) < 1000);
	assert_null(strchr(err.message, '\n'));
	assert_string_equal(err.message + strlen(err.message) - strlen("line 1999 line 2000"),
			    "line 1999 line 2000");
	error_clear(&err);
}

/* An engine reads ours to their end; what a hook leaves running would keep them open. */
static void a_hook_has_not_our_streams(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {SHELL("echo out; echo err >&2")};
	int ends[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = ERROR_INIT;

		dup2(ends[1], 1);
		dup2(ends[1], 2);
		_exit(try_run(place, hooks, 1, STATE, &err) == 0 ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_program_that_is_missing_is_named(void **state)
{
	struct spec_hook hook = {.path = (char *)"/nowhere/hook"};

	assert_fails(*state, &hook, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "Failed to execute \"/nowhere/hook\": "
		     "no such file or directory");
}

static void a_program_that_can_not_be_executed_is_named(void **state)
{
	const struct place *place = *state;
	struct spec_hook hook = {.path = (char *)"/dev/null"};
	char path[128], expected[256];

	assert_fails(place, &hook, 1,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "Failed to execute \"/dev/null\": permission denied");
	write_script(place, "hook", "not a program\n", 0755);
	snprintf(path, sizeof(path), "%s/hook", place->base);
	hook.path = path;
	/* Not a shell's reading of it, as execvp(3) would have it. */
	snprintf(expected, sizeof(expected),
		 "hooks.createRuntime[0]: error running createRuntime hook #0: "
		 "Failed to execute \"%s\": exec format error",
		 path);
	assert_fails(place, &hook, 1, expected);
}

static void a_directory_that_is_gone_is_an_error(void **state)
{
	struct spec_hook hooks[] = {SHELL("exit 0")};
	struct error err = ERROR_INIT;
	struct spec spec = {0};

	(void)state;
	spec.hooks[SPEC_HOOK_POSTSTOP] = (struct spec_hooks){1, hooks};
	assert_int_equal(hooks_run(&spec, SPEC_HOOK_POSTSTOP, STATE, "/nowhere", NULL, &err), -1);
	assert_non_null(strstr(err.message, "hooks.poststop[0]: "));
	assert_non_null(strstr(err.message, "no such file or directory"));
	error_clear(&err);
}

/* ---- time ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_hook_whose_time_is_over_is_killed(void **state)
{
	const struct place *place = *state;
	/* It ignores what it can, and waits for what never comes. */
	struct spec_hook hooks[] = {
	    {.path = (char *)"/bin/sh",
	     .args = STRINGS("sh", "-c",
			     "trap '' TERM INT HUP; echo $$ >pid; mkfifo never; "
			     "read x <never; : >late"),
	     .timeout = {true, 1}},
	    SHELL("echo two >>log")};
	double begin = seconds(), took;

	assert_fails(place, hooks, 2,
		     "hooks.createRuntime[0]: error running createRuntime hook #0: "
		     "\"/bin/sh\" did not end within 1 seconds");
	took = seconds() - begin;
	assert_true(took >= 1.0);
	assert_true(took < 10.0);
	assert_true(is_written(place, "pid"));
	assert_false(is_written(place, "late"));
	assert_false(is_written(place, "log"));
}

/* A shell's children are not the hook; but they are what the hook does. */
static void what_a_killed_hook_has_started_does_not_hold_us_up(void **state)
{
	const struct place *place = *state;
	struct spec_hook hooks[] = {{.path = (char *)"/bin/sh",
				     .args = STRINGS("sh", "-c", "mkfifo never; cat never; :"),
				     .timeout = {true, 1}}};
	double begin = seconds();
	struct error err = ERROR_INIT;
	cleanup_close int never = -1;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_int_equal(try_run(place, hooks, 1, STATE, &err), -1);
	assert_true(seconds() - begin < 10.0);
	error_clear(&err);
	/* Lets it go, if it is still there. */
	never = openat(place->fd, "never", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(never >= 0);
	close(fd_take(&never));
	while (waitpid(-1, NULL, 0) > 0)
		;
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void a_hook_that_ends_in_time_is_not_waited_for_any_longer(void **state)
{
	struct spec_hook hooks[] = {{.path = (char *)"/bin/true", .timeout = {true, 3600}}};
	double begin = seconds();

	run(*state, hooks, 1);
	assert_true(seconds() - begin < 10.0);
}

static void the_longest_timeout_is_one(void **state)
{
	struct spec_hook hooks[] = {
	    {.path = (char *)"/bin/sh",
	     .args = STRINGS("sh", "-c", "i=0; while test $i -lt 20000; do i=$((i+1)); done"),
	     .timeout = {true, INT64_MAX}}};

	run(*state, hooks, 1);
	hooks[0].timeout.value = INT64_MAX / 1000;
	run(*state, hooks, 1);
	hooks[0].timeout.value = INT64_MAX / 1000 - 1;
	run(*state, hooks, 1);
}

static void hooks_leave_no_descriptor_open(void **state)
{
	struct spec_hook hooks[] = {{.path = (char *)"/bin/true", .timeout = {true, 10}},
				    {.path = (char *)"/nowhere/hook"}};
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	assert_fails(*state, hooks, 2,
		     "hooks.createRuntime[1]: error running createRuntime hook #1: "
		     "Failed to execute \"/nowhere/hook\": "
		     "no such file or directory");
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(after, before + 1);
	close(after);
	close(before);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_PLACE(hooks_run_one_after_another_in_their_order),
	    IN_PLACE(only_hooks_of_the_kind_run),
	    IN_PLACE(no_hooks_are_no_error),
	    IN_PLACE(the_state_is_on_stdin),
	    IN_PLACE(a_hook_has_all_streams_where_the_runtime_lacks_some),
	    IN_PLACE(a_state_larger_than_a_pipe_is_whole),
	    IN_PLACE(the_environment_is_the_hooks_alone),
	    IN_PLACE(with_an_empty_env_the_environment_is_empty),
	    IN_PLACE(a_hook_that_says_nothing_of_it_gets_the_runtimes_environment),
	    IN_PLACE(arguments_are_exactly_as_given),
	    IN_PLACE(without_args_the_path_is_the_name),
	    IN_PLACE(the_working_directory_is_the_one_given),
	    IN_PLACE(no_directory_given_is_the_runtimes_own),
	    IN_PLACE(no_descriptor_leaks_to_a_hook),
	    IN_PLACE(signals_are_as_by_default),
	    IN_PLACE(a_hook_that_does_not_read_its_stdin_is_fine),
	    IN_PLACE(a_hook_that_closes_everything_is_waited_for),
	    IN_PLACE(a_hook_may_leave_a_process_behind),
	    IN_PLACE(a_status_other_than_zero_ends_the_row),
	    IN_PLACE(a_status_of_127_is_a_status_if_the_hook_says_so),
	    IN_PLACE(a_hook_that_a_signal_ends_has_failed),
	    IN_PLACE(the_error_names_the_kind_and_the_place),
	    IN_PLACE(what_a_hook_says_last_is_in_the_error),
	    IN_PLACE(of_much_that_a_hook_says_the_end_is_in_the_error),
	    IN_PLACE(a_hook_has_not_our_streams),
	    IN_PLACE(a_program_that_is_missing_is_named),
	    IN_PLACE(a_program_that_can_not_be_executed_is_named),
	    IN_PLACE(a_directory_that_is_gone_is_an_error),
	    IN_PLACE(a_hook_whose_time_is_over_is_killed),
	    IN_PLACE(what_a_killed_hook_has_started_does_not_hold_us_up),
	    IN_PLACE(a_hook_that_ends_in_time_is_not_waited_for_any_longer),
	    IN_PLACE(the_longest_timeout_is_one),
	    IN_PLACE(hooks_leave_no_descriptor_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
