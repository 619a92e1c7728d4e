/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs. Each is called with its own words (argv[0] is its name), reads them, calls the driver
 * and prints. It returns what the command exits with, or -1 with *err filled.
 */
#ifndef RUNLXC_CLI_VERBS_H
#define RUNLXC_CLI_VERBS_H

#include "base/error.h"
#include "driver/driver.h"

typedef int verb_function(const struct driver *driver, int argc, char **argv, struct error *err);

verb_function verb_checkpoint;
verb_function verb_config;
verb_function verb_create;
verb_function verb_delete;
verb_function verb_events;
verb_function verb_exec;
verb_function verb_features;
verb_function verb_kill;
verb_function verb_list;
verb_function verb_pause;
verb_function verb_ps;
verb_function verb_restore;
verb_function verb_resume;
verb_function verb_run;
verb_function verb_spec;
verb_function verb_start;
verb_function verb_state;
verb_function verb_stats;
verb_function verb_update;
verb_function verb_wait;

#endif
