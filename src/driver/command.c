/* SPDX-License-Identifier: Apache-2.0 */
/* A Command as the config.json that create and run take. */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "command/command.h"
#include "process/process.h"

static void cleanup_layout_(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}
#define cleanup_layout __attribute__((cleanup(cleanup_layout_)))

/* The first process of another container, whose namespaces are to be shared. */
static pid_t pid_of(void *data, const char *id, struct error *err)
{
	const struct driver *driver = data;
	cleanup_container struct container container = CONTAINER_INIT;

	if (container_open(driver, id, false, &container, err) < 0)
		return -1;
	if (!container_is_alive(container.state))
		return error_set(err, "container not running: %s", id);
	return container.state->pid;
}

/* Whether a limit on memory and swap together can be had here where one on memory alone can. */
static bool counts_swap(const struct cgroup_layout *layout)
{
	struct spec_resources resources = {0};
	struct cgroup_settings settings;
	struct error ignored = ERROR_INIT;
	bool alone, together;

	resources.memory.limit = (struct spec_i64){true, 1 << 30};
	alone = cgroup_settings_from_resources(layout, &resources, &settings, &ignored) == 0;
	cgroup_settings_free(&settings);
	error_clear(&ignored);
	resources.memory.swap = (struct spec_i64){true, INT64_C(2) << 30};
	together = cgroup_settings_from_resources(layout, &resources, &settings, &ignored) == 0;
	cgroup_settings_free(&settings);
	error_clear(&ignored);
	return together || !alone;
}

static int look_at_host(const struct driver *driver, const struct runlxc_command *command,
			struct command_context *context, struct error *err)
{
	cleanup_layout struct cgroup_layout *layout = NULL;
	const struct cgroup_hierarchy *memory;

	if (!command->resources.memory)
		return 0;
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	memory = cgroup_find(layout, "memory");
	context->soft_limit = memory && !memory->unified;
	context->no_swap_limit = !command->resources.memory_swap && !counts_swap(layout);
	if (context->no_swap_limit)
		log_warning(driver->log, "resources.memory: this kernel does not count swap, so "
					 "that memory alone is limited");
	return 0;
}

/* A label that is asked for where there is no such module: never go on without it. */
static int check_label(const char *field, const char *value, bool selinux, struct error *err)
{
	const struct spec_process process = {
	    .selinux_label = selinux ? (char *)value : NULL,
	    .apparmor_profile = selinux ? NULL : (char *)value,
	};
	struct error ignored = ERROR_INIT;

	if (!value || process_check_labels(&process, &ignored) == 0)
		return 0;
	error_clear(&ignored);
	return error_set(err, "%s: \"%s\" is asked for, but this host has no %s", field, value,
			 selinux ? "SELinux" : "AppArmor");
}

char *driver_command_config(const struct driver *driver, const struct runlxc_command *command,
			    struct error *err)
{
	struct command_context context = {.pid_of = pid_of, .data = (void *)driver};
	cleanup_free char *text = NULL;

	if (look_at_host(driver, command, &context, err) < 0)
		return NULL;
	text = command_to_oci(command, &context, err);
	/* Now that the values are known to be fit for a line. */
	if (!text || check_label("process_label", command->process_label, true, err) < 0 ||
	    check_label("mount_label", command->mount_label, true, err) < 0 ||
	    (!command->process_config.privileged &&
	     check_label("apparmor_profile", command->apparmor_profile, false, err) < 0))
		return NULL;
	return PTR_TAKE(text);
}

int driver_find_identity(const struct driver *driver, const char *id, const char *user,
			 const char *const *group_add, struct command_identity *identity,
			 struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_close int root = -1, pidfd = -1;
	char path[64];

	if (container_open(driver, id, false, &container, err) < 0)
		return -1;
	pidfd = container_pidfd(container.state, err);
	if (pidfd < 0)
		return -1;
	/* Its root as it sees it, mounts and all; nothing below is looked up but beneath this. */
	snprintf(path, sizeof(path), "/proc/%d/root", (int)container.state->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || !container_is_alive(container.state))
		return error_errno(err, root < 0 ? errno : ESRCH, "container not running");
	return command_find_identity(root, user, group_add, identity, err);
}
