/* SPDX-License-Identifier: Apache-2.0 */
/* What LXC does for a new network namespace, for one that LXC did not make. */
#include "lxc/lxc.h"

#include <errno.h>
#include <stdio.h>

#include "lxc/net_place.h"

int lxc_loopback_up(pid_t pid, struct error *err)
{
	struct net_place place;
	unsigned int index;
	char path[64];
	int result = -1;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (net_place_open(&place, path) < 0)
		return error_errno(err, errno, "Failed to enter the container's network namespace");
	if (net_place_find(&place, "lo", &index) == 0)
		result = net_place_set_up(&place, index);
	if (result < 0)
		error_errno(err, errno, "Failed to bring loopback up");
	net_place_close(&place);
	return result;
}
