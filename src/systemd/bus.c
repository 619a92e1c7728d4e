/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a manager. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "systemd/internal.h"

/* At an address of our own. */
static int open_at(struct systemd *systemd, const char *directory, const char *name)
{
	const struct systemd_library *library = systemd->library;
	cleanup_free char *address = NULL;
	int result;

	if (asprintf(&address, "unix:path=%s/%s", directory, name) < 0) {
		address = NULL;
		return -ENOMEM;
	}
	result = library->sd_bus_new(&systemd->bus);
	if (result >= 0)
		result = library->sd_bus_set_address(systemd->bus, address);
	if (result >= 0)
		result = library->sd_bus_start(systemd->bus);
	if (result < 0)
		systemd->bus = library->sd_bus_flush_close_unref(systemd->bus);
	return result;
}

/* The manager listens on a socket of its own, too, on which there is no bus: nobody has to be
 * asked for its name, nor for signals. */
static int open_system(struct systemd *systemd)
{
	int result = systemd->library->sd_bus_open_system(&systemd->bus);

	return result >= 0 || open_at(systemd, "/run/systemd", "private") < 0 ? result : 0;
}

static int open_user(struct systemd *systemd)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	cleanup_free char *usual = NULL;
	int result = systemd->library->sd_bus_open_user(&systemd->bus);

	if (result >= 0)
		return result;
	if (asprintf(&usual, "/run/user/%u", geteuid()) < 0) {
		usual = NULL;
		return -ENOMEM;
	}
	return open_at(systemd, runtime ? runtime : usual, "systemd/private") < 0 ? result : 0;
}

int systemd_connect(bool user, struct systemd **systemd, struct error *err)
{
	const struct systemd_library *library = systemd_library_load(err);
	struct systemd *made;
	int result;

	*systemd = NULL;
	if (!library)
		return -1;
	made = calloc(1, sizeof(*made));
	if (!made)
		return error_errno(err, ENOMEM, "--systemd-cgroup");
	made->library = library;
	result = user ? open_user(made) : open_system(made);
	if (result < 0) {
		free(made);
		return error_errno(err, -result,
				   "--systemd-cgroup: Failed to connect to %s over D-Bus",
				   user ? "the user's systemd" : "systemd");
	}
	*systemd = made;
	return 0;
}

void systemd_close(struct systemd *systemd)
{
	if (!systemd)
		return;
	systemd->library->sd_bus_flush_close_unref(systemd->bus);
	free(systemd);
}

char *systemd_control_group(struct systemd *systemd, struct error *err)
{
	sd_bus_error failure = SD_BUS_ERROR_NULL;
	char *path = NULL;
	int result = systemd->library->sd_bus_get_property_string(systemd->bus, SYSTEMD_DESTINATION,
								  SYSTEMD_PATH, SYSTEMD_MANAGER,
								  "ControlGroup", &failure, &path);

	if (result < 0)
		error_set(err, "--systemd-cgroup: Failed to ask systemd for its cgroup: %s",
			  failure.message ? failure.message : strerror(-result));
	systemd->library->sd_bus_error_free(&failure);
	if (path && strcmp(path, "/") == 0)
		*path = '\0';
	return path;
}
