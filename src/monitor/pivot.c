/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/pivot.h"

#include <errno.h>
#include <sys/socket.h>

#include "process/plan.h"

static int announce_on = -1;

void pivot_announce(int sync)
{
	announce_on = sync;
}

int pivot_is_next(void)
{
	char message = SYNC_PIVOT;
	ssize_t got;

	if (announce_on < 0)
		return 0;
	if (send(announce_on, &message, 1, MSG_NOSIGNAL) != 1)
		return -1;
	do
		got = recv(announce_on, &message, 1, 0);
	while (got < 0 && errno == EINTR);
	if (got == 1 && message == SYNC_PIVOT)
		return 0;
	/* The caller gave up; LXC undoes what it has made. */
	errno = ECANCELED;
	return -1;
}
