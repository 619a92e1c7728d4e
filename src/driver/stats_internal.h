/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by stats*.c. */
#ifndef RUNLXC_DRIVER_STATS_INTERNAL_H
#define RUNLXC_DRIVER_STATS_INTERNAL_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cgroup/stats.h"

/* One direction of an interface's counters. */
struct stats_traffic {
	uint64_t bytes, packets, errors, dropped;
};

struct stats_interface {
	char name[IF_NAMESIZE];
	struct stats_traffic received, sent;
};

struct stats_network {
	struct stats_interface *interfaces;
	size_t count;
};

/* Every interface but loopback in the network namespace of the process whose directory in /proc
 * this is; none when it has ended. network->interfaces is freed by the caller. */
int stats_network_read(int process, struct stats_network *network, struct error *err);

/* The line that `runc events --stats` prints. The caller frees it. */
char *stats_json(const char *id, const struct cgroup_stats *stats,
		 const struct stats_network *network, uint64_t memory_limit, struct error *err);

#endif
