/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a new container to LXC's monitor: its plan, its recipe, and every descriptor that goes
 * with them. */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/trace.h"
#include "base/trace_file.h"
#include "base/user_namespace.h"
#include "process/sync.h"

/* The socket that `start` connects to, in the container's directory; init listens on it. */
static int make_start_socket(const struct creation *creation, int lowest, int *listener,
			     struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_close int fd = -1;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/start",
		 creation->container.dir.dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0)
		return error_errno(err, errno, "Failed to make the start socket");
	*listener = fd_duplicate(fd, lowest);
	return *listener < 0 ? error_errno(err, errno, "Failed to make the start socket") : 0;
}

static int move_above(int *fd, int room)
{
	int moved = fd_duplicate(*fd, room);

	fd_close(*fd);
	*fd = moved;
	return moved < 0 ? -1 : 0;
}

/* They run in the container, so init does it. */
static int compile_start_hooks(struct creation *creation, struct plan_buffer *plan,
			       struct error *err)
{
	const struct spec_hooks *hooks = &creation->spec->hooks[SPEC_HOOK_START_CONTAINER];
	struct state state = *creation->container.state;
	cleanup_free char *json = NULL;

	if (!hooks->count)
		return 0;
	state.pid = (pid_t)strtol(PROCESS_STATE_PID, NULL, 10);
	json = container_state_json(&state, DRIVER_CREATED, false, err);
	return json ? process_compile_hooks(hooks, json, plan, err) : -1;
}

/* A user's container is below a cgroup of the caller's, and not in all hierarchies. */
static bool is_below_base(const struct creation *creation)
{
	return creation->shown && creation->container.state->cgroup_path;
}

static dev_t device_of(const struct cgroup_layout *layout, const char *controller)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, controller);
	struct stat st;

	return hierarchy && stat(hierarchy->mount, &st) == 0 ? st.st_dev : 0;
}

static int give_network(struct creation *creation, struct error *err)
{
	trace_step("make the network namespace");
	creation->network = lxc_network_make(err);
	return creation->network < 0
		   ? -1
		   : lxc_monitor_give_network(&creation->monitor, creation->network, err);
}

int creation_spawn(struct creation *creation, struct error *err)
{
	const struct driver_create_options *options = creation->options;
	struct spec *spec = creation->spec;
	struct container *container = &creation->container;
	cleanup_recipe struct lxc_recipe recipe = {0};
	cleanup_plan struct plan_buffer plan;
	cleanup_close int init_fd = -1, plan_fd = -1, init_sync = -1, listener = -1, dir = -1;
	cleanup_close int trace = -1;
	int streams[3] = {-1, -1, -1}, room, pass[LXC_FDS_MAX + 8];
	char network_prefix[LXC_NETWORK_PREFIX];
	struct lxc_start start = {.recipe = &recipe,
				  .keep_monitor = options->lxc_monitor,
				  .debug = creation->driver->debug,
				  .pass = pass};
	const bool in_user_namespace = user_namespace_is_ours();
	size_t i, passed;
	int result = -1;

	plan_buffer_init(&plan);
	trace_step("compile the process plan");
	if (!options->embedded && streams_listen(spec, err) < 0)
		return -1;
	/* Out of the way of the descriptors that the program keeps, and of the monitor's own. No
	 * more than LXC_FDS_MAX are passed, however many mounts and devices there are: a process
	 * may have 1024 by default. */
	passed = spec->mounts_count + spec->linux_.devices_count;
	room = lxc_monitor_room(3 + creation->preserve,
				(passed < LXC_FDS_MAX ? passed : LXC_FDS_MAX) + 24);

	if (process_check_mount_label(spec->linux_.mount_label, err) < 0 ||
	    process_compile(&spec->process, spec->linux_.namespaces[SPEC_NS_USER].listed,
			    creation->driver->log, &plan, err) < 0)
		return -1;
	trace_step("seccomp filter");
	if (spec->linux_.seccomp.set &&
	    process_compile_seccomp(&spec->linux_.seccomp, container->root, creation->driver->log,
				    &plan, err) < 0)
		return -1;
	if (compile_start_hooks(creation, &plan, err) < 0)
		return -1;
	trace_step("compile LXC's items and the mounts");
	lxc_network_prefix(container->root, creation->id, network_prefix);
	if (creation_compile(
		creation,
		&(struct lxc_request){.spec = spec,
				      .rootfs = creation->rootfs,
				      .rootfs_fd = creation->rootfs_fd,
				      .bundle = creation->bundle,
				      .layout = creation->layout,
				      .shown = creation->shown,
				      .cgroup_base = creation->cgroup_base,
				      .cgroup_relative = is_below_base(creation),
				      .cgroup_limited = creation->systemd != NULL,
				      .rootless = geteuid() != 0,
				      .in_user_namespace = in_user_namespace,
				      .cgroup_path = container->state->cgroup_path,
				      .monitor_cgroup = container->state->monitor_cgroup,
				      .no_new_keyring = options->no_new_keyring,
				      .lxc_annotations = creation->lxc_annotations,
				      .network_prefix = network_prefix,
				      .lowest_fd = room,
				      .log = creation->driver->log},
		&recipe, &plan, err) < 0)
		return -1;
	creation->made_proc = recipe.made_proc;
	creation->lxc_text = lxc_recipe_text(&recipe, &creation->lxc_length, err);
	if (!creation->lxc_text)
		return -1;

	trace_step("hand over to LXC's monitor");
	if (streams_dup(room, options->embedded ? options->embedded->streams : NULL, streams, err) <
		0 ||
	    process_sync_pair(room, &creation->sync, &init_sync, err) < 0)
		goto out;
	if (!creation->start_at_once && make_start_socket(creation, room, &listener, err) < 0)
		goto out;
	for (i = 0; i < 3; i++)
		plan_head(&plan)->stdio_fd[i] = streams[i];
	plan_head(&plan)->sync_fd = init_sync;
	plan_head(&plan)->start_fd = listener;
	plan_head(&plan)->preserve_fds = creation->preserve;
	plan_head(&plan)->trace_fd = start.trace_fd = trace = trace_descriptor(room);
	if (!creation->start_at_once)
		plan_head(&plan)->flags |= PLAN_WAIT_START;
	if (creation->driver->debug)
		plan_head(&plan)->flags |= PLAN_LOG_STEPS;
	plan_fd = process_plan_seal(&plan, err);
	init_fd = plan_fd < 0 ? -1 : process_init_open(err);
	if (init_fd < 0)
		goto out;
	if (move_above(&plan_fd, room) < 0 || move_above(&init_fd, room) < 0) {
		error_errno(err, errno, "Failed to duplicate a descriptor");
		goto out;
	}

	for (i = 0; i < recipe.fds_count; i++)
		pass[start.pass_count++] = recipe.fds[i];
	for (i = 0; i < 3; i++)
		pass[start.pass_count++] = streams[i];
	pass[start.pass_count++] = init_sync;
	pass[start.pass_count++] = listener;
	pass[start.pass_count++] = trace;
	/* Opened anew: ours holds the lock, which must not outlive us in another process. */
	dir = openat(container->dir.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		error_errno(err, errno, "Failed to open the container's directory");
		goto out;
	}
	start.dir = dir;
	start.init_fd = init_fd;
	start.plan_fd = plan_fd;
	start.made_cgroup = creation->systemd ? container->state->cgroup_path : NULL;
	/* LXC would go by its own idea of both: a root's is the first process's, which in a pid
	 * namespace may be anywhere. */
	if (container->state->cgroup_path) {
		start.cgroup_base = creation->cgroup_base;
		start.layout = creation->layout;
	}
	start.delegated = is_below_base(creation);
	start.no_controllers = creation->no_controllers;
	start.pivot_fd = creation_waits_at_pivot(creation) ? init_sync : -1;
	/* Kept, LXC's tools find it by its id below the state root. Otherwise nobody needs to find
	 * it, and a name of its own keeps two roots from meeting in LXC's sockets. */
	start.name = options->lxc_monitor ? creation->id : creation->tag;
	/* Only the host's root can make /run/lxc, which is there only where root has run LXC
	 * before. */
	start.path = options->lxc_monitor		   ? creation->driver->root
		     : geteuid() != 0 || in_user_namespace ? "/run"
							   : "/run/lxc";
	start.memory_device = device_of(creation->layout, "memory");
	start.cpuset_device = device_of(creation->layout, "cpuset");
	/* A monitor that stays is asked for its configuration: there LXC does all of it. */
	start.network_follows = recipe.network_follows && !options->lxc_monitor;
	result = lxc_monitor_start(&creation->monitor, &start, err);
	if (result == 0 && start.network_follows)
		result = give_network(creation, err);
out:
	streams_close(streams);
	return result;
}
