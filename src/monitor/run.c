/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/run.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/message.h"
#include "base/trace.h"
#include "lxc/monitor.h"
#include "monitor/cgroups.h"
#include "monitor/children.h"
#include "monitor/labels.h"
#include "monitor/liblxc.h"
#include "monitor/namespaces.h"
#include "monitor/network.h"
#include "monitor/payload.h"
#include "monitor/pivot.h"
#include "monitor/reaped.h"
#include "monitor/scope.h"
#include "monitor/sockets.h"

struct monitor {
	const struct liblxc *lxc;
	int control, log_fd, dir;
	const char *block, *block_end, *name, *path, *label, *cgroup, *told, *items;
	struct monitor_request request;
};

/* Into LXC's log, where the caller looks for what went wrong. */
#define FAIL(monitor, ...)                                                                         \
	do {                                                                                       \
		dprintf((monitor)->log_fd, "runlxc: " __VA_ARGS__);                                \
		_exit(1);                                                                          \
	} while (0)

static const char *next_string(struct monitor *monitor, const char *at)
{
	const char *end =
	    at < monitor->block_end ? memchr(at, '\0', (size_t)(monitor->block_end - at)) : NULL;

	return end ? end + 1 : NULL;
}

static void map_block(struct monitor *monitor, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size == 0)
		FAIL(monitor, "the recipe can't be read\n");
	monitor->block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (monitor->block == MAP_FAILED)
		FAIL(monitor, "the recipe can't be read: %s\n", strerror(errno));
	monitor->block_end = monitor->block + st.st_size;
	monitor->name = monitor->block;
	monitor->path = next_string(monitor, monitor->name);
	monitor->label = monitor->path ? next_string(monitor, monitor->path) : NULL;
	monitor->cgroup = monitor->label ? next_string(monitor, monitor->label) : NULL;
	monitor->told = monitor->cgroup ? next_string(monitor, monitor->cgroup) : NULL;
	monitor->items = monitor->told ? next_string(monitor, monitor->told) : NULL;
	if (!monitor->items)
		FAIL(monitor, "the recipe can't be read\n");
}

/*
 * Receives the request. Its descriptors arrive under the lowest free numbers; those of init then
 * get the ones that the plan knows them by, which lie above all of these (lxc_monitor_room()),
 * without CLOEXEC.
 */
static void receive_request(struct monitor *monitor)
{
	int fds[MONITOR_FDS_MAX];
	struct message_extra extra = {.fds = fds, .fds_max = MONITOR_FDS_MAX};
	ssize_t got;
	size_t i;

	got = message_receive(monitor->control, &monitor->request, sizeof(monitor->request), 0,
			      &extra);
	if (got < 0)
		FAIL(monitor, "the request can't be received: %s\n", strerror(errno));
	/* The caller gave up: nothing to start, nothing to say. */
	if (got != (ssize_t)sizeof(monitor->request) || extra.count < 2)
		_exit(1);
	map_block(monitor, fds[0]);
	close(fds[0]);
	monitor->dir = fds[1];
	for (i = 2; i < extra.count; i++) {
		if (dup3(fds[i], monitor->request.numbers[i], 0) < 0)
			FAIL(monitor, "descriptor %d can't be passed on: %s\n",
			     monitor->request.numbers[i], strerror(errno));
		close(fds[i]);
	}
}

/* An item that LXC refuses: whether it knows such a key at all is said first. */
_Noreturn static void fail_item(const struct monitor *monitor, const char *key, const char *value)
{
	if (!monitor->lxc->item_is_supported(key))
		dprintf(monitor->log_fd, "runlxc: LXC %s has no such key\n",
			monitor->lxc->get_version());
	FAIL(monitor, MONITOR_REFUSES "%s = %s\n", key, value);
}

/* The value of one of the items; NULL: there is none. */
static const char *item(struct monitor *monitor, const char *wanted)
{
	const char *key, *value;

	for (key = monitor->items; key < monitor->block_end; key = next_string(monitor, value)) {
		value = next_string(monitor, key);
		if (strcmp(key, wanted) == 0)
			return value;
	}
	return NULL;
}

static void set_items(struct monitor *monitor, struct lxc_container *container)
{
	const char *key, *value;
	char log[64];

	/* LXC opens its log by name: a memfd has one here. */
	snprintf(log, sizeof(log), "/proc/self/fd/%d", monitor->log_fd);
	if (!container->set_config_item(container, "lxc.log.file", log) ||
	    !container->set_config_item(container, "lxc.log.level",
					monitor->request.debug ? "DEBUG" : "ERROR"))
		FAIL(monitor, "LXC refuses its log\n");
	for (key = monitor->items; key < monitor->block_end; key = next_string(monitor, value)) {
		value = next_string(monitor, key);
		if (!value)
			FAIL(monitor, "the recipe can't be read\n");
		/* Loopback is up in there. */
		if (monitor->request.network_follows && strcmp(key, "lxc.net.0.flags") == 0)
			continue;
		if (!container->set_config_item(container, key, value))
			fail_item(monitor, key, value);
	}
}

static int open_in_directory(const struct monitor *monitor, const char *name)
{
	return openat(monitor->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0600);
}

static bool is_changed_by_reading(const char *value)
{
	char first = value[0], last = first ? value[strlen(value) - 1] : '\0';

	return first == ' ' || first == '\t' || last == ' ' || last == '\t' ||
	       ((first == '"' || first == '\'') && last == first && value[1]);
}

/* LXC's tools look for PATH/NAME/config; LXC itself must not find it before now, or it would take
 * every item twice. */
static void write_config(struct monitor *monitor)
{
	cleanup_close int fd = open_in_directory(monitor, "config");
	const char *key, *value;

	for (key = monitor->items; fd >= 0 && key < monitor->block_end;
	     key = next_string(monitor, value)) {
		value = next_string(monitor, key);
		/* Reading a file, LXC takes off blanks and then one pair of quotes. */
		dprintf(fd, is_changed_by_reading(value) ? "%s = \"%s\"\n" : "%s = %s\n", key,
			value);
	}
}

/* Renamed when it is whole: `wait` reads it. */
static void record_exit(const struct monitor *monitor, int status, bool oom_killed)
{
	cleanup_close int fd = open_in_directory(monitor, "exit.new");

	if (fd >= 0 && dprintf(fd, "%d%s\n", status, oom_killed ? " oom-killed" : "") > 0)
		renameat(monitor->dir, "exit.new", monitor->dir, "exit");
}

/* Standard streams, what the program keeps (below `lowest`), the control socket and the log.
 * Whatever else the caller had open, LXC and the container have no business with. */
static void clean_descriptors(struct monitor *monitor, int lowest)
{
	int quiet;

	monitor->control = lowest;
	monitor->log_fd = lowest + 1;
	if (kernel_close_range((unsigned int)lowest + 2, ~0U, 0) < 0 ||
	    fcntl(monitor->control, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(monitor->log_fd, F_SETFD, FD_CLOEXEC) < 0)
		_exit(1);
	/*
	 * LXC gives the standard streams of whoever starts a container to its init: owner and mode.
	 * The caller passes the real ones for init under other numbers; these are ours, and nobody
	 * minds.
	 */
	quiet = kernel_memfd_create("runlxc-null", MFD_CLOEXEC);
	if (quiet < 0 || dup2(quiet, 0) < 0 || dup2(quiet, 1) < 0 || dup2(quiet, 2) < 0)
		_exit(1);
	if (quiet > 2)
		close(quiet);
}

/* LXC would join it on a process that shares its memory, which the kernel refuses. Here it holds
 * for whatever the container's user namespace may do. */
static void join_clocks(struct monitor *monitor)
{
	int fd = monitor->request.time_fd;

	if (fd >= 0 && syscall(SYS_setns, fd, CLONE_NEWTIME) < 0)
		FAIL(monitor, "linux.namespaces: Failed to join the time namespace: %s\n",
		     strerror(errno));
}

/* Where LXC puts its locks and the like, if /run isn't ours: with the container they go. */
static void set_runtime_directory(const struct monitor *monitor)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", monitor->dir);
	setenv("XDG_RUNTIME_DIR", path, 1);
}

static int start(struct monitor *monitor)
{
	const struct monitor_request *request = &monitor->request;
	/* A user's container may have none. */
	const char *cgroup = item(monitor, "lxc.cgroup.dir.monitor");
	const char *payload = item(monitor, "lxc.cgroup.dir.container");
	const char *namespaces = item(monitor, "lxc.namespace.clone");
	struct lxc_container *container;
	char init_path[64], plan_number[16];
	char *const arguments[] = {init_path, plan_number, NULL};
	bool oom_killed;
	int status;

	trace_step("LXC: set the items");
	set_runtime_directory(monitor);
	if (*monitor->cgroup || *monitor->told)
		scope_take(*monitor->cgroup ? monitor->cgroup : NULL,
			   *monitor->told ? monitor->told : NULL);
	if (request->delegated)
		scope_is_delegated();
	if (request->no_controllers)
		scope_hand_nothing_down();
	container = monitor->lxc->container_new(monitor->name, monitor->path);
	if (!container)
		FAIL(monitor, "liblxc can't make a container named \"%s\" in \"%s\"\n",
		     monitor->name, monitor->path);
	set_items(monitor, container);
	join_clocks(monitor);
	trace_clock_changed();
	children_log_to(monitor->log_fd);
	children_begin();
	if (request->keep_monitor) {
		/* It is to outlive the caller. A caller that is killed before it recorded the
		 * container is still noticed: init ends when the sync socket is closed, and we end
		 * after it. */
		prctl(PR_SET_PDEATHSIG, 0);
		write_config(monitor);
		sockets_check_peers();
		reaped_listen(monitor->control);
		if (cgroup && *monitor->cgroup)
			scope_leave_later(cgroup);
	} else {
		sockets_hide(monitor->dir);
		if (cgroup)
			cgroups_stay_out(cgroup);
	}
	if (payload) {
		cgroups_watch(payload);
		payload_is_in(
		    payload,
		    &(struct payload_hierarchies){request->memory_device, request->cpuset_device},
		    monitor->log_fd);
	}
	/* A user's child, or one in a user namespace, has no right to. */
	if (payload && geteuid() == 0 && !item(monitor, "lxc.idmap") &&
	    !item(monitor, "lxc.namespace.share.user"))
		payload_joins_itself();
	if (*monitor->label)
		labels_set(monitor->label, request->label_mqueue, monitor->log_fd);
	if (namespaces)
		namespaces_only(namespaces);
	if (request->network_follows)
		network_follows(monitor->control, monitor->log_fd);
	if (request->pivot_fd >= 0)
		pivot_announce(request->pivot_fd);
	container->want_daemonize(container, false);
	container->want_close_all_fds(container, false);
	snprintf(init_path, sizeof(init_path), "/proc/self/fd/%d", request->init_fd);
	snprintf(plan_number, sizeof(plan_number), "%d", request->plan_fd);
	trace_step("LXC: start: cgroups");
	if (!container->start(container, 0, arguments) && reaped_status(&status, &oom_killed) < 0)
		_exit(cgroups_are_left() ? MONITOR_LEFT_CGROUPS : 1);
	return container->error_num;
}

int monitor_run(int lowest, pid_t caller)
{
	static struct monitor monitor = {.dir = -1};
	const char *reason = NULL;
	bool oom_killed = false;
	int status;

	/* Whoever kills the caller half-way gets rid of us, and LXC's own death signal of the
	 * container. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A container that shares a pid namespace sees LXC's child before that is init: nothing of
	 * the host's is to be had by it (CVE-2016-9962). A user's newuidmap could not write its
	 * mappings then; a container of a user's has no rights over processes outside of it. */
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
	if (getppid() != caller)
		return 1;
	clean_descriptors(&monitor, lowest);
	monitor.lxc = liblxc(&reason);
	if (!monitor.lxc)
		FAIL(&monitor, "Failed to load liblxc: %s\n", reason);
	receive_request(&monitor);
	trace_attach(fcntl(monitor.request.trace_fd, F_DUPFD_CLOEXEC, 0), TRACE_MONITOR);
	status = start(&monitor);
	if (monitor.request.keep_monitor) {
		reaped_status(&status, &oom_killed);
		record_exit(&monitor, status, oom_killed);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
