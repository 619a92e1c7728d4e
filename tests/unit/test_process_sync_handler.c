/* SPDX-License-Identifier: Apache-2.0 */
/* What init sends and asks for: its terminal, and the trees of the container's cgroups. */
#include "test_process_sync_talk.c"

#include <poll.h>

/* ---- TERMINAL ---- */

static int got_terminal(void *data, int master, struct error *err)
{
	(void)err;
	*(int *)data = master;
	return 0;
}

static int refuse_terminal(void *data, int master, struct error *err)
{
	(void)data;
	close(master);
	return error_set(err, "no, thanks");
}

static int sends_a_terminal(int sync)
{
	int fds[] = {open("/dev/zero", O_RDONLY)};

	say(sync, "T", 1, fds, 1);
	say_ready(sync);
	return 0;
}

static int sends_no_terminal(int sync)
{
	say_text(sync, "T");
	return 0;
}

static int sends_a_terminal_alone(int sync)
{
	int fds[] = {open("/dev/zero", O_RDONLY)};

	say(sync, "T", 1, fds, 1);
	return 0;
}

static void a_terminal_is_handed_over(void **state)
{
	int master = -1;
	const struct sync_handler handler = {.terminal = got_terminal, .data = &master};
	struct stat st, zero;

	(void)state;
	assert_int_equal(wait_ready(sends_a_terminal, &handler).result, 0);
	assert_true(master >= 0);
	assert_true(fcntl(master, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(master, &st), 0);
	assert_int_equal(stat("/dev/zero", &zero), 0);
	assert_true(st.st_rdev == zero.st_rdev);
	close(master);
}

static void a_terminal_that_does_not_come_or_is_not_wanted_is_an_error(void **state)
{
	int master = -1, before = open_descriptors();
	const struct sync_handler handler = {.terminal = got_terminal, .data = &master};
	const struct sync_handler unwilling = {.terminal = refuse_terminal};
	struct outcome outcome = wait_ready(sends_no_terminal, &handler);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init sent no terminal");
	assert_int_equal(master, -1);
	outcome = wait_ready(sends_a_terminal_alone, NULL);
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init sent no terminal");
	outcome = wait_ready(sends_a_terminal_alone, &unwilling);
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "no, thanks");
	assert_int_equal(open_descriptors(), before);
}

/* ---- CGROUPS ---- */

/* What `data` points to: how many, each a pipe whose reading end is sent. */
static int give_pipes(void *data, int *fds, size_t *count, struct error *err)
{
	(void)err;
	for (*count = 0; *count < *(size_t *)data; (*count)++) {
		char byte = (char)('a' + *count);
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], &byte, 1) != 1)
			_exit(96);
		close(ends[1]);
		fds[*count] = ends[0];
	}
	return 0;
}

static int give_one_and_fail(void *data, int *fds, size_t *count, struct error *err)
{
	(void)data;
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*count = 1;
	return error_errno(err, ENOENT, "a tree");
}

/* Asks, and says ready if what comes is as many pipes as it thinks, in their order. */
static int asks_for(int sync, size_t expected)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(SYNC_FDS_MAX * sizeof(int))];
	} control;
	char type = 0, byte;
	struct iovec data = {.iov_base = &type, .iov_len = 1};
	struct msghdr head = {.msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control)};
	struct cmsghdr *part;
	int fds[SYNC_FDS_MAX];

	say_text(sync, "C");
	if (recvmsg(sync, &head, 0) != 1 || type != SYNC_CGROUPS || head.msg_flags & MSG_CTRUNC)
		return 1;
	part = CMSG_FIRSTHDR(&head);
	if (!expected && part)
		return 2;
	if (expected && (!part || part->cmsg_type != SCM_RIGHTS ||
			 part->cmsg_len != CMSG_LEN(expected * sizeof(int))))
		return 3;
	if (expected)
		memcpy(fds, CMSG_DATA(part), expected * sizeof(int));
	for (size_t i = 0; i < expected; i++)
		if (read(fds[i], &byte, 1) != 1 || byte != (char)('a' + i))
			return 4;
	say_ready(sync);
	return 0;
}

static int asks_for_none(int sync)
{
	return asks_for(sync, 0);
}

static int asks_for_three(int sync)
{
	return asks_for(sync, 3);
}

static int asks_for_the_most(int sync)
{
	return asks_for(sync, SYNC_FDS_MAX);
}

static int asks_and_is_gone(int sync)
{
	say_text(sync, "C");
	return 0;
}

static int asks_and_waits(int sync)
{
	char byte;

	say_text(sync, "C");
	/* Nothing comes but the end. */
	return recv(sync, &byte, 1, 0) == 0 ? 0 : 1;
}

static void the_trees_of_the_cgroups_are_sent_and_closed(void **state)
{
	static const struct {
		init_function *init;
		size_t count;
	} cases[] = {{asks_for_none, 0}, {asks_for_three, 3}, {asks_for_the_most, SYNC_FDS_MAX}};
	int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t count = cases[i].count;
		const struct sync_handler handler = {.cgroups = give_pipes, .data = &count};
		struct outcome outcome = wait_ready(cases[i].init, &handler);

		if (outcome.result < 0)
			fail_msg("%s", outcome.message);
		assert_int_equal(outcome.ready, outcome.init);
		assert_int_equal(open_descriptors(), before);
	}
}

static void trees_that_can_not_be_had_are_an_error(void **state)
{
	const struct sync_handler handler = {.cgroups = give_one_and_fail};
	int before = open_descriptors();
	struct outcome outcome = wait_ready(asks_and_waits, &handler);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "a tree: no such file or directory");
	outcome = wait_ready(asks_and_waits, NULL);
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init asked for cgroups that it has no use for");
	assert_int_equal(open_descriptors(), before);
}

/* Also without SIGPIPE. */
static void an_init_that_does_not_wait_for_the_trees_is_an_error(void **state)
{
	size_t count = 1;
	const struct sync_handler handler = {.cgroups = give_pipes, .data = &count};
	int before = open_descriptors();
	struct outcome outcome = wait_ready(asks_and_is_gone, &handler);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_true(outcome.errnum == EPIPE || outcome.errnum == ECONNRESET);
	assert_int_equal(open_descriptors(), before);
}

static void say_failure(int sync)
{
	struct sync_error failure = {.type = SYNC_ERROR, .exit_code = 0};
	size_t length = offsetof(struct sync_error, text);

	strcpy(failure.text, "init's own words");
	say(sync, (const char *)&failure, length + strlen(failure.text), NULL, 0);
}

static int asks_fails_and_is_gone(int sync)
{
	say_text(sync, "C");
	say_text(sync, "Da step");
	say_failure(sync);
	return 0;
}

/* With the answer unread, so that its end is told before its words. */
static int asks_and_fails_when_answered(int sync)
{
	struct pollfd answer = {.fd = sync, .events = POLLIN};

	say_text(sync, "C");
	if (poll(&answer, 1, -1) != 1)
		return 1;
	say_failure(sync);
	return 0;
}

static void wait_for_the_end(void)
{
	siginfo_t info;

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

static int give_too_late(void *data, int *fds, size_t *count, struct error *err)
{
	wait_for_the_end();
	return give_pipes(data, fds, count, err);
}

static int fail_too_late(void *data, int *fds, size_t *count, struct error *err)
{
	wait_for_the_end();
	return give_one_and_fail(data, fds, count, err);
}

static void an_init_that_fails_after_it_has_asked_is_heard(void **state)
{
	size_t count = 1;
	const struct sync_handler late = {.cgroups = give_too_late, .data = &count};
	const struct sync_handler failing = {.cgroups = fail_too_late};
	const struct sync_handler quick = {.cgroups = give_pipes, .data = &count};
	int before = open_descriptors();
	struct outcome outcome = wait_ready(asks_fails_and_is_gone, &late);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init's own words");
	outcome = wait_ready(asks_fails_and_is_gone, &failing);
	assert_string_equal(outcome.message, "init's own words");
	outcome = wait_ready(asks_and_fails_when_answered, &quick);
	assert_string_equal(outcome.message, "init's own words");
	assert_int_equal(open_descriptors(), before);
}

/* ---- LISTENER ---- */

/* Exits with 3 where the answer doesn't come. */
static int tells_of_a_listener(int sync)
{
	const struct sync_listener message = {SYNC_LISTENER, open("/dev/zero", O_RDONLY)};
	char answer = 0;

	if (write(sync, &message, sizeof(message)) != sizeof(message))
		return 1;
	return read(sync, &answer, 1) == 1 && answer == SYNC_LISTENER ? 0 : 3;
}

static int tells_of_no_descriptor(int sync)
{
	const struct sync_listener message = {SYNC_LISTENER, 1 << 20};

	say(sync, &message, sizeof(message), NULL, 0);
	return 0;
}

static int tells_half(int sync)
{
	say_text(sync, "L");
	return 0;
}

static int got_listener(void *data, int listener, struct error *err)
{
	(void)err;
	return fcntl(listener, F_GETFD) & FD_CLOEXEC ? fstat(listener, data) : -1;
}

static int refuse_listener(void *data, int listener, struct error *err)
{
	(void)data;
	(void)listener;
	return error_set(err, "no agent");
}

static void a_listener_is_fetched_from_init(void **state)
{
	struct stat st = {0}, zero;
	const struct sync_handler handler = {.listener = got_listener, .data = &st};
	int before = open_descriptors();

	(void)state;
	assert_int_equal(wait_executed_with(tells_of_a_listener, &handler).result, 0);
	assert_int_equal(stat("/dev/zero", &zero), 0);
	assert_true(st.st_rdev == zero.st_rdev);
	assert_int_equal(open_descriptors(), before);
}

/* It hears nothing, rather than that all is well. */
static void an_init_whose_listener_nobody_takes_gets_no_answer(void **state)
{
	const struct sync_handler handler = {.listener = refuse_listener};
	struct error err = ERROR_INIT;
	int ours, inits, pidfd, before = open_descriptors();
	pid_t pid;

	(void)state;
	make_pair(&ours, &inits);
	pid = start_init(tells_of_a_listener, ours, inits);
	pidfd = kernel_pidfd_open(pid);
	assert_int_equal(process_sync_wait_executed(ours, pidfd, &handler, &err), -1);
	assert_string_equal(error_text(&err), "no agent");
	error_clear(&err);
	close(ours);
	close(pidfd);
	assert_int_equal(end_of(pid), 3);
	assert_int_equal(open_descriptors(), before);
}

static void a_listener_that_is_none_is_an_error(void **state)
{
	struct stat st;
	const struct sync_handler handler = {.listener = got_listener, .data = &st};
	const struct sync_handler none = {0};
	struct outcome outcome = wait_executed_with(tells_of_no_descriptor, &handler);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_true(strstr(outcome.message, "linux.seccomp: Failed to fetch the listener by "));
	outcome = wait_executed_with(tells_half, &handler);
	assert_string_equal(outcome.message,
			    "init told of a seccomp listener that nobody asked for");
	outcome = wait_executed_with(tells_of_no_descriptor, &none);
	assert_string_equal(outcome.message,
			    "init told of a seccomp listener that nobody asked for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_terminal_is_handed_over),
	    cmocka_unit_test(a_terminal_that_does_not_come_or_is_not_wanted_is_an_error),
	    cmocka_unit_test(the_trees_of_the_cgroups_are_sent_and_closed),
	    cmocka_unit_test(trees_that_can_not_be_had_are_an_error),
	    cmocka_unit_test(an_init_that_does_not_wait_for_the_trees_is_an_error),
	    cmocka_unit_test(an_init_that_fails_after_it_has_asked_is_heard),
	    cmocka_unit_test(a_listener_is_fetched_from_init),
	    cmocka_unit_test(an_init_whose_listener_nobody_takes_gets_no_answer),
	    cmocka_unit_test(a_listener_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
