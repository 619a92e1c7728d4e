/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HOME from the container's passwd file, which is an image's and so may be anything. Each test's
 * file is read by a forked child whose root is the test's directory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "process/passwd.h"
#include "test_place.h"

#define MEGABYTE ((size_t)1024 * 1024)
#define NO_CHROOT 77

/* ---- an image ---- */

static int image_make(void **state)
{
	place_make(state);
	assert_int_equal(mkdirat(((struct place *)*state)->fd, "etc", 0755), 0);
	return 0;
}

static void write_passwd_bytes(const struct place *image, const void *data, size_t size)
{
	cleanup_close int fd =
	    openat(image->fd, "etc/passwd", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(path_write_all(fd, data, size), 0);
}

static void write_passwd(const struct place *image, const char *text)
{
	write_passwd_bytes(image, text, strlen(text));
}

/* ---- asked inside ---- */

/* What passwd_home() says in the image; freed by the caller. */
static char *home_in(const struct place *image, uint32_t uid)
{
	size_t have = 0, room = MEGABYTE;
	char *text = malloc(room + 1);
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *home;

		alarm(5); /* a test that hangs has failed */
		if ((geteuid() != 0 && unshare(CLONE_NEWUSER) < 0) || chroot(image->base) < 0 ||
		    chdir("/") < 0)
			_exit(NO_CHROOT);
		home = passwd_home(uid);
		_exit(path_write_all(ends[1], home, strlen(home)) < 0 ? 1 : 0);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + have, room - have)) > 0)
		have += (size_t)got;
	text[have] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_CHROOT) {
		free(text);
		print_message("skipped: needs root, or a user namespace, for chroot(2)\n");
		skip();
	}
	if (status != 0) {
		free(text);
		fail_msg("the child ended with %#x", (unsigned int)status);
	}
	return text;
}

static void assert_home(const struct place *image, uint32_t uid, const char *expected)
{
	cleanup_free char *home = home_in(image, uid);

	if (strcmp(home, expected) != 0)
		fail_msg("uid %u: %s, wanted %s", uid, home, expected);
}

/* ---- what is in the file ---- */

static void the_directory_is_the_sixth_field_of_the_users_line(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "root:x:0:0:root:/root:/bin/bash\n"
			    "daemon:*:1:1::/usr/sbin:/usr/sbin/nologin\n"
			    "app:x:1000:1000:A, B,,:/home/app:/bin/sh\n");
	assert_home(image, 0, "HOME=/root");
	assert_home(image, 1, "HOME=/usr/sbin");
	assert_home(image, 1000, "HOME=/home/app");
	/* Neither a prefix of a number, nor the group's. */
	assert_home(image, 100, "HOME=/");
	assert_home(image, 10000, "HOME=/");
}

static void of_several_lines_for_a_user_the_first_counts(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "a:x:7:7::/first:\nb:x:7:7::/second:\n");
	assert_home(image, 7, "HOME=/first");
}

static void the_last_line_needs_no_newline(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/srv/app:/bin/sh");
	assert_home(image, 1000, "HOME=/srv/app");
	write_passwd(image, "app:x:1000:1000::/srv/app");
	assert_home(image, 1000, "HOME=/srv/app");
	write_passwd(image, "app:x:1000:1000::/srv/app:");
	assert_home(image, 1000, "HOME=/srv/app");
}

static void fields_may_be_empty(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "::5:::/five:\n"
			    "six::6::::\n"
			    "seven:x::7:gecos:/seven:/bin/sh\n"
			    ":::::/none:\n");
	assert_home(image, 5, "HOME=/five");
	/* No directory: as if there were no line. */
	assert_home(image, 6, "HOME=/");
	assert_home(image, 7, "HOME=/");
	/* No uid is not the uid 0. */
	assert_home(image, 0, "HOME=/");
}

static void a_line_with_too_few_fields_is_none(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "\n\n:\na:x\nb:x:9\nc:x:9:9\nd:x:9:9:gecos\n# x:x:9\n+\n+::::::\n"
			    "e:x:9:9:gecos:/nine\n");
	assert_home(image, 9, "HOME=/nine");
}

static void more_fields_than_there_are_belong_to_the_last(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "a:x:9:9:gecos:/nine:/bin/sh:more:and:more\n");
	assert_home(image, 9, "HOME=/nine");
}

static void a_uid_that_is_no_number_is_nobodys(void **state)
{
	static const char *const uids[] = {"-1",
					   "-1000",
					   "1000x",
					   "x1000",
					   "0x3e8",
					   "1e3",
					   "1000 ",
					   "1000.0",
					   "4294968296",
					   "ten",
					   "99999999999999999999999",
					   "-18446744073709550616"};
	const struct place *image = *state;

	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		char text[200];

		snprintf(text, sizeof(text), "bad:x:%s:0::/bad:\ngood:x:1000:0::/good:\n", uids[i]);
		write_passwd(image, text);
		assert_home(image, 1000, "HOME=/good");
		assert_home(image, 4294967295U, "HOME=/");
		assert_home(image, 0, "HOME=/");
		assert_home(image, 1, "HOME=/");
	}
}

static void the_largest_uid_is_a_uid(void **state)
{
	const struct place *image = *state;

	write_passwd(image,
		     "last:x:4294967295:0::/last:\nlast-but-one:x:4294967294:0::/but-one:\n");
	assert_home(image, 4294967295U, "HOME=/last");
	assert_home(image, 4294967294U, "HOME=/but-one");
}

static void what_is_behind_a_nul_byte_is_not_seen(void **state)
{
	static const char text[] = "a:x:1:1::/one:\n\0b:x:2:2::/two:\n";
	const struct place *image = *state;

	write_passwd_bytes(image, text, sizeof(text) - 1);
	assert_home(image, 1, "HOME=/one");
	assert_home(image, 2, "HOME=/");
}

static void a_directory_may_be_long_and_of_any_bytes(void **state)
{
	const struct place *image = *state;
	cleanup_free char *text = malloc(100200), *expected = malloc(100200);
	char *at = text + sprintf(text, "a:x:1:1::/");

	memset(at, 'd', 100000);
	strcpy(at + 100000, ":/bin/sh\n");
	strcpy(expected, "HOME=/");
	memset(expected + 6, 'd', 100000);
	expected[100006] = '\0';
	write_passwd(image, text);
	assert_home(image, 1, expected);
	write_passwd(image, "a:x:1:1::relative dir\xff=%s\t:\n");
	assert_home(image, 1, "HOME=relative dir\xff=%s\t");
}

/* ---- what the file is ---- */

static void no_file_is_the_root_directory(void **state)
{
	const struct place *image = *state;

	assert_home(image, 0, "HOME=/");
	write_passwd(image, "");
	assert_home(image, 0, "HOME=/");
	assert_int_equal(unlinkat(image->fd, "etc/passwd", 0), 0);
	assert_int_equal(unlinkat(image->fd, "etc", AT_REMOVEDIR), 0);
	assert_home(image, 0, "HOME=/");
}

static void a_pipe_does_not_hang_anybody(void **state)
{
	const struct place *image = *state;
	int writer;

	assert_int_equal(mkfifoat(image->fd, "etc/passwd", 0644), 0);
	assert_home(image, 0, "HOME=/");
	/* Nor one that somebody has open and says nothing through. */
	writer = openat(image->fd, "etc/passwd", O_RDWR | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_home(image, 0, "HOME=/");
	close(writer);
}

static void a_directory_or_device_is_no_file(void **state)
{
	const struct place *image = *state;

	assert_int_equal(mkdirat(image->fd, "etc/passwd", 0755), 0);
	assert_home(image, 0, "HOME=/");
	assert_int_equal(unlinkat(image->fd, "etc/passwd", AT_REMOVEDIR), 0);
	if (mknodat(image->fd, "etc/passwd", S_IFCHR | 0666, makedev(1, 5)) < 0) {
		print_message("skipped: may not make a device\n");
		skip();
	}
	assert_home(image, 0, "HOME=/");
}

static void a_symlink_is_followed_inside_the_image(void **state)
{
	const struct place *image = *state;

	write_passwd(image, "root:x:0:0::/linked:\n");
	assert_int_equal(renameat(image->fd, "etc/passwd", image->fd, "real"), 0);
	assert_int_equal(symlinkat("/real", image->fd, "etc/passwd"), 0);
	assert_home(image, 0, "HOME=/linked");
	assert_int_equal(unlinkat(image->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("passwd", image->fd, "etc/passwd"), 0);
	assert_home(image, 0, "HOME=/");
}

static void a_file_of_up_to_a_megabyte_is_read(void **state)
{
	static const char first[] = "a:x:1:1::/first:\n", last[] = "b:x:2:2::/last:\n";
	const struct place *image = *state;
	cleanup_free char *text = malloc(MEGABYTE + 1);

	memset(text, '\n', MEGABYTE + 1);
	memcpy(text, first, strlen(first));
	memcpy(text + MEGABYTE - strlen(last), last, strlen(last));
	write_passwd_bytes(image, text, MEGABYTE);
	assert_home(image, 1, "HOME=/first");
	assert_home(image, 2, "HOME=/last");
	/* A byte more, and it is none that an image would have. */
	write_passwd_bytes(image, text, MEGABYTE + 1);
	assert_home(image, 1, "HOME=/");
}

static void a_file_as_large_as_a_disk_takes_no_time(void **state)
{
	const struct place *image = *state;
	cleanup_close int fd = -1;

	write_passwd(image, "a:x:1:1::/first:\n");
	fd = openat(image->fd, "etc/passwd", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_home(image, 1, "HOME=/");
}

#define IN_IMAGE(test) cmocka_unit_test_setup_teardown(test, image_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_IMAGE(the_directory_is_the_sixth_field_of_the_users_line),
	    IN_IMAGE(of_several_lines_for_a_user_the_first_counts),
	    IN_IMAGE(the_last_line_needs_no_newline),
	    IN_IMAGE(fields_may_be_empty),
	    IN_IMAGE(a_line_with_too_few_fields_is_none),
	    IN_IMAGE(more_fields_than_there_are_belong_to_the_last),
	    IN_IMAGE(a_uid_that_is_no_number_is_nobodys),
	    IN_IMAGE(the_largest_uid_is_a_uid),
	    IN_IMAGE(what_is_behind_a_nul_byte_is_not_seen),
	    IN_IMAGE(a_directory_may_be_long_and_of_any_bytes),
	    IN_IMAGE(no_file_is_the_root_directory),
	    IN_IMAGE(a_pipe_does_not_hang_anybody),
	    IN_IMAGE(a_directory_or_device_is_no_file),
	    IN_IMAGE(a_symlink_is_followed_inside_the_image),
	    IN_IMAGE(a_file_of_up_to_a_megabyte_is_read),
	    IN_IMAGE(a_file_as_large_as_a_disk_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
