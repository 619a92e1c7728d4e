/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy: the names of set_mempolicy(2), and which of them go together. */
#include "spec/internal.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/ranges.h"

/* In the kernel's order, by which they are numbered (<linux/mempolicy.h>). */
static const char *const modes[] = {
    "MPOL_DEFAULT",	   "MPOL_PREFERRED",	       "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL",
    "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE", NULL};

static const char *const flags[] = {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
				    "MPOL_F_STATIC_NODES", NULL};
static const uint32_t flag_bits[] = {1 << 13, 1 << 14, 1 << 15};

const char *const *spec_memory_policy_modes(void)
{
	return modes;
}

const char *const *spec_memory_policy_flags(void)
{
	return flags;
}

static int find(const char *const *names, const char *name)
{
	int i;

	for (i = 0; name && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

uint32_t spec_memory_policy_mode(const struct spec_linux *linux_)
{
	const struct spec_strings *asked = &linux_->memory_policy.flags;
	int mode = find(modes, linux_->memory_policy.mode), flag;
	uint32_t value = mode < 0 ? 0 : (uint32_t)mode;
	size_t i;

	for (i = 0; i < asked->count; i++) {
		flag = find(flags, asked->items[i]);
		value |= flag < 0 ? 0 : flag_bits[flag];
	}
	return value;
}

/* The words "invalid memory policy …" are runc's. */
int spec_validate_memory_policy(const struct spec *spec, struct error *err)
{
	__typeof__(&spec->linux_.memory_policy) policy = &spec->linux_.memory_policy;
	struct ranges nodes;
	int mode, count;
	size_t i;

	if (!policy->set)
		return 0;
	mode = find(modes, policy->mode);
	if (mode < 0)
		return spec_invalid(spec, err,
				    "linux.memoryPolicy.mode: %s: invalid memory policy "
				    "mode",
				    policy->mode ? quoted(policy->mode) : "is missing");
	for (i = 0; i < policy->flags.count; i++)
		if (find(flags, policy->flags.items[i]) < 0)
			return spec_invalid(spec, err,
					    "linux.memoryPolicy.flags[%zu]: %s: invalid memory "
					    "policy flag",
					    i, quoted(policy->flags.items[i]));
	count = ranges_parse(policy->nodes ? policy->nodes : "", &nodes);
	if (count < 0)
		return spec_invalid(spec, err,
				    "linux.memoryPolicy.nodes: %s: invalid memory policy nodes; "
				    "want a list like \"0-3,7\"",
				    quoted(policy->nodes));
	/* The kernel would only say EINVAL. MPOL_PREFERRED without nodes means the local one. */
	if (count &&
	    (strcmp(policy->mode, "MPOL_DEFAULT") == 0 || strcmp(policy->mode, "MPOL_LOCAL") == 0))
		return spec_invalid(spec, err,
				    "linux.memoryPolicy.nodes: %s mode requires 0 nodes "
				    "but got %d",
				    policy->mode, count);
	if (!count && strcmp(policy->mode, "MPOL_DEFAULT") != 0 &&
	    strcmp(policy->mode, "MPOL_LOCAL") != 0 && strcmp(policy->mode, "MPOL_PREFERRED") != 0)
		return spec_invalid(spec, err, "linux.memoryPolicy.nodes: %s mode requires nodes",
				    policy->mode);
	return 0;
}
