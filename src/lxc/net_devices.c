/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/net_devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lxc/net_place.h"

struct moved {
	char name[IFNAMSIZ]; /* on the host */
	unsigned int index;  /* in the container */
	bool was_up;
	struct net_addresses addresses; /* as they were on the host */
};

struct net_devices {
	struct net_place host, container;
	size_t count, asked;
	struct moved moved[];
};

/*
 * By way of a name that nobody has: only in its new namespace it is known whether the wanted one is
 * free there. The kernel takes the device down and its addresses off. Returns -1 with errno where
 * it was not moved, and 1 with errno where it was, but is not as it should be.
 */
static int move(const struct net_place *from, unsigned int index, const struct net_place *to,
		const char *name, bool up, const struct net_addresses *addresses,
		unsigned int *new_index)
{
	char passing[IFNAMSIZ];

	snprintf(passing, sizeof(passing), "rlx%d", (int)gettid());
	if (net_place_send(from, index, to, passing) < 0)
		return -1;
	if (net_place_find(to, passing, new_index) < 0 ||
	    net_place_rename(to, *new_index, name) < 0 ||
	    net_place_add_addresses(to, *new_index, addresses) < 0 ||
	    (up && net_place_set_up(to, *new_index) < 0))
		return 1;
	return 0;
}

static void bring_back(const struct net_devices *devices, const struct moved *moved)
{
	unsigned int index;

	move(&devices->container, moved->index, &devices->host, moved->name, moved->was_up,
	     &moved->addresses, &index);
}

static int move_one(struct net_devices *devices, const struct spec_net_device *device,
		    struct error *err)
{
	struct moved *moved = &devices->moved[devices->count];
	const char *name = device->new_name ? device->new_name : device->name;
	unsigned int index;
	int result, error;

	snprintf(moved->name, sizeof(moved->name), "%s", device->name);
	if (net_place_find(&devices->host, device->name, &index) < 0 ||
	    net_place_is_up(&devices->host, device->name, &moved->was_up) < 0 ||
	    net_place_read_addresses(&devices->host, index, &moved->addresses) < 0)
		return error_errno(err, errno, "linux.netDevices.%s: Failed to find it on the host",
				   device->name);
	/* config-linux.md, "Network Devices": it is up, whatever it was. */
	result = move(&devices->host, index, &devices->container, name, true, &moved->addresses,
		      &moved->index);
	error = errno;
	if (result > 0)
		bring_back(devices, moved);
	if (result)
		return error_errno(err, error,
				   "linux.netDevices.%s: Failed to move it into the container as "
				   "\"%s\"",
				   device->name, name);
	devices->count++;
	return 0;
}

struct net_devices *net_devices_move(const struct spec *spec, pid_t pid, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	struct net_devices *devices;
	char path[64];
	size_t i;

	if (!linux_->net_devices_count)
		return NULL;
	devices = calloc(1, sizeof(*devices) + linux_->net_devices_count * sizeof(struct moved));
	if (!devices) {
		error_errno(err, ENOMEM, "linux.netDevices");
		return NULL;
	}
	devices->asked = linux_->net_devices_count;
	devices->host = devices->container = (struct net_place)NET_PLACE_INIT;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (net_place_open(&devices->host, "/proc/thread-self/ns/net") < 0 ||
	    net_place_open(&devices->container, path) < 0) {
		error_errno(err, errno,
			    "linux.netDevices: Failed to enter the container's network");
		net_devices_free(devices);
		return NULL;
	}
	for (i = 0; i < linux_->net_devices_count; i++) {
		if (move_one(devices, &linux_->net_devices[i], err) == 0)
			continue;
		net_devices_return(devices);
		net_devices_free(devices);
		return NULL;
	}
	return devices;
}

void net_devices_return(struct net_devices *devices)
{
	while (devices->count)
		bring_back(devices, &devices->moved[--devices->count]);
}

void net_devices_free(struct net_devices *devices)
{
	size_t i;

	if (!devices)
		return;
	for (i = 0; i < devices->asked; i++)
		free(devices->moved[i].addresses.messages);
	net_place_close(&devices->host);
	net_place_close(&devices->container);
	free(devices);
}
