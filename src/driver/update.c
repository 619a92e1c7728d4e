/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a container's limits. What was asked for in all, when it was created and since, is kept
 * in resources.json beside its config.json: some limits make sense only together (memory.limit and
 * memory.swap on cgroup v2), and the next update may bring one of them.
 */
#include "driver/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "driver/resources.h"

#define RESOURCES_FILE "resources.json"

static void cleanup_layout_(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}
#define cleanup_layout __attribute__((cleanup(cleanup_layout_)))

/* ---- what was asked for so far ---- */

/* The text of a resources document. */
static char *read_asked(const struct container *container, struct error *err)
{
	cleanup_free char *config = NULL;
	size_t length = 0;

	if (faccessat(container->dir.dir, RESOURCES_FILE, F_OK, 0) == 0)
		return path_read_file(container->dir.dir, RESOURCES_FILE, SPEC_MAX_BYTES, NULL,
				      RESOURCES_FILE, err);
	config = path_read_file(container->dir.dir, "config.json", SPEC_MAX_BYTES, &length,
				"config.json", err);
	return config ? resources_of_config(config, length, err) : NULL;
}

/* ---- the change ---- */

struct update {
	const struct driver *driver;
	const struct container *container;
	const struct cgroup_layout *layout;
	const char *text;     /* the document */
	struct spec *changes; /* the same, read */
	struct cgroup_settings settings;
	struct resctrl_update resctrl;
};

static void warn_of_kernel_memory(const struct update *update)
{
	const struct spec_resources *resources = &update->changes->linux_.resources;

	if (resources->memory.kernel.set && resources->memory.kernel.value)
		log_warning(update->driver->log,
			    "%smemory.kernel is ignored: the kernel has given "
			    "it up",
			    resources->where);
}

static int prepare(struct update *update, const char *asked_text, struct error *err)
{
	cleanup_spec struct spec *asked =
	    spec_read_resources_text(asked_text, strlen(asked_text), RESOURCES_FILE, err);
	const char *path = update->container->state->cgroup_path;

	if (!asked)
		return -1;
	if (cgroup_settings_for_update(update->layout, path, &update->changes->linux_.resources,
				       &asked->linux_.resources, &update->settings, err) < 0)
		return -1;
	return cgroup_settings_save(update->layout, path, &update->settings, err);
}

static int record(const struct update *update, const char *asked_text, struct error *err)
{
	cleanup_free char *text = resources_merge(asked_text, update->text, err);

	return text ? state_file_write(&update->container->dir, RESOURCES_FILE, text, strlen(text),
				       err)
		    : -1;
}

/* All of it or nothing. */
static int change(struct update *update, struct error *err)
{
	cleanup_free char *asked = read_asked(update->container, err);
	const struct state *state = update->container->state;
	const char *path = state->cgroup_path;
	struct error again = ERROR_INIT;

	if (!asked || prepare(update, asked, err) < 0)
		return -1;
	if (cgroup_apply(update->layout, path, &update->settings, err) == 0 &&
	    (!state->systemd_cgroup || container_update_scope(update->container, update->layout,
							      &update->settings, err) == 0) &&
	    record(update, asked, err) == 0)
		return 0;
	if (state->systemd_cgroup && container_restore_scope(update->container, update->layout,
							     &update->settings, &again) < 0)
		log_warning(update->driver->log, "While putting back what was set: %s",
			    error_text(&again));
	error_clear(&again);
	if (cgroup_put_back(update->layout, path, &update->settings, &again) < 0)
		log_warning(update->driver->log, "While putting back what was set: %s",
			    error_text(&again));
	error_clear(&again);
	return -1;
}

/* The same of both: resctrl's lines are one write, which is easily taken back. */
static int change_all(struct update *update, const struct driver_update_options *options,
		      struct error *err)
{
	struct error again = ERROR_INIT;

	if (container_update_resctrl(update->container->state, options->l3_cache_schema,
				     options->mem_bw_schema, &update->resctrl, err) < 0)
		return -1;
	if (change(update, err) == 0)
		return 0;
	if (resctrl_update_undo(&update->resctrl, &again) < 0)
		log_warning(update->driver->log, "While putting back what was set: %s",
			    error_text(&again));
	error_clear(&again);
	return -1;
}

static int check_container(const struct container *container, const struct cgroup_layout *layout,
			   struct error *err)
{
	enum driver_status status = container_status(container, layout);
	int ours;

	if (status == DRIVER_STOPPED || status == DRIVER_CREATING) {
		error_set(err, "container not running");
		err->errnum = ESRCH;
		return -1;
	}
	if (!container_cgroup(container, err))
		return -1;
	ours = container_owns_cgroup(container->state, layout, err);
	if (ours == 0)
		return error_set(err, "the cgroup \"%s\" is not the container's any more",
				 container->state->cgroup_path);
	return ours < 0 ? -1 : 0;
}

int driver_update(const struct driver *driver, const char *id,
		  const struct driver_update_options *options, struct error *err)
{
	const char *text = options->resources ? options->resources : "{}";
	cleanup_spec struct spec *changes =
	    spec_read_resources_text(text, strlen(text), options->name ?: "resources", err);
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_layout struct cgroup_layout *layout = NULL;
	struct update update = {
	    .driver = driver,
	    .container = &container,
	    .text = text,
	    .changes = changes,
	    .resctrl = RESCTRL_UPDATE_INIT,
	};
	int result;

	if (!changes || spec_validate_resources(&changes->linux_.resources, err) < 0 ||
	    resctrl_update_check(options->l3_cache_schema, options->mem_bw_schema, err) < 0 ||
	    container_open(driver, id, true, &container, err) < 0)
		return -1;
	layout = cgroup_detect(err);
	if (!layout || check_container(&container, layout, err) < 0)
		return -1;
	update.layout = layout;
	warn_of_kernel_memory(&update);
	result = change_all(&update, options, err);
	cgroup_settings_free(&update.settings);
	resctrl_update_free(&update.resctrl);
	return result;
}
