/* SPDX-License-Identifier: Apache-2.0 */
/* What a new container leaves in its directory for other commands. */
#include "driver/internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/kernel.h"

static char *annotations_text(const struct spec *spec)
{
	struct json_object *object;
	char *text;
	size_t i;

	if (!spec->annotations.count)
		return NULL;
	object = json_object_new_object();
	for (i = 0; i < spec->annotations.count; i++)
		json_object_object_add(object, spec->annotations.items[i].key,
				       json_object_new_string(spec->annotations.items[i].value));
	text = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	return text;
}

static char *owner_name(void)
{
	struct passwd entry, *found = NULL;
	char space[4096];

	if (geteuid() == 0)
		return strdup("root");
	if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) != 0 || !found)
		return strdup("");
	return strdup(entry.pw_name);
}

static int describe(struct creation *creation, struct error *err)
{
	struct state *state = calloc(1, sizeof(*state));
	const struct spec_namespace *pid_ns = &creation->spec->linux_.namespaces[SPEC_NS_PID];

	creation->container.state = state;
	if (!state)
		return error_errno(err, ENOMEM, "Failed to record the container");
	state->id = strdup(creation->id);
	state->oci_version = strdup(creation->spec->oci_version);
	state->bundle = strdup(creation->bundle);
	state->rootfs = strdup(creation->rootfs);
	state->created = state_timestamp();
	state->owner = owner_name();
	state->annotations = annotations_text(creation->spec);
	/* Whoever finds a create that was killed waits for its monitor's end, before he looks for
	 * what that may be making still. */
	state->monitor_pid = creation->monitor.pid;
	state->monitor_start = state_process_start(creation->monitor.pid, NULL);
	state->created_only = true;
	state->no_new_keyring = creation->options->no_new_keyring;
	state->systemd_cgroup = creation->systemd != NULL;
	state->exit_status = -1;
	state->pid_namespace_shared = !(pid_ns->listed && !pid_ns->path);
	if (!state->id || !state->oci_version || !state->bundle || !state->rootfs ||
	    !state->created || !state->owner)
		return error_errno(err, ENOMEM, "Failed to record the container");
	return creation_record_resctrl(creation, state, err);
}

/* The container's cgroup isn't ours yet: for now there is one to be made for a moment, which has
 * the place of the monitor's. */
int creation_record_beside(struct creation *creation, char *cgroup, struct error *err)
{
	int result = describe(creation, err);

	if (!creation->container.state) {
		free(cgroup);
		return -1;
	}
	creation->container.state->monitor_cgroup = cgroup;
	return result < 0
		   ? -1
		   : state_write_creating(&creation->container.dir, creation->container.state, err);
}

char *creation_monitor_cgroup(const struct creation *creation)
{
	char *path;

	/* A kept monitor belongs to this container for good; one that goes at once only needs a
	 * name that no other has meanwhile. */
	return asprintf(&path, "%s/lxc.monitor.%s", creation->cgroup_base,
			creation->options->lxc_monitor ? creation->id : creation->tag) < 0
		   ? NULL
		   : path;
}

int creation_record(struct creation *creation, struct error *err)
{
	bool again = creation->container.state != NULL;
	struct state *state;

	if (!again && describe(creation, err) < 0)
		return -1;
	state = creation->container.state;
	free(PTR_TAKE(state->monitor_cgroup));
	state->cgroup_path = PTR_TAKE(creation->cgroup_path);
	if (state->cgroup_path) {
		state->monitor_cgroup = creation_monitor_cgroup(creation);
		if (!state->monitor_cgroup)
			return error_errno(err, ENOMEM, "Failed to record the container");
	}
	/* Before anything is made that must be cleaned up: whoever finds this container after we
	 * were killed knows from here what there is to remove. */
	return again ? state_rewrite_creating(&creation->container.dir, state, err)
		     : state_write_creating(&creation->container.dir, state, err);
}

/* What other commands will want to read of the container. */
int creation_keep_configs(const struct creation *creation, struct error *err)
{
	const struct state_dir *dir = &creation->container.dir;

	return state_file_create(dir, "config.json", creation->config_text, creation->config_length,
				 err) < 0 ||
		       state_file_create(dir, "config.lxc", creation->lxc_text,
					 creation->lxc_length, err) < 0
		   ? -1
		   : 0;
}
