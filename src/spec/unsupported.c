/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model has and this version does not apply. It is refused by its field's name and never
 * ignored: a container without a limit or a filter that its config.json asks for is worse than
 * none. Whoever makes one of these work removes its line here, and nothing else in this room.
 */
#include "spec/internal.h"

#include <sys/vfs.h>

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

/* config-linux.md, "IntelRdt": an error where the file system isn't mounted. */
static int refuse_intel_rdt(const struct spec *spec, struct error *err)
{
	const long magic = 0x7655821; /* RDTGROUP_SUPER_MAGIC of <linux/magic.h> */
	struct statfs fs;

	if (!spec->linux_.intel_rdt.set)
		return 0;
	if (statfs("/sys/fs/resctrl", &fs) < 0 || fs.f_type != magic)
		return spec_invalid(spec, err, "linux.intelRdt: the host has no resctrl file "
				    "system on /sys/fs/resctrl");
	return spec_invalid(spec, err, "linux.intelRdt: " REASON ", which leaves resctrl alone");
}

int spec_refuse_unsupported(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const struct field fields[] = {
	    {linux_->mount_label != NULL, "linux.mountLabel"},
	};
	const char *name = first_asked(fields, ARRAY_SIZE(fields));

	if (name)
		return spec_invalid(spec, err, "%s: " REASON, name);
	if (refuse_intel_rdt(spec, err) || refuse_mounts(spec, err))
		return -1;
	return 0;
}
