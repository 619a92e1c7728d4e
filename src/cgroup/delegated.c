/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user other than root may make cgroups. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* What a delegation gives away (cgroup-v2.rst, "Model of Delegation"); LXC wants as much. */
static bool is_delegated(const struct cgroup_hierarchy *hierarchy)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.threads",
					    "cgroup.subtree_control"};
	cleanup_close int own = cgroup_open(hierarchy, hierarchy->own);

	if (own < 0 || faccessat(own, ".", W_OK, AT_EACCESS) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files) && hierarchy->unified; i++)
		if (faccessat(own, files[i], W_OK, AT_EACCESS) < 0)
			return false;
	return true;
}

const char *cgroup_keep_delegated(struct cgroup_layout *layout)
{
	const char *own = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++) {
		struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		/* A container has one path, the same everywhere. */
		if (!is_delegated(hierarchy) || (own && strcmp(own, hierarchy->own) != 0)) {
			cgroup_hierarchy_free(hierarchy);
			continue;
		}
		own = hierarchy->own;
		layout->hierarchies[kept++] = *hierarchy;
	}
	layout->count = kept;
	return own;
}

char *cgroup_path_below(const char *own, const char *cgroups_path, const char *id,
			struct error *err)
{
	cleanup_free char *wanted = cgroup_path_of(cgroups_path, id, err);
	size_t length = strcmp(own, "/") == 0 ? 0 : strlen(own);
	bool absolute = cgroups_path && cgroups_path[0] == '/';
	char *path = NULL;

	if (!wanted)
		return NULL;
	if (absolute && strncmp(wanted, own, length) == 0 && wanted[length] == '/')
		return PTR_TAKE(wanted);
	if (absolute) {
		error_set(err,
			  "linux.cgroupsPath: \"%s\" is not below \"%s\", which is all that user "
			  "%u may write to",
			  wanted, own, geteuid());
		return NULL;
	}
	if (asprintf(&path, "%.*s%s", (int)length, own, wanted) < 0) {
		error_errno(err, ENOMEM, "linux.cgroupsPath");
		return NULL;
	}
	return path;
}
