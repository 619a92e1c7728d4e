/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors over sockets. */
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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "console/console.h"
#include "test_console.h"

/* A listening socket at a path of `length` bytes below a new directory. */
static int listen_at(char *path, size_t length, char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_close int parent = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t used;

	strcpy(directory, "/tmp/runlxc-test-console.XXXXXX");
	assert_non_null(mkdtemp(directory));
	used = (size_t)sprintf(path, "%s/", directory);
	if (length > used)
		memset(path + used, 'd', length - used);
	path[length] = '\0';
	/* bind() has the same limit: it takes a name below a descriptor, as long as that fits. */
	parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (length < sizeof(address.sun_path)) {
		strcpy(address.sun_path, path);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	} else {
		sprintf(address.sun_path, "/proc/self/fd/%d/s", parent);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(renameat(parent, "s", AT_FDCWD, path), 0);
	}
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int receive_descriptor(int listener, char *name, size_t size)
{
	cleanup_close int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {name, size - 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t count;
	int fd;

	assert_true(connection >= 0);
	count = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	assert_true(count > 0);
	name[count] = '\0';
	assert_non_null(CMSG_FIRSTHDR(&message));
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	/* The connection is for that one message. */
	assert_int_equal(read(connection, name + count, 0), 0);
	return fd;
}

static void send_over_path(size_t length)
{
	struct error err = ERROR_INIT;
	char path[512], directory[64], name[64];
	int listener = listen_at(path, length, directory);
	int ends[2], received;
	char byte;

	assert_int_equal(strlen(path), length);
	make_pipe(ends);
	assert_int_equal(console_socket_send(path, ends[1], "/dev/ptmx", &err), 0);
	received = receive_descriptor(listener, name, sizeof(name));
	assert_string_equal(name, "/dev/ptmx");
	write_all(received, "x", 1);
	read_exactly(ends[0], &byte, 1);

	close(received);
	close(ends[0]);
	close(ends[1]);
	close(listener);
	unlink(path);
	rmdir(directory);
}

static void descriptor_is_sent_over_a_socket(void **state)
{
	send_over_path(60);
	send_over_path(107);
}

static void descriptor_is_sent_over_a_socket_with_a_long_path(void **state)
{
	send_over_path(108);
	send_over_path(200);
	send_over_path(280);
}

static void socket_that_is_not_there_is_named(void **state)
{
	struct error err = ERROR_INIT;
	char path[256];

	assert_int_equal(console_socket_send("/nonexistent/socket", 0, "x", &err), -1);
	assert_string_equal(error_text(&err), "connect to the socket \"/nonexistent/socket\": "
					      "no such file or directory");
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);

	memset(path, 'x', 255);
	path[0] = '/';
	path[255] = '\0';
	assert_int_equal(console_socket_send(path, 0, "x", &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	error_clear(&err);

	assert_int_equal(console_socket_send("", 0, "x", &err), -1);
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(descriptor_is_sent_over_a_socket),
	    cmocka_unit_test(descriptor_is_sent_over_a_socket_with_a_long_path),
	    cmocka_unit_test(socket_that_is_not_there_is_named),
	};

	/* Whatever hangs ends with the test: relays and programs die with their parents. */
	alarm(120);
	return cmocka_run_group_tests_name("console-sockets", tests, NULL, NULL);
}
