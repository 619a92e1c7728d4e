/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU, which freezes processes into files and thaws them again: one request at a time, to a
 * `criu swrk` that is executed for it and spoken to over a socket, in the messages of CRIU's
 * rpc.proto (https://criu.org/RPC).
 *
 * libcriu would be the library for that; but the one of Debian 12 has no word for empty namespaces
 * and configuration files, which engines rely on, and its callbacks don't know whom they are for.
 * The few messages that are needed are written here: protobuf's encoding is numbers with a tag.
 */
#ifndef RUNLXC_CRIU_CRIU_H
#define RUNLXC_CRIU_CRIU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* As CRIU writes versions: 31600 is 3.16. Network and pid namespaces by path (3.11, 3.15), labels
 * at restore (3.16). */
#define CRIU_OLDEST 31600

enum criu_type {
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

/* The fields of rpc.proto's criu_opts that are used; their numbers are CRIU's. */
enum criu_option {
	/* numbers and booleans */
	CRIU_IMAGES_DIR_FD = 1,
	CRIU_PID = 2,
	CRIU_LEAVE_RUNNING = 3,
	CRIU_EXT_UNIX_SK = 4,
	CRIU_TCP_ESTABLISHED = 5,
	CRIU_EVASIVE_DEVICES = 6,
	CRIU_SHELL_JOB = 7,
	CRIU_FILE_LOCKS = 8,
	CRIU_LOG_LEVEL = 9,
	CRIU_NOTIFY_SCRIPTS = 12,
	CRIU_TRACK_MEM = 15,
	CRIU_AUTO_DEDUP = 16,
	CRIU_WORK_DIR_FD = 17,
	CRIU_LINK_REMAP = 18,
	CRIU_MANAGE_CGROUPS = 24,
	CRIU_RST_SIBLING = 26,
	CRIU_MANAGE_CGROUPS_MODE = 34,
	CRIU_EMPTY_NS = 38,
	CRIU_TCP_SKIP_IN_FLIGHT = 46,
	CRIU_LAZY_PAGES = 48,
	CRIU_ORPHAN_PTS_MASTER = 50,
	/* text */
	CRIU_LOG_FILE = 10,
	CRIU_ROOT = 13,
	CRIU_PARENT_IMG = 14,
	CRIU_EXTERNAL = 37,
	CRIU_FREEZE_CGROUP = 44,
	CRIU_CONFIG_FILE = 51,
	CRIU_LSM_PROFILE = 53,
	CRIU_CGROUP_YARD = 60,
	CRIU_LSM_MOUNT_CONTEXT = 63,
	/* two texts */
	CRIU_EXT_MNT = 23, /* at a dump: where it is mounted, and its name; at a restore: the name,
			      and what to bind there */
	CRIU_CG_ROOT = 25, /* controller, path */
	CRIU_JOIN_NS = 39, /* "ipc", path */
	/* a text and a number */
	CRIU_PAGE_SERVER = 11, /* address, port */
	CRIU_INHERIT_FD = 27,  /* key, descriptor */
};

enum criu_cgroups {
	CRIU_CGROUPS_IGNORE = 0,
	CRIU_CGROUPS_SOFT = 3,
	CRIU_CGROUPS_FULL = 4,
	CRIU_CGROUPS_STRICT = 5,
	CRIU_CGROUPS_DEFAULT = 6,
};

/* Options while they are put together. Running out of memory is told by criu_call(). */
struct criu_options {
	char *data;
	size_t size, capacity;
	bool failed;
};
void criu_options_free(struct criu_options *options);
#define cleanup_criu_options __attribute__((cleanup(criu_options_free)))

void criu_add_number(struct criu_options *options, enum criu_option option, int64_t value);
void criu_add_text(struct criu_options *options, enum criu_option option, const char *text);
void criu_add_pair(struct criu_options *options, enum criu_option option, const char *first,
		   const char *second);
void criu_add_text_number(struct criu_options *options, enum criu_option option, const char *text,
			  int64_t number);

/* What CRIU says; it waits meanwhile, and gives up if this returns -1. `pid` is 0 and `fd` -1 where
 * none comes with it; the descriptor is the callee's. */
typedef int criu_notify(void *data, const char *event, pid_t pid, int fd, struct error *err);

/* CRIU has its streams and its socket below. */
#define CRIU_LOWEST_FD 4

struct criu_call {
	const char *program; /* NULL: "criu", looked for in $PATH */
	enum criu_type type;
	const struct criu_options *options; /* NULL: none */
	bool keep_streams;		    /* CRIU gets our standard streams; else /dev/null */
	const int *pass; /* descriptors that it gets under their numbers, all above 3 */
	size_t pass_count;
	/* Called in the child that is to become CRIU; NULL: nothing is to be done there. */
	int (*prepare)(void *data, struct error *err);
	criu_notify *notify; /* NULL: no event matters */
	void *data;
	int log_directory;		 /* where CRIU_LOG_FILE is written; -1: no log */
	const char *log_file, *log_path; /* its name there, and what errors call it */
};

struct criu_answer {
	int version;		    /* of CRIU_VERSION */
	bool mem_track, lazy_pages; /* of CRIU_FEATURE_CHECK */
	pid_t pid;		    /* of CRIU_RESTORE: a child of ours */
};

/*
 * Executes CRIU, asks it, and waits for its end. What it minded most is the error's text, in one
 * line, with the name of its log. errnum ENOENT: CRIU isn't there.
 */
int criu_call(const struct criu_call *call, struct criu_answer *answer, struct error *err);

/* Whether CRIU is there and new enough. */
int criu_check_version(const char *program, struct error *err);

/* Whether CRIU and the kernel can tell which memory has changed since a pre-dump. */
int criu_check_memory_tracking(const char *program, struct error *err);

/* Whether they can fetch a process's memory when it runs already. */
int criu_check_lazy_pages(const char *program, struct error *err);

#endif
