/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parse.h"
#include "cli/value.h"
#include "cli/verbs.h"

struct exec_flags {
	struct driver_exec_options exec;
	struct value_list env, capabilities, cgroups;
	uint32_t *gids;
	size_t gids_count;
};

enum {
	FLAG_CONSOLE_SOCKET = FLAG_KEY_FIRST,
	FLAG_CWD,
	FLAG_PID_FILE,
	FLAG_PIDFD_SOCKET,
	FLAG_PROCESS_LABEL,
	FLAG_APPARMOR,
	FLAG_NO_NEW_PRIVS,
	FLAG_PRESERVE_FDS,
	FLAG_CGROUP,
	FLAG_IGNORE_PAUSED,
};

static const struct argp_option options[] = {
    {"console-socket", FLAG_CONSOLE_SOCKET, "PATH", 0, "AF_UNIX socket that gets the terminal", 0},
    {"cwd", FLAG_CWD, "DIR", 0, "The working directory in the container", 0},
    {"env", 'e', "NAME=VALUE", 0, "Add to the environment; may be repeated", 0},
    {"tty", 't', NULL, 0, "Give it a terminal", 0},
    {"user", 'u', "UID[:GID]", 0, "Whom to run it as", 0},
    {"additional-gids", 'g', "GID", 0, "One more group; may be repeated", 0},
    {"process", 'p', "FILE", 0, "An OCI process document instead of COMMAND", 0},
    {"detach", 'd', NULL, 0, "Return once it runs", 0},
    {"pid-file", FLAG_PID_FILE, "FILE", 0, "Write the process id to FILE", 0},
    {"pidfd-socket", FLAG_PIDFD_SOCKET, "PATH", 0, "AF_UNIX socket that gets a pidfd of it", 0},
    {"process-label", FLAG_PROCESS_LABEL, "LABEL", 0, "Its SELinux label", 0},
    {"apparmor", FLAG_APPARMOR, "PROFILE", 0, "Its AppArmor profile", 0},
    {"no-new-privs", FLAG_NO_NEW_PRIVS, NULL, 0, "It can't gain privileges", 0},
    {"cap", 'c', "CAPABILITY", 0, "One more capability; may be repeated", 0},
    {"preserve-fds", FLAG_PRESERVE_FDS, "N", 0, "Pass N more descriptors to it", 0},
    {"cgroup", FLAG_CGROUP, "[CONTROLLERS:]PATH", 0,
     "Run it in this cgroup of the container; may be repeated with CONTROLLERS", 0},
    {"ignore-paused", FLAG_IGNORE_PAUSED, NULL, 0, "Don't refuse a paused container", 0},
    FLAG_HELP,
    {0},
};

static int add_gid(struct exec_flags *flags, const char *value, struct error *err)
{
	uint32_t *gids = reallocarray(flags->gids, flags->gids_count + 1, sizeof(*gids));

	if (!gids)
		return error_set(err, "out of memory");
	flags->gids = gids;
	return value_id("--additional-gids", value, &gids[flags->gids_count++], err);
}

static int set_user(struct driver_exec_options *exec, const char *value, struct error *err)
{
	struct value_user user;

	if (value_user("--user", value, &user, err) < 0)
		return -1;
	exec->user_set = true;
	exec->uid = user.uid;
	exec->gid_set = user.gid_set;
	exec->gid = user.gid;
	return 0;
}

static int set(int key, char *value, void *data, struct error *err)
{
	struct exec_flags *flags = data;
	struct driver_exec_options *exec = &flags->exec;

	switch (key) {
	case FLAG_CONSOLE_SOCKET:
		exec->console_socket = value_given(value);
		return 0;
	case FLAG_CWD:
		exec->cwd = value_given(value);
		return 0;
	case 'e':
		return value_list_add(&flags->env, value, err);
	case 't':
		exec->tty = true;
		return 0;
	case 'u':
		return *value ? set_user(exec, value, err) : 0;
	case 'g':
		return add_gid(flags, value, err);
	case 'p':
		exec->process_file = value_given(value);
		return 0;
	case 'd':
		exec->detach = true;
		return 0;
	case FLAG_PID_FILE:
		exec->pid_file = value_given(value);
		return 0;
	case FLAG_PIDFD_SOCKET:
		exec->pidfd_socket = value_given(value);
		return 0;
	case FLAG_PROCESS_LABEL:
		exec->process_label = value_given(value);
		return 0;
	case FLAG_APPARMOR:
		exec->apparmor = value_given(value);
		return 0;
	case FLAG_NO_NEW_PRIVS:
		exec->no_new_privs = true;
		return 0;
	case 'c':
		return value_list_add(&flags->capabilities, value, err);
	case FLAG_PRESERVE_FDS:
		return value_count("--preserve-fds", value, &exec->preserve_fds, err);
	case FLAG_CGROUP:
		return value_list_add(&flags->cgroups, value, err);
	default:
		exec->ignore_paused = true;
		return 0;
	}
}

static const struct syntax syntax = {
    .name = "runlxc exec",
    .options = options,
    .words = "ID COMMAND [ARG...]\n-p FILE ID",
    .summary = "Runs another process in a container and passes its exit status on.",
    .min_words = 1,
    .max_words = WORDS_ANY,
    .stop_after = 2, /* the id, and the command: what follows is the command's */
    .set = set,
};

static void cleanup_flags(struct exec_flags *flags)
{
	value_list_free(&flags->env);
	value_list_free(&flags->capabilities);
	value_list_free(&flags->cgroups);
	free(flags->gids);
}

int verb_exec(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	cleanup_with(cleanup_flags) struct exec_flags flags = {0};
	struct driver_exec_options *exec = &flags.exec;
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	int exit_status = 0;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (exec->process_file && line.words_count > 1)
		return error_set(err, "exec failed: --process and a command exclude each other");
	if (!exec->process_file && line.words_count < 2)
		return error_set(err, "exec failed: process args cannot be empty");

	exec->args = exec->process_file ? NULL : line.words + 1;
	exec->env = (char *const *)flags.env.items;
	exec->capabilities = (char *const *)flags.capabilities.items;
	exec->cgroups = (char *const *)flags.cgroups.items;
	exec->additional_gids = flags.gids;
	exec->additional_gids_count = flags.gids_count;
	if (driver_exec(driver, line.words[0], exec, &exit_status, err) < 0)
		return error_prefix(err, "exec failed");
	return exec->detach ? 0 : exit_status;
}
