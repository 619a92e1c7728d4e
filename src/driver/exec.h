/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by what an exec is made of: exec_process.c, exec_child.c and exec.c. */
#ifndef RUNLXC_DRIVER_EXEC_H
#define RUNLXC_DRIVER_EXEC_H

#include "driver/exec_cgroup.h"

struct execution {
	const struct driver *driver;
	const struct driver_exec_options *options;
	struct container container;
	struct cgroup_layout *layout;
	struct spec *spec;	     /* the container's; its .process is the one to run */
	struct spec *process_spec;   /* where --process was read from */
	struct exec_cgroups cgroups; /* in these hierarchies of `layout` */
	struct container_resctrl resctrl;
	int pidfd; /* of the container's first process */
	int sync, terminal;
	pid_t child; /* what we forked; init's fork is our child, too */
	pid_t pid;   /* the process */
	int process_pidfd;
	enum driver_status status; /* of the container */
};

/* What is to run: from --process or the container's own, with what the options say. */
int exec_read_process(struct execution *execution, struct error *err);
/* Forks the child that enters the container's cgroups and becomes init. */
int exec_spawn(struct execution *execution, struct error *err);

#endif
