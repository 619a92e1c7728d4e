/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that only look: state, pids, wait, config. */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/kernel_check.h"
#include "base/path.h"
#include "driver/memory_watch.h"

/* ---- state ---- */

struct driver_container *container_describe(struct container *container,
					    const struct cgroup_layout *layout, struct error *err)
{
	struct driver_container *result = calloc(1, sizeof(*result));
	struct state *state = container->state;

	if (!result) {
		error_errno(err, ENOMEM, "Failed to describe \"%s\"", state->id);
		return NULL;
	}
	result->status = container_status(container, layout);
	result->pid = result->status == DRIVER_STOPPED ? 0 : state->pid;
	result->id = PTR_TAKE(state->id);
	result->bundle = PTR_TAKE(state->bundle);
	result->rootfs = PTR_TAKE(state->rootfs);
	result->created = PTR_TAKE(state->created);
	result->owner = PTR_TAKE(state->owner);
	result->oci_version = PTR_TAKE(state->oci_version);
	result->annotations = PTR_TAKE(state->annotations);
	return result;
}

void driver_container_free(struct driver_container *container)
{
	if (!container)
		return;
	free(container->id);
	free(container->bundle);
	free(container->rootfs);
	free(container->created);
	free(container->owner);
	free(container->oci_version);
	free(container->annotations);
	free(container);
}

struct driver_container *driver_state(const struct driver *driver, const char *id,
				      struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct driver_container *result;
	struct cgroup_layout *layout;

	if (container_open(driver, id, false, &container, err) < 0)
		return NULL;
	layout = cgroup_detect(err);
	result = layout ? container_describe(&container, layout, err) : NULL;
	cgroup_layout_free(layout);
	return result;
}

char *driver_state_json(const struct driver_container *container, struct error *err)
{
	const struct state state = {
	    .id = container->id,
	    .oci_version = container->oci_version,
	    .bundle = container->bundle,
	    .rootfs = container->rootfs,
	    .created = container->created,
	    .owner = container->owner,
	    .annotations = container->annotations,
	    .pid = container->pid,
	};

	return container_state_json(&state, container->status, true, err);
}

/* ---- ps ---- */

int driver_pids(const struct driver *driver, const char *id, pid_t **pids, size_t *count,
		struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct cgroup_layout *layout;
	int result;

	if (container_open(driver, id, false, &container, err) < 0)
		return -1;
	*pids = NULL;
	*count = 0;
	if (!container.state->cgroup_path)
		return container.state->pid ? rootless_pids(container.state, pids, count, err)
					    : error_set(err, "container not running");
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	result = container_owns_cgroup(container.state, layout, err);
	if (result > 0)
		result = cgroup_pids(layout, container.state->cgroup_path, pids, count, err);
	cgroup_layout_free(layout);
	return result;
}

/* ---- wait ---- */

int container_recorded_exit(const struct container *container, int *wait_status,
			    struct memory_watch *memory)
{
	struct error ignored = ERROR_INIT;
	cleanup_free char *text =
	    path_read_file(container->dir.dir, "exit", 64, NULL, "exit", &ignored);
	char *end;

	error_clear(&ignored);
	if (!text || !*text)
		return -1;
	*wait_status = (int)strtol(text, &end, 10);
	if (end == text)
		return -1;
	memory->killed |= strncmp(end, " oom-killed", strlen(" oom-killed")) == 0;
	return 0;
}

/* A zombie's status, which /proc tells to whoever may trace it: the last field of stat. */
static int status_of_zombie(const struct state *state, int *wait_status)
{
	struct error ignored = ERROR_INIT;
	cleanup_free char *text = NULL;
	char path[64], *last;
	bool zombie = false;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)state->pid);
	text = path_read_file(AT_FDCWD, path, 4096, NULL, path, &ignored);
	error_clear(&ignored);
	/* Looked at after it was read: if it is the same process still, that was it. */
	if (!text || state_process_start(state->pid, &zombie) != state->pid_start || !zombie)
		return -1;
	last = strrchr(text, ' ');
	if (!last)
		return -1;
	*wait_status = (int)strtol(last + 1, NULL, 10);
	return 0;
}

static int status_by_pidfd(const struct state *state, int pidfd, int *wait_status,
			   struct error *err)
{
	struct pollfd event = {.fd = pidfd, .events = POLLIN};

	while (poll(&event, 1, -1) < 0 && errno == EINTR)
		;
	if (status_of_zombie(state, wait_status) == 0)
		return 0;
	/* A hang-up says that it was reaped, and from then on the kernel tells its status. One that
	 * doesn't know of such things (ENOTTY) may not know of that hang-up either. */
	event.events = 0;
	while (kernel_pidfd_exit_status(pidfd, wait_status) < 0 && errno != ENOTTY &&
	       !event.revents && poll(&event, 1, -1) < 0 && errno == EINTR)
		;
	if (kernel_pidfd_exit_status(pidfd, wait_status) < 0)
		return error_set(
		    err, "the exit status is not known: the container was reaped by someone else, "
			 "and this kernel does not tell it (PIDFD_INFO_EXIT needs Linux 6.15); "
			 "--lxc-monitor keeps it");
	return 0;
}

/* Polls `fd` until it is readable, and meanwhile looks whether memory ran out. */
static void wait_for(int fd, struct memory_watch *memory)
{
	struct pollfd events[2] = {{.fd = fd, .events = POLLIN},
				   {.fd = memory_watch_fd(memory), .events = POLLIN}};

	for (;;) {
		if (poll(events, ARRAY_SIZE(events), -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (events[1].revents) {
			memory_watch_look(memory);
			/* From its removal on a cgroup is readable for good. */
			events[1].fd = memory_watch_fd(memory);
		}
		if (events[0].revents)
			return;
	}
}

/* A kept monitor records the status, and ends; it may still be at it when the container has ended.
 */
static int wait_for_monitor(const struct container *container, struct memory_watch *memory,
			    int *status, struct error *err)
{
	const struct state *state = container->state;
	cleanup_close int monitor = kernel_pidfd_open(state->monitor_pid);

	if (monitor >= 0 && state_process_start(state->monitor_pid, NULL) == state->monitor_start)
		wait_for(monitor, memory);
	return container_recorded_exit(container, status, memory) == 0
		   ? 0
		   : error_set(err, "LXC's monitor ended without recording the exit status");
}

static int wait_status(const struct container *container, struct memory_watch *memory, int *status,
		       struct error *err)
{
	cleanup_close int pidfd = -1;

	if (container_recorded_exit(container, status, memory) == 0)
		return 0;
	if (container->state->monitor_pid > 0)
		return wait_for_monitor(container, memory, status, err);
	if (container->state->pid > 0 && status_of_zombie(container->state, status) == 0)
		return 0;
	pidfd = container_pidfd(container->state, err);
	if (pidfd < 0)
		return error_set(
		    err, "the exit status is not known: the container had ended before, and "
			 "nobody recorded it (--lxc-monitor does)");
	wait_for(pidfd, memory);
	return status_by_pidfd(container->state, pidfd, status, err);
}

int driver_wait(const struct driver *driver, const char *id, struct driver_exit *exit,
		struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct memory_watch memory = {0};
	struct cgroup_layout *layout;
	int status = 0, result;

	if (container_open(driver, id, false, &container, err) < 0)
		return -1;
	layout = kernel_check_for_processes(err) < 0 ? NULL : cgroup_detect(err);
	if (!layout)
		return -1;
	memory_watch_open(&memory, layout, container.state->cgroup_path);
	result = wait_status(&container, &memory, &status, err);
	if (result == 0) {
		exit->status = driver_exit_status(status);
		exit->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		exit->oom_killed = memory_watch_end(&memory);
	}
	memory_watch_close(&memory);
	cgroup_layout_free(layout);
	return result;
}

/* ---- info ---- */

int driver_info(const struct driver *driver, const char *id, struct driver_info *info,
		struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct cgroup_layout *layout;
	int result = 0;

	*info = (struct driver_info){.status = DRIVER_STOPPED};
	if (container_open(driver, id, false, &container, err) < 0) {
		if (err->errnum != ENOENT)
			return -1;
		error_clear(err);
		return 0;
	}
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	info->exists = true;
	info->status = container_status(&container, layout);
	info->pid = info->status == DRIVER_STOPPED ? 0 : container.state->pid;
	if (container.state->cgroup_path)
		result =
		    cgroup_oom_count(layout, container.state->cgroup_path, &info->oom_kills, err);
	cgroup_layout_free(layout);
	return result;
}

/* ---- config ---- */

char *driver_config(const struct driver *driver, const char *id, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_free char *text = NULL;

	if (container_open(driver, id, false, &container, err) < 0)
		return NULL;
	text = path_read_file(container.dir.dir, "config.lxc", (size_t)16 << 20, NULL, "config.lxc",
			      err);
	return text ? lxc_config_read_back(text, err) : NULL;
}
