/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace, by two sockets that are in it, and what net_devices.c does to the devices
 * there (rtnetlink(7), netdevice(7)). All return 0, or -1 with errno. */
#ifndef RUNLXC_LXC_NET_PLACE_H
#define RUNLXC_LXC_NET_PLACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct net_place {
	int ns, control, rtnetlink;
};
#define NET_PLACE_INIT                                                                             \
	{                                                                                          \
		-1, -1, -1                                                                         \
	}

/* `path`: of the namespace. Must be closed after a failure, too. */
int net_place_open(struct net_place *place, const char *path);
void net_place_close(struct net_place *place);

int net_place_find(const struct net_place *place, const char *name, unsigned int *index);
int net_place_is_up(const struct net_place *place, const char *name, bool *up);
int net_place_set_up(const struct net_place *place, unsigned int index);
/* A "%d" in the name becomes a number that is free. */
int net_place_rename(const struct net_place *place, unsigned int index, const char *name);
/* Under a name that must be free there. */
int net_place_send(const struct net_place *from, unsigned int index, const struct net_place *to,
		   const char *name);

/* The addresses of a device that it is to keep: those that are permanent and global. */
struct net_addresses {
	void *messages; /* of rtnetlink, one after the other */
	size_t size;
};

int net_place_read_addresses(const struct net_place *place, unsigned int index,
			     struct net_addresses *addresses);
int net_place_add_addresses(const struct net_place *place, unsigned int index,
			    const struct net_addresses *addresses);

#endif
