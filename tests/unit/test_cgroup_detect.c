/* SPDX-License-Identifier: Apache-2.0 */
/* Which hierarchies are found: on this host, and in mount namespaces that are made to look like
 * others. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cgroup/cgroup.h"

/* ---- this host ---- */

static void every_hierarchy_of_this_host_is_found(void **state)
{
	struct error err = ERROR_INIT;
	struct cgroup_layout *layout = cgroup_detect(&err);
	bool v1 = false, v2 = false;

	(void)state;
	if (!layout) {
		print_message("needs a mounted cgroup hierarchy: %s\n", error_text(&err));
		error_clear(&err);
		skip();
	}
	assert_true(layout->count > 0);
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		char procs[PATH_MAX];

		*(hierarchy->unified ? &v2 : &v1) = true;
		assert_int_equal(hierarchy->own[0], '/');
		assert_non_null(hierarchy->controllers);
		assert_int_equal(hierarchy->label[0] == '\0', hierarchy->unified);
		snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", hierarchy->mount,
			 hierarchy->own);
		assert_int_equal(access(procs, R_OK), 0);
		for (char **name = hierarchy->controllers; *name; name++)
			assert_ptr_equal(cgroup_find(layout, *name), hierarchy);
	}
	assert_int_equal(layout->mode, !v1 ? CGROUP_UNIFIED : v2 ? CGROUP_HYBRID : CGROUP_LEGACY);
	assert_null(cgroup_find(layout, "nonsense"));
	assert_int_equal(cgroup_find(layout, "") != NULL, v2);
	if (!v1)
		assert_null(cgroup_find(layout, "devices"));
	cgroup_layout_free(layout);
}

/* ---- other hosts ---- */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Runs `check` in a mount namespace of its own, so that nothing it mounts is seen outside. */
static void in_a_namespace(void (*check)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("needs root, to mount\n");
		skip();
	}
	if (access("/sys/fs/cgroup/memory/cgroup.procs", F_OK) ||
	    access("/sys/fs/cgroup/unified/cgroup.procs", F_OK)) {
		print_message("needs a hybrid host (v1 and /sys/fs/cgroup/unified)\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct cgroup_layout *detect(void)
{
	struct error err = ERROR_INIT;
	struct cgroup_layout *layout = cgroup_detect(&err);

	if (!layout)
		fprintf(stderr, "%s\n", error_text(&err));
	error_clear(&err);
	return layout;
}

static void check_unified(void)
{
	struct cgroup_layout *layout;

	CHECK(umount2("/sys/fs/cgroup", MNT_DETACH) == 0);
	CHECK(mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
	layout = detect();
	CHECK(layout && layout->mode == CGROUP_UNIFIED && layout->count == 1);
	CHECK(layout->hierarchies[0].unified);
	CHECK(strcmp(layout->hierarchies[0].mount, "/sys/fs/cgroup") == 0);
	CHECK(!cgroup_find(layout, "devices") && !cgroup_find(layout, "name=systemd"));
	cgroup_layout_free(layout);
}

static void check_legacy(void)
{
	struct cgroup_layout *layout;

	CHECK(umount2("/sys/fs/cgroup/unified", MNT_DETACH) == 0);
	layout = detect();
	CHECK(layout && layout->mode == CGROUP_LEGACY);
	CHECK(!cgroup_find(layout, "") && cgroup_find(layout, "memory"));
	cgroup_layout_free(layout);
}

static void check_none(void)
{
	struct error err = ERROR_INIT;

	/* Covered, not unmounted: mountinfo still lists them all. */
	CHECK(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0);
	CHECK(!cgroup_detect(&err));
	CHECK(strcmp(err.message, "no cgroup hierarchy is mounted") == 0);
	error_clear(&err);
}

static void check_covered(void)
{
	struct cgroup_layout *layout;

	CHECK(mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
	layout = detect();
	CHECK(layout && layout->mode == CGROUP_UNIFIED && layout->count == 1);
	cgroup_layout_free(layout);
}

/* A tree for odd mount points, which goes with the namespace. */
static void make_place(void)
{
	CHECK(mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/mnt/a b\\c", 0755) == 0);
	CHECK(mkdir("/mnt/part", 0755) == 0);
}

static void check_choice(void)
{
	struct cgroup_layout *layout;
	const struct cgroup_hierarchy *pids;
	const char *part = "/sys/fs/cgroup/pids/runlxc-test-detect";

	make_place();
	CHECK(mkdir(part, 0755) == 0);
	CHECK(mount("none", "/mnt/a b\\c", "cgroup", 0, "pids") == 0);
	CHECK(mount(part, "/mnt/part", NULL, MS_BIND, NULL) == 0);
	/* Of the whole and its copies, the one below /sys/fs/cgroup. */
	layout = detect();
	pids = cgroup_find(layout, "pids");
	CHECK(pids && strcmp(pids->mount, "/sys/fs/cgroup/pids") == 0);
	cgroup_layout_free(layout);
	/* Without that the whole one, however its place is called. */
	CHECK(umount2("/sys/fs/cgroup/pids", MNT_DETACH) == 0);
	layout = detect();
	pids = cgroup_find(layout, "pids");
	CHECK(pids && strcmp(pids->mount, "/mnt/a b\\c") == 0);
	cgroup_layout_free(layout);
	/* A part of it where it is all there is; seen from there the own cgroup is its root. */
	CHECK(umount2("/mnt/a b\\c", MNT_DETACH) == 0);
	CHECK(path_write_all(open("/mnt/part/cgroup.procs", O_WRONLY | O_CLOEXEC), "0", 1) == 0);
	layout = detect();
	pids = cgroup_find(layout, "pids");
	CHECK(pids && strcmp(pids->mount, "/mnt/part") == 0);
	CHECK(strcmp(pids->own, "/") == 0);
	cgroup_layout_free(layout);
}

/* A part that covers the whole is what LXC finds, though the whole is elsewhere, too. */
static void check_covered_by_a_part(void)
{
	struct cgroup_layout *layout;
	const struct cgroup_hierarchy *pids;
	const char *part = "/sys/fs/cgroup/pids/runlxc-test-detect";

	make_place();
	CHECK(mkdir(part, 0755) == 0 || errno == EEXIST);
	CHECK(mount("none", "/mnt/a b\\c", "cgroup", 0, "pids") == 0);
	CHECK(mount(part, "/sys/fs/cgroup/pids", NULL, MS_BIND, NULL) == 0);
	CHECK(path_write_all(open("/sys/fs/cgroup/pids/cgroup.procs", O_WRONLY | O_CLOEXEC), "0",
			     1) == 0);
	layout = detect();
	pids = cgroup_find(layout, "pids");
	CHECK(pids && strcmp(pids->mount, "/sys/fs/cgroup/pids") == 0);
	CHECK(strcmp(pids->own, "/") == 0);
	cgroup_layout_free(layout);
}

static void a_pure_v2_host(void **state)
{
	(void)state;
	in_a_namespace(check_unified);
}

static void a_legacy_host(void **state)
{
	(void)state;
	in_a_namespace(check_legacy);
}

static void a_host_without_cgroups(void **state)
{
	(void)state;
	in_a_namespace(check_none);
}

static void a_mount_that_is_covered_does_not_count(void **state)
{
	(void)state;
	in_a_namespace(check_covered);
}

static void of_several_mounts_the_best_is_taken(void **state)
{
	(void)state;
	in_a_namespace(check_choice);
}

static void a_part_that_covers_the_whole_is_taken(void **state)
{
	(void)state;
	in_a_namespace(check_covered_by_a_part);
}

static int remove_part(void **state)
{
	(void)state;
	rmdir("/sys/fs/cgroup/pids/runlxc-test-detect");
	return 0;
}

/* ---- linux.cgroupsPath ---- */

static void assert_path(const char *cgroups_path, const char *expected)
{
	struct error err = ERROR_INIT;
	cleanup_free char *path = cgroup_path_of(cgroups_path, "box", &err);

	if (!path)
		fail_msg("%s", error_text(&err));
	assert_string_equal(path, expected);
}

static void assert_path_refused(const char *cgroups_path, const char *message)
{
	struct error err = ERROR_INIT;

	assert_null(cgroup_path_of(cgroups_path, "box", &err));
	assert_string_equal(err.message, message);
	error_clear(&err);
}

static void cgroups_path_becomes_absolute(void **state)
{
	(void)state;
	assert_path("/docker/box", "/docker/box");
	assert_path("docker/box", "/docker/box");
	assert_path("//docker///box/", "/docker/box");
	assert_path("./a/./b/.", "/a/b");
	assert_path("/a/...", "/a/...");
	assert_path("system.slice:docker:box", "/system.slice:docker:box");
	assert_path(NULL, "/lxc.payload.box");
	assert_path("", "/lxc.payload.box");
}

static void bad_cgroups_paths_are_refused(void **state)
{
	char name[4096];

	(void)state;
	assert_path_refused("/a/../b", "linux.cgroupsPath: \"/a/../b\" has a \"..\" in it");
	assert_path_refused("..", "linux.cgroupsPath: \"..\" has a \"..\" in it");
	assert_path_refused("/a\nb", "linux.cgroupsPath: control character 0x0a in it");
	assert_path_refused("/a\x7f", "linux.cgroupsPath: control character 0x7f in it");
	assert_path_refused("/", "linux.cgroupsPath: \"/\" is the root of all cgroups");
	assert_path_refused("./", "linux.cgroupsPath: \"./\" is the root of all cgroups");
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	for (int too_long = 0; too_long < 2; too_long++) {
		struct error err = ERROR_INIT;

		assert_null(cgroup_path_of(name, "box", &err));
		assert_non_null(strstr(err.message, too_long ? "is too long" : "longer than 255"));
		error_clear(&err);
		for (size_t i = 0; i < sizeof(name); i++)
			name[i] = i % 2 ? 'x' : '/';
		name[sizeof(name) - 1] = '\0';
	}
}

/* As a user has it, who may write below his own cgroup only. */
static void a_users_path_is_below_his_own(void **state)
{
	static const struct {
		const char *own, *asked, *expected;
	} cases[] = {
	    {"/user/me", NULL, "/user/me/lxc.payload.box"},
	    {"/user/me", "box", "/user/me/box"},
	    {"/user/me", "/user/me/a/box", "/user/me/a/box"},
	    {"/", "a/box", "/a/box"},
	    {"/", "/a/box", "/a/box"},
	    {"/user/me", "/user/me", NULL},
	    {"/user/me", "/user/mean/box", NULL},
	    {"/user/me", "/box", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		cleanup_free char *path =
		    cgroup_path_below(cases[i].own, cases[i].asked, "box", &err);

		if (cases[i].expected) {
			assert_non_null(path);
			assert_string_equal(path, cases[i].expected);
		} else {
			assert_null(path);
			assert_non_null(strstr(err.message, "is not below \"/user/me\""));
		}
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_hierarchy_of_this_host_is_found),
	    cmocka_unit_test(a_pure_v2_host),
	    cmocka_unit_test(a_legacy_host),
	    cmocka_unit_test(a_host_without_cgroups),
	    cmocka_unit_test(a_mount_that_is_covered_does_not_count),
	    cmocka_unit_test_setup_teardown(of_several_mounts_the_best_is_taken, NULL, remove_part),
	    cmocka_unit_test_setup_teardown(a_part_that_covers_the_whole_is_taken, NULL,
					    remove_part),
	    cmocka_unit_test(cgroups_path_becomes_absolute),
	    cmocka_unit_test(bad_cgroups_paths_are_refused),
	    cmocka_unit_test(a_users_path_is_below_his_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
