/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace events, as chrome://tracing and Perfetto read them ("Trace Event Format", JSON object
 * format): for each process its name, one event for all that it does, and in that its steps and
 * their parts, all of them complete events ("X"). Times are CLOCK_MONOTONIC's, in microseconds, so
 * that the files of several commands can be laid side by side.
 */
#ifndef RUNLXC_BASE_TRACE_EVENTS_H
#define RUNLXC_BASE_TRACE_EVENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/trace.h"

struct json_object;

/*
 * One object, whose values change, serves for all events: with one for each a trace took half as
 * long again. json-c makes the text of each; what stands around them are the brackets of the list.
 */
struct trace_writer {
	FILE *out; /* NULL: not begun yet */
	struct json_object *event, *name, *pid, *start, *duration;
	const char *verb;
	int status, error; /* error: the first one's errno */
	bool has_events;
};

/* Takes `out` over. */
void trace_events_begin(struct trace_writer *writer, FILE *out);

/* The marks of one process. What has not ended, ends with the last mark of all. The command's event
 * tells the verb and the status. */
void trace_events_add(struct trace_writer *writer, enum trace_process process);

/* Closes the file. -1 with errno, if anything failed since the beginning. */
int trace_events_end(struct trace_writer *writer);

#endif
