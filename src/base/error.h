/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error convention for the whole of runlxc.
 *
 * A function that can fail returns 0 or -1 (or a pointer or NULL) and takes a `struct error *`
 * last. On failure it fills it: one line that names what was asked for, what was tried and, where
 * the kernel said why, errno's text. Callers add context in front while the error goes up. Nothing
 * but the command prints it.
 */
#ifndef RUNLXC_BASE_ERROR_H
#define RUNLXC_BASE_ERROR_H

#include <stdarg.h>

struct error {
	/*
	 * What the command should exit with; 0 means "the verb's usual failure status". Set to 127
	 * and 126 for a program that is missing or can't be executed.
	 */
	int exit_code;
	/* errno of the failing call, or 0. For callers that treat one errno apart; never for users.
	 */
	int errnum;
	/* Owned; freed by error_clear(). NULL when there is no error. */
	char *message;
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		0, 0, NULL                                                                         \
	}

/* Sets the message. Always returns -1, so that `return error_set(err, …)` reads well. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set(), with ": <text of errnum>" behind. The text is strerror's with a lower-case first
 * letter, which is what engines match on. */
int error_errno(struct error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<text>: " in front of a message that is already there. Always returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message, or a placeholder; never NULL. */
const char *error_text(const struct error *err);

/* Frees the message and makes *err ready to be filled again. */
void error_clear(struct error *err);

#endif
