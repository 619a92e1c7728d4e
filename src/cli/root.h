/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNLXC_CLI_ROOT_H
#define RUNLXC_CLI_ROOT_H

#include "base/error.h"

/* The state root as an absolute path: --root when given, else the default for whoever calls. The
 * caller frees it. */
char *root_directory(const char *given, struct error *err);

#endif
