/* SPDX-License-Identifier: Apache-2.0 */
#include "console/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "console/console.h"

int console_set_size(int terminal, uint32_t height, uint32_t width, struct error *err)
{
	struct winsize size = {0};

	if (height == 0 || width == 0)
		return 0;
	if (height > USHRT_MAX || width > USHRT_MAX)
		return error_set(err, "console size %ux%u: at most %ux%u", height, width, USHRT_MAX,
				 USHRT_MAX);
	size.ws_row = (unsigned short)height;
	size.ws_col = (unsigned short)width;
	if (ioctl(terminal, TIOCSWINSZ, &size) < 0)
		return error_errno(err, errno, "set console size %ux%u", height, width);
	return 0;
}

static struct termios make_raw(const struct termios *settings)
{
	struct termios raw = *settings;

	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return raw;
}

int terminal_raw_enter(struct terminal_raw *raw, int fd, struct error *err)
{
	struct termios settings;

	raw->fd = -1;
	if (fd < 0 || tcgetattr(fd, &raw->before) < 0)
		return 0;
	settings = make_raw(&raw->before);
	if (tcsetattr(fd, TCSANOW, &settings) == 0)
		raw->fd = fd;
	else if (errno !=
		 EIO) /* EIO: in the background for good, where nothing is typed to us either */
		return error_errno(err, errno, "make the terminal raw");
	return 0;
}

/*
 * From the background it would stop us, for taking the terminal away from whoever is in front. Then
 * it is left for the next time.
 */
void terminal_raw_again(const struct terminal_raw *raw)
{
	struct termios settings;

	if (raw->fd < 0 || tcgetpgrp(raw->fd) != getpgrp())
		return;
	settings = make_raw(&raw->before);
	tcsetattr(raw->fd, TCSANOW, &settings);
}

void terminal_raw_leave(struct terminal_raw *raw)
{
	sigset_t stop, before;
	int saved = errno;

	if (raw->fd < 0)
		return;
	/* Even from the background: a terminal that is left raw is of no use to anyone. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	tcsetattr(raw->fd, TCSANOW, &raw->before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	raw->fd = -1;
	errno = saved;
}

static bool get_size(int fd, struct winsize *size)
{
	return fd >= 0 && ioctl(fd, TIOCGWINSZ, size) == 0 && size->ws_row && size->ws_col;
}

void terminal_copy_size(int first, int second, int to)
{
	struct winsize size;

	if (get_size(first, &size) || get_size(second, &size))
		ioctl(to, TIOCSWINSZ, &size);
}

void console_copy_size(int from, int to)
{
	terminal_copy_size(from, -1, to);
}

int terminal_reopen(int fd, int access)
{
	char path[sizeof("/proc/self/fd/") + 11];
	unsigned int number;

	if (fd < 0 || !isatty(fd))
		return -1;
	/* Opening a master again would make a new pty. */
	if (ioctl(fd, TIOCGPTN, &number) == 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int terminal_open_slave(int fd)
{
	/* By the master, not by a name: its devpts may be mounted in another mount namespace only.
	 */
	return ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int terminal_end_of_file(int fd)
{
	struct termios settings;

	/* A master answers for its slave. */
	if (tcgetattr(fd, &settings) < 0 || !(settings.c_lflag & ICANON) ||
	    settings.c_cc[VEOF] == _POSIX_VDISABLE)
		return -1;
	return settings.c_cc[VEOF];
}
