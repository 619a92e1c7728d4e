/* SPDX-License-Identifier: Apache-2.0 */
/* `process` of config.json, which is also the whole of an exec's process document. */
#include "spec/internal.h"

static int read_user(const struct json_value *at, struct spec_user *user)
{
	struct json_value member, gids;

	if (json_get_object(at, "user", &member) || json_get_u32(&member, "uid", &user->uid) ||
	    json_get_u32(&member, "gid", &user->gid) ||
	    json_get_u32(&member, "umask", &user->umask) ||
	    json_get_array(&member, "additionalGids", &gids))
		return -1;
	user->umask_set = json_member(&member, "umask").object;

	if (!json_count(&gids))
		return 0;
	user->additional_gids = json_alloc(&gids, json_count(&gids), sizeof(uint32_t));
	if (!user->additional_gids)
		return -1;
	for (; user->additional_gids_count < json_count(&gids); user->additional_gids_count++) {
		size_t i = user->additional_gids_count;
		struct json_value gid = json_element(&gids, i);

		if (json_as_u32(&gid, &user->additional_gids[i]))
			return -1;
	}
	return 0;
}

static int read_capabilities(const struct json_value *at, struct spec_capabilities *capabilities)
{
	struct json_value member;

	if (json_get_object(at, "capabilities", &member))
		return -1;
	capabilities->set = member.object;
	for (int i = 0; i < SPEC_CAP_SETS; i++) {
		if (spec_get_strings(&member, spec_capability_set_name(i), &capabilities->sets[i]))
			return -1;
	}
	return 0;
}

static int read_rlimit(const struct json_value *at, void *into)
{
	struct spec_rlimit *rlimit = into;

	/* A limit left out must not become a limit of 0. */
	if (json_require(at, "type") || json_require(at, "soft") || json_require(at, "hard") ||
	    json_get_string(at, "type", &rlimit->type) || json_get_u64(at, "soft", &rlimit->soft) ||
	    json_get_u64(at, "hard", &rlimit->hard))
		return -1;
	return 0;
}

static int read_scheduler(const struct json_value *at, struct spec_scheduler *scheduler)
{
	struct json_value member;

	if (json_get_object(at, "scheduler", &member))
		return -1;
	scheduler->set = member.object;
	if (spec_get_string(&member, "policy", &scheduler->policy) ||
	    json_get_i32(&member, "nice", &scheduler->nice) ||
	    json_get_i32(&member, "priority", &scheduler->priority) ||
	    spec_get_strings(&member, "flags", &scheduler->flags) ||
	    json_get_u64(&member, "runtime", &scheduler->runtime) ||
	    json_get_u64(&member, "deadline", &scheduler->deadline) ||
	    json_get_u64(&member, "period", &scheduler->period))
		return -1;
	return 0;
}

/* consoleSize, ioPriority and execCPUAffinity. */
static int read_small_objects(const struct json_value *at, struct spec_process *process)
{
	struct json_value size, priority, affinity;

	if (json_get_object(at, "consoleSize", &size) ||
	    json_get_u32(&size, "height", &process->console_height) ||
	    json_get_u32(&size, "width", &process->console_width) ||
	    json_get_object(at, "ioPriority", &priority) ||
	    json_get_i32(&priority, "priority", &process->io_priority) ||
	    json_get_object(at, "execCPUAffinity", &affinity) ||
	    spec_get_string(&affinity, "initial", &process->cpu_affinity_initial) ||
	    spec_get_string(&affinity, "final", &process->cpu_affinity_final))
		return -1;

	/* The class says whether a priority is asked for at all, so it must not be missing. */
	if (priority.object && (json_require(&priority, "class") ||
				json_get_string(&priority, "class", &process->io_priority_class)))
		return -1;
	return 0;
}

int spec_read_process(const struct json_value *at, struct spec_process *process)
{
	struct json_list rlimits;

	process->set = true;
	if (json_get_bool(at, "terminal", &process->terminal) ||
	    spec_get_strings(at, "args", &process->args) ||
	    spec_get_strings(at, "env", &process->env) ||
	    spec_get_string(at, "cwd", &process->cwd) ||
	    json_get_bool(at, "noNewPrivileges", &process->no_new_privileges) ||
	    spec_get_string(at, "apparmorProfile", &process->apparmor_profile) ||
	    spec_get_string(at, "selinuxLabel", &process->selinux_label) ||
	    spec_get_i64(at, "oomScoreAdj", &process->oom_score_adj) ||
	    read_user(at, &process->user) || read_capabilities(at, &process->capabilities) ||
	    read_scheduler(at, &process->scheduler) || read_small_objects(at, process) ||
	    json_get_list(at, "rlimits", sizeof(struct spec_rlimit), read_rlimit, &rlimits))
		return -1;
	process->rlimits_count = rlimits.count;
	process->rlimits = rlimits.items;
	return 0;
}
