/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is set on a process from outside, read back from the kernel: the process is a forked child
 * that waits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

/* ---- a process that waits ---- */

static int child_make(void **state)
{
	pid_t *pid = malloc(sizeof(*pid));

	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (true)
			pause();
	}
	*state = pid;
	return 0;
}

static int child_end(void **state)
{
	pid_t *pid = *state;

	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	free(pid);
	return 0;
}

static void apply(const struct spec_process *process, pid_t pid)
{
	struct error err = ERROR_INIT;

	if (process_apply_from_outside(process, pid, &err) < 0)
		fail_msg("%s", error_text(&err));
}

/* The error begins so; behind it is errno's text, if there is one. */
static void assert_refused(const struct spec_process *process, pid_t pid, const char *begin)
{
	struct error err = ERROR_INIT;

	assert_int_equal(process_apply_from_outside(process, pid, &err), -1);
	if (strncmp(err.message, begin, strlen(begin)) != 0)
		fail_msg("%s\n  wanted: %s", err.message, begin);
	error_clear(&err);
}

/* ---- each thing ---- */

static void nothing_asked_for_changes_nothing(void **state)
{
	const struct spec_process process = {0};

	apply(&process, *(pid_t *)*state);
	/* Not even whether it is there is looked at. */
	apply(&process, 1 << 30);
}

static void resource_limits_are_set_in_their_order(void **state)
{
	struct spec_rlimit limits[] = {
	    {(char *)"RLIMIT_CORE", RLIMIT_CORE, 0, 0},
	    {(char *)"RLIMIT_NOFILE", RLIMIT_NOFILE, 200, 300},
	    {(char *)"RLIMIT_NOFILE", RLIMIT_NOFILE, 100, 250},
	};
	const struct spec_process process = {.rlimits = limits, .rlimits_count = 3};
	struct rlimit now;
	pid_t pid = *(pid_t *)*state;

	apply(&process, pid);
	assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &now), 0);
	assert_int_equal(now.rlim_cur, 0);
	assert_int_equal(now.rlim_max, 0);
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &now), 0);
	assert_int_equal(now.rlim_cur, 100);
	assert_int_equal(now.rlim_max, 250);
}

static void no_limit_is_the_largest_number(void **state)
{
	struct rlimit now;
	pid_t pid = *(pid_t *)*state;
	struct spec_rlimit limit = {(char *)"RLIMIT_CPU", RLIMIT_CPU, UINT64_MAX, UINT64_MAX};
	const struct spec_process process = {.rlimits = &limit, .rlimits_count = 1};

	assert_int_equal(prlimit(pid, RLIMIT_CPU, NULL, &now), 0);
	if (now.rlim_max != RLIM_INFINITY) {
		print_message("skipped: there is a limit on CPU time\n");
		skip();
	}
	apply(&process, pid);
	assert_int_equal(prlimit(pid, RLIMIT_CPU, NULL, &now), 0);
	assert_true(now.rlim_cur == RLIM_INFINITY);
	assert_true(now.rlim_max == RLIM_INFINITY);
}

static void a_limit_that_can_not_be_is_named(void **state)
{
	struct spec_rlimit limits[] = {{(char *)"RLIMIT_CORE", RLIMIT_CORE, 0, 0},
				       {(char *)"RLIMIT_NOFILE", RLIMIT_NOFILE, 20, 10}};
	const struct spec_process process = {.rlimits = limits, .rlimits_count = 2};

	assert_refused(&process, *(pid_t *)*state,
		       "process.rlimits[1]: Failed to set RLIMIT_NOFILE: invalid argument");
}

static void the_oom_score_is_set(void **state)
{
	const struct spec_process process = {.oom_score_adj = {true, 777}};
	pid_t pid = *(pid_t *)*state;
	char path[64];
	FILE *in;
	int score = 0;

	apply(&process, pid);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	in = fopen(path, "re");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%d", &score), 1);
	fclose(in);
	assert_int_equal(score, 777);
}

static void an_oom_score_that_can_not_be_is_named(void **state)
{
	struct spec_process process = {.oom_score_adj = {true, 5000}};

	assert_refused(&process, *(pid_t *)*state,
		       "process.oomScoreAdj: Failed to set it to 5000: invalid argument");
	process.oom_score_adj.value = INT64_MIN;
	assert_refused(&process, *(pid_t *)*state,
		       "process.oomScoreAdj: Failed to set it to -9223372036854775808: ");
	process.oom_score_adj.value = 0;
	assert_refused(&process, 1 << 30,
		       "process.oomScoreAdj: Failed to set it to 0: no such file or directory");
}

static void a_scheduling_policy_is_set(void **state)
{
	static const struct {
		const char *name;
		int policy;
	} cases[] = {
	    {"SCHED_OTHER", SCHED_OTHER}, {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_IDLE", SCHED_IDLE}};
	pid_t pid = *(pid_t *)*state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct spec_process process = {
		    .scheduler = {.set = true,
				  .policy = (char *)(uintptr_t)cases[i].name,
				  .nice = 5,
				  .flags = STRINGS("SCHED_FLAG_RESET_ON_FORK")}};

		apply(&process, pid);
		assert_int_equal(sched_getscheduler(pid), cases[i].policy | SCHED_RESET_ON_FORK);
		assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 5);
	}
}

static void a_real_time_policy_is_set_with_its_priority(void **state)
{
	const struct spec_process process = {
	    .scheduler = {.set = true, .policy = (char *)"SCHED_FIFO", .priority = 7}};
	struct sched_param param;
	struct error err = ERROR_INIT;
	pid_t pid = *(pid_t *)*state;

	if (process_apply_from_outside(&process, pid, &err) < 0) {
		assert_int_equal(err.errnum, EPERM);
		print_message("skipped: %s\n", err.message);
		error_clear(&err);
		skip();
	}
	assert_int_equal(sched_getscheduler(pid), SCHED_FIFO);
	assert_int_equal(sched_getparam(pid, &param), 0);
	assert_int_equal(param.sched_priority, 7);
}

static void a_scheduler_that_is_not_known_is_named(void **state)
{
	struct spec_process process = {.scheduler = {.set = true, .policy = (char *)"SCHED_LATER"}};
	pid_t pid = *(pid_t *)*state;

	assert_refused(&process, pid, "process.scheduler.policy: \"SCHED_LATER\" is not known");
	process.scheduler.policy = NULL;
	assert_refused(&process, pid, "process.scheduler.policy: \"\" is not known");
	process.scheduler.policy = (char *)"SCHED_OTHER";
	process.scheduler.flags = STRINGS("SCHED_FLAG_RECLAIM", "SCHED_FLAG_WHITE");
	assert_refused(&process, pid,
		       "process.scheduler.flags[1]: \"SCHED_FLAG_WHITE\" is not known");
	process.scheduler.flags.count = 0;
	process.scheduler.priority = 50; /* of which SCHED_OTHER has none */
	assert_refused(&process, pid,
		       "process.scheduler: Failed to set SCHED_OTHER: invalid argument");
}

static void an_io_priority_is_set(void **state)
{
	const struct spec_process process = {.io_priority_class = (char *)"IOPRIO_CLASS_BE",
					     .io_priority = 6};
	struct spec_process idle = {.io_priority_class = (char *)"IOPRIO_CLASS_IDLE"};
	pid_t pid = *(pid_t *)*state;

	apply(&process, pid);
	assert_int_equal(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid),
			 IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
	apply(&idle, pid);
	assert_int_equal(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid),
			 IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static void an_io_priority_that_can_not_be_is_named(void **state)
{
	struct spec_process process = {.io_priority_class = (char *)"IOPRIO_CLASS_BEST"};
	pid_t pid = *(pid_t *)*state;

	assert_refused(&process, pid,
		       "process.ioPriority.class: \"IOPRIO_CLASS_BEST\" is not known");
	process.io_priority_class = (char *)"IOPRIO_CLASS_NONE";
	assert_refused(&process, pid,
		       "process.ioPriority.class: \"IOPRIO_CLASS_NONE\" is not known");
	process.io_priority_class = (char *)"IOPRIO_CLASS_BE";
	assert_refused(&process, 1 << 30, "process.ioPriority: Failed to set it: no such process");
}

#define ON_CHILD(test) cmocka_unit_test_setup_teardown(test, child_make, child_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_CHILD(nothing_asked_for_changes_nothing),
	    ON_CHILD(resource_limits_are_set_in_their_order),
	    ON_CHILD(no_limit_is_the_largest_number),
	    ON_CHILD(a_limit_that_can_not_be_is_named),
	    ON_CHILD(the_oom_score_is_set),
	    ON_CHILD(an_oom_score_that_can_not_be_is_named),
	    ON_CHILD(a_scheduling_policy_is_set),
	    ON_CHILD(a_real_time_policy_is_set_with_its_priority),
	    ON_CHILD(a_scheduler_that_is_not_known_is_named),
	    ON_CHILD(an_io_priority_is_set),
	    ON_CHILD(an_io_priority_that_can_not_be_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
