/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts whose files have other owners than on the disk (config.md, "Mounts", uidMappings). The
 * kernel takes such a mapping as a user namespace that has it: the container's own where one is
 * joined, else one that is made for this, with a process in it for as long as its mappings are
 * written.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/compiler.h"
#include "lxc/user_maps.h"

/* A process of a new user namespace, which stays there until it is killed. */
static pid_t start_keeper(int ready)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER) == 0 && write(ready, "", 1) == 1)
			pause();
		_exit(1);
	}
	return pid;
}

static int describe(pid_t pid, const struct spec_id_mappings *uids,
		    const struct spec_id_mappings *gids, const char *what, struct error *err)
{
	cleanup_close int fd = -1;
	char path[64];

	if (user_maps_write_file(pid, "uid_map", uids) < 0)
		return error_errno(err, errno, "%s.uidMappings: the kernel refuses them", what);
	if (user_maps_write_file(pid, "gid_map", gids) < 0)
		return error_errno(err, errno, "%s.gidMappings: the kernel refuses them", what);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "%s: \"%s\"", what, path) : fd_take(&fd);
}

static int make_user_namespace(const struct spec_id_mappings *uids,
			       const struct spec_id_mappings *gids, const char *what,
			       struct error *err)
{
	cleanup_close int reader = -1, writer = -1;
	int ends[2], fd = -1;
	char ready;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "Failed to make a pipe");
	reader = ends[0];
	writer = ends[1];
	pid = start_keeper(writer);
	if (pid < 0)
		return error_errno(err, errno, "Failed to fork");
	close(fd_take(&writer));
	if (read(reader, &ready, 1) == 1)
		fd = describe(pid, uids, gids, what, err);
	else
		error_set(err, "%s: Failed to make a user namespace for its mappings", what);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

static int open_user_namespace(const struct spec_linux *linux_, const struct spec_mount *mount,
			       const char *what, struct error *err)
{
	const struct spec_namespace *user = &linux_->namespaces[SPEC_NS_USER];
	int fd;

	if (mount->uid_mappings.count)
		return make_user_namespace(&mount->uid_mappings, &mount->gid_mappings, what, err);
	if (!user->path)
		return make_user_namespace(&linux_->uid_mappings, &linux_->gid_mappings, what, err);
	fd = open(user->path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "linux.namespaces[%zu].path: \"%s\"", user->index,
				    user->path)
		      : fd;
}

bool compiler_is_mapped(const struct spec_mount *mount, const struct mount_options *options)
{
	return options->idmap || mount->uid_mappings.count;
}

int compiler_check_mapping(const struct compiler *compiler, const struct spec_mount *mount,
			   const struct mount_options *options, const char *what, struct error *err)
{
	if (!compiler_is_mapped(mount, options))
		return 0;
	if (!options->bind || options->remount)
		return error_set(err, "%s: id-mapped mounts are only supported for bind-mounts",
				 what);
	if (compiler->request->rootless)
		return error_set(
		    err, "%s: id-mapped mounts are not supported for rootless containers", what);
	if (!mount->uid_mappings.count &&
	    !compiler->request->spec->linux_.namespaces[SPEC_NS_USER].listed)
		return error_set(err,
				 "%s.options: id-mapped mounts must have both uid and gid mappings "
				 "specified, or a user namespace in linux.namespaces",
				 what);
	return 0;
}

int compiler_map_tree(const struct compiler *compiler, const struct late_request *request, int tree,
		      struct error *err)
{
	const struct mount_options *options = request->options;
	cleanup_close int user = -1;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};

	if (!compiler_is_mapped(request->mount, options))
		return 0;
	user = open_user_namespace(&compiler->request->spec->linux_, request->mount, request->what,
				   err);
	if (user < 0)
		return -1;
	attr.userns_fd = (uint64_t)user;
	if (kernel_mount_setattr(tree, "",
				 AT_EMPTY_PATH | (options->idmap_recursive ? AT_RECURSIVE : 0),
				 &attr) == 0)
		return 0;
	/* The kernel doesn't tell a file system that can't from one that was mapped already. */
	return error_errno(
	    err, errno, "%s: Failed to set MOUNT_ATTR_IDMAP on \"%s\"%s", request->what,
	    request->source,
	    errno == EINVAL
		? " (maybe the filesystem used doesn't support idmap mounts on this kernel?)"
		: "");
}
