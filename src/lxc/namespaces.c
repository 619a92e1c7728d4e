/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/cleanup.h"

const char *const namespaces_lxc_names[SPEC_NS_TYPES] = {
    [SPEC_NS_PID] = "pid",	 [SPEC_NS_NETWORK] = "net", [SPEC_NS_MOUNT] = "mnt",
    [SPEC_NS_IPC] = "ipc",	 [SPEC_NS_UTS] = "uts",	    [SPEC_NS_USER] = "user",
    [SPEC_NS_CGROUP] = "cgroup", [SPEC_NS_TIME] = "time",
};

int namespaces_check_path(const struct spec_namespace *ns, enum spec_namespace_type type,
			  struct error *err)
{
	static const int flags[SPEC_NS_TYPES] = {
	    [SPEC_NS_PID] = CLONE_NEWPID,	[SPEC_NS_NETWORK] = CLONE_NEWNET,
	    [SPEC_NS_MOUNT] = CLONE_NEWNS,	[SPEC_NS_IPC] = CLONE_NEWIPC,
	    [SPEC_NS_UTS] = CLONE_NEWUTS,	[SPEC_NS_USER] = CLONE_NEWUSER,
	    [SPEC_NS_CGROUP] = CLONE_NEWCGROUP, [SPEC_NS_TIME] = 0x80 /* CLONE_NEWTIME */,
	};
	cleanup_close int fd = open(ns->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;

	if (fd < 0)
		return error_errno(err, errno, "linux.namespaces[%zu].path: \"%s\"", ns->index,
				   ns->path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return error_set(err, "linux.namespaces[%zu].path: \"%s\" is not a namespace",
				 ns->index, ns->path);
	if (ioctl(fd, NS_GET_NSTYPE) != flags[type])
		return error_set(err, "linux.namespaces[%zu].path: \"%s\" is not a %s namespace",
				 ns->index, ns->path, spec_namespace_name(type));
	return 0;
}

static int read_map(pid_t pid, const char *name, struct arena *arena,
		    struct spec_id_mappings *mappings)
{
	cleanup_fclose FILE *in = NULL;
	char path[64];
	unsigned int inside, outside, size;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	in = fopen(path, "re");
	/* The kernel allows 340 lines. */
	mappings->items = arena_alloc(arena, 340, sizeof(*mappings->items));
	mappings->count = 0;
	if (!in || !mappings->items)
		return -1;
	while (mappings->count < 340 && fscanf(in, "%u %u %u", &inside, &outside, &size) == 3)
		mappings->items[mappings->count++] =
		    (struct spec_id_mapping){inside, outside, size};
	return ferror(in) ? -1 : 0;
}

int namespaces_own_mappings(struct arena *arena, struct spec_id_mappings *uids,
			    struct spec_id_mappings *gids, struct error *err)
{
	if (read_map(getpid(), "uid_map", arena, uids) < 0 ||
	    read_map(getpid(), "gid_map", arena, gids) < 0)
		return error_errno(err, errno,
				   "linux.namespaces: Failed to read the mappings of "
				   "the user namespace");
	return 0;
}

int namespaces_read_mappings(const char *path, struct arena *arena, struct spec_id_mappings *uids,
			     struct spec_id_mappings *gids, struct error *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC), reader = -1, writer = -1;
	int ends[2], result = -1;
	char ready = 0;
	pid_t pid;

	/* The kernel tells a namespace's mappings only through a process in it; one is put there.
	 */
	if (fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "linux.namespaces: \"%s\"", path);
	reader = ends[0];
	writer = ends[1];
	pid = fork();
	if (pid < 0)
		return error_errno(err, errno, "Failed to fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(fd, CLONE_NEWUSER) == 0 && write(writer, "", 1) == 1)
			pause();
		_exit(1);
	}
	close(fd_take(&writer));
	if (read(reader, &ready, 1) == 1 && read_map(pid, "uid_map", arena, uids) == 0 &&
	    read_map(pid, "gid_map", arena, gids) == 0)
		result = 0;
	else
		error_set(err, "linux.namespaces: Failed to read the mappings of \"%s\"", path);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}
