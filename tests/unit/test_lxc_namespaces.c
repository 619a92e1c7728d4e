/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that are joined by their path: those of this process, and those of a forked child. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lxc/namespaces.h"

/* ---- paths ---- */

static const struct {
	enum spec_namespace_type type;
	const char *path, *name;
} own[] = {
    {SPEC_NS_PID, "/proc/self/ns/pid", "pid"},
    {SPEC_NS_NETWORK, "/proc/self/ns/net", "network"},
    {SPEC_NS_MOUNT, "/proc/self/ns/mnt", "mount"},
    {SPEC_NS_IPC, "/proc/self/ns/ipc", "ipc"},
    {SPEC_NS_UTS, "/proc/self/ns/uts", "uts"},
    {SPEC_NS_USER, "/proc/self/ns/user", "user"},
    {SPEC_NS_CGROUP, "/proc/self/ns/cgroup", "cgroup"},
    {SPEC_NS_TIME, "/proc/self/ns/time", "time"},
};

static void assert_refused(const char *path, enum spec_namespace_type type, const char *expected)
{
	const struct spec_namespace ns = {
	    .listed = true, .path = (char *)(uintptr_t)path, .index = 4};
	struct error err = ERROR_INIT;

	assert_int_equal(namespaces_check_path(&ns, type, &err), -1);
	assert_string_equal(error_text(&err), expected);
	error_clear(&err);
}

static void a_namespace_is_taken_for_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		const struct spec_namespace ns = {.listed = true,
						  .path = (char *)(uintptr_t)own[i].path};
		struct error err = ERROR_INIT;

		if (access(own[i].path, F_OK) < 0)
			continue; /* a kernel without that type */
		if (namespaces_check_path(&ns, own[i].type, &err) < 0)
			fail_msg("%s", error_text(&err));
	}
}

static void a_namespace_of_another_type_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		const char *path = own[(i + 1) % ARRAY_SIZE(own)].path;
		char expected[200];

		if (access(path, F_OK) < 0)
			continue;
		snprintf(expected, sizeof(expected),
			 "linux.namespaces[4].path: \"%s\" is not a %s namespace", path,
			 own[i].name);
		assert_refused(path, own[i].type, expected);
	}
}

static void what_is_no_namespace_is_refused(void **state)
{
	(void)state;
	assert_refused("/dev/null", SPEC_NS_NETWORK,
		       "linux.namespaces[4].path: \"/dev/null\" is not a namespace");
	assert_refused("/", SPEC_NS_MOUNT, "linux.namespaces[4].path: \"/\" is not a namespace");
	assert_refused("/proc/self/status", SPEC_NS_MOUNT,
		       "linux.namespaces[4].path: \"/proc/self/status\" is not a namespace");
	assert_refused("/nowhere/net", SPEC_NS_NETWORK,
		       "linux.namespaces[4].path: \"/nowhere/net\": no such file or directory");
}

static void a_pipe_does_not_hang_anybody(void **state)
{
	char directory[] = "/tmp/runlxc-test-namespaces-XXXXXX", path[64], expected[200];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/pipe", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(expected, sizeof(expected), "linux.namespaces[4].path: \"%s\" is not a namespace",
		 path);
	assert_refused(path, SPEC_NS_NETWORK, expected);
	unlink(path);
	rmdir(directory);
}

/* ---- mappings ---- */

/* A child in a user namespace of its own that waits to be killed. 0: it may not have one. */
static pid_t start_in_user_namespace(void)
{
	int ready[2];
	char byte = 'n';
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	if (byte == 'y')
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	cleanup_close int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static void needs_user_namespaces(pid_t pid)
{
	if (!pid || geteuid() != 0) {
		if (pid)
			end(pid);
		print_message("skipped: needs root, and user namespaces\n");
		skip();
	}
}

static void mappings_are_read_as_we_see_them(void **state)
{
	struct spec_id_mappings uids = {0}, gids = {0};
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	pid_t pid = start_in_user_namespace();
	char path[64];
	bool written;
	int result;

	(void)state;
	needs_user_namespaces(pid);
	written = write_map(pid, "uid_map", "0 100000 65536\n70000 5 1\n") &&
		  write_map(pid, "gid_map", "0 4000000000 1000\n");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	result = namespaces_read_mappings(path, &arena, &uids, &gids, &err);
	end(pid);
	assert_true(written);
	assert_int_equal(result, 0);
	assert_int_equal(uids.count, 2);
	assert_int_equal(uids.items[0].container_id, 0);
	assert_int_equal(uids.items[0].host_id, 100000);
	assert_int_equal(uids.items[0].size, 65536);
	assert_int_equal(uids.items[1].container_id, 70000);
	assert_int_equal(uids.items[1].host_id, 5);
	assert_int_equal(uids.items[1].size, 1);
	assert_int_equal(gids.count, 1);
	assert_int_equal(gids.items[0].host_id, 4000000000U);
	arena_free(&arena);
}

static void a_namespace_without_mappings_has_none(void **state)
{
	struct spec_id_mappings uids = {.count = 7}, gids = {.count = 7};
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	pid_t pid = start_in_user_namespace();
	char path[64];
	int result;

	(void)state;
	needs_user_namespaces(pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	result = namespaces_read_mappings(path, &arena, &uids, &gids, &err);
	end(pid);
	assert_int_equal(result, 0);
	assert_int_equal(uids.count, 0);
	assert_int_equal(gids.count, 0);
	arena_free(&arena);
}

static void mappings_of_nothing_are_an_error_and_nobody_is_left(void **state)
{
	static const struct {
		const char *path, *expected;
	} cases[] = {
	    {"/nowhere/user", "linux.namespaces: \"/nowhere/user\": no such file or directory"},
	    {"/dev/null", "linux.namespaces: Failed to read the mappings of \"/dev/null\""},
	    /* Our own can't be joined once more. */
	    {"/proc/self/ns/user",
	     "linux.namespaces: Failed to read the mappings of \"/proc/self/ns/user\""},
	};
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_id_mappings uids = {0}, gids = {0};
		struct arena arena = ARENA_INIT;
		struct error err = ERROR_INIT;

		assert_int_equal(
		    namespaces_read_mappings(cases[i].path, &arena, &uids, &gids, &err), -1);
		assert_string_equal(error_text(&err), cases[i].expected);
		error_clear(&err);
		arena_free(&arena);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	close(before);
	assert_int_equal(after, before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_namespace_is_taken_for_what_it_is),
	    cmocka_unit_test(a_namespace_of_another_type_is_refused),
	    cmocka_unit_test(what_is_no_namespace_is_refused),
	    cmocka_unit_test(a_pipe_does_not_hang_anybody),
	    cmocka_unit_test(mappings_are_read_as_we_see_them),
	    cmocka_unit_test(a_namespace_without_mappings_has_none),
	    cmocka_unit_test(mappings_of_nothing_are_an_error_and_nobody_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
