/* SPDX-License-Identifier: Apache-2.0 */
/* `update --l3-cache-schema` and `--mem-bw-schema`. */
#include "driver/resctrl.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/internal.h"
#include "resctrl/resctrl.h"

/* The words before the parenthesis are runc's. */
int resctrl_update_check(const char *l3_cache_schema, const char *mem_bw_schema, struct error *err)
{
	bool cache = l3_cache_schema && *l3_cache_schema;
	bool bandwidth = mem_bw_schema && *mem_bw_schema;
	const char *flag = cache ? "--l3-cache-schema" : "--mem-bw-schema";
	cleanup_close int root = -1;

	if (!cache && !bandwidth)
		return 0;
	root = resctrl_open(err);
	if (root < 0 && err->errnum == ENOENT) {
		error_clear(err);
		return error_set(err,
				 "%s: %s is not enabled (the host has no resctrl file system "
				 "mounted)",
				 flag,
				 cache ? "Intel RDT/CAT: l3 cache schema"
				       : "Intel RDT/MBA: memory bandwidth schema");
	}
	if (root < 0)
		return error_prefix(err, "%s", flag);
	/* As in a config.json. */
	if (bandwidth && (strncmp(mem_bw_schema, "MB:", 3) != 0 || strchr(mem_bw_schema, '\n')))
		return error_set(err, "--mem-bw-schema: must be one line that begins with MB:");
	return 0;
}

static int open_for_update(const struct state *state, struct resctrl_update *update,
			   struct error *err)
{
	if (!state->resctrl_group)
		return error_set(err, "the container was created without linux.intelRdt");
	if (strcmp(state->resctrl_group, RESCTRL_DEFAULT) == 0)
		return error_set(err, "the container is in the host's default resctrl group");
	update->root = resctrl_open(err);
	if (update->root < 0)
		return -1;
	update->group = container_resctrl_group(update->root, state, err);
	if (update->group < 0)
		return err->message ? -1 : error_set(err, "the container's resctrl group is gone");
	update->before = resctrl_schemata_read(update->group, err);
	return update->before ? 0 : -1;
}

int container_update_resctrl(const struct state *state, const char *l3_cache_schema,
			     const char *mem_bw_schema, struct resctrl_update *update,
			     struct error *err)
{
	cleanup_free char *lines = resctrl_combine(l3_cache_schema, mem_bw_schema);
	bool cache = l3_cache_schema && *l3_cache_schema;

	if (!lines)
		return error_errno(err, ENOMEM, "--l3-cache-schema");
	if (!*lines)
		return 0;
	if (open_for_update(state, update, err) < 0 ||
	    resctrl_schemata_write(update->root, update->group, lines, err) < 0) {
		free(PTR_TAKE(update->before));
		return error_prefix(err, cache ? "--l3-cache-schema" : "--mem-bw-schema");
	}
	return 0;
}

int resctrl_update_undo(const struct resctrl_update *update, struct error *err)
{
	return update->before
		   ? resctrl_schemata_write(update->root, update->group, update->before, err)
		   : 0;
}

void resctrl_update_free(struct resctrl_update *update)
{
	fd_close(update->root);
	fd_close(update->group);
	free(update->before);
	*update = (struct resctrl_update)RESCTRL_UPDATE_INIT;
}
