/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model has and this version does not apply. It is refused by its field's name and never
 * ignored: a container without a limit or a filter that its config.json asks for is worse than
 * none. Whoever makes one of these work removes its line here, and nothing else in this room.
 */
#include "spec/internal.h"

#include <sys/vfs.h>

#define REASON "not supported by this version of runlxc"

/* config-linux.md, "IntelRdt": an error where the file system isn't mounted. */
static int refuse_intel_rdt(const struct spec *spec, struct error *err)
{
	const long magic = 0x7655821; /* RDTGROUP_SUPER_MAGIC of <linux/magic.h> */
	struct statfs fs;

	if (!spec->linux_.intel_rdt.set)
		return 0;
	if (statfs("/sys/fs/resctrl", &fs) < 0 || fs.f_type != magic)
		return spec_invalid(spec, err,
				    "linux.intelRdt: the host has no resctrl file "
				    "system on /sys/fs/resctrl");
	return spec_invalid(spec, err, "linux.intelRdt: " REASON ", which leaves resctrl alone");
}

int spec_refuse_unsupported(const struct spec *spec, struct error *err)
{
	return refuse_intel_rdt(spec, err);
}
