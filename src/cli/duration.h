/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNLXC_CLI_DURATION_H
#define RUNLXC_CLI_DURATION_H

#include <stdint.h>

#include "base/error.h"

/* A span of time as Go's flags have it: "5s", "1.5h", "1m30s", "250ms", "10us", "0". In
 * nanoseconds. -1 (and no error) for anything else, or more than 292 years. */
int duration_parse(const char *text, int64_t *nanoseconds);

/* The value of --interval: a span above zero. */
int duration_interval(const char *text, uint64_t *nanoseconds, struct error *err);

#endif
