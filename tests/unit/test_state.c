/* SPDX-License-Identifier: Apache-2.0 */
/* A container's directory: ids, the lock between real processes, state.json, a full disk. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "state/state.h"
#include "test_place.h"

struct root {
	char base[64];
	int root;
};

static int root_make(void **state)
{
	struct root *place = calloc(1, sizeof(*place));
	struct error err = ERROR_INIT;
	char root[128];

	strcpy(place->base, "/tmp/runlxc-test-state-XXXXXX");
	assert_non_null(mkdtemp(place->base));
	snprintf(root, sizeof(root), "%s/run/runlxc", place->base);
	place->root = state_root_open(root, true, &err);
	assert_true(place->root >= 0);
	*state = place;
	return 0;
}

static int root_remove(void **state)
{
	struct root *place = *state;

	close(place->root);
	remove_tree(place->base);
	free(place);
	return 0;
}

static void assert_error(struct error *err, int errnum, const char *part)
{
	assert_non_null(err->message);
	if (!strstr(err->message, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err->message);
	assert_int_equal(err->errnum, errnum);
	error_clear(err);
}

static void create(const struct root *place, const char *id, struct state_dir *dir)
{
	struct error err = ERROR_INIT;

	if (state_dir_create(place->root, id, dir, &err))
		fail_msg("%s", error_text(&err));
	assert_true(dir->dir >= 0 && dir->lock >= 0);
}

/* A full record; its strings are constants, so it is never given to state_free(). */
static struct state sample(const char *id)
{
	return (struct state){
	    .id = (char *)id,
	    .oci_version = (char *)"1.3.0",
	    .bundle = (char *)"/b/\"quoted\"",
	    .rootfs = (char *)"/b/root\nfs",
	    .created = (char *)"2026-01-02T03:04:05.000000006Z",
	    .owner = (char *)"",
	    .cgroup_path = (char *)"/docker/x",
	    .resctrl_group = (char *)"gold",
	    .resctrl_identity = (1ULL << 32) + 24,
	    .resctrl_made = true,
	    .annotations = (char *)"{\"a\":\"1\",\"b/c\":\"\xc3\xa4\"}",
	    .pid = 4711,
	    .pid_start = 1ULL << 40,
	    .created_only = true,
	    .exit_status = -1,
	};
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A child that dies with the test and sees no assert of cmocka: it reports by its exit status. */
static pid_t fork_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* ---- ids ---- */

static void ids_are_what_runc_allows(void **state)
{
	static const char *const good[] = {"a", "A-b_c+d.e", "0", "-", "a..b", "+x", ".hidden"};
	static const char *const bad[] = {"",	 ".",	 "..",	 "@x",	     "a/b", "/",
					  "a b", "a\nb", "../x", "\xc3\xa4", "a:b", "x%"};
	char longest[STATE_ID_MAX + 2];
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(state_id_check(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(state_id_check(bad[i], &err), -1);
		assert_null(strchr(err.message, '\n'));
		assert_error(&err, 0, "container id");
	}
	memset(longest, 'x', sizeof(longest));
	longest[STATE_ID_MAX + 1] = '\0';
	assert_int_equal(state_id_check(longest, &err), -1);
	assert_error(&err, 0, "longer than 1024 bytes");
	longest[STATE_ID_MAX] = '\0';
	assert_int_equal(state_id_check(longest, &err), 0);
}

static void a_bad_id_never_reaches_the_disk(void **state)
{
	struct root *place = *state;
	struct state_dir dir;
	struct error err = ERROR_INIT;

	assert_int_equal(state_dir_create(place->root, "../x", &dir, &err), -1);
	assert_error(&err, 0, "invalid container id format");
	assert_int_equal(state_dir_open(place->root, "..", &dir, &err), -1);
	assert_error(&err, 0, "invalid container id format");
	assert_int_equal(state_dir_lock(place->root, "", &dir, &err), -1);
	assert_error(&err, 0, "cannot be empty");
}

static void an_id_longer_than_a_file_name_does_not_exist(void **state)
{
	struct root *place = *state;
	struct state_dir dir;
	struct error err = ERROR_INIT;
	char id[301];

	memset(id, 'x', sizeof(id));
	id[300] = '\0';
	assert_int_equal(state_dir_open(place->root, id, &dir, &err), -1);
	assert_error(&err, ENOENT, "container does not exist");
	assert_int_equal(state_dir_create(place->root, id, &dir, &err), -1);
	assert_error(&err, ENAMETOOLONG, "file name too long");
}

/* ---- the directory ---- */

static void the_root_is_made_private(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct stat st;
	char path[128];

	assert_int_equal(fstat(place->root, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(fcntl(place->root, F_GETFD), FD_CLOEXEC);
	snprintf(path, sizeof(path), "%s/none", place->base);
	assert_int_equal(state_root_open(path, false, &err), -1);
	assert_error(&err, ENOENT, path);
}

static void a_container_is_created_once(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	cleanup_state_dir struct state_dir dir = STATE_DIR_INIT, again = STATE_DIR_INIT;
	struct stat st;

	create(place, "box", &dir);
	assert_int_equal(fstatat(place->root, "box", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	/* It says so at once, though the first one still has the lock. */
	assert_int_equal(state_dir_create(place->root, "box", &again, &err), -1);
	assert_string_equal(err.message, "container with id exists: box");
	assert_error(&err, EEXIST, "");
	assert_int_equal(again.dir, -1);
}

static void an_unknown_container_does_not_exist(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct state_dir dir;

	assert_int_equal(state_dir_open(place->root, "none", &dir, &err), -1);
	assert_string_equal(err.message, "container does not exist: none");
	assert_error(&err, ENOENT, "");
	assert_int_equal(state_dir_lock(place->root, "none", &dir, &err), -1);
	assert_error(&err, ENOENT, "container does not exist: none");
	/* Nor is a link to one, or a file, a container. */
	assert_int_equal(symlinkat("/tmp", place->root, "link"), 0);
	assert_int_equal(state_dir_open(place->root, "link", &dir, &err), -1);
	assert_error(&err, ENOENT, "container does not exist: link");
}

static void removing_leaves_nothing(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct state_dir dir;
	struct state record = sample("box");
	char path[64], outside[128];

	create(place, "box", &dir);
	assert_int_equal(state_write(&dir, &record, &err), 0);
	assert_int_equal(state_file_write(&dir, "config.json", "{}", 2, &err), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "file-%d", i);
		assert_int_equal(state_file_write(&dir, path, "", 0, &err), 0);
	}
	assert_int_equal(mkdirat(dir.dir, "rootfs", 0755), 0);
	assert_int_equal(mkdirat(dir.dir, "rootfs/a", 0755), 0);
	assert_int_equal(mkdirat(dir.dir, "rootfs/a/lock", 0755), 0);
	assert_int_equal(symlinkat("state.json", dir.dir, "rootfs/state.json"), 0);
	snprintf(outside, sizeof(outside), "%s/outside", place->base);
	assert_int_equal(mkdir(outside, 0755), 0);
	assert_int_equal(symlinkat(outside, dir.dir, "rootfs/link"), 0);
	assert_int_equal(state_dir_remove(place->root, "box", &dir, &err), 0);
	assert_int_equal(dir.dir, -1);
	assert_int_equal(faccessat(place->root, "box", F_OK, 0), -1);
	assert_int_equal(access(outside, F_OK), 0);
	create(place, "box", &dir);
	state_dir_close(&dir);
}

static void a_create_that_was_killed_at_once_can_be_removed(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct state_dir dir;

	assert_int_equal(mkdirat(place->root, "half", 0700), 0);
	assert_int_equal(state_dir_lock(place->root, "half", &dir, &err), 0);
	assert_null(state_read(&dir, "half", &err));
	assert_error(&err, ENOENT, "half/state.json");
	assert_int_equal(state_dir_remove(place->root, "half", &dir, &err), 0);
	assert_int_equal(faccessat(place->root, "half", F_OK, 0), -1);
}

static void a_mount_in_the_directory_is_not_emptied(void **state)
{
	struct root *place = *state;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("needs root, to mount\n");
		skip();
	}
	pid = fork_child();
	if (pid == 0) {
		struct error err = ERROR_INIT;
		struct state_dir dir;
		char path[160], file[200];

		snprintf(path, sizeof(path), "%s/run/runlxc/box/rootfs", place->base);
		snprintf(file, sizeof(file), "%s/precious", path);
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    state_dir_create(place->root, "box", &dir, &err) || mkdir(path, 0755) ||
		    mount("tmpfs", path, "tmpfs", 0, "mode=700") || mkdir(file, 0755))
			_exit(1);
		if (state_dir_remove(place->root, "box", &dir, &err) == 0 ||
		    !strstr(err.message, "rootfs") || access(file, F_OK))
			_exit(2);
		_exit(0);
	}
	assert_int_equal(wait_for(pid), 0);
}

/* ---- the lock ---- */

/* Waits until `pid` sleeps in flock(2), as /proc/locks shows it ("->"). */
static void wait_until_it_waits(pid_t pid)
{
	for (;;) {
		struct error err = ERROR_INIT;
		cleanup_free char *locks =
		    path_read_file(AT_FDCWD, "/proc/locks", SIZE_MAX, NULL, "locks", &err);
		char want[64];

		assert_non_null(locks);
		snprintf(want, sizeof(want), "-> FLOCK  ADVISORY  WRITE %d ", pid);
		if (strstr(locks, want))
			return;
		sched_yield();
	}
}

static pid_t lock_in_a_child(const struct root *place, int *done)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork_child();
	if (pid == 0) {
		struct error err = ERROR_INIT;
		struct state_dir dir;
		int result = state_dir_lock(place->root, "box", &dir, &err);

		(void)!write(ends[1], "x", 1);
		if (result)
			_exit(strstr(err.message, "container does not exist") ? 3 : 4);
		_exit(0);
	}
	close(ends[1]);
	*done = ends[0];
	return pid;
}

static void the_second_command_waits_for_the_first(void **state)
{
	struct root *place = *state;
	struct state_dir dir;
	struct pollfd done = {.events = POLLIN};
	pid_t pid;

	create(place, "box", &dir);
	pid = lock_in_a_child(place, &done.fd);
	wait_until_it_waits(pid);
	assert_int_equal(poll(&done, 1, 0), 0);
	state_dir_close(&dir);
	assert_int_equal(poll(&done, 1, 10000), 1);
	assert_int_equal(wait_for(pid), 0);
	close(done.fd);
}

static void a_container_removed_while_waiting_does_not_exist(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct state_dir dir, next;
	int done;
	pid_t pid;

	create(place, "box", &dir);
	pid = lock_in_a_child(place, &done);
	wait_until_it_waits(pid);
	assert_int_equal(state_dir_remove(place->root, "box", &dir, &err), 0);
	assert_int_equal(wait_for(pid), 3);
	close(done);
	/* The same, with a new container of that id in its place: it is not the one asked for. */
	create(place, "box", &dir);
	pid = lock_in_a_child(place, &done);
	wait_until_it_waits(pid);
	assert_int_equal(renameat(place->root, "box", place->root, ".aside"), 0);
	create(place, "box", &next);
	state_dir_close(&dir);
	assert_int_equal(wait_for(pid), 3);
	state_dir_close(&next);
	close(done);
}

static void a_forked_child_does_not_keep_the_lock(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	struct state_dir dir;
	int done;
	pid_t child, waiter;

	create(place, "box", &dir);
	child = fork_child();
	if (child == 0) {
		pause();
		_exit(0);
	}
	state_dir_close(&dir);
	waiter = lock_in_a_child(place, &done);
	assert_int_equal(wait_for(waiter), 0);
	kill(child, SIGKILL);
	wait_for(child);
	close(done);
	error_clear(&err);
}

/* Eight processes create, write, remove one id at the same time; every failure is one of the two
 * that say who was there first, and in the end nothing is left. */
static void many_commands_on_one_id_take_turns(void **state)
{
	struct root *place = *state;
	pid_t pids[8];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork_child();
		if (pids[i] == 0) {
			struct state record = sample("box");

			for (int round = 0; round < 200; round++) {
				struct error err = ERROR_INIT;
				struct state_dir dir = STATE_DIR_INIT;
				int result = i % 2
						 ? state_dir_lock(place->root, "box", &dir, &err)
						 : state_dir_create(place->root, "box", &dir, &err);

				if (result && err.errnum != ENOENT && err.errnum != EEXIST)
					_exit(10);
				error_clear(&err);
				if (result)
					continue;
				if (state_write(&dir, &record, &err))
					_exit(11);
				if (state_dir_remove(place->root, "box", &dir, &err)) {
					fprintf(stderr, "%s\n", err.message);
					_exit(12);
				}
			}
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		assert_int_equal(wait_for(pids[i]), 0);
	assert_int_equal(faccessat(place->root, "box", F_OK, 0), -1);
}

/* ---- state.json ---- */

static void what_is_written_is_read(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	cleanup_state_dir struct state_dir dir = STATE_DIR_INIT, reader = STATE_DIR_INIT;
	cleanup_state struct state *read_back = NULL;
	struct state record = sample("box");
	struct stat st;

	create(place, "box", &dir);
	assert_int_equal(state_write(&dir, &record, &err), 0);
	assert_int_equal(fstatat(dir.dir, "state.json", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	/* A reader does not wait for the lock. */
	assert_int_equal(state_dir_open(place->root, "box", &reader, &err), 0);
	read_back = state_read(&reader, "box", &err);
	assert_non_null(read_back);
	assert_string_equal(read_back->id, record.id);
	assert_string_equal(read_back->oci_version, record.oci_version);
	assert_string_equal(read_back->bundle, record.bundle);
	assert_string_equal(read_back->rootfs, record.rootfs);
	assert_string_equal(read_back->created, record.created);
	assert_string_equal(read_back->owner, "");
	assert_string_equal(read_back->cgroup_path, record.cgroup_path);
	assert_null(read_back->monitor_cgroup);
	assert_string_equal(read_back->resctrl_group, record.resctrl_group);
	assert_int_equal(read_back->resctrl_identity, record.resctrl_identity);
	assert_true(read_back->resctrl_made);
	assert_false(read_back->resctrl_monitor);
	assert_string_equal(read_back->annotations, record.annotations);
	assert_int_equal(read_back->pid, record.pid);
	assert_int_equal(read_back->pid_start, record.pid_start);
	assert_true(read_back->created_only);
	assert_false(read_back->systemd_cgroup);
	assert_int_equal(read_back->exit_status, -1);
}

/* A state.json of a version that doesn't know it is one without it. */
static void what_was_not_asked_for_is_not_in_it(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	cleanup_state_dir struct state_dir dir = STATE_DIR_INIT;
	cleanup_state struct state *read_back = NULL;
	cleanup_free char *text = NULL;
	struct state record = sample("box");

	record.resctrl_group = NULL;
	record.resctrl_identity = 0;
	record.resctrl_made = false;
	create(place, "box", &dir);
	assert_int_equal(state_write(&dir, &record, &err), 0);
	text = path_read_file(dir.dir, "state.json", 65536, NULL, "state.json", &err);
	assert_non_null(text);
	assert_null(strstr(text, "resctrl"));
	read_back = state_read(&dir, "box", &err);
	assert_non_null(read_back);
	assert_null(read_back->resctrl_group);
}

static void a_reader_never_sees_half_a_file(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	cleanup_state_dir struct state_dir dir = STATE_DIR_INIT, reader = STATE_DIR_INIT;
	struct state record = sample("box");
	char bundle[60000];
	pid_t pid;

	create(place, "box", &dir);
	assert_int_equal(state_write(&dir, &record, &err), 0);
	memset(bundle, 'x', sizeof(bundle));
	bundle[sizeof(bundle) - 1] = '\0';
	pid = fork_child();
	if (pid == 0) {
		for (int i = 0;; i++) {
			record.bundle = bundle + (i % 2 ? 0 : sizeof(bundle) - 2);
			if (state_write(&dir, &record, &err))
				_exit(1);
		}
	}
	assert_int_equal(state_dir_open(place->root, "box", &reader, &err), 0);
	for (int i = 0; i < 500; i++) {
		struct state *seen = state_read(&reader, "box", &err);

		if (!seen)
			fail_msg("%s", error_text(&err));
		state_free(seen);
	}
	kill(pid, SIGKILL);
	assert_int_equal(wait_for(pid), 128 + SIGKILL);
}

static void a_corrupt_file_is_named(void **state)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
	    {"", "not a JSON object"},
	    {"{\"id\": \"box\"", "not a JSON object"},
	    {"[]", "not a JSON object"},
	    {"{} x", "not a JSON object"},
	    {"{}", "no \"id\""},
	    {"{\"id\": 7}", "bad \"id\""},
	    {"{\"id\": \"b\\u0000x\"}", "bad \"id\""},
	    {"{\"id\": null}", "bad \"id\""},
	};
	struct root *place = *state;
	struct error err = ERROR_INIT;
	cleanup_state_dir struct state_dir dir = STATE_DIR_INIT;
	struct state other = sample("other"), record = sample("box");

	create(place, "box", &dir);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(state_file_write(&dir, "state.json", cases[i].text,
						  strlen(cases[i].text), &err),
				 0);
		assert_null(state_read(&dir, "box", &err));
		assert_non_null(strstr(err.message, cases[i].complaint));
		assert_error(&err, 0, "box/state.json: corrupt");
	}
	assert_int_equal(state_write(&dir, &other, &err), 0);
	assert_null(state_read(&dir, "box", &err));
	assert_error(&err, 0, "it is the state of \"other\"");
	record.annotations = (char *)"{";
	assert_int_equal(state_write(&dir, &record, &err), -1);
	assert_error(&err, 0, "annotations");
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	struct root *place = *state;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("needs root, to mount a small tmpfs\n");
		skip();
	}
	pid = fork_child();
	if (pid == 0) {
		struct error err = ERROR_INIT;
		struct state_dir dir;
		struct state record = sample("box"), *seen;
		static char block[256 * 1024];
		struct dirent *entry;
		int root, entries = 0;
		DIR *stream;

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("tmpfs", place->base, "tmpfs", 0, "size=128k,mode=700"))
			_exit(1);
		root = state_root_open(place->base, true, &err);
		if (root < 0 || state_dir_create(root, "box", &dir, &err) ||
		    state_write(&dir, &record, &err))
			_exit(2);
		memset(block, 'x', sizeof(block) - 1);
		if (state_file_write(&dir, "config.json", block, sizeof(block), &err) == 0 ||
		    err.errnum != ENOSPC || !strstr(err.message, "box/config.json: no space left"))
			_exit(3);
		error_clear(&err);
		record.bundle = block;
		if (state_write(&dir, &record, &err) == 0 || err.errnum != ENOSPC ||
		    !strstr(err.message, "box/state.json"))
			_exit(4);
		error_clear(&err);
		seen = state_read(&dir, "box", &err);
		if (!seen || seen->pid != 4711)
			_exit(5);
		state_free(seen);
		stream = fdopendir(dup(dir.dir));
		while ((entry = readdir(stream)))
			entries++;
		closedir(stream);
		if (entries != 3) /* ".", "..", state.json */
			_exit(6);
		state_dir_close(&dir);
		close(root);
		_exit(0);
	}
	assert_int_equal(wait_for(pid), 0);
}

/* ---- lists, processes, times ---- */

static void ids_are_listed_sorted_and_nothing_else(void **state)
{
	struct root *place = *state;
	struct error err = ERROR_INIT;
	static const char *const names[] = {"b", "a", "c.1", "B"};
	struct state_dir dir;
	char **ids;
	size_t count;

	assert_int_equal(state_ids(place->root, &ids, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_null(ids[0]);
	state_ids_free(ids);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		create(place, names[i], &dir);
		state_dir_close(&dir);
	}
	assert_int_equal(mkdirat(place->root, "@seccomp", 0700), 0);
	assert_int_equal(mkdirat(place->root, "not an id", 0700), 0);
	assert_int_equal(mknodat(place->root, "file", S_IFREG | 0600, 0), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(state_ids(place->root, &ids, &count, &err), 0);
		assert_int_equal(count, 4);
		assert_string_equal(ids[0], "B");
		assert_string_equal(ids[1], "a");
		assert_string_equal(ids[2], "b");
		assert_string_equal(ids[3], "c.1");
		assert_null(ids[4]);
		state_ids_free(ids);
	}
}

static void *outlive_the_first_thread(void *fd)
{
	(void)!write(*(int *)fd, "x", 1);
	pause();
	return NULL;
}

static void a_process_is_told_by_its_start_time(void **state)
{
	bool zombie = true;
	siginfo_t info;
	uint64_t start;
	pid_t pid;

	(void)state;
	assert_true(state_process_start(getpid(), &zombie) > 0);
	assert_false(zombie);
	assert_int_equal(state_process_start(0, &zombie), 0);
	assert_int_equal(state_process_start(1 << 22, NULL), 0);

	pid = fork_child();
	if (pid == 0) {
		prctl(PR_SET_NAME, ") Z (x y) ");
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	start = state_process_start(pid, &zombie);
	assert_true(start > 0);
	assert_false(zombie);
	kill(pid, SIGCONT);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_process_start(pid, &zombie), start);
	assert_true(zombie);
	wait_for(pid);
	assert_int_equal(state_process_start(pid, &zombie), 0);
	assert_false(zombie);
}

static void a_process_whose_first_thread_ended_is_not_dead(void **state)
{
	int ends[2];
	bool zombie = true;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork_child();
	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, outlive_the_first_thread, &ends[1]);
		syscall(SYS_exit, 0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_true(state_process_start(pid, &zombie) > 0);
	assert_false(zombie);
	kill(pid, SIGKILL);
	wait_for(pid);
	close(ends[0]);
	close(ends[1]);
}

static void the_time_is_rfc_3339_with_nanoseconds(void **state)
{
	cleanup_free char *text = state_timestamp();
	int year, month, day, hour, minute, second, end = 0;
	long nanoseconds;

	(void)state;
	assert_int_equal(strlen(text), 30);
	assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9ldZ%n", &year, &month, &day, &hour,
				&minute, &second, &nanoseconds, &end),
			 7);
	assert_int_equal(end, 30);
	assert_true(year >= 2024 && month <= 12 && day <= 31);
}

#define test(name) cmocka_unit_test_setup_teardown(name, root_make, root_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(ids_are_what_runc_allows),
	    test(a_bad_id_never_reaches_the_disk),
	    test(an_id_longer_than_a_file_name_does_not_exist),
	    test(the_root_is_made_private),
	    test(a_container_is_created_once),
	    test(an_unknown_container_does_not_exist),
	    test(removing_leaves_nothing),
	    test(a_create_that_was_killed_at_once_can_be_removed),
	    test(a_mount_in_the_directory_is_not_emptied),
	    test(the_second_command_waits_for_the_first),
	    test(a_container_removed_while_waiting_does_not_exist),
	    test(a_forked_child_does_not_keep_the_lock),
	    test(many_commands_on_one_id_take_turns),
	    test(what_is_written_is_read),
	    test(what_was_not_asked_for_is_not_in_it),
	    test(a_reader_never_sees_half_a_file),
	    test(a_corrupt_file_is_named),
	    test(a_full_disk_leaves_the_old_file),
	    test(ids_are_listed_sorted_and_nothing_else),
	    test(a_process_is_told_by_its_start_time),
	    test(a_process_whose_first_thread_ended_is_not_dead),
	    test(the_time_is_rfc_3339_with_nanoseconds),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
