/* SPDX-License-Identifier: Apache-2.0 */
/* The table that `stats` shows. */
#ifndef RUNLXC_CLI_STATS_TABLE_H
#define RUNLXC_CLI_STATS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "driver/stats.h"

struct stats_row {
	const char *id;
	const struct driver_stats *now;
	bool rate_known;
	double cpu; /* percent of one CPU since the reading before */
};

/* Prints the heading and the rows to standard output. */
int stats_table_print(const struct stats_row *rows, size_t count, struct error *err);

#endif
