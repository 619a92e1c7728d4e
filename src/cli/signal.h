/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNLXC_CLI_SIGNAL_H
#define RUNLXC_CLI_SIGNAL_H

#include "base/error.h"

/* A signal's number from what a user calls it: "9", "KILL", "sigkill", "SIGRTMIN+3", "RTMAX-1". 0
 * is kill(2)'s probe. -1 with an error that names it. */
int signal_parse(const char *text, struct error *err);

#endif
