/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container's processes were killed for memory, seen from beginning to end. */
#ifndef RUNLXC_DRIVER_MEMORY_WATCH_H
#define RUNLXC_DRIVER_MEMORY_WATCH_H

#include "cgroup/stats.h"

struct memory_watch {
	struct cgroup_oom *oom; /* NULL: no memory controller, or the cgroup is gone */
	bool killed;		/* somebody was */
};

/* Where there is no memory controller nothing can run out of it: that is no error. */
void memory_watch_open(struct memory_watch *watch, const struct cgroup_layout *layout,
		       const char *cgroup_path);

/* Readable when memory_watch_look() has something to see; -1: never. */
int memory_watch_fd(const struct memory_watch *watch);
void memory_watch_look(struct memory_watch *watch);

/* The last look, once the first process has ended: whether anybody was killed. */
bool memory_watch_end(struct memory_watch *watch);
void memory_watch_close(struct memory_watch *watch);

#endif
