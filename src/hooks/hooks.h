/* SPDX-License-Identifier: Apache-2.0 */
/* OCI hooks (config.md "POSIX-platform Hooks", runtime.md "Lifecycle") that run on the host. */
#ifndef RUNLXC_HOOKS_HOOKS_H
#define RUNLXC_HOOKS_HOOKS_H

#include "base/error.h"
#include "spec/spec.h"

/*
 * Runs every hook of one kind, one after another, in the runtime's namespaces: `state` (the OCI
 * state document) on its stdin, the environment and arguments exactly as given, `directory` as its
 * working directory. Stops at the first that fails: a status other than 0, a signal, a time-out (it
 * is killed), or one that can't be executed. The error names it: "hooks.prestart[0]", and ends with
 * the last that the hook wrote to its stdout and stderr, which are not ours.
 */
int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const char *state,
	      const char *directory, struct error *err);

#endif
