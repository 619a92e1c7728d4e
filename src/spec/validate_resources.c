/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for resources, a container's or an update's. Which limits a kernel takes, the kernel
 * says best; here is what it would misread, and what becomes part of a file's name.
 */
#include "spec/internal.h"

#include <inttypes.h>
#include <string.h>

#define invalid(resources, err, format, ...)                                                       \
	error_set(err, "%s" format, (resources)->where ?: "linux.resources.", ##__VA_ARGS__)

/* A cgroup's device rule has 32 bits for a number; -1 is any. */
static bool is_rule_number(const struct spec_i64 *number)
{
	return !number->set || (number->value >= -1 && number->value <= UINT32_MAX);
}

static int validate_rules(const struct spec_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->devices_count; i++) {
		const struct spec_device_rule *rule = &resources->devices[i];

		if (!rule->type || !strchr("acb", rule->type))
			return invalid(resources, err,
				       "devices[%zu].type: \"%c\" is not one of a, b and c", i,
				       rule->type);
		if (!is_rule_number(&rule->major))
			return invalid(resources, err,
				       "devices[%zu].major: %" PRId64 " is out of range", i,
				       rule->major.value);
		if (!is_rule_number(&rule->minor))
			return invalid(resources, err,
				       "devices[%zu].minor: %" PRId64 " is out of range", i,
				       rule->minor.value);
		if (rule->access && rule->access[strspn(rule->access, "rwm")])
			return invalid(resources, err,
				       "devices[%zu].access: %s has more than r, w and m in it", i,
				       quoted(rule->access));
	}
	return 0;
}

/* <size><unit>B, as in hugetlb.2MB.limit_in_bytes: nothing that leads to another file. */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	text += digits;
	if (*text && strchr("KMG", *text))
		text++;
	return digits && !strcmp(text, "B");
}

static int validate_hugepages(const struct spec_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->hugepage_limits_count; i++) {
		const char *size = resources->hugepage_limits[i].page_size;

		if (!is_page_size(size))
			return invalid(resources, err,
				       "hugepageLimits[%zu].pageSize: %s is not a size such as 2MB",
				       i, quoted(size));
	}
	return 0;
}

/* config-linux.md, "Block IO". */
static int validate_weights(const struct spec_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->block_io.weight_device_count; i++) {
		const struct spec_weight_device *device = &resources->block_io.weight_device[i];

		if (!device->weight.set && !device->leaf_weight.set)
			return invalid(resources, err,
				       "blockIO.weightDevice[%zu]: has neither weight nor "
				       "leafWeight",
				       i);
	}
	return 0;
}

/* config-linux.md, "RDMA". */
static int validate_rdma(const struct spec_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->rdma_count; i++) {
		const struct spec_rdma *limit = &resources->rdma[i];

		if (!limit->hca_handles.set && !limit->hca_objects.set)
			return invalid(resources, err,
				       "rdma: %s has neither hcaHandles nor hcaObjects",
				       quoted(limit->device));
	}
	return 0;
}

static int validate_unified(const struct spec_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->unified.count; i++) {
		const char *key = resources->unified.items[i].key;

		if (!*key || strchr(key, '/') || !strchr(key, '.') || *key == '.')
			return invalid(resources, err,
				       "unified: %s is not the name of a cgroup's file",
				       quoted(key));
	}
	return 0;
}

int spec_validate_resources(const struct spec_resources *resources, struct error *err)
{
	if (resources->memory.swappiness.set && resources->memory.swappiness.value > 100)
		return invalid(resources, err, "memory.swappiness: %" PRIu64 " is not in 0 to 100",
			       resources->memory.swappiness.value);
	if (validate_rules(resources, err) || validate_hugepages(resources, err) ||
	    validate_weights(resources, err) || validate_rdma(resources, err) ||
	    validate_unified(resources, err))
		return -1;
	return 0;
}
