/* SPDX-License-Identifier: Apache-2.0 */
/* In which cgroups an exec's process is: the container's own, or what --cgroup asks for. */
#ifndef RUNLXC_DRIVER_EXEC_CGROUP_H
#define RUNLXC_DRIVER_EXEC_CGROUP_H

#include "driver/internal.h"

struct exec_cgroups {
	const struct cgroup_layout *layout;
	const char *own;     /* the container's; NULL: it has none */
	char **asked;	     /* for each hierarchy where to be; NULL: in `own` */
	bool chosen;	     /* something was asked for */
	char *first_process; /* v2: where that is; NULL: in `own`, or v1 */
};

/*
 * `asked` is NULL or ends with NULL: "PATH" alone, for every hierarchy that has it, or any number
 * of "CONTROLLER[,CONTROLLER…]:PATH". Paths are below the container's own cgroup, and must be
 * there.
 */
int exec_cgroups_choose(struct exec_cgroups *cgroups, const struct container *container,
			const struct cgroup_layout *layout, char *const *asked, struct error *err);

/* Moves the calling process, which must not have other threads. */
int exec_cgroups_join(const struct exec_cgroups *cgroups, struct error *err);

void exec_cgroups_free(struct exec_cgroups *cgroups);

#endif
