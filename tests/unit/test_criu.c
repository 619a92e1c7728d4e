/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU's messages, its log, and mountinfo, which checkpoint reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "criu/internal.h"

static void assert_bytes(const struct criu_options *message, const char *bytes, size_t size)
{
	assert_false(message->failed);
	assert_int_equal(message->size, size);
	assert_memory_equal(message->data, bytes, size);
}

/* By hand from rpc.proto and protobuf's encoding. */
static void options_are_written_as_protobuf_has_them(void **state)
{
	static const char want[] = "\x08\x07"			      /* images_dir_fd = 7 */
				   "\x10\xac\x02"		      /* pid = 300 */
				   "\xb0\x02\x80\x80\x80\x80\x04"     /* empty_ns = 0x40000000 */
				   "\x6a\x02/r"			      /* root = "/r" */
				   "\xba\x01\x08\x0a\x02/a\x12\x02/b" /* ext_mnt {"/a" "/b"} */
				   "\xda\x01\x05\x0a\x01k\x10\x02";   /* inherit_fd {"k" 2} */
	cleanup_criu_options struct criu_options options = {0};

	(void)state;
	criu_add_number(&options, CRIU_IMAGES_DIR_FD, 7);
	criu_add_number(&options, CRIU_PID, 300);
	criu_add_number(&options, CRIU_EMPTY_NS, 0x40000000);
	criu_add_text(&options, CRIU_ROOT, "/r");
	criu_add_pair(&options, CRIU_EXT_MNT, "/a", "/b");
	criu_add_text_number(&options, CRIU_INHERIT_FD, "k", 2);
	assert_bytes(&options, want, sizeof(want) - 1);
}

static void a_request_holds_its_options(void **state)
{
	cleanup_criu_options struct criu_options options = {0}, message = {0}, features = {0};

	(void)state;
	criu_add_number(&options, CRIU_PID, 1);
	criu_request(&message, CRIU_DUMP, &options);
	assert_bytes(&message, "\x08\x01\x12\x02\x10\x01", 6);
	criu_request(&features, CRIU_FEATURE_CHECK, NULL);
	assert_bytes(&features, "\x08\x09\x2a\x04\x08\x01\x10\x01", 8);
}

static void responses_are_read(void **state)
{
	static const char version[] = "\x08\x0a\x10\x01\x52\x06\x08\x03\x10\x11\x20\x01";
	static const char event[] = "\x08\x06\x10\x01\x2a\x09\x0a\x05hello\x10\x2a";
	static const char failure[] = "\x08\x01\x10\x00\x38\x16\x4a\x04oops";
	struct criu_response response;

	(void)state;
	assert_int_equal(criu_response_parse(version, sizeof(version) - 1, &response), 0);
	assert_int_equal(response.version, 31701);
	assert_true(response.success);
	assert_int_equal(criu_response_parse(event, sizeof(event) - 1, &response), 0);
	assert_int_equal(response.type, CRIU_NOTIFY);
	assert_string_equal(response.event, "hello");
	assert_int_equal(response.pid, 42);
	assert_int_equal(criu_response_parse(failure, sizeof(failure) - 1, &response), 0);
	assert_false(response.success);
	assert_int_equal(response.error, 22);
	assert_string_equal(response.message, "oops");
}

static void half_a_response_is_none(void **state)
{
	static const char event[] = "\x08\x06\x10\x01\x2a\x09\x0a\x05hello\x10\x2a";
	struct criu_response response;

	(void)state;
	assert_int_equal(criu_response_parse("", 0, &response), -1);
	/* Two and four bytes are whole fields. */
	for (size_t size = 1; size < sizeof(event) - 1; size++)
		if (size != 2 && size != 4)
			assert_int_equal(criu_response_parse(event, size, &response), -1);
	/* A number without an end, and a length beyond it. */
	assert_int_equal(
	    criu_response_parse("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, &response),
	    -1);
	assert_int_equal(
	    criu_response_parse("\x08\x06\x2a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12, &response),
	    -1);
}

static void assert_reason(const char *log, const char *want)
{
	char directory[] = "/tmp/runlxc-criu-XXXXXX", text[128] = "", path[64];
	cleanup_close int dir = -1;
	FILE *file;
	bool found;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(log, file);
	fclose(file);
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	found = criu_log_reason(dir, "log", text, sizeof(text));
	unlink(path);
	rmdir(directory);
	assert_int_equal(found, want != NULL);
	if (want)
		assert_string_equal(text, want);
}

static void the_reason_is_the_first_error_that_is_not_a_helpers(void **state)
{
	(void)state;
	assert_reason("(00.1) Dumping\n"
		      "(00.2) Error (criu/util.c:642): exited, status=1\n"
		      "(00.3)      1: Error (criu/mount.c:5): mnt: Can't mount\n"
		      "(00.4) Error (criu/cr-dump.c:9): Dumping FAILED.\n",
		      "mnt: Can't mount");
	assert_reason(
	    "(00.2) Error (criu/util.c:642): first\n(00.3) Error (criu/util.c:1): second\n",
	    "first");
	assert_reason("(00.1) Warn  (criu/a.c:1): nothing\n", NULL);
}

static void mounts_are_read_with_their_names_unescaped(void **state)
{
	cleanup_mountinfo struct mountinfo info = {0};
	struct error err = ERROR_INIT;
	bool root = false;

	(void)state;
	assert_int_equal(mountinfo_read(0, &info, &err), 0);
	for (size_t i = 0; i < info.count; i++) {
		assert_true(info.mounts[i].id > 0);
		assert_null(strstr(info.mounts[i].point, "\\040"));
		root |= strcmp(info.mounts[i].point, "/") == 0;
	}
	assert_true(root);
}

static void no_process_has_no_mounts(void **state)
{
	struct error err = ERROR_INIT;
	struct mountinfo info;

	(void)state;
	assert_int_equal(mountinfo_read(0x7fffffff, &info, &err), -1);
	assert_non_null(strstr(error_text(&err), "mountinfo"));
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_are_written_as_protobuf_has_them),
	    cmocka_unit_test(a_request_holds_its_options),
	    cmocka_unit_test(responses_are_read),
	    cmocka_unit_test(half_a_response_is_none),
	    cmocka_unit_test(the_reason_is_the_first_error_that_is_not_a_helpers),
	    cmocka_unit_test(mounts_are_read_with_their_names_unescaped),
	    cmocka_unit_test(no_process_has_no_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
