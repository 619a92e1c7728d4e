/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "cli/command_file.h"
#include "cli/create_options.h"
#include "cli/run_rootfs.h"
#include "cli/verbs.h"

struct run_flags {
	struct driver_run_options run;
	struct run_rootfs rootfs;
	const char *command;	 /* the file of a Command */
	const char *rootfs_flag; /* one that means something with --rootfs only, as it was seen */
};

enum {
	FLAG_KEEP = FLAG_CREATE_LAST,
	FLAG_NO_SUBREAPER,
	FLAG_LXC_MONITOR,
	FLAG_COMMAND,
	FLAG_ROOTFS,
	FLAG_MEMORY,
	FLAG_HOSTNAME,
	FLAG_READ_ONLY,
	FLAG_CWD,
};

static const struct argp_option options[] = {
    CREATE_FLAGS,
    {"detach", 'd', NULL, 0, "Return once it runs", 0},
    {"keep", FLAG_KEEP, NULL, 0, "Don't delete the container when it has ended", 0},
    {"no-subreaper", FLAG_NO_SUBREAPER, NULL, 0, "Accepted for runc's sake", 0},
    {"lxc-monitor", FLAG_LXC_MONITOR, NULL, 0,
     "Keep LXC's monitor, so that LXC's own tools see the container", 0},
    {"command", FLAG_COMMAND, "FILE", 0,
     "Run the Command (of Docker's old execution driver) in FILE; \"-\": standard input", 0},
    {"rootfs", FLAG_ROOTFS, "DIR", 0, "Run COMMAND in DIR, without a bundle", 1},
    {"tty", 't', NULL, 0, "With --rootfs: give it a terminal", 1},
    {"env", 'e', "NAME=VALUE", 0, "With --rootfs: set a variable; may be repeated", 1},
    {"user", 'u', "UID[:GID]", 0, "With --rootfs: whom to run it as", 1},
    {"cwd", FLAG_CWD, "DIR", 0, "With --rootfs: the working directory", 1},
    {"hostname", FLAG_HOSTNAME, "NAME", 0, "With --rootfs: the hostname", 1},
    {"memory", FLAG_MEMORY, "BYTES", 0, "With --rootfs: the memory limit (512m, 2g)", 1},
    {"read-only", FLAG_READ_ONLY, NULL, 0, "With --rootfs: don't let it write to DIR", 1},
    FLAG_HELP,
    {0},
};

static int set_rootfs(int key, char *value, struct run_rootfs *rootfs, struct error *err)
{
	switch (key) {
	case 't':
		rootfs->tty = true;
		return 0;
	case 'e':
		return value_list_add(&rootfs->env, value, err);
	case 'u':
		rootfs->user_set = true;
		return value_user("--user", value, &rootfs->user, err);
	case FLAG_CWD:
		rootfs->cwd = value;
		return 0;
	case FLAG_HOSTNAME:
		rootfs->hostname = value;
		return 0;
	case FLAG_MEMORY:
		return value_bytes("--memory", value, &rootfs->memory, err);
	default:
		rootfs->read_only = true;
		return 0;
	}
}

static const char *flag_name(int key)
{
	const struct argp_option *option = options;

	while (option->key != key)
		option++;
	return option->name;
}

static int set(int key, char *value, void *data, struct error *err)
{
	struct run_flags *flags = data;

	switch (key) {
	case 'd':
		flags->run.detach = true;
		return 0;
	case FLAG_KEEP:
		flags->run.keep = true;
		return 0;
	case FLAG_NO_SUBREAPER:
		return 0;
	case FLAG_LXC_MONITOR:
		flags->run.create.lxc_monitor = true;
		return 0;
	case FLAG_COMMAND:
		flags->command = value;
		return 0;
	case FLAG_ROOTFS:
		flags->rootfs.directory = value;
		return 0;
	default:
		break;
	}
	switch (create_options_set(key, value, &flags->run.create, err)) {
	case 0:
		return 0;
	case 1:
		flags->rootfs_flag = flag_name(key);
		return set_rootfs(key, value, &flags->rootfs, err);
	default:
		return -1;
	}
}

static const struct syntax syntax = {
    .name = "runlxc run",
    .options = options,
    .words = "ID\n--rootfs DIR [ID] [-- COMMAND [ARG...]]\n--command FILE [ID]",
    .summary = "Creates a container, starts it, stays with it until it ends, and passes its exit "
	       "status on.",
    .max_words = WORDS_ANY,
    .stop_after = 2, /* the id, and the command: what follows is the command's */
    .set = set,
};

static int run_bundle(const struct driver *driver, struct run_flags *flags,
		      const struct flags_line *line, int *exit_status, struct error *err)
{
	if (flags->rootfs_flag)
		return error_set(err, "flag --%s needs --rootfs", flags->rootfs_flag);
	if (line->words_count != 1)
		return error_set(err, "\"%s\" requires exactly 1 argument(s)", syntax.name);
	if (!flags->run.create.bundle)
		flags->run.create.bundle = ".";
	return driver_run(driver, line->words[0], &flags->run, exit_status, err);
}

static int run_rootfs(const struct driver *driver, struct run_flags *flags,
		      const struct flags_line *line, int *exit_status, struct error *err)
{
	/* What stands behind "--" is the command; an id stands before it, or nowhere. */
	bool named = line->words_before_dashes > 0;
	cleanup_free char *config = NULL;
	char made[32];

	if (flags->run.create.bundle)
		return error_set(err, "--bundle and --rootfs exclude each other");
	snprintf(made, sizeof(made), "run-%d", getpid());
	flags->rootfs.args = line->words + (named ? 1 : 0);
	config = run_rootfs_config(&flags->rootfs, err);
	if (!config)
		return -1;
	flags->run.create.config_text = config;
	return driver_run(driver, named ? line->words[0] : made, &flags->run, exit_status, err);
}

/* The Command is its operator's own, who so has said yes to what it asks of LXC. */
static int run_command(const struct driver *driver, struct run_flags *flags,
		       const struct flags_line *line, int *exit_status, struct error *err)
{
	cleanup_free char *config = NULL, *id = NULL;

	if (flags->run.create.bundle || flags->rootfs.directory)
		return error_set(err, "--command and --%s exclude each other",
				 flags->rootfs.directory ? "rootfs" : "bundle");
	if (flags->rootfs_flag)
		return error_set(err, "flag --%s needs --rootfs", flags->rootfs_flag);
	if (line->words_count > 1)
		return error_set(err, "\"%s --command\" takes no more than an id", syntax.name);
	config = command_file_config(driver, flags->command,
				     line->words_count ? line->words[0] : NULL, &id, err);
	if (!config)
		return -1;
	flags->run.create.config_text = config;
	flags->run.create.config = command_file_name(flags->command);
	flags->run.create.lxc_annotations = true;
	return driver_run(driver, id, &flags->run, exit_status, err);
}

int verb_run(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct run_flags flags = {0};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	int exit_status = 0, result;

	if (parsed != PARSE_OK) {
		value_list_free(&flags.rootfs.env);
		return parse_exit(parsed);
	}
	if (flags.command)
		result = run_command(driver, &flags, &line, &exit_status, err);
	else if (flags.rootfs.directory)
		result = run_rootfs(driver, &flags, &line, &exit_status, err);
	else
		result = run_bundle(driver, &flags, &line, &exit_status, err);
	value_list_free(&flags.rootfs.env);
	if (result < 0)
		return -1;
	return flags.run.detach ? 0 : exit_status;
}
