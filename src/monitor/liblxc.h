/* SPDX-License-Identifier: Apache-2.0 */
/* What of liblxc is called by name: linked.c where a program is linked to it, loaded.c where one
 * isn't, since most of what it does needs no LXC. */
#ifndef RUNLXC_MONITOR_LIBLXC_H
#define RUNLXC_MONITOR_LIBLXC_H

#include <lxc/lxccontainer.h>

struct liblxc {
	struct lxc_container *(*container_new)(const char *name, const char *path);
	bool (*item_is_supported)(const char *key);
	const char *(*get_version)(void);
};

/* Static; NULL: *reason says why not. */
const struct liblxc *liblxc(const char **reason);

#endif
