/* SPDX-License-Identifier: Apache-2.0 */
#include "base/kernel_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"

#define BAD 0xffffffffL /* flags, or a command, that no call knows */

static const struct needed {
	const char *name;
	long number, arguments[5];
	bool by_containers;  /* else by whatever is done to one that is there, too */
	bool may_be_missing; /* the C library or LXC has another way, but not where it is refused */
	bool takes_rights;   /* EPERM is the kernel's own answer to a user */
} calls[] = {
    {"openat2", SYS_openat2, {-1, 0, 0, 0}, false, false, false},
    {"pidfd_open", SYS_pidfd_open, {-1, BAD}, false, false, false},
    {"pidfd_send_signal", SYS_pidfd_send_signal, {-1, 0, 0, BAD}, false, false, false},
    {"open_tree", SYS_open_tree, {-1, 0, BAD}, true, false, false},
    {"move_mount", SYS_move_mount, {-1, 0, -1, 0, BAD}, true, false, true},
    {"fsopen", SYS_fsopen, {0, BAD}, true, false, true},
    {"fsconfig", SYS_fsconfig, {-1, BAD}, true, false, false},
    {"fsmount", SYS_fsmount, {-1, BAD}, true, false, true},
    {"fspick", SYS_fspick, {-1, 0, BAD}, true, false, true},
    {"mount_setattr", SYS_mount_setattr, {-1, 0, BAD}, true, false, false},
    {"close_range", SYS_close_range, {1, 0, BAD}, true, false, false},
    {"memfd_create", SYS_memfd_create, {0, BAD}, true, false, false},
    {"execveat", SYS_execveat, {-1, 0, 0, 0, BAD}, true, false, false},
    {"clone3", SYS_clone3, {0, 0}, true, true, false},
    {"faccessat2", SYS_faccessat2, {-1, 0, 0, BAD}, true, true, false},
};

static int answer(const struct needed *call)
{
	const long *arguments = call->arguments;

	return syscall(call->number, arguments[0], arguments[1], arguments[2], arguments[3],
		       arguments[4]) < 0
		   ? errno
		   : 0;
}

/* "openat2(2), fsopen(2)" */
struct names {
	char text[256];
	size_t length;
};

static void add_name(struct names *names, const char *name)
{
	size_t room = sizeof(names->text) - names->length;
	int written =
	    snprintf(names->text + names->length, room, "%s%s(2)", names->length ? ", " : "", name);

	if (written > 0 && (size_t)written < room)
		names->length += (size_t)written;
}

/* Of another pid namespace it has other processes under our numbers. */
static int check_proc(struct error *err)
{
	char self[16] = "", own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0 && errno != ENOENT)
		return error_errno(err, errno, "/proc/self");
	return strcmp(self, own) == 0
		   ? 0
		   : error_set(err, "/proc is not of the pid namespace that runlxc is in: mount a "
				    "proc there");
}

static int check(bool for_containers, struct error *err)
{
	struct names missing = {.length = 0}, refused = {.length = 0};

	if (check_proc(err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int error = calls[i].by_containers && !for_containers ? 0 : answer(&calls[i]);

		if (error == ENOSYS && !calls[i].may_be_missing)
			add_name(&missing, calls[i].name);
		if (error == EPERM && !(calls[i].takes_rights && geteuid() != 0))
			add_name(&refused, calls[i].name);
	}
	if (missing.length)
		return error_set(err,
				 "this system does not have %s: runlxc needs Linux 5.12 or newer, "
				 "and no seccomp filter around it that hides them",
				 missing.text);
	if (refused.length)
		return error_set(err,
				 "this system refuses %s, which runlxc needs: by a seccomp filter "
				 "around it, or for want of rights",
				 refused.text);
	return 0;
}

int kernel_check_for_processes(struct error *err)
{
	return check(false, err);
}

int kernel_check_for_containers(bool keyring, struct error *err)
{
	if (check(true, err) < 0)
		return -1;
	/* Without its rights an engine's filter refuses the call as a whole, whatever is asked. */
	if (keyring && syscall(SYS_keyctl, BAD, 0, 0, 0, 0) < 0 && errno == EPERM)
		return error_set(err, "this system refuses keyctl(2), without which a container "
				      "would share its caller's session keyring; it may with "
				      "--no-new-keyring");
	return 0;
}
