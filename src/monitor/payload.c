/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/payload.h"

#include <sys/types.h>

#define EXPORTED __attribute__((visibility("default")))

/* Before <unistd.h>, which defines it where checks of buffers' sizes are compiled in. */
EXPORTED ssize_t read(int fd, void *buffer, size_t count);

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/trace.h"
#include "cgroup/cpuset.h"
#include "monitor/network.h"

#define HIERARCHIES_MAX 64

/* What liblxc's parent and child both see. */
struct shared {
	size_t count; /* the parent goes on when it has written all of them */
	int directories[HIERARCHIES_MAX];
};

/* One of the container's cgroups. */
struct place {
	dev_t device;
	ino_t inode;
};

static const char *cgroup;
static size_t cgroup_length;
static struct payload_hierarchies where;
static struct place ours[HIERARCHIES_MAX];
static size_t ours_count;
static int log_to = -1;
static struct shared *shared; /* NULL: LXC moves it */
static int unified = -1;      /* its directory in the unified tree */
static int memory = -1;	      /* and in the memory controller's, as we hold it */
static bool is_child, is_in_unified, is_cloned_into, has_joined;

void payload_is_in(const char *path, const struct payload_hierarchies *hierarchies, int log_fd)
{
	where = *hierarchies;
	cgroup = path;
	cgroup_length = strlen(path);
	log_to = log_fd;
}

void payload_joins_itself(void)
{
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		shared = NULL;
}

/* Whether it is the container's cgroup, in whatever hierarchy. */
static bool is_ours(int directory)
{
	char name[64], target[4096];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", directory);
	length = readlink(name, target, sizeof(target));
	return length > (ssize_t)cgroup_length && length < (ssize_t)sizeof(target) &&
	       target[length - (ssize_t)cgroup_length - 1] == '/' &&
	       memcmp(target + length - cgroup_length, cgroup, cgroup_length) == 0;
}

static bool is_unified(int directory)
{
	struct statfs fs;

	return fstatfs(directory, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Where the kernel counts whom it has killed for memory, on v1 and on v2. */
static int open_kills(int directory)
{
	int fd = openat(directory, "memory.oom_control", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : openat(directory, "memory.events", O_RDONLY | O_CLOEXEC);
}

/* A number that was closed since may be another directory's. */
static bool is_known(int directory, struct stat *st)
{
	if (fstat(directory, st) < 0)
		return false;
	for (size_t i = 0; i < ours_count; i++)
		if (ours[i].device == st->st_dev && ours[i].inode == st->st_ino)
			return true;
	return false;
}

void payload_look(int fd, const char *path)
{
	struct stat st = {0};
	const char *last;

	if (!cgroup || is_child || fd < 0)
		return;
	last = strrchr(cgroup, '/');
	if (strcmp(path, last ? last + 1 : cgroup) != 0 || is_known(fd, &st) || !is_ours(fd))
		return;
	if (ours_count < HIERARCHIES_MAX)
		ours[ours_count++] = (struct place){st.st_dev, st.st_ino};
	if (memory < 0 && st.st_dev == where.memory)
		memory = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (shared && unified < 0 && is_unified(fd))
		unified = fd;
}

bool payload_is_entered(int directory, const char *path)
{
	struct stat st = {0};

	if (!shared || is_child || strcmp(path, "cgroup.procs") != 0 ||
	    (!is_known(directory, &st) && !is_ours(directory)) || shared->count == HIERARCHIES_MAX)
		return false;
	if (st.st_dev == where.cpuset)
		cpuset_fill(directory);
	shared->directories[shared->count++] = directory;
	return true;
}

int payload_open_nothing(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

void payload_clone_into(struct clone_args *arguments, size_t size)
{
	/* LXC does so itself where there is only v2 and a cgroup namespace, and doesn't come back
	 * to it. */
	if (!is_child && size >= sizeof(arguments->flags) && (arguments->flags & CLONE_INTO_CGROUP))
		is_cloned_into = true;
	if (unified < 0 || is_child || (arguments->flags & CLONE_INTO_CGROUP) ||
	    size < offsetof(struct clone_args, cgroup) + sizeof(arguments->cgroup))
		return;
	arguments->flags |= CLONE_INTO_CGROUP;
	arguments->cgroup = (unsigned int)unified;
	is_in_unified = true;
}

bool payload_clone_beside(struct clone_args *arguments)
{
	if (!is_in_unified)
		return false;
	arguments->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	is_in_unified = false;
	return true;
}

void payload_is_cloned(void)
{
	is_child = true;
}

static int join(int directory)
{
	bool in_unified = is_unified(directory);
	int fd, result;

	if (in_unified && is_in_unified)
		return 0;
	fd = openat(directory, in_unified ? "cgroup.procs" : "tasks", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return result;
}

_Noreturn static void fail(const char *reason)
{
	dprintf(log_to, "runlxc: linux.cgroupsPath: can't join the cgroup %s: %s\n", cgroup,
		reason);
	_exit(1);
}

static void join_all(void)
{
	trace_step("LXC's child: join the cgroups");
	has_joined = true;
	for (size_t i = 0; i < shared->count; i++) {
		if (join(shared->directories[i]) < 0)
			fail(strerror(errno));
	}
	trace_step("LXC's child: mounts");
}

bool payload_ran_out_of_memory(void)
{
	cleanup_close int fd = memory < 0 ? -1 : open_kills(memory);
	char text[512], *line;
	ssize_t got = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	/* Not "oom_kill_disable": the number comes behind a space. */
	line = strstr(text, "oom_kill ");
	return line && strtoull(line + strlen("oom_kill "), NULL, 10) > 0;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/*
 * What follows is liblxc's: an executable's symbols come before a library's.
 *
 * Its child waits by a read from a socket until its parent believes that it has put it into all of
 * its cgroups, and has set their limits.
 */
ssize_t read(int fd, void *buffer, size_t count)
{
	ssize_t result = syscall(SYS_read, fd, buffer, count);

	if (result > 0 && is_child && !has_joined && shared && shared->count && is_socket(fd))
		join_all();
	return result;
}

/* Whatever another liblxc does: nothing is started outside of its cgroups. */
EXPORTED int execvp(const char *file, char *const arguments[])
{
	if (is_child)
		network_check();
	if (is_child && shared && !has_joined && !(is_cloned_into && shared->count == 0))
		fail("this version of LXC did not come by the place where that is done");
	return execve(file, arguments, environ);
}
