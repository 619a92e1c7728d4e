/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is different where the caller isn't root, or is the root of a user namespace only: the
 * rights it takes to make a container, and cgroups that may not be there.
 */
#include "driver/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/user_namespace.h"

/* ---- cgroups ---- */

/* A limit that can't be set is an error; that there is no cgroup is none. */
static int go_without(const struct creation *creation, struct error *err)
{
	const struct spec_linux *linux_ = &creation->spec->linux_;
	struct cgroup_settings settings = {0};
	int result;

	if (linux_->cgroups_path && *linux_->cgroups_path)
		return error_set(err,
				 "linux.cgroupsPath: \"%s\" can't be made: no cgroup is delegated "
				 "to user %u",
				 linux_->cgroups_path, geteuid());
	if (creation->driver->rootless == DRIVER_ROOTLESS_FALSE)
		return error_set(err,
				 "--rootless=false: the container would have no cgroup, since none "
				 "is delegated to user %u",
				 geteuid());
	result =
	    cgroup_settings_from_resources(creation->shown, &linux_->resources, &settings, err);
	if (result == 0 && settings.count)
		result = error_set(err,
				   "linux.resources: can't set %s: no cgroup is delegated to user "
				   "%u",
				   settings.items[0].file, geteuid());
	cgroup_settings_free(&settings);
	return result;
}

/* Without controllers a container can still be paused, killed and counted: it goes on, unless it is
 * to have a limit. */
static int hand_controllers_down(struct creation *creation, const char *base, struct error *err)
{
	const struct spec_resources *resources = &creation->spec->linux_.resources;
	struct cgroup_settings settings = {0};
	cleanup_free char *busy = NULL;
	int result;

	if (cgroup_hand_down(creation->layout, base, creation->cgroup_path, &busy, err) < 0)
		return -1;
	creation->no_controllers = busy != NULL;
	if (!busy)
		return 0;
	result = cgroup_settings_from_resources(creation->layout, resources, &settings, err);
	if (result == 0 && settings.count)
		result = error_set(err,
				   "%s%s: can't set %s: the cgroup \"%s\" has processes in it "
				   "and so gives no controllers to those below (%s): move them "
				   "into a cgroup below it",
				   settings.where, settings.items[0].field, settings.items[0].file,
				   busy, strerror(EBUSY));
	cgroup_settings_free(&settings);
	return result;
}

int creation_place_cgroups(struct creation *creation, struct error *err)
{
	const char *asked = creation->spec->linux_.cgroups_path, *own;
	cleanup_free char *base = NULL;

	if (creation->driver->systemd_cgroup)
		return creation_place_scope(creation, err);
	if (geteuid() == 0 && creation->driver->rootless != DRIVER_ROOTLESS_TRUE &&
	    !user_namespace_is_ours()) {
		creation->cgroup_base = strdup("");
		creation->cgroup_path = cgroup_path_of(asked, creation->id, err);
		return creation->cgroup_path ? 0 : -1;
	}
	creation->shown = PTR_TAKE(creation->layout);
	creation->layout = cgroup_detect(err);
	if (!creation->layout)
		return -1;
	own = cgroup_keep_delegated(creation->layout);
	if (!own)
		return go_without(creation, err);
	base = cgroup_delegated_base(creation->layout, own, asked);
	if (!base)
		return error_errno(err, ENOMEM, "linux.cgroupsPath");
	creation->cgroup_base = strdup(strcmp(base, "/") == 0 ? "" : base);
	creation->cgroup_path = cgroup_path_below(base, asked, creation->id, err);
	if (!creation->cgroup_path)
		return -1;
	return creation->layout->mode == CGROUP_UNIFIED ? hand_controllers_down(creation, base, err)
							: 0;
}

void creation_warn_of_cgroups(const struct creation *creation)
{
	if (!creation->container.state->cgroup_path)
		log_warning(creation->driver->log,
			    "No cgroup is delegated to user %u: the container has none, and so "
			    "can't be paused, limited or measured",
			    geteuid());
}

struct opening {
	const struct creation *creation;
	int *fds;
	size_t *count;
	struct error *err;
};

static const char *shown_path(const struct creation *creation,
			      const struct cgroup_hierarchy *hierarchy)
{
	const struct cgroup_layout *layout = creation->layout;

	for (size_t i = 0; i < layout->count; i++)
		if (strcmp(layout->hierarchies[i].mount, hierarchy->mount) == 0)
			return creation->container.state->cgroup_path;
	return hierarchy->own;
}

static int open_cgroups(void *data)
{
	const struct opening *opening = data;
	const struct creation *creation = opening->creation;
	const struct cgroup_layout *shown = creation->shown ? creation->shown : creation->layout;

	for (size_t i = 0; i < shown->count && *opening->count < SYNC_FDS_MAX; i++) {
		const struct cgroup_hierarchy *hierarchy = &shown->hierarchies[i];
		char path[PATH_MAX];
		int fd;

		if (hierarchy->unified && shown->mode != CGROUP_UNIFIED)
			continue;
		snprintf(path, sizeof(path), "%s%s", hierarchy->mount,
			 shown_path(creation, hierarchy));
		/* The container's own cgroup, which it sees as the root: never the host's tree. */
		fd = kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
		if (fd < 0)
			return error_errno(opening->err, errno, "Failed to open the cgroup \"%s\"",
					   path);
		opening->fds[(*opening->count)++] = fd;
	}
	return 0;
}

int creation_open_cgroups(struct creation *creation, int *fds, size_t *count, struct error *err)
{
	struct opening opening = {creation, fds, count, err};

	if (lxc_rights_use(&creation->rights, open_cgroups, &opening) == 0)
		return 0;
	return err->message ? -1 : error_errno(err, errno, "Failed to open the cgroups");
}

const char *container_cgroup(const struct container *container, struct error *err)
{
	if (!container->state->cgroup_path)
		error_set(err, "container %s has no cgroup: none was delegated to its user",
			  container->state->id);
	return container->state->cgroup_path;
}

/* ---- rights ---- */

struct compiling {
	const struct lxc_request *request;
	struct lxc_recipe *recipe;
	struct plan_buffer *plan;
	struct error *err;
};

static int compile(void *data)
{
	const struct compiling *compiling = data;

	return lxc_compile(compiling->request, compiling->recipe, compiling->plan, compiling->err);
}

int creation_compile(struct creation *creation, const struct lxc_request *request,
		     struct lxc_recipe *recipe, struct plan_buffer *plan, struct error *err)
{
	struct compiling compiling = {request, recipe, plan, err};

	if (lxc_rights_take(&creation->rights, creation->spec, err) < 0)
		return -1;
	if (lxc_rights_use(&creation->rights, compile, &compiling) == 0)
		return 0;
	return err->message ? -1
			    : error_errno(err, errno,
					  "linux.namespaces: Failed to be root in a "
					  "user namespace");
}

static int remove_proc(void *data)
{
	return unlinkat(((const struct creation *)data)->rootfs_fd, "proc", AT_REMOVEDIR);
}

int creation_remove_proc(const struct creation *creation)
{
	return lxc_rights_use(&creation->rights, remove_proc, (void *)(uintptr_t)creation);
}

struct applying {
	const struct spec_process *process;
	pid_t pid;
	struct error *err;
};

static int apply(void *data)
{
	const struct applying *applying = data;

	return process_apply_from_outside(applying->process, applying->pid, applying->err);
}

int rootless_apply_from_outside(const struct spec_process *process, pid_t pid, int pidfd,
				struct error *err)
{
	struct applying applying = {process, pid, err};

	if (lxc_rights_over(pidfd, apply, &applying) == 0)
		return 0;
	return err->message ? -1
			    : error_errno(err, errno,
					  "Failed to enter the container's user "
					  "namespace");
}

/* ---- members ---- */

static bool is_in(const char *pid, const struct stat *namespace)
{
	struct stat theirs;
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return stat(path, &theirs) == 0 && theirs.st_ino == namespace->st_ino &&
	       theirs.st_dev == namespace->st_dev;
}

int rootless_pids(const struct state *state, pid_t **pids, size_t *count, struct error *err)
{
	cleanup_closedir DIR *proc = opendir("/proc");
	size_t capacity = 0;
	struct dirent *entry;
	struct stat own;
	char path[64];

	if (!container_is_alive(state))
		return 0;
	if (state->pid_namespace_shared)
		return error_set(err,
				 "container %s has neither a cgroup nor a pid namespace of its "
				 "own: its processes can't be told from others",
				 state->id);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)state->pid);
	if (!proc || stat(path, &own) < 0)
		return error_errno(err, errno, "Failed to look at the container's pid namespace");
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !is_in(entry->d_name, &own))
			continue;
		if (*count == capacity) {
			size_t wanted = capacity ? capacity * 2 : 16;
			pid_t *grown = reallocarray(*pids, wanted, sizeof(*grown));

			if (!grown)
				return error_errno(err, ENOMEM, "Failed to list the processes");
			*pids = grown;
			capacity = wanted;
		}
		(*pids)[(*count)++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	return 0;
}

/* One that forks meanwhile may get away; not from SIGKILL, since with the first process all others
 * of a pid namespace go. */
int rootless_kill(const struct state *state, int sig, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;

	if (rootless_pids(state, &pids, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], sig) < 0 && errno != ESRCH)
			return error_errno(err, errno, "Failed to send signal %d", sig);
	return 0;
}
