/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt: a container's group in the resctrl file system (config-linux.md, "IntelRdt").
 * Like its cgroup it is recorded before it is made, known by its name together with its number, and
 * removed by whoever made it.
 */
#include "driver/resctrl.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/internal.h"
#include "resctrl/resctrl.h"

#define FIELD "linux.intelRdt"

/* ---- a new container ---- */

static const char *group_name(const struct creation *creation)
{
	const char *closid = creation->spec->linux_.intel_rdt.clos_id;

	return closid ?: creation->id;
}

/* What is to be written to its schemata, in this order. */
static int read_wanted(struct creation *creation, struct error *err)
{
	const struct spec_intel_rdt *rdt = &creation->spec->linux_.intel_rdt;
	struct creation_resctrl *resctrl = &creation->resctrl;

	resctrl->schemas = resctrl_combine(rdt->l3_cache_schema, rdt->mem_bw_schema);
	resctrl->schemata = resctrl_lines(&rdt->schemata);
	return resctrl->schemas && resctrl->schemata ? 0 : error_errno(err, ENOMEM, FIELD);
}

/* One that is there already: it is joined with what it has. */
static int check_existing(const struct creation *creation, struct error *err)
{
	const struct creation_resctrl *resctrl = &creation->resctrl;
	cleanup_free char *now = resctrl_schemata_read(resctrl->group, err);

	if (!now)
		return error_prefix(err, FIELD);
	if (!resctrl_schemata_match(now, resctrl->schemas,
				    resctrl_bandwidth_granularity(resctrl->root)))
		return error_set(err,
				 FIELD ".closID: the resctrl group \"%s\" exists, and its schemata "
				       "don't match l3CacheSchema and memBwSchema",
				 group_name(creation));
	return 0;
}

/* Whether there is something to set, without which a closID must exist. */
static bool sets_something(const struct creation_resctrl *resctrl)
{
	return *resctrl->schemas || *resctrl->schemata;
}

static int look_for_group(struct creation *creation, struct error *err)
{
	const struct spec_intel_rdt *rdt = &creation->spec->linux_.intel_rdt;
	struct creation_resctrl *resctrl = &creation->resctrl;

	resctrl->group = resctrl_group_open(resctrl->root, group_name(creation), err);
	if (resctrl->group >= 0)
		return rdt->clos_id
			   ? check_existing(creation, err)
			   : error_set(err, FIELD ": the resctrl group \"%s\" exists already",
				       creation->id);
	if (err->errnum != ENOENT)
		return error_prefix(err, rdt->clos_id ? FIELD ".closID" : FIELD);
	if (rdt->clos_id && !sets_something(resctrl))
		return error_prefix(err, FIELD ".closID, with nothing set for it");
	error_clear(err);
	return 0;
}

int creation_place_resctrl(struct creation *creation, struct error *err)
{
	const struct spec_intel_rdt *rdt = &creation->spec->linux_.intel_rdt;
	struct creation_resctrl *resctrl = &creation->resctrl;

	if (!rdt->set)
		return 0;
	resctrl->root = resctrl_open(err);
	if (resctrl->root < 0)
		return error_prefix(err, FIELD);
	if (resctrl_check_counters(resctrl->root, rdt, err) < 0)
		return error_prefix(err, FIELD);
	return read_wanted(creation, err) < 0 ? -1 : look_for_group(creation, err);
}

int creation_record_resctrl(const struct creation *creation, struct state *state, struct error *err)
{
	const struct spec_intel_rdt *rdt = &creation->spec->linux_.intel_rdt;

	if (!rdt->set)
		return 0;
	state->resctrl_group = strdup(group_name(creation));
	state->resctrl_made = creation->resctrl.group < 0;
	state->resctrl_monitor = rdt->enable_monitoring;
	return state->resctrl_group ? 0 : error_errno(err, ENOMEM, FIELD);
}

/* Somebody else may have been faster: then it is his, and one that exists. */
static int make_group(struct creation *creation, struct state *state, struct error *err)
{
	struct creation_resctrl *resctrl = &creation->resctrl;

	resctrl->group = resctrl_group_make(resctrl->root, state->resctrl_group, err);
	if (resctrl->group >= 0)
		return 0;
	state->resctrl_made = false;
	if (err->errnum != EEXIST)
		return error_prefix(err, FIELD);
	error_clear(err);
	if (look_for_group(creation, err) < 0)
		return -1;
	return resctrl->group >= 0
		   ? 0
		   : error_set(err, FIELD ": the resctrl group \"%s\" came and went",
			       state->resctrl_group);
}

static int make_monitor(struct creation *creation, struct state *state, struct error *err)
{
	cleanup_close int monitor = resctrl_monitor_make(creation->resctrl.group, state->id, err);

	if (monitor >= 0)
		return 0;
	/* It isn't ours, if there is one. */
	state->resctrl_monitor = false;
	return error_prefix(err, FIELD ".enableMonitoring");
}

static int write_lines(const struct creation *creation, const char *lines, const char *field,
		       struct error *err)
{
	const struct creation_resctrl *resctrl = &creation->resctrl;

	return !*lines || resctrl_schemata_write(resctrl->root, resctrl->group, lines, err) == 0
		   ? 0
		   : error_prefix(err, FIELD "%s", field);
}

static int set_up_group(struct creation *creation, const struct state *state, struct error *err)
{
	struct creation_resctrl *resctrl = &creation->resctrl;

	if (state->resctrl_made)
		return write_lines(creation, resctrl->schemas, "", err) < 0
			   ? -1
			   : write_lines(creation, resctrl->schemata, ".schemata", err);
	/* What it shares with others is put back where the create fails. */
	if (*resctrl->schemata) {
		resctrl->before = resctrl_schemata_read(resctrl->group, err);
		if (!resctrl->before)
			return error_prefix(err, FIELD);
	}
	return write_lines(creation, resctrl->schemata, ".schemata", err);
}

int creation_make_resctrl(struct creation *creation, struct error *err)
{
	struct state *state = creation->container.state;

	if (!state->resctrl_group)
		return 0;
	if (state->resctrl_made && make_group(creation, state, err) < 0)
		return -1;
	state->resctrl_identity = resctrl_group_identity(creation->resctrl.group);
	if (set_up_group(creation, state, err) < 0)
		return -1;
	return state->resctrl_monitor ? make_monitor(creation, state, err) : 0;
}

void creation_put_back_resctrl(struct creation *creation)
{
	const struct creation_resctrl *resctrl = &creation->resctrl;
	struct error err = ERROR_INIT;

	if (resctrl->before &&
	    resctrl_schemata_write(resctrl->root, resctrl->group, resctrl->before, &err) < 0)
		log_warning(creation->driver->log, "While undoing: " FIELD ": %s",
			    error_text(&err));
	error_clear(&err);
}

void creation_free_resctrl(struct creation_resctrl *resctrl)
{
	fd_close(resctrl->root);
	fd_close(resctrl->group);
	free(resctrl->schemas);
	free(resctrl->schemata);
	free(resctrl->before);
}

/* ---- its processes ---- */

/* -1 without an error: it was unmounted, and all groups went with that. */
static int open_root(struct error *err)
{
	int root = resctrl_open(err);

	if (root < 0 && err->errnum == ENOENT)
		error_clear(err);
	return root;
}

int container_resctrl_group(int root, const struct state *state, struct error *err)
{
	cleanup_close int group = resctrl_group_open(root, state->resctrl_group, err);

	if (group < 0) {
		if (err->errnum == ENOENT)
			error_clear(err);
		return -1;
	}
	return state->resctrl_identity == 0 ||
		       resctrl_group_identity(group) == state->resctrl_identity
		   ? fd_take(&group)
		   : -1;
}

int container_open_resctrl(const struct state *state, struct container_resctrl *tasks,
			   struct error *err)
{
	cleanup_close int root = -1, group = -1, monitor = -1;

	if (!state->resctrl_group)
		return 0;
	root = open_root(err);
	group = root < 0 ? -1 : container_resctrl_group(root, state, err);
	if (group < 0)
		return err->message ? error_prefix(err, FIELD) : 0;
	tasks->group = resctrl_tasks_open(group, err);
	if (tasks->group < 0)
		return error_prefix(err, FIELD);
	if (!state->resctrl_monitor)
		return 0;
	monitor = resctrl_monitor_open(group, state->id, err);
	if (monitor >= 0)
		tasks->monitor = resctrl_tasks_open(monitor, err);
	return tasks->monitor < 0 ? error_prefix(err, FIELD ".enableMonitoring") : 0;
}

int container_join_resctrl(const struct container_resctrl *tasks, pid_t pid, struct error *err)
{
	if (tasks->group >= 0 && resctrl_join(tasks->group, pid, err) < 0)
		return error_prefix(err, FIELD);
	/* It must be in the group before that. */
	if (tasks->monitor >= 0 && resctrl_join(tasks->monitor, pid, err) < 0)
		return error_prefix(err, FIELD ".enableMonitoring");
	return 0;
}

void container_close_resctrl(struct container_resctrl *tasks)
{
	fd_close(fd_take(&tasks->group));
	fd_close(fd_take(&tasks->monitor));
}

int creation_join_resctrl(const struct creation *creation, pid_t pid, struct error *err)
{
	cleanup_container_resctrl struct container_resctrl tasks = CONTAINER_RESCTRL_INIT;

	if (!creation->container.state->resctrl_group)
		return 0;
	if (container_open_resctrl(creation->container.state, &tasks, err) < 0)
		return -1;
	return tasks.group < 0 ? error_set(err, FIELD ": the container's resctrl group is gone")
			       : container_join_resctrl(&tasks, pid, err);
}

/* ---- its end ---- */

/* A group of one container's may have become that of others: they keep it. Who is dead and not
 * reaped yet is in it, too. */
static int is_in_use(int group, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	bool found = false;

	if (resctrl_group_pids(group, &pids, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count && !found; i++) {
		bool zombie = false;

		found = state_process_start(pids[i], &zombie) && !zombie;
	}
	return found;
}

static int remove_group(const struct driver *driver, const struct state *state, int root,
			struct error *err)
{
	cleanup_close int group = container_resctrl_group(root, state, err);
	int in_use;

	if (group < 0)
		return err->message ? -1 : 0;
	if (state->resctrl_monitor && resctrl_monitor_remove(group, state->id, err) < 0)
		return -1;
	if (!state->resctrl_made)
		return 0;
	in_use = is_in_use(group, err);
	if (in_use > 0)
		log_warning(driver->log, "The resctrl group \"%s\" stays: others are in it",
			    state->resctrl_group);
	return in_use ? (in_use < 0 ? -1 : 0)
		      : resctrl_group_remove(root, state->resctrl_group, err);
}

int container_remove_resctrl(const struct driver *driver, const struct state *state,
			     struct error *err)
{
	cleanup_close int root = -1;

	if (!state->resctrl_group || (!state->resctrl_made && !state->resctrl_monitor))
		return 0;
	root = open_root(err);
	if (root >= 0)
		remove_group(driver, state, root, err);
	return err->message ? error_prefix(err, FIELD) : 0;
}
