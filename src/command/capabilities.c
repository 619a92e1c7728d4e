/* SPDX-License-Identifier: Apache-2.0 */
/* What a Command's process may do: Docker's 14, and what cap_add and cap_drop make of them. */
#include "command/internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "base/cleanup.h"
#include "process/process.h"

static const int docker_default[] = {
    CAP_CHOWN,	 CAP_DAC_OVERRIDE, CAP_FSETID,		 CAP_FOWNER,
    CAP_MKNOD,	 CAP_NET_RAW,	   CAP_SETGID,		 CAP_SETUID,
    CAP_SETFCAP, CAP_SETPCAP,	   CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
    CAP_KILL,	 CAP_AUDIT_WRITE};

static bool has_all(const char *const *names)
{
	for (; names && *names; names++) {
		if (strcasecmp(*names, "all") == 0)
			return true;
	}
	return false;
}

/* The capabilities that are named one by one; command_check() has seen that they are known. */
static uint64_t named(const char *const *names)
{
	uint64_t mask = 0;

	for (; names && *names; names++) {
		int capability = process_capability_from_name(*names);

		if (capability >= 0 && capability < 64)
			mask |= UINT64_C(1) << capability;
	}
	return mask;
}

/* Everything that this kernel has and that we ourselves were not kept from. */
static uint64_t every_capability(void)
{
	uint64_t mask = 0;
	int has = 0;

	for (int capability = 0; capability < 64 && has >= 0; capability++) {
		has = cap_get_bound(capability);
		if (has > 0)
			mask |= UINT64_C(1) << capability;
	}
	return mask;
}

/*
 * Docker's order: "all" in cap_add replaces the default, cap_drop takes away from that, and what
 * cap_add names is given in any case.
 */
static uint64_t capability_mask(const struct runlxc_command *command)
{
	uint64_t mask = 0;

	if (command->process_config.privileged)
		return every_capability();
	for (size_t i = 0; i < ARRAY_SIZE(docker_default); i++)
		mask |= UINT64_C(1) << docker_default[i];
	if (has_all(command->cap_add))
		mask = every_capability();
	if (has_all(command->cap_drop))
		mask = 0;
	return (mask & ~named(command->cap_drop)) | named(command->cap_add);
}

const char *const *command_capabilities(const struct runlxc_command *command, struct arena *arena)
{
	uint64_t mask = capability_mask(command);
	const char **names = arena_alloc(arena, 65, sizeof(*names));
	size_t count = 0;

	for (int capability = 0; names && capability < 64; capability++) {
		char *name, *copy;

		if (!(mask & UINT64_C(1) << capability))
			continue;
		name = cap_to_name(capability);
		/* A kernel may be newer than libcap, which then gives a number. */
		if (!name || process_capability_from_name(name) < 0) {
			cap_free(name);
			continue;
		}
		copy = arena_strdup(arena, name);
		cap_free(name);
		if (!copy)
			return NULL;
		for (char *c = copy; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		names[count++] = copy;
	}
	return names;
}
