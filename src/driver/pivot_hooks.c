/* SPDX-License-Identifier: Apache-2.0 */
/* What is done while LXC waits before pivot_root(2): limits by systemd, resctrl, network
 * devices, hooks. */
#include "hooks/hooks.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "driver/internal.h"

bool creation_waits_at_pivot(const struct creation *creation)
{
	const struct spec *spec = creation->spec;

	return creation->systemd || spec->linux_.net_devices_count || spec->linux_.intel_rdt.set ||
	       spec->hooks[SPEC_HOOK_PRESTART].count ||
	       spec->hooks[SPEC_HOOK_CREATE_RUNTIME].count ||
	       spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count;
}

void creation_note_process(struct creation *creation, pid_t pid)
{
	struct state *state = creation->container.state;

	state->pid = pid;
	state->pid_start = state_process_start(pid, NULL);
	/* LXC takes no cgroup that exists, so this one is ours. */
	state->cgroup_identity = cgroup_identity(creation->layout, state->cgroup_path);
}

/* As the container sees itself (runtime.md, "State"). */
static char *state_inside(const struct state *state, struct error *err)
{
	struct state inside = *state;

	return namespaces_own_pid(state->pid, &inside.pid, err) < 0
		   ? NULL
		   : container_state_json(&inside, DRIVER_CREATING, false, err);
}

/* The devices are there for hooks to see. Before the root is changed (config.md, "POSIX-platform
 * Hooks"): the first two kinds run on the host, the third in the container's namespaces. */
int creation_at_pivot(void *data, pid_t pid, struct error *err)
{
	struct creation *creation = data;
	const struct spec *spec = creation->spec;
	struct hooks_namespaces namespaces = {.pidfd = -1};
	cleanup_close int pidfd = kernel_pidfd_open(pid);
	cleanup_free char *json = NULL, *inside = NULL;

	if (pidfd < 0)
		return error_errno(err, errno, "LXC's child is gone");
	creation_note_process(creation, pid);
	if (creation->systemd && creation_limit_scope(creation, err) < 0)
		return -1;
	/* It is alone yet: whoever it makes from now on is in the group, too. */
	if (creation_join_resctrl(creation, pid, err) < 0)
		return -1;
	creation->net_devices = net_devices_move(spec, pid, err);
	if (!creation->net_devices && spec->linux_.net_devices_count)
		return -1;
	namespaces.pidfd = pidfd;
	json = container_state_json(creation->container.state, DRIVER_CREATING, false, err);
	if (!json || namespaces_not_ours(pid, &namespaces.flags, err) < 0 ||
	    hooks_run(spec, SPEC_HOOK_PRESTART, json, creation->bundle, NULL, err) < 0 ||
	    hooks_run(spec, SPEC_HOOK_CREATE_RUNTIME, json, creation->bundle, NULL, err) < 0)
		return -1;
	inside = state_inside(creation->container.state, err);
	if (!inside || hooks_run(spec, SPEC_HOOK_CREATE_CONTAINER, inside, creation->bundle,
				 &namespaces, err) < 0)
		return -1;
	creation->pivot_done = true;
	return 0;
}
