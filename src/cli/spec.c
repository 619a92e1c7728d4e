/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cli/command_file.h"
#include "cli/parse.h"
#include "cli/verbs.h"

#define SPEC_FILE "config.json"

struct spec_flags {
	const char *bundle;
	const char *command; /* the file of a Command */
	bool rootless;
};

enum {
	FLAG_ROOTLESS = FLAG_KEY_FIRST,
	FLAG_FROM_COMMAND,
};

static const struct argp_option options[] = {
    {"bundle", 'b', "DIR", 0, "Where to write it; by default the current directory", 0},
    {"rootless", FLAG_ROOTLESS, NULL, 0, "For a container that a user other than root runs", 0},
    {"from-command", FLAG_FROM_COMMAND, "FILE", 0,
     "Print the config.json for the Command in FILE; \"-\": standard input", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err __attribute__((unused)))
{
	struct spec_flags *flags = data;

	if (key == 'b')
		flags->bundle = value;
	else if (key == FLAG_FROM_COMMAND)
		flags->command = value;
	else
		flags->rootless = true;
	return 0;
}

static const struct syntax syntax = {
    .name = "runlxc spec",
    .options = options,
    .summary = "Writes a config.json to start from.",
    .set = set,
};

static int write_spec(const char *bundle, const char *text, struct error *err)
{
	cleanup_close int directory = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int file = -1;

	if (directory < 0)
		return error_errno(err, errno, "open bundle \"%s\"", bundle);
	file = openat(directory, SPEC_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file < 0 && errno == EEXIST)
		return error_set(err, "File " SPEC_FILE " exists. Remove it first");
	if (file < 0)
		return error_errno(err, errno, "create \"%s/" SPEC_FILE "\"", bundle);
	if (path_write_all(file, text, strlen(text)) < 0) {
		error_errno(err, errno, "write \"%s/" SPEC_FILE "\"", bundle);
		unlinkat(directory, SPEC_FILE, 0);
		return -1;
	}
	return 0;
}

static int print_command(const struct driver *driver, const struct spec_flags *flags,
			 struct error *err)
{
	cleanup_free char *config = NULL, *id = NULL;

	if (flags->bundle || flags->rootless)
		return error_set(err, "--from-command and --%s exclude each other",
				 flags->bundle ? "bundle" : "rootless");
	config = command_file_config(driver, flags->command, NULL, &id, err);
	if (!config)
		return -1;
	if (path_write_all(STDOUT_FILENO, config, strlen(config)) < 0)
		return error_errno(err, errno, "write standard output");
	return 0;
}

int verb_spec(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct spec_flags flags = {0};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	cleanup_free char *text = NULL;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (flags.command)
		return print_command(driver, &flags, err);
	text = spec_default_text(flags.rootless, geteuid(), getegid(), err);
	return text ? write_spec(flags.bundle ? flags.bundle : ".", text, err) : -1;
}
