/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the limits of a container that is there. */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

static int apply_one(const struct cgroup_layout *layout, const char *path,
		     const struct cgroup_setting *setting)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, setting->controller);
	cleanup_close int dir = -1;

	if (!hierarchy) {
		errno = ENODEV;
		return -1;
	}
	dir = cgroup_open(hierarchy, path);
	return dir < 0 ? -1 : cgroup_write_file(dir, setting->file, setting->value);
}

/*
 * Which of two values that belong together must be written first (memory and memory+swap, period
 * and quota, quota and burst) depends on what is set now. Written in the wrong order the first is
 * refused with EINVAL; so what is refused is tried again after the others, as long as anything
 * still changes.
 */
int cgroup_apply(const struct cgroup_layout *layout, const char *path,
		 const struct cgroup_settings *settings, struct error *err)
{
	cleanup_free bool *done = calloc(settings->count + 1, sizeof(*done));
	size_t left = settings->count;

	if (!done)
		return error_errno(err, ENOMEM, "can't change the limits of cgroup %s", path);
	while (left > 0) {
		const struct cgroup_setting *refused = NULL;
		size_t before = left;

		for (size_t i = 0; i < settings->count; i++) {
			const struct cgroup_setting *setting = &settings->items[i];

			if (done[i])
				continue;
			if (apply_one(layout, path, setting) == 0) {
				done[i] = true;
				left--;
				continue;
			}
			if (errno != EINVAL)
				return error_errno(err, errno,
						   "can't write \"%s\" to %s of cgroup %s",
						   setting->value, setting->file, path);
			if (!refused)
				refused = setting;
		}
		if (left == before)
			return error_errno(err, EINVAL, "can't write \"%s\" to %s of cgroup %s",
					   refused->value, refused->file, path);
	}
	return 0;
}
