/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's resctrl file system: groups of processes that share a part of a cache and of the
 * memory's bandwidth, and are counted together (Documentation/arch/x86/resctrl.rst). What a
 * config.json says of it is config-linux.md, "IntelRdt". Nobody else knows a name in there.
 *
 * A group is a directory below the file system's root, which is a group itself: the default one, of
 * everybody who is in no other. Groups are told by descriptors of their directories. Nothing here
 * blocks for long, and all of it works on whatever directory is taken for the root; only
 * resctrl_open() asks what it is.
 */
#ifndef RUNLXC_RESCTRL_RESCTRL_H
#define RUNLXC_RESCTRL_RESCTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

/* The default group's name, a closID's (OCI 1.3). */
#define RESCTRL_DEFAULT "/"

/* The root of the mounted file system, found by /proc/self/mountinfo. -1 with errnum ENOENT: none
 * is mounted. */
int resctrl_open(struct error *err);

/* A group, by its name: one component, or RESCTRL_DEFAULT. -1 with errnum ENOENT: there is none. */
int resctrl_group_open(int root, const char *name, struct error *err);
/* Makes one and opens it. -1 with errnum EEXIST: there is one, which isn't ours. */
int resctrl_group_make(int root, const char *name, struct error *err);
/* Which group it is of all that have had or will have that name; 0: that can't be told. */
uint64_t resctrl_group_identity(int group);
/* The processes (threads, more exactly) in it that we can see; the caller frees *pids. */
int resctrl_group_pids(int group, pid_t **pids, size_t *count, struct error *err);
/* Takes a group away; its processes go to the default one. One that isn't there is gone. */
int resctrl_group_remove(int root, const char *name, struct error *err);

/* The same for the monitoring group of a container's in a group: what is counted for it alone. */
int resctrl_monitor_open(int group, const char *id, struct error *err);
int resctrl_monitor_make(int group, const char *id, struct error *err);
int resctrl_monitor_remove(int group, const char *id, struct error *err);

/* Where a pid is written to join a group or a monitoring group; a process that joins the latter
 * must be in its group. */
int resctrl_tasks_open(int group, struct error *err);
/* 0: the caller. */
int resctrl_join(int tasks, pid_t pid, struct error *err);

/* Whether the host counts what linux.intelRdt wants counted (enableCMT and enableMBM of OCI 1.1);
 * it does so for every group. */
int resctrl_check_counters(int root, const struct spec_intel_rdt *rdt, struct error *err);

/* ---- schemata.c: what a group gets ---- */

/* The lines that l3CacheSchema and memBwSchema say together (either may be NULL), and those of
 * `schemata`, each with its newline; "" for none. The caller frees them. */
char *resctrl_combine(const char *l3_cache_schema, const char *mem_bw_schema);
char *resctrl_lines(const struct spec_strings *schemata);

/* A group's lines; the caller frees them. */
char *resctrl_schemata_read(int group, struct error *err);
/* All lines or none; the error tells what the kernel has against it. `root` is for that. */
int resctrl_schemata_write(int root, int group, const char *lines, struct error *err);
/* 1: a group with the lines `now` has already what `wanted` says; 0: it has something else.
 * `granularity`: what the kernel rounds percentages of bandwidth up to; 0 where it doesn't. */
int resctrl_schemata_match(const char *now, const char *wanted, unsigned long granularity);
unsigned long resctrl_bandwidth_granularity(int root);

#endif
