/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more process in a container. A forked child enters the container's cgroups and executes init
 * from a sealed memfd; init joins the namespaces by pidfd and becomes the process (init/join.c).
 */
#include "driver/exec_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "base/trace_file.h"
#include "base/kernel_check.h"
#include "console/console.h"
#include "process/sync.h"

struct execution {
	const struct driver *driver;
	const struct driver_exec_options *options;
	struct container container;
	struct cgroup_layout *layout;
	struct spec *spec;	     /* the container's; its .process is the one to run */
	struct spec *process_spec;   /* where --process was read from */
	struct exec_cgroups cgroups; /* in these hierarchies of `layout` */
	struct container_resctrl resctrl;
	int pidfd; /* of the container's first process */
	int sync, terminal;
	pid_t child; /* what we forked; init's fork is our child, too */
	pid_t pid;   /* the process */
	int process_pidfd;
	enum driver_status status; /* of the container */
};

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

/* ---- what to run ---- */

static int append(struct arena *arena, struct spec_strings *list, char *const *more)
{
	size_t count = 0, i;
	char **items;

	while (more && more[count])
		count++;
	if (!count)
		return 0;
	items = arena_alloc(arena, list->count + count + 1, sizeof(*items));
	if (!items)
		return -1;
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	for (i = 0; i < count; i++) {
		items[list->count + i] = arena_strdup(arena, more[i]);
		if (!items[list->count + i])
			return -1;
	}
	list->items = items;
	list->count += count;
	return 0;
}

/* --env: a variable that is there already is changed in its place, as with setenv(3). */
static int set_variables(struct arena *arena, struct spec_strings *env, char *const *variables)
{
	for (; variables && *variables; variables++) {
		size_t length = strcspn(*variables, "="), i;
		char *const one[] = {*variables, NULL};

		for (i = 0; i < env->count; i++)
			if (strncmp(env->items[i], *variables, length) == 0 &&
			    env->items[i][length] == '=')
				break;
		if (i == env->count) {
			if (append(arena, env, one) < 0)
				return -1;
		} else {
			env->items[i] = arena_strdup(arena, *variables);
			if (!env->items[i])
				return -1;
		}
	}
	return 0;
}

static int apply_options(struct execution *execution, struct error *err)
{
	/* As runc: --cap adds to these sets. Not to those that a program it executes would get,
	 * whoever may have written that (CVE-2022-29162). */
	static const enum spec_capability_set sets[] = {SPEC_CAP_BOUNDING, SPEC_CAP_EFFECTIVE,
							SPEC_CAP_PERMITTED};
	const struct driver_exec_options *options = execution->options;
	struct spec_process *process = &execution->spec->process;
	struct arena *arena = &execution->spec->arena;
	size_t i;

	process->args = (struct spec_strings){0, NULL};
	process->terminal = options->tty;
	process->console_height = process->console_width = 0;
	if (append(arena, &process->args, options->args) < 0 ||
	    set_variables(arena, &process->env, options->env) < 0)
		return error_errno(err, ENOMEM, "Failed to make the process");
	if (options->cwd)
		process->cwd = arena_strdup(arena, options->cwd);
	if (options->user_set)
		process->user.uid = options->uid;
	if (options->gid_set)
		process->user.gid = options->gid;
	if (options->only_these_gids)
		process->user.additional_gids_count = 0;
	if (options->additional_gids_count) {
		struct spec_user *user = &process->user;
		uint32_t *gids =
		    arena_alloc(arena, user->additional_gids_count + options->additional_gids_count,
				sizeof(*gids));

		if (!gids)
			return error_errno(err, ENOMEM, "Failed to make the process");
		if (user->additional_gids_count)
			memcpy(gids, user->additional_gids,
			       user->additional_gids_count * sizeof(*gids));
		for (i = 0; i < options->additional_gids_count; i++)
			gids[user->additional_gids_count++] = options->additional_gids[i];
		user->additional_gids = gids;
	}
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (append(arena, &process->capabilities.sets[sets[i]], options->capabilities) < 0)
			return error_errno(err, ENOMEM, "Failed to make the process");
	if (options->no_new_privs)
		process->no_new_privileges = true;
	if (options->process_label)
		process->selinux_label = arena_strdup(arena, options->process_label);
	if (options->apparmor)
		process->apparmor_profile = arena_strdup(arena, options->apparmor);
	return 0;
}

static int read_process(struct execution *execution, struct error *err)
{
	const struct driver_exec_options *options = execution->options;

	execution->spec = container_spec(&execution->container, err);
	if (!execution->spec)
		return -1;
	if (options->process_file || options->process_text) {
		execution->process_spec =
		    options->process_file
			? spec_read_process_file(AT_FDCWD, options->process_file,
						 options->process_file, err)
			: spec_read_process_text(options->process_text,
						 strlen(options->process_text), "process", err);
		if (!execution->process_spec)
			return -1;
		execution->spec->process = execution->process_spec->process;
		if (options->tty)
			execution->spec->process.terminal = true;
	} else if (apply_options(execution, err) < 0) {
		return -1;
	}
	if (spec_validate_process(&execution->spec->process, err) < 0)
		return -1;
	if (execution->spec->process.terminal && options->detach && !options->console_socket)
		return error_set(
		    err, "cannot allocate tty if runlxc will detach without setting console "
			 "socket (--console-socket)");
	if (options->console_socket && (!execution->spec->process.terminal || !options->detach))
		return error_set(
		    err, "cannot use console socket if runlxc will not detach or allocate tty "
			 "(--console-socket)");
	return 0;
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

/* ---- the plan ---- */

static int make_plan(struct execution *execution, struct plan_buffer *plan, int preserve,
		     struct error *err)
{
	const struct spec *spec = execution->spec;
	uint32_t namespaces = 0, flags = PLAN_JOIN;

	if (process_compile(&spec->process, spec->linux_.namespaces[SPEC_NS_USER].listed,
			    execution->driver->log, plan, err) < 0)
		return -1;
	/* The container's filter is every process's (config-linux.md, "Seccomp"). */
	if (spec->linux_.seccomp.set &&
	    process_compile_seccomp(&spec->linux_.seccomp, execution->container.root,
				    execution->driver->log, plan, err) < 0)
		return -1;
	process_compile_memory_policy(&spec->linux_, plan);
	if (namespaces_not_ours(execution->container.state->pid, &namespaces, err) < 0)
		return -1;
	if (namespaces & CLONE_NEWUSER)
		flags |= PLAN_JOIN_USERNS;
	if (namespaces & (CLONE_NEWPID | CLONE_NEWTIME))
		flags |= PLAN_JOIN_PIDNS;
	if (spec->linux_.personality_domain) {
		flags |= PLAN_PERSONALITY;
		plan_head(plan)->personality =
		    strcmp(spec->linux_.personality_domain, "LINUX32") == 0 ? 0x0008 : 0;
	}
	if (!execution->container.state->no_new_keyring)
		flags |= PLAN_NEW_KEYRING;
	if (execution->driver->debug)
		flags |= PLAN_LOG_STEPS;
	plan_head(plan)->flags |= flags;
	plan_head(plan)->join_namespaces = namespaces;
	plan_head(plan)->preserve_fds = preserve;
	return 0;
}

/* ---- the child ---- */

#define MOVED 'm'

struct child {
	unsigned int lowest; /* descriptors below are the program's */
	int init_fd, plan_fd, init_sync, pidfd, trace;
	int streams[3];
	int moved; /* tells when systemd has moved the child, which can't do it; -1: it can */
};

_Noreturn static void child_main(const struct execution *execution, const struct child *child,
				 pid_t caller)
{
	const struct spec_process *process = &execution->spec->process;
	struct sync_error failure = {.type = SYNC_ERROR, .exit_code = 255};
	struct error err = ERROR_INIT;
	char number[16];
	char *const arguments[] = {(char *)"runlxc-init", number, NULL};
	char *const environment[] = {NULL};
	int keep[] = {child->plan_fd,	 child->init_sync,  child->pidfd,     child->trace,
		      child->streams[0], child->streams[1], child->streams[2]};
	size_t i;

	trace_child(TRACE_ENTERING);
	trace_step("enter the cgroups");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != caller)
		_exit(1);
	if (child->moved >= 0 && (read(child->moved, number, 1) != 1 || number[0] != MOVED))
		_exit(1);
	/* Still on the host, and still ourselves: the container's limits hold from its first
	 * instruction. */
	if (kernel_close_range(child->lowest, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
		error_errno(&err, errno,
			    "Failed to close the descriptors that are not the program's");
	} else if (affinity_before_join(process, &err) == 0 &&
		   exec_cgroups_join(&execution->cgroups, &err) == 0 &&
		   container_join_resctrl(&execution->resctrl, 0, &err) == 0 &&
		   affinity_after_join(process, &err) == 0) {
		trace_step("execute init");
		/* Whatever else the caller had open never gets into the container, where its number
		 * would be a path (CVE-2024-21626). */
		for (i = 0; i < ARRAY_SIZE(keep); i++)
			if (keep[i] >= 0)
				fcntl(keep[i], F_SETFD, 0);
		snprintf(number, sizeof(number), "%d", child->plan_fd);
		syscall(SYS_execveat, child->init_fd, "", arguments, environment, AT_EMPTY_PATH);
		error_errno(&err, errno, "Failed to execute init");
	}
	snprintf(failure.text, sizeof(failure.text), "%s", error_text(&err));
	if (write(child->init_sync, &failure,
		  offsetof(struct sync_error, text) + strlen(failure.text)) < 0)
		_exit(255);
	_exit(255);
}

/* With --cgroup it isn't the container's own that the child is to end up in. */
static pid_t fork_child(const struct execution *execution)
{
	const char *path = execution->container.state->cgroup_path;

	return path && !execution->cgroups.chosen ? cgroup_fork(execution->layout, path) : fork();
}

static int raise_fd(int *fd, int lowest)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, lowest);

	fd_close(*fd);
	*fd = moved;
	return moved < 0 ? -1 : 0;
}

static void child_close(struct child *child)
{
	fd_close(child->init_fd);
	fd_close(child->plan_fd);
	fd_close(child->init_sync);
	fd_close(child->pidfd);
	fd_close(child->trace);
	streams_close(child->streams);
	fd_close(child->moved);
}

/* A user who is outside of his systemd's cgroups may not put a process into one of its scopes: that
 * has to. */
static int open_gate(const struct execution *execution, struct child *child, int *gate,
		     struct error *err)
{
	int ends[2];

	if (!container_needs_attaching(&execution->container, execution->layout))
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "Failed to make a pipe");
	child->moved = ends[0];
	*gate = ends[1];
	return 0;
}

static int move_child(const struct execution *execution, int gate, struct error *err)
{
	const char moved = MOVED;

	if (gate < 0)
		return 0;
	if (container_attach(&execution->container, execution->child, err) < 0)
		return -1;
	return write(gate, &moved, 1) == 1 ? 0 : error_errno(err, errno, "Failed to fork");
}

static int spawn(struct execution *execution, struct error *err)
{
	const struct driver_exec_options *options = execution->options;
	struct child child = {0, -1, -1, -1, -1, -1, {-1, -1, -1}, -1};
	cleanup_close int gate = -1;
	cleanup_plan struct plan_buffer plan;
	int preserve = 0, lowest, i, result = -1;
	pid_t caller = getpid();

	plan_buffer_init(&plan);
	trace_step("compile the process plan");
	if (streams_preserve(options->preserve_fds, !options->embedded, &preserve, err) < 0 ||
	    (!options->embedded && streams_listen(execution->spec, err) < 0) ||
	    make_plan(execution, &plan, preserve, err) < 0)
		return -1;
	lowest = 3 + preserve;
	child.lowest = (unsigned int)lowest;
	child.pidfd = fcntl(execution->pidfd, F_DUPFD_CLOEXEC, lowest);
	if (child.pidfd < 0 ||
	    streams_dup(lowest, options->embedded ? options->embedded->streams : NULL,
			child.streams, err) < 0 ||
	    process_sync_pair(lowest, &execution->sync, &child.init_sync, err) < 0)
		goto out;
	for (i = 0; i < 3; i++)
		plan_head(&plan)->stdio_fd[i] = child.streams[i];
	plan_head(&plan)->sync_fd = child.init_sync;
	plan_head(&plan)->join_pidfd = child.pidfd;
	plan_head(&plan)->trace_fd = child.trace = trace_descriptor(lowest);
	child.plan_fd = process_plan_seal(&plan, err);
	child.init_fd = child.plan_fd < 0 ? -1 : process_init_open(err);
	if (child.init_fd < 0)
		goto out;
	if (raise_fd(&child.plan_fd, lowest) < 0 || raise_fd(&child.init_fd, lowest) < 0) {
		error_errno(err, errno, "Failed to duplicate a descriptor");
		goto out;
	}
	if (open_gate(execution, &child, &gate, err) < 0)
		goto out;
	trace_step("fork");
	execution->child = fork_child(execution);
	if (execution->child < 0) {
		error_errno(err, errno, "Failed to fork");
		goto out;
	}
	if (execution->child == 0) {
		fd_close(gate);
		child_main(execution, &child, caller);
	}
	trace_pid(TRACE_ENTERING, execution->child);
	result = move_child(execution, gate, err);
out:
	child_close(&child);
	return result;
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
	if (spawn(execution, err) < 0) {
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
	if (read_process(execution, err) < 0 ||
	    container_open_resctrl(execution->container.state, &execution->resctrl, err) < 0)
		return -1;
	return exec_cgroups_choose(&execution->cgroups, &execution->container, execution->layout,
				   execution->options->cgroups, err);
}

/* Whatever could not be found of a container that has ended meanwhile: that is the reason. A
 * process that ends is out of its namespaces first of all. */
static bool has_ended(const struct execution *execution)
{
	struct pollfd event = {.fd = execution->pidfd, .events = POLLIN};
	char path[64];
	struct stat st;

	if (execution->pidfd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)execution->container.state->pid);
	return (stat(path, &st) < 0 && errno == ENOENT) || poll(&event, 1, 0) == 1;
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
	if (result < 0 && has_ended(&execution))
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
