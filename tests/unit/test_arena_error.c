/* SPDX-License-Identifier: Apache-2.0 */
/* The arena, the error and the log: what every other room stands on. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"

/* The sanitizer must let malloc() fail, as it does outside of it. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* ---- the arena ---- */

static void every_piece_is_zeroed_and_aligned_for_anything(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	for (size_t size = 1; size < 300; size++) {
		unsigned char *piece = arena_alloc(&arena, 1, size);

		assert_non_null(piece);
		assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(piece[i], 0);
		memset(piece, 0xff, size);
	}
	arena_free(&arena);
}

static void pieces_do_not_overlap(void **state)
{
	struct arena arena = ARENA_INIT;
	unsigned char *pieces[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		pieces[i] = arena_alloc(&arena, i + 1, 3);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)i, (i + 1) * 3);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		for (size_t k = 0; k < (i + 1) * 3; k++)
			assert_int_equal(pieces[i][k], i);
	}
	arena_free(&arena);
}

static void a_piece_larger_than_a_block_is_whole(void **state)
{
	struct arena arena = ARENA_INIT;
	size_t size = (size_t)1024 * 1024;
	char *small = arena_strdup(&arena, "before"), *large = arena_alloc(&arena, size, 1);
	char *after = arena_strdup(&arena, "after");

	(void)state;
	assert_non_null(large);
	memset(large, 'x', size);
	assert_string_equal(small, "before");
	assert_string_equal(after, "after");
	arena_free(&arena);
}

static void a_piece_of_nothing_is_a_pointer(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	assert_non_null(arena_alloc(&arena, 0, 8));
	assert_non_null(arena_alloc(&arena, 8, 0));
	arena_free(&arena);
}

static void a_size_that_overflows_is_refused(void **state)
{
	static const struct {
		size_t count, size;
	} cases[] = {
	    {SIZE_MAX, 2},	{2, SIZE_MAX},	   {SIZE_MAX / 8 + 1, 8}, {SIZE_MAX, 1},
	    {1, SIZE_MAX - 15}, {SIZE_MAX / 2, 1}, /* no overflow, and no machine has it */
	};
	struct arena arena = ARENA_INIT;
	char *text = arena_strdup(&arena, "still there");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_null(arena_alloc(&arena, cases[i].count, cases[i].size));
	assert_string_equal(text, "still there");
	assert_non_null(arena_alloc(&arena, 1, 1));
	arena_free(&arena);
}

static void copies_and_formats_text(void **state)
{
	struct arena arena = ARENA_INIT;
	cleanup_free char *long_text = malloc(40001);
	char original[] = "text", *copy = arena_strdup(&arena, original);

	(void)state;
	memset(original, 'x', 4);
	assert_string_equal(copy, "text");
	assert_string_equal(arena_strdup(&arena, ""), "");
	assert_string_equal(arena_printf(&arena, "%s[%d]", "mounts", 3), "mounts[3]");
	memset(long_text, 'a', 40000);
	long_text[40000] = '\0';
	assert_string_equal(arena_printf(&arena, "%s", long_text), long_text);
	arena_free(&arena);
}

static void can_be_used_again_once_it_is_freed(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	arena_free(&arena);
	assert_non_null(arena_strdup(&arena, "one"));
	arena_free(&arena);
	assert_null(arena.first);
	assert_string_equal(arena_strdup(&arena, "two"), "two");
	arena_free(&arena);
}

/* ---- the error ---- */

static void an_error_is_its_message_and_minus_one(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&err, "%s: is %d", "root.path", 3), -1);
	assert_string_equal(err.message, "root.path: is 3");
	assert_int_equal(err.errnum, 0);
	error_clear(&err);
	assert_null(err.message);
}

static void the_text_of_errno_starts_with_a_small_letter(void **state)
{
	static const struct {
		int errnum;
		const char *text;
	} cases[] = {
	    {ENOENT, "no such file or directory"},
	    {EACCES, "permission denied"},
	    {ENOTDIR, "not a directory"},
	    {EIO, "input/output error"},
	    {EADV, "advertise error"},
	    {ESRMNT, "srmount error"},
	    {0, "success"},
	    {99999, "unknown error"},
	    {-1, "unknown error"},
	    /* A word of capital letters stays one. */
	    {EDOTDOT, "RFS specific error"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		char expected[80];

		snprintf(expected, sizeof(expected), "open \"x\": %s", cases[i].text);
		assert_int_equal(error_errno(&err, cases[i].errnum, "open \"%s\"", "x"), -1);
		assert_string_equal(err.message, expected);
		assert_int_equal(err.errnum, cases[i].errnum);
		error_clear(&err);
	}
}

static void context_goes_in_front_and_the_rest_stays(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_errno(&err, ENOENT, "\"sh\"");
	err.exit_code = 127;
	assert_int_equal(error_prefix(&err, "args[%d]", 0), -1);
	assert_int_equal(error_prefix(&err, "process"), -1);
	assert_string_equal(err.message, "process: args[0]: \"sh\": no such file or directory");
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(err.exit_code, 127);
	error_clear(&err);
	assert_int_equal(err.errnum, 0);
	assert_int_equal(err.exit_code, 0);
}

static void the_last_error_replaces_the_one_before(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_errno(&err, EPERM, "first");
	error_set(&err, "second, after \"%s\"", err.message);
	assert_string_equal(err.message, "second, after \"first: operation not permitted\"");
	assert_int_equal(err.errnum, 0);
	error_clear(&err);
}

static void no_message_is_a_lack_of_memory(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_string_equal(error_text(&err), "out of memory");
	error_prefix(&err, "mounts[0]");
	assert_string_equal(error_text(&err), "mounts[0]: out of memory");
	error_clear(&err);
	error_clear(&err);
}

static void per_cent_signs_in_a_name_are_just_text(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_errno(&err, ENOENT, "\"%s\"", "%s%n%d");
	error_prefix(&err, "%s", "%x");
	assert_string_equal(err.message, "%x: \"%s%n%d\": no such file or directory");
	error_clear(&err);
}

/* ---- the log ---- */

struct sink {
	int lines;
	enum log_level level;
	char text[300];
};

static void sink_write(void *data, enum log_level level, const char *message)
{
	struct sink *sink = data;

	sink->lines++;
	sink->level = level;
	snprintf(sink->text, sizeof(sink->text), "%s", message);
}

static void the_log_passes_on_what_is_not_above_its_level(void **state)
{
	struct sink sink = {0};
	struct log log = {sink_write, &sink, LOG_LEVEL_WARNING};

	(void)state;
	log_info(&log, "not made");
	log_debug(&log, "not made");
	assert_int_equal(sink.lines, 0);
	log_warning(&log, "%s: %d", "made", 1);
	assert_int_equal(sink.lines, 1);
	assert_int_equal(sink.level, LOG_LEVEL_WARNING);
	assert_string_equal(sink.text, "made: 1");
	log_message(&log, LOG_LEVEL_ERROR, "%s", "%s");
	assert_int_equal(sink.lines, 2);
	assert_int_equal(sink.level, LOG_LEVEL_ERROR);
	assert_string_equal(sink.text, "%s");
}

static void without_a_sink_nothing_is_said(void **state)
{
	struct log log = {NULL, NULL, LOG_LEVEL_DEBUG};

	(void)state;
	log_warning(NULL, "nobody");
	log_warning(&log, "nobody");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_piece_is_zeroed_and_aligned_for_anything),
	    cmocka_unit_test(pieces_do_not_overlap),
	    cmocka_unit_test(a_piece_larger_than_a_block_is_whole),
	    cmocka_unit_test(a_piece_of_nothing_is_a_pointer),
	    cmocka_unit_test(a_size_that_overflows_is_refused),
	    cmocka_unit_test(copies_and_formats_text),
	    cmocka_unit_test(can_be_used_again_once_it_is_freed),
	    cmocka_unit_test(an_error_is_its_message_and_minus_one),
	    cmocka_unit_test(the_text_of_errno_starts_with_a_small_letter),
	    cmocka_unit_test(context_goes_in_front_and_the_rest_stays),
	    cmocka_unit_test(the_last_error_replaces_the_one_before),
	    cmocka_unit_test(no_message_is_a_lack_of_memory),
	    cmocka_unit_test(per_cent_signs_in_a_name_are_just_text),
	    cmocka_unit_test(the_log_passes_on_what_is_not_above_its_level),
	    cmocka_unit_test(without_a_sink_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
