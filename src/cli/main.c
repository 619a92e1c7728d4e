/* SPDX-License-Identifier: Apache-2.0 */
/* The command: its global flags, the table of verbs, and what it exits with. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/trace_file.h"
#include "cli/commit.h"
#include "cli/log_sink.h"
#include "cli/parse.h"
#include "cli/root.h"
#include "cli/verbs.h"
#include "lxc/lxc.h"
#include "monitor/run.h"

struct verb {
	const char *name;
	verb_function *run;
	const char *summary;
	int failure;	   /* the exit status of its own failure … */
	bool passes_error; /* … unless the error brings one: the verb stands for a program */
};

static const struct verb verbs[] = {
    {"checkpoint", verb_checkpoint, "Write a running container into files", 1, false},
    {"config", verb_config, "Show a container's LXC configuration", 1, false},
    {"create", verb_create, "Create a container", 1, false},
    {"delete", verb_delete, "Delete a container that has ended", 1, false},
    {"events", verb_events, "Show a container's statistics and events as they come", 1, false},
    {"exec", verb_exec, "Run another process in a container", 255, false},
    {"features", verb_features, "Show what this runtime supports", 1, false},
    {"kill", verb_kill, "Send a signal to a container", 1, false},
    {"list", verb_list, "List containers", 1, false},
    {"pause", verb_pause, "Suspend every process of a container", 1, false},
    {"ps", verb_ps, "List a container's processes", 1, false},
    {"restore", verb_restore, "Make a container of what checkpoint wrote", 1, true},
    {"resume", verb_resume, "Let a paused container go on", 1, false},
    {"run", verb_run, "Create and start a container", 1, true},
    {"spec", verb_spec, "Write a default config.json", 1, false},
    {"start", verb_start, "Start a created container", 1, false},
    {"state", verb_state, "Show a container's state", 1, false},
    {"stats", verb_stats, "Show what containers use, live", 1, false},
    {"update", verb_update, "Change the limits of a container", 1, false},
    {"wait", verb_wait, "Wait for a container's end and show its exit status", 1, false},
};

struct globals {
	const char *root, *log, *criu, *trace;
	bool log_json, debug, lxc_annotations, systemd_cgroup, version;
	enum driver_rootless rootless;
};

enum {
	FLAG_ROOT = FLAG_KEY_FIRST,
	FLAG_LOG,
	FLAG_LOG_FORMAT,
	FLAG_DEBUG,
	FLAG_SYSTEMD_CGROUP,
	FLAG_CGROUP_MANAGER,
	FLAG_LXC_ANNOTATIONS,
	FLAG_ROOTLESS,
	FLAG_CRIU,
	FLAG_TRACE,
};

static const struct argp_option global_options[] = {
    {"root", FLAG_ROOT, "DIR", 0, "Where the state of containers is kept", 0},
    {"log", FLAG_LOG, "FILE", 0, "Write messages to FILE as well", 0},
    {"log-format", FLAG_LOG_FORMAT, "FORMAT", 0, "text (the default) or json", 0},
    {"debug", FLAG_DEBUG, NULL, 0, "Say what is done, step by step", 0},
    {"systemd-cgroup", FLAG_SYSTEMD_CGROUP, NULL, 0,
     "Let systemd make the cgroups; cgroupsPath is slice:prefix:name", 0},
    {"cgroup-manager", FLAG_CGROUP_MANAGER, "MANAGER", 0,
     "crun's flag: cgroupfs, or systemd, which is --systemd-cgroup", 0},
    {"lxc-annotations", FLAG_LXC_ANNOTATIONS, NULL, 0,
     "Apply org.linuxcontainers.lxc.* annotations, which can do anything to the host", 0},
    {"rootless", FLAG_ROOTLESS, "BOOL", 0,
     "Whether to go on without cgroups that can't be made: true, false or auto", 0},
    {"criu", FLAG_CRIU, "PATH", 0, "CRIU's program; by default the one in $PATH", 0},
    {"trace", FLAG_TRACE, "FILE", 0,
     "Write when which step was done to FILE, for chrome://tracing and Perfetto", 0},
    {"version", 'v', NULL, 0, "Show the version and exit", -1},
    FLAG_HELP,
    {0},
};

static int set_global(int key, char *value, void *data, struct error *err)
{
	struct globals *globals = data;

	switch (key) {
	case FLAG_ROOT:
		globals->root = value;
		return 0;
	case FLAG_LOG:
		globals->log = value;
		return 0;
	case FLAG_LOG_FORMAT:
		if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
			return error_set(err, "invalid log-format \"%s\": must be text or json",
					 value);
		globals->log_json = strcmp(value, "json") == 0;
		return 0;
	case FLAG_DEBUG:
		globals->debug = true;
		return 0;
	case FLAG_SYSTEMD_CGROUP:
		globals->systemd_cgroup = true;
		return 0;
	case FLAG_CGROUP_MANAGER:
		if (strcmp(value, "cgroupfs") != 0 && strcmp(value, "systemd") != 0)
			return error_set(
			    err, "invalid cgroup-manager \"%s\": must be cgroupfs or systemd",
			    value);
		globals->systemd_cgroup = strcmp(value, "systemd") == 0;
		return 0;
	case FLAG_LXC_ANNOTATIONS:
		globals->lxc_annotations = true;
		return 0;
	case FLAG_ROOTLESS:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0 &&
		    strcmp(value, "auto") != 0)
			return error_set(
			    err, "invalid rootless \"%s\": must be true, false or auto", value);
		globals->rootless = value[0] == 't'   ? DRIVER_ROOTLESS_TRUE
				    : value[0] == 'f' ? DRIVER_ROOTLESS_FALSE
						      : DRIVER_ROOTLESS_AUTO;
		return 0;
	case FLAG_CRIU:
		globals->criu = value;
		return 0;
	case FLAG_TRACE:
		globals->trace = value;
		return 0;
	case 'v':
		globals->version = true;
		return 0;
	default:
		return 0;
	}
}

static const struct syntax global_syntax = {
    .name = "runlxc",
    .options = global_options,
    .words = "COMMAND [ARG...]",
    .summary = "An OCI container runtime on LXC.",
    .max_words = WORDS_ANY,
    .stop_after = 1,
    .set = set_global,
};

static void print_verbs(void)
{
	printf("\nCOMMANDS:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("   %-10s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n\"runlxc COMMAND --help\" shows a command's flags.\n");
}

static void print_version(void)
{
	printf("runlxc version %s\n", RUNLXC_VERSION);
	printf("commit: %s\n", RUNLXC_COMMIT);
	printf("spec: 1.3.0\n");
	printf("libseccomp: %s\n", driver_seccomp_version());
	printf("liblxc: %s\n", driver_lxc_version());
}

/* What was printed is part of what a command does: a full disk behind standard output is a failure.
 */
static int flush_output(struct error *err)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		return error_errno(err, errno, "write to standard output");
	return 0;
}

/*
 * Standard streams that are closed would be given to the first files that are opened, and what is
 * printed would end up in those.
 */
static int open_missing_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
			return -1;
	}
	return 0;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static int run_verb(const struct driver *driver, struct log_sink *sink, int argc, char **argv)
{
	const struct verb *verb = find_verb(argv[0]);
	struct error err = ERROR_INIT;
	int status = -1;

	if (!verb)
		error_set(&err, "unknown command \"%s\": No help topic for '%s'", argv[0], argv[0]);
	else
		status = verb->run(driver, argc, argv, &err);
	if (status >= 0 && flush_output(&err) < 0)
		status = -1;
	if (status < 0) {
		log_sink_failure(sink, error_text(&err));
		status = verb ? verb->failure : 1;
		if (verb && verb->passes_error && err.exit_code)
			status = err.exit_code;
	}
	error_clear(&err);
	if (trace_close(argv[0], status, &err) < 0)
		log_warning(driver->log, "%s", error_text(&err));
	error_clear(&err);
	return status;
}

/* The global flags are read: either something was asked of the command itself, or a verb follows.
 */
static int run_command(const struct globals *globals, struct log_sink *sink,
		       const struct flags_line *line, struct error *err)
{
	cleanup_free char *root = NULL;
	struct driver driver = {
	    .systemd_cgroup = globals->systemd_cgroup,
	    .rootless = globals->rootless,
	    .lxc_annotations = globals->lxc_annotations,
	    .debug = globals->debug,
	    .criu = globals->criu,
	    .log = &sink->log,
	};

	if (globals->version) {
		print_version();
		return flush_output(err);
	}
	if (line->words_count == 0) {
		parse_print_help(&global_syntax);
		print_verbs();
		return flush_output(err);
	}
	if (log_sink_open(sink, globals->log, globals->log_json, globals->debug, err) < 0)
		return -1;
	root = root_directory(globals->root, err);
	if (!root)
		return -1;
	driver.root = root;
	if (globals->trace && trace_open(globals->trace, err) < 0)
		return -1;
	return run_verb(&driver, sink, (int)line->words_count, line->words);
}

int main(int argc, char **argv)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct log_sink sink = {.fd = -1};
	struct globals globals = {.log = NULL};
	struct error err = ERROR_INIT;
	enum parse_result parsed;
	int status = 0;

	if (open_missing_streams() < 0)
		return 1;
	/* A parent that ignores SIGCHLD hands that on, and the kernel would then reap our children
	 * for us. */
	signal(SIGCHLD, SIG_DFL);
	lxc_monitor_inside(monitor_run);

	parsed = parse_line(&global_syntax, argc, argv, &globals, &line, &err);
	if (parsed == PARSE_HELP) {
		print_verbs();
		status = flush_output(&err);
	} else if (parsed == PARSE_OK) {
		status = run_command(&globals, &sink, &line, &err);
	} else {
		status = -1;
	}
	if (status < 0) {
		log_sink_failure(&sink, error_text(&err));
		status = 1;
	}
	error_clear(&err);
	log_sink_close(&sink);
	return status;
}
