/* SPDX-License-Identifier: Apache-2.0 */
/* `linux.seccomp` of config.json. */
#include "spec/internal.h"

static int read_arg(const struct json_value *at, void *into)
{
	struct spec_seccomp_arg *arg = into;

	if (json_require(at, "index") || json_get_u32(at, "index", &arg->index) ||
	    json_get_u64(at, "value", &arg->value) ||
	    json_get_u64(at, "valueTwo", &arg->value_two) || json_require(at, "op") ||
	    json_get_string(at, "op", &arg->op))
		return -1;
	return 0;
}

static int read_rule(const struct json_value *at, void *into)
{
	struct spec_seccomp_rule *rule = into;
	struct json_list args;

	if (spec_get_strings(at, "names", &rule->names) || json_require(at, "action") ||
	    json_get_string(at, "action", &rule->action) ||
	    spec_get_u64(at, "errnoRet", &rule->errno_ret) ||
	    json_get_list(at, "args", sizeof(struct spec_seccomp_arg), read_arg, &args))
		return -1;
	rule->args_count = args.count;
	rule->args = args.items;
	return 0;
}

int spec_read_seccomp(const struct json_value *at, struct spec_seccomp *seccomp)
{
	struct json_list syscalls;

	if (spec_get_string(at, "defaultAction", &seccomp->default_action) ||
	    spec_get_u64(at, "defaultErrnoRet", &seccomp->default_errno_ret) ||
	    spec_get_strings(at, "architectures", &seccomp->architectures) ||
	    spec_get_strings(at, "flags", &seccomp->flags) ||
	    spec_get_string(at, "listenerPath", &seccomp->listener_path) ||
	    spec_get_string(at, "listenerMetadata", &seccomp->listener_metadata) ||
	    json_get_list(at, "syscalls", sizeof(struct spec_seccomp_rule), read_rule, &syscalls))
		return -1;
	seccomp->flags_set = json_member(at, "flags").object;
	seccomp->syscalls_count = syscalls.count;
	seccomp->syscalls = syscalls.items;

	/* As runc: without a default action and rules, `seccomp: {}` asks for no filter. */
	seccomp->set = at->object && (seccomp->default_action || seccomp->syscalls_count);
	return 0;
}
