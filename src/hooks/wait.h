/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a hook; the library's and init's alike. */
#ifndef RUNLXC_HOOKS_WAIT_H
#define RUNLXC_HOOKS_WAIT_H

#include <stdint.h>
#include <sys/types.h>

/* Reaps the child `pid`: 0 when it has ended, 1 when `timeout` seconds (below 0: none) were over
 * and it was killed. */
int hook_wait(pid_t pid, int64_t timeout, int *status);

/* "bad system call", as Go's runtimes write it; the calling thread's until its next call. */
const char *hook_signal_text(int number);

#endif
