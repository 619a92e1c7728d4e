/* SPDX-License-Identifier: Apache-2.0 */
/* The child of an exec: its plan, and its way into the container's cgroups. */
#include "driver/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace.h"
#include "base/trace_file.h"
#include "process/sync.h"

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
	} else if ((child->moved >= 0 || affinity_before_join(process, 0, &err) == 0) &&
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

/* With --cgroup it isn't the container's own that the child is to end up in; and
 * execCPUAffinity.initial is for the time before it is in there. */
static pid_t fork_child(const struct execution *execution)
{
	const char *path = execution->container.state->cgroup_path;

	if (!path || execution->cgroups.chosen || execution->spec->process.cpu_affinity_initial)
		return fork();
	return cgroup_fork(execution->layout, path);
}

static int raise_fd(int *fd, int lowest)
{
	int moved = fd_duplicate(*fd, lowest);

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
	if (affinity_before_join(&execution->spec->process, execution->child, err) < 0 ||
	    container_attach(&execution->container, execution->child, err) < 0)
		return -1;
	return write(gate, &moved, 1) == 1 ? 0 : error_errno(err, errno, "Failed to fork");
}

int exec_spawn(struct execution *execution, struct error *err)
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
	child.pidfd = fd_duplicate(execution->pidfd, lowest);
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
