/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "base/trace_file.h"
#include "console/console.h"
#include "driver/memory_watch.h"
#include "hooks/hooks.h"

int creation_poststart(const struct creation *creation, struct error *err)
{
	cleanup_free char *json = NULL;

	if (!creation->spec->hooks[SPEC_HOOK_POSTSTART].count)
		return 0;
	json = container_state_json(creation->container.state, DRIVER_RUNNING, false, err);
	if (json &&
	    hooks_run(creation->spec, SPEC_HOOK_POSTSTART, json, creation->bundle, NULL, err) == 0)
		return 0;
	kernel_pidfd_send_signal(creation->pidfd, SIGKILL);
	return -1;
}

void creation_poststop(const struct creation *creation)
{
	struct error err = ERROR_INIT;
	cleanup_free char *json = NULL;

	if (!creation->spec->hooks[SPEC_HOOK_POSTSTOP].count)
		return;
	json = container_state_json(creation->container.state, DRIVER_STOPPED, false, &err);
	if (json)
		hooks_run_poststop(creation->spec, json, creation->bundle, creation->driver->log);
	else
		log_warning(creation->driver->log, "%s", error_text(&err));
	error_clear(&err);
}

static void record_exit(const struct creation *creation, int status)
{
	struct error ignored = ERROR_INIT;
	char text[32];

	snprintf(text, sizeof(text), "%d%s\n", status, creation->oom_killed ? " oom-killed" : "");
	if (state_file_write(&creation->container.dir, "exit", text, strlen(text), &ignored) < 0)
		error_clear(&ignored);
}

static bool look(void *data)
{
	struct memory_watch *memory = data;

	memory_watch_look(memory);
	return memory_watch_fd(memory) >= 0;
}

/* Stays until the container ends. The monitor, where it is kept, is our child and the container
 * its; it ends with the container's own status, as a number. */
static int stay(struct creation *creation, int *exit_status, struct error *err)
{
	struct memory_watch memory = {0};
	bool monitor = creation->options->lxc_monitor;
	cleanup_close int monitor_pidfd = monitor ? kernel_pidfd_open(creation->monitor.pid) : -1;
	struct console_session session = {
	    .pid = monitor ? creation->monitor.pid : creation->container.state->pid,
	    .pidfd = monitor ? monitor_pidfd : creation->pidfd,
	    .target_pidfd = creation->pidfd,
	    .terminal = creation->terminal,
	    .input = creation->terminal >= 0 ? 0 : -1,
	    .output = 1,
	    .forward_signals = true,
	};
	int status = 0, result;

	trace_step("the container runs");
	/* systemd removes the cgroup as soon as it is empty, and what it has counted with it. */
	if (creation->systemd) {
		memory_watch_open(&memory, creation->layout,
				  creation->container.state->cgroup_path);
		session.look = look;
		session.watched = memory_watch_fd(&memory);
		session.data = &memory;
	}
	/* Others may work on the container meanwhile; it is ours again when it has ended. */
	state_dir_unlock(&creation->container.dir);
	trace_write_others();
	result = console_session_run(&session, &status, err);
	creation->oom_killed = memory.killed;
	memory_watch_close(&memory);
	if (result < 0)
		return -1;
	/* Reaped by the session. */
	if (monitor)
		creation->monitor.pid = -1;
	*exit_status = driver_exit_status(status);
	return 0;
}

int creation_clean_up(struct creation *creation, bool keep, int exit_status, struct error *err)
{
	cleanup_container struct container again = CONTAINER_INIT;
	struct error ignored = ERROR_INIT;

	if (container_open(creation->driver, creation->id, true, &again, err) < 0) {
		bool gone = err->errnum == ENOENT;

		if (gone) {
			error_clear(err);
			return 0;
		}
		/* It can't be looked at anew; what we have of it serves as well. */
		container_destroy(creation->driver, &creation->container, creation->layout,
				  &ignored);
		error_clear(&ignored);
		return -1;
	}
	if (again.state->pid != creation->container.state->pid ||
	    again.state->pid_start != creation->container.state->pid_start)
		return 0; /* another one of the same name */
	if (keep) {
		/* As wait(2) would have it, for `wait`. */
		record_exit(creation, exit_status > 128 ? exit_status - 128 : exit_status << 8);
		return 0;
	}
	if (container_destroy(creation->driver, &again, creation->layout, err) < 0)
		return -1;
	creation_poststop(creation);
	return 0;
}

int creation_end(struct creation *creation, int stayed, bool keep, int exit_status,
		 struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (stayed == 0)
		return creation_clean_up(creation, keep, exit_status, err);
	kernel_pidfd_send_signal(creation->pidfd, SIGKILL);
	creation_clean_up(creation, false, 0, &ignored);
	error_clear(&ignored);
	return -1;
}

static int run_attached(struct creation *creation, const struct driver *driver, const char *id,
			const struct driver_run_options *options, int *exit_status,
			struct error *err)
{
	int result;

	if (creation_run(creation, driver, id, &options->create, true, err) < 0)
		return -1;
	result = creation_poststart(creation, err);
	if (result == 0) {
		result = stay(creation, exit_status, err);
	} else {
		/* Killed just now, and ours to reap. */
		waitpid(creation->container.state->pid, NULL, 0);
		state_dir_unlock(&creation->container.dir);
	}
	return creation_end(creation, result, options->keep, *exit_status, err);
}

int driver_run(const struct driver *driver, const char *id,
	       const struct driver_run_options *options, int *exit_status, struct error *err)
{
	cleanup_creation struct creation creation;
	struct console_signals *signals = NULL;
	int result;

	*exit_status = 0;
	if (options->detach) {
		result = creation_run_detached(&creation, driver, id, &options->create, err);
		if (result == 0)
			result = creation_poststart(&creation, err);
		return result;
	}
	/* Before there is a child: no signal for it is lost, and it is handed over to nobody but
	 * us. */
	signals = console_signals_block(err);
	if (!signals) {
		creation = (struct creation)CREATION_INIT;
		return -1;
	}
	subreaper_enter();
	result = run_attached(&creation, driver, id, options, exit_status, err);
	subreaper_leave();
	console_signals_restore(signals);
	return result;
}
