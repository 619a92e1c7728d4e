/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: the static program that is PID 1 until the user's program is, and the first step of an
 * exec.
 *
 * It is executed from a sealed memfd, so a container can't write to it through /proc/PID/exe
 * (CVE-2019-5736), is not dumpable, so nothing inside can trace it or reach its descriptors
 * (CVE-2016-9962), and leaves no file in the root. It never returns from a failure:
 * report_failure() tells the parent what went wrong, whole, and ends the process.
 */
#ifndef RUNLXC_INIT_INIT_H
#define RUNLXC_INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/plan.h"

struct init {
	const struct plan *plan;
	int report_fd;	/* where failures go: the sync socket, later the start connection; -1:
			   nowhere */
	int null_fd;	/* O_PATH of the container's /dev/null, verified; -1: not opened yet */
	bool has_asked; /* the parent for the cgroups' trees, which are on their way */
	int *mounted;	/* of each of the plan's mounts: what stands for it now that it is made */
};

static inline const char *plan_text(const struct plan *plan, plan_string offset)
{
	return offset ? (const char *)plan + offset : NULL;
}

static inline const void *plan_items(const struct plan *plan, struct plan_list list)
{
	return (const char *)plan + list.offset;
}

/* ---- report.c ---- */

/* Ends a process that may be under the seccomp filter, whether that lets it exit or not. */
_Noreturn void report_exit(int exit_code);

/* Ends init: sends "<text>: <errno's text>" (errnum 0: just the text). `exit_code` is 127 or 126
 * where the program is at fault, else 0: the verb's own status for a failure. */
_Noreturn void report_failure(struct init *init, int exit_code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A line for the caller's log. */
void report_line(struct init *init, char type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Sends one message, with a descriptor unless it is -1. */
void report_send(struct init *init, char type, int descriptor);
/* Tells the parent that everything is set up, and changes to a socket that nobody else has. */
void report_ready(struct init *init);
/* Waits for the parent's next message and returns its type; 0 when the parent is gone. Descriptors
 * that come with it are stored in fds (room for `max`); *count gets how many. */
char report_receive(struct init *init, int *fds, size_t max, size_t *count);

/* ---- start_hooks.c ---- */
/* `environment` is the process's, which a hook without one of its own gets. */
void start_hooks_run(struct init *init, char *const *environment);

/* ---- mounts.c: what LXC could not mount ---- */
void mounts_apply(struct init *init);
/* When whatever has to be in them is there: those that are to be read-only. */
void mounts_finish(struct init *init);
/* Gives a file system that is being made (fsopen(2)) the mount label, if there is one. -1 with
 * errno. */
int mounts_set_context(const struct init *init, int fs);

/* ---- target.c: where it goes ---- */

/*
 * Opens (O_PATH) a path of the container's, following symlinks inside the container only; makes it,
 * as a directory or an empty file, when it is missing and `make` says so. -1 with errno.
 */
int mounts_open_target(const char *path, bool make, bool is_file, bool no_symlink);

/* Whether that is a place for `tree`: what is on a procfs may be covered in a few places only, by
 * whatever symlinks it was come to (CVE-2019-16884, CVE-2025-52881). */
bool mounts_may_cover(const struct plan_mount *mount, int tree, int target);

/* ---- propagation.c ---- */
/* Before anything is mounted, and when everything is. */
void propagation_begin(struct init *init);
void propagation_finish(struct init *init);
/* MS_SHARED …, with MS_REC for all that lies below. -1 with errno. */
int propagation_set(int fd, uint32_t propagation);

/* ---- clocks.c: a new time namespace ---- */
void clocks_apply(struct init *init);

/* ---- sysctl.c ---- */
void sysctl_apply(struct init *init);

/* ---- devices.c ---- */
void devices_apply(struct init *init);

/* ---- hide.c: masked and read-only paths, read-only root ---- */
void hide_apply(struct init *init);

/* ---- terminal.c ---- */
/* Makes the pty, sends its master to the parent, and puts its slave on 0, 1, 2 and /dev/console. */
void terminal_apply(struct init *init);

/* ---- join.c ---- */
/* An exec's way into the container's namespaces. Returns in the process that will be the program.
 */
void join_apply(struct init *init);

/* ---- seccomp.c ---- */
/* From here on the filter holds, if there is one. */
void seccomp_load(struct init *init);

/* ---- process/become.c ---- */
/* As with runc the container's first process finds its directory made, in a root that will be
 * read-only, too, and no other process does. */
void become_make_directory(struct init *init);
/* Everything about the process that can be done, and everything that can go wrong, before the
 * start. */
void become_prepare(struct init *init);
/* The last step: user, capabilities, seccomp, exec. */
_Noreturn void become_execute(struct init *init);

#endif
