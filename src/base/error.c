/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void replace_message(struct error *err, char *message)
{
	free(err->message);
	err->message = message;
}

int error_set(struct error *err, const char *format, ...)
{
	va_list args;
	char *message = NULL;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	replace_message(err, message);
	err->errnum = 0;
	return -1;
}

int error_errno(struct error *err, int errnum, const char *format, ...)
{
	va_list args;
	char *head = NULL, *message = NULL;
	char text[128];

	va_start(args, format);
	if (vasprintf(&head, format, args) < 0)
		head = NULL;
	va_end(args);

	snprintf(text, sizeof(text), "%s", strerrordesc_np(errnum) ?: "unknown error");
	if (text[0] && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	if (asprintf(&message, "%s: %s", head ? head : "out of memory", text) < 0)
		message = NULL;
	free(head);
	replace_message(err, message);
	err->errnum = errnum;
	return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
	va_list args;
	char *head = NULL, *message = NULL;

	va_start(args, format);
	if (vasprintf(&head, format, args) < 0)
		head = NULL;
	va_end(args);
	if (head && asprintf(&message, "%s: %s", head, error_text(err)) >= 0)
		replace_message(err, message);
	free(head);
	return -1;
}

const char *error_text(const struct error *err)
{
	return err->message ? err->message : "out of memory";
}

void error_clear(struct error *err)
{
	free(err->message);
	*err = (struct error)ERROR_INIT;
}
