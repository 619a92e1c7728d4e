/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"

#define HIERARCHIES_MAX 64

static const char *taken, *told_cgroups, *later;
static bool delegated, hands_nothing_down;
/* Where the monitor is to go. */
static int own_directories[HIERARCHIES_MAX];
static size_t own_count;
static pid_t monitor;

void scope_take(const char *cgroup, const char *cgroups)
{
	taken = cgroup;
	told_cgroups = cgroups;
}

void scope_is_delegated(void)
{
	delegated = true;
}

void scope_hand_nothing_down(void)
{
	hands_nothing_down = true;
}

void scope_leave_later(const char *own)
{
	later = own;
	monitor = getpid();
}

bool scope_ends(int directory, const char *end, size_t length)
{
	char name[64], target[4096];
	ssize_t got;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", directory);
	got = readlink(name, target, sizeof(target));
	return got > (ssize_t)length && got < (ssize_t)sizeof(target) &&
	       memcmp(target + got - (ssize_t)length, end, length) == 0;
}

bool scope_is_taken(int directory, const char *name)
{
	const char *last = taken ? strrchr(taken, '/') : NULL;

	return last && strcmp(last + 1, name) == 0 &&
	       scope_ends(directory, taken, (size_t)(last - taken));
}

static int open_text(const char *text)
{
	cleanup_close int fd = kernel_memfd_create("runlxc-cgroup", MFD_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%s", text) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return fd_take(&fd);
}

int scope_open(int directory, const char *path)
{
	bool tells = strcmp(path, "/proc/self/cgroup") == 0 || strcmp(path, "/proc/1/cgroup") == 0;
	int fd;

	errno = 0;
	if (told_cgroups && tells)
		return open_text(told_cgroups);
	/* Of what the kernel would give away, as cgroup/delegated.c has it: a user who may not
	 * write to the rest (memory.oom.group) can still make cgroups, but liblxc wouldn't. */
	if (delegated && !taken && strcmp(path, "/sys/kernel/cgroup/delegate") == 0)
		return open_text("cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n");
	if (hands_nothing_down && strcmp(path, "cgroup.subtree_control") == 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!later || own_count == HIERARCHIES_MAX || strcmp(path, "cgroup.procs") != 0 ||
	    !scope_ends(directory, later, strlen(later)))
		return -1;
	fd = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -1;
	own_directories[own_count++] = fd;
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

void scope_has_child(uint64_t flags)
{
	char pid[16];
	int length;

	/* A container has a mount namespace of its own; LXC's helpers have none. */
	if (!later || !(flags & CLONE_NEWNS))
		return;
	length = snprintf(pid, sizeof(pid), "%d", (int)monitor);
	for (size_t i = 0; i < own_count; i++) {
		cleanup_close int fd =
		    openat(own_directories[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);

		/* It would only stay where it is. */
		if (fd < 0 || write(fd, pid, (size_t)length) != length)
			continue;
	}
	later = NULL;
}
