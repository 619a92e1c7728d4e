/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming the process: user, groups, directory, labels, capabilities, seccomp, exec. Linked into
 * init, for a container's first process and for every exec alike, so that the two can't differ.
 *
 * become_prepare() does, or tries with the user's rights, everything that can go wrong, so that it
 * is told by create and not by start. become_execute() gives up the rights and goes.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/trace.h"
#include "process/passwd.h"

#define PROC_SUPER_MAGIC 0x9fa0

enum { BOUNDING, EFFECTIVE, INHERITABLE, PERMITTED, AMBIENT };

static char **arguments, **environment;
static char *program;

static char **strings(struct init *init, struct plan_list list, size_t spare)
{
	const plan_string *offsets = plan_items(init->plan, list);
	char **result = calloc(list.count + spare + 1, sizeof(*result));
	uint32_t i;

	if (!result)
		report_failure(init, 0, ENOMEM, "Failed to make the argument list");
	for (i = 0; i < list.count; i++)
		result[i] = (char *)plan_text(init->plan, offsets[i]);
	return result;
}

/* HOME comes from the container's own passwd file, read inside the container. */
static void set_home(struct init *init)
{
	uint32_t i, count = init->plan->env.count;
	char *home = passwd_home(init->plan->uid);

	for (i = 0; i < count; i++)
		if (strncmp(environment[i], "HOME=", 5) == 0)
			break;
	environment[i] = home;
}

/*
 * Whether, and how, args[0] can be executed by the user; what the shell reports as 127 and 126. The
 * texts are those that engines look for.
 */
static int try_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static void fail_program(struct init *init, const char *name, int error)
{
	int code = error == ENOENT || error == ENOTDIR ? 127 : 126;

	if (error == ENOENT && !strchr(name, '/'))
		report_failure(init, code, 0, "exec: \"%s\": executable file not found in $PATH",
			       name);
	if (error == EISDIR)
		report_failure(init, code, 0, "exec: \"%s\": is a directory: permission denied",
			       name);
	report_failure(init, code, error, "exec: \"%s\"", name);
}

static void find_program(struct init *init)
{
	const char *name = arguments[0], *path = plan_text(init->plan, init->plan->path);
	int found = ENOENT, error;

	if (strchr(name, '/') || !*name) {
		error = *name ? try_program(name) : ENOENT;
		if (error)
			fail_program(init, name, error);
		program = arguments[0];
		return;
	}
	while (path) {
		const char *end = strchrnul(path, ':');
		char *candidate;

		if (asprintf(&candidate, "%.*s/%s", end == path ? 1 : (int)(end - path),
			     end == path ? "." : path, name) < 0)
			report_failure(init, 0, ENOMEM, "Failed to look for \"%s\"", name);
		error = try_program(candidate);
		if (!error) {
			program = candidate;
			return;
		}
		/* A directory or a file without the x bit does not end the search, but is what is
		 * told if nothing better comes. */
		if (error != ENOENT && error != ENOTDIR && error != EISDIR)
			found = error;
		free(candidate);
		path = *end ? end + 1 : NULL;
	}
	fail_program(init, name, found);
}

void become_make_directory(struct init *init)
{
	const char *path = plan_text(init->plan, init->plan->cwd);
	int fd = mounts_open_target(path, true, false, false);

	/* Whether it can be entered is seen when it is. */
	if (fd < 0 && errno != EACCES && errno != EROFS && errno != ENOENT)
		report_failure(init, 0, errno, "process.cwd: Failed to make \"%s\"", path);
	if (fd >= 0)
		close(fd);
}

/*
 * The working directory is entered with the user's rights. That it lies inside the container is
 * checked by asking the kernel for its name: a directory that is not below the root has none that
 * starts with "/" (CVE-2024-21626).
 */
static void enter_directory(struct init *init)
{
	const char *cwd = plan_text(init->plan, init->plan->cwd);
	char name[4097];
	long length;

	if (chdir(cwd) < 0)
		report_failure(init, 0, errno, "process.cwd: Failed to enter \"%s\"", cwd);
	length = syscall(SYS_getcwd, name, sizeof(name));
	if (length <= 0 || name[0] != '/')
		report_failure(init, 0, 0, "process.cwd: \"%s\" lies outside the container", cwd);
}

/*
 * An LSM's label for the coming exec. The file must be the kernel's own, of this very task: opened
 * from a procfs, crossing no mount and no symlink, so that nothing bound over it can swallow the
 * write (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
 */
static void write_label(struct init *init, const char *field, const char *file, const char *label)
{
	struct statfs fs;
	char path[64];
	int proc, fd = -1;

	proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (proc < 0 || fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		report_failure(init, 0, 0,
			       "%s: the container has no procfs on /proc to set it with", field);
	snprintf(path, sizeof(path), "%ld/attr/%s", (long)syscall(SYS_getpid), file);
	fd = kernel_openat2(proc, path, O_WRONLY, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0 && errno == ENOENT && strncmp(file, "apparmor/", 9) == 0) {
		/* Before Linux 5.8 AppArmor has no directory of its own. */
		snprintf(path, sizeof(path), "%ld/attr/%s", (long)syscall(SYS_getpid), file + 9);
		fd = kernel_openat2(proc, path, O_WRONLY, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	}
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC ||
	    write(fd, label, strlen(label)) != (ssize_t)strlen(label))
		report_failure(init, 0, errno, "%s: Failed to set \"%s\"", field, label);
	close(fd);
	close(proc);
}

static void set_labels(struct init *init)
{
	const char *apparmor = plan_text(init->plan, init->plan->apparmor);
	const char *selinux = plan_text(init->plan, init->plan->selinux);
	char *command;

	if (apparmor) {
		if (asprintf(&command, "exec %s", apparmor) < 0)
			report_failure(init, 0, ENOMEM, "process.apparmorProfile");
		write_label(init, "process.apparmorProfile", "apparmor/exec", command);
		free(command);
	}
	if (selinux)
		write_label(init, "process.selinuxLabel", "exec", selinux);
}

/* Only a process itself can set its own, so it can't be done from outside. */
static void set_memory_policy(struct init *init)
{
	const struct plan *plan = init->plan;
	const void *nodes = plan->memory_nodes.count ? plan_items(plan, plan->memory_nodes) : NULL;

	/* The kernel takes one bit less than it is told. */
	if (syscall(SYS_set_mempolicy, (int)plan->memory_policy, nodes,
		    nodes ? plan->memory_nodes.count * 64UL + 1 : 0UL) < 0)
		report_failure(init, 0, errno, "linux.memoryPolicy: Failed to set it");
}

void become_prepare(struct init *init)
{
	const struct plan *plan = init->plan;
	bool as_user = !(plan->flags & PLAN_CAP_OVERRIDE);

	arguments = strings(init, plan->args, 0);
	environment = strings(init, plan->env, 1);
	if (plan->flags & PLAN_SET_HOME)
		set_home(init);

	/* A session keyring of its own, so that it can't read the engine's (CVE-2014-9529's
	 * lesson). LXC makes one for the first process, too, but goes on without where that fails.
	 * A kernel without keyrings has nothing to leak. */
	if (plan->flags & PLAN_NEW_KEYRING &&
	    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
		report_failure(init, 0, errno, "Failed to make a session keyring");
	if (plan->flags & PLAN_PERSONALITY && personality(plan->personality) < 0)
		report_failure(init, 0, errno, "linux.personality: Failed to set it");
	if (plan->memory_policy_set)
		set_memory_policy(init);
	set_labels(init);

	if (syscall(SYS_setgroups, (size_t)plan->groups.count, plan_items(plan, plan->groups)) <
	    0) {
		/* A user namespace that its owner may not set groups in: fine while none are asked
		 * for. */
		if (errno != EPERM || plan->groups.count)
			report_failure(init, 0, errno,
				       "process.user.additionalGids: Failed to set them");
	}
	/* Be the user, for the file system only: what is checked here is what the program may do.
	 */
	if (as_user) {
		setfsgid(plan->gid);
		setfsuid(plan->uid);
	}
	enter_directory(init);
	find_program(init);
	if (as_user) {
		setfsuid(0);
		setfsgid(0);
	}
	report_line(init, SYNC_STEP, "init: ready to execute \"%s\" as %u:%u", program, plan->uid,
		    plan->gid);
}

static void set_capabilities(struct init *init, const uint64_t *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	int cap, half;

	for (half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(sets[EFFECTIVE] >> (32 * half));
		data[half].permitted = (uint32_t)(sets[PERMITTED] >> (32 * half));
		data[half].inheritable = (uint32_t)(sets[INHERITABLE] >> (32 * half));
	}
	if (syscall(SYS_capset, &header, data) < 0)
		report_failure(init, 0, errno, "process.capabilities: Failed to set them");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		report_failure(init, 0, errno,
			       "process.capabilities: Failed to clear the ambient set");
	for (cap = 0; cap < 64; cap++)
		if (sets[AMBIENT] & (1ULL << cap) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			report_failure(
			    init, 0, errno,
			    "process.capabilities.ambient: Failed to raise capability %d", cap);
}

static void drop_bounding(struct init *init, uint64_t keep)
{
	int cap;

	for (cap = 0; cap < 64; cap++) {
		if (keep & (1ULL << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* past the last one that the kernel knows */
		report_failure(init, 0, errno,
			       "process.capabilities.bounding: Failed to drop capability %d", cap);
	}
}

/* Whoever runs is who was asked for, and no other: to the kernel an id of -1 means the old one. */
static void check_user(struct init *init)
{
	const struct plan *plan = init->plan;
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0 || uids[0] != plan->uid ||
	    uids[1] != plan->uid || uids[2] != plan->uid || gids[0] != plan->gid ||
	    gids[1] != plan->gid || gids[2] != plan->gid)
		report_failure(init, 0, 0, "process.user: Failed to become %u:%u", plan->uid,
			       plan->gid);
}

void become_execute(struct init *init)
{
	const struct plan *plan = init->plan;
	int error;

	/* The last one: under the filter reading the clock may be a system call that it forbids. */
	trace_step("user, capabilities, seccomp, execute");
	/* Without no_new_privs a filter may only be loaded with CAP_SYS_ADMIN, so before it is
	 * given up; with it, as late as can be. */
	if (!(plan->flags & PLAN_NO_NEW_PRIVS))
		seccomp_load(init);
	if (plan->flags & PLAN_CAPABILITIES) {
		drop_bounding(init, plan->capabilities[BOUNDING]);
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
			report_failure(init, 0, errno, "process.capabilities: Failed to keep them");
	}
	/* Raw calls: no thread but this one exists to keep in step with. */
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0)
		report_failure(init, 0, errno, "process.user.gid: Failed to become group %u",
			       plan->gid);
	if (syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
		report_failure(init, 0, errno, "process.user.uid: Failed to become user %u",
			       plan->uid);
	check_user(init);
	if (plan->flags & PLAN_CAPABILITIES)
		set_capabilities(init, plan->capabilities);
	umask(plan->flags & PLAN_UMASK ? plan->umask : 022);

	if (plan->flags & PLAN_NO_NEW_PRIVS && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		report_failure(init, 0, errno, "process.noNewPrivileges: Failed to set it");
	/* Nothing that we, LXC or the caller had open reaches the program but what it was to have
	 * (CVE-2024-21626). */
	if (kernel_close_range(3 + (unsigned int)plan->preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		report_failure(init, 0, errno,
			       "Failed to close the descriptors that are not the program's");
	if (plan->flags & PLAN_NO_NEW_PRIVS)
		seccomp_load(init);
	start_hooks_run(init, environment);
	execve(program, arguments, environment);
	error = errno;
	/* The file was found before: an interpreter, or a format. */
	report_failure(init, error == ENOENT || error == ENOTDIR ? 127 : 126, error, "exec %s",
		       arguments[0]);
}
