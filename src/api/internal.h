/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the public library share. It is a thin cover over driver/. */
#ifndef RUNLXC_API_INTERNAL_H
#define RUNLXC_API_INTERNAL_H

#include <runlxc/runlxc.h>

#include "driver/driver.h"
#include "driver/handle.h"

#define PUBLIC __attribute__((visibility("default")))

struct runlxc {
	struct driver driver;
	struct log log;
	char *root;
	char name[64];
	void (*write)(void *data, enum runlxc_log_level level, const char *message);
	void *data;
};

/* The two error structs have the same members, so that an error is handed on and never copied. */
_Static_assert(sizeof(struct error) == sizeof(struct runlxc_error) &&
		   offsetof(struct error, message) == offsetof(struct runlxc_error, message) &&
		   offsetof(struct error, errnum) == offsetof(struct runlxc_error, errnum),
	       "struct error and struct runlxc_error are one");

/* Calls with `e` as the error: the caller's, or where the caller passed NULL, nobody's. */
#define CALL(expression)                                                                           \
	({                                                                                         \
		struct error unused_ = ERROR_INIT;                                                 \
		struct error *e = err ? (struct error *)err : &unused_;                            \
		__typeof__(expression) result_ = (expression);                                     \
		error_clear(&unused_);                                                             \
		result_;                                                                           \
	})

/* What callers hand over, as the rooms below have it. */
struct handle_io api_io(const struct runlxc_io *io);
struct driver_create_options api_create_options(const struct runlxc_create_options *options);

#endif
