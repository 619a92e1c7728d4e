/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/children.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A pipe that nobody writes to: its writing end is the monitor's alone, and goes with it. */
static int alive[2] = {-1, -1};

void children_begin(void)
{
	if (pipe2(alive, O_CLOEXEC) < 0)
		_exit(1);
}

void children_follow(void)
{
	struct pollfd event = {.fd = alive[0], .events = POLLIN};

	if (alive[0] < 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before that. */
	close(alive[1]);
	if (poll(&event, 1, 0) != 0)
		_exit(1);
	close(alive[0]);
	alive[0] = alive[1] = -1;
}
