/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages go: errors to standard error and, with --log, to that file too, because engines
 * read it there; everything else to the file, or to standard error without one.
 */
#ifndef RUNLXC_CLI_LOG_SINK_H
#define RUNLXC_CLI_LOG_SINK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"

struct log_sink {
	struct log log; /* for the library; its data points to this sink */
	int fd;		/* the log file, or -1 */
	bool json;
};

/* Opens the log; `path` NULL: none. The sink must stay where it is until log_sink_close(). */
int log_sink_open(struct log_sink *sink, const char *path, bool json, bool debug,
		  struct error *err);
void log_sink_close(struct log_sink *sink);

/* Reports what a command failed with: one line on standard error and one in the log file. */
void log_sink_failure(struct log_sink *sink, const char *message);

/* One line of the log as the file gets it, its newline included. NULL when memory ran out; the
 * caller frees it. `time` is RFC 3339. */
char *log_sink_format(bool json, enum log_level level, const char *message, const char *time);

#endif
