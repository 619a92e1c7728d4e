/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of LXC's monitor: tell it what to start, hand its container over. */
#include "lxc/lxc.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/message.h"
#include "base/path.h"
#include "base/trace.h"
#include "lxc/monitor.h"

int lxc_monitor_room(int lowest, size_t count)
{
	/* Where the monitor receives them, before it puts them in their places; see monitor.c. */
	return lowest + MONITOR_OWN_FDS + (int)count;
}

/* As /proc/self/cgroup has it. */
static void write_cgroups(const struct lxc_start *start, FILE *out)
{
	const struct cgroup_layout *layout = start->layout;
	const char *base = start->cgroup_base;

	for (size_t i = 0; layout && i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		fprintf(out, "%zu:%s:%s\n", hierarchy->unified ? 0 : i + 1, hierarchy->label,
			*base ? base : "/");
	}
	fputc('\0', out);
}

/* The items, and what else is text, in a block of NUL-terminated strings: no value is ever parsed.
 */
static int write_block(const struct lxc_start *start, struct error *err)
{
	cleanup_close int fd = kernel_memfd_create("runlxc-recipe", MFD_CLOEXEC);
	const char *label = start->recipe->mount_label ? start->recipe->mount_label : "";
	const char *cgroup = start->made_cgroup ? start->made_cgroup : "";
	cleanup_free char *block = NULL;
	size_t length = 0, i;
	FILE *out = open_memstream(&block, &length);

	if (!out || fd < 0) {
		if (out)
			fclose(out);
		return error_errno(err, ENOMEM, "Failed to pass the recipe to LXC's monitor");
	}
	fwrite(start->name, 1, strlen(start->name) + 1, out);
	fwrite(start->path, 1, strlen(start->path) + 1, out);
	fwrite(label, 1, strlen(label) + 1, out);
	fwrite(cgroup, 1, strlen(cgroup) + 1, out);
	write_cgroups(start, out);
	for (i = 0; i < start->recipe->count; i++) {
		const struct lxc_item *item = &start->recipe->items[i];

		fwrite(item->key, 1, strlen(item->key) + 1, out);
		fwrite(item->value, 1, strlen(item->value) + 1, out);
	}
	if (fclose(out) != 0 || path_write_all(fd, block, length) < 0)
		return error_errno(err, errno, "Failed to pass the recipe to LXC's monitor");
	return fd_take(&fd);
}

int lxc_monitor_start(struct lxc_monitor *monitor, const struct lxc_start *start, struct error *err)
{
	struct monitor_request request = {
	    .init_fd = start->init_fd,
	    .plan_fd = start->plan_fd,
	    .pivot_fd = start->pivot_fd,
	    .trace_fd = start->trace_fd,
	    .time_fd = start->recipe->join_time ? start->recipe->time_fd : -1,
	    .label_mqueue = start->recipe->has_mqueue,
	    .delegated = start->delegated,
	    .no_controllers = start->no_controllers,
	    .memory_device = start->memory_device,
	    .cpuset_device = start->cpuset_device,
	    .network_follows = start->network_follows,
	    .keep_monitor = start->keep_monitor,
	    .debug = start->debug};
	int fds[MONITOR_FDS_MAX];
	cleanup_close int block = write_block(start, err);
	size_t count = 0, i;

	if (block < 0)
		return -1;
	/* The first two are for the monitor itself, wherever it gets them; the rest have their
	 * numbers. */
	fds[count++] = block;
	fds[count++] = start->dir;
	fds[count++] = start->init_fd;
	fds[count++] = start->plan_fd;
	for (i = 0; i < start->pass_count; i++)
		if (start->pass[i] >= 0)
			fds[count++] = start->pass[i];
	for (i = 0; i < count; i++)
		request.numbers[i] = fds[i];
	if (message_send(monitor->control, &request, sizeof(request), fds, count) < 0)
		return error_errno(err, errno, "Failed to reach LXC's monitor");
	return 0;
}

int lxc_monitor_keep(struct lxc_monitor *monitor, pid_t pid, int oom_file, struct error *err)
{
	/* It lies in the socket until the container has ended. */
	if (message_send(monitor->control, &pid, sizeof(pid), &oom_file, oom_file >= 0) < 0)
		return error_errno(err, errno, "Failed to reach LXC's monitor");
	monitor->kept = true;
	return 0;
}

void lxc_hand_over_begin(const struct lxc_monitor *monitor)
{
	/* Our own child, not reaped yet: the pid can be nobody else's. */
	if (monitor->pid > 0)
		kill(monitor->pid, SIGKILL);
}

void lxc_hand_over(struct lxc_monitor *monitor)
{
	if (monitor->pid <= 0)
		return;
	lxc_hand_over_begin(monitor);
	lxc_monitor_wait(monitor);
}

void lxc_monitor_wait(struct lxc_monitor *monitor)
{
	int status = 0;

	while (monitor->pid > 0 && waitpid(monitor->pid, &status, 0) < 0 && errno == EINTR)
		;
	monitor->pid = -1;
	/* One that was killed had no time to undo anything. */
	monitor->left_cgroups = WIFSIGNALED(status) ||
				(WIFEXITED(status) && WEXITSTATUS(status) == MONITOR_LEFT_CGROUPS);
	trace_end(TRACE_MONITOR);
}

void lxc_monitor_close(struct lxc_monitor *monitor)
{
	if (!monitor->kept)
		lxc_hand_over(monitor);
	fd_close(fd_take(&monitor->control));
	fd_close(fd_take(&monitor->log_fd));
}

void lxc_forget_path(const char *path)
{
	static const char top[] = "/run/lxc/lock";
	char name[PATH_MAX];
	char *end;

	/* From the innermost up, for as long as they are empty: another container of LXC's on that
	 * path keeps its own. */
	if ((size_t)snprintf(name, sizeof(name), "%s/%s", top, path) >= sizeof(name))
		return;
	while (strlen(name) > sizeof(top) && rmdir(name) == 0) {
		end = strrchr(name, '/');
		while (end > name && end[-1] == '/')
			end--;
		*end = '\0';
	}
}
