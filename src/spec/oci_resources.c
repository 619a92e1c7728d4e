/* SPDX-License-Identifier: Apache-2.0 */
/* `linux.resources` of config.json, which is also the whole of an update's document. */
#include "spec/internal.h"

/* A device type is one letter; left out, all devices. Validation knows the letters. */
static int read_rule_type(const struct json_value *at, char *type)
{
	struct json_value member = json_member(at, "type");
	char *text = NULL;

	if (spec_get_string(at, "type", &text))
		return -1;
	if (text && text[1])
		return json_fail(&member, "%s is not one of a, b and c", quoted(text));
	*type = text ? *text : 'a';
	return 0;
}

static int read_rule(const struct json_value *at, void *into)
{
	struct spec_device_rule *rule = into;

	if (json_get_bool(at, "allow", &rule->allow) || read_rule_type(at, &rule->type) ||
	    spec_get_i64(at, "major", &rule->major) || spec_get_i64(at, "minor", &rule->minor) ||
	    spec_get_string(at, "access", &rule->access))
		return -1;
	return 0;
}

static int read_memory(const struct json_value *at, struct spec_resources *resources)
{
	__typeof__(resources->memory) *memory = &resources->memory;
	struct json_value member;

	if (json_get_object(at, "memory", &member) ||
	    spec_get_i64(&member, "limit", &memory->limit) ||
	    spec_get_i64(&member, "reservation", &memory->reservation) ||
	    spec_get_i64(&member, "swap", &memory->swap) ||
	    spec_get_i64(&member, "kernel", &memory->kernel) ||
	    spec_get_i64(&member, "kernelTCP", &memory->kernel_tcp) ||
	    spec_get_u64(&member, "swappiness", &memory->swappiness) ||
	    spec_get_bool(&member, "disableOOMKiller", &memory->disable_oom_killer) ||
	    spec_get_bool(&member, "useHierarchy", &memory->use_hierarchy) ||
	    spec_get_bool(&member, "checkBeforeUpdate", &memory->check_before_update))
		return -1;
	return 0;
}

static int read_cpu(const struct json_value *at, struct spec_resources *resources)
{
	__typeof__(resources->cpu) *cpu = &resources->cpu;
	struct json_value member;

	if (json_get_object(at, "cpu", &member) || spec_get_u64(&member, "shares", &cpu->shares) ||
	    spec_get_i64(&member, "quota", &cpu->quota) ||
	    spec_get_u64(&member, "burst", &cpu->burst) ||
	    spec_get_u64(&member, "period", &cpu->period) ||
	    spec_get_i64(&member, "realtimeRuntime", &cpu->realtime_runtime) ||
	    spec_get_u64(&member, "realtimePeriod", &cpu->realtime_period) ||
	    spec_get_string(&member, "cpus", &cpu->cpus) ||
	    spec_get_string(&member, "mems", &cpu->mems) ||
	    spec_get_i64(&member, "idle", &cpu->idle))
		return -1;
	return 0;
}

static int read_device_number(const struct json_value *at, int64_t *major, int64_t *minor)
{
	if (json_require(at, "major") || json_get_i64(at, "major", major) ||
	    json_require(at, "minor") || json_get_i64(at, "minor", minor))
		return -1;
	return 0;
}

static int read_weight_device(const struct json_value *at, void *into)
{
	struct spec_weight_device *device = into;

	if (read_device_number(at, &device->major, &device->minor) ||
	    spec_get_u64_max(at, "weight", UINT16_MAX, &device->weight) ||
	    spec_get_u64_max(at, "leafWeight", UINT16_MAX, &device->leaf_weight))
		return -1;
	return 0;
}

static int read_throttle(const struct json_value *at, void *into)
{
	struct spec_throttle_device *device = into;

	if (read_device_number(at, &device->major, &device->minor) || json_require(at, "rate") ||
	    json_get_u64(at, "rate", &device->rate))
		return -1;
	return 0;
}

static int read_throttles(const struct json_value *at, const char *key, struct spec_throttles *out)
{
	struct json_list list;

	if (json_get_list(at, key, sizeof(struct spec_throttle_device), read_throttle, &list))
		return -1;
	*out = (struct spec_throttles){list.count, list.items};
	return 0;
}

static int read_block_io(const struct json_value *at, struct spec_resources *resources)
{
	__typeof__(resources->block_io) *block_io = &resources->block_io;
	struct json_value member;
	struct json_list weights;

	if (json_get_object(at, "blockIO", &member) ||
	    spec_get_u64_max(&member, "weight", UINT16_MAX, &block_io->weight) ||
	    spec_get_u64_max(&member, "leafWeight", UINT16_MAX, &block_io->leaf_weight) ||
	    json_get_list(&member, "weightDevice", sizeof(struct spec_weight_device),
			  read_weight_device, &weights) ||
	    read_throttles(&member, "throttleReadBpsDevice", &block_io->read_bps) ||
	    read_throttles(&member, "throttleWriteBpsDevice", &block_io->write_bps) ||
	    read_throttles(&member, "throttleReadIOPSDevice", &block_io->read_iops) ||
	    read_throttles(&member, "throttleWriteIOPSDevice", &block_io->write_iops))
		return -1;
	block_io->weight_device_count = weights.count;
	block_io->weight_device = weights.items;
	return 0;
}

static int read_hugepage_limit(const struct json_value *at, void *into)
{
	struct spec_hugepage_limit *limit = into;

	if (json_require(at, "pageSize") || json_get_string(at, "pageSize", &limit->page_size) ||
	    json_require(at, "limit") || json_get_u64(at, "limit", &limit->limit))
		return -1;
	return 0;
}

static int read_interface_priority(const struct json_value *at, void *into)
{
	struct spec_interface_priority *priority = into;

	if (json_require(at, "name") || json_get_string(at, "name", &priority->name) ||
	    json_require(at, "priority") || json_get_u32(at, "priority", &priority->priority))
		return -1;
	return 0;
}

static int read_network(const struct json_value *at, struct spec_resources *resources)
{
	struct json_value member;
	struct json_list priorities;

	if (json_get_object(at, "network", &member) ||
	    spec_get_u64_max(&member, "classID", UINT32_MAX, &resources->network.class_id) ||
	    json_get_list(&member, "priorities", sizeof(struct spec_interface_priority),
			  read_interface_priority, &priorities))
		return -1;
	resources->network.priorities_count = priorities.count;
	resources->network.priorities = priorities.items;
	return 0;
}

static int read_rdma(const struct json_value *at, void *into)
{
	struct spec_rdma *rdma = into;

	if (json_want(at, json_type_object, true))
		return -1;
	rdma->device = json_strdup(at, at->key);
	if (!rdma->device || spec_get_u64_max(at, "hcaHandles", UINT32_MAX, &rdma->hca_handles) ||
	    spec_get_u64_max(at, "hcaObjects", UINT32_MAX, &rdma->hca_objects))
		return -1;
	return 0;
}

int spec_read_resources(const struct json_value *at, struct spec_resources *resources)
{
	struct json_list devices, hugepages, rdma;
	struct json_value pids;

	if (json_get_list(at, "devices", sizeof(struct spec_device_rule), read_rule, &devices) ||
	    read_memory(at, resources) || read_cpu(at, resources) || read_block_io(at, resources) ||
	    json_get_object(at, "pids", &pids) ||
	    spec_get_i64(&pids, "limit", &resources->pids_limit) ||
	    json_get_list(at, "hugepageLimits", sizeof(struct spec_hugepage_limit),
			  read_hugepage_limit, &hugepages) ||
	    read_network(at, resources) ||
	    json_get_map(at, "rdma", sizeof(struct spec_rdma), read_rdma, &rdma) ||
	    spec_get_pairs(at, "unified", &resources->unified))
		return -1;
	resources->devices_count = devices.count;
	resources->devices = devices.items;
	resources->hugepage_limits_count = hugepages.count;
	resources->hugepage_limits = hugepages.items;
	resources->rdma_count = rdma.count;
	resources->rdma = rdma.items;
	return 0;
}
