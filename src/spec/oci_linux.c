/* SPDX-License-Identifier: Apache-2.0 */
/* `linux` of config.json, but for its resources and its seccomp section. */
#include "spec/internal.h"

#include <string.h>

static int read_namespace(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_value member = json_member(at, "type");
	char *name = NULL;

	if (json_as_string(&member, &name))
		return -1;
	for (int type = 0; type < SPEC_NS_TYPES; type++) {
		struct spec_namespace *ns = &linux_->namespaces[type];

		if (strcmp(name, spec_namespace_name(type)))
			continue;
		if (ns->listed)
			return json_fail(&member, "the %s namespace is listed twice", name);
		ns->listed = true;
		ns->index = at->index;
		return spec_get_string(at, "path", &ns->path);
	}
	return json_fail(&member, "%s is not a namespace", quoted(name));
}

static int read_namespaces(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_value list;

	if (json_get_array(at, "namespaces", &list))
		return -1;
	for (size_t i = 0; i < json_count(&list); i++) {
		struct json_value element = json_element(&list, i);

		if (json_want(&element, json_type_object, true) || read_namespace(&element, linux_))
			return -1;
	}
	return 0;
}

static int read_device(const struct json_value *at, void *into)
{
	struct json_value type_at = json_member(at, "type");
	struct spec_device *device = into;
	char *type = NULL;

	if (spec_get_string(at, "path", &device->path) || json_as_string(&type_at, &type))
		return -1;
	if (!*type || type[1])
		return json_fail(&type_at, "%s is not one of c, b, u and p", quoted(type));
	device->type = *type;
	device->major = device->minor = -1;
	device->mode_set = json_member(at, "fileMode").object;
	if (json_get_i64(at, "major", &device->major) ||
	    json_get_i64(at, "minor", &device->minor) ||
	    json_get_u32(at, "fileMode", &device->file_mode) ||
	    json_get_u32(at, "uid", &device->uid) || json_get_u32(at, "gid", &device->gid))
		return -1;
	return 0;
}

static int read_time_offsets(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_object_iter entry;
	struct json_value offsets;

	if (json_get_object(at, "timeOffsets", &offsets))
		return -1;
	if (!offsets.object)
		return 0;
	json_object_object_foreachC(offsets.object, entry)
	{
		struct json_value clock = json_member(&offsets, entry.key);
		__typeof__(linux_->time_offset_boottime) *offset;

		if (!strcmp(entry.key, "boottime"))
			offset = &linux_->time_offset_boottime;
		else if (!strcmp(entry.key, "monotonic"))
			offset = &linux_->time_offset_monotonic;
		else
			return json_fail(&clock, "is neither boottime nor monotonic");
		if (json_want(&clock, json_type_object, false) ||
		    json_get_i64(&clock, "secs", &offset->secs) ||
		    json_get_u32(&clock, "nanosecs", &offset->nanosecs))
			return -1;
		offset->set = clock.object;
	}
	return 0;
}

static int read_personality(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_value member;

	if (json_get_object(at, "personality", &member) ||
	    spec_get_strings(&member, "flags", &linux_->personality_flags))
		return -1;
	if (member.object && (json_require(&member, "domain") ||
			      json_get_string(&member, "domain", &linux_->personality_domain)))
		return -1;
	return 0;
}

static int read_intel_rdt(const struct json_value *at, struct spec_linux *linux_)
{
	__typeof__(linux_->intel_rdt) *rdt = &linux_->intel_rdt;
	struct json_value member;

	if (json_get_object(at, "intelRdt", &member))
		return -1;
	rdt->set = member.object;
	/* enableCMT and enableMBM went with 1.3.0, which has enableMonitoring in their place. */
	if (spec_get_string(&member, "closID", &rdt->clos_id) ||
	    spec_get_strings(&member, "schemata", &rdt->schemata) ||
	    spec_get_string(&member, "l3CacheSchema", &rdt->l3_cache_schema) ||
	    spec_get_string(&member, "memBwSchema", &rdt->mem_bw_schema) ||
	    json_get_bool(&member, "enableCMT", &rdt->enable_cmt) ||
	    json_get_bool(&member, "enableMBM", &rdt->enable_mbm) ||
	    json_get_bool(&member, "enableMonitoring", &rdt->enable_monitoring))
		return -1;
	return 0;
}

static int read_memory_policy(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_value member;

	if (json_get_object(at, "memoryPolicy", &member))
		return -1;
	linux_->memory_policy.set = member.object;
	if (spec_get_string(&member, "mode", &linux_->memory_policy.mode) ||
	    spec_get_string(&member, "nodes", &linux_->memory_policy.nodes) ||
	    spec_get_strings(&member, "flags", &linux_->memory_policy.flags))
		return -1;
	return 0;
}

static int read_net_device(const struct json_value *at, void *into)
{
	struct spec_net_device *device = into;

	if (json_want(at, json_type_object, true))
		return -1;
	device->name = json_strdup(at, at->key);
	return device->name ? spec_get_string(at, "name", &device->new_name) : -1;
}

int spec_read_linux(const struct json_value *at, struct spec_linux *linux_)
{
	struct json_value resources, seccomp;
	struct json_list devices, net_devices;

	if (read_namespaces(at, linux_) ||
	    spec_get_mappings(at, "uidMappings", &linux_->uid_mappings) ||
	    spec_get_mappings(at, "gidMappings", &linux_->gid_mappings) ||
	    read_time_offsets(at, linux_) ||
	    json_get_list(at, "devices", sizeof(struct spec_device), read_device, &devices) ||
	    spec_get_string(at, "cgroupsPath", &linux_->cgroups_path) ||
	    spec_get_string(at, "rootfsPropagation", &linux_->rootfs_propagation) ||
	    spec_get_pairs(at, "sysctl", &linux_->sysctl) ||
	    spec_get_strings(at, "maskedPaths", &linux_->masked_paths) ||
	    spec_get_strings(at, "readonlyPaths", &linux_->readonly_paths) ||
	    spec_get_string(at, "mountLabel", &linux_->mount_label) ||
	    read_personality(at, linux_) || read_intel_rdt(at, linux_) ||
	    read_memory_policy(at, linux_) ||
	    json_get_map(at, "netDevices", sizeof(struct spec_net_device), read_net_device,
			 &net_devices) ||
	    json_get_object(at, "resources", &resources) ||
	    spec_read_resources(&resources, &linux_->resources) ||
	    json_get_object(at, "seccomp", &seccomp) ||
	    spec_read_seccomp(&seccomp, &linux_->seccomp))
		return -1;
	linux_->devices_count = devices.count;
	linux_->devices = devices.items;
	linux_->net_devices_count = net_devices.count;
	linux_->net_devices = net_devices.items;
	return 0;
}
