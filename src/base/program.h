/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are inside the library (blob.c.in). */
#ifndef RUNLXC_BASE_PROGRAM_H
#define RUNLXC_BASE_PROGRAM_H

#include "base/error.h"

/*
 * A program in a sealed memfd called `name`, O_CLOEXEC. Sealed, and a copy of its own for each use:
 * whatever a container does to it through /proc/PID/exe, neither the host nor another container
 * ever executes it (CVE-2019-5736).
 */
int program_open(const char *name, const char *start, const char *end, struct error *err);

#endif
