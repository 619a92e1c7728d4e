/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as cgroup v1 writes them (Documentation/admin-guide/cgroup-v1/). */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* What the kernel cuts cpu.shares to. */
#define SHARES_MIN 2
#define SHARES_MAX (1 << 18)

/* ---- memory ---- */

int limits_memory_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	static const char witness[] = "memory.limit_in_bytes";
	static const char memsw[] = "memory.memsw.limit_in_bytes";
	struct limits_memory memory;
	int64_t limit, swap;

	if (limits_memory(limits, &memory))
		return -1;
	/* The kernel keeps the other one of an update. */
	limit = limits_i64(&resources->memory.limit) ? memory.limit : 0;
	swap = limit == -1 || limits_i64(&resources->memory.swap) ? memory.swap : 0;
	if (swap != 0 && limits_file_presence(limits, hierarchy, memsw, witness) == LIMITS_ABSENT) {
		/* Without swap accounting swap is not limited: as asked for. */
		if (swap != -1)
			return limits_need_file(limits, hierarchy, "memory.swap", memsw, witness);
		swap = 0;
	}
	/* memory.limit <= memory.memsw.limit must hold at any moment. Both begin unlimited: memory
	 * goes first, but where memsw is lifted. */
	if (swap == -1 && limits_add(limits, hierarchy, "memory", "memory.swap", memsw, "-1"))
		return -1;
	if (limit != 0 && limits_add(limits, hierarchy, "memory", "memory.limit",
				     "memory.limit_in_bytes", "%lld", (long long)limit))
		return -1;
	if (swap > 0 &&
	    limits_add(limits, hierarchy, "memory", "memory.swap", memsw, "%lld", (long long)swap))
		return -1;
	if (limits_i64(&resources->memory.reservation) &&
	    (limits_need_file(limits, hierarchy, "memory.reservation", "memory.soft_limit_in_bytes",
			      witness) ||
	     limits_add(limits, hierarchy, "memory", "memory.reservation",
			"memory.soft_limit_in_bytes", "%lld",
			(long long)resources->memory.reservation.value)))
		return -1;
	/* memory.kernel is read and does nothing, as with runc since 1.0-rc94: the kernel gave it
	 * up (5.16: EOPNOTSUPP). kernelTCP still works. */
	if (limits_i64(&resources->memory.kernel_tcp) &&
	    (limits_need_file(limits, hierarchy, "memory.kernelTCP",
			      "memory.kmem.tcp.limit_in_bytes", witness) ||
	     limits_add(limits, hierarchy, "memory", "memory.kernelTCP",
			"memory.kmem.tcp.limit_in_bytes", "%lld",
			(long long)resources->memory.kernel_tcp.value)))
		return -1;
	if (resources->memory.disable_oom_killer.set &&
	    resources->memory.disable_oom_killer.value &&
	    limits_add(limits, hierarchy, "memory", "memory.disableOOMKiller", "memory.oom_control",
		       "1"))
		return -1;
	if (limits_swappiness(&resources->memory.swappiness) &&
	    (limits_need_file(limits, hierarchy, "memory.swappiness", "memory.swappiness",
			      witness) ||
	     limits_add(limits, hierarchy, "memory", "memory.swappiness", "memory.swappiness",
			"%llu", (unsigned long long)resources->memory.swappiness.value)))
		return -1;
	return 0;
}

/* ---- cpu ---- */

/* A file of the cpu controller that some kernels don't have. A 0 that they can't take is dropped.
 */
static int add_cpu(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		   const char *field, const char *file, long long value)
{
	if (value == 0 &&
	    limits_file_presence(limits, hierarchy, file, "cpu.shares") == LIMITS_ABSENT)
		return 0;
	if (limits_need_file(limits, hierarchy, field, file, "cpu.shares"))
		return -1;
	return limits_add(limits, hierarchy, "cpu", field, file, "%lld", value);
}

static int add_shares(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	uint64_t shares = limits->resources->cpu.shares.value;

	/* The kernel would silently take another value; runc tells, in these words. */
	if (shares < SHARES_MIN)
		return limits_error(limits, "cpu.shares: the minimum allowed cpu-shares is %d",
				    SHARES_MIN);
	if (shares > SHARES_MAX)
		return limits_error(limits, "cpu.shares: the maximum allowed cpu-shares is %d",
				    SHARES_MAX);
	return limits_add(limits, hierarchy, "cpu", "cpu.shares", "cpu.shares", "%llu",
			  (unsigned long long)shares);
}

int limits_cpu_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const struct spec_i64 *idle = &resources->cpu.idle;
	/* An idle cgroup has no shares: writing them fails (EINVAL). */
	bool shares = limits_u64(&resources->cpu.shares) && !(idle->set && idle->value == 1);

	/* Real time first: a process that has it already can't enter a cgroup without a budget. */
	if (limits_u64(&resources->cpu.realtime_period) &&
	    add_cpu(limits, hierarchy, "cpu.realtimePeriod", "cpu.rt_period_us",
		    (long long)resources->cpu.realtime_period.value))
		return -1;
	if (limits_i64(&resources->cpu.realtime_runtime) &&
	    add_cpu(limits, hierarchy, "cpu.realtimeRuntime", "cpu.rt_runtime_us",
		    resources->cpu.realtime_runtime.value))
		return -1;
	if (idle->set && add_cpu(limits, hierarchy, "cpu.idle", "cpu.idle", idle->value))
		return -1;
	if (shares && add_shares(limits, hierarchy))
		return -1;
	/* A fresh cgroup has no quota, so any period is good for it; then the quota; and a burst
	 * may not be larger than the quota. */
	if (limits_u64(&resources->cpu.period) &&
	    add_cpu(limits, hierarchy, "cpu.period", "cpu.cfs_period_us",
		    (long long)resources->cpu.period.value))
		return -1;
	if (limits_i64(&resources->cpu.quota) &&
	    add_cpu(limits, hierarchy, "cpu.quota", "cpu.cfs_quota_us", resources->cpu.quota.value))
		return -1;
	if (resources->cpu.burst.set && add_cpu(limits, hierarchy, "cpu.burst", "cpu.cfs_burst_us",
						(long long)resources->cpu.burst.value))
		return -1;
	return 0;
}

/* ---- block devices ---- */

/*
 * Weights are the I/O scheduler's: BFQ's since Linux 5.0, CFQ's before. The root cgroup has no BFQ
 * weight but BFQ's statistics. NULL when there is neither.
 */
static const char *weight_file(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
			       const char *field, bool device)
{
	static const char witness[] = "blkio.throttle.read_bps_device";

	if (limits_file_presence(limits, hierarchy, "blkio.bfq.io_service_bytes", witness) ==
	    LIMITS_PRESENT)
		return device ? "blkio.bfq.weight_device" : "blkio.bfq.weight";
	if (limits_file_presence(limits, hierarchy, "blkio.weight", witness) != LIMITS_ABSENT)
		return device ? "blkio.weight_device" : "blkio.weight";
	limits_error(limits,
		     "blockIO.%s: this kernel has no blkio.weight and no "
		     "blkio.bfq.weight",
		     field);
	return NULL;
}

static int add_weight(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const char *file;

	if (limits_u64(&resources->block_io.weight)) {
		uint64_t weight = resources->block_io.weight.value;

		file = weight_file(limits, hierarchy, "weight", false);
		if (!file || limits_check_weight(limits, "weight", weight) ||
		    limits_add(limits, hierarchy, "blkio", "blockIO.weight", file, "%llu",
			       (unsigned long long)weight))
			return -1;
	}
	if (limits_u64(&resources->block_io.leaf_weight)) {
		uint64_t weight = resources->block_io.leaf_weight.value;

		if (limits_need_file(limits, hierarchy, "blockIO.leafWeight", "blkio.leaf_weight",
				     "blkio.throttle.read_bps_device") ||
		    limits_check_weight(limits, "leafWeight", weight) ||
		    limits_add(limits, hierarchy, "blkio", "blockIO.leafWeight",
			       "blkio.leaf_weight", "%llu", (unsigned long long)weight))
			return -1;
	}
	return 0;
}

static int add_weight_devices(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;

	for (size_t i = 0; i < resources->block_io.weight_device_count; i++) {
		const struct spec_weight_device *device = &resources->block_io.weight_device[i];
		const char *file;

		if (limits_u64(&device->weight)) {
			file = weight_file(limits, hierarchy, "weightDevice", true);
			if (!file ||
			    limits_check_weight(limits, "weightDevice", device->weight.value) ||
			    limits_add(limits, hierarchy, "blkio", "blockIO.weightDevice", file,
				       "%lld:%lld %llu", (long long)device->major,
				       (long long)device->minor,
				       (unsigned long long)device->weight.value))
				return -1;
		}
		if (limits_u64(&device->leaf_weight)) {
			if (limits_need_file(limits, hierarchy, "blockIO.weightDevice",
					     "blkio.leaf_weight_device",
					     "blkio.throttle.read_bps_device") ||
			    limits_check_weight(limits, "weightDevice",
						device->leaf_weight.value) ||
			    limits_add(limits, hierarchy, "blkio", "blockIO.weightDevice",
				       "blkio.leaf_weight_device", "%lld:%lld %llu",
				       (long long)device->major, (long long)device->minor,
				       (unsigned long long)device->leaf_weight.value))
				return -1;
		}
	}
	return 0;
}

int limits_block_io_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const struct {
		const struct spec_throttles *list;
		const char *field, *file;
	} throttles[] = {
	    {&resources->block_io.read_bps, "blockIO.throttleReadBpsDevice",
	     "blkio.throttle.read_bps_device"},
	    {&resources->block_io.write_bps, "blockIO.throttleWriteBpsDevice",
	     "blkio.throttle.write_bps_device"},
	    {&resources->block_io.read_iops, "blockIO.throttleReadIOPSDevice",
	     "blkio.throttle.read_iops_device"},
	    {&resources->block_io.write_iops, "blockIO.throttleWriteIOPSDevice",
	     "blkio.throttle.write_iops_device"},
	};

	if (add_weight(limits, hierarchy) || add_weight_devices(limits, hierarchy))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		for (size_t k = 0; k < throttles[i].list->count; k++) {
			const struct spec_throttle_device *device = &throttles[i].list->items[k];

			if (limits_add(limits, hierarchy, "blkio", throttles[i].field,
				       throttles[i].file, "%lld:%lld %llu",
				       (long long)device->major, (long long)device->minor,
				       (unsigned long long)device->rate))
				return -1;
		}
	}
	return 0;
}
