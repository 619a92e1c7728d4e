/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by this room's own files. */
#ifndef RUNLXC_CGROUP_INTERNAL_H
#define RUNLXC_CGROUP_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cgroup/cgroup.h"

/* ---- hierarchies ---- */

void cgroup_hierarchy_free(struct cgroup_hierarchy *hierarchy);

/* What a cgroup of the unified hierarchy has, by its cgroup.controllers, instead of what was known.
 */
int cgroup_read_controllers(struct cgroup_hierarchy *hierarchy, const char *path,
			    struct error *err);

/* What messages call a hierarchy: "memory", "name=systemd", "unified". */
const char *cgroup_hierarchy_name(const struct cgroup_hierarchy *hierarchy);

/*
 * Its name in the file system, for one system call instead of three. Nobody can lead it elsewhere:
 * a hierarchy has no symlinks. False for a path that leads up, or is too long: go by descriptors
 * then.
 */
bool cgroup_name(const struct cgroup_hierarchy *hierarchy, const char *path, char name[PATH_MAX]);

/* The cgroup `path` of a hierarchy, O_PATH. -1 with errno. */
int cgroup_open(const struct cgroup_hierarchy *hierarchy, const char *path);

/* Writes one of a cgroup's files in a single write, as the kernel wants it. -1 with errno. */
int cgroup_write_file(int dir, const char *file, const char *text);

/* Reads one of a cgroup's small files into `text`, without its last newline. -1 with errno. */
int cgroup_read_file(int dir, const char *file, char *text, size_t size);

/* Every pid in one hierarchy, as cgroup_pids(). */
int cgroup_hierarchy_pids(const struct cgroup_hierarchy *hierarchy, const char *path, pid_t **pids,
			  size_t *count, struct error *err);

/* The hierarchy that tells who is in a container, or NULL. */
const struct cgroup_hierarchy *cgroup_member_hierarchy(const struct cgroup_layout *layout);

/* As cgroup_wait_empty(), for one hierarchy, until a moment of CLOCK_MONOTONIC. */
int cgroup_hierarchy_wait_empty(const struct cgroup_hierarchy *hierarchy, const char *path,
				const struct timespec *deadline, struct error *err);

/* ---- waiting ---- */

struct timespec cgroup_deadline(int timeout_ms);

/* What is left until then, rounded up; 0 when it has passed. */
int cgroup_deadline_ms(const struct timespec *deadline);

/* Where the kernel tells no event: sleeps, twice as long each time (from 50 us to 10 ms), starting
 * from *delay_us == 0. False, at once, when the deadline has passed. */
bool cgroup_backoff(const struct timespec *deadline, unsigned int *delay_us);

/* How long to wait before the next look at v1's count of kills, in microseconds; 0: no longer. From
 * 0, the first. */
unsigned int cgroup_oom_next_look(unsigned int delay_us);

/*
 * Waits until cgroup.events of a v2 cgroup says `want` ("populated 0"), woken by the kernel at
 * every change. 0, or -1 with errno: ETIMEDOUT; ENODEV when the cgroup was removed.
 */
int cgroup_wait_event(int dir, const char *want, const struct timespec *deadline);

/* ---- walking down ---- */

/*
 * Goes through the cgroup `top` and all below it, children before their parent; calls visit() for
 * each with the cgroup's descriptor and, for all but the top, its parent's and its name. However
 * deep the tree is (whoever may write to a cgroup mount decides), it takes one descriptor and no
 * long path. What vanishes meanwhile is left out. Ends early when visit() returns non-zero, with
 * that.
 */
struct cgroup_walker {
	int (*visit)(int dir, void *data);
	/* May be NULL. After visit(): the cgroup's own descriptor is closed by then. */
	int (*leave)(int parent, const char *name, void *data);
	void *data;
};
int cgroup_walk(int top, const struct cgroup_walker *walker);

/* ---- limits ---- */

struct limits {
	const struct cgroup_layout *layout;
	const struct spec_resources *resources;
	struct cgroup_settings *settings;
	struct error *err;
	/* An update's: the container's cgroup, and what was asked for before; NULL for a new one.
	 */
	const char *path;
	const struct spec_resources *asked;
};

/* As error_set(), with what the document calls linux.resources in front: "linux.resources.". */
int limits_error(struct limits *limits, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds one file to be written. */
int limits_add(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
	       const char *controller, const char *field, const char *file, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Reads one of the container's own files for an update, as cgroup_read_file(). */
int limits_read(const struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		const char *file, char *text, size_t size);

/*
 * Whether the container's cgroup has or will have `file`, which not every kernel has. Some files
 * are in every cgroup but the root, and on v2 only where the controller is switched on: a cgroup
 * that has `witness`, which comes with the controller, but not `file` shows that it is absent.
 */
enum limits_presence {
	LIMITS_PRESENT,
	LIMITS_ABSENT,
	LIMITS_UNKNOWN, /* no cgroup to look at: the write will show */
};
enum limits_presence limits_file_presence(const struct limits *limits,
					  const struct cgroup_hierarchy *hierarchy,
					  const char *file, const char *witness);

/* 0 if the file may be written, else -1 and an error that names the field and the file. */
int limits_need_file(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		     const char *field, const char *file, const char *witness);

/* A number that is given and not 0, which engines write for "not given". */
static inline bool limits_i64(const struct spec_i64 *number)
{
	return number->set && number->value != 0;
}

static inline bool limits_u64(const struct spec_u64 *number)
{
	return number->set && number->value != 0;
}

/* Docker once wrote -1 for a swappiness that is not given. */
static inline bool limits_swappiness(const struct spec_u64 *number)
{
	return number->set && number->value != UINT64_MAX;
}

/*
 * memory.limit and memory.swap as they are to be: what is asked for or, in an update of the other
 * one, was asked for before. 0: not at all. An error is what memory's fields must keep to on v1 and
 * v2 alike.
 */
struct limits_memory {
	int64_t limit, swap;
};
int limits_memory(struct limits *limits, struct limits_memory *memory);

/* blockIO's weights are from 10 to 1000. `field` goes without "blockIO." */
int limits_check_weight(struct limits *limits, const char *field, uint64_t weight);

int limits_memory_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_cpu_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_block_io_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy);

int limits_memory_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_cpu_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_block_io_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy);

int limits_rdma(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_class(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_priorities(struct limits *limits, const struct cgroup_hierarchy *hierarchy);
int limits_unified(struct limits *limits);

#endif
