/* SPDX-License-Identifier: Apache-2.0 */
/* The talk with init, from its parent's side: the sockets, and every word that needs no answer. */
#include "test_process_sync_talk.c"

/* ---- the pair ---- */

static void both_ends_are_numbered_above_those_that_the_program_keeps(void **state)
{
	int ours, inits;

	(void)state;
	make_pair(&ours, &inits);
	close(ours);
	close(inits);
	assert_true(inits >= LOWEST);
	assert_true(ours >= LOWEST);
}

static void the_pair_is_of_packets_with_credentials_and_closed_on_exec(void **state)
{
	int ours, inits, type = 0, on = 0;
	socklen_t size = sizeof(type);

	(void)state;
	make_pair(&ours, &inits);
	assert_true(fcntl(ours, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(inits, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(getsockopt(ours, SOL_SOCKET, SO_TYPE, &type, &size), 0);
	assert_int_equal(type, SOCK_SEQPACKET);
	assert_int_equal(getsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, &size), 0);
	assert_int_equal(on, 1);
	close(ours);
	close(inits);
}

static void a_pair_that_fails_leaves_nothing_open(void **state)
{
	struct error err = ERROR_INIT;
	int before = open_descriptors(), ours = -1, inits = -1;

	(void)state;
	assert_int_equal(process_sync_pair(1 << 30, &ours, &inits, &err), -1);
	assert_int_equal(err.errnum, EMFILE);
	error_clear(&err);
	assert_int_equal(open_descriptors(), before);
}

/* ---- READY ---- */

static int is_ready(int sync)
{
	say_ready(sync);
	return 0;
}

static void ready_tells_who_is(void **state)
{
	struct outcome outcome = wait_ready(is_ready, NULL);

	(void)state;
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.ready, outcome.init);
}

/* init is the child of whom we forked, in a pid namespace of its own, where it is 1. */
static int is_ready_as_pid_1(int sync)
{
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWPID) < 0) {
		say_text(sync, "Xmay not");
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		if (getpid() != 1)
			_exit(1);
		wait_for_a_word(sync);
		say_ready(sync);
		_exit(0);
	}
	say(sync, &pid, sizeof(pid), NULL, 0);
	return waitpid(pid, &status, 0) == pid ? status : 1;
}

static void the_pid_is_the_one_that_we_know_it_by(void **state)
{
	const struct sync_handler handler = {0};
	struct error err = ERROR_INIT;
	pid_t pid, expected, ready = -1;
	int ours, inits, result;

	(void)state;
	make_pair(&ours, &inits);
	pid = start_init(is_ready_as_pid_1, ours, inits);
	if (recv(ours, &expected, sizeof(expected), 0) != sizeof(expected) ||
	    memcmp(&expected, "Xmay", 4) == 0) {
		close(ours);
		end_of(pid);
		print_message("skipped: needs root for a pid namespace\n");
		skip();
	}
	assert_int_equal(process_sync_send(ours, SYNC_COMMIT, &err), 0);
	result = process_sync_wait_ready(&ours, &handler, &ready, &err);
	close(ours);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(result, 0);
	assert_int_equal(ready, expected);
	assert_int_not_equal(ready, 1);
}

static int is_ready_without_a_socket(int sync)
{
	say_text(sync, "R");
	return 0;
}

static void ready_without_a_socket_is_an_error(void **state)
{
	struct outcome outcome = wait_ready(is_ready_without_a_socket, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init sent no socket");
}

/* Hears the end of the old socket, a word on the new one, and ends. */
static int goes_on_elsewhere(int sync)
{
	int next = say_ready(sync);
	char byte;

	if (recv(sync, &byte, 1, 0) != 0 || recv(next, &byte, 1, 0) != 1 || byte != SYNC_START)
		return 1;
	say_text(next, "Wlast words");
	return 0;
}

static void the_talk_goes_on_over_the_socket_that_came_with_ready(void **state)
{
	const struct sync_handler handler = {0};
	struct error err = ERROR_INIT;
	int ours, inits, before = open_descriptors(), flags, result;
	pid_t pid, ready;

	(void)state;
	make_pair(&ours, &inits);
	pid = start_init(goes_on_elsewhere, ours, inits);
	assert_int_equal(process_sync_wait_ready(&ours, &handler, &ready, &err), 0);
	assert_int_equal(open_descriptors(), before + 1);
	flags = fcntl(ours, F_GETFD);
	assert_int_equal(process_sync_send(ours, SYNC_START, &err), 0);
	result = process_sync_wait_executed(ours, -1, &handler, &err);
	close(ours);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(result, 0);
	assert_true(flags & FD_CLOEXEC);
}

static int sends_a_present_with_a_step(int sync)
{
	int fds[] = {0};

	say(sync, "Dmounted", 8, fds, 1);
	say_ready(sync);
	return 0;
}

static void a_descriptor_that_nobody_asked_for_is_closed(void **state)
{
	int before = open_descriptors();

	(void)state;
	assert_int_equal(wait_ready(sends_a_present_with_a_step, NULL).result, 0);
	assert_int_equal(open_descriptors(), before);
}

static int is_ready_with_many_presents(int sync)
{
	int fds[] = {0, 1, 2, 0, 1, 2, 0, 1};

	say(sync, "R", 1, fds, ARRAY_SIZE(fds));
	return 0;
}

static void of_many_descriptors_one_is_kept(void **state)
{
	int before = open_descriptors();

	(void)state;
	assert_int_equal(wait_ready(is_ready_with_many_presents, NULL).result, 0);
	assert_int_equal(open_descriptors(), before);
}

/* ---- ERROR ---- */

static int fails_with_a_text(int sync)
{
	static const char text[] = "E\177exec: \"nope\": executable file not found in $PATH";

	say(sync, text, sizeof(text) - 1, NULL, 0);
	return 0;
}

static void inits_error_is_the_callers_with_its_exit_code(void **state)
{
	struct outcome outcome = wait_ready(fails_with_a_text, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.exit_code, 127);
	assert_int_equal(outcome.errnum, 0);
	assert_string_equal(outcome.message, "exec: \"nope\": executable file not found in $PATH");
}

static int fails_at_length(int sync)
{
	struct sync_error failure = {.type = SYNC_ERROR, .exit_code = 0};

	memset(failure.text, '%', sizeof(failure.text));
	say(sync, &failure, sizeof(failure), NULL, 0);
	return 0;
}

static void the_longest_error_is_whole(void **state)
{
	struct outcome outcome = wait_ready(fails_at_length, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.exit_code, 0);
	assert_int_equal(strlen(outcome.message), SYNC_MESSAGE_MAX - 2);
	assert_int_equal(strspn(outcome.message, "%"), SYNC_MESSAGE_MAX - 2);
}

static int fails_beyond_what_there_is_room_for(int sync)
{
	char text[SYNC_MESSAGE_MAX * 2];

	memset(text, 'E', sizeof(text));
	text[1] = 1;
	say(sync, text, sizeof(text), NULL, 0);
	return 0;
}

static void a_longer_one_is_cut(void **state)
{
	struct outcome outcome = wait_ready(fails_beyond_what_there_is_room_for, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_int_equal(strlen(outcome.message), SYNC_MESSAGE_MAX - 2);
}

static int fails_without_a_text(int sync)
{
	say(sync, "E", 1, NULL, 0);
	return 0;
}

static int fails_with_a_code_alone(int sync)
{
	say(sync, "E\176", 2, NULL, 0);
	return 0;
}

static void an_error_without_a_text_is_one(void **state)
{
	struct outcome outcome = wait_ready(fails_without_a_text, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_string_equal(outcome.message, "init failed");
	outcome = wait_ready(fails_with_a_code_alone, NULL);
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.exit_code, 126);
}

/* ---- no word ---- */

static int ends_without_a_word(int sync)
{
	(void)sync;
	return 0;
}

static void an_init_that_ends_without_a_word_is_a_connection_reset(void **state)
{
	struct outcome outcome = wait_ready(ends_without_a_word, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.errnum, ECONNRESET);
	assert_string_equal(outcome.message,
			    "The container's init ended without a word: connection reset by peer");
}

/* The kernel tells it otherwise then: by an error of recvmsg(2). */
static void one_that_ends_without_reading_is_the_same(void **state)
{
	const struct sync_handler handler = {0};
	struct error err = ERROR_INIT;
	pid_t pid, ready = -1;
	int ours, inits;

	(void)state;
	make_pair(&ours, &inits);
	assert_int_equal(process_sync_send(ours, SYNC_COMMIT, &err), 0);
	pid = start_init(ends_without_a_word, ours, inits);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(process_sync_wait_ready(&ours, &handler, &ready, &err), -1);
	assert_int_equal(err.errnum, ECONNRESET);
	error_clear(&err);
	close(ours);
}

static void a_descriptor_that_is_no_socket_is_an_error(void **state)
{
	const struct sync_handler handler = {0};
	struct error err = ERROR_INIT;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t ready = -1;

	(void)state;
	assert_int_equal(process_sync_wait_ready(&fd, &handler, &ready, &err), -1);
	assert_int_equal(err.errnum, ENOTSOCK);
	error_clear(&err);
	assert_int_equal(process_sync_wait_executed(fd, -1, &handler, &err), -1);
	assert_int_equal(err.errnum, ENOTSOCK);
	error_clear(&err);
	close(fd);
}

static int says_something_else(int sync)
{
	say_text(sync, "?");
	return 0;
}

static int says_a_nul_byte(int sync)
{
	say(sync, "", 1, NULL, 0);
	return 0;
}

static int says_what_the_parent_says(int sync)
{
	say_text(sync, "K");
	return 0;
}

static void what_is_not_understood_is_an_error(void **state)
{
	static init_function *const inits[] = {says_something_else, says_a_nul_byte,
					       says_what_the_parent_says};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		struct outcome outcome = wait_ready(inits[i], NULL);

		assert_int_equal(outcome.result, -1);
		assert_string_equal(outcome.message, "init said something that is not understood");
	}
}

/* ---- lines for the log ---- */

struct lines {
	int count;
	char text[200];
};

static void note(void *data, enum log_level level, const char *message)
{
	struct lines *lines = data;
	size_t length = strlen(lines->text);

	lines->count++;
	snprintf(lines->text + length, sizeof(lines->text) - length, "%c %s\n",
		 level == LOG_LEVEL_WARNING ? 'W' : 'D', message);
}

static int has_much_to_say(int sync)
{
	say_text(sync, "Dmounted");
	say_text(sync, "Wno %s here");
	say_text(sync, "D");
	say_ready(sync);
	return 0;
}

static int warns_and_is_executed(int sync)
{
	say_text(sync, "Wlate");
	return 0;
}

static void steps_and_warnings_go_to_the_log(void **state)
{
	struct lines lines = {0};
	struct log log = {note, &lines, LOG_LEVEL_DEBUG};
	const struct sync_handler handler = {.log = &log};

	(void)state;
	assert_int_equal(wait_ready(has_much_to_say, &handler).result, 0);
	assert_int_equal(lines.count, 3);
	assert_string_equal(lines.text, "D mounted\nW no %s here\nD \n");
	assert_int_equal(wait_ready(has_much_to_say, NULL).result, 0);
	memset(&lines, 0, sizeof(lines));
	assert_int_equal(wait_executed(warns_and_is_executed, &log).result, 0);
	assert_string_equal(lines.text, "W late\n");
}

/* ---- COMMIT, START and the end ---- */

static int gets_a_start(int sync)
{
	char word[8];

	return recv(sync, word, sizeof(word), 0) == 1 && word[0] == SYNC_START ? 0 : 1;
}

static void a_word_is_sent(void **state)
{
	struct error err = ERROR_INIT;
	int ours, inits, result;
	pid_t pid;

	(void)state;
	make_pair(&ours, &inits);
	pid = start_init(gets_a_start, ours, inits);
	result = process_sync_send(ours, SYNC_START, &err);
	close(ours);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(result, 0);
}

static void a_word_to_nobody_is_an_error(void **state)
{
	struct error err = ERROR_INIT;
	int ours, inits;

	(void)state;
	make_pair(&ours, &inits);
	close(inits);
	assert_int_equal(process_sync_send(ours, SYNC_COMMIT, &err), -1);
	assert_int_equal(err.errnum, EPIPE);
	assert_string_equal(err.message, "The container's init is gone: broken pipe");
	error_clear(&err);
	close(ours);
}

static void the_end_of_the_talk_is_the_programs_beginning(void **state)
{
	(void)state;
	assert_int_equal(wait_executed(ends_without_a_word, NULL).result, 0);
}

static void a_program_that_can_not_be_executed_is_inits_error(void **state)
{
	struct outcome outcome = wait_executed(fails_with_a_text, NULL);

	(void)state;
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.exit_code, 127);
	assert_string_equal(outcome.message, "exec: \"nope\": executable file not found in $PATH");
}

static void a_descriptor_at_the_end_is_closed_too(void **state)
{
	int before = open_descriptors();

	(void)state;
	assert_int_equal(wait_executed(sends_a_present_with_a_step, NULL).result, 0);
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ends_are_numbered_above_those_that_the_program_keeps),
	    cmocka_unit_test(the_pair_is_of_packets_with_credentials_and_closed_on_exec),
	    cmocka_unit_test(a_pair_that_fails_leaves_nothing_open),
	    cmocka_unit_test(ready_tells_who_is),
	    cmocka_unit_test(the_pid_is_the_one_that_we_know_it_by),
	    cmocka_unit_test(ready_without_a_socket_is_an_error),
	    cmocka_unit_test(the_talk_goes_on_over_the_socket_that_came_with_ready),
	    cmocka_unit_test(a_descriptor_that_nobody_asked_for_is_closed),
	    cmocka_unit_test(of_many_descriptors_one_is_kept),
	    cmocka_unit_test(inits_error_is_the_callers_with_its_exit_code),
	    cmocka_unit_test(the_longest_error_is_whole),
	    cmocka_unit_test(a_longer_one_is_cut),
	    cmocka_unit_test(an_error_without_a_text_is_one),
	    cmocka_unit_test(an_init_that_ends_without_a_word_is_a_connection_reset),
	    cmocka_unit_test(one_that_ends_without_reading_is_the_same),
	    cmocka_unit_test(a_descriptor_that_is_no_socket_is_an_error),
	    cmocka_unit_test(what_is_not_understood_is_an_error),
	    cmocka_unit_test(steps_and_warnings_go_to_the_log),
	    cmocka_unit_test(a_word_is_sent),
	    cmocka_unit_test(a_word_to_nobody_is_an_error),
	    cmocka_unit_test(the_end_of_the_talk_is_the_programs_beginning),
	    cmocka_unit_test(a_program_that_can_not_be_executed_is_inits_error),
	    cmocka_unit_test(a_descriptor_at_the_end_is_closed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
