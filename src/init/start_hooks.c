/* SPDX-License-Identifier: Apache-2.0 */
/*
 * startContainer hooks (config.md, "POSIX-platform Hooks"): programs of the container's, which run
 * in it after `start` and before the program, as what the program is going to be: its user,
 * capabilities and seccomp filter are in force by then, as with runc.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/kernel.h"
#include "hooks/wait.h"

/* As the hooks on the host are told of: runc's words, which people look for. */
#define PREFIX "hooks.startContainer[%u]: error running startContainer hook #%u: "

/* A list of the plan's as argv or envp. */
static char **strings(const struct plan *plan, struct plan_list list)
{
	const plan_string *items = plan_items(plan, list);
	char **texts = calloc(list.count + 1, sizeof(*texts));
	uint32_t i;

	for (i = 0; texts && i < list.count; i++)
		texts[i] = (char *)plan_text(plan, items[i]);
	return texts;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t done;

	while (left) {
		done = write(fd, text, left);
		if (done < 0)
			return -1;
		text += done;
		left -= (size_t)done;
	}
	return 0;
}

/* The state document, in memory: a hook that doesn't read it blocks nobody. */
static int state_input(struct init *init)
{
	const struct plan *plan = init->plan;
	int fd = kernel_memfd_create("runlxc-state", MFD_CLOEXEC);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (fd < 0 || write_all(fd, plan_text(plan, plan->state_head)) < 0 ||
	    write_all(fd, pid) < 0 || write_all(fd, plan_text(plan, plan->state_tail)) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		report_failure(init, 0, errno, "hooks.startContainer: Failed to pass the state");
	return fd;
}

static void run_hook(struct init *init, const struct plan_hook *hook, uint32_t number,
		     char *const *environment)
{
	const struct plan *plan = init->plan;
	const char *path = plan_text(plan, hook->path);
	char **args = strings(plan, hook->args), **env = strings(plan, hook->env);
	char *path_only[] = {(char *)path, NULL};
	int input = state_input(init), output = open("/dev/null", O_RDWR | O_CLOEXEC);
	int report[2], status = 0, error = 0, over;
	pid_t pid;

	if (!args || !env || pipe2(report, O_CLOEXEC) < 0)
		report_failure(init, 0, errno, PREFIX "Failed to prepare it", number, number);
	pid = fork();
	if (pid < 0)
		report_failure(init, 0, errno, PREFIX "Failed to fork", number, number);
	if (pid == 0) {
		/* Every other descriptor is closed as it is executed. Its output is nobody's: the
		 * streams are the program's. */
		if (dup2(input, 0) >= 0 &&
		    (output < 0 || (dup2(output, 1) >= 0 && dup2(output, 2) >= 0)))
			execve(path, hook->args.count ? args : path_only,
			       hook->inherits_env ? environment : env);
		error = errno;
		if (write(report[1], &error, sizeof(error)) < 0)
			report_exit(126);
		report_exit(127);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	close(report[0]);
	over = hook_wait(pid, hook->timeout, &status);
	if (error)
		report_failure(init, 0, error, PREFIX "Failed to execute \"%s\"", number, number,
			       path);
	if (over)
		report_failure(init, 0, 0, PREFIX "\"%s\" did not end within %d seconds", number,
			       number, path, hook->timeout);
	if (WIFSIGNALED(status))
		report_failure(init, 0, 0, PREFIX "\"%s\" was ended by signal %d (%s)", number,
			       number, path, WTERMSIG(status), hook_signal_text(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		report_failure(init, 0, 0, PREFIX "\"%s\" exited with status %d", number, number,
			       path, WEXITSTATUS(status));
	close(input);
	if (output >= 0)
		close(output);
	free(args);
	free(env);
}

void start_hooks_run(struct init *init, char *const *environment)
{
	const struct plan_hook *hooks = plan_items(init->plan, init->plan->start_hooks);
	uint32_t i;

	for (i = 0; i < init->plan->start_hooks.count; i++)
		run_hook(init, &hooks[i], i, environment);
}
