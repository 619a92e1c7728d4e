/* SPDX-License-Identifier: Apache-2.0 */
/* The names that config.json uses for the model's enums, and the end of a spec. */
#include "spec/internal.h"

#include <stdlib.h>
#include <string.h>

const char *spec_namespace_name(enum spec_namespace_type type)
{
	static const char *const names[SPEC_NS_TYPES] = {
	    [SPEC_NS_PID] = "pid",	 [SPEC_NS_NETWORK] = "network", [SPEC_NS_MOUNT] = "mount",
	    [SPEC_NS_IPC] = "ipc",	 [SPEC_NS_UTS] = "uts",		[SPEC_NS_USER] = "user",
	    [SPEC_NS_CGROUP] = "cgroup", [SPEC_NS_TIME] = "time",
	};

	return names[type];
}

const char *spec_hook_name(enum spec_hook_kind kind)
{
	static const char *const names[SPEC_HOOK_KINDS] = {
	    [SPEC_HOOK_PRESTART] = "prestart",
	    [SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	    [SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	    [SPEC_HOOK_START_CONTAINER] = "startContainer",
	    [SPEC_HOOK_POSTSTART] = "poststart",
	    [SPEC_HOOK_POSTSTOP] = "poststop",
	};

	return names[kind];
}

const char *spec_capability_set_name(enum spec_capability_set set)
{
	static const char *const names[SPEC_CAP_SETS] = {
	    [SPEC_CAP_BOUNDING] = "bounding",	    [SPEC_CAP_EFFECTIVE] = "effective",
	    [SPEC_CAP_INHERITABLE] = "inheritable", [SPEC_CAP_PERMITTED] = "permitted",
	    [SPEC_CAP_AMBIENT] = "ambient",
	};

	return names[set];
}

const char *spec_pairs_get(const struct spec_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (!strcmp(pairs->items[i].key, key))
			return pairs->items[i].value;
	}
	return NULL;
}

bool spec_name_known(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

void spec_free(struct spec *spec)
{
	if (!spec)
		return;
	arena_free(&spec->arena);
	free(spec);
}
