/* SPDX-License-Identifier: Apache-2.0 */
/* base/message.h, over real sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	return close(pair[1]);
}

static int open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void bytes_alone(void **state)
{
	struct message_extra extra = {0};
	char text[8];

	(void)state;
	assert_int_equal(message_send(pair[0], "abc", 3, NULL, 0), 3);
	assert_int_equal(message_receive(pair[1], text, sizeof(text), 0, &extra), 3);
	assert_memory_equal(text, "abc", 3);
	assert_int_equal(extra.count, 0);
	assert_int_equal(extra.pid, 0);
	assert_false(extra.is_cut);
}

static void a_descriptor_comes_with_close_on_exec(void **state)
{
	int fd = open_null(), got;
	struct stat sent, received;
	char byte;

	(void)state;
	assert_int_equal(message_send(pair[0], "x", 1, &fd, 1), 1);
	assert_int_equal(message_receive_one(pair[1], &byte, 1, 0, &got), 1);
	assert_int_equal(fstat(fd, &sent), 0);
	assert_int_equal(fstat(got, &received), 0);
	assert_true(sent.st_rdev == received.st_rdev && sent.st_ino == received.st_ino);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	close(got);
	close(fd);
}

static void none_came(void **state)
{
	char byte;
	int got = 7;

	(void)state;
	assert_int_equal(message_send(pair[0], "x", 1, NULL, 0), 1);
	assert_int_equal(message_receive_one(pair[1], &byte, 1, 0, &got), 1);
	assert_int_equal(got, -1);
}

static void as_many_as_the_kernel_takes(void **state)
{
	int fds[MESSAGE_FDS_MAX + 1], got[MESSAGE_FDS_MAX];
	struct message_extra extra = {.fds = got, .fds_max = MESSAGE_FDS_MAX};
	int null = open_null();
	char byte;

	(void)state;
	for (size_t i = 0; i <= MESSAGE_FDS_MAX; i++)
		fds[i] = null;
	assert_int_equal(message_send(pair[0], "x", 1, fds, MESSAGE_FDS_MAX + 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(message_send(pair[0], "x", 1, fds, MESSAGE_FDS_MAX), 1);
	assert_int_equal(message_receive(pair[1], &byte, 1, 0, &extra), 1);
	assert_int_equal(extra.count, MESSAGE_FDS_MAX);
	for (size_t i = 0; i < extra.count; i++)
		assert_int_equal(close(got[i]), 0);
	close(null);
}

static void what_nobody_has_room_for_is_closed(void **state)
{
	int fds[3], got[2], before;
	struct message_extra extra = {.fds = got, .fds_max = 2};
	char byte;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		fds[i] = open_null();
	before = count_open();
	assert_int_equal(message_send(pair[0], "x", 1, fds, 3), 1);
	assert_int_equal(message_receive(pair[1], &byte, 1, 0, &extra), 1);
	assert_int_equal(extra.count, 2);
	assert_int_equal(count_open(), before + 2);
	close(got[0]);
	close(got[1]);
	/* Where there is room for one, the kernel would let a second in. */
	assert_int_equal(message_send(pair[0], "x", 1, fds, 3), 1);
	assert_int_equal(message_receive_one(pair[1], &byte, 1, 0, &got[0]), 1);
	assert_int_equal(count_open(), before + 1);
	close(got[0]);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
}

/* All of a message's, or none. */
static void more_than_this_process_may_have(void **state)
{
	int fds[2], got[2], before;
	struct message_extra extra = {.fds = got, .fds_max = 2};
	struct rlimit limit, lower;
	char byte;

	(void)state;
	fds[0] = open_null();
	fds[1] = open_null();
	assert_int_equal(message_send(pair[0], "x", 1, fds, 2), 1);
	close(fds[1]);
	before = count_open();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	lower = (struct rlimit){(rlim_t)fds[1] + 1, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lower), 0);
	assert_int_equal(message_receive(pair[1], &byte, 1, 0, &extra), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(extra.count, 0);
	assert_int_equal(count_open(), before);
	close(fds[0]);
}

static void who_sent_it(void **state)
{
	struct message_extra extra = {0};
	int on = 1;
	char byte;

	(void)state;
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(message_send(pair[0], "x", 1, NULL, 0), 1);
	assert_int_equal(message_receive(pair[1], &byte, 1, 0, &extra), 1);
	assert_int_equal(extra.pid, getpid());
}

static void one_that_is_longer_is_said_to_be_cut(void **state)
{
	struct message_extra extra = {0};
	char text[2];

	(void)state;
	assert_int_equal(message_send(pair[0], "abc", 3, NULL, 0), 3);
	assert_int_equal(message_receive(pair[1], text, sizeof(text), 0, &extra), 2);
	assert_true(extra.is_cut);
}

static void nothing_there_yet(void **state)
{
	char byte;
	int got = 7;

	(void)state;
	assert_int_equal(message_receive_one(pair[1], &byte, 1, MSG_DONTWAIT, &got), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(got, -1);
}

/* SIGPIPE would end this program. */
static void an_end_that_is_closed(void **state)
{
	char byte;
	int got = 7;

	(void)state;
	close(pair[0]);
	assert_int_equal(message_receive_one(pair[1], &byte, 1, 0, &got), 0);
	assert_int_equal(got, -1);
	assert_int_equal(message_send(pair[1], "x", 1, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	pair[0] = open_null();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(bytes_alone),
	    TEST(a_descriptor_comes_with_close_on_exec),
	    TEST(none_came),
	    TEST(as_many_as_the_kernel_takes),
	    TEST(what_nobody_has_room_for_is_closed),
	    TEST(more_than_this_process_may_have),
	    TEST(who_sent_it),
	    TEST(one_that_is_longer_is_said_to_be_cut),
	    TEST(nothing_there_yet),
	    TEST(an_end_that_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
