/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use. */
#include "driver/stats.h"

#include "api/internal.h"

PUBLIC char *runlxc_stats(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	char *json;

	return CALL(driver_stats(&driver->driver, id, &json, NULL, e)) == 0 ? json : NULL;
}

/* A public reader is a reader; nobody looks into it. */
PUBLIC struct runlxc_stats_reader *runlxc_stats_open(struct runlxc *driver, const char *id,
						     struct runlxc_error *err)
{
	return (struct runlxc_stats_reader *)CALL(driver_stats_open(&driver->driver, id, e));
}

PUBLIC char *runlxc_stats_read(struct runlxc_stats_reader *reader, struct runlxc_error *err)
{
	char *json;

	return CALL(driver_stats_read((struct driver_stats_reader *)reader, &json, NULL, e)) == 0
		   ? json
		   : NULL;
}

PUBLIC void runlxc_stats_close(struct runlxc_stats_reader *reader)
{
	driver_stats_close((struct driver_stats_reader *)reader);
}
