/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the limits of a container that is there. */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

static int open_cgroup(const struct cgroup_layout *layout, const char *path,
		       const struct cgroup_setting *setting)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, setting->controller);

	if (!hierarchy) {
		errno = ENODEV;
		return -1;
	}
	return cgroup_open(hierarchy, path);
}

static int write_one(const struct cgroup_layout *layout, const char *path,
		     const struct cgroup_setting *setting, const char *value)
{
	cleanup_close int dir = open_cgroup(layout, path, setting);

	return dir < 0 ? -1 : cgroup_write_file(dir, setting->file, value);
}

/* v1 refuses a memory limit that it can't bring the usage below; the words are runc's. */
static int explain_busy(const struct cgroup_layout *layout, const char *path,
			const struct cgroup_settings *settings,
			const struct cgroup_setting *refused, struct error *err)
{
	cleanup_close int dir = open_cgroup(layout, path, refused);
	char usage[32], peak[32];

	if (dir < 0 || cgroup_read_file(dir, "memory.usage_in_bytes", usage, sizeof(usage)) < 0 ||
	    cgroup_read_file(dir, "memory.max_usage_in_bytes", peak, sizeof(peak)) < 0)
		return 0;
	return error_set(err,
			 "%s%s: unable to set memory limit to %s (current usage: %s, peak usage: "
			 "%s)",
			 settings->where, refused->field, refused->value, usage, peak);
}

static int report(const struct cgroup_layout *layout, const char *path,
		  const struct cgroup_settings *settings, const struct cgroup_setting *refused,
		  const char *value, int errnum, struct error *err)
{
	if (errnum == EBUSY && strcmp(refused->file, "memory.limit_in_bytes") == 0 &&
	    explain_busy(layout, path, settings, refused, err) < 0)
		return -1;
	return error_errno(err, errnum, "%s%s: can't write \"%s\" to %s of cgroup %s",
			   settings->where, refused->field, value, refused->file, path);
}

int cgroup_apply(const struct cgroup_layout *layout, const char *path,
		 struct cgroup_settings *settings, struct error *err)
{
	size_t left = settings->count;

	/*
	 * Which of two values that belong together must be written first (memory and memory+swap,
	 * period and quota, quota and burst) depends on what is set now. Written in the wrong order
	 * the first is refused with EINVAL; so what is refused is tried again after the others, as
	 * long as anything still changes.
	 */
	while (left > 0) {
		const struct cgroup_setting *refused = NULL;
		size_t before = left;

		for (size_t i = 0; i < settings->count; i++) {
			struct cgroup_setting *setting = &settings->items[i];

			if (setting->written)
				continue;
			if (write_one(layout, path, setting, setting->value) == 0) {
				setting->written = true;
				left--;
				continue;
			}
			if (errno != EINVAL)
				return report(layout, path, settings, setting, setting->value,
					      errno, err);
			if (!refused)
				refused = setting;
		}
		if (left == before)
			return report(layout, path, settings, refused, refused->value, EINVAL, err);
	}
	return 0;
}

/* In the same way, the last one first, and all that can be. */
int cgroup_put_back(const struct cgroup_layout *layout, const char *path,
		    struct cgroup_settings *settings, struct error *err)
{
	for (bool changed = true; changed;) {
		const struct cgroup_setting *refused = NULL;
		int errnum = 0;

		changed = false;
		for (size_t i = settings->count; i > 0; i--) {
			struct cgroup_setting *setting = &settings->items[i - 1];

			if (!setting->written || !setting->before)
				continue;
			if (write_one(layout, path, setting, setting->before) == 0) {
				setting->written = false;
				changed = true;
			} else {
				refused = setting;
				errnum = errno;
			}
		}
		if (refused && !changed)
			return report(layout, path, settings, refused, refused->before, errnum,
				      err);
		if (!refused)
			break;
	}
	return 0;
}
