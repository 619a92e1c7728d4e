/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process plan: the flat block that init reads. Every string and list is looked up as init does
 * it, by its offset, in the block as it is behind the seal.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

/* ---- a sealed plan, mapped ---- */

struct mapped {
	int fd;
	const struct plan *plan;
	size_t size;
};

static void compile_and_seal(const struct spec_process *process, struct mapped *mapped)
{
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;
	struct stat st;

	plan_buffer_init(&buffer);
	if (process_compile(process, true, NULL, &buffer, &err) < 0)
		fail_msg("%s", error_text(&err));
	mapped->fd = process_plan_seal(&buffer, &err);
	if (mapped->fd < 0)
		fail_msg("%s", error_text(&err));
	assert_int_equal(fstat(mapped->fd, &st), 0);
	mapped->size = (size_t)st.st_size;
	mapped->plan = mmap(NULL, mapped->size, PROT_READ, MAP_PRIVATE, mapped->fd, 0);
	assert_true(mapped->plan != MAP_FAILED);
}

static void unmap(struct mapped *mapped)
{
	munmap((void *)(uintptr_t)mapped->plan, mapped->size);
	close(mapped->fd);
}

/* An offset is behind the head, and what begins there ends in the block. */
static const char *text_at(const struct mapped *mapped, plan_string offset)
{
	const char *base = (const char *)mapped->plan;

	assert_true(offset >= sizeof(struct plan));
	assert_true(offset < mapped->size);
	assert_non_null(memchr(base + offset, '\0', mapped->size - offset));
	return base + offset;
}

static const void *items_at(const struct mapped *mapped, struct plan_list list, size_t size)
{
	assert_true(list.offset >= sizeof(struct plan));
	assert_int_equal(list.offset % 8, 0);
	assert_true(list.offset + list.count * size <= mapped->size);
	return (const char *)mapped->plan + list.offset;
}

static void assert_texts(const struct mapped *mapped, struct plan_list list,
			 const struct spec_strings *expected)
{
	const plan_string *offsets;

	assert_int_equal(list.count, expected->count);
	if (!list.count)
		return;
	offsets = items_at(mapped, list, sizeof(*offsets));
	for (size_t i = 0; i < expected->count; i++)
		assert_string_equal(text_at(mapped, offsets[i]), expected->items[i]);
}

/* ---- the block ---- */

static void a_fresh_plan_has_no_descriptors_but_the_streams(void **state)
{
	cleanup_plan struct plan_buffer buffer;
	const struct plan *plan;

	(void)state;
	plan_buffer_init(&buffer);
	plan = plan_head(&buffer);
	assert_int_equal(plan->magic, PLAN_MAGIC);
	assert_int_equal(plan->sync_fd, -1);
	assert_int_equal(plan->start_fd, -1);
	assert_int_equal(plan->join_pidfd, -1);
	assert_int_equal(plan->join_cgroup_fd, -1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(plan->stdio_fd[i], i);
	assert_int_equal(plan->flags, 0);
	assert_int_equal(plan->preserve_fds, 0);
	assert_int_equal(plan->seccomp.count, 0);
}

static void a_string_that_is_absent_is_zero_and_an_empty_one_is_not(void **state)
{
	cleanup_plan struct plan_buffer buffer;
	plan_string empty;

	(void)state;
	plan_buffer_init(&buffer);
	assert_int_equal(plan_add_string(&buffer, NULL), 0);
	empty = plan_add_string(&buffer, "");
	assert_true(empty >= sizeof(struct plan));
	assert_string_equal(buffer.data + empty, "");
}

static void an_empty_list_takes_no_room(void **state)
{
	cleanup_plan struct plan_buffer buffer;
	struct plan_list list;
	size_t before;

	(void)state;
	plan_buffer_init(&buffer);
	before = buffer.size;
	list = plan_add_items(&buffer, NULL, 0, 8);
	assert_int_equal(list.offset, 0);
	assert_int_equal(list.count, 0);
	list = plan_add_strings(&buffer, NULL, 0);
	assert_int_equal(list.count, 0);
	assert_int_equal(buffer.size, before);
}

/* Whatever was added before it moves while the block grows, but its offset stays. */
static void everything_stays_where_it_is_while_the_block_grows(void **state)
{
	cleanup_plan struct plan_buffer buffer;
	plan_string strings[3000];
	char text[40];

	(void)state;
	plan_buffer_init(&buffer);
	plan_head(&buffer)->uid = 4711;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		snprintf(text, sizeof(text), "string %zu%.*s", i, (int)(i % 9), "123456789");
		strings[i] = plan_add_string(&buffer, text);
		assert_int_equal(strings[i] % 8, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		snprintf(text, sizeof(text), "string %zu%.*s", i, (int)(i % 9), "123456789");
		assert_string_equal(buffer.data + strings[i], text);
	}
	assert_int_equal(plan_head(&buffer)->uid, 4711);
}

/* The wide members of a mount are read in place by init: on a machine that minds, it would trap. */
static void lists_are_aligned_for_their_widest_member(void **state)
{
	struct plan_mount mounts[2] = {{.attr_set = 1ULL << 40}, {.attr_clear = 1ULL << 41}};
	cleanup_plan struct plan_buffer buffer;

	(void)state;
	plan_buffer_init(&buffer);
	for (int i = 0; i < 20; i++) {
		struct plan_list list;
		const struct plan_mount *copy;

		plan_add_string(&buffer, &"odd lengths in between"[i]);
		list = plan_add_items(&buffer, mounts, 2, sizeof(mounts[0]));
		assert_int_equal(list.count, 2);
		copy = (const void *)(buffer.data + list.offset);
		assert_int_equal((uintptr_t)copy % _Alignof(struct plan_mount), 0);
		assert_true(copy[0].attr_set == 1ULL << 40);
		assert_true(copy[1].attr_clear == 1ULL << 41);
	}
}

static void a_plan_that_memory_ran_out_for_is_not_sealed(void **state)
{
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	(void)state;
	plan_buffer_init(&buffer);
	buffer.failed = true;
	assert_int_equal(plan_add_string(&buffer, "not added"), 0);
	assert_int_equal(process_plan_seal(&buffer, &err), -1);
	assert_int_equal(err.errnum, ENOMEM);
	error_clear(&err);
}

/* Writes to the head go nowhere then, and not through a NULL pointer. */
static void a_plan_without_a_block_takes_writes(void **state)
{
	struct plan_buffer buffer = PLAN_BUFFER_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	buffer.failed = true;
	plan_head(&buffer)->flags |= PLAN_TERMINAL;
	assert_int_equal(process_plan_seal(&buffer, &err), -1);
	error_clear(&err);
}

/* ---- the seal ---- */

static void nobody_can_change_a_sealed_plan(void **state)
{
	const struct spec_process process = {.args = STRINGS("true")};
	struct mapped mapped;
	char path[64], byte = 'x';
	int again;

	(void)state;
	compile_and_seal(&process, &mapped);
	assert_int_equal(pwrite(mapped.fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(mapped.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(mapped.fd, (off_t)mapped.size + 1), -1);
	assert_int_equal(errno, EPERM);
	assert_true(mmap(NULL, mapped.size, PROT_WRITE, MAP_SHARED, mapped.fd, 0) == MAP_FAILED);
	assert_int_equal(fcntl(mapped.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_int_equal(errno, EPERM);

	/* Nor through a second opening of it. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mapped.fd);
	again = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(again >= 0);
	assert_int_equal(write(again, &byte, 1), -1);
	assert_int_equal(errno, EPERM);
	close(again);
	assert_int_equal(mapped.plan->magic, PLAN_MAGIC);
	unmap(&mapped);
}

static void a_sealed_plan_knows_its_size_and_is_closed_on_exec(void **state)
{
	const struct spec_process process = {.args = STRINGS("true"), .cwd = (char *)"/srv"};
	struct mapped mapped;

	(void)state;
	compile_and_seal(&process, &mapped);
	assert_int_equal(mapped.plan->size, mapped.size);
	assert_true(fcntl(mapped.fd, F_GETFD) & FD_CLOEXEC);
	unmap(&mapped);
}

static void inits_program_is_whole_sealed_and_executable(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_close int fd = process_init_open(&err), second = -1;
	struct stat st, other;
	char head[4], byte = 'x';

	(void)state;
	if (fd < 0)
		fail_msg("%s", error_text(&err));
	assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
	assert_memory_equal(head, "\177ELF", 4);
	assert_int_equal(pwrite(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_mode & S_IXUSR);

	/* Another container gets another file. */
	second = process_init_open(&err);
	assert_int_equal(fstat(second, &other), 0);
	assert_int_equal(other.st_size, st.st_size);
	assert_true(other.st_ino != st.st_ino);
}

/* ---- a process with everything ---- */

static void every_field_of_a_process_is_in_the_plan(void **state)
{
	uint32_t gids[] = {5, 6, 4294967295U};
	const struct spec_process process = {
	    .set = true,
	    .terminal = true,
	    .console_height = 24,
	    .console_width = 80,
	    .user = {.uid = 1000,
		     .gid = 4294967295U,
		     .umask_set = true,
		     .umask = 0022,
		     .additional_gids_count = 3,
		     .additional_gids = gids},
	    .args = STRINGS("/bin/sh", "", "-c", "exit 3", "with \"quotes\" and\nlines"),
	    .env = STRINGS("PATH=/opt/bin:/bin", "A=b=c", "EMPTY=", "no equals sign", "HOME=/root"),
	    .cwd = (char *)"/home/user",
	    .capabilities = {.set = true,
			     .sets = {[SPEC_CAP_BOUNDING] = STRINGS("CAP_CHOWN", "CAP_KILL"),
				      [SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN")}},
	    .no_new_privileges = true,
	    .apparmor_profile = (char *)"unconfined",
	};
	struct mapped mapped;
	const struct plan *plan;
	const uint32_t *groups;

	(void)state;
	compile_and_seal(&process, &mapped);
	plan = mapped.plan;
	assert_int_equal(plan->magic, PLAN_MAGIC);
	assert_int_equal(plan->flags,
			 PLAN_TERMINAL | PLAN_NO_NEW_PRIVS | PLAN_UMASK | PLAN_CAPABILITIES);
	assert_int_equal(plan->uid, 1000);
	assert_int_equal(plan->gid, 4294967295U);
	assert_int_equal(plan->umask, 0022);
	assert_int_equal(plan->console_height, 24);
	assert_int_equal(plan->console_width, 80);
	assert_int_equal(plan->groups.count, 3);
	groups = items_at(&mapped, plan->groups, sizeof(*groups));
	assert_memory_equal(groups, gids, sizeof(gids));
	assert_texts(&mapped, plan->args, &process.args);
	assert_texts(&mapped, plan->env, &process.env);
	assert_string_equal(text_at(&mapped, plan->path), "/opt/bin:/bin");
	assert_string_equal(text_at(&mapped, plan->cwd), "/home/user");
	assert_true(plan->capabilities[SPEC_CAP_BOUNDING] == (1ULL << 0 | 1ULL << 5));
	assert_true(plan->capabilities[SPEC_CAP_PERMITTED] == 1ULL << 0);
	/* "unconfined" is what a process is anyway. */
	assert_int_equal(plan->apparmor, 0);
	assert_int_equal(plan->selinux, 0);
	unmap(&mapped);
}

static void a_process_with_nothing_starts_in_the_root_as_root(void **state)
{
	const struct spec_process process = {.args = STRINGS("true")};
	struct mapped mapped;
	const struct plan *plan;

	(void)state;
	compile_and_seal(&process, &mapped);
	plan = mapped.plan;
	/* No capabilities in the file: five empty sets. */
	assert_int_equal(plan->flags, PLAN_CAPABILITIES | PLAN_SET_HOME);
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_true(plan->capabilities[set] == 0);
	assert_int_equal(plan->uid, 0);
	assert_int_equal(plan->gid, 0);
	assert_int_equal(plan->groups.count, 0);
	assert_int_equal(plan->env.count, 0);
	assert_string_equal(text_at(&mapped, plan->cwd), "/");
	assert_string_equal(text_at(&mapped, plan->path), DEFAULT_PATH);
	unmap(&mapped);
}

/* ---- HOME and PATH ---- */

static uint32_t flags_with_env(struct spec_strings env)
{
	const struct spec_process process = {.args = STRINGS("true"), .env = env};
	struct mapped mapped;
	uint32_t flags;

	compile_and_seal(&process, &mapped);
	flags = mapped.plan->flags;
	unmap(&mapped);
	return flags;
}

static void home_is_looked_up_only_where_the_environment_has_none(void **state)
{
	(void)state;
	assert_true(flags_with_env(STRINGS("A=b")) & PLAN_SET_HOME);
	assert_true(flags_with_env(STRINGS("HOME=")) & PLAN_SET_HOME);
	assert_true(flags_with_env(STRINGS("HOME")) & PLAN_SET_HOME);
	assert_true(flags_with_env(STRINGS("HOMES=/x", "XHOME=/x", "home=/x")) & PLAN_SET_HOME);
	assert_false(flags_with_env(STRINGS("HOME=/srv")) & PLAN_SET_HOME);
	/* The last one is what a program sees after runc. */
	assert_false(flags_with_env(STRINGS("HOME=", "HOME=/srv")) & PLAN_SET_HOME);
	assert_true(flags_with_env(STRINGS("HOME=/srv", "HOME=")) & PLAN_SET_HOME);
}

static void assert_environment(struct spec_strings env, struct spec_strings expected)
{
	const struct spec_process process = {.args = STRINGS("true"), .env = env};
	struct mapped mapped;

	compile_and_seal(&process, &mapped);
	assert_texts(&mapped, mapped.plan->env, &expected);
	unmap(&mapped);
}

static void of_a_variable_that_is_there_twice_the_last_is_kept(void **state)
{
	(void)state;
	assert_environment(STRINGS("A=1", "B=2"), STRINGS("A=1", "B=2"));
	assert_environment(STRINGS("A=1", "B=2", "A=3"), STRINGS("B=2", "A=3"));
	assert_environment(STRINGS("HOME=", "HOME=/srv"), STRINGS("HOME=/srv"));
	/* A name that begins alike is another one. */
	assert_environment(STRINGS("A=1", "AB=2", "A"), STRINGS("A=1", "AB=2", "A"));
}

static void assert_path(struct spec_strings env, const char *expected)
{
	const struct spec_process process = {.args = STRINGS("true"), .env = env};
	struct mapped mapped;

	compile_and_seal(&process, &mapped);
	assert_string_equal(text_at(&mapped, mapped.plan->path), expected);
	unmap(&mapped);
}

static void the_search_path_is_the_environments_or_the_default(void **state)
{
	(void)state;
	assert_path(STRINGS("PATH=/a:/b"), "/a:/b");
	assert_path(STRINGS("A=b"), DEFAULT_PATH);
	assert_path(STRINGS("PATHS=/x", "XPATH=/x", "PATH"), DEFAULT_PATH);
	assert_path(STRINGS("PATH=/a", "PATH=/b"), "/b");
	assert_path(STRINGS("PATH="), "");
}

/* ---- one flag each ---- */

static void each_flag_comes_from_its_field_alone(void **state)
{
	const struct {
		struct spec_process process;
		uint32_t flags;
	} cases[] = {
	    {{.terminal = true}, PLAN_TERMINAL},
	    {{.no_new_privileges = true}, PLAN_NO_NEW_PRIVS},
	    {{.user.umask_set = true, .user.umask = 0}, PLAN_UMASK},
	    {{.user.umask = 0077}, 0},
	    {{.console_height = 24}, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_process process = cases[i].process;
		struct mapped mapped;

		process.args = STRINGS("true");
		compile_and_seal(&process, &mapped);
		assert_int_equal(mapped.plan->flags,
				 cases[i].flags | PLAN_CAPABILITIES | PLAN_SET_HOME);
		unmap(&mapped);
	}
}

/* ---- labels ---- */

static void assert_label_refused(const struct spec_process *process, const char *field)
{
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	plan_buffer_init(&buffer);
	assert_int_equal(process_compile(process, true, NULL, &buffer, &err), -1);
	if (strncmp(err.message, field, strlen(field)) != 0)
		fail_msg("%s", err.message);
	error_clear(&err);
}

static void a_label_that_the_host_can_not_apply_is_refused_by_its_field(void **state)
{
	struct spec_process process = {.args = STRINGS("true")};
	bool tried = false;

	(void)state;
	if (access("/sys/module/apparmor/parameters/enabled", F_OK) < 0) {
		process.apparmor_profile = (char *)"docker-default";
		assert_label_refused(&process, "process.apparmorProfile: \"docker-default\"");
		process.apparmor_profile = NULL;
		tried = true;
	}
	if (access("/sys/fs/selinux/enforce", F_OK) < 0) {
		process.selinux_label = (char *)"system_u:system_r:container_t:s0";
		assert_label_refused(&process, "process.selinuxLabel: \"system_u:");
		tried = true;
	}
	if (!tried) {
		print_message("skipped: this host has both AppArmor and SELinux\n");
		skip();
	}
}

static void a_mount_label_takes_selinux(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(process_check_mount_label(NULL, &err), 0);
	assert_int_equal(process_check_mount_label("a\"b", &err), -1);
	assert_non_null(strstr(err.message, "linux.mountLabel: "));
	error_clear(&err);
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		return;
	assert_int_equal(process_check_mount_label("a:b:c", &err), -1);
	assert_string_equal(
	    err.message, "linux.mountLabel: \"a:b:c\" is asked for, but this host has no SELinux");
	error_clear(&err);
}

static void labels_that_ask_for_nothing_are_none(void **state)
{
	const struct spec_process process = {
	    .args = STRINGS("true"), .apparmor_profile = (char *)"", .selinux_label = (char *)""};
	struct mapped mapped;

	(void)state;
	compile_and_seal(&process, &mapped);
	assert_int_equal(mapped.plan->apparmor, 0);
	assert_int_equal(mapped.plan->selinux, 0);
	unmap(&mapped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fresh_plan_has_no_descriptors_but_the_streams),
	    cmocka_unit_test(a_string_that_is_absent_is_zero_and_an_empty_one_is_not),
	    cmocka_unit_test(an_empty_list_takes_no_room),
	    cmocka_unit_test(everything_stays_where_it_is_while_the_block_grows),
	    cmocka_unit_test(lists_are_aligned_for_their_widest_member),
	    cmocka_unit_test(a_plan_that_memory_ran_out_for_is_not_sealed),
	    cmocka_unit_test(a_plan_without_a_block_takes_writes),
	    cmocka_unit_test(nobody_can_change_a_sealed_plan),
	    cmocka_unit_test(a_sealed_plan_knows_its_size_and_is_closed_on_exec),
	    cmocka_unit_test(inits_program_is_whole_sealed_and_executable),
	    cmocka_unit_test(every_field_of_a_process_is_in_the_plan),
	    cmocka_unit_test(a_process_with_nothing_starts_in_the_root_as_root),
	    cmocka_unit_test(home_is_looked_up_only_where_the_environment_has_none),
	    cmocka_unit_test(of_a_variable_that_is_there_twice_the_last_is_kept),
	    cmocka_unit_test(the_search_path_is_the_environments_or_the_default),
	    cmocka_unit_test(each_flag_comes_from_its_field_alone),
	    cmocka_unit_test(a_label_that_the_host_can_not_apply_is_refused_by_its_field),
	    cmocka_unit_test(a_mount_label_takes_selinux),
	    cmocka_unit_test(labels_that_ask_for_nothing_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
