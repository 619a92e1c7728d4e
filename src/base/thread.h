/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of ours in a process that may be somebody else's. */
#ifndef RUNLXC_BASE_THREAD_H
#define RUNLXC_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create(3), with all signals blocked: no handler of the caller's ever runs on it. */
int thread_create(pthread_t *thread, void *(*function)(void *data), void *data);

#endif
