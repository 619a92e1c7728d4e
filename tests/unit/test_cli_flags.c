/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines as engines and users write them, values of flags, names of signals, lines of the
 * log. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/flags.h"
#include "cli/log_sink.h"
#include "cli/signal.h"
#include "cli/value.h"

static const struct argp_option options[] = {
    {"bundle", 'b', "DIR", 0, "", 0},
    {"detach", 'd', NULL, 0, "", 0},
    {"env", 'e', "NAME=VALUE", 0, "", 0},
    {"no-subreaper", 256, NULL, 0, "", 0},
    {"pid-file", 257, "FILE", 0, "", 0},
    {"resources", 'r', "FILE", 0, "", 0},
    {"tty", 't', NULL, 0, "", 0},
    {"help", 'h', NULL, 0, "", -1},
    {0},
};

#define MAX_WORDS 16

/* Rewrites "runlxc" and the words of `text`, which are separated by blanks. The result is one text
 * again; on failure it is the error behind a "!". */
static char *rewrite(const char *text, size_t stop_after, size_t *before_dashes)
{
	char *argv[MAX_WORDS + 2] = {(char *)"runlxc"}, *result = NULL, *rest, *word;
	struct flags_line line = FLAGS_LINE_INIT;
	cleanup_free char *copy = strdup(text);
	struct error err = ERROR_INIT;
	size_t size;
	int argc = 1;
	FILE *out;

	rest = copy;
	while ((word = strsep(&rest, " ")) && argc <= MAX_WORDS) {
		if (*word)
			argv[argc++] = word;
	}
	if (flags_rewrite(options, stop_after, argc, argv, &line, &err) < 0) {
		assert_true(asprintf(&result, "!%s", error_text(&err)) >= 0);
		error_clear(&err);
		flags_line_free(&line);
		return result;
	}
	assert_string_equal(line.argv[0], "runlxc");
	assert_null(line.argv[line.argc]);
	assert_ptr_equal(line.words + line.words_count, line.argv + line.argc);
	if (before_dashes)
		*before_dashes = line.words_before_dashes;
	out = open_memstream(&result, &size);
	for (int i = 1; i < line.argc; i++)
		fprintf(out, "%s%s", i > 1 ? " " : "", line.argv[i]);
	fclose(out);
	flags_line_free(&line);
	return result;
}

static void assert_rewritten(const char *text, size_t stop_after, const char *expected)
{
	cleanup_free char *result = rewrite(text, stop_after, NULL);

	assert_string_equal(result, expected);
}

static void long_flags_have_one_dash_or_two(void **state)
{
	assert_rewritten("--no-subreaper id", 0, "--no-subreaper -- id");
	assert_rewritten("-no-subreaper id", 0, "--no-subreaper -- id");
	assert_rewritten("-pid-file=X id", 0, "--pid-file=X -- id");
	assert_rewritten("-pid-file X id", 0, "--pid-file=X -- id");
	assert_rewritten("--pid-file X id", 0, "--pid-file=X -- id");
	assert_rewritten("--pid-file=X=Y id", 0, "--pid-file=X=Y -- id");
	assert_rewritten("-help", 0, "--help --");
	assert_rewritten("-tty", 0, "--tty --");
}

static void short_flags_come_alone_or_in_clusters(void **state)
{
	assert_rewritten("-b X id", 0, "--bundle=X -- id");
	assert_rewritten("-b=X id", 0, "--bundle=X -- id");
	assert_rewritten("-d -t id", 0, "--detach --tty -- id");
	assert_rewritten("-dt id", 0, "--detach --tty -- id");
	assert_rewritten("-dtb X id", 0, "--detach --tty --bundle=X -- id");
	assert_rewritten("-tb=X id", 0, "--tty --bundle=X -- id");
	assert_rewritten("-e A=1 -e B=2 id", 0, "--env=A=1 --env=B=2 -- id");
	assert_rewritten("-h", 0, "--help --");
}

static void booleans_take_a_value_as_in_go(void **state)
{
	assert_rewritten("--detach=true id", 0, "--detach -- id");
	assert_rewritten("-detach=1 id", 0, "--detach -- id");
	assert_rewritten("--detach=false id", 0, "-- id");
	assert_rewritten("-d=false id", 0, "-- id");
	assert_rewritten("-dt=F id", 0, "--detach -- id");
	assert_rewritten("--detach -t --detach=false id", 0, "--tty -- id");
	assert_rewritten("--detach=false --detach id", 0, "--detach -- id");
	assert_rewritten("--detach=yes id", 0, "!invalid boolean value \"yes\" for --detach");
	/* A word behind it is a word. */
	assert_rewritten("--detach false", 0, "--detach -- false");
}

static void flags_may_stand_behind_the_words(void **state)
{
	assert_rewritten("id --bundle X --detach", 0, "--bundle=X --detach -- id");
	assert_rewritten("id -r - other", 0, "--resources=- -- id other");
	assert_rewritten("id --resources=-", 0, "--resources=- -- id");
	assert_rewritten("-", 0, "-- -");
}

static void value_may_look_like_a_flag(void **state)
{
	assert_rewritten("--resources - id", 0, "--resources=- -- id");
	assert_rewritten("--bundle --detach id", 0, "--bundle=--detach -- id");
	assert_rewritten("-e -- id", 0, "--env=-- -- id");
	assert_rewritten("--bundle= id", 0, "--bundle= -- id");
}

static void what_belongs_to_the_command_is_left_alone(void **state)
{
	/* exec's rule: the id and the command's first word. */
	assert_rewritten("-t id sh -c x --foo", 2, "--tty -- id sh -c x --foo");
	assert_rewritten("id -t sh -d -- -t", 2, "--tty -- id sh -d -- -t");
	assert_rewritten("id --env A=1 env --help", 2, "--env=A=1 -- id env --help");
	assert_rewritten("id -- -t -x", 2, "-- id -t -x");
	assert_rewritten("-- id -t", 2, "-- id -t");
	/* The verb's, of the global flags. */
	assert_rewritten("--tty create --bundle B -x id", 1, "--tty -- create --bundle B -x id");
}

static void words_before_the_users_dashes_are_counted(void **state)
{
	size_t before = 99;

	free(rewrite("-t -- cmd --foo", 2, &before));
	assert_int_equal(before, 0);
	free(rewrite("id -t -- cmd --foo", 2, &before));
	assert_int_equal(before, 1);
	free(rewrite("id cmd -- --foo", 2, &before));
	assert_int_equal(before, 4);
	free(rewrite("id", 2, &before));
	assert_int_equal(before, 1);
	free(rewrite("", 2, &before));
	assert_int_equal(before, 0);
}

static void unknown_flags_are_named(void **state)
{
	assert_rewritten("--foo id", 0, "!flag provided but not defined: --foo");
	assert_rewritten("id --foo=1", 0, "!flag provided but not defined: --foo=1");
	assert_rewritten("-x id", 0, "!flag provided but not defined: -x");
	assert_rewritten("-dx id", 0, "!flag provided but not defined: -dx");
	/* No abbreviations, and no value glued to a letter: both would make a typing error mean
	 * something. */
	assert_rewritten("--bun X id", 0, "!flag provided but not defined: --bun");
	assert_rewritten("-bundel X id", 0, "!flag provided but not defined: -bundel");
	assert_rewritten("-bd X id", 0, "!flag provided but not defined: -bd");
	assert_rewritten("--=x id", 0, "!flag provided but not defined: --=x");
	assert_rewritten("-=x id", 0, "!flag provided but not defined: -=x");
	assert_rewritten("--b X id", 0, "!flag provided but not defined: --b");
}

static void missing_value_is_named(void **state)
{
	assert_rewritten("id --bundle", 0, "!flag needs an argument: --bundle");
	assert_rewritten("id -db", 0, "!flag needs an argument: -db");
}

static int signal_number(const char *text)
{
	struct error err = ERROR_INIT;
	int number = signal_parse(text, &err);

	if (number < 0)
		assert_non_null(strstr(error_text(&err), text));
	error_clear(&err);
	return number;
}

static void signals_have_names_and_numbers(void **state)
{
	assert_int_equal(signal_number("TERM"), SIGTERM);
	assert_int_equal(signal_number("SIGTERM"), SIGTERM);
	assert_int_equal(signal_number("sigkill"), SIGKILL);
	assert_int_equal(signal_number("Hup"), SIGHUP);
	assert_int_equal(signal_number("USR1"), SIGUSR1);
	assert_int_equal(signal_number("winch"), SIGWINCH);
	assert_int_equal(signal_number("IO"), SIGIO);
	assert_int_equal(signal_number("SIGPOLL"), SIGPOLL);
	assert_int_equal(signal_number("SIGIOT"), SIGABRT);
	assert_int_equal(signal_number("cld"), SIGCHLD);
	assert_int_equal(signal_number("STKFLT"), SIGSTKFLT);
	assert_int_equal(signal_number("9"), 9);
	assert_int_equal(signal_number("0"), 0);
	assert_int_equal(signal_number("37"), 37);
	assert_int_equal(signal_number("64"), 64);
	assert_int_equal(signal_number("SIGRTMIN"), SIGRTMIN);
	assert_int_equal(signal_number("RTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_number("sigrtmax-2"), SIGRTMAX - 2);
	assert_int_equal(signal_number("SIGRTMAX"), SIGRTMAX);
}

static void every_name_of_a_signal_is_known(void **state)
{
	for (int sig = 1; sig < SIGRTMIN; sig++) {
		if (sigabbrev_np(sig))
			assert_int_equal(signal_number(sigabbrev_np(sig)), sig);
	}
}

static void unknown_signals_are_refused(void **state)
{
	static const char *const bad[] = {"FOO",
					  "",
					  "SIG",
					  "65",
					  "-9",
					  "+9",
					  "9 ",
					  " 9",
					  "0x9",
					  "RTMIN-1",
					  "99999999999999999999",
					  "RTMIN+",
					  "RTMIN+99",
					  "RTMAX+1",
					  "SIGSIGTERM",
					  "KILLL"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(signal_number(bad[i]), -1);
}

static void users_are_numbers(void **state)
{
	struct error err = ERROR_INIT;
	struct value_user user;

	assert_int_equal(value_user("--user", "1000", &user, &err), 0);
	assert_int_equal(user.uid, 1000);
	assert_false(user.gid_set);
	assert_int_equal(value_user("--user", "1000:100", &user, &err), 0);
	assert_int_equal(user.gid, 100);
	assert_true(user.gid_set);
	assert_int_equal(value_user("--user", "www-data", &user, &err), -1);
	assert_non_null(strstr(error_text(&err), "www-data"));
	assert_int_equal(value_user("--user", "1:", &user, &err), -1);
	assert_int_equal(value_user("--user", ":1", &user, &err), -1);
	assert_int_equal(value_user("--user", "1:2:3", &user, &err), -1);
	/* (uid_t)-1 is not a user. */
	assert_int_equal(value_user("--user", "4294967295", &user, &err), -1);
	assert_int_equal(value_user("--user", "-1", &user, &err), -1);
	error_clear(&err);
}

static void sizes_have_suffixes(void **state)
{
	struct error err = ERROR_INIT;
	int64_t bytes = 0;

	assert_int_equal(value_bytes("--memory", "4096", &bytes, &err), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(value_bytes("--memory", "64k", &bytes, &err), 0);
	assert_int_equal(bytes, 64 * 1024);
	assert_int_equal(value_bytes("--memory", "512M", &bytes, &err), 0);
	assert_int_equal(bytes, 512L << 20);
	assert_int_equal(value_bytes("--memory", "2g", &bytes, &err), 0);
	assert_int_equal(bytes, 2L << 30);
	assert_int_equal(value_bytes("--memory", "8388607t", &bytes, &err), 0);
	assert_int_equal(value_bytes("--memory", "8388608t", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "m", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "0", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "-1", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "1x", &bytes, &err), -1);
	assert_int_equal(value_bytes("--memory", "1.5g", &bytes, &err), -1);
	error_clear(&err);
}

static void counts_are_not_negative(void **state)
{
	struct error err = ERROR_INIT;
	int count = 0;

	assert_int_equal(value_count("--preserve-fds", "3", &count, &err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(value_count("--preserve-fds", "-3", &count, &err), -1);
	assert_int_equal(value_count("--preserve-fds", "99999999999", &count, &err), -1);
	assert_non_null(strstr(error_text(&err), "--preserve-fds"));
	error_clear(&err);
}

static void log_lines_look_like_logrus(void **state)
{
	static const char time[] = "2026-01-02T15:04:05Z";
	char *line = log_sink_format(false, LOG_LEVEL_ERROR, "no \"such\"\nthing\\ \t\x1b", time);

	assert_string_equal(line, "time=\"2026-01-02T15:04:05Z\" level=error "
				  "msg=\"no \\\"such\\\"\\nthing\\\\ \\t\\x1b\"\n");
	free(line);
	line = log_sink_format(false, LOG_LEVEL_WARNING, "bare/word", time);
	assert_string_equal(line, "time=\"2026-01-02T15:04:05Z\" level=warning msg=bare/word\n");
	free(line);
	line = log_sink_format(false, LOG_LEVEL_DEBUG, "", time);
	assert_string_equal(line, "time=\"2026-01-02T15:04:05Z\" level=debug msg=\"\"\n");
	free(line);
}

static void log_lines_are_json_whatever_the_message(void **state)
{
	static const char time[] = "2026-01-02T15:04:05Z";
	char every[256], *line;
	struct json_object *parsed;

	line = log_sink_format(true, LOG_LEVEL_ERROR, "open \"/a/b\": no\nway", time);
	assert_string_equal(line, "{\"level\":\"error\",\"msg\":\"open \\\"/a/b\\\": no\\nway\","
				  "\"time\":\"2026-01-02T15:04:05Z\"}\n");
	free(line);

	/* Every byte that a path may hold. */
	for (int i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	line = log_sink_format(true, LOG_LEVEL_ERROR, every, time);
	assert_null(strchr(line, '\n')[1] ? line : NULL);
	parsed = json_tokener_parse(line);
	assert_non_null(parsed);
	json_object_put(parsed);
	free(line);
}

static void assert_message(const char *message, const char *expected)
{
	cleanup_free char *line = log_sink_format(true, LOG_LEVEL_ERROR, message, "");
	cleanup_free char *want = NULL;

	assert_true(asprintf(&want, "\"msg\":\"%s\"", expected) > 0);
	assert_non_null(strstr(line, want));
}

static void log_lines_hold_valid_utf8_only(void **state)
{
	assert_message("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	assert_message("\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80");
	assert_message("\xff", "\xef\xbf\xbd");
	assert_message("a\xc3", "a\xef\xbf\xbd");
	assert_message("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_message("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_message("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void memory_is_written_as_docker_and_runc_read_it(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = {{"-1", -1},
		    {"0", 0},
		    {"67108864", 67108864},
		    {"64m", 67108864},
		    {"64M", 67108864},
		    {"64MiB", 67108864},
		    {"64 mb", 67108864},
		    {"64b", 64},
		    {"1.5g", 1610612736},
		    {"2k", 2048},
		    {"1p", 1125899906842624},
		    {"8191t", INT64_C(8191) << 40}};
	static const char *const bad[] = {"",	"m",   "-2",   "-1m",	 "1e3", "0x10",
					  "1.", ".5",  "1..5", "1mm",	 "1m ", " 1",
					  "1 ", "inf", "nan",  "99999p", "1bi", NULL};
	struct error err = ERROR_INIT;
	int64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (value_memory("--memory", good[i].text, &bytes, &err) < 0)
			fail_msg("%s: %s", good[i].text, error_text(&err));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (const char *const *text = bad; *text; text++) {
		if (value_memory("--memory", *text, &bytes, &err) == 0)
			fail_msg("\"%s\" is taken for %lld", *text, (long long)bytes);
		assert_string_equal(
		    error_text(&err),
		    "invalid value for flag --memory: not a size such as 64m, nor -1");
		error_clear(&err);
	}
}

static void integers_have_a_sign_and_bounds(void **state)
{
	static const char *const bad[] = {
	    "", "-", "+", "1.5", "0x1", " 1", "1 ", "6", "-6", "99999999999999999999", NULL};
	struct error err = ERROR_INIT;
	int64_t number;

	assert_int_equal(value_integer("--n", "-5", -5, 5, &number, &err), 0);
	assert_int_equal(number, -5);
	assert_int_equal(value_integer("--n", "+5", -5, 5, &number, &err), 0);
	assert_int_equal(number, 5);
	for (const char *const *text = bad; *text; text++) {
		assert_int_equal(value_integer("--n", *text, -5, 5, &number, &err), -1);
		assert_non_null(
		    strstr(error_text(&err), "for flag --n: not a number from -5 to 5"));
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(long_flags_have_one_dash_or_two),
	    cmocka_unit_test(short_flags_come_alone_or_in_clusters),
	    cmocka_unit_test(booleans_take_a_value_as_in_go),
	    cmocka_unit_test(flags_may_stand_behind_the_words),
	    cmocka_unit_test(value_may_look_like_a_flag),
	    cmocka_unit_test(what_belongs_to_the_command_is_left_alone),
	    cmocka_unit_test(words_before_the_users_dashes_are_counted),
	    cmocka_unit_test(unknown_flags_are_named),
	    cmocka_unit_test(missing_value_is_named),
	    cmocka_unit_test(signals_have_names_and_numbers),
	    cmocka_unit_test(every_name_of_a_signal_is_known),
	    cmocka_unit_test(unknown_signals_are_refused),
	    cmocka_unit_test(users_are_numbers),
	    cmocka_unit_test(sizes_have_suffixes),
	    cmocka_unit_test(counts_are_not_negative),
	    cmocka_unit_test(log_lines_look_like_logrus),
	    cmocka_unit_test(log_lines_are_json_whatever_the_message),
	    cmocka_unit_test(log_lines_hold_valid_utf8_only),
	    cmocka_unit_test(memory_is_written_as_docker_and_runc_read_it),
	    cmocka_unit_test(integers_have_a_sign_and_bounds),
	};

	return cmocka_run_group_tests_name("cli_flags", tests, NULL, NULL);
}
