/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by this room's own files. */
#ifndef RUNLXC_STATE_INTERNAL_H
#define RUNLXC_STATE_INTERNAL_H

#include <stddef.h>

#include "state/state.h"

#define STATE_FILE "state.json"
#define STATE_CREATING_FILE "creating.json"

/* The full path of a file in the directory, for messages. */
void state_file_name(const struct state_dir *dir, const char *name, char *text, size_t size);

#endif
