/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled seccomp filters, kept under the state root: compiling Docker's default profile costs
 * more than all the rest of a start. ROOT/@seccomp/HASH holds the whole input of the compilation
 * and the BPF; the input is compared to the byte, so the hash is only a file name. "@" is in no
 * container's id.
 */
#ifndef RUNLXC_PROCESS_SECCOMP_CACHE_H
#define RUNLXC_PROCESS_SECCOMP_CACHE_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/spec.h"

/* Everything that the compiled filter depends on: the profile, libseccomp's version, the
 * architecture. */
struct seccomp_key {
	char *data;
	size_t size;
	uint64_t hash;
};

void seccomp_key_make(struct seccomp_key *key, const struct spec_seccomp *seccomp);
void seccomp_key_free(struct seccomp_key *key);

/* -1: not there, or not usable; then it is compiled anew. *filter is the caller's to free. */
int seccomp_cache_load(int root, const struct seccomp_key *key, struct sock_filter **filter,
		       size_t *count);
/* -1 with errno: not kept; nothing depends on it. */
int seccomp_cache_store(int root, const struct seccomp_key *key, const struct sock_filter *filter,
			size_t count);

#endif
