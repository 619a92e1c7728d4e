/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "hooks/wait.h"

static int join(int pidfd, uint32_t flags)
{
	if (flags && setns(pidfd, (int)flags) < 0)
		return -1;
	if (!(flags & CLONE_NEWUSER))
		return 0;
	/* A hook is the container's root there, as its init is. Where a user namespace holds a
	 * user's own ids alone, nobody can leave a group. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -1;
	return setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ? -1 : 0;
}

/*
 * As a user, whose rights over the container's namespaces are its user namespace's, and so must be
 * entered with that: a child joins them all, and one of its own, which is ours as well, is born in
 * them.
 */
static pid_t fork_through(const struct hooks_namespaces *namespaces)
{
	struct {
		pid_t pid;
		int error;
	} born = {-1, ECHILD};
	cleanup_close int reader = -1, writer = -1;
	int ends[2];
	pid_t first;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	reader = ends[0];
	writer = ends[1];
	first = fork();
	if (first < 0)
		return -1;
	if (first == 0) {
		if (join(namespaces->pidfd, namespaces->flags) == 0)
			born.pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (born.pid == 0)
			return 0;
		born.error = errno;
		_exit(write(writer, &born, sizeof(born)) == sizeof(born) ? 0 : 1);
	}
	close(fd_take(&writer));
	if (read(reader, &born, sizeof(born)) != sizeof(born))
		born.pid = -1;
	while (waitpid(first, NULL, 0) < 0 && errno == EINTR)
		continue;
	errno = born.error;
	return born.pid;
}

static bool is_born_inside(const struct hooks_namespaces *namespaces)
{
	return geteuid() != 0 && namespaces->flags & CLONE_NEWUSER;
}

/* All at once, but for the pid namespace, which a child has from its birth. */
static int join_the_rest(const struct hooks_namespaces *namespaces)
{
	return join(namespaces->pidfd, namespaces->flags & ~(uint32_t)CLONE_NEWPID);
}

/* A fork whose child is in the pid namespace. Which one children get is the calling thread's alone,
 * and is put back. */
static pid_t fork_into(const struct hooks_namespaces *namespaces)
{
	cleanup_close int own = -1;
	pid_t pid;

	if (namespaces && is_born_inside(namespaces))
		return fork_through(namespaces);
	if (!namespaces || !(namespaces->flags & CLONE_NEWPID))
		return fork();
	own = open("/proc/thread-self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(namespaces->pidfd, CLONE_NEWPID) < 0)
		return -1;
	pid = fork();
	if (pid != 0 && setns(own, CLONE_NEWPID) < 0) {
		if (pid > 0)
			kill(pid, SIGKILL);
		return -1;
	}
	return pid;
}

_Noreturn static void hook_main(const struct spec_hook *hook, int input, int output, int report,
				const char *directory, const struct hooks_namespaces *namespaces)
{
	char *no_environment[] = {NULL},
	     **given = hook->env.count ? hook->env.items : no_environment;
	char *path_only[] = {hook->path, NULL};
	int error;

	/* The hook is the engine's program, not ours: default signals, no descriptor of ours. */
	kernel_reset_signals();
	if ((!namespaces || join_the_rest(namespaces) == 0) && dup2(input, 0) >= 0 &&
	    dup2(output, 1) >= 0 && dup2(output, 2) >= 0 &&
	    kernel_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	    (!directory || chdir(directory) == 0))
		execve(hook->path, hook->args.count ? hook->args.items : path_only,
		       hook->inherits_env ? environ : given);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Where one of our streams is closed its number is the next file's, and dup2() onto itself would
 * leave it closed on exec. */
static void raise_above_streams(int *fd)
{
	int raised = *fd >= 0 && *fd < 3 ? fcntl(*fd, F_DUPFD_CLOEXEC, 3) : *fd;

	if (raised != *fd)
		fd_close(*fd);
	*fd = raised;
}

/* The state goes in by a memfd: a hook that doesn't read it can't block us, nor SIGPIPE us. */
static int state_input(const char *state, struct error *err)
{
	cleanup_close int fd = kernel_memfd_create("runlxc-state", MFD_CLOEXEC);

	raise_above_streams(&fd);
	if (fd < 0 || path_write_all(fd, state, strlen(state)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "Failed to pass the container's state");
	return fd_take(&fd);
}

/* The last of what the hook said, as a part of one line. */
static void add_output(int output, struct error *err)
{
	char text[512], *line;
	off_t end = lseek(output, 0, SEEK_END);
	ssize_t got = pread(output, text, sizeof(text) - 1, end > 511 ? end - 511 : 0);

	while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == ' '))
		got--;
	if (got <= 0)
		return;
	text[got] = '\0';
	for (line = text; *line; line++)
		if ((unsigned char)*line < ' ')
			*line = ' ';
	line = err->message ? strdup(err->message) : NULL;
	if (line)
		error_set(err, "%s: %s", line, text);
	free(line);
}

static int run_one(const struct spec_hook *hook, const char *state, const char *directory,
		   const struct hooks_namespaces *namespaces, struct error *err)
{
	cleanup_close int input = -1, output = -1, reader = -1, writer = -1;
	int report[2], status = 0, error = 0, over;
	bool inside;
	pid_t pid;

	input = state_input(state, err);
	if (input < 0)
		return -1;
	/* Not our own streams: what a hook leaves running must not keep an engine's pipes open. */
	output = kernel_memfd_create("runlxc-hook", MFD_CLOEXEC);
	raise_above_streams(&output);
	if (output < 0)
		return error_errno(err, errno, "Failed to make a memfd");
	if (pipe2(report, O_CLOEXEC) < 0)
		return error_errno(err, errno, "Failed to make a pipe");
	reader = report[0];
	writer = report[1];
	raise_above_streams(&writer);
	inside = namespaces && is_born_inside(namespaces);
	pid = fork_into(namespaces);
	if (pid < 0)
		return error_errno(err, errno, "Failed to fork");
	if (pid == 0)
		hook_main(hook, input, output, writer, directory, inside ? NULL : namespaces);
	close(fd_take(&writer));
	/* Closed by the exec: then nothing comes. */
	if (read(reader, &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	over = hook_wait(pid, hook->timeout.set ? hook->timeout.value : -1, &status);
	if (error)
		return error_errno(err, error, "Failed to execute \"%s\"", hook->path);
	if (over)
		error_set(err, "\"%s\" did not end within %lld seconds", hook->path,
			  (long long)hook->timeout.value);
	else if (WIFSIGNALED(status))
		error_set(err, "\"%s\" was ended by signal %d (%s)", hook->path, WTERMSIG(status),
			  hook_signal_text(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		error_set(err, "\"%s\" exited with status %d", hook->path, WEXITSTATUS(status));
	else
		return 0;
	add_output(output, err);
	return -1;
}

/* Behind the field runc's words, which people look for. */
static int add_name(enum spec_hook_kind kind, size_t number, struct error *err)
{
	const char *name = spec_hook_name(kind);

	return error_prefix(err, "hooks.%s[%zu]: error running %s hook #%zu", name, number, name,
			    number);
}

int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const char *state,
	      const char *directory, const struct hooks_namespaces *namespaces, struct error *err)
{
	const struct spec_hooks *hooks = &spec->hooks[kind];
	size_t i;

	for (i = 0; i < hooks->count; i++)
		if (run_one(&hooks->items[i], state, directory, namespaces, err) < 0)
			return add_name(kind, i, err);
	return 0;
}

void hooks_run_poststop(const struct spec *spec, const char *state, const char *directory,
			const struct log *log)
{
	const struct spec_hooks *hooks = &spec->hooks[SPEC_HOOK_POSTSTOP];
	struct error err = ERROR_INIT;
	size_t i;

	for (i = 0; i < hooks->count; i++) {
		if (run_one(&hooks->items[i], state, directory, NULL, &err) < 0) {
			add_name(SPEC_HOOK_POSTSTOP, i, &err);
			log_warning(log, "%s", error_text(&err));
		}
		error_clear(&err);
	}
}
