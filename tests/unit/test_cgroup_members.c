/* SPDX-License-Identifier: Apache-2.0 */
/* Joining a container's cgroups, counting who is in, waiting until nobody is, removing them. */
#include "test_cgroup.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- joining and counting ---- */

static void assert_member(const struct box *box, const char *path, pid_t pid)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	char file[64];

	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	text = path_read_file(AT_FDCWD, file, 65536, NULL, file, &err);
	assert_non_null(text);
	for (size_t i = 0; i < box->layout->count; i++) {
		char line[256];

		snprintf(line, sizeof(line), ":%s:%s\n", box->layout->hierarchies[i].label, path);
		if (!strstr(text, line))
			fail_msg("no \"%s\" in \"%s\"", line, text);
	}
}

static void joins(const struct box *box)
{
	pid_t own = enter(box, "", run_sleep), other = fork();
	bool exists, in_use;

	if (other == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_sleep();
	}
	assert_member(box, box->path, own);
	ok(cgroup_join(box->layout, box->path, other, &oops));
	assert_member(box, box->path, other);
	assert_pids(box, (pid_t[]){own, other}, 2);
	ok(cgroup_probe(box->layout, box->path, &exists, &in_use, &oops));
	assert_true(exists && in_use);
	end(own);
	end(other);
	assert_pids(box, NULL, 0);
	ok(cgroup_probe(box->layout, box->path, &exists, &in_use, &oops));
	assert_true(exists && !in_use);
}

static void a_process_joins_by_itself_or_is_moved(void **state)
{
	(void)state;
	on_every_layout(joins);
}

static void joins_cloned(const struct box *box)
{
	cleanup_close int unified = cgroup_open_unified(box->layout, box->path);
	struct clone_args args = {
	    .flags = CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)unified,
	};
	int ready[2];
	pid_t pid;
	char byte;

	if (!cgroup_find(box->layout, "")) {
		assert_int_equal(unified, -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	assert_true(unified >= 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = ERROR_INIT;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cgroup_join(box->layout, box->path, 0, &err) == 0)
			(void)!write(ready[1], "x", 1);
		run_sleep();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_member(box, box->path, pid);
	end(pid);
}

static void a_process_may_be_cloned_into_its_cgroup(void **state)
{
	(void)state;
	on_every_layout(joins_cloned);
}

static void misses(const struct box *box)
{
	struct error err = ERROR_INIT;
	cleanup_free pid_t *pids = NULL;
	size_t count = 7;
	bool exists = true, in_use = true;
	char path[128];

	snprintf(path, sizeof(path), "%s/none", box->path);
	assert_int_equal(cgroup_join(box->layout, path, 0, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_non_null(strstr(err.message, path));
	error_clear(&err);
	ok(cgroup_pids(box->layout, path, &pids, &count, &oops));
	assert_int_equal(count, 0);
	ok(cgroup_probe(box->layout, path, &exists, &in_use, &oops));
	assert_true(!exists && !in_use);
	ok(cgroup_signal_all(box->layout, path, SIGKILL, &oops));
	ok(cgroup_signal_all(box->layout, path, SIGTERM, &oops));
	ok(cgroup_wait_empty(box->layout, path, 0, &oops));
	ok(cgroup_remove(box->layout, path, &oops));
	ok(cgroup_is_frozen(box->layout, path, &exists, &oops));
	assert_false(exists);
	assert_int_equal(cgroup_freeze(box->layout, path, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);
	/* Removing takes a container's path, never the root or what is not a path. */
	assert_int_equal(cgroup_remove(box->layout, "/", &err), -1);
	error_clear(&err);
	assert_int_equal(cgroup_remove(box->layout, "x", &err), -1);
	error_clear(&err);
}

static void a_cgroup_that_is_not_there(void **state)
{
	(void)state;
	on_every_layout(misses);
}

static void *thread_sleep(void *data)
{
	(void)data;
	run_sleep();
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[3];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, thread_sleep, NULL);
	run_sleep();
}

static void counts_below(const struct box *box)
{
	pid_t pids[3];
	bool exists, in_use;

	make(box, "/a");
	make(box, "/a/b");
	ok(cgroup_probe(box->layout, box->path, &exists, &in_use, &oops));
	assert_true(exists && in_use);
	pids[0] = enter(box, "", run_threads);
	pids[1] = enter(box, "/a", run_sleep);
	pids[2] = enter(box, "/a/b", run_threads);
	assert_pids(box, pids, 3);
	for (size_t i = 0; i < 3; i++)
		end(pids[i]);
	assert_pids(box, NULL, 0);
}

static void processes_in_child_cgroups_count_once(void **state)
{
	(void)state;
	on_every_layout(counts_below);
}

static void counts_threaded(const struct box *box)
{
	const struct cgroup_hierarchy *unified = cgroup_find(box->layout, "");
	struct error err = ERROR_INIT;
	struct box inner = *box;
	char file[PATH_MAX], inside[128];
	pid_t pid;

	if (!unified || box->layout->mode != CGROUP_UNIFIED)
		return;
	snprintf(inside, sizeof(inside), "%s/t", box->path);
	file_of(unified, inside, "", file);
	assert_int_equal(mkdir(file, 0755), 0);
	file_of(unified, inside, "cgroup.type", file);
	write_text(file, "threaded");
	pid = enter(box, "/t", run_threads);
	assert_pids(box, &pid, 1);
	/* Also when the container itself is the threaded one. */
	snprintf(inner.path, sizeof(inner.path), "%.60s/t", box->path);
	assert_null(cgroup_read(box->layout, inner.path, "", "cgroup.procs", &err));
	assert_int_equal(err.errnum, EOPNOTSUPP);
	error_clear(&err);
	assert_pids(&inner, &pid, 1);
	ok(cgroup_signal_all(inner.layout, inner.path, SIGTERM, &oops));
	assert_int_equal(signal_of(pid), SIGTERM);
}

static void a_threaded_cgroup_counts_processes(void **state)
{
	(void)state;
	on_every_layout(counts_threaded);
}

/* ---- waiting and removing ---- */

static void *end_later(void *data)
{
	struct timespec moment = {0, 50000000};

	nanosleep(&moment, NULL);
	kill(*(pid_t *)data, SIGKILL);
	return NULL;
}

static void waits(const struct box *box)
{
	struct error err = ERROR_INIT;
	struct timespec start, now;
	char mention[32];
	pthread_t thread;
	pid_t pid = enter(box, "", run_sleep);

	assert_int_equal(cgroup_wait_empty(box->layout, box->path, 20, &err), -1);
	assert_int_equal(err.errnum, ETIMEDOUT);
	snprintf(mention, sizeof(mention), "still holds process %d", pid);
	assert_non_null(strstr(err.message, mention));
	assert_non_null(strstr(err.message, box->path));
	error_clear(&err);

	/* It returns when the process ends, though nobody reaps it: a zombie is dead. */
	clock_gettime(CLOCK_MONOTONIC, &start);
	pthread_create(&thread, NULL, end_later, &pid);
	ok(cgroup_wait_empty(box->layout, box->path, 20000, &oops));
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec - start.tv_sec < 10);
	pthread_join(thread, NULL);
	assert_pids(box, NULL, 0);
	/* Nor does it keep its cgroups from going. */
	ok(cgroup_remove(box->layout, box->path, &oops));
	assert_gone(box);
	assert_int_equal(signal_of(pid), SIGKILL);
}

static void waiting_ends_with_the_last_live_process(void **state)
{
	(void)state;
	on_every_layout(waits);
}

static void removes_busy(const struct box *box)
{
	struct error err = ERROR_INIT;
	char mention[32];
	pid_t pid;

	make(box, "/a");
	pid = enter(box, "/a", run_sleep);
	assert_int_equal(cgroup_remove(box->layout, box->path, &err), -1);
	snprintf(mention, sizeof(mention), "still holds process %d", pid);
	assert_non_null(strstr(err.message, mention));
	assert_non_null(strstr(err.message, box->path));
	error_clear(&err);
	assert_pids(box, &pid, 1);
	/* One that is ending is waited for. */
	kill(pid, SIGKILL);
	ok(cgroup_remove(box->layout, box->path, &oops));
	assert_gone(box);
	assert_int_equal(signal_of(pid), SIGKILL);
}

static void a_cgroup_in_use_is_not_removed(void **state)
{
	(void)state;
	on_every_layout(removes_busy);
}

/* What a container with a writable cgroup mount may leave: odd names, and deeper than any path is
 * long. */
static void removes_deep(const struct box *box)
{
	static const char *const names[] = {"...", " ", "-rf", "a\tb", "\xff\xfe", "%s"};
	char long_name[201], path[PATH_MAX];

	memset(long_name, 'd', 200);
	long_name[200] = '\0';
	for (size_t i = 0; i < box->layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &box->layout->hierarchies[i];
		int dir;

		file_of(hierarchy, box->path, "", path);
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(dir >= 0);
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			assert_int_equal(mkdirat(dir, names[k], 0755), 0);
		for (int depth = 0; depth < 30; depth++) {
			int below;

			assert_int_equal(mkdirat(dir, long_name, 0755), 0);
			assert_int_equal(mkdirat(dir, "side", 0755), 0);
			below = openat(dir, long_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			assert_true(below >= 0);
			close(dir);
			dir = below;
		}
		close(dir);
	}
	assert_pids(box, NULL, 0);
	ok(cgroup_remove(box->layout, box->path, &oops));
	assert_gone(box);
}

static void whatever_is_below_is_removed(void **state)
{
	(void)state;
	on_every_layout(removes_deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_process_joins_by_itself_or_is_moved),
	    test(a_process_may_be_cloned_into_its_cgroup),
	    test(a_cgroup_that_is_not_there),
	    test(processes_in_child_cgroups_count_once),
	    test(a_threaded_cgroup_counts_processes),
	    test(waiting_ends_with_the_last_live_process),
	    test(a_cgroup_in_use_is_not_removed),
	    test(whatever_is_below_is_removed),
	};

	return cmocka_run_group_tests(tests, find_layouts, free_layouts);
}
