/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/user_maps.h"

#define VISITOR_STACK ((size_t)4 << 20)

/* ---- what a user can have ---- */

static int check_user(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const struct spec_user *user = &spec->process.user;

	if (!user_maps_have(&linux_->uid_mappings, user->uid))
		return error_set(err, "process.user.uid: %u is not in linux.uidMappings",
				 user->uid);
	if (!user_maps_have(&linux_->gid_mappings, user->gid))
		return error_set(err, "process.user.gid: %u is not in linux.gidMappings",
				 user->gid);
	if (user->additional_gids_count && user_maps_deny_groups(linux_))
		return error_set(err, "process.user.additionalGids: cannot set any additional "
				      "groups in a rootless container that has no group but its "
				      "user's own (linux.gidMappings)");
	for (size_t i = 0; i < user->additional_gids_count; i++)
		if (!user_maps_have(&linux_->gid_mappings, user->additional_gids[i]))
			return error_set(
			    err, "process.user.additionalGids[%zu]: %u is not in linux.gidMappings",
			    i, user->additional_gids[i]);
	return 0;
}

int lxc_rights_check(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *namespaces = spec->linux_.namespaces;

	if (geteuid() == 0)
		return 0;
	if (!namespaces[SPEC_NS_USER].listed)
		return error_set(err, "linux.namespaces: rootless container requires user "
				      "namespaces: runlxc was not started by root");
	return namespaces[SPEC_NS_USER].path ? 0 : check_user(spec, err);
}

/* ---- the namespaces, and who keeps them ---- */

_Noreturn static void keep(int user, int ready, pid_t caller)
{
	if ((user < 0 ? unshare(CLONE_NEWUSER) : setns(user, CLONE_NEWUSER)) < 0 ||
	    unshare(CLONE_NEWNS) < 0)
		_exit(errno);
	/* Not before: whoever gets other rights loses it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != caller || write(ready, "", 1) != 1)
		_exit(ESRCH);
	for (;;)
		pause();
}

static int start_keeper(struct lxc_rights *rights, int user, struct error *err)
{
	cleanup_close int reader = -1, writer = -1;
	pid_t caller = getpid();
	int ends[2], status = 0;
	char ready;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "Failed to make a pipe");
	reader = ends[0];
	writer = ends[1];
	rights->keeper = fork();
	if (rights->keeper < 0) {
		rights->keeper = 0;
		return error_errno(err, errno, "Failed to fork");
	}
	if (rights->keeper == 0)
		keep(user, writer, caller);
	rights->pidfd = kernel_pidfd_open(rights->keeper);
	close(fd_take(&writer));
	if (rights->pidfd >= 0 && read(reader, &ready, 1) == 1)
		return 0;
	kill(rights->keeper, SIGKILL);
	waitpid(rights->keeper, &status, 0);
	rights->keeper = 0;
	return error_errno(err, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM,
			   "linux.namespaces: Failed to %s a user namespace as user %u",
			   user < 0 ? "make" : "join", geteuid());
}

int lxc_rights_take(struct lxc_rights *rights, const struct spec *spec, struct error *err)
{
	const struct spec_namespace *ns = &spec->linux_.namespaces[SPEC_NS_USER];
	cleanup_close int user = -1;

	if (geteuid() == 0)
		return 0;
	if (ns->path && (user = open(ns->path, O_RDONLY | O_CLOEXEC)) < 0)
		return error_errno(err, errno, "linux.namespaces[%zu].path: \"%s\"", ns->index,
				   ns->path);
	if (start_keeper(rights, user, err) < 0)
		return -1;
	return ns->path ? 0 : user_maps_write(rights->keeper, &spec->linux_, err);
}

void lxc_rights_release(struct lxc_rights *rights)
{
	if (rights->keeper > 0) {
		kill(rights->keeper, SIGKILL);
		while (waitpid(rights->keeper, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	rights->keeper = 0;
	fd_close(fd_take(&rights->pidfd));
}

/* ---- using them ---- */

struct visit {
	int pidfd, namespaces;
	int (*what)(void *data);
	void *data;
	int result, error;
};

static int visitor(void *data)
{
	struct visit *visit = data;

	visit->result = setns(visit->pidfd, visit->namespaces);
	if (visit->result == 0) {
		/* What is made belongs to the container's root. */
		setfsgid(0);
		setfsuid(0);
		visit->result = visit->what(visit->data);
	}
	visit->error = errno;
	/* Whoever changes who he is can't be looked at any more; that is of the memory, and this
	 * memory is the caller's. */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

/*
 * A process enters a user namespace with all of its threads; so this is another process, but on the
 * same memory and descriptors, as that of vfork(2).
 */
static int visit(struct visit *visit)
{
	char *stack = mmap(NULL, VISITOR_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	int error;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	visit->result = -1;
	visit->error = EINTR;
	pid = clone(visitor, stack + VISITOR_STACK, CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD,
		    visit);
	error = pid < 0 ? errno : visit->error;
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	munmap(stack, VISITOR_STACK);
	errno = error;
	return visit->result;
}

int lxc_rights_use(const struct lxc_rights *rights, int (*what)(void *data), void *data)
{
	return rights->keeper <= 0
		   ? what(data)
		   : visit(&(struct visit){.pidfd = rights->pidfd,
					   .namespaces = CLONE_NEWUSER | CLONE_NEWNS,
					   .what = what,
					   .data = data});
}

int lxc_rights_over(int pidfd, int (*what)(void *data), void *data)
{
	return geteuid() == 0
		   ? what(data)
		   : visit(&(struct visit){
			 .pidfd = pidfd, .namespaces = CLONE_NEWUSER, .what = what, .data = data});
}
