/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: devices of the host that are moved into a container's network namespace, with
 * their addresses. What becomes of them at its end is the kernel's affair: config-linux.md forbids
 * to bring them back.
 */
#ifndef RUNLXC_LXC_NET_DEVICES_H
#define RUNLXC_LXC_NET_DEVICES_H

#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

/* What was moved; knows the way back. */
struct net_devices;

/*
 * Moves them into the network namespace of `pid`, under their new names, and sets them up. Where
 * one can't be, the others are brought back. NULL, also where there is nothing to move (and then no
 * error).
 */
struct net_devices *net_devices_move(const struct spec *spec, pid_t pid, struct error *err);

/* For a container that was not to be: brings them back, as they were, as far as can be. */
void net_devices_return(struct net_devices *devices);

/* Lets them go; NULL is fine. */
void net_devices_free(struct net_devices *devices);

#endif
