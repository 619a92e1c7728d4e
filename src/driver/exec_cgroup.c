/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/exec_cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void exec_cgroups_free(struct exec_cgroups *cgroups)
{
	for (size_t i = 0; cgroups->asked && i < cgroups->layout->count; i++)
		free(cgroups->asked[i]);
	free(cgroups->asked);
	free(cgroups->first_process);
	*cgroups = (struct exec_cgroups){0};
}

/* The words for a path, a controller and a cgroup that isn't there are runc's. */
static char *path_below(const char *own, const char *sub, struct error *err)
{
	cleanup_free char *whole = NULL;
	char *path;

	if (asprintf(&whole, "%s/%s", own, sub) < 0)
		whole = NULL;
	path = whole ? cgroup_path_of(whole, "", err) : NULL;
	if (!path)
		error_prefix(err, "--cgroup: bad sub cgroup path: %s is not a sub cgroup path",
			     sub);
	return path;
}

static struct cgroup_layout only(const struct cgroup_layout *layout, size_t index)
{
	return (struct cgroup_layout){
	    .mode = layout->mode, .count = 1, .hierarchies = &layout->hierarchies[index]};
}

/* 1: it is there in that hierarchy. */
static int is_there(const struct cgroup_layout *layout, size_t index, const char *path,
		    struct error *err)
{
	const struct cgroup_layout one = only(layout, index);
	bool exists = false, in_use;

	return cgroup_probe(&one, path, &exists, &in_use, err) < 0 ? -1 : exists;
}

static int not_there(const char *path, struct error *err)
{
	return error_errno(err, ENOENT,
			   "--cgroup: error adding pid to cgroups: open %s/cgroup.procs", path);
}

static int set(struct exec_cgroups *cgroups, size_t index, const char *path, struct error *err)
{
	free(cgroups->asked[index]);
	cgroups->asked[index] = strdup(path);
	return cgroups->asked[index] ? 0 : error_errno(err, ENOMEM, "--cgroup");
}

/* "PATH" */
static int choose_everywhere(struct exec_cgroups *cgroups, const char *sub, struct error *err)
{
	cleanup_free char *path = path_below(cgroups->own, sub, err);
	bool found = false;

	if (!path)
		return -1;
	for (size_t i = 0; i < cgroups->layout->count; i++) {
		int there = is_there(cgroups->layout, i, path, err);

		if (there < 0 || (there && set(cgroups, i, path, err) < 0))
			return -1;
		found = found || there;
	}
	return found ? 0 : not_there(path, err);
}

/* "CONTROLLER[,CONTROLLER…]:PATH" */
static int choose_some(struct exec_cgroups *cgroups, const char *asked, struct error *err)
{
	const struct cgroup_layout *layout = cgroups->layout;
	const char *colon = strchr(asked, ':');
	cleanup_free char *names = strndup(asked, (size_t)(colon - asked));
	cleanup_free char *path = path_below(cgroups->own, colon + 1, err);
	char *save = NULL;

	if (!path)
		return -1;
	if (!names)
		return error_errno(err, ENOMEM, "--cgroup");
	for (char *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, name);
		size_t index;
		int there;

		if (!hierarchy)
			return error_set(err, "--cgroup: unknown controller %s in \"%s\"", name,
					 asked);
		index = (size_t)(hierarchy - layout->hierarchies);
		there = is_there(layout, index, path, err);
		if (there <= 0)
			return there < 0 ? -1 : not_there(path, err);
		if (set(cgroups, index, path, err) < 0)
			return -1;
	}
	return 0;
}

static int choose(struct exec_cgroups *cgroups, char *const *asked, struct error *err)
{
	for (size_t i = 0; asked[i]; i++) {
		const char *colon = strchr(asked[i], ':');

		if (colon && strchr(colon + 1, ':'))
			return error_set(err, "invalid --cgroup argument: %s", asked[i]);
		if (!colon && (i || asked[1]))
			return error_set(err,
					 "invalid --cgroup argument: %s (missing <controller>: "
					 "prefix)",
					 asked[i]);
		if (colon ? choose_some(cgroups, asked[i], err)
			  : choose_everywhere(cgroups, asked[i], err))
			return -1;
	}
	return 0;
}

int exec_cgroups_choose(struct exec_cgroups *cgroups, const struct container *container,
			const struct cgroup_layout *layout, char *const *asked, struct error *err)
{
	*cgroups = (struct exec_cgroups){.layout = layout, .own = container->state->cgroup_path};
	if (!asked || !asked[0]) {
		if (cgroups->own && layout->mode == CGROUP_UNIFIED)
			cgroups->first_process = cgroup_unified_path(container->state->pid);
		return 0;
	}
	if (!container_cgroup(container, err))
		return -1;
	cgroups->chosen = true;
	cgroups->asked = calloc(layout->count + 1, sizeof(*cgroups->asked));
	return cgroups->asked ? choose(cgroups, asked, err) : error_errno(err, ENOMEM, "--cgroup");
}

/* Where the container itself has no cgroup, there is none to join. */
static int join_own(const struct exec_cgroups *cgroups, size_t index, struct error *err)
{
	const struct cgroup_layout one = only(cgroups->layout, index);
	int there = is_there(cgroups->layout, index, cgroups->own, err);

	return there <= 0 ? there : cgroup_join(&one, cgroups->own, 0, err);
}

static int join_chosen(const struct exec_cgroups *cgroups, struct error *err)
{
	for (size_t i = 0; i < cgroups->layout->count; i++) {
		const struct cgroup_layout one = only(cgroups->layout, i);

		if (cgroups->asked[i] ? cgroup_join(&one, cgroups->asked[i], 0, err)
				      : join_own(cgroups, i, err))
			return error_prefix(err, "error adding pid %d to cgroups", (int)getpid());
	}
	return 0;
}

int exec_cgroups_join(const struct exec_cgroups *cgroups, struct error *err)
{
	if (!cgroups->own)
		return 0;
	if (cgroups->chosen)
		return join_chosen(cgroups, err);
	if (cgroup_join(cgroups->layout, cgroups->own, 0, err) == 0)
		return 0;
	/* A container that gave controllers to cgroups below its own, as systemd and Docker in a
	 * container do, has moved its processes into one of them: as runc, to the first's. */
	if (err->errnum != EBUSY || !cgroups->first_process)
		return -1;
	error_clear(err);
	return cgroup_join(cgroups->layout, cgroups->first_process, 0, err);
}
