/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that act on a container that is there: kill, delete, pause, resume. */
#include "driver/internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/kernel_check.h"
#include "hooks/hooks.h"

static void cleanup_layout_(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}
#define cleanup_layout __attribute__((cleanup(cleanup_layout_)))

static int not_running(struct error *err)
{
	error_set(err, "container not running");
	err->errnum = ESRCH;
	return -1;
}

/* ---- kill ---- */

static int kill_all(const struct container *container, int sig, struct error *err)
{
	const struct state *state = container->state;
	cleanup_layout struct cgroup_layout *layout = cgroup_detect(err);
	int ours;

	if (!layout)
		return -1;
	/* With a pid namespace of its own nothing outlives the first process; with a shared one the
	 * others may, and they are meant. */
	if (!container_is_alive(state) && !state->pid_namespace_shared)
		return 0; /* all of none; as with runc and crun, and engines count on it */
	if (!state->cgroup_path)
		return rootless_kill(state, sig, err);
	ours = container_owns_cgroup(state, layout, err);
	return ours > 0 ? cgroup_signal_all(layout, state->cgroup_path, sig, err) : ours;
}

int driver_kill(const struct driver *driver, const char *id, int sig, bool all, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_layout struct cgroup_layout *layout = NULL;
	cleanup_close int pidfd = -1;
	bool frozen = false;

	if (container_open(driver, id, false, &container, err) < 0 ||
	    kernel_check_for_processes(err) < 0)
		return -1;
	if (container.state->pid == 0)
		return all ? 0 : not_running(err);
	/* Where the first process is no init whose end is the others', whoever sends SIGKILL means
	 * the container: as runc from 1.2 on. */
	all = all || (sig == SIGKILL && container.state->pid_namespace_shared &&
		      container.state->cgroup_path);
	if (all)
		return kill_all(&container, sig, err);
	pidfd = container_pidfd(container.state, err);
	if (pidfd < 0)
		return -1;
	if (kernel_pidfd_send_signal(pidfd, sig) < 0)
		return errno == ESRCH ? not_running(err)
				      : error_errno(err, errno, "Failed to send signal %d", sig);
	if (sig != SIGKILL || !container.state->cgroup_path)
		return 0;
	/* A v1 freezer keeps even a killed process: let it go. */
	layout = cgroup_detect(err);
	if (!layout || cgroup_is_frozen(layout, container.state->cgroup_path, &frozen, err) < 0) {
		error_clear(err);
		return 0;
	}
	return frozen ? cgroup_thaw(layout, container.state->cgroup_path, err) : 0;
}

/* ---- delete ---- */

/* `force`: whatever there is, half of a container included; but with `only_dead` nothing that has a
 * live process. */
static int delete (const struct driver *driver, const char *id, bool force, bool only_dead,
		   struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_layout struct cgroup_layout *layout = NULL;
	cleanup_spec struct spec *spec = NULL;
	cleanup_free char *json = NULL, *bundle = NULL;
	struct error ignored = ERROR_INIT;
	enum driver_status status;

	if (container_open(driver, id, true, &container, err) < 0) {
		/* What can't be read (errnum) may be read the next time. */
		if (err->errnum != ENOENT && (!force || err->errnum || container.dir.dir < 0))
			return -1;
		if (err->errnum != ENOENT) {
			/* Damaged: what it was created with tells where its cgroups are. */
			container.state = state_read_creating(&container.dir, id, &ignored);
			container.damaged = true;
			error_clear(&ignored);
		}
		/* A directory and nothing else: of a create that was killed, or that waits for our
		 * lock, and makes it anew. */
		if (!container.state && container.dir.dir >= 0) {
			error_clear(err);
			return state_dir_remove(container.root, id, &container.dir, err);
		}
		if (!container.state) {
			/* Engines send it once more to be sure. */
			if (force)
				error_clear(err);
			return force ? 0 : -1;
		}
		error_clear(err);
	}
	layout = kernel_check_for_processes(err) < 0 ? NULL : cgroup_detect(err);
	if (!layout)
		return -1;
	status = container_status(&container, force && !only_dead ? NULL : layout);
	if (only_dead && status != DRIVER_STOPPED)
		return error_set(err, "cannot clean container %s that is not stopped: %s", id,
				 driver_status_name(status));
	if (!force && status != DRIVER_STOPPED && status != DRIVER_CREATED)
		return error_set(err, "cannot delete container %s that is not stopped: %s", id,
				 driver_status_name(status));
	/* Its own hooks go with it, so they are read before. */
	spec = container_document(&container, &ignored);
	if (spec && spec->hooks[SPEC_HOOK_POSTSTOP].count && container.state->pid) {
		json = container_state_json(container.state, DRIVER_STOPPED, false, &ignored);
		bundle = container.state->bundle ? strdup(container.state->bundle) : NULL;
	}
	error_clear(&ignored);
	if (container_destroy(driver, &container, layout, err) < 0)
		return -1;
	if (json)
		hooks_run_poststop(spec, json, bundle, driver->log);
	return 0;
}

int driver_delete(const struct driver *driver, const char *id, bool force, struct error *err)
{
	return delete (driver, id, force, false, err);
}

int driver_clean(const struct driver *driver, const char *id, struct error *err)
{
	return delete (driver, id, true, true, err);
}

/* ---- pause and resume ---- */

static int set_frozen(const struct driver *driver, const char *id, bool freeze, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_layout struct cgroup_layout *layout = NULL;
	enum driver_status status;

	if (container_open(driver, id, true, &container, err) < 0)
		return -1;
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	status = container_status(&container, layout);
	if (freeze && status != DRIVER_RUNNING && status != DRIVER_CREATED)
		return error_set(err, "container not running or created: %s",
				 driver_status_name(status));
	if (!freeze && status != DRIVER_PAUSED)
		return error_set(err, "container not paused");
	if (!container_cgroup(&container, err))
		return -1;
	return freeze ? cgroup_freeze(layout, container.state->cgroup_path, err)
		      : cgroup_thaw(layout, container.state->cgroup_path, err);
}

int driver_pause(const struct driver *driver, const char *id, struct error *err)
{
	return set_frozen(driver, id, true, err);
}

int driver_resume(const struct driver *driver, const char *id, struct error *err)
{
	return set_frozen(driver, id, false, err);
}
