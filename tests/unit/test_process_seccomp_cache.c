/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters under ROOT/@seccomp: used again, and never anything else used in their place.
 * What a filter in the cache is worth is seen by changing it: whoever gets the change back has read
 * the cache.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "process/process.h"
#include "process/seccomp_cache.h"
#include "spec/read.h"
#include "test_place.h"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

#define TEXT(text) ((char *)(uintptr_t)(text))

/* ---- a state root ---- */

/* How many files are in `directory`, and the last one's path below the root. */
static int files_in(const struct place *root, const char *directory, char last[64])
{
	int fd = openat(root->fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (last)
			snprintf(last, 64, "%.20s/%.40s", directory, entry->d_name);
	}
	if (list)
		closedir(list);
	return count;
}

static void only_file(const struct place *root, char path[64])
{
	assert_int_equal(files_in(root, "@seccomp", path), 1);
}

/* ---- a profile and its filter ---- */

static struct spec_seccomp_rule one_rule = {.action = (char *)"SCMP_ACT_ERRNO"};

/* Denies one call. There is one such profile at a time. */
static struct spec_seccomp profile(const char *call)
{
	static const char *names[2];

	names[0] = call;
	one_rule.names = (struct spec_strings){1, (char **)names};
	return (struct spec_seccomp){.set = true,
				     .default_action = TEXT("SCMP_ACT_ALLOW"),
				     .syscalls = &one_rule,
				     .syscalls_count = 1};
}

struct filter {
	struct plan_buffer buffer;
	const struct sock_filter *items;
	size_t count;
};

/* No assertion in here: it runs in children, too. */
static int try_compile(const struct spec_seccomp *seccomp, int cache, struct filter *filter,
		       struct error *err)
{
	plan_buffer_init(&filter->buffer);
	if (process_compile_seccomp(seccomp, cache, NULL, &filter->buffer, err) < 0)
		return -1;
	filter->count = plan_head(&filter->buffer)->seccomp.count;
	filter->items =
	    (const void *)(filter->buffer.data + plan_head(&filter->buffer)->seccomp.offset);
	return 0;
}

static struct filter compile(const struct spec_seccomp *seccomp, int cache)
{
	struct filter filter;
	struct error err = ERROR_INIT;

	if (try_compile(seccomp, cache, &filter, &err) < 0)
		fail_msg("%s", error_text(&err));
	assert_true(filter.count > 0);
	return filter;
}

static bool is_same(const struct filter *a, const struct filter *b)
{
	return a->count == b->count &&
	       memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0;
}

/* The filter that comes with this cache is the one that comes without. */
static void assert_right(const struct place *root, const struct spec_seccomp *seccomp)
{
	struct filter cached = compile(seccomp, root->fd), compiled = compile(seccomp, -1);
	bool same = is_same(&cached, &compiled);

	plan_buffer_free(&cached.buffer);
	plan_buffer_free(&compiled.buffer);
	assert_true(same);
}

/* ---- a cached file ---- */

struct content {
	char *data;
	size_t size;
};

static struct content read_content(const struct place *root, const char *path)
{
	struct error err = ERROR_INIT;
	struct content content;

	content.data = path_read_file(root->fd, path, (size_t)1 << 20, &content.size, path, &err);
	assert_non_null(content.data);
	return content;
}

static void write_content(const struct place *root, const char *path, const void *data, size_t size)
{
	cleanup_close int fd =
	    openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(path_write_all(fd, data, size), 0);
}

/* Puts a filter of ours into the cache as this profile's: one that only returns `mark`. */
static void mark(const struct place *root, const struct spec_seccomp *seccomp, uint32_t value)
{
	const struct sock_filter marker = BPF_STMT(BPF_RET | BPF_K, value);
	struct seccomp_key key;

	seccomp_key_make(&key, seccomp);
	assert_non_null(key.data);
	assert_int_equal(seccomp_cache_store(root->fd, &key, &marker, 1), 0);
	seccomp_key_free(&key);
}

static bool is_marked(const struct place *root, const struct spec_seccomp *seccomp, uint32_t value)
{
	struct filter filter = compile(seccomp, root->fd);
	bool marked = filter.count == 1 && filter.items[0].k == value;

	plan_buffer_free(&filter.buffer);
	return marked;
}

/* ---- used again ---- */

static void a_profile_is_compiled_once(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct stat before, after;
	char path[64];

	assert_right(root, &seccomp);
	only_file(root, path);
	assert_int_equal(fstatat(root->fd, path, &before, AT_SYMLINK_NOFOLLOW), 0);
	assert_right(root, &seccomp);
	only_file(root, path);
	/* Not written again: a new one is a new file. */
	assert_int_equal(fstatat(root->fd, path, &after, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	mark(root, &seccomp, 4711);
	assert_true(is_marked(root, &seccomp, 4711));
}

static void only_its_owner_can_read_the_cache(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct stat st;
	char path[64];

	assert_right(root, &seccomp);
	assert_int_equal(fstatat(root->fd, "@seccomp", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	only_file(root, path);
	assert_int_equal(fstatat(root->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void assert_another(const struct seccomp_key *key, const struct spec_seccomp *changed)
{
	struct seccomp_key other;

	seccomp_key_make(&other, changed);
	assert_true(key->size != other.size || memcmp(key->data, other.data, key->size) != 0);
	assert_true(key->hash != other.hash);
	seccomp_key_free(&other);
}

#define ASSERT_MAKES_ANOTHER(field, changed)                                                       \
	do {                                                                                       \
		__typeof__(field) old_ = field;                                                    \
		field = changed;                                                                   \
		assert_another(&key, &seccomp);                                                    \
		field = old_;                                                                      \
	} while (0)

static void every_detail_of_a_profile_makes_it_another(void **state)
{
	const struct spec_strings getppid_alone = STRINGS("getppid"),
				  getpgrp_alone = STRINGS("getpgrp"),
				  with_an_empty_one = STRINGS("getppid", ""),
				  x86 = STRINGS("SCMP_ARCH_X86");
	struct spec_seccomp_arg args[] = {{.index = 0, .value = 1, .op = TEXT("SCMP_CMP_EQ")},
					  {.index = 0, .value = 1, .op = TEXT("SCMP_CMP_EQ")}};
	struct spec_seccomp_rule rules[] = {
	    {.names = getppid_alone,
	     .action = TEXT("SCMP_ACT_ERRNO"),
	     .args = args,
	     .args_count = 1},
	    {.names = getpgrp_alone, .action = TEXT("SCMP_ACT_ERRNO")}};
	struct spec_seccomp seccomp = {.set = true,
				       .default_action = TEXT("SCMP_ACT_ALLOW"),
				       .syscalls = rules,
				       .syscalls_count = 1};
	struct seccomp_key key, same;

	(void)state;
	seccomp_key_make(&key, &seccomp);
	ASSERT_MAKES_ANOTHER(seccomp.default_action, TEXT("SCMP_ACT_LOG"));
	ASSERT_MAKES_ANOTHER(seccomp.default_errno_ret.set, true);
	ASSERT_MAKES_ANOTHER(seccomp.default_errno_ret.value, 1);
	ASSERT_MAKES_ANOTHER(seccomp.architectures, x86);
	ASSERT_MAKES_ANOTHER(seccomp.syscalls_count, 2);
	ASSERT_MAKES_ANOTHER(seccomp.syscalls_count, 0);
	ASSERT_MAKES_ANOTHER(rules[0].names, getpgrp_alone);
	ASSERT_MAKES_ANOTHER(rules[0].names, with_an_empty_one);
	ASSERT_MAKES_ANOTHER(rules[0].action, TEXT("SCMP_ACT_KILL"));
	ASSERT_MAKES_ANOTHER(rules[0].errno_ret.set, true);
	ASSERT_MAKES_ANOTHER(rules[0].args_count, 2);
	ASSERT_MAKES_ANOTHER(args[0].index, 1);
	ASSERT_MAKES_ANOTHER(args[0].value, 1ULL << 40);
	ASSERT_MAKES_ANOTHER(args[0].value_two, 1);
	ASSERT_MAKES_ANOTHER(args[0].op, TEXT("SCMP_CMP_NE"));
	ASSERT_MAKES_ANOTHER(args[0].op, NULL);

	/* Flags are not compiled: they are the kernel's at load time. */
	seccomp.flags = x86;
	seccomp_key_make(&same, &seccomp);
	assert_int_equal(key.size, same.size);
	assert_memory_equal(key.data, same.data, key.size);
	seccomp_key_free(&same);
	seccomp_key_free(&key);
}

static void without_a_cache_nothing_is_kept(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct filter filter = compile(&seccomp, -1);

	plan_buffer_free(&filter.buffer);
	assert_int_equal(files_in(root, ".", NULL), 0);
}

static void a_profile_that_does_not_compile_is_not_kept(void **state)
{
	const struct place *root = *state;
	struct spec_seccomp seccomp = profile("getppid");
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	seccomp.architectures = STRINGS("SCMP_ARCH_Z80");
	plan_buffer_init(&buffer);
	assert_int_equal(process_compile_seccomp(&seccomp, root->fd, NULL, &buffer, &err), -1);
	error_clear(&err);
	assert_int_equal(files_in(root, ".", NULL), 0);
}

/* ---- never anything else ---- */

static void a_file_that_was_cut_short_is_not_used(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct content content;
	char path[64];

	assert_right(root, &seccomp);
	only_file(root, path);
	content = read_content(root, path);
	for (size_t size = 0; size < content.size; size++) {
		write_content(root, path, content.data, size);
		assert_right(root, &seccomp);
	}
	/* It is whole again, by the last compilation. */
	assert_int_equal(files_in(root, "@seccomp", path), 1);
	free(content.data);
	content = read_content(root, path);
	content.data = realloc(content.data, content.size + 8);
	memset(content.data + content.size, 0, 8);
	write_content(root, path, content.data, content.size + 8);
	assert_right(root, &seccomp);
	free(content.data);
}

/* Any byte of it: of the head, of the profile, of the filter. */
static void a_file_with_a_wrong_byte_is_not_used(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct content content;
	char path[64];

	assert_right(root, &seccomp);
	only_file(root, path);
	content = read_content(root, path);
	for (size_t i = 0; i < content.size; i++) {
		content.data[i] ^= 0x10;
		write_content(root, path, content.data, content.size);
		content.data[i] ^= 0x10;
		assert_right(root, &seccomp);
	}
	free(content.data);
}

static void a_file_of_zeros_is_not_used(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	struct content content;
	char path[64];

	assert_right(root, &seccomp);
	only_file(root, path);
	content = read_content(root, path);
	memset(content.data, 0, content.size);
	write_content(root, path, content.data, content.size);
	assert_right(root, &seccomp);
	free(content.data);
}

/* As if the hashes of two profiles were the same. */
static void a_filter_of_another_profile_is_not_used(void **state)
{
	const struct place *root = *state;
	struct spec_seccomp seccomp = profile("getppid");
	char mine[64], path[64];
	struct content content;

	assert_right(root, &seccomp);
	only_file(root, mine);
	content = read_content(root, mine);
	assert_int_equal(unlinkat(root->fd, mine, 0), 0);
	/* Of the same length, too. */
	seccomp = profile("getpgrp");
	assert_right(root, &seccomp);
	only_file(root, path);
	assert_string_not_equal(path, mine);
	write_content(root, path, content.data, content.size);
	assert_right(root, &seccomp);
	assert_right(root, &seccomp);
	free(content.data);
}

static void a_file_that_is_not_ours_is_not_used(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	char path[64];

	if (geteuid() != 0) {
		print_message("skipped: only root can give a file away\n");
		skip();
	}
	mark(root, &seccomp, 4711);
	only_file(root, path);
	assert_true(is_marked(root, &seccomp, 4711));
	assert_int_equal(fchownat(root->fd, path, 65534, 65534, 0), 0);
	assert_right(root, &seccomp);
	assert_false(is_marked(root, &seccomp, 4711));
}

static void a_symlink_to_a_file_is_not_followed(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	char path[64];

	mark(root, &seccomp, 4711);
	only_file(root, path);
	assert_int_equal(renameat(root->fd, path, root->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("../elsewhere", root->fd, path), 0);
	assert_right(root, &seccomp);
	assert_int_equal(faccessat(root->fd, "elsewhere", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void a_cache_that_is_a_symlink_is_not_written_to(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");

	assert_int_equal(mkdirat(root->fd, "elsewhere", 0700), 0);
	assert_int_equal(symlinkat("elsewhere", root->fd, "@seccomp"), 0);
	assert_right(root, &seccomp);
	assert_int_equal(files_in(root, "elsewhere", NULL), 0);
}

static void a_cache_that_is_a_symlink_is_not_read_from(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");

	mark(root, &seccomp, 4711);
	assert_int_equal(renameat(root->fd, "@seccomp", root->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", root->fd, "@seccomp"), 0);
	assert_false(is_marked(root, &seccomp, 4711));
}

static void a_cache_directory_that_is_not_ours_is_not_used(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");

	if (geteuid() != 0) {
		print_message("skipped: only root can give a directory away\n");
		skip();
	}
	mark(root, &seccomp, 4711);
	assert_int_equal(fchownat(root->fd, "@seccomp", 65534, 65534, 0), 0);
	assert_false(is_marked(root, &seccomp, 4711));
}

static void a_cache_that_is_a_file_is_done_without(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");

	write_content(root, "@seccomp", "text", 4);
	assert_right(root, &seccomp);
	assert_int_equal(files_in(root, ".", NULL), 1);
}

/* Only its owner can make one there; but a start that hangs doesn't tell on what. */
static void a_pipe_in_the_cache_does_not_hang_anybody(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	char path[64];
	pid_t pid;
	int status;

	mark(root, &seccomp, 4711);
	only_file(root, path);
	assert_int_equal(unlinkat(root->fd, path, 0), 0);
	assert_int_equal(mkfifoat(root->fd, path, 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = ERROR_INIT;
		struct filter filter;

		alarm(2);
		_exit(try_compile(&seccomp, root->fd, &filter, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- room ---- */

static void a_full_cache_is_emptied(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	char path[64];

	assert_int_equal(mkdirat(root->fd, "@seccomp", 0700), 0);
	for (int i = 0; i < 63; i++) {
		snprintf(path, sizeof(path), "@seccomp/%016x", i);
		write_content(root, path, "", 0);
	}
	assert_right(root, &seccomp);
	assert_int_equal(files_in(root, "@seccomp", NULL), 64);
	mark(root, &seccomp, 4711);
	only_file(root, path);
	assert_true(is_marked(root, &seccomp, 4711));
}

static void a_cache_far_beyond_its_size_is_emptied(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	char path[64];

	assert_int_equal(mkdirat(root->fd, "@seccomp", 0700), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "@seccomp/tmp.%d", i);
		write_content(root, path, "left behind", 11);
	}
	assert_right(root, &seccomp);
	only_file(root, path);
	assert_right(root, &seccomp);
}

static void a_compilation_leaves_no_descriptor_open(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	assert_right(root, &seccomp);
	assert_right(root, &seccomp);
	mark(root, &seccomp, 4711);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(after, before + 1);
	close(after);
	close(before);
}

/* Uses the cache again and again, and now and then takes a file out of it. */
static bool gets_the_right_filter_each_time(const struct place *root,
					    const struct spec_seccomp *seccomp, int number)
{
	struct error err = ERROR_INIT;
	struct filter plain, cached;
	char path[64];

	if (try_compile(seccomp, -1, &plain, &err) < 0)
		return false;
	for (int i = 0; i < 30; i++) {
		if (try_compile(seccomp, root->fd, &cached, &err) < 0 || !is_same(&cached, &plain))
			return false;
		plan_buffer_free(&cached.buffer);
		if (i % 7 == number % 7 && files_in(root, "@seccomp", path) > 0)
			unlinkat(root->fd, path, 0);
	}
	return true;
}

static void many_that_start_at_once_all_get_the_right_filter(void **state)
{
	const struct place *root = *state;
	const struct spec_seccomp seccomp = profile("getppid");
	pid_t children[16];
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(gets_the_right_filter_each_time(root, &seccomp, (int)i) ? 0 : 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

/* ---- what it is good for ---- */

static double milliseconds(const struct spec_seccomp *seccomp, int cache, int times)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < times; i++) {
		struct filter filter = compile(seccomp, cache);

		plan_buffer_free(&filter.buffer);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((double)(end.tv_sec - begin.tv_sec) * 1e3 +
		(double)(end.tv_nsec - begin.tv_nsec) / 1e6) /
	       times;
}

static void dockers_default_profile_comes_faster_from_the_cache(void **state)
{
	const struct place *root = *state;
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = spec_read_oci_file(
	    AT_FDCWD, TEST_DATA "/engines/docker-config-1.json", "config.json", &err);
	double compiled, cached;

	if (!spec)
		fail_msg("%s", error_text(&err));
	assert_right(root, &spec->linux_.seccomp);
	compiled = milliseconds(&spec->linux_.seccomp, -1, 5);
	cached = milliseconds(&spec->linux_.seccomp, root->fd, 50);
	print_message("compiled: %.3f ms, from the cache: %.3f ms\n", compiled, cached);
	assert_true(cached < compiled);
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_ROOT(a_profile_is_compiled_once),
	    WITH_ROOT(only_its_owner_can_read_the_cache),
	    cmocka_unit_test(every_detail_of_a_profile_makes_it_another),
	    WITH_ROOT(without_a_cache_nothing_is_kept),
	    WITH_ROOT(a_profile_that_does_not_compile_is_not_kept),
	    WITH_ROOT(a_file_that_was_cut_short_is_not_used),
	    WITH_ROOT(a_file_with_a_wrong_byte_is_not_used),
	    WITH_ROOT(a_file_of_zeros_is_not_used),
	    WITH_ROOT(a_filter_of_another_profile_is_not_used),
	    WITH_ROOT(a_file_that_is_not_ours_is_not_used),
	    WITH_ROOT(a_symlink_to_a_file_is_not_followed),
	    WITH_ROOT(a_cache_that_is_a_symlink_is_not_written_to),
	    WITH_ROOT(a_cache_that_is_a_symlink_is_not_read_from),
	    WITH_ROOT(a_cache_directory_that_is_not_ours_is_not_used),
	    WITH_ROOT(a_cache_that_is_a_file_is_done_without),
	    WITH_ROOT(a_pipe_in_the_cache_does_not_hang_anybody),
	    WITH_ROOT(a_full_cache_is_emptied),
	    WITH_ROOT(a_cache_far_beyond_its_size_is_emptied),
	    WITH_ROOT(a_compilation_leaves_no_descriptor_open),
	    WITH_ROOT(many_that_start_at_once_all_get_the_right_filter),
	    WITH_ROOT(dockers_default_profile_comes_faster_from_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
