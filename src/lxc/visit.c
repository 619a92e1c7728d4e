/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/visit.h"

#include <errno.h>
#include <sched.h>

#include "base/thread.h"

struct visit {
	int ns;
	int (*what)(void *data);
	void *data;
	int result, error;
};

static void *visitor(void *data)
{
	struct visit *visit = data;

	visit->result = setns(visit->ns, CLONE_NEWNET) < 0 ? -1 : visit->what(visit->data);
	visit->error = errno;
	return NULL;
}

int visit_network(int ns, int (*what)(void *data), void *data)
{
	struct visit visit = {.ns = ns, .what = what, .data = data};
	pthread_t thread;

	errno = thread_create(&thread, visitor, &visit);
	if (errno)
		return -1;
	pthread_join(thread, NULL);
	errno = visit.error;
	return visit.result;
}
