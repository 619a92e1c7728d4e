/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/trace.h"
#include "base/utf8.h"

int container_open(const struct driver *driver, const char *id, bool lock,
		   struct container *container, struct error *err)
{
	*container = (struct container)CONTAINER_INIT;
	trace_step(lock ? "lock the container, read its state" : "read the container's state");
	if (state_id_check(id, err) < 0)
		return -1;
	container->root = state_root_open(driver->root, false, err);
	if (container->root < 0) {
		if (err->errnum == ENOENT) {
			error_set(err, "container does not exist: %s", id);
			err->errnum = ENOENT;
		}
		return -1;
	}
	if (lock && state_dir_lock(container->root, id, &container->dir, err) < 0)
		return -1;
	return container_read(container, container->root, id, lock, err);
}

int container_read(struct container *container, int root, const char *id, bool locked,
		   struct error *err)
{
	if (!locked && state_dir_open(root, id, &container->dir, err) < 0)
		return -1;
	container->state = state_read(&container->dir, id, err);
	if (!container->state && err->errnum == ENOENT && !locked) {
		/* Being created this very moment, or left by a create that was killed. */
		error_clear(err);
		container->state = calloc(1, sizeof(*container->state));
		if (container->state)
			container->state->id = strdup(id);
	}
	return container->state ? 0 : -1;
}

void container_close(struct container *container)
{
	state_free(container->state);
	container->state = NULL;
	state_dir_close(&container->dir);
	fd_close(container->root);
	container->root = -1;
}

bool container_is_alive(const struct state *state)
{
	bool zombie = false;

	return state->pid > 0 && state_process_start(state->pid, &zombie) == state->pid_start &&
	       !zombie;
}

/* In a list a container's directory isn't open, but the root is. */
static bool has_start_socket(const struct container *container)
{
	char path[STATE_ID_MAX + sizeof("/start")];

	if (container->dir.dir >= 0)
		return faccessat(container->dir.dir, "start", F_OK, 0) == 0;
	snprintf(path, sizeof(path), "%s/start", container->state->id);
	return faccessat(container->root, path, F_OK, 0) == 0;
}

/*
 * Whether init still waits to become the program. `start` takes its socket away; but it may have
 * been killed before that, so the kernel is asked, too, what the process executes.
 */
static bool is_waiting(const struct container *container)
{
	static const char init[] = "/memfd:runlxc-init";
	const struct state *state = container->state;
	char path[64], target[64];
	ssize_t length;

	if (!state->created_only || !has_start_socket(container))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)state->pid);
	length = readlink(path, target, sizeof(target) - 1);
	return length < 0 || strncmp(target, init, sizeof(init) - 1) == 0;
}

enum driver_status container_status(const struct container *container,
				    const struct cgroup_layout *layout)
{
	const struct state *state = container->state;
	struct error ignored = ERROR_INIT;
	bool frozen = false;

	if (state->pid == 0)
		/* Whoever creates a container holds its lock until the container is recorded. */
		return container->dir.lock < 0 && state_dir_is_locked(&container->dir)
			   ? DRIVER_CREATING
			   : DRIVER_STOPPED;
	if (!container_is_alive(state))
		return DRIVER_STOPPED;
	if (layout && state->cgroup_path &&
	    cgroup_is_frozen(layout, state->cgroup_path, &frozen, &ignored) < 0)
		error_clear(&ignored);
	if (frozen)
		return DRIVER_PAUSED;
	return is_waiting(container) ? DRIVER_CREATED : DRIVER_RUNNING;
}

struct spec *container_document(const struct container *container, struct error *err)
{
	trace_step("read the container's config.json");
	return spec_read_oci_file(container->dir.dir, "config.json", "config.json", err);
}

struct spec *container_spec(const struct container *container, struct error *err)
{
	cleanup_spec struct spec *spec = container_document(container, err);

	/* That they are allowed was seen to when the container was created. */
	if (spec && lxc_raw_apply(spec, true, NULL, err) < 0)
		return NULL;
	return PTR_TAKE(spec);
}

int container_pidfd(const struct state *state, struct error *err)
{
	cleanup_close int fd = -1;

	fd = state->pid > 0 ? kernel_pidfd_open(state->pid) : -1;
	/* Nobody has that number any more, or a thread of somebody else's (EINVAL, ENOENT). */
	if (state->pid > 0 && fd < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT)
		return error_errno(err, errno, "Failed to take hold of process %d", state->pid);
	/* Looked at after the pidfd was opened: if it is the right process now, the pidfd is its.
	 */
	if (fd < 0 || !container_is_alive(state)) {
		error_set(err, "container not running");
		err->errnum = ESRCH;
		return -1;
	}
	return fd_take(&fd);
}

char *container_state_json(const struct state *state, enum driver_status status, bool pretty,
			   struct error *err)
{
	struct json_object *root = json_object_new_object();
	struct json_object *annotations =
	    state->annotations ? json_tokener_parse(state->annotations) : NULL;
	bool live = status != DRIVER_STOPPED;
	char *text;

	json_object_object_add(
	    root, "ociVersion",
	    json_object_new_string(state->oci_version ? state->oci_version : SPEC_OCI_VERSION));
	json_object_object_add(root, "id", json_object_new_string(state->id));
	json_object_object_add(root, "pid", json_object_new_int(live ? state->pid : 0));
	json_object_object_add(root, "status", json_object_new_string(driver_status_name(status)));
	json_object_object_add(root, "bundle",
			       json_object_new_string(state->bundle ? state->bundle : ""));
	json_object_object_add(root, "rootfs",
			       json_object_new_string(state->rootfs ? state->rootfs : ""));
	json_object_object_add(root, "created",
			       json_object_new_string(state->created ? state->created : ""));
	if (annotations)
		json_object_object_add(root, "annotations", annotations);
	json_object_object_add(root, "owner",
			       json_object_new_string(state->owner ? state->owner : ""));
	text = utf8_clean(json_object_to_json_string_ext(
	    root,
	    (pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN) |
		JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	if (!text)
		error_errno(err, ENOMEM, "Failed to write the state of \"%s\"", state->id);
	return text;
}

/* A monitor that was kept ends by itself after the container; it removes what is its own. */
static void end_monitor(const struct driver *driver, const struct state *state)
{
	cleanup_close int fd = -1;
	struct pollfd event;

	if (state->monitor_pid <= 0)
		return;
	fd = kernel_pidfd_open(state->monitor_pid);
	if (fd < 0 || state_process_start(state->monitor_pid, NULL) != state->monitor_start) {
		lxc_forget_path(driver->root);
		return;
	}
	event = (struct pollfd){.fd = fd, .events = POLLIN};
	/* One whose create was killed half-way has no container to end with, and may still be
	 * making it. */
	if (state->pid == 0)
		kernel_pidfd_send_signal(fd, SIGKILL);
	if (poll(&event, 1, 2000) == 0)
		kernel_pidfd_send_signal(fd, SIGKILL);
	poll(&event, 1, 2000);
	lxc_forget_path(driver->root);
}

/* Kills whoever is in a cgroup or below it; *killed tells whether there was anybody. */
static int kill_members(const char *path, const struct cgroup_layout *layout, bool *killed,
			struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;

	*killed = false;
	if (cgroup_pids(layout, path, &pids, &count, err) < 0)
		return -1;
	*killed = count > 0;
	return count ? cgroup_signal_all(layout, path, SIGKILL, err) : 0;
}

int container_owns_cgroup(const struct state *state, const struct cgroup_layout *layout,
			  struct error *err)
{
	return state->cgroup_path
		   ? cgroup_has_identity(layout, state->cgroup_path, state->cgroup_identity, err)
		   : 0;
}

/*
 * The cgroup of a container that never came to be. Its init ends by itself, so that nobody has to
 * be killed; who stays is somebody else's, as is the cgroup then: two creates may have been given
 * one path at the same time.
 */
static int remove_unsettled(const char *path, const struct cgroup_layout *layout, bool damaged,
			    struct error *err)
{
	/* Who is dying is waited for by either. */
	if (cgroup_wait_empty(layout, path, 2000, err) == 0 &&
	    cgroup_remove(layout, path, err) == 0)
		return 0;
	if (err->errnum != ETIMEDOUT && err->errnum != EBUSY)
		return -1;
	error_clear(err);
	return damaged ? error_set(err,
				   "the container's state is damaged, and processes run in the "
				   "cgroup %s, which may be its or another's",
				   path)
		       : 0;
}

/* The first process, wherever somebody may have moved it. */
static void kill_process(const struct state *state)
{
	struct error ignored = ERROR_INIT;
	cleanup_close int pidfd = container_pidfd(state, &ignored);
	struct pollfd event = {.fd = pidfd, .events = POLLIN};

	error_clear(&ignored);
	if (pidfd >= 0 && kernel_pidfd_send_signal(pidfd, SIGKILL) == 0)
		poll(&event, 1, 2000);
}

/* A v1 freezer keeps even who was killed. */
static int wait_empty(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	bool frozen = false;

	if (cgroup_find(layout, "freezer") &&
	    cgroup_parent_is_frozen(layout, path, &frozen, err) < 0)
		return -1;
	return frozen ? error_set(err,
				  "its processes were killed, and end when they are thawed: a "
				  "cgroup above %s is frozen",
				  path)
		      : cgroup_wait_empty(layout, path, 10000, err);
}

/* Nothing may outlive its container: what shared a pid namespace with others, or was put into the
 * container's cgroups from outside, goes now. */
static int remove_cgroups(const struct driver *driver, const struct state *state, bool damaged,
			  const struct cgroup_layout *layout, struct error *err)
{
	bool killed;
	int ours;

	if (state->pid == 0)
		return remove_unsettled(state->cgroup_path, layout, damaged, err);
	ours = container_owns_cgroup(state, layout, err);
	if (ours < 0)
		return -1;
	if (!ours) {
		kill_process(state);
		end_monitor(driver, state);
		return 0;
	}
	if (kill_members(state->cgroup_path, layout, &killed, err) < 0)
		return -1;
	/* A kept monitor removes the container's cgroups itself once that has ended. */
	end_monitor(driver, state);
	if (killed && wait_empty(layout, state->cgroup_path, err) < 0)
		return -1;
	if (container_is_alive(state))
		kill_process(state);
	return cgroup_remove(layout, state->cgroup_path, err);
}

/* A create that was killed may have left LXC's child there, which waits for a monitor that is no
 * more. */
static int remove_monitor_cgroup(const struct state *state, const struct cgroup_layout *layout,
				 struct error *err)
{
	bool killed;

	if (kill_members(state->monitor_cgroup, layout, &killed, err) < 0 ||
	    (killed && cgroup_wait_empty(layout, state->monitor_cgroup, 10000, err) < 0))
		return -1;
	return cgroup_remove(layout, state->monitor_cgroup, err);
}

int container_destroy(const struct driver *driver, struct container *container,
		      const struct cgroup_layout *layout, struct error *err)
{
	struct state *state = container->state;
	struct error later = ERROR_INIT;
	int result = 0;

	trace_step("end what is left of the container, remove its cgroups");
	if (state->pid == 0)
		end_monitor(driver, state);
	if (state->cgroup_path &&
	    remove_cgroups(driver, state, container->damaged, layout, err) < 0)
		result = -1;
	if (state->systemd_cgroup && state->cgroup_path)
		container_stop_scope(driver, state, layout);
	if (!state->cgroup_path && state->pid) {
		kill_process(state);
		end_monitor(driver, state);
	}
	if (state->monitor_cgroup &&
	    remove_monitor_cgroup(state, layout, result < 0 ? &later : err) < 0)
		result = -1;
	if (container_remove_resctrl(driver, state, result < 0 ? &later : err) < 0)
		result = -1;
	trace_step("remove the container's directory");
	/* They went with the network namespace; but where a create was killed they may be left. */
	if (lxc_network_asked(state->annotations))
		lxc_network_forget(container->root, state->id);
	if (result == 0 && state_dir_remove(container->root, state->id, &container->dir, err) < 0)
		result = -1;
	error_clear(&later);
	return result;
}

int driver_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

const char *driver_status_name(enum driver_status status)
{
	static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};

	return names[status];
}
