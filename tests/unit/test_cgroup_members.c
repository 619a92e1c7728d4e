/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining, counting, freezing, killing and removing, on this host's kernel: in cgroups of our own
 * with real processes in them. Each test runs for the hierarchies as they are and, on a hybrid
 * host, also as if there were only the v1 ones, and only the v2 tree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cgroup/cgroup.h"

/* ---- layouts ---- */

static struct cgroup_layout *host;
static struct cgroup_hierarchy v1_only[32], v2_only[1];
static struct cgroup_layout variants[3]; /* as it is, v1 alone, v2 alone; count 0: none */

static int find_layouts(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	host = cgroup_detect(&err);
	error_clear(&err);
	if (!host)
		return 0;
	variants[0] = *host;
	if (host->mode != CGROUP_HYBRID)
		return 0;
	variants[1] = (struct cgroup_layout){CGROUP_LEGACY, 0, v1_only};
	variants[2] = (struct cgroup_layout){CGROUP_UNIFIED, 0, v2_only};
	for (size_t i = 0; i < host->count; i++) {
		struct cgroup_layout *variant = &variants[host->hierarchies[i].unified ? 2 : 1];

		variant->hierarchies[variant->count++] = host->hierarchies[i];
	}
	return 0;
}

static int free_layouts(void **state)
{
	(void)state;
	cgroup_layout_free(host);
	return 0;
}

/* ---- a container's cgroups ---- */

struct box {
	const struct cgroup_layout *layout;
	char path[64];
};

static void file_of(const struct cgroup_hierarchy *hierarchy, const char *path, const char *file,
		    char *text)
{
	snprintf(text, PATH_MAX, "%s%s/%s", hierarchy->mount, path, file);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/* v1's cpuset has to be given CPUs before anybody may enter. */
static void copy_cpuset(const struct cgroup_hierarchy *hierarchy, const char *path)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	for (size_t i = 0; i < 2; i++) {
		struct error err = ERROR_INIT;
		cleanup_free char *text = NULL;
		char file[PATH_MAX];

		file_of(hierarchy, "", files[i], file);
		text = path_read_file(AT_FDCWD, file, 4096, NULL, file, &err);
		assert_non_null(text);
		file_of(hierarchy, path, files[i], file);
		write_text(file, text);
	}
}

static void make(const struct box *box, const char *below)
{
	for (size_t i = 0; i < box->layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &box->layout->hierarchies[i];
		char path[PATH_MAX], inside[128];

		snprintf(inside, sizeof(inside), "%s%s", box->path, below);
		file_of(hierarchy, inside, "", path);
		if (mkdir(path, 0755))
			fail_msg("%s: %s", path, strerror(errno));
		if (!hierarchy->unified && strcmp(hierarchy->controllers[0], "cpuset") == 0)
			copy_cpuset(hierarchy, inside);
	}
}

static void assert_gone(const struct box *box)
{
	for (size_t i = 0; i < box->layout->count; i++) {
		char path[PATH_MAX];

		file_of(&box->layout->hierarchies[i], box->path, "", path);
		if (access(path, F_OK) == 0)
			fail_msg("%s is still there", path);
	}
}

/* What went wrong in ok(). */
static struct error oops = ERROR_INIT;

#define ok(call)                                                                                   \
	do {                                                                                       \
		if (call)                                                                          \
			fail_msg("%s: %s", #call, error_text(&oops));                              \
	} while (0)

/* Whatever a failed test left. */
static int clean_up(void **state)
{
	struct error err = ERROR_INIT;
	char path[64];

	(void)state;
	if (!host)
		return 0;
	snprintf(path, sizeof(path), "/runlxc-test-%d", getpid());
	cgroup_signal_all(host, path, SIGKILL, &err);
	error_clear(&err);
	cgroup_wait_empty(host, path, 2000, &err);
	error_clear(&err);
	cgroup_remove(host, path, &err);
	error_clear(&err);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}

typedef void body_function(const struct box *box);

static void on_every_layout(body_function *body)
{
	if (geteuid() != 0 || !host) {
		print_message("needs root and mounted cgroups\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct box box = {.layout = &variants[i]};

		if (variants[i].count == 0)
			continue;
		snprintf(box.path, sizeof(box.path), "/runlxc-test-%d", getpid());
		make(&box, "");
		body(&box);
		ok(cgroup_remove(box.layout, box.path, &oops));
		assert_gone(&box);
	}
}

/* ---- processes ---- */

/* Starts a child that joins (as exec does: by itself), runs `run`, and is in when this returns. */
static pid_t enter(const struct box *box, const char *below, void (*run)(void))
{
	char path[128], byte;
	int ready[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s%s", box->path, below);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = ERROR_INIT;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cgroup_join(box->layout, path, 0, &err)) {
			fprintf(stderr, "%s\n", error_text(&err));
			_exit(99);
		}
		(void)!write(ready[1], "x", 1);
		run();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("the child could not join");
	close(ready[0]);
	return pid;
}

static void run_sleep(void)
{
	for (;;)
		pause();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int signal_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void assert_pids(const struct box *box, const pid_t *expected, size_t expected_count)
{
	cleanup_free pid_t *pids = NULL;
	size_t count;

	ok(cgroup_pids(box->layout, box->path, &pids, &count, &oops));
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			assert_true(pids[i] > pids[i - 1]);
		bool found = false;

		for (size_t k = 0; k < count; k++)
			found |= expected[k] == pids[i];
		assert_true(found);
	}
}

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

/* ---- files ---- */

static void reads(const struct box *box)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	const char *controller = box->layout->mode == CGROUP_UNIFIED ? "" : "freezer";

	if (!cgroup_find(box->layout, controller))
		return;
	text = cgroup_read(box->layout, box->path, controller,
			   *controller ? "freezer.state" : "cgroup.freeze", &err);
	assert_string_equal(text, *controller ? "THAWED" : "0");
	assert_null(cgroup_read(box->layout, box->path, controller, "none", &err));
	assert_int_equal(err.errnum, ENOENT);
	assert_non_null(strstr(err.message, "none of cgroup "));
	error_clear(&err);
	assert_null(cgroup_read(box->layout, box->path, "nonsense", "x", &err));
	assert_non_null(strstr(err.message, "no nonsense cgroup controller"));
	error_clear(&err);
}

static void a_file_is_read_without_its_newline(void **state)
{
	(void)state;
	on_every_layout(reads);
}

static void apply(const struct box *box, const struct spec_resources *resources)
{
	struct cgroup_settings settings;

	ok(cgroup_settings_from_resources(box->layout, resources, &settings, &oops));
	ok(cgroup_apply(box->layout, box->path, &settings, &oops));
	cgroup_settings_free(&settings);
}

static void assert_file(const struct box *box, const char *controller, const char *file,
			const char *expected)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = cgroup_read(box->layout, box->path, controller, file, &err);

	if (!text)
		fail_msg("%s", error_text(&err));
	assert_string_equal(text, expected);
}

static void applies(const struct box *box)
{
	const struct cgroup_hierarchy *memory = cgroup_find(box->layout, "memory");
	struct error err = ERROR_INIT;
	struct cgroup_settings settings;
	struct spec_resources resources = {0};

	if (!memory || memory->unified || !cgroup_find(box->layout, "cpu"))
		return;
	/* Up and down: each time another of the two has to be first. */
	for (int i = 0; i < 4; i++) {
		long megabytes = i % 2 ? 8 : 64;
		char expected[32];

		resources.memory.limit = (struct spec_i64){true, megabytes << 20};
		resources.memory.swap = (struct spec_i64){true, (megabytes + 1) << 20};
		resources.cpu.period = (struct spec_u64){true, i % 2 ? 1000 : 1000000};
		resources.cpu.quota = (struct spec_i64){true, i % 2 ? 1000 : 900000};
		resources.cpu.burst = (struct spec_u64){true, i % 2 ? 500 : 800000};
		apply(box, &resources);
		snprintf(expected, sizeof(expected), "%ld", megabytes << 20);
		assert_file(box, "memory", "memory.limit_in_bytes", expected);
		assert_file(box, "cpu", "cpu.cfs_quota_us", i % 2 ? "1000" : "900000");
		assert_file(box, "cpu", "cpu.cfs_burst_us", i % 2 ? "500" : "800000");
	}
	resources = (struct spec_resources){.memory = {.limit = {true, -1}}};
	apply(box, &resources);
	assert_file(box, "memory", "memory.memsw.limit_in_bytes", "9223372036854771712");
	resources = (struct spec_resources){.cpu = {.period = {true, 5}}};
	ok(cgroup_settings_from_resources(box->layout, &resources, &settings, &oops));
	assert_int_equal(cgroup_apply(box->layout, box->path, &settings, &err), -1);
	assert_non_null(strstr(err.message, "can't write \"5\" to cpu.cfs_period_us of cgroup "));
	assert_int_equal(err.errnum, EINVAL);
	error_clear(&err);
	cgroup_settings_free(&settings);
}

static void limits_change_in_either_direction(void **state)
{
	(void)state;
	on_every_layout(applies);
}

/* Writes what linux.resources comes to line by line, as LXC will. */
static void write_all(const struct box *box, const struct spec_resources *resources)
{
	struct cgroup_settings settings;

	ok(cgroup_settings_from_resources(box->layout, resources, &settings, &oops));
	for (size_t i = 0; i < settings.count; i++) {
		char file[PATH_MAX];

		file_of(cgroup_find(box->layout, settings.items[i].controller), box->path,
			settings.items[i].file, file);
		write_text(file, settings.items[i].value);
	}
	cgroup_settings_free(&settings);
}

static void writes_v1(const struct box *box)
{
	struct spec_device_rule rules[] = {
	    {.allow = false, .type = 'a'},
	    {true, 'c', {true, 10}, {true, 200}, (char *)"rwm"},
	    {true, 'a', {true, 42}, {false, 0}, (char *)"r"},
	};
	struct spec_resources resources = {
	    .devices_count = ARRAY_SIZE(rules),
	    .devices = rules,
	    .memory = {.limit = {true, 64 << 20},
		       .swap = {true, 64 << 20},
		       .reservation = {true, 32 << 20},
		       .kernel = {true, 32 << 20},
		       .kernel_tcp = {true, 32 << 20},
		       .swappiness = {true, 10},
		       .disable_oom_killer = {true, true}},
	    .cpu = {.shares = {true, 512},
		    .period = {true, 100000},
		    .quota = {true, 50000},
		    .burst = {true, 1000},
		    .cpus = (char *)"0",
		    .mems = (char *)"0"},
	    .block_io = {.weight = {true, 500}},
	    .pids_limit = {true, 50},
	};

	write_all(box, &resources);
	assert_file(box, "devices", "devices.list",
		    "c 10:200 rwm\nb 42:* r\nc 42:* r\nc *:* m\nb *:* m\nc 1:3 rwm\nc 1:8 rwm\n"
		    "c 1:7 rwm\nc 5:0 rwm\nc 1:5 rwm\nc 1:9 rwm\nc 136:* rwm\nc 5:2 rwm");
	assert_file(box, "memory", "memory.memsw.limit_in_bytes", "67108864");
	assert_file(box, "cpu", "cpu.cfs_burst_us", "1000");
	assert_file(box, "pids", "pids.max", "50");
}

static void writes_v2(const struct box *box)
{
	struct spec_resources resources = {
	    .memory = {.limit = {true, 64 << 20},
		       .swap = {true, 96 << 20},
		       .reservation = {true, 32 << 20},
		       .swappiness = {true, 10}},
	    .cpu = {.shares = {true, 1024},
		    .period = {true, 100000},
		    .quota = {true, 50000},
		    .burst = {true, 1000}},
	    .pids_limit = {true, 50},
	};
	const struct cgroup_hierarchy *unified = cgroup_find(box->layout, "");
	char file[PATH_MAX];

	file_of(unified, box->path, "cpuset.cpus", file);
	if (access(file, F_OK) == 0)
		resources.cpu.cpus = resources.cpu.mems = (char *)"0";
	file_of(unified, box->path, "io.weight", file);
	if (access(file, F_OK) == 0)
		resources.block_io.weight = (struct spec_u64){true, 500};
	write_all(box, &resources);
	assert_file(box, "memory", "memory.max", "67108864");
	assert_file(box, "memory", "memory.low", "33554432");
	assert_file(box, "cpu", "cpu.weight", "39");
	assert_file(box, "cpu", "cpu.max", "50000 100000");
	assert_file(box, "cpu", "cpu.max.burst", "1000");
	assert_file(box, "pids", "pids.max", "50");
	/* The period that an update does not name stays. */
	resources = (struct spec_resources){.cpu = {.period = {true, 50000}}};
	apply(box, &resources);
	resources = (struct spec_resources){.cpu = {.quota = {true, 20000}}};
	apply(box, &resources);
	assert_file(box, "cpu", "cpu.max", "20000 50000");
}

/* Everything that this kernel has is really taken by it. */
static void writes_all(const struct box *box)
{
	const struct cgroup_hierarchy *unified = cgroup_find(box->layout, "");
	char file[PATH_MAX];

	if (box->layout->mode != CGROUP_UNIFIED) {
		if (cgroup_find(box->layout, "memory") && cgroup_find(box->layout, "devices"))
			writes_v1(box);
		return;
	}
	/* Whether controllers are switched on is the host's affair. */
	file_of(unified, box->path, "memory.max", file);
	if (access(file, F_OK) == 0)
		writes_v2(box);
	else
		print_message("no limits on v2: the controllers are not switched on here\n");
}

static void the_kernel_takes_every_setting(void **state)
{
	(void)state;
	on_every_layout(writes_all);
}

#define test(name) cmocka_unit_test_setup_teardown(name, NULL, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_process_joins_by_itself_or_is_moved),
	    test(a_process_may_be_cloned_into_its_cgroup),
	    test(a_cgroup_that_is_not_there),
	    test(processes_in_child_cgroups_count_once),
	    test(a_threaded_cgroup_counts_processes),
	    test(a_frozen_cgroup_stands_still_until_it_is_thawed),
	    test(a_signal_reaches_everybody_inside_and_nobody_else),
	    test(more_processes_than_fit_a_batch_get_the_signal),
	    test(sigkill_ends_what_is_frozen),
	    test(another_signal_waits_for_the_thaw),
	    test(sigkill_ends_what_forks),
	    test(waiting_ends_with_the_last_live_process),
	    test(a_cgroup_in_use_is_not_removed),
	    test(whatever_is_below_is_removed),
	    test(a_file_is_read_without_its_newline),
	    test(limits_change_in_either_direction),
	    test(the_kernel_takes_every_setting),
	};

	return cmocka_run_group_tests(tests, find_layouts, free_layouts);
}
