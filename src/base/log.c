/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_message(const struct log *log, enum log_level level, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (!log || !log->write || level > log->level)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		log->write(log->data, level, text);
	free(text);
}
