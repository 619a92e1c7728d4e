/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liblxc, loaded when it is first needed and not before: it brings half a dozen libraries along,
 * and most verbs (exec, start, kill, delete, state …) have no use for it.
 */
#ifndef RUNLXC_LXC_LIBRARY_H
#define RUNLXC_LXC_LIBRARY_H

#include <lxc/lxccontainer.h>

#include "base/error.h"

struct lxc_library {
	struct lxc_container *(*container_new)(const char *name, const char *path);
	int (*container_put)(struct lxc_container *container);
	const char *(*get_version)(void);
};

/* Static; NULL when it can't be loaded, with the loader's own words. */
const struct lxc_library *lxc_library_load(struct error *err);

#endif
