/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/create_options.h"
#include "cli/criu_options.h"
#include "cli/verbs.h"

struct restore_flags {
	struct driver_restore_options restore;
	struct criu_flags common;
};

enum {
	FLAG_KEEP = FLAG_CREATE_LAST,
	FLAG_NO_SUBREAPER,
};

static const struct argp_option options[] = {
    CRIU_FLAGS,
    {"bundle", 'b', "DIR", 0, "The bundle; by default the current directory", 0},
    {"console-socket", FLAG_CONSOLE_SOCKET, "PATH", 0, "AF_UNIX socket that gets the terminal", 0},
    {"pid-file", FLAG_PID_FILE, "FILE", 0, "Write the process id to FILE", 0},
    {"no-pivot", FLAG_NO_PIVOT, NULL, 0, "Accepted for runc's sake", 0},
    {"detach", 'd', NULL, 0, "Return once it runs", 0},
    {"keep", FLAG_KEEP, NULL, 0, "Don't delete the container when it has ended", 0},
    {"no-subreaper", FLAG_NO_SUBREAPER, NULL, 0, "Accepted for runc's sake", 0},
    {"lsm-profile", FLAG_LSM_PROFILE, "TYPE:NAME", 0,
     "The label or profile to restore with: apparmor:NAME, selinux:LABEL", 0},
    {"lsm-mount-context", FLAG_LSM_MOUNT_CONTEXT, "CONTEXT", 0,
     "The SELinux context of restored mounts", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err)
{
	struct restore_flags *flags = data;
	int result;

	switch (key) {
	case 'd':
		flags->restore.detach = true;
		return 0;
	case FLAG_KEEP:
		flags->restore.keep = true;
		return 0;
	case FLAG_NO_SUBREAPER:
		return 0;
	case FLAG_LSM_PROFILE:
		flags->restore.criu.lsm_profile = value;
		return 0;
	case FLAG_LSM_MOUNT_CONTEXT:
		flags->restore.criu.lsm_mount_context = value;
		return 0;
	default:
		result = criu_flags_set(key, value, &flags->common, err);
		return result <= 0 ? result
				   : create_options_set(key, value, &flags->restore.create, err);
	}
}

static const struct syntax syntax = {
    .name = "runlxc restore",
    .options = options,
    .words = "ID",
    .summary = "Makes a container of what \"checkpoint\" wrote, and stays with it as \"run\" does.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

int verb_restore(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct restore_flags flags = {.restore.create.bundle = ".",
				      .common.options = &flags.restore.criu};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	int exit_status = 0, result = parse_exit(parsed);

	if (parsed == PARSE_OK) {
		result = driver_restore(driver, line.words[0], &flags.restore, &exit_status, err);
		if (result == 0)
			result = flags.restore.detach ? 0 : exit_status;
	}
	value_list_free(&flags.common.empty_ns);
	return result;
}
