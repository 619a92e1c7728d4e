/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's out-of-memory killer, at work on real processes: who is told, and what is counted.
 */
#include "test_cgroup.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>

#include "cgroup/oom_aside.h"
#include "cgroup/stats.h"

#define LIMIT "8388608"
#define TOO_MUCH ((size_t)32 << 20)
#define PATIENCE_MS 10000

/* ---- helpers ---- */

static void take_too_much(void)
{
	void *memory =
	    mmap(NULL, TOO_MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		memset(memory, 1, TOO_MUCH);
}

/* Limits the memory of the box, or of a cgroup in it; false where there is no controller. */
static bool limit(const struct box *box, const char *below)
{
	const struct cgroup_hierarchy *memory = cgroup_find(box->layout, "memory");
	char inside[128], path[PATH_MAX];

	if (!memory)
		return false;
	snprintf(inside, sizeof(inside), "%s%s", box->path, below);
	file_of(memory, inside, memory->unified ? "memory.swap.max" : "memory.swappiness", path);
	if (access(path, F_OK) == 0)
		write_text(path, "0");
	file_of(memory, inside, memory->unified ? "memory.max" : "memory.limit_in_bytes", path);
	if (access(path, F_OK) < 0)
		return false;
	write_text(path, LIMIT);
	return true;
}

static struct cgroup_oom *watch(const struct box *box)
{
	struct cgroup_oom *oom = cgroup_oom_open(box->layout, box->path, &oops);

	if (!oom)
		fail_msg("%s", error_text(&oops));
	return oom;
}

static bool is_readable(const struct cgroup_oom *oom, int timeout_ms)
{
	struct pollfd polled = {.fd = cgroup_oom_fd(oom), .events = POLLIN};

	return poll(&polled, 1, timeout_ms) > 0;
}

static uint64_t kills(struct cgroup_oom *oom)
{
	struct cgroup_oom_state state;

	ok(cgroup_oom_read(oom, &state, &oops));
	assert_false(state.waiting);
	return state.kills;
}

/* Waits by the descriptor alone until so many were killed. */
static void wait_for_kills(struct cgroup_oom *oom, uint64_t wanted)
{
	while (kills(oom) < wanted) {
		if (!is_readable(oom, PATIENCE_MS))
			fail_msg("nothing told of a kill");
	}
}

static void kill_by_memory(const struct box *box, const char *below)
{
	assert_int_equal(signal_of(enter(box, below, take_too_much)), SIGKILL);
}

/* ---- tests ---- */

static void tell_of_kills(const struct box *box, bool hurry)
{
	struct cgroup_oom *oom;
	uint64_t count;
	pid_t bystander;

	if (!limit(box, ""))
		return;
	oom = watch(box);
	if (hurry)
		cgroup_oom_hurry(oom);
	assert_false(is_readable(oom, 0));
	assert_int_equal(kills(oom), 0);
	bystander = enter(box, "", run_sleep);
	/* Several times: v1 may tell of it before it has counted it, or after. */
	for (uint64_t time = 1; time <= 5; time++) {
		pid_t victim = enter(box, "", take_too_much);

		wait_for_kills(oom, time);
		assert_int_equal(signal_of(victim), SIGKILL);
	}
	assert_int_equal(kills(oom), 5);
	assert_int_equal(kill(bystander, 0), 0);
	ok(cgroup_oom_count(box->layout, box->path, &count, &oops));
	assert_int_equal(count, 5);
	cgroup_oom_close(oom);
	end(bystander);
}

static void tells_of_kills(const struct box *box)
{
	tell_of_kills(box, false);
}

static void a_kill_is_told_and_counted(void **state)
{
	(void)state;
	on_every_layout(tells_of_kills);
}

static size_t count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t count = 0;

	assert_non_null(tasks);
	for (struct dirent *entry; (entry = readdir(tasks));)
		count += entry->d_name[0] != '.';
	closedir(tasks);
	return count;
}

static void hurries(const struct box *box)
{
	size_t threads = count_threads();
	cpu_set_t before, after;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	tell_of_kills(box, true);
	/* The caller is pushed to and fro, but left as it was. */
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after));
	assert_int_equal(count_threads(), threads);
}

static void a_kill_is_told_in_a_hurry(void **state)
{
	(void)state;
	on_every_layout(hurries);
}

static int count_by_file(int dir, uint64_t *count)
{
	int fd = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	char text[256] = "", *line;

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	line = strstr(text, "oom_kill ");
	assert_non_null(line);
	*count = strtoull(line + strlen("oom_kill "), NULL, 10);
	return 0;
}

/* v1: the thread alone, since the eventfd isn't listened to. */
static void looks_aside(const struct box *box)
{
	const struct cgroup_hierarchy *memory = cgroup_find(box->layout, "memory");
	struct pollfd polled = {.events = POLLIN};
	struct oom_aside *aside;
	char path[PATH_MAX];
	cpu_set_t allowed;
	int dir;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	if (!limit(box, "") || memory->unified)
		return;
	file_of(memory, box->path, "", path);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	aside = oom_aside_open(dir, count_by_file);
	assert_int_equal(aside != NULL, CPU_COUNT(&allowed) > 1);
	if (!aside) {
		close(dir);
		return;
	}
	polled.fd = oom_aside_fd(aside);
	for (uint64_t time = 0; time < 3; time++) {
		oom_aside_look(aside, time);
		kill_by_memory(box, "");
		assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
		oom_aside_seen(aside);
		assert_int_equal(poll(&polled, 1, 0), 0);
	}
	oom_aside_close(aside);
	close(dir);
}

static void a_thread_sees_a_rising_count(void **state)
{
	(void)state;
	on_every_layout(looks_aside);
}

static void reads_afterwards(const struct box *box)
{
	struct cgroup_oom *oom;

	if (!limit(box, ""))
		return;
	oom = watch(box); /* nobody is in it yet */
	kill_by_memory(box, "");
	/* Nobody is in it any more; it was counted before the process was dead. */
	assert_int_equal(kills(oom), 1);
	cgroup_oom_close(oom);
}

static void the_count_is_complete_once_the_process_has_ended(void **state)
{
	(void)state;
	on_every_layout(reads_afterwards);
}

static void ignores_plain_kills(const struct box *box)
{
	struct cgroup_oom *oom;

	if (!limit(box, ""))
		return;
	oom = watch(box);
	end(enter(box, "", run_sleep));
	assert_int_equal(kills(oom), 0);
	assert_false(is_readable(oom, 0));
	cgroup_oom_close(oom);
}

static void a_plain_kill_is_none(void **state)
{
	(void)state;
	on_every_layout(ignores_plain_kills);
}

/* The limit is the box's, the victim in a cgroup below it. */
static void counts_below(const struct box *box)
{
	struct cgroup_oom *oom;

	if (!limit(box, ""))
		return;
	make(box, "/below");
	oom = watch(box);
	if (cgroup_find(box->layout, "memory")->unified) {
		char path[PATH_MAX];

		file_of(cgroup_find(box->layout, "memory"), box->path, "cgroup.subtree_control",
			path);
		write_text(path, "+memory");
	}
	kill_by_memory(box, "/below");
	wait_for_kills(oom, 1);
	cgroup_oom_close(oom);
}

static void a_kill_in_a_cgroup_below_counts(void **state)
{
	(void)state;
	on_every_layout(counts_below);
}

/* A cgroup above runs out of memory, and the victim is in another one. */
static void is_not_mistaken(const struct box *box)
{
	char sibling[128], text[128];
	struct box inner = {.layout = box->layout};
	struct cgroup_oom *oom;

	if (!limit(box, "") || cgroup_find(box->layout, "memory")->unified)
		return;
	make(box, "/one");
	make(box, "/two");
	snprintf(text, sizeof(text), "%.40s/one", box->path);
	strcpy(inner.path, text);
	snprintf(sibling, sizeof(sibling), "%s/two", box->path);
	oom = watch(&inner);
	kill_by_memory(box, "/two");
	/* v1 tells it, before the kill; the count says that it was not here. */
	assert_true(is_readable(oom, PATIENCE_MS));
	assert_int_equal(kills(oom), 0);
	cgroup_oom_close(oom);
}

static void a_kill_elsewhere_does_not_count(void **state)
{
	(void)state;
	on_every_layout(is_not_mistaken);
}

/* After an event without a kill it is looked again for a moment, and then no more. */
static void comes_to_rest(const struct box *box)
{
	struct cgroup_oom *oom;
	unsigned int wakes = 0;

	if (!limit(box, ""))
		return;
	oom = watch(box);
	kill_by_memory(box, "");
	while (is_readable(oom, 1000)) {
		assert_int_equal(kills(oom), 1);
		wakes++;
		assert_true(wakes < 50);
	}
	cgroup_oom_close(oom);
}

static void the_descriptor_comes_to_rest(void **state)
{
	(void)state;
	on_every_layout(comes_to_rest);
}

static void tells_of_removal(const struct box *box)
{
	struct cgroup_oom_state state;
	struct cgroup_oom *oom;
	uint64_t count = 7;

	if (!limit(box, ""))
		return;
	oom = watch(box);
	ok(cgroup_remove(box->layout, box->path, &oops));
	assert_true(is_readable(oom, PATIENCE_MS));
	assert_int_equal(cgroup_oom_read(oom, &state, &oops), -1);
	assert_int_equal(oops.errnum, ENODEV);
	error_clear(&oops);
	cgroup_oom_close(oom);
	ok(cgroup_oom_count(box->layout, box->path, &count, &oops));
	assert_int_equal(count, 0);
}

static void a_removed_cgroup_is_told_apart(void **state)
{
	(void)state;
	on_every_layout(tells_of_removal);
}

/* v1, with the killer switched off: the process waits until it gets more. */
static void tells_of_waiting(const struct box *box)
{
	struct cgroup_oom_state now = {0, false};
	char path[PATH_MAX];
	struct cgroup_oom *oom;
	pid_t pid;

	if (!limit(box, "") || cgroup_find(box->layout, "memory")->unified)
		return;
	file_of(cgroup_find(box->layout, "memory"), box->path, "memory.oom_control", path);
	write_text(path, "1");
	oom = watch(box);
	pid = enter(box, "", take_too_much);
	while (!now.waiting) {
		if (!is_readable(oom, PATIENCE_MS))
			fail_msg("nothing told that a process waits for memory");
		ok(cgroup_oom_read(oom, &now, &oops));
	}
	assert_int_equal(now.kills, 0);
	end(pid);
	cgroup_oom_close(oom);
}

static void a_process_that_waits_for_memory_is_told(void **state)
{
	(void)state;
	on_every_layout(tells_of_waiting);
}

static void needs_a_controller(const struct box *box)
{
	struct box nowhere = *box;

	if (cgroup_find(box->layout, "memory"))
		strcpy(nowhere.path, "/runlxc-test-nothing");
	assert_null(cgroup_oom_open(nowhere.layout, nowhere.path, &oops));
	assert_int_equal(oops.errnum, ENOENT);
	error_clear(&oops);
}

static void without_a_memory_cgroup_there_is_nothing_to_watch(void **state)
{
	(void)state;
	on_every_layout(needs_a_controller);
}

/* A host with v2 only: its root gives its children controllers only when asked. */
static int find_layouts_with_memory(void **state)
{
	char path[PATH_MAX];

	find_layouts(state);
	if (host && host->mode == CGROUP_UNIFIED && geteuid() == 0) {
		file_of(&host->hierarchies[0], "", "cgroup.subtree_control", path);
		write_text(path, "+memory");
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_kill_is_told_and_counted),
	    test(a_kill_is_told_in_a_hurry),
	    test(a_thread_sees_a_rising_count),
	    test(the_count_is_complete_once_the_process_has_ended),
	    test(a_plain_kill_is_none),
	    test(a_kill_in_a_cgroup_below_counts),
	    test(a_kill_elsewhere_does_not_count),
	    test(the_descriptor_comes_to_rest),
	    test(a_removed_cgroup_is_told_apart),
	    test(a_process_that_waits_for_memory_is_told),
	    test(without_a_memory_cgroup_there_is_nothing_to_watch),
	};

	return cmocka_run_group_tests(tests, find_layouts_with_memory, free_layouts);
}
