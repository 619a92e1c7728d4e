/* SPDX-License-Identifier: Apache-2.0 */
/* A container's processes: their ids as JSON, or the lines that ps(1) prints of them. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/parse.h"
#include "cli/value.h"
#include "cli/verbs.h"

extern char **environ;

/* A list of more would be too long a word. */
#define QUICK_MAX ((size_t)8192)

static const struct argp_option options[] = {
    {"format", 'f', "FORMAT", 0, "table (the default) or json", 0},
    FLAG_HELP,
    {0},
};

static int set(int key __attribute__((unused)), char *value, void *data, struct error *err)
{
	return value_format(value, data, err);
}

static const struct syntax syntax = {
    .name = "runlxc ps",
    .options = options,
    .words = "ID [PS-OPTION...]",
    .summary = "Lists the processes of a container. What stands behind the id is for ps(1), by "
	       "default -ef.",
    .min_words = 1,
    .max_words = WORDS_ANY,
    .stop_after = 1, /* ps has an -f of its own */
    .set = set,
};

static void print_json(const pid_t *pids, size_t count)
{
	/* runc encodes a list without elements as null. */
	if (count == 0) {
		puts("null");
		return;
	}
	for (size_t i = 0; i < count; i++)
		printf("%c%d", i == 0 ? '[' : ',', pids[i]);
	puts("]");
}

static int compare_pids(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* "1,20,300", in their order: ps shows them in the order of its list. */
static char *join_pids(pid_t *pids, size_t count)
{
	char *list = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&list, &length);

	qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; out && i < count; i++)
		fprintf(out, i == 0 ? "%d" : ",%d", (int)pids[i]);
	if (!out || fclose(out) == EOF)
		return NULL;
	return list;
}

/* Starts ps; *output reads what it prints. `args` are its options. */
static int start_ps(char *const *args, size_t count, pid_t *pid, FILE **output, struct error *err)
{
	cleanup_free char **argv = calloc(count + 2, sizeof(*argv));
	posix_spawn_file_actions_t actions;
	int ends[2], failed;

	if (!argv)
		return error_set(err, "out of memory");
	argv[0] = (char *)"ps";
	memcpy(argv + 1, args, count * sizeof(*argv));

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "run ps: pipe");
	failed = posix_spawn_file_actions_init(&actions);
	if (!failed) {
		failed = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		if (!failed)
			failed = posix_spawnp(pid, "ps", &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(ends[1]);
	*output = failed ? NULL : fdopen(ends[0], "r");
	if (!*output)
		close(ends[0]);
	if (failed == ENOENT)
		return error_set(err, "ps is not installed (not found on PATH); try --format json");
	if (failed)
		return error_errno(err, failed, "run ps");
	return 0;
}

/* Which column of the header is the pid's; -1: none. The line is taken apart. */
static int find_pid_column(char *header)
{
	char *rest = header, *name;
	int column = 0;

	while ((name = strsep(&rest, " \t\n"))) {
		if (!*name)
			continue;
		if (strcmp(name, "PID") == 0)
			return column;
		column++;
	}
	return -1;
}

static pid_t pid_in_column(const char *line, int column)
{
	static const char blanks[] = " \t\n";

	line += strspn(line, blanks);
	while (column-- > 0) {
		line += strcspn(line, blanks);
		line += strspn(line, blanks);
	}
	return (pid_t)strtol(line, NULL, 10);
}

static bool is_member(pid_t pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/* Prints the header and the lines of the container's processes. */
static int filter_lines(FILE *output, const pid_t *pids, size_t count, bool *any, struct error *err)
{
	cleanup_free char *line = NULL;
	size_t size = 0;
	int column = -1;

	for (size_t number = 0; getline(&line, &size, output) > 0; number++) {
		*any = true;
		if (number == 0) {
			cleanup_free char *header = strdup(line);

			column = header ? find_pid_column(header) : -1;
			if (column < 0)
				return error_set(err, "couldn't find PID field in ps output");
			fputs(line, stdout);
		} else if (is_member(pid_in_column(line, column), pids, count)) {
			fputs(line, stdout);
		}
	}
	return 0;
}

/* What ps(1) prints with these options. *status is its own; *any: whether it printed anything. */
static int run_ps(char *const *args, size_t args_count, const pid_t *pids, size_t count,
		  int *status, bool *any, struct error *err)
{
	FILE *output = NULL;
	pid_t pid = -1;
	int result = -1;

	*status = 0;
	*any = false;
	if (start_ps(args, args_count, &pid, &output, err) < 0)
		return -1;
	if (output) {
		result = filter_lines(output, pids, count, any, err);
		fclose(output);
	} else {
		error_set(err, "out of memory");
	}
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return error_errno(err, errno, "wait for ps");
	}
	return result;
}

/*
 * Without options it is -ef, with all processes of the host to be read and thrown away again; -q
 * reads but those that are named. Where that fails, since they have ended or this isn't procps's
 * ps, -ef it is.
 */
static int print_table(char *const *args, size_t args_count, pid_t *pids, size_t count,
		       struct error *err)
{
	cleanup_free char *list = NULL;
	int status = 0, result;
	bool any = false;

	if (args_count == 0 && count > 0 && count <= QUICK_MAX) {
		list = join_pids(pids, count);
		if (!list)
			return error_set(err, "out of memory");
		result = run_ps((char *const[]){(char *)"-fq", list}, 2, pids, count, &status, &any,
				err);
		if (result < 0 || any)
			return result;
	}
	if (args_count == 0)
		result = run_ps((char *const[]){(char *)"-ef"}, 1, pids, count, &status, &any, err);
	else
		result = run_ps(args, args_count, pids, count, &status, &any, err);
	/* A ps that failed said why on standard error. */
	if (result == 0 && status != 0)
		return error_set(err, "ps failed with exit status %d",
				 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return result;
}

int verb_ps(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	bool json = false;
	enum parse_result parsed = parse_line(&syntax, argc, argv, &json, &line, err);
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (driver_pids(driver, line.words[0], &pids, &count, err) < 0)
		return -1;
	if (json) {
		print_json(pids, count);
		return 0;
	}
	return print_table(line.words + 1, line.words_count - 1, pids, count, err);
}
