/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/memory_watch.h"

#include "base/cleanup.h"

void memory_watch_open(struct memory_watch *watch, const struct cgroup_layout *layout,
		       const char *cgroup_path)
{
	struct error ignored = ERROR_INIT;

	*watch = (struct memory_watch){0};
	if (cgroup_path)
		watch->oom = cgroup_oom_open(layout, cgroup_path, &ignored);
	error_clear(&ignored);
}

int memory_watch_fd(const struct memory_watch *watch)
{
	return watch->oom ? cgroup_oom_fd(watch->oom) : -1;
}

void memory_watch_look(struct memory_watch *watch)
{
	struct error ignored = ERROR_INIT;
	struct cgroup_oom_state state;

	if (!watch->oom)
		return;
	if (cgroup_oom_read(watch->oom, &state, &ignored) == 0)
		watch->killed |= state.kills > 0;
	else
		memory_watch_close(watch);
	error_clear(&ignored);
}

bool memory_watch_end(struct memory_watch *watch)
{
	memory_watch_look(watch);
	return watch->killed;
}

void memory_watch_close(struct memory_watch *watch)
{
	if (watch->oom)
		cgroup_oom_close(PTR_TAKE(watch->oom));
}
