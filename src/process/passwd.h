/* SPDX-License-Identifier: Apache-2.0 */
/* The container's passwd file, read inside the container. */
#ifndef RUNLXC_PROCESS_PASSWD_H
#define RUNLXC_PROCESS_PASSWD_H

#include <stdint.h>

/* "HOME=<directory of the user>", or "HOME=/" where the file does not tell. Lives until exec. */
char *passwd_home(uint32_t uid);

#endif
