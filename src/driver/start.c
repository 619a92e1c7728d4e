/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "base/kernel_check.h"
#include "hooks/hooks.h"
#include "process/sync.h"

static void cleanup_layout_(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}
#define cleanup_layout __attribute__((cleanup(cleanup_layout_)))

static int connect_to_init(const struct container *container, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_close int fd = -1;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/start",
		 container->dir.dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "Failed to reach the init of \"%s\"",
				   container->state->id);
	return fd_take(&fd);
}

/* runtime.md, lifecycle step 10: a poststart hook that fails stops the container. */
static int run_poststart(const struct container *container, struct error *err)
{
	cleanup_spec struct spec *spec = container_document(container, err);
	cleanup_free char *json = NULL;

	if (!spec)
		return -1;
	if (!spec->hooks[SPEC_HOOK_POSTSTART].count)
		return 0;
	json = container_state_json(container->state, DRIVER_RUNNING, false, err);
	return json
		   ? hooks_run(spec, SPEC_HOOK_POSTSTART, json, container->state->bundle, NULL, err)
		   : -1;
}

/* Whoever waits for a process that stands still waits for ever, and holds the lock meanwhile. */
static int check_thawed(const struct container *container, const struct cgroup_layout *layout,
			struct error *err)
{
	bool frozen = false;

	if (!container->state->cgroup_path)
		return 0;
	if (cgroup_parent_is_frozen(layout, container->state->cgroup_path, &frozen, err) < 0)
		return -1;
	return frozen ? error_set(err, "cannot start a container in the paused state: a cgroup "
				       "above its own is frozen")
		      : 0;
}

struct starting {
	const struct container *container;
	int pidfd;
};

static int take_listener(void *data, int listener, struct error *err)
{
	const struct starting *starting = data;
	const struct state *state = starting->container->state;
	cleanup_spec struct spec *spec = container_spec(starting->container, err);

	if (!spec)
		return -1;
	return seccomp_agent_tell(&(struct seccomp_process){.spec = spec,
							    .state = state,
							    .status = DRIVER_CREATED,
							    .pid = state->pid,
							    .pidfd = starting->pidfd},
				  listener, err);
}

int driver_start(const struct driver *driver, const char *id, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_layout struct cgroup_layout *layout = NULL;
	cleanup_close int connection = -1, pidfd = -1;

	if (container_open(driver, id, true, &container, err) < 0)
		return -1;
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	switch (container_status(&container, layout)) {
	case DRIVER_CREATED:
		break;
	case DRIVER_PAUSED:
		return error_set(err, "cannot start a container in the paused state");
	case DRIVER_STOPPED:
		return error_set(err, "cannot start a container that has stopped");
	default:
		return error_set(err, "cannot start an already running container");
	}
	if (kernel_check_for_processes(err) < 0 || check_thawed(&container, layout, err) < 0)
		return -1;
	pidfd = container_pidfd(container.state, err);
	if (pidfd < 0)
		return -1;
	trace_pid(TRACE_INIT, container.state->pid);
	trace_step("start: wait until the program runs");
	connection = connect_to_init(&container, err);
	if (connection < 0 || process_sync_send_start(connection, err) < 0 ||
	    process_sync_wait_executed(
		connection, pidfd,
		&(struct sync_handler){.listener = take_listener,
				       .data = &(struct starting){&container, pidfd},
				       .log = driver->log},
		err) < 0)
		return -1;
	trace_step("poststart hooks");
	/* Its socket gone, it is not a created one any more; see container_status(). */
	unlinkat(container.dir.dir, "start", 0);
	if (run_poststart(&container, err) < 0) {
		kernel_pidfd_send_signal(pidfd, SIGKILL);
		return -1;
	}
	return 0;
}
