/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model has and this version does not apply. It is refused by its field's name and never
 * ignored: a container without a limit or a filter that its config.json asks for is worse than
 * none. Whoever makes one of these work removes its line here, and nothing else in this room.
 */
#include "spec/internal.h"

#include "base/cleanup.h"

#define REASON "not supported by this version of runlxc"

/* A field, and whether the spec asks for something by it: `{}`, `[]` and zeros don't. */
struct field {
	bool asked;
	const char *name;
};

static const char *first_asked(const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i].asked)
			return fields[i].name;
	}
	return NULL;
}

int spec_refuse_unsupported_process(const struct spec_process *process, struct error *err)
{
	const struct field fields[] = {
	    {process->cpu_affinity_initial || process->cpu_affinity_final, "execCPUAffinity"},
	};
	const char *name = first_asked(fields, ARRAY_SIZE(fields));

	return name ? error_set(err, "%s%s: " REASON, process->where ?: "process.", name) : 0;
}

int spec_refuse_unsupported_resources(const struct spec_resources *resources, struct error *err)
{
	const struct field fields[] = {
	    {resources->rdma_count, "rdma"},
	    {resources->network.class_id.value || resources->network.priorities_count, "network"},
	    {resources->unified.count, "unified"},
	};
	const char *name = first_asked(fields, ARRAY_SIZE(fields));
	const char *where = resources->where ?: "linux.resources.";

	return name ? error_set(err, "%s%s: " REASON, where, name) : 0;
}

static int refuse_mounts(const struct spec *spec, struct error *err)
{
	static const char *const options[] = {"idmap", "ridmap", NULL};

	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		/* Validation has seen to it that gidMappings come along. */
		if (mount->uid_mappings.count)
			return spec_invalid(spec, err, "mounts[%zu].uidMappings: " REASON, i);
		for (size_t j = 0; j < mount->options.count; j++) {
			if (spec_name_known(options, mount->options.items[j]))
				return spec_invalid(spec, err,
						    "mounts[%zu].options[%zu] (%s): " REASON, i, j,
						    mount->options.items[j]);
		}
	}
	return 0;
}

static int refuse_seccomp(const struct spec *spec, struct error *err)
{
	static const char *const actions[] = {"SCMP_ACT_NOTIFY", NULL};
	const struct spec_seccomp *seccomp = &spec->linux_.seccomp;

	if (seccomp->listener_path)
		return spec_invalid(spec, err, "linux.seccomp.listenerPath: " REASON);
	if (seccomp->default_action && spec_name_known(actions, seccomp->default_action))
		return spec_invalid(spec, err, "linux.seccomp.defaultAction (%s): " REASON,
				    seccomp->default_action);
	for (size_t i = 0; i < seccomp->syscalls_count; i++) {
		if (spec_name_known(actions, seccomp->syscalls[i].action))
			return spec_invalid(spec, err,
					    "linux.seccomp.syscalls[%zu].action (%s): " REASON, i,
					    seccomp->syscalls[i].action);
	}
	return 0;
}

int spec_refuse_unsupported(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const struct spec_namespace *clock = &linux_->namespaces[SPEC_NS_TIME];
	const struct field fields[] = {
	    {spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count, "hooks.createContainer"},
	    {spec->hooks[SPEC_HOOK_START_CONTAINER].count, "hooks.startContainer"},
	    {linux_->time_offset_boottime.set || linux_->time_offset_monotonic.set,
	     "linux.timeOffsets"},
	    {linux_->intel_rdt.set, "linux.intelRdt"},
	    {linux_->memory_policy.set, "linux.memoryPolicy"},
	    {linux_->net_devices_count, "linux.netDevices"},
	};
	const char *name = first_asked(fields, ARRAY_SIZE(fields));

	if (name)
		return spec_invalid(spec, err, "%s: " REASON, name);
	if (clock->listed)
		return spec_invalid(spec, err, "linux.namespaces[%zu] (time): " REASON,
				    clock->index);
	if (refuse_mounts(spec, err) || refuse_seccomp(spec, err))
		return -1;
	return 0;
}
