/* SPDX-License-Identifier: Apache-2.0 */
/* The command's half of --trace: the page, and the file that is made of it. See base/trace.h. */
#ifndef RUNLXC_BASE_TRACE_FILE_H
#define RUNLXC_BASE_TRACE_FILE_H

#include "base/error.h"

/* Opens (and empties) the file and makes the page. From here on marks are kept. */
int trace_open(const char *path, struct error *err);

/* The page's descriptor, for another process to attach to: a duplicate numbered `lowest` or above,
 * O_CLOEXEC, which the caller closes. -1: nothing is traced. */
int trace_descriptor(int lowest);

/* While there is nothing else to do: what the processes that have ended did, into the file. */
void trace_write_others(void);

/*
 * Writes the file: trace events in JSON, the whole of the command called `verb`, which exits with
 * `status`. Does nothing where nothing is traced. A command that is killed doesn't come to this,
 * and leaves the file empty, or begun.
 */
int trace_close(const char *verb, int status, struct error *err);

#endif
