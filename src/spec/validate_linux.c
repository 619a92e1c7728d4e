/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for `linux`, but for its sysctls, its seccomp section and its resources. */
#include "spec/internal.h"

#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"

/* The kernel's UID_GID_MAP_MAX_EXTENTS. */
#define MAPPINGS_MAX 340

/* What a dev_t has room for: 12 bits and 20. Larger numbers would wrap into another device's. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

static int validate_namespaces(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const struct spec_namespace *mount = &linux_->namespaces[SPEC_NS_MOUNT];
	const struct spec_namespace *clock = &linux_->namespaces[SPEC_NS_TIME];

	for (int type = 0; type < SPEC_NS_TYPES; type++) {
		const struct spec_namespace *ns = &linux_->namespaces[type];
		const char *fault = ns->path ? spec_absolute_path_fault(ns->path) : NULL;

		if (fault)
			return spec_invalid(spec, err, "linux.namespaces[%zu].path: %s", ns->index,
					    fault);
	}

	/* The container's root is made in it; without one it would be made in the host's. */
	if (!mount->listed)
		return spec_invalid(spec, err, "linux.namespaces: a mount namespace is missing");
	if (mount->path)
		return spec_invalid(
		    spec, err, "linux.namespaces[%zu].path: the mount namespace must be a new one",
		    mount->index);

	if ((linux_->time_offset_boottime.set || linux_->time_offset_monotonic.set) &&
	    (!clock->listed || clock->path))
		return spec_invalid(spec, err,
				    "linux.timeOffsets: can't be set without a new time namespace "
				    "in linux.namespaces");
	if (linux_->time_offset_boottime.nanosecs >= 1000000000 ||
	    linux_->time_offset_monotonic.nanosecs >= 1000000000)
		return spec_invalid(
		    spec, err, "linux.timeOffsets.%s.nanosecs: is not in 0 to 999999999",
		    linux_->time_offset_boottime.nanosecs >= 1000000000 ? "boottime" : "monotonic");
	return 0;
}

static bool overlap(uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* user_namespaces(7): no range twice, on neither side; the kernel would only say EINVAL. */
static int validate_mappings(const struct spec *spec, const char *field,
			     const struct spec_id_mappings *mappings, struct error *err)
{
	if (mappings->count > MAPPINGS_MAX)
		return spec_invalid(spec, err, "linux.%s: has more than %d entries", field,
				    MAPPINGS_MAX);
	for (size_t i = 0; i < mappings->count; i++) {
		const struct spec_id_mapping *a = &mappings->items[i];

		if (!a->size)
			return spec_invalid(spec, err, "linux.%s[%zu].size: must not be 0", field,
					    i);
		if (a->size > UINT32_MAX - a->container_id || a->size > UINT32_MAX - a->host_id)
			return spec_invalid(spec, err, "linux.%s[%zu]: goes beyond the last id",
					    field, i);
		for (size_t j = 0; j < i; j++) {
			const struct spec_id_mapping *b = &mappings->items[j];

			if (overlap(a->container_id, b->container_id, a->size, b->size) ||
			    overlap(a->host_id, b->host_id, a->size, b->size))
				return spec_invalid(spec, err,
						    "linux.%s[%zu]: overlaps with linux.%s[%zu]",
						    field, i, field, j);
		}
	}
	return 0;
}

static int validate_user_namespace(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *user = &spec->linux_.namespaces[SPEC_NS_USER];
	const struct {
		const char *field;
		const struct spec_id_mappings *mappings;
	} sides[] = {
	    {"uidMappings", &spec->linux_.uid_mappings},
	    {"gidMappings", &spec->linux_.gid_mappings},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		if (sides[i].mappings->count && !user->listed)
			return spec_invalid(
			    spec, err,
			    "linux.%s: can't be set without a user namespace in linux.namespaces",
			    sides[i].field);
		if (!sides[i].mappings->count && user->listed && !user->path)
			return spec_invalid(
			    spec, err,
			    "linux.%s: is missing or empty; a new user namespace needs it",
			    sides[i].field);
		if (validate_mappings(spec, sides[i].field, sides[i].mappings, err))
			return -1;
	}
	return 0;
}

static int validate_devices(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->linux_.devices_count; i++) {
		const struct spec_device *device = &spec->linux_.devices[i];
		const char *fault = spec_absolute_path_fault(device->path);

		if (fault)
			return spec_invalid(spec, err, "linux.devices[%zu].path: %s", i, fault);
		if (!device->type || !strchr("cbup", device->type))
			return spec_invalid(
			    spec, err,
			    "linux.devices[%zu].type: \"%c\" is not one of c, b, u and p", i,
			    device->type);
		if (device->uid == UINT32_MAX || device->gid == UINT32_MAX)
			return spec_invalid(spec, err, "linux.devices[%zu].%s: %u is nobody's id",
					    i, device->uid == UINT32_MAX ? "uid" : "gid",
					    UINT32_MAX);
		if (device->type == 'p')
			continue;
		if (device->major < 0 || device->major > MAJOR_MAX)
			return spec_invalid(
			    spec, err, "linux.devices[%zu].major: is missing or not in 0 to %d", i,
			    MAJOR_MAX);
		if (device->minor < 0 || device->minor > MINOR_MAX)
			return spec_invalid(
			    spec, err, "linux.devices[%zu].minor: is missing or not in 0 to %d", i,
			    MINOR_MAX);
	}
	return 0;
}

static int validate_paths(const struct spec *spec, const char *field,
			  const struct spec_strings *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		const char *fault = spec_absolute_path_fault(paths->items[i]);

		if (fault)
			return spec_invalid(spec, err, "linux.%s[%zu]: %s", field, i, fault);
	}
	return 0;
}

static int validate_modes(const struct spec *spec, struct error *err)
{
	static const char *const propagations[] = {"shared",	 "rshared",	"slave",
						   "rslave",	 "private",	"rprivate",
						   "unbindable", "runbindable", NULL};
	static const char *const domains[] = {"LINUX", "LINUX32", NULL};
	const struct spec_linux *linux_ = &spec->linux_;

	if (linux_->rootfs_propagation &&
	    !spec_name_known(propagations, linux_->rootfs_propagation))
		return spec_invalid(spec, err, "linux.rootfsPropagation: %s is not known",
				    quoted(linux_->rootfs_propagation));
	if (linux_->personality_domain && !spec_name_known(domains, linux_->personality_domain))
		return spec_invalid(spec, err, "linux.personality.domain: %s is not known",
				    quoted(linux_->personality_domain));
	/* config-linux.md: "Currently no flag values are supported." */
	if (linux_->personality_flags.count)
		return spec_invalid(spec, err, "linux.personality.flags: %s is not known",
				    quoted(linux_->personality_flags.items[0]));
	return 0;
}

/* dev_valid_name() of the kernel. It makes a number of "%d". */
static bool is_interface_name(const char *name)
{
	const char *percent = strchr(name, '%');

	return *name && strlen(name) < IFNAMSIZ && !strpbrk(name, "/: \t\n\v\f\r") &&
	       strcmp(name, ".") && strcmp(name, "..") &&
	       (!percent || (percent[1] == 'd' && !strchr(percent + 1, '%')));
}

static int validate_net_devices(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;

	if (linux_->net_devices_count && !linux_->namespaces[SPEC_NS_NETWORK].listed)
		return spec_invalid(
		    spec, err,
		    "linux.netDevices: unable to move network devices without a NET "
		    "namespace in linux.namespaces");
	for (size_t i = 0; i < linux_->net_devices_count; i++) {
		const struct spec_net_device *device = &linux_->net_devices[i];

		if (!is_interface_name(device->name) || strchr(device->name, '%'))
			return spec_invalid(spec, err,
					    "linux.netDevices: %s is not the name of a device",
					    quoted(device->name));
		if (device->new_name && !is_interface_name(device->new_name))
			return spec_invalid(
			    spec, err, "linux.netDevices.%s.name: %s is not the name of a device",
			    device->name, quoted(device->new_name));
	}
	return 0;
}

/* config-linux.md, "IntelRdt". A group is a directory; "/" is the default one's name. */
static int validate_clos_id(const struct spec *spec, struct error *err)
{
	const struct spec_intel_rdt *rdt = &spec->linux_.intel_rdt;
	const char *id = rdt->clos_id;
	bool is_default = id && strcmp(id, "/") == 0;

	if (id && !is_default &&
	    (strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || strpbrk(id, "/\n") ||
	     strlen(id) > NAME_MAX))
		return spec_invalid(spec, err,
				    "linux.intelRdt.closID: %s is not the name of a resctrl group",
				    quoted(id));
	if (is_default && rdt->schemata.count)
		return spec_invalid(spec, err,
				    "linux.intelRdt.schemata: can't be set for the host's default "
				    "group (linux.intelRdt.closID)");
	return 0;
}

static int validate_intel_rdt(const struct spec *spec, struct error *err)
{
	const struct spec_intel_rdt *rdt = &spec->linux_.intel_rdt;
	const char *bandwidth = rdt->mem_bw_schema;

	if (validate_clos_id(spec, err))
		return -1;
	if (bandwidth && *bandwidth &&
	    (strncmp(bandwidth, "MB:", 3) != 0 || strchr(bandwidth, '\n')))
		return spec_invalid(
		    spec, err, "linux.intelRdt.memBwSchema: must be one line that begins with MB:");
	for (size_t i = 0; i < rdt->schemata.count; i++)
		if (!*rdt->schemata.items[i] || strchr(rdt->schemata.items[i], '\n'))
			return spec_invalid(spec, err,
					    "linux.intelRdt.schemata[%zu]: must be one line", i);
	return 0;
}

int spec_validate_linux(const struct spec *spec, struct error *err)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const char *fault = linux_->cgroups_path ? spec_path_fault(linux_->cgroups_path) : NULL;

	if (fault)
		return spec_invalid(spec, err, "linux.cgroupsPath: %s", fault);
	if (validate_namespaces(spec, err) || validate_user_namespace(spec, err) ||
	    validate_devices(spec, err) ||
	    validate_paths(spec, "maskedPaths", &linux_->masked_paths, err) ||
	    validate_paths(spec, "readonlyPaths", &linux_->readonly_paths, err) ||
	    validate_modes(spec, err) || validate_net_devices(spec, err) ||
	    validate_intel_rdt(spec, err) || spec_validate_memory_policy(spec, err) ||
	    spec_validate_resources(&linux_->resources, err))
		return -1;
	return 0;
}
