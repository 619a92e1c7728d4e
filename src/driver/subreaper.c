/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <pthread.h>
#include <sys/prctl.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int users;
static int before;

void subreaper_enter(void)
{
	pthread_mutex_lock(&lock);
	if (users++ == 0) {
		prctl(PR_GET_CHILD_SUBREAPER, &before);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	}
	pthread_mutex_unlock(&lock);
}

void subreaper_leave(void)
{
	pthread_mutex_lock(&lock);
	if (--users == 0)
		prctl(PR_SET_CHILD_SUBREAPER, before);
	pthread_mutex_unlock(&lock);
}
