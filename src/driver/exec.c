/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more process in a container. A forked child enters the container's cgroups and executes init
 * from a sealed memfd; init joins the namespaces by pidfd and becomes the process (init/join.c).
 */
#include "driver/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/kernel_check.h"
#include "base/trace.h"
#include "console/console.h"
#include "process/sync.h"

static void execution_free(struct execution *execution)
{
	container_close(&execution->container);
	exec_cgroups_free(&execution->cgroups);
	container_close_resctrl(&execution->resctrl);
	cgroup_layout_free(execution->layout);
	spec_free(execution->spec);
	spec_free(execution->process_spec);
	fd_close(execution->pidfd);
	fd_close(execution->sync);
	fd_close(execution->terminal);
}

/* ---- where to run it ---- */

/* Whoever joins a cgroup below a frozen one stops there, and with it who waits for it. */
static int check_above(const struct execution *execution, struct error *err)
{
	const char *path = execution->container.state->cgroup_path;
	bool frozen = false;

	if (!path || execution->options->ignore_paused)
		return 0;
	if (cgroup_parent_is_frozen(execution->layout, path, &frozen, err) < 0)
		return -1;
	return frozen
		   ? error_set(err, "cannot exec in a paused container: a cgroup above its own is "
				    "frozen (use --ignore-paused to override)")
		   : 0;
}

static int check_status(struct execution *execution, struct error *err)
{
	execution->status = container_status(&execution->container, execution->layout);
	switch (execution->status) {
	case DRIVER_CREATING:
	case DRIVER_STOPPED:
		return error_set(err, "cannot exec in a stopped container");
	case DRIVER_PAUSED:
		if (!execution->options->ignore_paused)
			return error_set(
			    err,
			    "cannot exec in a paused container (use --ignore-paused to override)");
		return 0;
	default:
		return check_above(execution, err);
	}
}

static int take_terminal(void *data, int master, struct error *err)
{
	struct execution *execution = data;
	cleanup_close int fd = master;

	if (!execution->options->console_socket) {
		if (!execution->options->embedded)
			console_copy_size(0, fd);
		execution->terminal = fd_take(&fd);
		return 0;
	}
	return console_socket_send(execution->options->console_socket, fd, "/dev/ptmx", err) < 0
		   ? error_prefix(err, "--console-socket")
		   : 0;
}

static int take_listener(void *data, int listener, struct error *err)
{
	const struct execution *execution = data;

	return seccomp_agent_tell(&(struct seccomp_process){.spec = execution->spec,
							    .state = execution->container.state,
							    .status = execution->status,
							    .pid = execution->pid,
							    .pidfd = execution->process_pidfd},
				  listener, err);
}

static void reap(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Until the program runs. */
static int bring_up(struct execution *execution, int *pidfd, struct error *err)
{
	const struct driver_exec_options *options = execution->options;
	const struct sync_handler handler = {.terminal = take_terminal,
					     .listener = take_listener,
					     .data = execution,
					     .log = execution->driver->log};

	trace_step("wait for init");
	if (process_sync_wait_ready(&execution->sync, &handler, &execution->pid, err) < 0) {
		if (!err->exit_code)
			err->exit_code = 255;
		return -1;
	}
	/* The child ends once it has forked the process; without a pid namespace to join it is the
	 * process. */
	if (execution->child != execution->pid) {
		reap(execution->child);
		execution->child = 0;
	}
	trace_step("limits from outside");
	*pidfd = kernel_pidfd_open(execution->pid);
	if (*pidfd < 0)
		return error_errno(err, errno, "The process is gone");
	execution->process_pidfd = *pidfd;
	if (rootless_apply_from_outside(&execution->spec->process, execution->pid, execution->pidfd,
					err) < 0)
		return -1;
	if (options->pidfd_socket &&
	    console_socket_send(options->pidfd_socket, *pidfd, "pidfd", err) < 0)
		return error_prefix(err, "--pidfd-socket");
	if (options->pid_file && pid_file_write(options->pid_file, execution->pid, err) < 0)
		return -1;
	if (options->embedded && options->embedded->started)
		options->embedded->started(options->embedded->data, execution->pid);
	trace_step("start: wait until the program runs");
	if (process_sync_send(execution->sync, SYNC_START, err) < 0)
		return -1;
	return process_sync_wait_executed(execution->sync, *pidfd, &handler, err);
}

static int execute(struct execution *execution, int *pidfd, struct error *err)
{
	if (exec_spawn(execution, err) < 0) {
		reap(execution->child);
		return -1;
	}
	if (bring_up(execution, pidfd, err) == 0)
		return 0;
	/* Without its commit init ends by itself; both are ours to reap. */
	fd_close(fd_take(&execution->sync));
	if (*pidfd >= 0)
		kernel_pidfd_send_signal(*pidfd, SIGKILL);
	if (execution->pid != execution->child)
		reap(execution->pid);
	reap(execution->child);
	return -1;
}

static int prepare(struct execution *execution, const char *id, struct error *err)
{
	if (container_open(execution->driver, id, false, &execution->container, err) < 0)
		return -1;
	if (kernel_check_for_containers(!execution->container.state->no_new_keyring, err) < 0)
		return -1;
	execution->layout = cgroup_detect(err);
	if (!execution->layout || check_status(execution, err) < 0)
		return -1;
	execution->pidfd = container_pidfd(execution->container.state, err);
	if (execution->pidfd < 0)
		return error_set(err, "cannot exec in a stopped container");
	if (exec_read_process(execution, err) < 0 ||
	    container_open_resctrl(execution->container.state, &execution->resctrl, err) < 0)
		return -1;
	return exec_cgroups_choose(&execution->cgroups, &execution->container, execution->layout,
				   execution->options->cgroups, err);
}

/* Whatever could not be found of a container that has ended meanwhile: that is the reason. A
 * process that ends is out of its namespaces first of all. */
static bool has_ended(const struct execution *execution, const struct error *err)
{
	/* Our init was killed, so its end may not be far. */
	int timeout_ms = err->errnum == ECONNRESET ? 500 : 0;
	struct pollfd event = {.fd = execution->pidfd, .events = POLLIN};
	char path[64];
	struct stat st;

	if (execution->pidfd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)execution->container.state->pid);
	return (stat(path, &st) < 0 && errno == ENOENT) || poll(&event, 1, timeout_ms) == 1;
}

int exec_start(const struct driver *driver, const char *id,
	       const struct driver_exec_options *options, struct exec_started *started,
	       struct error *err)
{
	struct execution execution = {.driver = driver,
				      .options = options,
				      .container = CONTAINER_INIT,
				      .resctrl = CONTAINER_RESCTRL_INIT,
				      .pidfd = -1,
				      .sync = -1,
				      .terminal = -1};
	cleanup_close int pidfd = -1;
	int result = prepare(&execution, id, err);

	if (result == 0)
		result = execute(&execution, &pidfd, err);
	if (result < 0 && has_ended(&execution, err))
		error_set(err, "cannot exec in a stopped container");
	if (result == 0)
		*started = (struct exec_started){.pid = execution.pid,
						 .pidfd = fd_take(&pidfd),
						 .terminal = fd_take(&execution.terminal)};
	/* Nothing of the container's is held while the process runs. */
	execution_free(&execution);
	return result;
}

void exec_started_close(struct exec_started *started)
{
	fd_close(fd_take(&started->pidfd));
	fd_close(fd_take(&started->terminal));
}

static int attend(const struct exec_started *started, int *exit_status, struct error *err)
{
	const struct console_session session = {.pid = started->pid,
						.pidfd = started->pidfd,
						.terminal = started->terminal,
						.input = started->terminal >= 0 ? 0 : -1,
						.output = 1,
						.forward_signals = true};
	int status = 0;

	trace_step("the program runs");
	if (console_session_run(&session, &status, err) < 0)
		return -1;
	*exit_status = driver_exit_status(status);
	return 0;
}

int driver_exec(const struct driver *driver, const char *id,
		const struct driver_exec_options *options, int *exit_status, struct error *err)
{
	struct exec_started started = EXEC_STARTED_INIT;
	struct console_signals *signals = NULL;
	int result;

	*exit_status = 0;
	if (!options->detach) {
		signals = console_signals_block(err);
		if (!signals)
			return -1;
	}
	result = exec_start(driver, id, options, &started, err);
	if (result == 0 && !options->detach)
		result = attend(&started, exit_status, err);
	exec_started_close(&started);
	if (signals)
		console_signals_restore(signals);
	return result;
}
