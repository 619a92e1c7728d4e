/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/criu_options.h"
#include "cli/verbs.h"

struct checkpoint_flags {
	struct driver_criu_options criu;
	struct criu_flags common;
};

enum {
	FLAG_PARENT_PATH = FLAG_KEY_FIRST,
	FLAG_LEAVE_RUNNING,
	FLAG_STATUS_FD,
	FLAG_PAGE_SERVER,
	FLAG_PRE_DUMP,
	FLAG_TCP_SKIP_IN_FLIGHT,
	FLAG_LINK_REMAP,
};

static const struct argp_option options[] = {
    CRIU_FLAGS,
    {"parent-path", FLAG_PARENT_PATH, "DIR", 0, "The pre-dump before, from --image-path", 0},
    {"leave-running", FLAG_LEAVE_RUNNING, NULL, 0, "Let the container run on", 0},
    {"status-fd", FLAG_STATUS_FD, "FD", 0, "Write a zero byte to FD once --lazy-pages can begin",
     0},
    {"page-server", FLAG_PAGE_SERVER, "ADDRESS:PORT", 0, "Send memory to a CRIU page server", 0},
    {"pre-dump", FLAG_PRE_DUMP, NULL, 0, "Write memory only, and let the container run on", 0},
    {"tcp-skip-in-flight", FLAG_TCP_SKIP_IN_FLIGHT, NULL, 0,
     "Leave out TCP connections that aren't established yet", 0},
    {"link-remap", FLAG_LINK_REMAP, NULL, 0, "Allow open files that were unlinked", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err)
{
	struct checkpoint_flags *flags = data;

	switch (key) {
	case FLAG_PARENT_PATH:
		flags->criu.parent_path = value;
		return 0;
	case FLAG_LEAVE_RUNNING:
		flags->criu.leave_running = true;
		return 0;
	case FLAG_STATUS_FD:
		/* Without --lazy-pages nothing is written to it, as with runc. */
		return value_count("--status-fd", value, &flags->criu.status_fd, err);
	case FLAG_PAGE_SERVER:
		flags->criu.page_server = value;
		return 0;
	case FLAG_PRE_DUMP:
		flags->criu.pre_dump = true;
		return 0;
	case FLAG_TCP_SKIP_IN_FLIGHT:
		flags->criu.tcp_skip_in_flight = true;
		return 0;
	case FLAG_LINK_REMAP:
		flags->criu.link_remap = true;
		return 0;
	default:
		return criu_flags_set(key, value, &flags->common, err);
	}
}

static const struct syntax syntax = {
    .name = "runlxc checkpoint",
    .options = options,
    .words = "ID",
    .summary = "Writes a running container's processes into files, and deletes the container; "
	       "\"restore\" goes on from there.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

int verb_checkpoint(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct checkpoint_flags flags = {.criu.status_fd = -1, .common.options = &flags.criu};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	int result = parse_exit(parsed);

	if (parsed == PARSE_OK)
		result = driver_checkpoint(driver, line.words[0], &flags.criu, err);
	value_list_free(&flags.common.empty_ns);
	return result;
}
