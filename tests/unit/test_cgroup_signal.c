/* SPDX-License-Identifier: Apache-2.0 */
/* Freezing a container and signalling all of it. */
#include "test_cgroup.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

/* ---- freezing ---- */

static volatile uint64_t *ticks;

static void run_count(void)
{
	for (;;) {
		(*ticks)++;
		sched_yield();
	}
}

/* Whether the counter moves; waits for it as long as it takes, if it should. */
static void assert_counting(bool counting)
{
	uint64_t before = *ticks;
	struct timespec moment = {0, 20000000};

	if (!counting) {
		nanosleep(&moment, NULL); /* nothing is to happen: there is no event for that */
		assert_true(*ticks == before);
		return;
	}
	while (*ticks == before)
		sched_yield();
}

static void freezes(const struct box *box)
{
	struct error err = ERROR_INIT;
	char parent[64], child[128];
	bool frozen = true;
	pid_t pid;

	ticks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(ticks != MAP_FAILED);
	make(box, "/a");
	snprintf(parent, sizeof(parent), "%s", box->path);
	snprintf(child, sizeof(child), "%s/a", box->path);
	pid = enter(box, "/a", run_count);
	assert_counting(true);
	ok(cgroup_is_frozen(box->layout, parent, &frozen, &oops));
	assert_false(frozen);

	ok(cgroup_freeze(box->layout, parent, &oops));
	assert_counting(false);
	ok(cgroup_freeze(box->layout, parent, &oops)); /* twice is no error */
	ok(cgroup_is_frozen(box->layout, parent, &frozen, &oops));
	assert_true(frozen);
	/* Its child stands still, too, but was not frozen itself, and can't be thawed alone. */
	ok(cgroup_is_frozen(box->layout, child, &frozen, &oops));
	assert_false(frozen);
	ok(cgroup_parent_is_frozen(box->layout, child, &frozen, &oops));
	assert_true(frozen);
	snprintf(child, sizeof(child), "%s/new/deeper", box->path);
	ok(cgroup_parent_is_frozen(box->layout, child, &frozen, &oops));
	assert_true(frozen);
	ok(cgroup_parent_is_frozen(box->layout, parent, &frozen, &oops));
	assert_false(frozen);
	snprintf(child, sizeof(child), "%s/a", box->path);
	assert_int_equal(cgroup_thaw(box->layout, child, &err), -1);
	assert_non_null(strstr(err.message, "a cgroup above it is frozen"));
	error_clear(&err);

	ok(cgroup_thaw(box->layout, parent, &oops));
	assert_counting(true);
	ok(cgroup_is_frozen(box->layout, parent, &frozen, &oops));
	assert_false(frozen);
	ok(cgroup_thaw(box->layout, parent, &oops));
	end(pid);
	/* Empty ones freeze as well. */
	ok(cgroup_freeze(box->layout, parent, &oops));
	ok(cgroup_thaw(box->layout, parent, &oops));
	munmap((void *)ticks, 4096);
}

static void a_frozen_cgroup_stands_still_until_it_is_thawed(void **state)
{
	(void)state;
	on_every_layout(freezes);
}

/* ---- signals ---- */

static void signals(const struct box *box)
{
	pid_t pids[5], outside = fork();

	if (outside == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_sleep();
	}
	make(box, "/a");
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = enter(box, i % 2 ? "/a" : "", run_sleep);
	ok(cgroup_signal_all(box->layout, box->path, SIGTERM, &oops));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		assert_int_equal(signal_of(pids[i]), SIGTERM);
	assert_int_equal(kill(outside, 0), 0);
	assert_int_equal(waitpid(outside, NULL, WNOHANG), 0);
	end(outside);
}

static void a_signal_reaches_everybody_inside_and_nobody_else(void **state)
{
	(void)state;
	on_every_layout(signals);
}

static void signals_many(const struct box *box)
{
	pid_t pids[300];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = enter(box, "", run_sleep);
	ok(cgroup_signal_all(box->layout, box->path, SIGUSR1, &oops));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		assert_int_equal(signal_of(pids[i]), SIGUSR1);
}

static void more_processes_than_fit_a_batch_get_the_signal(void **state)
{
	(void)state;
	on_every_layout(signals_many);
}

static void kills_frozen(const struct box *box)
{
	const struct cgroup_hierarchy *freezer = cgroup_find(box->layout, "freezer");
	pid_t pids[2];

	make(box, "/a");
	pids[0] = enter(box, "", run_sleep);
	pids[1] = enter(box, "/a", run_sleep);
	/* The container itself has frozen a part of it; then it is paused as a whole. */
	if (freezer) {
		char file[PATH_MAX], inside[128];

		snprintf(inside, sizeof(inside), "%s/a", box->path);
		file_of(freezer, inside, "freezer.state", file);
		write_text(file, "FROZEN");
	}
	ok(cgroup_freeze(box->layout, box->path, &oops));
	ok(cgroup_signal_all(box->layout, box->path, SIGKILL, &oops));
	assert_int_equal(signal_of(pids[0]), SIGKILL);
	assert_int_equal(signal_of(pids[1]), SIGKILL);
	ok(cgroup_wait_empty(box->layout, box->path, 5000, &oops));
}

static void sigkill_ends_what_is_frozen(void **state)
{
	(void)state;
	on_every_layout(kills_frozen);
}

static void keeps_frozen(const struct box *box)
{
	bool frozen = false;
	pid_t pid = enter(box, "", run_sleep);

	ok(cgroup_freeze(box->layout, box->path, &oops));
	ok(cgroup_signal_all(box->layout, box->path, SIGTERM, &oops));
	ok(cgroup_is_frozen(box->layout, box->path, &frozen, &oops));
	assert_true(frozen);
	ok(cgroup_thaw(box->layout, box->path, &oops));
	assert_int_equal(signal_of(pid), SIGTERM);
}

static void another_signal_waits_for_the_thaw(void **state)
{
	(void)state;
	on_every_layout(keeps_frozen);
}

/* Forks as fast as it can, at most some dozens at a time; dies at once or forks on. */
static void run_fork(void)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, 0);
	for (;;) {
		if (fork() < 0)
			sched_yield();
		else if (*ticks > 0)
			(*ticks)--;
	}
}

static void kills_forks(const struct box *box)
{
	const struct cgroup_hierarchy *limit = cgroup_find(box->layout, "pids");
	struct error err = ERROR_INIT;
	char file[PATH_MAX];
	pid_t pid;

	/* Never without a limit on their number. */
	if (!limit)
		return;
	file_of(limit, box->path, "pids.max", file);
	write_text(file, "60");
	ticks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(ticks != MAP_FAILED);
	*ticks = 200;
	pid = enter(box, "", run_fork);
	while (*ticks > 100)
		sched_yield();
	ok(cgroup_signal_all(box->layout, box->path, SIGKILL, &oops));
	if (cgroup_wait_empty(box->layout, box->path, 5000, &err))
		fail_msg("%s", error_text(&err));
	assert_int_equal(signal_of(pid), SIGKILL);
	munmap((void *)ticks, 4096);
}

static void sigkill_ends_what_forks(void **state)
{
	(void)state;
	on_every_layout(kills_forks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_frozen_cgroup_stands_still_until_it_is_thawed),
	    test(a_signal_reaches_everybody_inside_and_nobody_else),
	    test(more_processes_than_fit_a_batch_get_the_signal),
	    test(sigkill_ends_what_is_frozen),
	    test(another_signal_waits_for_the_thaw),
	    test(sigkill_ends_what_forks),
	};

	return cmocka_run_group_tests(tests, find_layouts, free_layouts);
}
