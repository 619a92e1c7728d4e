/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of a container's networks (lxc.net.N.*), which only annotations can ask for. */
#ifndef RUNLXC_LXC_NETWORK_H
#define RUNLXC_LXC_NETWORK_H

#include <stdbool.h>

#include "lxc/lxc.h"

/* Gives LXC names for the host's ends of veth pairs that have none, and the loopback interface a
 * network of its own. Called when all other items are in the recipe. */
int network_compile(const struct lxc_request *request, struct lxc_recipe *recipe,
		    struct error *err);

/* The value that LXC gets for an item of a network. NULL: memory ran out. */
const char *network_value(struct arena *arena, const char *key, const char *value);

/* Whether the caller can make a network namespace, and come back (network_make.c). */
bool network_may_follow(const struct lxc_request *request);

/* rtnetlink.c. All return 0, or -1 with errno. */
int rtnetlink_set_hairpin(unsigned int index);
int rtnetlink_delete(unsigned int index);

#endif
