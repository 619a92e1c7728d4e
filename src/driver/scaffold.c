/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For a restore: LXC starts the container like any other, and init makes everything that a new one
 * would have. By then its cgroups stand with all limits and device rules, its mount targets are
 * there, and what its config.json asks for is known to be possible. Then init goes, and leaves the
 * cgroups.
 */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"

/* What runs in the container it brings along, and this init is not its process. */
int scaffold_bring_up(struct creation *creation, int (*bring_up)(struct creation *, struct error *),
		      struct error *err)
{
	struct spec_hooks hooks[SPEC_HOOK_KINDS];
	int result;

	memcpy(hooks, creation->spec->hooks, sizeof(hooks));
	memset(creation->spec->hooks, 0, sizeof(hooks));
	result = bring_up(creation, err);
	memcpy(creation->spec->hooks, hooks, sizeof(hooks));
	return result;
}

int scaffold_check(const struct creation *creation, struct error *err)
{
	return criu_check_spec(creation->spec, creation->container.state->annotations, err);
}

int scaffold_leave_cgroups(struct creation *creation, struct error *err)
{
	struct state *state = creation->container.state;

	if (creation->systemd && creation_hold_scope(creation, err) < 0)
		return -1;
	/* Before init ends: LXC's monitor would remove the cgroups. */
	lxc_hand_over(&creation->monitor);
	/* An init that waits for its commit ends by that alone. */
	fd_close(fd_take(&creation->sync));
	/* We are the nearest subreaper. */
	while (creation->init > 0 && waitpid(creation->init, NULL, 0) < 0 && errno == EINTR)
		;
	creation->init = 0;
	fd_close(fd_take(&creation->terminal));
	if (creation->made_proc && unlinkat(creation->rootfs_fd, "proc", AT_REMOVEDIR) < 0)
		log_warning(creation->driver->log,
			    "The directory \"proc\" made in the root stays there");
	creation->made_proc = false;
	if ((!creation->holder &&
	     cgroup_wait_empty(creation->layout, state->cgroup_path, 10000, err) < 0) ||
	    cgroup_remove(creation->layout, state->monitor_cgroup, err) < 0)
		return -1;
	free(PTR_TAKE(state->monitor_cgroup));
	return 0;
}
