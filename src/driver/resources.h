/* SPDX-License-Identifier: Apache-2.0 */
/* Resources documents as text: what an update brings, put into what was asked for before. */
#ifndef RUNLXC_DRIVER_RESOURCES_H
#define RUNLXC_DRIVER_RESOURCES_H

#include <stddef.h>

#include "base/error.h"

/* linux.resources of a config.json, "{}" where it has none. The caller frees it. */
char *resources_of_config(const char *config, size_t length, struct error *err);

/*
 * `changes` put into `asked`: members that are not there, null, empty, or a zero that means "unset"
 * change nothing; objects are merged, lists by what their elements are for (a device, a page size,
 * an interface). Device rules stay: an update doesn't change them. The caller frees the result.
 */
char *resources_merge(const char *asked, const char *changes, struct error *err);

#endif
