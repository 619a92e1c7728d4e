/* SPDX-License-Identifier: Apache-2.0 */
/* `resources` and the devices of a Command. */
#include "command/internal.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* What a dev_t has room for. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

static struct command_fault *at(struct command_fault *fault, const char *field)
{
	return fault_at(fault, "resources.%s", field);
}

/* ---- numbers ---- */

/* Zero is "not given", whatever the range; `also` is one more value beside it. */
static int check_range(struct command_fault *fault, const char *field, int64_t value, int64_t min,
		       int64_t max, int64_t also)
{
	if (!value || value == also || (value >= min && value <= max))
		return 0;
	if (max == INT64_MAX)
		return fault_set(at(fault, field), "%" PRId64 " is %s %" PRId64, value,
				 also ? "neither -1 nor at least" : "less than", min);
	return fault_set(at(fault, field), "%" PRId64 " is not in %" PRId64 " to %" PRId64, value,
			 min, max);
}

static int check_memory(const struct runlxc_command_resources *resources,
			struct command_fault *fault)
{
	if (check_range(fault, "memory", resources->memory, 1, INT64_MAX, 0) ||
	    check_range(fault, "memory_reservation", resources->memory_reservation, 1, INT64_MAX,
			0) ||
	    check_range(fault, "memory_swap", resources->memory_swap, 1, INT64_MAX, -1))
		return -1;
	if (resources->memory_swap > 0 && !resources->memory)
		return fault_set(at(fault, "memory_swap"),
				 "is memory and swap together, and needs memory beside it");
	if (resources->memory_swap > 0 && resources->memory_swap < resources->memory)
		return fault_set(at(fault, "memory_swap"),
				 "%" PRId64 " is less than memory (%" PRId64 ")",
				 resources->memory_swap, resources->memory);
	if (resources->memory && resources->memory_reservation > resources->memory)
		return fault_set(at(fault, "memory_reservation"),
				 "%" PRId64 " is more than memory (%" PRId64 ")",
				 resources->memory_reservation, resources->memory);
	if (resources->memory_swappiness_set &&
	    (resources->memory_swappiness < 0 || resources->memory_swappiness > 100))
		return fault_set(at(fault, "memory_swappiness"), "%" PRId64 " is not in 0 to 100",
				 resources->memory_swappiness);
	return 0;
}

/* "0-2,7", as the kernel's bitmap_parselist() has it, but for its strides. */
static int check_cpuset(struct command_fault *fault, const char *field, const char *text)
{
	const char *next = text;
	bool valid = true;

	if (!given(text))
		return 0;
	while (valid) {
		size_t first = strspn(next, "0123456789"), last = 1;

		next += first;
		if (*next == '-') {
			last = strspn(next + 1, "0123456789");
			next += 1 + last;
		}
		valid = first && last;
		if (*next != ',')
			break;
		next++;
	}
	if (!valid || *next)
		return fault_set(at(fault, field), "%s is not a list such as 0-2,7", quoted(text));
	return 0;
}

/* ---- limits of the process ---- */

const char *command_rlimit_name(const char *name)
{
	static const char *const names[] = {
	    "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",	   "RLIMIT_DATA",
	    "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",	   "RLIMIT_MSGQUEUE",
	    "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",	   "RLIMIT_RSS",
	    "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"};

	if (strncasecmp(name, "RLIMIT_", 7) == 0)
		name += 7;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i] + 7, name) == 0)
			return names[i];
	}
	return NULL;
}

static int check_rlimits(const struct runlxc_command_resources *resources,
			 struct command_fault *fault)
{
	for (size_t i = 0; i < resources->rlimits_count; i++) {
		const struct runlxc_command_rlimit *limit = &resources->rlimits[i];
		const char *name = given(limit->Name) ? command_rlimit_name(limit->Name) : NULL;

		fault_at(fault, "resources.rlimits[%zu].Name", i);
		if (!given(limit->Name))
			return fault_set(fault, "is missing");
		if (!name)
			return fault_set(fault, "%s is not a limit", quoted(limit->Name));
		for (size_t j = 0; j < i; j++) {
			if (command_rlimit_name(resources->rlimits[j].Name) == name)
				return fault_set(fault, "%s is there twice", quoted(limit->Name));
		}
		if (limit->Soft < -1)
			return fault_set(fault_at(fault, "resources.rlimits[%zu].Soft", i),
					 "%" PRId64 " is neither -1 nor a limit", limit->Soft);
		if (limit->Hard < -1)
			return fault_set(fault_at(fault, "resources.rlimits[%zu].Hard", i),
					 "%" PRId64 " is neither -1 nor a limit", limit->Hard);
		/* As unsigned numbers -1 is the largest of all, which is what it means. */
		if ((uint64_t)limit->Soft > (uint64_t)limit->Hard)
			return fault_set(fault_at(fault, "resources.rlimits[%zu].Soft", i),
					 "%" PRId64 " is more than Hard (%" PRId64 ")", limit->Soft,
					 limit->Hard);
	}
	return 0;
}

int command_check_resources(const struct runlxc_command_resources *resources,
			    struct command_fault *fault)
{
	/* The kernel's own ranges, where it would only say EINVAL or take another value. */
	if (check_memory(resources, fault) ||
	    check_range(fault, "cpu_shares", resources->cpu_shares, 2, 262144, 0) ||
	    check_range(fault, "cpu_period", resources->cpu_period, 1000, 1000000, 0) ||
	    check_range(fault, "cpu_quota", resources->cpu_quota, 1000, INT64_MAX, -1) ||
	    check_cpuset(fault, "cpuset_cpus", resources->cpuset_cpus) ||
	    check_cpuset(fault, "cpuset_mems", resources->cpuset_mems) ||
	    check_range(fault, "blkio_weight", resources->blkio_weight, 10, 1000, 0) ||
	    check_rlimits(resources, fault))
		return -1;
	return 0;
}

/* ---- devices ---- */

static int check_type(const struct runlxc_command_device *device, const char *types,
		      const char *words, struct command_fault *fault)
{
	if (!device->type)
		return fault_set(fault, "is missing");
	if (device->type > 0 && device->type < 0x80 && strchr(types, device->type))
		return 0;
	if (device->type > 0x20 && device->type < 0x7f)
		return fault_set(fault, "\"%c\" is not one of %s", device->type, words);
	return fault_set(fault, "%d is not one of %s", device->type, words);
}

static int check_number(int64_t number, int64_t min, int64_t max, struct command_fault *fault)
{
	if (number >= min && number <= max)
		return 0;
	return fault_set(fault, "%" PRId64 " is not in %" PRId64 " to %" PRId64, number, min, max);
}

static int check_permissions(const char *permissions, struct command_fault *fault)
{
	if (!given(permissions) ||
	    (!permissions[strspn(permissions, "rwm")] && strlen(permissions) <= 3))
		return 0;
	return fault_set(fault, "%s has more than r, w and m in it", quoted(permissions));
}

int command_check_devices(const struct runlxc_command *command, struct command_fault *fault)
{
	for (size_t i = 0; i < command->allowed_devices_count; i++) {
		const struct runlxc_command_device *device = &command->allowed_devices[i];
		static const char list[] = "allowed_devices";

		if (check_type(device, "cba", "c, b and a",
			       fault_at(fault, "%s[%zu].type", list, i)) ||
		    check_number(device->major, -1, UINT32_MAX,
				 fault_at(fault, "%s[%zu].major", list, i)) ||
		    check_number(device->minor, -1, UINT32_MAX,
				 fault_at(fault, "%s[%zu].minor", list, i)) ||
		    check_permissions(device->permissions,
				      fault_at(fault, "%s[%zu].permissions", list, i)))
			return -1;
	}
	for (size_t i = 0; i < command->autocreated_devices_count; i++) {
		const struct runlxc_command_device *device = &command->autocreated_devices[i];
		const char *reason = command_path_fault(device->path);
		static const char list[] = "autocreated_devices";

		if (check_type(device, "cb", "c and b", fault_at(fault, "%s[%zu].type", list, i)) ||
		    check_number(device->major, 0, MAJOR_MAX,
				 fault_at(fault, "%s[%zu].major", list, i)) ||
		    check_number(device->minor, 0, MINOR_MAX,
				 fault_at(fault, "%s[%zu].minor", list, i)) ||
		    check_permissions(device->permissions,
				      fault_at(fault, "%s[%zu].permissions", list, i)))
			return -1;
		if (reason)
			return fault_set(fault_at(fault, "%s[%zu].path", list, i), "%s", reason);
	}
	return 0;
}
