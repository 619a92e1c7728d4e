/* SPDX-License-Identifier: Apache-2.0 */
/* linux.intelRdt: a container's group in the resctrl file system. */
#ifndef RUNLXC_DRIVER_RESCTRL_H
#define RUNLXC_DRIVER_RESCTRL_H

#include <sys/types.h>

#include "base/error.h"

struct creation;
struct driver;
struct state;

/* Of a container that is being created; all unset where linux.intelRdt is. */
struct creation_resctrl {
	int root, group;	  /* the file system's, and the container's once it is there */
	char *schemas, *schemata; /* what is to be written, in this order */
	char *before;		  /* what a group that was there had; NULL: it still has */
};
#define CREATION_RESCTRL_INIT                                                                      \
	{                                                                                          \
		.root = -1, .group = -1                                                            \
	}

/* Whether what is asked for can be: nothing is made or changed yet. */
int creation_place_resctrl(struct creation *creation, struct error *err);
/* Notes in the state what creation_make_resctrl() is going to make and set. */
int creation_record_resctrl(const struct creation *creation, struct state *state,
			    struct error *err);
int creation_make_resctrl(struct creation *creation, struct error *err);
int creation_join_resctrl(const struct creation *creation, pid_t pid, struct error *err);
/* Of a create that failed: what it changed for others. What it made goes with the container. */
void creation_put_back_resctrl(struct creation *creation);
void creation_free_resctrl(struct creation_resctrl *resctrl);

/* Where one more process of a container's joins; -1: nowhere. */
struct container_resctrl {
	int group, monitor;
};
#define CONTAINER_RESCTRL_INIT                                                                     \
	{                                                                                          \
		-1, -1                                                                             \
	}

/* A group that is no more isn't an error: the kernel has put its processes into the default one. */
int container_open_resctrl(const struct state *state, struct container_resctrl *tasks,
			   struct error *err);
/* 0: the caller. */
int container_join_resctrl(const struct container_resctrl *tasks, pid_t pid, struct error *err);
void container_close_resctrl(struct container_resctrl *tasks);
#define cleanup_container_resctrl __attribute__((cleanup(container_close_resctrl)))

/* Removes what was made for the container, whose processes are gone. */
int container_remove_resctrl(const struct driver *driver, const struct state *state,
			     struct error *err);

/* The container's group, below the file system's root. -1 without an error: it is no more. */
int container_resctrl_group(int root, const struct state *state, struct error *err);

/* Of `update`: the flags' values, "" or NULL for none; and back again. */
struct resctrl_update {
	int root, group;
	char *before; /* NULL: nothing was changed */
};
#define RESCTRL_UPDATE_INIT                                                                        \
	{                                                                                          \
		-1, -1, NULL                                                                       \
	}

/* Before anything is looked at: whether the host has what they are about. */
int resctrl_update_check(const char *l3_cache_schema, const char *mem_bw_schema, struct error *err);
int container_update_resctrl(const struct state *state, const char *l3_cache_schema,
			     const char *mem_bw_schema, struct resctrl_update *update,
			     struct error *err);
int resctrl_update_undo(const struct resctrl_update *update, struct error *err);
void resctrl_update_free(struct resctrl_update *update);

#endif
