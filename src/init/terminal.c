/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's terminal. The pty is made in the container's own devpts, so that its name means
 * something inside; its master goes to the parent, its slave becomes the standard streams. For PID
 * 1 the slave is also mounted on /dev/console, by descriptor: neither /dev/ptmx nor /dev/pts/N nor
 * /dev/console is ever used by a path that an image could have replaced (CVE-2025-52565).
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <termios.h>

#include "base/kernel.h"

#define DEVPTS_SUPER_MAGIC 0x1cd1
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int open_multiplexer(void)
{
	struct statfs fs;
	int root, fd, saved;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = kernel_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0,
			    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	saved = errno;
	close(root);
	errno = saved;
	/* A file that only looks like it is not on a devpts. */
	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)) {
		close(fd);
		errno = ENODEV;
		return -1;
	}
	return fd;
}

static void mount_console(struct init *init, int slave)
{
	int target, tree;

	target = mounts_open_target("/dev/console", true, true, true);
	if (target < 0)
		report_failure(init, 0, errno, "process.terminal: Failed to open \"/dev/console\"");
	tree = kernel_open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	if (tree < 0 || kernel_move_mount(tree, target) < 0)
		report_failure(
		    init, 0, errno,
		    "process.terminal: Failed to mount the terminal on \"/dev/console\"");
	close(tree);
	close(target);
}

void terminal_apply(struct init *init)
{
	const struct plan *plan = init->plan;
	struct winsize size = {.ws_row = (unsigned short)plan->console_height,
			       .ws_col = (unsigned short)plan->console_width};
	int master, slave, unlock = 0;

	master = open_multiplexer();
	if (master < 0)
		report_failure(
		    init, 0, errno,
		    "process.terminal: Failed to open \"/dev/pts/ptmx\" in the container");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0 ||
	    (slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		report_failure(init, 0, errno, "process.terminal: Failed to make a terminal");
	if (size.ws_row && size.ws_col)
		ioctl(master, TIOCSWINSZ, &size);
	/* The terminal is the user's; its group stays what the devpts gives it (tty). */
	if (fchown(slave, plan->uid, (gid_t)-1) < 0 && errno != EPERM && errno != EINVAL)
		report_failure(init, 0, errno,
			       "process.terminal: Failed to give the terminal to user %u",
			       plan->uid);
	if (!(plan->flags & PLAN_JOIN))
		mount_console(init, slave);
	report_send(init, SYNC_TERMINAL, master);
	close(master);

	/* A session of its own; LXC may have made it one already. */
	setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		report_failure(init, 0, errno,
			       "process.terminal: Failed to make it the controlling terminal");
	if (dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0)
		report_failure(init, 0, errno,
			       "process.terminal: Failed to set the standard streams");
	close(slave);
}
