/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>

int thread_create(pthread_t *thread, void *(*function)(void *data), void *data)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	failed = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (failed)
		return failed;
	failed = pthread_create(thread, NULL, function, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}
