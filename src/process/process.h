/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's half of the process room: turns what config.json says about a process into the flat
 * plan that init reads (plan.h), and does for a waiting process what only its parent may.
 */
#ifndef RUNLXC_PROCESS_PROCESS_H
#define RUNLXC_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "process/plan.h"
#include "spec/spec.h"

/* A plan while it is being made: `struct plan` at the start, strings and lists behind it. */
struct plan_buffer {
	char *data;
	size_t size, capacity;
	bool failed; /* memory ran out; told by process_plan_seal() */
};
#define PLAN_BUFFER_INIT                                                                           \
	{                                                                                          \
		NULL, 0, 0, false                                                                  \
	}

void plan_buffer_init(struct plan_buffer *buffer);
void plan_buffer_free(struct plan_buffer *buffer);
#define cleanup_plan __attribute__((cleanup(plan_buffer_free)))

/* The plan's head. The pointer holds until the next plan_add_*(). */
struct plan *plan_head(struct plan_buffer *buffer);
plan_string plan_add_string(struct plan_buffer *buffer, const char *text); /* NULL: 0 */
struct plan_list plan_add_items(struct plan_buffer *buffer, const void *items, size_t count,
				size_t item_size);
struct plan_list plan_add_strings(struct plan_buffer *buffer, char *const *items, size_t count);

/*
 * Fills in everything that follows from `process`: arguments, environment, user, capabilities,
 * limits' flags. `keep_all_capabilities`: the process gets a user namespace of its own, so what we
 * lack does not matter. Warns of unknown capabilities and of those that we can't give because we
 * don't have them; they are left out: less privilege than asked, never more.
 */
int process_compile(const struct spec_process *process, bool own_user_namespace,
		    const struct log *log, struct plan_buffer *buffer, struct error *err);

/* The hooks that init runs before the program. `state` is the state document for them, with
 * PROCESS_STATE_PID where the pid goes as they see it. */
#define PROCESS_STATE_PID "2147483646"
int process_compile_hooks(const struct spec_hooks *hooks, const char *state,
			  struct plan_buffer *buffer, struct error *err);

/* "CAP_CHOWN", "cap_chown" or "chown" → 0; -1: unknown. */
int process_capability_from_name(const char *name);

/*
 * Compiles a seccomp profile and appends it to the plan. The BPF of a profile is kept in `cache`
 * (the state root's descriptor, -1: no cache) under a hash of its input, together with that input,
 * which must be equal to the byte to be used again: a collision costs time, never a wrong filter.
 */
int process_compile_seccomp(const struct spec_seccomp *seccomp, int cache, const struct log *log,
			    struct plan_buffer *buffer, struct error *err);

/* linux.memoryPolicy, which every process of the container has. */
void process_compile_memory_policy(const struct spec_linux *linux_, struct plan_buffer *buffer);

/* SECCOMP_FILTER_FLAG_*, up to NULL; and whether this kernel has one. */
extern const char *const process_seccomp_flags[];
bool process_seccomp_flag_supported(const char *name);

/* Copies the plan into a memfd that nobody can change any more. */
int process_plan_seal(struct plan_buffer *buffer, struct error *err);

/* init's own program, in a sealed memfd without O_CLOEXEC's flag set on it yet; O_CLOEXEC. */
int process_init_open(struct error *err);

/* What must be set from outside, on a process that waits: rlimits, oom_score_adj, scheduler, io
 * priority. Needs our rights, which the process may not have. */
int process_apply_from_outside(const struct spec_process *process, pid_t pid, struct error *err);

/* Whether the host can apply the labels that are asked for; an error names the field. */
int process_check_labels(const struct spec_process *process, struct error *err);
/* The same for linux.mountLabel (NULL: none), and whether it is one at all. */
int process_check_mount_label(const char *label, struct error *err);

#endif
