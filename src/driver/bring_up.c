/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From config.json to a container. docs/architecture.md, "How a container comes up", is the same
 * story in prose; the steps stand in creation_run(), in order.
 */
#include "driver/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/kernel_check.h"
#include "base/trace.h"
#include "cgroup/stats.h"
#include "console/console.h"
#include "process/sync.h"

/* Deleting this container kills whoever is in there: not the monitor of another state root's
 * container that has the same id. */
static int check_monitor_cgroup(const struct creation *creation, struct error *err)
{
	cleanup_free char *path = creation_monitor_cgroup(creation);
	bool exists = false, in_use = false;

	if (!path)
		return error_errno(err, ENOMEM, "--lxc-monitor");
	if (cgroup_probe(creation->layout, path, &exists, &in_use, err) < 0)
		return -1;
	if (in_use)
		return error_set(err, "--lxc-monitor: other processes are in \"%s\"", path);
	return exists ? cgroup_remove(creation->layout, path, err) : 0;
}

static int prepare_cgroup(struct creation *creation, struct error *err)
{
	const char *path;
	char *beside;
	bool exists = false, in_use = false, frozen = false;

	if (creation_place_cgroups(creation, err) < 0)
		return -1;
	path = creation->cgroup_path;
	if (!path)
		return 0;
	if (cgroup_check_writable(creation->layout, path, err) < 0)
		return -1;
	if (creation->options->lxc_monitor && check_monitor_cgroup(creation, err) < 0)
		return -1;
	/* Whoever joins stops there, and with it who waits for it. */
	if (cgroup_parent_is_frozen(creation->layout, path, &frozen, err) < 0)
		return -1;
	if (frozen)
		return error_set(err,
				 "linux.cgroupsPath: \"%s\": container's cgroup unexpectedly "
				 "frozen: a cgroup above it is",
				 path);
	if (cgroup_probe(creation->layout, path, &exists, &in_use, err) < 0)
		return -1;
	/* MUST be an error, by the specification ("control groups"): whoever deletes one container
	 * must not end another, nor limit it. */
	if (in_use)
		return error_set(
		    err,
		    "linux.cgroupsPath: container's cgroup is not empty: other processes "
		    "are in \"%s\"",
		    path);
	cgroup_fill_cpusets(creation->layout, path);
	if (!exists)
		return 0;
	/* LXC makes the container's cgroups and takes none that are there. */
	if (asprintf(&beside, "%.*s/%s", (int)(strrchr(path, '/') - path), path, creation->tag) < 0)
		return error_errno(err, ENOMEM, "Failed to name a cgroup");
	return creation_record_beside(creation, beside, err) < 0 ||
		       cgroup_check_unlimited(creation->layout, path, beside,
					      &creation->spec->linux_.resources, err) < 0
		   ? -1
		   : cgroup_remove(creation->layout, path, err);
}

/* ---- what init asks for ---- */

static int give_cgroups(void *data, int *fds, size_t *count, struct error *err)
{
	return creation_open_cgroups(data, fds, count, err);
}

static int take_terminal(void *data, int master, struct error *err)
{
	struct creation *creation = data;
	cleanup_close int fd = master;

	if (!creation->options->console_socket || creation->scaffold) {
		/* Before the program can ask for it. */
		if (!creation->options->embedded && !creation->scaffold)
			console_copy_size(0, fd);
		creation->terminal = fd_take(&fd);
		return 0;
	}
	return console_socket_send(creation->options->console_socket, fd, "/dev/ptmx", err) < 0
		   ? error_prefix(err, "--console-socket")
		   : 0;
}

static int take_listener(void *data, int listener, struct error *err)
{
	const struct creation *creation = data;
	const struct state *state = creation->container.state;

	return seccomp_agent_tell(&(struct seccomp_process){.spec = creation->spec,
							    .state = state,
							    .status = DRIVER_CREATED,
							    .pid = state->pid,
							    .pidfd = creation->pidfd},
				  listener, err);
}

/* ---- the start itself ---- */

/* The end of the monitor, unless it is kept. */
static int settle_monitor(struct creation *creation, struct error *err)
{
	if (creation->options->lxc_monitor)
		return 0;
	trace_step("reap LXC's monitor");
	lxc_hand_over(&creation->monitor);
	trace_step("remove the monitor's cgroup");
	return creation->container.state->monitor_cgroup
		   ? cgroup_remove(creation->layout, creation->container.state->monitor_cgroup, err)
		   : 0;
}

/* A monitor that isn't kept makes no cgroup, though LXC believes so (monitor/cgroups.h); whatever
 * another LXC does, whoever deletes the container makes sure that it is gone. */
static void forget_monitor_cgroup(struct creation *creation)
{
	struct state *state = creation->container.state;

	if (state->monitor_cgroup && !creation->options->lxc_monitor &&
	    !cgroup_exists(creation->layout, state->monitor_cgroup))
		free(PTR_TAKE(state->monitor_cgroup));
}

/* Whatever LXC does in another version. Ours is held open, so that no other has its number. */
static int check_network(struct creation *creation, pid_t pid, struct error *err)
{
	cleanup_close int ours = fd_take(&creation->network);
	struct stat expected, found;
	char path[64];

	if (ours < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (fstat(ours, &expected) < 0 || stat(path, &found) < 0)
		return error_errno(err, errno, "The container's init is gone");
	return found.st_dev == expected.st_dev && found.st_ino == expected.st_ino
		   ? 0
		   : error_set(err, "linux.namespaces: the container is not in its network "
				    "namespace");
}

/* What must be done from outside before the program may run. */
static int prepare_start(struct creation *creation, pid_t pid, struct error *err)
{
	const struct driver_create_options *options = creation->options;

	trace_step("limits from outside");
	/* The hand-over: from here on init is a child of the nearest subreaper. The monitor dies on
	 * another processor while we go on; it is reaped in settle_monitor(). */
	if (!options->lxc_monitor)
		lxc_hand_over_begin(&creation->monitor);
	creation->pidfd = kernel_pidfd_open(pid);
	if (creation->pidfd < 0)
		return error_errno(err, errno, "The container's init is gone");
	creation_note_process(creation, pid);
	/* Whatever LXC does in another version: what was asked for is done. */
	if (creation->container.state->cgroup_path &&
	    cgroup_check_made(creation->layout, creation->container.state->cgroup_path, err) < 0)
		return -1;
	if (check_network(creation, pid, err) < 0)
		return -1;
	if (creation_waits_at_pivot(creation) && !creation->pivot_done)
		return error_set(
		    err,
		    "hooks, linux.netDevices, linux.intelRdt, --systemd-cgroup: this version of "
		    "LXC did not come by the place where they are done");
	/* Before the scheduler: SCHED_DEADLINE takes a process that may be anywhere. */
	if (affinity_reset(pid, err) < 0 ||
	    rootless_apply_from_outside(&creation->spec->process, pid, creation->pidfd, err) < 0)
		return -1;
	if (creation->made_proc && creation_remove_proc(creation) < 0)
		log_warning(creation->driver->log,
			    "The directory \"proc\" made in the root stays there");
	creation->made_proc = false;
	lxc_rights_release(&creation->rights);
	creation_warn_of_cgroups(creation);
	if (lxc_network_after_start(creation->spec, creation->lxc_text, err) < 0)
		return -1;
	if (options->pidfd_socket &&
	    console_socket_send(options->pidfd_socket, creation->pidfd, "pidfd", err) < 0)
		return error_prefix(err, "--pidfd-socket");
	if (options->embedded && options->embedded->started)
		options->embedded->started(options->embedded->data, pid);
	return 0;
}

static int keep_monitor(struct creation *creation, struct error *err)
{
	const struct state *state = creation->container.state;
	cleanup_close int oom_file = cgroup_oom_file(creation->layout, state->cgroup_path);

	return lxc_monitor_keep(&creation->monitor, state->pid, oom_file, err);
}

/* It is made findable; only then it is told to go on: a program that runs is in the record of it,
 * whenever we are killed. */
static int settle(struct creation *creation, struct error *err)
{
	const struct driver_create_options *options = creation->options;
	struct container *container = &creation->container;

	trace_step("record the container, tell init to go on");
	forget_monitor_cgroup(creation);
	container->state->created_only = !creation->start_at_once;
	if (!options->lxc_monitor)
		container->state->monitor_pid = 0;
	if (state_write(&container->dir, container->state, err) < 0)
		return -1;
	if (options->pid_file && pid_file_write(options->pid_file, container->state->pid, err) < 0)
		return -1;
	if (options->lxc_monitor && keep_monitor(creation, err) < 0)
		return -1;
	if (process_sync_send(creation->sync, creation->start_at_once ? SYNC_START : SYNC_COMMIT,
			      err) < 0)
		return -1;
	return settle_monitor(creation, err);
}

void creation_undo(struct creation *creation)
{
	struct error ignored = ERROR_INIT;

	trace_step("undo");
	creation_release_scope(creation);
	creation->monitor.kept = false;
	/* Closed first: an init that waits for its commit ends by that alone. */
	fd_close(fd_take(&creation->sync));
	/* While their namespace, of which a descriptor is held, is still there. */
	if (creation->net_devices)
		net_devices_return(creation->net_devices);
	lxc_hand_over(&creation->monitor);
	if (creation->made_proc)
		creation_remove_proc(creation);
	lxc_rights_release(&creation->rights);
	creation_put_back_resctrl(creation);
	if (creation->container.state && creation->layout) {
		if (container_destroy(creation->driver, &creation->container, creation->layout,
				      &ignored) < 0)
			log_warning(creation->driver->log, "While undoing: %s",
				    error_text(&ignored));
		/* Its hooks have begun, so the lifecycle goes on at its steps 12 and 13. */
		if (creation->container.state->pid)
			creation_poststop(creation);
	} else if (creation->container.dir.dir >= 0) {
		state_dir_remove(creation->container.root, creation->id, &creation->container.dir,
				 &ignored);
	}
	error_clear(&ignored);
}

/* What it says is of no use any more; but who embeds us is to reap it, and so has to know it. */
static void hear_init(struct creation *creation)
{
	const struct sync_handler nobody = {.log = creation->driver->log};
	struct error ignored = ERROR_INIT;

	if (process_sync_wait_ready(&creation->sync, &nobody, &creation->init, &ignored) < 0 &&
	    ignored.errnum == ECONNRESET)
		lxc_monitor_wait(&creation->monitor);
	error_clear(&ignored);
}

static int bring_up(struct creation *creation, struct error *err)
{
	const struct sync_handler handler = {.cgroups = give_cgroups,
					     .terminal = take_terminal,
					     .pivot = creation_at_pivot,
					     .listener = take_listener,
					     .data = creation,
					     .log = creation->driver->log};

	trace_step("place and record the container");
	/* Nothing is recorded, and so nothing undone, before it is clear that it isn't somebody
	 * else's. */
	if (lxc_rights_check(creation->spec, err) < 0 ||
	    seccomp_agent_check(creation->spec, creation->bundle, err) < 0 ||
	    creation_place_resctrl(creation, err) < 0 || prepare_cgroup(creation, err) < 0 ||
	    creation_record(creation, err) < 0 ||
	    (creation->scaffold && scaffold_check(creation, err) < 0) ||
	    creation_make_resctrl(creation, err) < 0 ||
	    (creation->systemd && creation_start_scope(creation, err) < 0) ||
	    creation_spawn(creation, err) < 0)
		return -1;
	/* LXC works; so do we. */
	trace_step("keep config.json and config.lxc");
	if (creation_keep_configs(creation, err) < 0) {
		hear_init(creation);
		return -1;
	}
	trace_step("wait for init");
	if (process_sync_wait_ready(&creation->sync, &handler, &creation->init, err) < 0) {
		/* init never came up, so LXC knows why. */
		if (err->errnum == ECONNRESET) {
			lxc_monitor_wait(&creation->monitor);
			/* It undid what it had made, or has left some of it. Otherwise a cgroup
			 * that is there isn't ours: another create may have made it in the
			 * meantime. A scope is systemd's. */
			if (!creation->systemd && !creation->monitor.left_cgroups)
				free(PTR_TAKE(creation->container.state->cgroup_path));
			lxc_error_from_log(&creation->monitor, creation->spec, err);
			cgroup_name_limit(creation->layout, &creation->spec->linux_.resources, err);
		}
		return -1;
	}
	if (creation->scaffold) {
		fd_close(fd_take(&creation->network));
		return scaffold_leave_cgroups(creation, err);
	}
	if (prepare_start(creation, creation->init, err) < 0 || settle(creation, err) < 0)
		return -1;
	trace_step("wait until the program runs");
	return creation->start_at_once
		   ? process_sync_wait_executed(creation->sync, creation->pidfd, &handler, err)
		   : 0;
}

/* Whatever names a field says also which document it is in. */
static void name_document(const struct creation *creation, struct error *err)
{
	static const char *const fields[] = {"mounts[", "linux.",    "process.",    "root.",
					     "hooks.",	"hostname:", "domainname:", "annotations:"};
	const char *name = creation->spec ? creation->spec->name : NULL;
	size_t i, length = name ? strlen(name) : 0;

	/* It may be called like one. */
	if (!name ||
	    (strncmp(error_text(err), name, length) == 0 && error_text(err)[length] == ':'))
		return;
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (strncmp(error_text(err), fields[i], strlen(fields[i])) == 0) {
			error_prefix(err, "%s", name);
			return;
		}
}

/* A name that no container has, nor another start: not in this process, whose threads may start
 * several at once, nor in another pid namespace that shares our cgroups. */
static void make_tag(struct creation *creation)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint32_t)(uintptr_t)creation;
	snprintf(creation->tag, sizeof(creation->tag), "runlxc-%d-%08x", (int)gettid(), random);
}

/* Whether others are in the pid namespace, to whom LXC's child is a process like any other. */
static bool is_seen_by_others(const struct spec *spec)
{
	const struct spec_namespace *pid = &spec->linux_.namespaces[SPEC_NS_PID];

	return !pid->listed || pid->path;
}

static int make(struct creation *creation, const struct driver *driver, const char *id,
		const struct driver_create_options *options, struct error *err)
{
	int lowest, result;

	creation->driver = driver;
	creation->options = options;
	creation->id = id;
	make_tag(creation);
	trace_step("spawn LXC's monitor");
	if (state_id_check(id, err) < 0 ||
	    kernel_check_for_containers(!options->no_new_keyring, err) < 0 ||
	    streams_preserve(options->preserve_fds, !options->embedded, &creation->preserve, err) <
		0)
		return -1;
	lowest = 3 + creation->preserve;
	/* One that stays takes the less memory, and must not change with the command's file. */
	if ((options->lxc_monitor ? lxc_monitor_spawn : lxc_monitor_fork)(&creation->monitor, id,
									  lowest, err) < 0)
		return -1;
	trace_step("read and check config.json");
	if (creation_read_config(creation, err) < 0 ||
	    creation_check_terminal(creation,
				    creation->start_at_once && !creation->detached &&
					!options->console_socket,
				    err) < 0 ||
	    creation_open_rootfs(creation, err) < 0) {
		name_document(creation, err);
		return -1;
	}
	if (is_seen_by_others(creation->spec) &&
	    lxc_monitor_unfork(&creation->monitor, id, lowest, err) < 0)
		return -1;
	creation->layout = cgroup_detect(err);
	if (!creation->layout)
		return -1;
	trace_step("make the container's directory");
	creation->container.root = state_root_open(driver->root, true, err);
	if (creation->container.root < 0 ||
	    state_dir_create(creation->container.root, id, &creation->container.dir, err) < 0)
		return -1;

	result = creation->scaffold ? scaffold_bring_up(creation, bring_up, err)
				    : bring_up(creation, err);
	if (driver->debug)
		lxc_log_forward(&creation->monitor, driver->log);
	if (result < 0) {
		name_document(creation, err);
		creation_undo(creation);
	}
	return result;
}

int creation_run(struct creation *creation, const struct driver *driver, const char *id,
		 const struct driver_create_options *options, bool start_at_once, struct error *err)
{
	*creation = (struct creation)CREATION_INIT;
	creation->start_at_once = start_at_once;
	return make(creation, driver, id, options, err);
}

int creation_run_detached(struct creation *creation, const struct driver *driver, const char *id,
			  const struct driver_create_options *options, struct error *err)
{
	*creation = (struct creation)CREATION_INIT;
	creation->start_at_once = creation->detached = true;
	return make(creation, driver, id, options, err);
}

int creation_scaffold(struct creation *creation, const struct driver *driver, const char *id,
		      const struct driver_create_options *options, bool detached, struct error *err)
{
	*creation = (struct creation)CREATION_INIT;
	creation->start_at_once = true;
	creation->scaffold = true;
	creation->detached = detached;
	return make(creation, driver, id, options, err);
}

void creation_free(struct creation *creation)
{
	free(creation->bundle);
	free(creation->cgroup_path);
	free(creation->cgroup_base);
	creation_release_scope(creation);
	systemd_close(creation->systemd);
	systemd_place_free(&creation->place);
	free(creation->config_text);
	free(creation->lxc_text);
	free(creation->rootfs);
	spec_free(creation->spec);
	container_close(&creation->container);
	cgroup_layout_free(creation->layout);
	cgroup_layout_free(creation->shown);
	lxc_rights_release(&creation->rights);
	lxc_monitor_close(&creation->monitor);
	net_devices_free(creation->net_devices);
	creation_free_resctrl(&creation->resctrl);
	fd_close(creation->rootfs_fd);
	fd_close(creation->sync);
	fd_close(creation->terminal);
	fd_close(creation->pidfd);
	fd_close(creation->network);
}
