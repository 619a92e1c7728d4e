/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of src/cgroup share that need this host's kernel: cgroups of our own with real
 * processes in them. Each test runs for the hierarchies as they are and, on a hybrid host, also as
 * if there were only the v1 ones, and only the v2 tree.
 */
#ifndef RUNLXC_TEST_CGROUP_H
#define RUNLXC_TEST_CGROUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cgroup/cgroup.h"

/* ---- layouts ---- */

static struct cgroup_layout *host;
static struct cgroup_hierarchy v1_only[32], v2_only[1];
static struct cgroup_layout variants[3]; /* as it is, v1 alone, v2 alone; count 0: none */

static inline int find_layouts(void **state)
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

static inline int free_layouts(void **state)
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

static inline void file_of(const struct cgroup_hierarchy *hierarchy, const char *path,
			   const char *file, char *text)
{
	snprintf(text, PATH_MAX, "%s%s/%s", hierarchy->mount, path, file);
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/* v1's cpuset has to be given CPUs before anybody may enter. */
static inline void copy_cpuset(const struct cgroup_hierarchy *hierarchy, const char *path)
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

static inline void make(const struct box *box, const char *below)
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

static inline void assert_gone(const struct box *box)
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
static inline int clean_up(void **state)
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

static inline void on_every_layout(body_function *body)
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
static inline pid_t enter(const struct box *box, const char *below, void (*run)(void))
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

static inline void run_sleep(void)
{
	for (;;)
		pause();
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline int signal_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static inline void assert_pids(const struct box *box, const pid_t *expected, size_t expected_count)
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

#define test(name) cmocka_unit_test_setup_teardown(name, NULL, clean_up)

#endif
