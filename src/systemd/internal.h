/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by this room's own files. */
#ifndef RUNLXC_SYSTEMD_INTERNAL_H
#define RUNLXC_SYSTEMD_INTERNAL_H

#include <systemd/sd-bus.h>

#include "systemd/systemd.h"

/* The functions of libsystemd's that are used, by their names. */
#define SYSTEMD_FUNCTIONS(FUNCTION)                                                                \
	FUNCTION(sd_bus_new)                                                                       \
	FUNCTION(sd_bus_open_system)                                                               \
	FUNCTION(sd_bus_open_user)                                                                 \
	FUNCTION(sd_bus_set_address)                                                               \
	FUNCTION(sd_bus_start)                                                                     \
	FUNCTION(sd_bus_flush_close_unref)                                                         \
	FUNCTION(sd_bus_call)                                                                      \
	FUNCTION(sd_bus_process)                                                                   \
	FUNCTION(sd_bus_wait)                                                                      \
	FUNCTION(sd_bus_match_signal)                                                              \
	FUNCTION(sd_bus_slot_unref)                                                                \
	FUNCTION(sd_bus_get_property_string)                                                       \
	FUNCTION(sd_bus_error_free)                                                                \
	FUNCTION(sd_bus_error_has_name)                                                            \
	FUNCTION(sd_bus_message_new_method_call)                                                   \
	FUNCTION(sd_bus_message_append)                                                            \
	FUNCTION(sd_bus_message_append_basic)                                                      \
	FUNCTION(sd_bus_message_open_container)                                                    \
	FUNCTION(sd_bus_message_close_container)                                                   \
	FUNCTION(sd_bus_message_read)                                                              \
	FUNCTION(sd_bus_message_unref)

struct systemd_library {
#define SYSTEMD_MEMBER(name) __typeof__(name) *name;
	SYSTEMD_FUNCTIONS(SYSTEMD_MEMBER)
#undef SYSTEMD_MEMBER
};

/* Static; NULL when it can't be loaded, with the loader's own words. */
const struct systemd_library *systemd_library_load(struct error *err);

struct systemd {
	const struct systemd_library *library;
	sd_bus *bus;
	bool subscribed;
};

#define SYSTEMD_DESTINATION "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

/* How long an answer, or the end of a job, is waited for. */
#define SYSTEMD_TIMEOUT_USEC (30 * UINT64_C(1000000))

/* message.c: a call of one of the manager's methods; to be freed. errno-style results. */
int systemd_message(const struct systemd *systemd, const char *method, sd_bus_message **message);
/* As "a(sv)". */
int systemd_append_properties(const struct systemd *systemd, sd_bus_message *message,
			      const struct properties *properties);

#endif
