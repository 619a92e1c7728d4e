/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rights of a caller who isn't root. Whoever makes a user namespace has all rights over it, and
 * over mount namespaces that belong to it: there trees are cloned, and files made that belong to
 * the container's root. It is not the container's own, which LXC makes later, but one with the same
 * mappings beside it.
 */
#ifndef RUNLXC_LXC_RIGHTS_H
#define RUNLXC_LXC_RIGHTS_H

#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

struct lxc_rights {
	pid_t keeper; /* a process in these namespaces; 0: none is needed */
	int pidfd;    /* of it */
};
#define LXC_RIGHTS_INIT                                                                            \
	{                                                                                          \
		0, -1                                                                              \
	}

/* What a user can't have at all is refused by its field's name, in runc's words. */
int lxc_rights_check(const struct spec *spec, struct error *err);

/* For root there is nothing to do. */
int lxc_rights_take(struct lxc_rights *rights, const struct spec *spec, struct error *err);
void lxc_rights_release(struct lxc_rights *rights);

/*
 * Calls `what` with them, as the root of those namespaces: on the caller's memory and descriptors,
 * in a process of its own, while the calling thread waits. Returns what it returned, with errno; -1
 * also where they can't be had. Without any it is called as it is.
 */
int lxc_rights_use(const struct lxc_rights *rights, int (*what)(void *data), void *data);

/* The same in the user namespace of a process, but in our own mount namespace. */
int lxc_rights_over(int pidfd, int (*what)(void *data), void *data);

#endif
