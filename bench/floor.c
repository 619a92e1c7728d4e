/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: what the kernel takes for a container. The namespaces, mounts, cgroups and the program
 * that a bundle asks for, made by the newest calls there are, and nothing else: no state, no
 * checks, no messages, nothing that a runtime owes its users. What runtimes take is compared with
 * this.
 *
 *   floor                  runs the program of the bundle, and removes what it made
 *   floor start FILE WORD… starts that program instead, and stays no longer; its pid is in FILE
 *   floor exec PID         runs the program of the bundle in the container of that one
 *   floor remove           removes the cgroups
 *
 * The bundle is compiled in: floor.py makes floor_bundle.h of its config.json, so that nothing is
 * parsed. On cgroup v2 the program that guards devices is left out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct mount {
	const char *type, *source,
	    *target;		/* target: relative to the root; type NULL: a bind mount */
	uint64_t attributes;	/* MOUNT_ATTR_* */
	const char *options[8]; /* the file system's: "mode=755", or "newinstance" */
};

struct write {
	const char *path, *text;
};

struct limit {
	int resource;
	struct rlimit limit;
};

#include "floor_bundle.h"

static int root = -1; /* of the container */

static _Noreturn void fail(const char *what)
{
	dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void check(long result, const char *what)
{
	if (result < 0)
		fail(what);
}

/* One file after another; where it is the same it stays open. */
static void write_all(const struct write *writes)
{
	const char *last = "";
	int fd = -1;

	for (; writes->path; writes++) {
		if (strcmp(last, writes->path) != 0) {
			close(fd);
			fd = open(writes->path, O_WRONLY | O_CLOEXEC);
		}
		check(write(fd, writes->text, strlen(writes->text)), writes->path);
		last = writes->path;
	}
	close(fd);
}

static void write_file(int directory, const char *path, const char *text)
{
	int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* ---- mounts ---- */

static void attach(int tree, const char *target)
{
	check(syscall(SYS_move_mount, tree, "", root, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	close(tree);
}

static int clone_tree(int directory, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, directory, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static void set_attributes(int tree, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};

	if (attributes)
		check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)),
		      "mount_setattr");
}

static int new_file_system(const struct mount *mount)
{
	int fs = (int)syscall(SYS_fsopen, mount->type, FSOPEN_CLOEXEC), tree;

	check(fs, mount->type);
	for (size_t i = 0; i < COUNT(mount->options) && mount->options[i]; i++) {
		const char *option = mount->options[i], *value = strchr(option, '=');
		char key[32];

		snprintf(key, sizeof(key), "%.*s",
			 (int)(value ? (size_t)(value - option) : strlen(option)), option);
		check(syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			      key, value ? value + 1 : NULL, 0),
		      option);
	}
	check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), mount->type);
	tree = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, mount->attributes);
	check(tree, mount->type);
	close(fs);
	return tree;
}

static void make_mounts(void)
{
	for (size_t i = 0; i < COUNT(mounts); i++) {
		const struct mount *mount = &mounts[i];
		int tree;

		if (mount->type) {
			tree = new_file_system(mount);
		} else {
			tree = clone_tree(AT_FDCWD, mount->source, AT_RECURSIVE);
			check(tree, mount->source);
			set_attributes(tree, mount->attributes);
		}
		if (strncmp(mount->target, "dev/", 4) == 0)
			check(mkdirat(root, mount->target, 0755), mount->target);
		attach(tree, mount->target);
		if (strcmp(mount->target, cgroup_mount) != 0)
			continue;
		/* v1: a directory for each hierarchy in that tmpfs. */
		for (size_t k = 0; k < COUNT(cgroup_shown) && cgroup_shown[k].path; k++) {
			mkdirat(root, cgroup_shown[k].text, 0755);
			tree = clone_tree(AT_FDCWD, cgroup_shown[k].path, 0);
			check(tree, cgroup_shown[k].path);
			set_attributes(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						 MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
			attach(tree, cgroup_shown[k].text);
		}
		if (cgroup_shown[0].path) {
			tree = openat(root, mount->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
			set_attributes(tree, MOUNT_ATTR_RDONLY);
			close(tree);
		}
	}
}

static void make_devices(void)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},	  {"dev/full", 1, 7},
		     {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const struct write links[] = {
	    {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
	    {"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
	    {"dev/core", "/proc/kcore"},       {"dev/ptmx", "pts/ptmx"}};

	for (size_t i = 0; i < COUNT(nodes); i++)
		check(mknodat(root, nodes[i].path, S_IFCHR | 0666,
			      makedev(nodes[i].major, nodes[i].minor)),
		      nodes[i].path);
	for (size_t i = 0; i < COUNT(links); i++)
		check(symlinkat(links[i].text, root, links[i].path), links[i].path);
}

/* One empty tmpfs for all directories; before Linux 6.15 only what is attached can be cloned. */
static int nothing(const char **at, const char *target)
{
	static const struct mount empty = {.type = "tmpfs", .attributes = MOUNT_ATTR_RDONLY};

	if (*at)
		return clone_tree(root, *at, 0);
	*at = target;
	return new_file_system(&empty);
}

static void hide(void)
{
	const char *hidden = NULL;
	struct stat info;
	int tree;

	for (size_t i = 0; i < COUNT(masked); i++) {
		if (fstatat(root, masked[i], &info, 0) < 0)
			continue;
		tree = S_ISDIR(info.st_mode) ? nothing(&hidden, masked[i])
					     : clone_tree(root, "dev/null", 0);
		check(tree, masked[i]);
		attach(tree, masked[i]);
	}
	for (size_t i = 0; i < COUNT(readonly); i++) {
		tree = clone_tree(root, readonly[i], AT_RECURSIVE);
		if (tree < 0)
			continue;
		set_attributes(tree, MOUNT_ATTR_RDONLY);
		attach(tree, readonly[i]);
	}
}

static void make_root(void)
{
	int tree;

	check(syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	tree = clone_tree(AT_FDCWD, root_path, AT_RECURSIVE);
	check(tree, root_path);
	check(syscall(SYS_move_mount, tree, "", AT_FDCWD, root_path, MOVE_MOUNT_F_EMPTY_PATH),
	      root_path);
	root = tree;
	make_mounts();
	make_devices();
	for (size_t i = 0; i < COUNT(sysctls) && sysctls[i].path; i++)
		write_file(root, sysctls[i].path, sysctls[i].text);
	hide();
	if (root_readonly)
		set_attributes(root, MOUNT_ATTR_RDONLY);
	check(fchdir(root), root_path);
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(syscall(SYS_umount2, ".", MNT_DETACH), "umount");
	check(chdir(cwd), cwd);
}

/* ---- the process ---- */

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

static void load_filter(void)
{
	struct sock_fprog program = {.len = filter_length,
				     .filter = (struct sock_filter *)(void *)filter};

	if (filter_length)
		check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			      &program),
		      "seccomp");
}

static void set_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (int cap = 0; cap < 64; cap++)
		if (!(bounding & (1ULL << cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	for (int half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(effective >> (32 * half));
		data[half].permitted = (uint32_t)(permitted >> (32 * half));
		data[half].inheritable = (uint32_t)(inheritable >> (32 * half));
	}
	check(syscall(SYS_capset, &header, data), "capset");
	for (int cap = 0; cap < 64; cap++)
		if (ambient & inheritable & (1ULL << cap))
			check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "ambient");
}

static void join_cgroups(void)
{
	for (size_t i = 0; i < COUNT(cgroup_joined) && cgroup_joined[i]; i++)
		write_file(AT_FDCWD, cgroup_joined[i], "0");
}

static _Noreturn void be_the_process(char *const *words)
{
	setsid();
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	for (size_t i = 0; i < COUNT(limits) && limits[i].resource >= 0; i++)
		check(setrlimit((__rlimit_resource_t)limits[i].resource, &limits[i].limit),
		      "limit");
	check(setgroups(groups_count, groups), "groups");
	if (!no_new_privileges)
		load_filter();
	set_capabilities();
	umask(022);
	if (no_new_privileges) {
		check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
		load_filter();
	}
	syscall(SYS_close_range, 3, ~0U, 0);
	execve(words[0], words, (char *const *)environment);
	fail(words[0]);
}

static _Noreturn void be_the_container(char *const *words)
{
	join_cgroups();
	if (own_cgroup_namespace)
		check(syscall(SYS_unshare, CLONE_NEWCGROUP), "cgroup namespace");
	umask(0);
	check(sethostname(hostname, strlen(hostname)), "hostname");
	loopback_up();
	make_root();
	be_the_process(words);
}

/* ---- what it is called for ---- */

static pid_t start(char *const *words)
{
	struct clone_args args = {.flags = clone_flags, .exit_signal = SIGCHLD};
	int into = -1;
	pid_t pid;

	for (size_t i = 0; i < COUNT(cgroup_made); i++)
		if (mkdir(cgroup_made[i], 0755) < 0 && errno != EEXIST)
			fail(cgroup_made[i]);
	write_all(cgroup_writes);
	if (cgroup_into) {
		into = open(cgroup_into, O_PATH | O_DIRECTORY | O_CLOEXEC);
		check(into, cgroup_into);
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)into;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		be_the_container(words);
	return pid;
}

/* Namespaces, cgroups and the process, of which there is one more then. */
static pid_t enter(pid_t container)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	int first = (int)syscall(SYS_pidfd_open, container, 0);
	int into = cgroup_into ? open(cgroup_into, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	pid_t pid;

	check(first, "pidfd_open");
	if (cgroup_into) {
		check(into, cgroup_into);
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)into;
	}
	check(setns(first, (int)(clone_flags | (own_cgroup_namespace ? CLONE_NEWCGROUP : 0))),
	      "setns");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		be_the_process((char *const *)arguments);
	return pid;
}

static void remove_cgroups(void)
{
	for (size_t i = COUNT(cgroup_made); i-- > 0;)
		check(rmdir(cgroup_made[i]), cgroup_made[i]);
}

static int wait_for(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc > 3 && strcmp(argv[1], "start") == 0) {
		FILE *out = fopen(argv[2], "w");

		if (!out || fprintf(out, "%d\n", (int)start(argv + 3)) < 0 || fclose(out) != 0)
			fail(argv[2]);
	} else if (argc == 3 && strcmp(argv[1], "exec") == 0) {
		join_cgroups();
		status = wait_for(enter((pid_t)atoi(argv[2])));
	} else if (argc == 2 && strcmp(argv[1], "remove") == 0) {
		remove_cgroups();
	} else {
		status = wait_for(start((char *const *)arguments));
		remove_cgroups();
	}
	return status;
}
