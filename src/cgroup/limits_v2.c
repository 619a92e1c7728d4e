/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as cgroup v2 writes them (Documentation/admin-guide/cgroup-v2.rst). linux.resources speaks
 * v1; the conversions are runc 1.1's, so that a container gets the same of either.
 */
#include "cgroup/cgroup.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* ---- memory ---- */

/* A size, or "max" for -1. */
static int add_size(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		    const char *field, const char *file, int64_t size)
{
	if (size == -1)
		return limits_add(limits, hierarchy, "memory", field, file, "max");
	return limits_add(limits, hierarchy, "memory", field, file, "%lld", (long long)size);
}

static int add_swap(struct limits *limits, const struct cgroup_hierarchy *hierarchy, int64_t limit,
		    int64_t swap)
{
	static const char file[] = "memory.swap.max";

	/* linux.resources counts memory and swap together, v2 counts swap alone. */
	if (swap > 0) {
		if (limit <= 0)
			return limits_error(limits, "memory.swap: unable to set swap limit "
						    "without memory limit");
		swap -= limit;
	}
	if (limits_file_presence(limits, hierarchy, file, "memory.max") == LIMITS_ABSENT) {
		/* Without swap accounting swap is not limited, and a host without swap has none. */
		if (swap <= 0)
			return 0;
		return limits_need_file(limits, hierarchy, "memory.swap", file, "memory.max");
	}
	return add_size(limits, hierarchy, "memory.swap", file, swap);
}

/* memory.checkBeforeUpdate: v1's kernel refuses a limit below what is in use, v2's kills. The words
 * are runc's, and so is that what can't be read is not checked. */
static int check_usage(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		       const struct limits_memory *memory)
{
	const struct spec_bool *check = &limits->resources->memory.check_before_update;
	char text[32];
	long long usage;

	if (!check->set && limits->asked)
		check = &limits->asked->memory.check_before_update;
	if (!limits->path || !check->value ||
	    limits_read(limits, hierarchy, "memory.current", text, sizeof(text)) < 0)
		return 0;
	usage = strtoll(text, NULL, 10);
	if (memory->swap > 0 && memory->swap <= usage)
		return limits_error(limits,
				    "memory.swap: rejecting memory+swap limit %lld <= usage %lld",
				    (long long)memory->swap, usage);
	if (memory->limit > 0 && memory->limit <= usage)
		return limits_error(limits,
				    "memory.limit: rejecting memory limit %lld <= usage %lld",
				    (long long)memory->limit, usage);
	return 0;
}

int limits_memory_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	bool limit = limits_i64(&resources->memory.limit);
	struct limits_memory memory = {0, 0};

	if (limits_memory(limits, &memory))
		return -1;
	if ((limit || limits_i64(&resources->memory.swap)) &&
	    (check_usage(limits, hierarchy, &memory) ||
	     (memory.swap != 0 && add_swap(limits, hierarchy, memory.limit, memory.swap))))
		return -1;
	if (limit && add_size(limits, hierarchy, "memory.limit", "memory.max", memory.limit))
		return -1;
	if (limits_i64(&resources->memory.reservation) &&
	    add_size(limits, hierarchy, "memory.reservation", "memory.low",
		     resources->memory.reservation.value))
		return -1;
	/* kernel, kernelTCP, swappiness and disableOOMKiller have nothing like them on v2; runc
	 * leaves them out without a word, and engines send them without looking. */
	return 0;
}

/* ---- cpu ---- */

/* 2 … 262144 to 1 … 10000. */
static uint64_t weight_of_shares(uint64_t shares)
{
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	return 1 + (shares - 2) * 9999 / 262142;
}

/* The kernel's own bounds in microseconds (kernel/sched/core.c). Its refusal could only name
 * cpu.max, which is two fields in one. */
#define QUOTA_MIN 1000
#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000

static int check_bandwidth(struct limits *limits, const struct spec_i64 *quota,
			   const struct spec_u64 *period)
{
	if (limits_u64(period) && (period->value < PERIOD_MIN || period->value > PERIOD_MAX))
		return limits_error(limits, "cpu.period: %llu is not from %d to %d",
				    (unsigned long long)period->value, PERIOD_MIN, PERIOD_MAX);
	if (limits_i64(quota) && quota->value > 0 && quota->value < QUOTA_MIN)
		return limits_error(limits, "cpu.quota: %lld is less than %d",
				    (long long)quota->value, QUOTA_MIN);
	return 0;
}

static int add_max(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	int64_t quota = limits_i64(&resources->cpu.quota) ? resources->cpu.quota.value : 0;
	char text[64] = "max";

	if (check_bandwidth(limits, &resources->cpu.quota, &resources->cpu.period))
		return -1;
	/* The kernel keeps the period that is not given; but a quota it must be told, in an update
	 * the one of now. */
	if (quota > 0)
		snprintf(text, sizeof(text), "%lld", (long long)quota);
	else if (quota == 0 && limits->path &&
		 limits_read(limits, hierarchy, "cpu.max", text, sizeof(text)) == 0)
		text[strcspn(text, " ")] = '\0';
	if (!limits_u64(&resources->cpu.period))
		return limits_add(limits, hierarchy, "cpu", "cpu.quota", "cpu.max", "%s", text);
	return limits_add(limits, hierarchy, "cpu", quota == 0 ? "cpu.period" : "cpu.quota",
			  "cpu.max", "%s %llu", text,
			  (unsigned long long)resources->cpu.period.value);
}

/* Files that are younger than the controller. A 0 that an old kernel can't take is dropped. */
static int add_cpu(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		   const char *field, const char *file, long long value)
{
	if (value == 0 && limits_file_presence(limits, hierarchy, file, "cpu.max") == LIMITS_ABSENT)
		return 0;
	if (limits_need_file(limits, hierarchy, field, file, "cpu.max"))
		return -1;
	return limits_add(limits, hierarchy, "cpu", field, file, "%lld", value);
}

int limits_cpu_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const struct spec_i64 *idle = &resources->cpu.idle;
	const char *realtime = limits_u64(&resources->cpu.realtime_period)    ? "realtimePeriod"
			       : limits_i64(&resources->cpu.realtime_runtime) ? "realtimeRuntime"
									      : NULL;

	if (realtime)
		return limits_error(limits, "cpu.%s: cgroup v2 has no limits on real time",
				    realtime);
	if (idle->set && add_cpu(limits, hierarchy, "cpu.idle", "cpu.idle", idle->value))
		return -1;
	/* An idle cgroup has no weight: writing one fails (EINVAL). */
	if (limits_u64(&resources->cpu.shares) && !(idle->set && idle->value == 1) &&
	    limits_add(limits, hierarchy, "cpu", "cpu.shares", "cpu.weight", "%llu",
		       (unsigned long long)weight_of_shares(resources->cpu.shares.value)))
		return -1;
	if ((limits_i64(&resources->cpu.quota) || limits_u64(&resources->cpu.period)) &&
	    add_max(limits, hierarchy))
		return -1;
	if (resources->cpu.burst.set && add_cpu(limits, hierarchy, "cpu.burst", "cpu.max.burst",
						(long long)resources->cpu.burst.value))
		return -1;
	return 0;
}

/* ---- block devices ---- */

/* io.weight is the io.cost controller's, 1 … 10000; io.bfq.weight is BFQ's, 1 … 1000 as v1's. */
static const char *weight_file(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
			       const char *field, bool *bfq)
{
	enum limits_presence weight;

	*bfq = limits_file_presence(limits, hierarchy, "io.bfq.weight", "io.max") == LIMITS_PRESENT;
	if (*bfq)
		return "io.bfq.weight";
	weight = limits_file_presence(limits, hierarchy, "io.weight", "io.max");
	if (weight != LIMITS_ABSENT) {
		/* No cgroup has the controller switched on yet: go by what is loaded. */
		*bfq = weight == LIMITS_UNKNOWN && access("/sys/module/bfq", F_OK) == 0;
		return *bfq ? "io.bfq.weight" : "io.weight";
	}
	limits_error(limits, "blockIO.%s: this kernel has no io.weight and no io.bfq.weight",
		     field);
	return NULL;
}

static unsigned long long convert_weight(uint64_t weight, bool bfq)
{
	return bfq ? weight : 1 + (weight - 10) * 9999 / 990;
}

static int refuse_leaf_weight(struct limits *limits, const char *field)
{
	return limits_error(limits, "blockIO.%s: cgroup v2 has no leaf weights", field);
}

static int add_weights(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const char *file;
	bool bfq;

	if (limits_u64(&resources->block_io.leaf_weight))
		return refuse_leaf_weight(limits, "leafWeight");
	if (limits_u64(&resources->block_io.weight)) {
		uint64_t weight = resources->block_io.weight.value;

		file = weight_file(limits, hierarchy, "weight", &bfq);
		if (!file || limits_check_weight(limits, "weight", weight) ||
		    limits_add(limits, hierarchy, "io", "blockIO.weight", file, "%llu",
			       convert_weight(weight, bfq)))
			return -1;
	}
	for (size_t i = 0; i < resources->block_io.weight_device_count; i++) {
		const struct spec_weight_device *device = &resources->block_io.weight_device[i];

		if (limits_u64(&device->leaf_weight))
			return refuse_leaf_weight(limits, "weightDevice");
		if (!limits_u64(&device->weight))
			continue;
		file = weight_file(limits, hierarchy, "weightDevice", &bfq);
		if (!file || limits_check_weight(limits, "weightDevice", device->weight.value) ||
		    limits_add(limits, hierarchy, "io", "blockIO.weightDevice", file,
			       "%lld:%lld %llu", (long long)device->major, (long long)device->minor,
			       convert_weight(device->weight.value, bfq)))
			return -1;
	}
	return 0;
}

int limits_block_io_v2(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const struct {
		const struct spec_throttles *list;
		const char *field, *key;
	} throttles[] = {
	    {&resources->block_io.read_bps, "blockIO.throttleReadBpsDevice", "rbps"},
	    {&resources->block_io.write_bps, "blockIO.throttleWriteBpsDevice", "wbps"},
	    {&resources->block_io.read_iops, "blockIO.throttleReadIOPSDevice", "riops"},
	    {&resources->block_io.write_iops, "blockIO.throttleWriteIOPSDevice", "wiops"},
	};

	if (add_weights(limits, hierarchy))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		for (size_t k = 0; k < throttles[i].list->count; k++) {
			const struct spec_throttle_device *device = &throttles[i].list->items[k];
			char rate[32] = "max";

			/* v1 takes a 0 for no limit; v2 refuses it (ERANGE). */
			if (device->rate > 0)
				snprintf(rate, sizeof(rate), "%llu",
					 (unsigned long long)device->rate);
			if (limits_add(limits, hierarchy, "io", throttles[i].field, "io.max",
				       "%lld:%lld %s=%s", (long long)device->major,
				       (long long)device->minor, throttles[i].key, rate))
				return -1;
		}
	}
	return 0;
}
