/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the system has the calls that runlxc can't do without: an older kernel doesn't, and a
 * seccomp filter around runlxc (an engine's, in a container) may refuse them. There is no second,
 * weaker way for any of them. Asked before anything is made, so that the answer is one line that
 * names what is missing, and nothing has to be undone without it. And whether /proc shows the
 * processes of our pid namespace: their numbers are both called and looked up.
 *
 * They are asked with arguments that the kernel refuses at once, and so do nothing: some 2 µs.
 */
#ifndef RUNLXC_BASE_KERNEL_CHECK_H
#define RUNLXC_BASE_KERNEL_CHECK_H

#include <stdbool.h>

#include "base/error.h"

/* For making a container, or a process in one. With `keyring` also that it can get a session
 * keyring of its own; a kernel that was built without keyrings is fine. 0, or -1 with *err. */
int kernel_check_for_containers(bool keyring, struct error *err);

/* For whatever is done to a container that is there: its processes, its cgroups. */
int kernel_check_for_processes(struct error *err);

#endif
