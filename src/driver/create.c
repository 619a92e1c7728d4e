/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

int driver_create(const struct driver *driver, const char *id,
		  const struct driver_create_options *options, struct error *err)
{
	cleanup_creation struct creation creation;

	return creation_run(&creation, driver, id, options, false, err);
}
