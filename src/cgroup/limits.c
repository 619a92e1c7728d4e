/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources to files: which controllers are asked for, where they are, and the simple ones.
 */
#include "cgroup/cgroup.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

static const char *limits_where(const struct limits *limits)
{
	return limits->resources->where ? limits->resources->where : "linux.resources.";
}

int limits_error(struct limits *limits, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return error_set(limits->err, "%s%s", limits_where(limits), text ? text : "out of memory");
}

/* ---- rules of the fields, on v1 and v2 alike ---- */

#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000
#define SWAPPINESS_MAX 100

static int check_sizes(struct limits *limits)
{
	const struct spec_resources *resources = limits->resources;
	const struct {
		const char *field;
		const struct spec_i64 *size;
	} sizes[] = {
	    {"limit", &resources->memory.limit},
	    {"reservation", &resources->memory.reservation},
	    {"swap", &resources->memory.swap},
	    {"kernelTCP", &resources->memory.kernel_tcp},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i].size->set && sizes[i].size->value < -1)
			return limits_error(limits, "memory.%s: %lld is neither a size nor -1",
					    sizes[i].field, (long long)sizes[i].size->value);
	}
	if (limits_swappiness(&resources->memory.swappiness) &&
	    resources->memory.swappiness.value > SWAPPINESS_MAX)
		return limits_error(limits, "memory.swappiness: %llu is not from 0 to %d",
				    (unsigned long long)resources->memory.swappiness.value,
				    SWAPPINESS_MAX);
	return 0;
}

static int64_t value_of(const struct spec_i64 *size)
{
	return size->set ? size->value : 0;
}

int limits_memory(struct limits *limits, struct limits_memory *memory)
{
	const struct spec_resources *resources = limits->resources, *asked = limits->asked;

	*memory = (struct limits_memory){value_of(&resources->memory.limit),
					 value_of(&resources->memory.swap)};
	if (check_sizes(limits))
		return -1;
	/* As runc: who lifts the memory limit and says nothing about swap means both. */
	if (memory->limit == -1 && memory->swap == 0)
		memory->swap = -1;
	if (asked && memory->limit != 0 && memory->swap == 0)
		memory->swap = value_of(&asked->memory.swap);
	if (asked && memory->swap != 0 && memory->limit == 0)
		memory->limit = value_of(&asked->memory.limit);
	if (memory->limit != 0 && memory->swap > 0 &&
	    (memory->limit == -1 || memory->swap < memory->limit))
		return limits_error(limits, "memory.swap: memory+swap limit should be >= memory "
					    "limit");
	return 0;
}

int limits_check_weight(struct limits *limits, const char *field, uint64_t weight)
{
	if (weight >= WEIGHT_MIN && weight <= WEIGHT_MAX)
		return 0;
	return limits_error(limits, "blockIO.%s: %llu is not from %d to %d", field,
			    (unsigned long long)weight, WEIGHT_MIN, WEIGHT_MAX);
}

/* ---- the simple controllers ---- */

static int limits_cpuset(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;
	const struct {
		const char *field, *file, *value;
	} lists[] = {
	    {"cpus", "cpuset.cpus", resources->cpu.cpus},
	    {"mems", "cpuset.mems", resources->cpu.mems},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *value = lists[i].value;

		if (!value || !*value)
			continue;
		if (value[strcspn(value, "\n")])
			return limits_error(limits, "cpu.%s: a newline in it", lists[i].field);
		if (limits_add(limits, hierarchy, "cpuset", i ? "cpu.mems" : "cpu.cpus",
			       lists[i].file, "%s", value))
			return -1;
	}
	return 0;
}

static int limits_pids(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	int64_t limit = limits->resources->pids_limit.value;

	/* As runc: 0 is not asked for, anything below is no limit. */
	if (limit < 0)
		return limits_add(limits, hierarchy, "pids", "pids.limit", "pids.max", "max");
	return limits_add(limits, hierarchy, "pids", "pids.limit", "pids.max", "%lld",
			  (long long)limit);
}

/* "2MB" and its like, as the kernel names its files; and whether this host has such pages. */
static bool is_page_size(const char *name)
{
	static const char units[] = "KMG";
	unsigned long long kilobytes;
	char path[96], *end;
	const char *unit;

	if (*name < '1' || *name > '9')
		return false;
	errno = 0;
	kilobytes = strtoull(name, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || !unit || strcmp(end + 1, "B") != 0 || kilobytes >= 1ULL << 40)
		return false;
	kilobytes <<= 10 * (unit - units);
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB", kilobytes);
	return access(path, F_OK) == 0;
}

static int limits_hugetlb(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;

	for (size_t i = 0; i < resources->hugepage_limits_count; i++) {
		const struct spec_hugepage_limit *limit = &resources->hugepage_limits[i];
		const char *end = hierarchy->unified ? "max" : "limit_in_bytes";
		char field[48], file[64], reserved[64];

		if (!limit->page_size || !is_page_size(limit->page_size))
			return limits_error(limits,
					    "hugepageLimits[%zu].pageSize: \"%.32s\" is "
					    "not a size of huge pages on this host",
					    i, limit->page_size ? limit->page_size : "");
		snprintf(field, sizeof(field), "hugepageLimits[%zu].limit", i);
		snprintf(file, sizeof(file), "hugetlb.%s.%s", limit->page_size, end);
		snprintf(reserved, sizeof(reserved), "hugetlb.%s.rsvd.%s", limit->page_size, end);
		/* A limit of 0 is one: huge pages are not for this container. */
		if (limits_add(limits, hierarchy, "hugetlb", field, file, "%llu",
			       (unsigned long long)limit->limit))
			return -1;
		/* Since Linux 5.7 what is reserved has a limit of its own (config-linux.md, "Huge
		 * page limits"). As runc, both get the same. */
		if (limits_file_presence(limits, hierarchy, reserved, file) != LIMITS_ABSENT &&
		    limits_add(limits, hierarchy, "hugetlb", field, reserved, "%llu",
			       (unsigned long long)limit->limit))
			return -1;
	}
	return 0;
}

/* ---- what is asked for ---- */

/* Each gives the first field that asks something of a controller, or NULL. */

static const char *asks_memory(const struct spec_resources *resources)
{
	if (limits_i64(&resources->memory.limit))
		return "memory.limit";
	if (limits_i64(&resources->memory.reservation))
		return "memory.reservation";
	if (limits_i64(&resources->memory.swap))
		return "memory.swap";
	/* memory.kernel is not among them: see limits_memory_v1(). */
	if (limits_i64(&resources->memory.kernel_tcp))
		return "memory.kernelTCP";
	if (limits_swappiness(&resources->memory.swappiness))
		return "memory.swappiness";
	if (resources->memory.disable_oom_killer.set && resources->memory.disable_oom_killer.value)
		return "memory.disableOOMKiller";
	return NULL;
}

static const char *asks_cpu(const struct spec_resources *resources)
{
	if (limits_u64(&resources->cpu.shares))
		return "cpu.shares";
	if (limits_i64(&resources->cpu.quota))
		return "cpu.quota";
	if (limits_u64(&resources->cpu.period))
		return "cpu.period";
	if (limits_u64(&resources->cpu.realtime_period))
		return "cpu.realtimePeriod";
	if (limits_i64(&resources->cpu.realtime_runtime))
		return "cpu.realtimeRuntime";
	if (limits_u64(&resources->cpu.burst))
		return "cpu.burst";
	if (limits_i64(&resources->cpu.idle))
		return "cpu.idle";
	return NULL;
}

/* A 0 here takes something back, but where there is no controller there is nothing to take. */
static const char *asks_cpu_zero(const struct spec_resources *resources)
{
	return resources->cpu.burst.set || resources->cpu.idle.set ? "cpu" : NULL;
}

static const char *asks_cpuset(const struct spec_resources *resources)
{
	if (resources->cpu.cpus && *resources->cpu.cpus)
		return "cpu.cpus";
	if (resources->cpu.mems && *resources->cpu.mems)
		return "cpu.mems";
	return NULL;
}

static const char *asks_block_io(const struct spec_resources *resources)
{
	if (limits_u64(&resources->block_io.weight))
		return "blockIO.weight";
	if (limits_u64(&resources->block_io.leaf_weight))
		return "blockIO.leafWeight";
	if (resources->block_io.weight_device_count > 0)
		return "blockIO.weightDevice";
	if (resources->block_io.read_bps.count > 0)
		return "blockIO.throttleReadBpsDevice";
	if (resources->block_io.write_bps.count > 0)
		return "blockIO.throttleWriteBpsDevice";
	if (resources->block_io.read_iops.count > 0)
		return "blockIO.throttleReadIOPSDevice";
	if (resources->block_io.write_iops.count > 0)
		return "blockIO.throttleWriteIOPSDevice";
	return NULL;
}

static const char *asks_pids(const struct spec_resources *resources)
{
	return limits_i64(&resources->pids_limit) ? "pids.limit" : NULL;
}

static const char *asks_hugetlb(const struct spec_resources *resources)
{
	return resources->hugepage_limits_count > 0 ? "hugepageLimits" : NULL;
}

static const char *asks_rdma(const struct spec_resources *resources)
{
	return resources->rdma_count > 0 ? "rdma" : NULL;
}

static const char *asks_class(const struct spec_resources *resources)
{
	return limits_u64(&resources->network.class_id) ? "network.classID" : NULL;
}

static const char *asks_priorities(const struct spec_resources *resources)
{
	return resources->network.priorities_count > 0 ? "network.priorities" : NULL;
}

/* ---- all of them ---- */

typedef int limits_function(struct limits *limits, const struct cgroup_hierarchy *hierarchy);

static const struct controller {
	const char *name, *name_v2;
	const char *(*asks)(const struct spec_resources *resources);
	limits_function *v1, *v2;
} controllers[] = {
    {"cpuset", "cpuset", asks_cpuset, limits_cpuset, limits_cpuset},
    {"cpu", "cpu", asks_cpu, limits_cpu_v1, limits_cpu_v2},
    {"memory", "memory", asks_memory, limits_memory_v1, limits_memory_v2},
    {"pids", "pids", asks_pids, limits_pids, limits_pids},
    {"blkio", "io", asks_block_io, limits_block_io_v1, limits_block_io_v2},
    {"hugetlb", "hugetlb", asks_hugetlb, limits_hugetlb, limits_hugetlb},
    {"rdma", "rdma", asks_rdma, limits_rdma, limits_rdma},
    {"net_cls", "net_cls", asks_class, limits_class, limits_class},
    {"net_prio", "net_prio", asks_priorities, limits_priorities, limits_priorities},
};

static int refuse_controller(struct limits *limits, const char *field, const char *name)
{
	const struct cgroup_hierarchy *unified = cgroup_find(limits->layout, "");

	if (unified && unified->delegated)
		return limits_error(limits,
				    "%s: the %s cgroup controller is not delegated: \"%s\" hasn't "
				    "got it",
				    field, name, unified->delegated);
	if (limits->layout->delegated && limits->layout->mode != CGROUP_UNIFIED)
		return limits_error(limits,
				    "%s: the %s cgroup controller is not delegated, or the "
				    "caller's cgroup has another path there than elsewhere",
				    field, name);
	return limits_error(limits, "%s: no %s cgroup controller on this host", field, name);
}

static int limits_controller(struct limits *limits, const struct controller *controller)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(limits->layout, controller->name);
	const char *field = controller->asks(limits->resources);

	if (!hierarchy)
		hierarchy = cgroup_find(limits->layout, controller->name_v2);
	if (!field && hierarchy && controller->asks == asks_cpu)
		field = asks_cpu_zero(limits->resources);
	if (!field)
		return 0;
	if (!hierarchy)
		return refuse_controller(limits, field,
					 limits->layout->mode == CGROUP_UNIFIED
					     ? controller->name_v2
					     : controller->name);
	/* It would drop the limit, with a word in its log. */
	if (hierarchy->unified && limits->layout->mode != CGROUP_UNIFIED)
		return limits_error(limits,
				    "%s: the %s cgroup controller is in the v2 tree beside v1 on "
				    "this host, where LXC sets no limits",
				    field, controller->name_v2);
	return (hierarchy->unified ? controller->v2 : controller->v1)(limits, hierarchy);
}

static int limits_all(struct limits *limits)
{
	struct cgroup_settings *settings = limits->settings;
	int result = 0;

	*settings = (struct cgroup_settings){.arena = ARENA_INIT, .where = limits_where(limits)};
	for (size_t i = 0; result == 0 && i < ARRAY_SIZE(controllers); i++)
		result = limits_controller(limits, &controllers[i]);
	/* Last, as in runc: it has the last word. */
	if (result == 0)
		result = limits_unified(limits);
	if (result)
		cgroup_settings_free(settings);
	return result;
}

int cgroup_settings_from_resources(const struct cgroup_layout *layout,
				   const struct spec_resources *resources,
				   struct cgroup_settings *settings, struct error *err)
{
	return limits_all(&(struct limits){layout, resources, settings, err, NULL, NULL});
}

int cgroup_settings_for_update(const struct cgroup_layout *layout, const char *path,
			       const struct spec_resources *changes,
			       const struct spec_resources *asked, struct cgroup_settings *settings,
			       struct error *err)
{
	return limits_all(&(struct limits){layout, changes, settings, err, path, asked});
}
