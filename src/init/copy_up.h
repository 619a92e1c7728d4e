/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup: a tmpfs that starts with what it covers. */
#ifndef RUNLXC_INIT_COPY_UP_H
#define RUNLXC_INIT_COPY_UP_H

#include <stdbool.h>

/* Copies everything below the directory `from` (O_PATH) into the directory `to`: files,
 * directories, symlinks, nodes; mode, owner and times. Stays on from's file system. With `has_mode`
 * `to` itself keeps the mode that it was made with. -1 with errno.
 */
int copy_up(int from, int to, bool has_mode);

#endif
