/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of small numbers, written as the kernel writes CPUs and memory nodes: "0-3,7". */
#ifndef RUNLXC_BASE_RANGES_H
#define RUNLXC_BASE_RANGES_H

#include <stdint.h>

/* The most CPUs that a kernel can be built for; of memory nodes there are fewer. */
#define RANGES_MAX 8192

struct ranges {
	uint64_t words[RANGES_MAX / 64]; /* number n is bit n % 64 of word n / 64 */
};

/*
 * Blanks around an element, and elements with nothing in them, are ignored, as by runc. Returns how
 * many numbers there are; -1: it isn't such a list, or goes beyond RANGES_MAX.
 */
int ranges_parse(const char *text, struct ranges *ranges);

#endif
