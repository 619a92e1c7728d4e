/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user other than root may make cgroups. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* What a delegation gives away (cgroup-v2.rst, "Model of Delegation"); LXC wants as much. */
static bool is_delegated(const struct cgroup_hierarchy *hierarchy, const char *path)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.threads",
					    "cgroup.subtree_control"};
	cleanup_close int dir = cgroup_open(hierarchy, path);

	if (dir < 0 || faccessat(dir, ".", W_OK, AT_EACCESS) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files) && hierarchy->unified; i++)
		if (faccessat(dir, files[i], W_OK, AT_EACCESS) < 0)
			return false;
	return true;
}

/* Leaves those of which `keeps` says so. */
static void keep(struct cgroup_layout *layout,
		 bool (*keeps)(const struct cgroup_hierarchy *hierarchy, const char *own),
		 const char *own)
{
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++) {
		struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (keeps(hierarchy, own))
			layout->hierarchies[kept++] = *hierarchy;
		else
			cgroup_hierarchy_free(hierarchy);
	}
	layout->count = kept;
}

static bool has_rights(const struct cgroup_hierarchy *hierarchy, const char *ignored)
{
	(void)ignored;
	return is_delegated(hierarchy, hierarchy->own);
}

static bool has_path(const struct cgroup_hierarchy *hierarchy, const char *own)
{
	return strcmp(hierarchy->own, own) == 0;
}

/* The path that most of them have, of as many the first; NULL: there is none. */
static const char *most_frequent(const struct cgroup_layout *layout)
{
	const char *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < layout->count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < layout->count; k++)
			same += has_path(&layout->hierarchies[k], layout->hierarchies[i].own);
		if (same > most) {
			most = same;
			found = layout->hierarchies[i].own;
		}
	}
	return found;
}

/* A container has one path, the same everywhere. */
const char *cgroup_keep_delegated(struct cgroup_layout *layout)
{
	const char *own;

	keep(layout, has_rights, NULL);
	own = most_frequent(layout);
	keep(layout, has_path, own);
	layout->delegated = true;
	return own;
}

static size_t length_of(const char *path)
{
	return strcmp(path, "/") == 0 ? 0 : strlen(path);
}

static bool is_below(const char *path, const char *base)
{
	size_t length = length_of(base);

	return strncmp(path, base, length) == 0 && path[length] == '/';
}

/* Goes to the cgroup above, if that is delegated. */
static bool go_up(const struct cgroup_hierarchy *hierarchy, char *path)
{
	size_t end = (size_t)(strrchr(path, '/') - path), cut = end ? end : 1;
	char last = path[cut];

	if (strcmp(path, "/") == 0)
		return false;
	path[cut] = '\0';
	if (is_delegated(hierarchy, path))
		return true;
	path[cut] = last;
	return false;
}

char *cgroup_delegated_base(const struct cgroup_layout *layout, const char *own,
			    const char *cgroups_path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, "");
	bool absolute = cgroups_path && cgroups_path[0] == '/', higher;
	char *base = strdup(own);

	if (!base || !hierarchy || layout->mode != CGROUP_UNIFIED)
		return base;
	higher = go_up(hierarchy, base);
	while (higher && absolute && !is_below(cgroups_path, base))
		higher = go_up(hierarchy, base);
	return base;
}

char *cgroup_path_below(const char *base, const char *cgroups_path, const char *id,
			struct error *err)
{
	cleanup_free char *wanted = cgroup_path_of(cgroups_path, id, err);
	bool absolute = cgroups_path && cgroups_path[0] == '/';
	char *path = NULL;

	if (!wanted)
		return NULL;
	if (absolute && is_below(wanted, base))
		return PTR_TAKE(wanted);
	if (absolute) {
		error_set(err,
			  "linux.cgroupsPath: \"%s\" is not below \"%s\", which is all that user "
			  "%u may write to",
			  wanted, base, geteuid());
		return NULL;
	}
	if (asprintf(&path, "%.*s%s", (int)length_of(base), base, wanted) < 0) {
		error_errno(err, ENOMEM, "linux.cgroupsPath");
		return NULL;
	}
	return path;
}

/* "+memory +pids": all or none, as LXC will write them in what it makes below. */
static char *switched_on(const struct cgroup_hierarchy *hierarchy)
{
	size_t length = 1;
	char *text, *end;

	for (char **name = hierarchy->controllers; *name; name++)
		length += strlen(*name) + 2;
	text = malloc(length);
	if (!text)
		return NULL;
	*text = '\0';
	end = text;
	for (char **name = hierarchy->controllers; *name; name++)
		end = stpcpy(stpcpy(stpcpy(end, end == text ? "" : " "), "+"), *name);
	return text;
}

int cgroup_hand_down(struct cgroup_layout *layout, const char *base, const char *path, char **busy,
		     struct error *err)
{
	/* The one that a layout of v2 alone has. */
	struct cgroup_hierarchy *hierarchy = &layout->hierarchies[0];
	cleanup_free char *at = strdup(path), *text = NULL;
	size_t length = length_of(base);

	*busy = NULL;
	hierarchy->delegated = strdup(base);
	if (!at || !hierarchy->delegated)
		return error_errno(err, ENOMEM, "Failed to hand controllers down");
	if (cgroup_read_controllers(hierarchy, base, err) < 0)
		return -1;
	text = switched_on(hierarchy);
	if (!text)
		return error_errno(err, ENOMEM, "Failed to hand controllers down");
	while (*text && path[length] == '/') {
		cleanup_close int dir = -1;

		at[length] = '\0';
		dir = cgroup_open(hierarchy, length ? at : "/");
		if (dir < 0 && errno == ENOENT)
			break; /* LXC makes it, and does this there */
		if (dir < 0 || cgroup_write_file(dir, "cgroup.subtree_control", text) < 0) {
			if (dir < 0 || errno != EBUSY)
				return error_errno(
				    err, errno,
				    "Failed to write \"%s\" to cgroup.subtree_control of \"%s\"",
				    text, length ? at : "/");
			*busy = strdup(length ? at : "/");
			return *busy ? 0
				     : error_errno(err, ENOMEM, "Failed to hand controllers down");
		}
		at[length] = '/';
		length += 1 + strcspn(path + length + 1, "/");
	}
	return 0;
}
