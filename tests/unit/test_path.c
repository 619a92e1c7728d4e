/* SPDX-License-Identifier: Apache-2.0 */
/* Paths inside a root: every case on a real tree in a temporary directory. */
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "test_place.h"

struct tree {
	char base[64]; /* holds root/ and outside/ */
	int root;
};

static int in_base(const struct tree *tree)
{
	int fd = open(tree->base, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void touch(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(path_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int tree_make(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	cleanup_close int base = -1;

	strcpy(tree->base, "/tmp/runlxc-test-path-XXXXXX");
	assert_non_null(mkdtemp(tree->base));
	base = in_base(tree);
	assert_int_equal(mkdirat(base, "root", 0755), 0);
	assert_int_equal(mkdirat(base, "outside", 0755), 0);
	touch(base, "outside/secret", "host\n");
	tree->root = openat(base, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree->root >= 0);
	assert_int_equal(mkdirat(tree->root, "etc", 0755), 0);
	assert_int_equal(mkdirat(tree->root, "run", 0755), 0);
	assert_int_equal(mkdirat(tree->root, "var", 0755), 0);
	assert_int_equal(mkdirat(tree->root, "var/lib", 0755), 0);
	touch(tree->root, "etc/hosts", "inside\n");
	*state = tree;
	return 0;
}

static int tree_remove(void **state)
{
	struct tree *tree = *state;

	close(tree->root);
	remove_tree(tree->base);
	free(tree);
	return 0;
}

static void link_to(const struct tree *tree, const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, tree->root, name), 0);
}

static void assert_resolves(const struct tree *tree, const char *path, const char *expected,
			    bool expect_missing)
{
	struct error err = ERROR_INIT;
	bool missing = !expect_missing;
	cleanup_free char *result = path_resolve_in_root(tree->root, path, &missing, &err);

	if (!result)
		fail_msg("%s: %s", path, error_text(&err));
	assert_string_equal(result, expected);
	assert_int_equal(missing, expect_missing);
}

static void assert_refused(const struct tree *tree, const char *path, int errnum)
{
	struct error err = ERROR_INIT;
	cleanup_free char *result = path_resolve_in_root(tree->root, path, NULL, &err);

	if (result)
		fail_msg("%s became %s", path, result);
	assert_int_equal(err.errnum, errnum);
	assert_non_null(strstr(err.message, path));
	error_clear(&err);
}

static void assert_make_fails(const struct tree *tree, const char *path, bool directory, int errnum)
{
	struct error err = ERROR_INIT;

	assert_int_equal(path_make_in_root(tree->root, path, directory, 0755, &err), -1);
	assert_int_equal(err.errnum, errnum);
	assert_non_null(strstr(err.message, path));
	error_clear(&err);
}

/* ---- opening ---- */

static void a_link_out_of_the_root_opens_inside_it(void **state)
{
	struct tree *tree = *state;
	char text[8] = "";
	int fd;

	link_to(tree, "/etc/hosts", "absolute");
	link_to(tree, "../../../../../../etc/hosts", "climbing");
	for (int i = 0; i < 2; i++) {
		fd = path_open_in_root(tree->root, i ? "climbing" : "/absolute", O_RDONLY, 0);
		assert_true(fd >= 0);
		assert_int_equal(read(fd, text, 7), 7);
		assert_string_equal(text, "inside\n");
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
	}
	link_to(tree, "../outside/secret", "secret");
	assert_int_equal(path_open_in_root(tree->root, "secret", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void the_empty_path_opens_the_root(void **state)
{
	struct tree *tree = *state;
	struct stat a, b;
	int fd = path_open_in_root(tree->root, "", O_PATH, 0);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(tree->root, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(fd);
}

static void magic_links_are_refused(void **state)
{
	struct tree tree = {.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree.root);
	assert_int_equal(path_open_in_root(tree.root, path, O_PATH, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_refused(&tree, path, ELOOP);
	assert_refused(&tree, "/proc/self/root", ELOOP);
	assert_refused(&tree, "/proc/self/cwd/etc", ELOOP);
	assert_refused(&tree, "/proc/self/ns/mnt", ELOOP);
	close(tree.root);
}

/* ---- where a path leads ---- */

static void a_plain_path_is_cleaned(void **state)
{
	struct tree *tree = *state;

	assert_resolves(tree, "/etc/hosts", "etc/hosts", false);
	assert_resolves(tree, "etc//./hosts", "etc/hosts", false);
	assert_resolves(tree, "/", "", false);
	assert_resolves(tree, "", "", false);
	assert_resolves(tree, ".", "", false);
	assert_resolves(tree, "/var/lib/", "var/lib", false);
	assert_resolves(tree, "/etc/hosts/", "etc/hosts", false);
	assert_resolves(tree, "/...", "...", true);
}

static void dotdot_stays_below_the_root(void **state)
{
	struct tree *tree = *state;

	assert_resolves(tree, "/..", "", false);
	assert_resolves(tree, "../../etc/../../../etc/hosts", "etc/hosts", false);
	assert_resolves(tree, "../outside/secret", "outside/secret", true);
	assert_resolves(tree, "var/lib/../../etc", "etc", false);
}

static void links_are_followed_inside_the_root(void **state)
{
	struct tree *tree = *state;

	link_to(tree, "/run", "var/run");
	link_to(tree, "../etc", "var/relative");
	link_to(tree, "../../../../../etc", "var/climbing");
	link_to(tree, "var/run/", "twice");
	link_to(tree, "/", "top");
	assert_resolves(tree, "/var/run", "run", false);
	assert_resolves(tree, "/var/run/docker.sock", "run/docker.sock", true);
	assert_resolves(tree, "/var/relative/hosts", "etc/hosts", false);
	assert_resolves(tree, "/var/climbing/hosts", "etc/hosts", false);
	assert_resolves(tree, "/twice/x/y", "run/x/y", true);
	assert_resolves(tree, "/top/top/etc/hosts", "etc/hosts", false);
	/* ".." after a link is the parent of where the link leads. */
	link_to(tree, "/var/lib", "deep");
	assert_resolves(tree, "/deep/../run", "run", false);
	assert_resolves(tree, "/deep/..", "var", false);
}

static void a_dangling_link_resolves_to_what_it_names(void **state)
{
	struct tree *tree = *state;

	link_to(tree, "/var/nowhere/file", "etc/dangling");
	link_to(tree, "../../outside/secret", "etc/outside");
	assert_resolves(tree, "/etc/dangling", "var/nowhere/file", true);
	assert_resolves(tree, "/etc/dangling/below", "var/nowhere/file/below", true);
	assert_resolves(tree, "/etc/outside", "outside/secret", true);
}

static void what_is_missing_is_kept_and_its_dotdot_taken_by_text(void **state)
{
	struct tree *tree = *state;

	link_to(tree, "/run", "var/run");
	assert_resolves(tree, "/a/b/c", "a/b/c", true);
	assert_resolves(tree, "/a/b/../c", "a/c", true);
	assert_resolves(tree, "/a/../etc/hosts", "etc/hosts", false);
	assert_resolves(tree, "/var/a/../run/x", "run/x", true);
	assert_resolves(tree, "/a/../../..", "", false);
}

static void a_loop_is_refused(void **state)
{
	struct tree *tree = *state;
	char name[16], target[16];

	link_to(tree, "b", "a");
	link_to(tree, "a", "b");
	assert_refused(tree, "/a", ELOOP);
	assert_refused(tree, "/a/x", ELOOP);
	/* A link that holds itself, and a chain of 41 and of 40. */
	link_to(tree, "self/self", "self");
	assert_refused(tree, "self", ELOOP);
	for (int i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i + 1);
		link_to(tree, target, name);
	}
	assert_refused(tree, "/l0", ELOOP);
	assert_resolves(tree, "/l1", "l41", true);
}

static void a_file_on_the_way_is_refused(void **state)
{
	struct tree *tree = *state;

	link_to(tree, "etc/hosts", "file");
	assert_refused(tree, "/etc/hosts/x", ENOTDIR);
	assert_refused(tree, "/etc/hosts/../x", ENOTDIR);
	assert_refused(tree, "/file/x", ENOTDIR);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct tree *tree = *state;
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? 'a' : '/';
	path[sizeof(path) - 1] = '\0';
	assert_refused(tree, path, ENAMETOOLONG);
}

static void the_root_may_be_renamed_while_it_is_open(void **state)
{
	struct tree *tree = *state;
	cleanup_close int base = in_base(tree);

	link_to(tree, "/run", "var/run");
	assert_int_equal(renameat(base, "root", base, "renamed"), 0);
	assert_resolves(tree, "/var/run", "run", false);
}

/* ---- making ---- */

static void missing_directories_and_files_are_made(void **state)
{
	struct tree *tree = *state;
	struct error err = ERROR_INIT;
	struct stat st;
	int fd;

	fd = path_make_in_root(tree->root, "a/b/c", true, 0700, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	close(fd);
	fd = path_make_in_root(tree->root, "/a/d/file", false, 0600, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 0);
	close(fd);
	assert_int_equal(fstatat(tree->root, "a/d", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	fd = path_make_in_root(tree->root, "", true, 0755, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void what_is_there_stays(void **state)
{
	struct tree *tree = *state;
	struct error err = ERROR_INIT;
	struct stat st;
	int fd = path_make_in_root(tree->root, "etc/hosts", false, 0600, &err);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(st.st_mode & 0777, 0644);
	close(fd);
	fd = path_make_in_root(tree->root, "etc", true, 0700, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_make_fails(tree, "etc/hosts", true, ENOTDIR);
	assert_make_fails(tree, "etc", false, EISDIR);
	assert_make_fails(tree, "", false, EISDIR);
}

static void making_never_follows_a_link(void **state)
{
	struct tree *tree = *state;
	cleanup_close int base = in_base(tree);

	/* As if each appeared between resolving and making. */
	link_to(tree, "../outside", "etc/parent");
	link_to(tree, "../../outside/new", "etc/last");
	link_to(tree, "hosts", "etc/harmless");
	assert_make_fails(tree, "etc/parent/file", false, ELOOP);
	assert_make_fails(tree, "etc/parent/dir", true, ELOOP);
	assert_make_fails(tree, "etc/last", false, ELOOP);
	assert_make_fails(tree, "etc/last", true, ELOOP);
	assert_make_fails(tree, "etc/harmless", false, ELOOP);
	assert_make_fails(tree, "etc/../../outside/new", false, EINVAL);
	assert_int_equal(faccessat(base, "outside/new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(base, "outside/file", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* A process swaps a directory and a link to the outside as fast as it can. */
static void a_racing_link_never_leads_outside(void **state)
{
	struct tree *tree = *state;
	cleanup_close int base = in_base(tree);
	pid_t pid;

	assert_int_equal(mkdirat(tree->root, "x", 0755), 0);
	link_to(tree, "../outside", "y");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			renameat2(tree->root, "x", tree->root, "y", RENAME_EXCHANGE);
	}
	assert_true(pid > 0);
	for (int i = 0; i < 3000; i++) {
		struct error err = ERROR_INIT;
		cleanup_free char *at = path_resolve_in_root(tree->root, "x/made", NULL, &err);
		int fd = at ? path_make_in_root(tree->root, at, false, 0644, &err) : -1;

		if (fd >= 0)
			close(fd);
		error_clear(&err);
		fd = path_make_in_root(tree->root, "x/made", false, 0644, &err);
		if (fd >= 0)
			close(fd);
		error_clear(&err);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(faccessat(base, "outside/made", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void directories_on_the_host_are_made_like_mkdir_p(void **state)
{
	struct tree *tree = *state;
	struct error err = ERROR_INIT;
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s//new/a/b/", tree->base);
	assert_int_equal(path_make_directories(path, 0700, &err), 0);
	assert_int_equal(path_make_directories(path, 0700, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	snprintf(path, sizeof(path), "%s/outside/secret/x", tree->base);
	assert_int_equal(path_make_directories(path, 0700, &err), -1);
	assert_int_equal(err.errnum, ENOTDIR);
	error_clear(&err);
	assert_int_equal(path_make_directories("", 0700, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);
}

/* ---- reading ---- */

static void assert_unreadable(int dir, const char *path, size_t max, const char *message)
{
	struct error err = ERROR_INIT;

	assert_null(path_read_file(dir, path, max, NULL, "FILE", &err));
	assert_string_equal(err.message, message);
	error_clear(&err);
}

static void a_file_is_read_whole_or_not_at_all(void **state)
{
	struct tree *tree = *state;
	struct error err = ERROR_INIT;
	size_t length = 0;
	char *text = path_read_file(tree->root, "etc/hosts", 7, &length, "FILE", &err);

	assert_string_equal(text, "inside\n");
	assert_int_equal(length, 7);
	free(text);
	assert_unreadable(tree->root, "etc/hosts", 6, "FILE: larger than 6 bytes");
	assert_unreadable(tree->root, "etc/hosts", 0, "FILE: larger than 0 bytes");
	assert_unreadable(tree->root, "etc", 10, "can't read FILE: is a directory");
	assert_unreadable(tree->root, "none", 10, "can't read FILE: no such file or directory");
	assert_unreadable(AT_FDCWD, "/dev/null", 10,
			  "can't read FILE: neither a regular file nor a pipe");
	touch(tree->root, "empty", "");
	text = path_read_file(tree->root, "empty", 0, &length, "FILE", &err);
	assert_string_equal(text, "");
	assert_int_equal(length, 0);
	free(text);
	/* A file of /proc says that it has 0 bytes. */
	text = path_read_file(AT_FDCWD, "/proc/self/status", SIZE_MAX, &length, "FILE", &err);
	assert_non_null(text);
	assert_true(length > 100);
	assert_int_equal(strlen(text), length);
	free(text);
}

static void a_fifo_without_a_writer_does_not_hang(void **state)
{
	struct tree *tree = *state;
	struct error err = ERROR_INIT;
	char *text;

	assert_int_equal(mkfifoat(tree->root, "fifo", 0600), 0);
	alarm(10);
	text = path_read_file(tree->root, "fifo", 10, NULL, "FILE", &err);
	alarm(0);
	assert_string_equal(text, "");
	free(text);
}

static void a_pipe_is_read_to_its_end_however_slow(void **state)
{
	struct error err = ERROR_INIT;
	char path[32], *text, block[5000];
	size_t length = 0;
	int ends[2];
	pid_t pid;

	(void)state;
	memset(block, 'x', sizeof(block));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		for (int i = 0; i < 20; i++) {
			sched_yield();
			path_write_all(ends[1], block, sizeof(block));
		}
		_exit(0);
	}
	assert_true(pid > 0);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	text = path_read_file(AT_FDCWD, path, 1 << 20, &length, "FILE", &err);
	assert_non_null(text);
	assert_int_equal(length, 20 * sizeof(block));
	free(text);
	/* The caller's own end was not made non-blocking. */
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, tree_make, tree_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_link_out_of_the_root_opens_inside_it),
	    test(the_empty_path_opens_the_root),
	    test(magic_links_are_refused),
	    test(a_plain_path_is_cleaned),
	    test(dotdot_stays_below_the_root),
	    test(links_are_followed_inside_the_root),
	    test(a_dangling_link_resolves_to_what_it_names),
	    test(what_is_missing_is_kept_and_its_dotdot_taken_by_text),
	    test(a_loop_is_refused),
	    test(a_file_on_the_way_is_refused),
	    test(a_path_that_is_too_long_is_refused),
	    test(the_root_may_be_renamed_while_it_is_open),
	    test(missing_directories_and_files_are_made),
	    test(what_is_there_stays),
	    test(making_never_follows_a_link),
	    test(a_racing_link_never_leads_outside),
	    test(directories_on_the_host_are_made_like_mkdir_p),
	    test(a_file_is_read_whole_or_not_at_all),
	    test(a_fifo_without_a_writer_does_not_hang),
	    test(a_pipe_is_read_to_its_end_however_slow),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
