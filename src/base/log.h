/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runlxc says besides its errors: warnings and, when asked, the steps it takes. The caller of
 * the library owns the sink; without one nothing is said.
 */
#ifndef RUNLXC_BASE_LOG_H
#define RUNLXC_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log {
	/* One line, no newline at its end. May be called from the thread that called into the
	 * library only. */
	void (*write)(void *data, enum log_level level, const char *message);
	void *data;
	enum log_level level; /* messages above it are not made */
};

void log_message(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_warning(log, ...) log_message(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_message(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_message(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
