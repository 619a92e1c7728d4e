/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter has besides what libseccomp compiles. */
#ifndef RUNLXC_PROCESS_SECCOMP_PARTS_H
#define RUNLXC_PROCESS_SECCOMP_PARTS_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

/* ---- seccomp_newer.c: calls that are newer than the profile ---- */

#define SECCOMP_NEWER_MAX 128

/*
 * A profile that lists what is allowed can't know calls of later kernels; programs that get EPERM
 * from these break, where with ENOSYS they would do without. So, as with runc: on an architecture
 * that the profile lists, a call whose number is beyond every call that it names is not there.
 * Writes what comes before the filter for that (room for SECCOMP_NEWER_MAX), and returns how many
 * instructions: none where the default action lets calls pass.
 */
size_t seccomp_newer_calls(const struct spec_seccomp *seccomp, struct sock_filter *code);

/* ---- seccomp_flags.c ---- */

/* The token of libseccomp's for "SCMP_ARCH_X86_64"; 0: not known to it. */
uint32_t seccomp_architecture(const char *name);

/* Of seccomp(2), for this filter. */
int seccomp_flags(const struct spec_seccomp *seccomp, const struct sock_filter *filter,
		  size_t count, uint32_t *flags, struct error *err);

#endif
