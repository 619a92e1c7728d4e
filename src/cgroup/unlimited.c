/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a cgroup that is there already could be made anew without losing a limit. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

#define VALUE_MAX 4096

struct comparison {
	const struct cgroup_hierarchy *hierarchy;
	const char *path;
	const struct cgroup_settings *settings; /* what will be set anyway */
	int dir, fresh, parent;
	struct error *err;
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);

	return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

/* What can be written and is no limit: who is in, what is switched on for children, and counters,
 * which a write resets. */
static bool is_no_limit(const char *file)
{
	static const char *const names[] = {"tasks",
					    "cgroup.procs",
					    "cgroup.threads",
					    "cgroup.subtree_control",
					    "cgroup.clone_children",
					    "notify_on_release",
					    "release_agent",
					    "cpuacct.usage"};
	static const char *const ends[] = {".failcnt", ".max_usage_in_bytes", ".peak", ".pressure",
					   ".pressure_level"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(file, names[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends_with(file, ends[i]))
			return true;
	}
	return false;
}

static bool is_set_anyway(const struct comparison *comparison, const char *file)
{
	for (size_t i = 0; i < comparison->settings->count; i++) {
		if (strcmp(comparison->settings->items[i].file, file) == 0)
			return true;
	}
	return false;
}

static int compare_file(const struct comparison *comparison, const char *file)
{
	char value[VALUE_MAX], fresh[VALUE_MAX], parent[VALUE_MAX];

	/* Some files can be read in some cgroups only. */
	if (cgroup_read_file(comparison->dir, file, value, sizeof(value)) ||
	    cgroup_read_file(comparison->fresh, file, fresh, sizeof(fresh)) ||
	    strcmp(value, fresh) == 0)
		return 0;
	/* v1's are empty at first, and whoever makes such a cgroup copies its parent's. */
	if (strncmp(file, "cpuset.", strlen("cpuset.")) == 0 &&
	    cgroup_read_file(comparison->parent, file, parent, sizeof(parent)) == 0 &&
	    strcmp(value, parent) == 0)
		return 0;
	/* The words are runc's. */
	if (strcmp(file, "freezer.state") == 0 || strcmp(file, "cgroup.freeze") == 0)
		return error_set(
		    comparison->err,
		    "linux.cgroupsPath: \"%s\": container's cgroup unexpectedly frozen",
		    comparison->path);
	return error_set(
	    comparison->err,
	    "linux.cgroupsPath: the cgroup \"%s\" is there already with a limit of its "
	    "own, which would be lost: %s (%s) is \"%.*s\"; set it in linux.resources, "
	    "or in a cgroup above, or remove the cgroup",
	    comparison->path, file, cgroup_hierarchy_name(comparison->hierarchy),
	    (int)(strcspn(value, "\n") < 64 ? strcspn(value, "\n") : 64), value);
}

static int compare_files(const struct comparison *comparison)
{
	int fd = openat(comparison->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_closedir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		fd_close(fd);
		return error_errno(comparison->err, errno, "can't look at cgroup %s (%s)",
				   comparison->path, cgroup_hierarchy_name(comparison->hierarchy));
	}
	while ((entry = readdir(stream))) {
		const char *file = entry->d_name;
		struct stat st;

		if (entry->d_type != DT_REG || is_no_limit(file) ||
		    is_set_anyway(comparison, file) || fstatat(comparison->dir, file, &st, 0) ||
		    (st.st_mode & (S_IRUSR | S_IWUSR)) != (S_IRUSR | S_IWUSR))
			continue;
		if (compare_file(comparison, file))
			return -1;
	}
	return 0;
}

/* Compares with a cgroup that is made beside it for that. */
static int compare_with_fresh(struct comparison *comparison, const char *beside)
{
	const char *name = strrchr(beside, '/') + 1;
	cleanup_close int parent = -1, fresh = -1;
	char above[PATH_MAX];
	int result;

	snprintf(above, sizeof(above), "%.*s", (int)(name - 1 - beside), beside);
	parent = cgroup_open(comparison->hierarchy, above);
	if (parent < 0 || mkdirat(parent, name, 0755))
		return error_errno(comparison->err, errno, "can't make the cgroup %s (%s)", beside,
				   cgroup_hierarchy_name(comparison->hierarchy));
	fresh = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	comparison->parent = parent;
	comparison->fresh = fresh;
	result = fresh < 0 ? error_errno(comparison->err, errno, "can't open the cgroup %s (%s)",
					 beside, cgroup_hierarchy_name(comparison->hierarchy))
			   : compare_files(comparison);
	if (unlinkat(parent, name, AT_REMOVEDIR) && result == 0)
		result = error_errno(comparison->err, errno, "can't remove the cgroup %s (%s)",
				     beside, cgroup_hierarchy_name(comparison->hierarchy));
	return result;
}

/* v1's device list is set whole for every container. */
static bool has_no_limits(const struct cgroup_hierarchy *hierarchy)
{
	for (char **name = hierarchy->controllers; name && *name; name++) {
		if (strcmp(*name, "devices") != 0 && strncmp(*name, "name=", 5) != 0)
			return false;
	}
	return !hierarchy->unified;
}

int cgroup_check_unlimited(const struct cgroup_layout *layout, const char *path, const char *beside,
			   const struct spec_resources *resources, struct error *err)
{
	struct cgroup_settings settings;
	int result = 0;

	if (cgroup_settings_from_resources(layout, resources, &settings, err))
		return -1;
	for (size_t i = 0; result == 0 && i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		cleanup_close int dir = -1;
		struct comparison comparison = {
		    .hierarchy = hierarchy, .path = path, .settings = &settings, .err = err};

		if (has_no_limits(hierarchy))
			continue;
		dir = cgroup_open(hierarchy, path);
		if (dir < 0 && errno == ENOENT)
			continue;
		comparison.dir = dir;
		result = dir < 0 ? error_errno(err, errno, "can't look at cgroup %s (%s)", path,
					       cgroup_hierarchy_name(hierarchy))
				 : compare_with_fresh(&comparison, beside);
	}
	cgroup_settings_free(&settings);
	return result;
}
