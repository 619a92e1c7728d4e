/* SPDX-License-Identifier: Apache-2.0 */
/* OCI hooks (config.md "POSIX-platform Hooks", runtime.md "Lifecycle"), but for startContainer,
 * which is init's. */
#ifndef RUNLXC_HOOKS_HOOKS_H
#define RUNLXC_HOOKS_HOOKS_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "spec/spec.h"

/* Whose namespaces a hook runs in. */
struct hooks_namespaces {
	int pidfd;
	uint32_t flags; /* CLONE_NEW*: those that aren't the runtime's */
};

/*
 * Runs every hook of one kind, one after another, in the runtime's namespaces, or with `namespaces`
 * (else NULL) in those of a process, whose root is still the host's: `state` (the OCI
 * state document) on its stdin, the environment and arguments exactly as given, `directory` as its
 * working directory. Stops at the first that fails: a status other than 0, a signal, a time-out (it
 * is killed), or one that can't be executed. The error names it: "hooks.prestart[0]", and ends with
 * the last that the hook wrote to its stdout and stderr, which are not ours.
 */
int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const char *state,
	      const char *directory, const struct hooks_namespaces *namespaces, struct error *err);

/* Those of `poststop`, every one whatever came of the others: a failure is warned of (runtime.md,
 * lifecycle step 13). */
void hooks_run_poststop(const struct spec *spec, const char *state, const char *directory,
			const struct log *log);

#endif
