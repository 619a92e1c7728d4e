/* SPDX-License-Identifier: Apache-2.0 */
/* A Command in a file: `run --command FILE` and `spec --from-command FILE`. */
#ifndef RUNLXC_CLI_COMMAND_FILE_H
#define RUNLXC_CLI_COMMAND_FILE_H

#include "base/error.h"
#include "driver/driver.h"

/* What errors call it. */
const char *command_file_name(const char *file);

/*
 * The OCI document for the Command in `file`, "-" being standard input. `id` is used in place of
 * the Command's own, unless it is NULL. *id_used gets the id. The caller frees both.
 */
char *command_file_config(const struct driver *driver, const char *file, const char *id,
			  char **id_used, struct error *err);

#endif
