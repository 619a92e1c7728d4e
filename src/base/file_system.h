/* SPDX-License-Identifier: Apache-2.0 */
/* Making file systems by fsopen(2); the library's and init's alike. */
#ifndef RUNLXC_BASE_FILE_SYSTEM_H
#define RUNLXC_BASE_FILE_SYSTEM_H

/* Hands options, as mount(8) writes them ("size=64k,noswap"), to a file system that is being made,
 * one by one. 0, or -1 with errno. */
int file_system_configure(int fs, const char *data);

#endif
