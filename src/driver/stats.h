/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container uses, and what befalls it: the functions behind the verbs events and stats. No
 * function here blocks unless it says so.
 */
#ifndef RUNLXC_DRIVER_STATS_H
#define RUNLXC_DRIVER_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "driver/driver.h"

/* The numbers that people look at; 0 where there is no controller to tell. The counters (CPU time,
 * bytes, kills) are since the container's start. */
struct driver_stats {
	bool running;	       /* its first process lives */
	uint64_t time;	       /* when they were read: nanoseconds of CLOCK_MONOTONIC */
	uint64_t cpu;	       /* nanoseconds, of all CPUs together */
	uint64_t memory;       /* bytes, without file pages that were not used lately */
	uint64_t memory_limit; /* the machine's memory where there is no limit below that */
	uint64_t oom_kills;
	uint64_t pids, pids_limit;		 /* limit 0: none */
	uint64_t network_received, network_sent; /* bytes; of a network namespace of its own */
	uint64_t block_read, block_written;	 /* bytes */
};

/* Reads one container's statistics again and again, without asking each time where they are. */
struct driver_stats_reader;

/* "container with id ID is not running" (errnum ESRCH) when it has ended. */
struct driver_stats_reader *driver_stats_open(const struct driver *driver, const char *id,
					      struct error *err);
void driver_stats_close(struct driver_stats_reader *reader);

/*
 * *json is what `runc events --stats` prints, one line without its newline, with "read" (the time)
 * and "memory_limit" added to its data; the caller frees it. Either may be NULL. errnum ENODEV: the
 * container has ended.
 */
int driver_stats_read(struct driver_stats_reader *reader, char **json, struct driver_stats *numbers,
		      struct error *err);

/* Readable (POLLIN) once the container has ended. Owned by the reader. */
int driver_stats_fd(const struct driver_stats_reader *reader);

/* Opens, reads once, closes. */
int driver_stats(const struct driver *driver, const char *id, char **json,
		 struct driver_stats *numbers, struct error *err);

struct driver_events_options {
	uint64_t interval; /* between statistics, in nanoseconds; above 0 */
	/* Stop when this descriptor's other end has gone (a pipe that nobody reads any more); -1.
	 */
	int output;
	/* Gets each event: a line as `runc events` prints it, without its newline. Not 0: stop. */
	int (*report)(void *data, const char *json, struct error *err);
	void *data;
};

/* Reports statistics at every interval, and one {"type":"oom"} for each process that the kernel's
 * out-of-memory killer has killed, until the container has ended. Blocks. */
int driver_events(const struct driver *driver, const char *id,
		  const struct driver_events_options *options, struct error *err);

#endif
