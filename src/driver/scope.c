/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --systemd-cgroup: the container's cgroup is that of a scope, which systemd makes and limits.
 * docs/architecture.md, "With systemd", tells how it comes about.
 */
#include "driver/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/user_namespace.h"

/* Whose systemd: root's, or the caller's own. */
static bool is_user(void)
{
	return geteuid() != 0 || user_namespace_is_ours();
}

static const char *unit_of(const struct state *state)
{
	return strrchr(state->cgroup_path, '/') + 1;
}

/* ---- a new one ---- */

/* A user's systemd, and so its scopes, are somewhere below the root. */
static int place_below_manager(struct creation *creation, struct error *err)
{
	cleanup_free char *manager = systemd_control_group(creation->systemd, err);
	const char *path = creation->place.path;

	if (!manager)
		return -1;
	if (creation->layout->mode != CGROUP_UNIFIED)
		return error_set(err, "--systemd-cgroup: as a user it takes a host with cgroup v2 "
				      "alone");
	/* What mounts of cgroups show. */
	creation->shown = PTR_TAKE(creation->layout);
	creation->layout = cgroup_detect(err);
	if (!creation->layout)
		return -1;
	if (asprintf(&creation->cgroup_path, "%s%s", manager, path) < 0)
		creation->cgroup_path = NULL;
	if (asprintf(&creation->cgroup_base, "%s%.*s", manager, (int)(strrchr(path, '/') - path),
		     path) < 0)
		creation->cgroup_base = NULL;
	return 0;
}

int creation_place_scope(struct creation *creation, struct error *err)
{
	bool user = is_user();

	if (systemd_place_from(creation->spec->linux_.cgroups_path, creation->id, user,
			       &creation->place, err) < 0 ||
	    systemd_connect(user, &creation->systemd, err) < 0)
		return -1;
	if (user) {
		if (place_below_manager(creation, err) < 0)
			return -1;
	} else {
		creation->cgroup_path = strdup(creation->place.path);
		creation->cgroup_base = strdup("");
	}
	return creation->cgroup_path && creation->cgroup_base
		   ? 0
		   : error_errno(err, ENOMEM, "linux.cgroupsPath");
}

/* The device rules, which LXC sets: a user can't. */
static int add_device_properties(const struct creation *creation, struct properties *properties,
				 struct error *err)
{
	const struct spec_resources *resources = &creation->spec->linux_.resources;
	struct cgroup_settings devices = {0};
	int result = 0;

	if (!is_user() &&
	    (cgroup_settings_add_devices(creation->layout, resources, &devices, err) < 0 ||
	     cgroup_properties(creation->layout, NULL, &devices, properties, err) < 0))
		result = -1;
	cgroup_settings_free(&devices);
	return result;
}

int creation_start_scope(struct creation *creation, struct error *err)
{
	struct state *state = creation->container.state;
	cleanup_properties struct properties properties = PROPERTIES_INIT;
	cleanup_free char *description = NULL;

	if (asprintf(&description, "runlxc container %s", creation->id) < 0) {
		description = NULL;
		return error_errno(err, ENOMEM, "--systemd-cgroup");
	}
	/* Set later on v1, systemd 252 puts the processes into the slice's cgroup of that
	 * controller: devices are there from the start. */
	if (add_device_properties(creation, &properties, err) < 0 ||
	    systemd_properties_from_annotations(creation->spec, &properties, err) < 0 ||
	    systemd_start_scope(creation->systemd, &creation->place, description,
				creation->monitor.pid, creation->layout->mode == CGROUP_UNIFIED,
				&properties, err) < 0) {
		/* Nothing was made; what has this name is somebody else's. */
		if (err->errnum != ETIMEDOUT)
			free(PTR_TAKE(state->cgroup_path));
		return -1;
	}
	return 0;
}

int creation_hold_scope(struct creation *creation, struct error *err)
{
	pid_t caller = getpid();

	creation->holder = fork();
	if (creation->holder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* What others wait for the end of: locks, sockets, pipes. */
		kernel_close_range(0, ~0U, 0);
		while (getppid() == caller)
			pause();
		_exit(0);
	}
	if (creation->holder < 0) {
		creation->holder = 0;
		return error_errno(err, errno, "Failed to fork");
	}
	return cgroup_join(creation->layout, creation->container.state->cgroup_path,
			   creation->holder, err);
}

void creation_release_scope(struct creation *creation)
{
	if (creation->holder <= 0)
		return;
	kill(creation->holder, SIGKILL);
	while (waitpid(creation->holder, NULL, 0) < 0 && errno == EINTR)
		;
	creation->holder = 0;
}

int creation_limit_scope(const struct creation *creation, struct error *err)
{
	const struct state *state = creation->container.state;
	cleanup_properties struct properties properties = PROPERTIES_INIT;
	struct cgroup_settings settings = {0};
	int result = -1;

	/* The files come last: systemd knows of some limits less exactly, and of others nothing. */
	if (cgroup_settings_from_resources(creation->layout, &creation->spec->linux_.resources,
					   &settings, err) == 0 &&
	    cgroup_properties(creation->layout, NULL, &settings, &properties, err) == 0 &&
	    systemd_set_properties(creation->systemd, creation->place.scope, &properties, err) ==
		0 &&
	    cgroup_apply(creation->layout, state->cgroup_path, &settings, err) == 0 &&
	    cgroup_check_member(creation->layout, state->cgroup_path, state->pid, err) == 0)
		result = 0;
	cgroup_settings_free(&settings);
	return result;
}

/* ---- one that is there ---- */

static int set_properties(const struct container *container, const struct cgroup_layout *layout,
			  const struct cgroup_settings *settings, struct error *err)
{
	cleanup_properties struct properties properties = PROPERTIES_INIT;
	cleanup_systemd struct systemd *systemd = NULL;
	const struct state *state = container->state;

	if (cgroup_properties(layout, state->cgroup_path, settings, &properties, err) < 0)
		return -1;
	if (!properties.count)
		return 0;
	return systemd_connect(is_user(), &systemd, err) < 0
		   ? -1
		   : systemd_set_properties(systemd, unit_of(state), &properties, err);
}

int container_update_scope(const struct container *container, const struct cgroup_layout *layout,
			   struct cgroup_settings *settings, struct error *err)
{
	if (set_properties(container, layout, settings, err) < 0)
		return -1;
	/* Once more, since systemd has written what it knows less exactly. */
	for (size_t i = 0; i < settings->count; i++)
		settings->items[i].written = false;
	return cgroup_apply(layout, container->state->cgroup_path, settings, err);
}

int container_restore_scope(const struct container *container, const struct cgroup_layout *layout,
			    struct cgroup_settings *settings, struct error *err)
{
	struct cgroup_settings before = {0};
	int result = 0;

	before.items = arena_alloc(&before.arena, settings->count + 1, sizeof(*before.items));
	if (!before.items)
		return error_errno(err, ENOMEM, "--systemd-cgroup");
	for (size_t i = 0; i < settings->count; i++) {
		/* systemd may have written it, whether or not we did. */
		settings->items[i].written = true;
		if (!settings->items[i].before)
			continue;
		before.items[before.count] = settings->items[i];
		before.items[before.count++].value = settings->items[i].before;
	}
	if (before.count)
		result = set_properties(container, layout, &before, err);
	cgroup_settings_free(&before);
	return result;
}

bool container_needs_attaching(const struct container *container,
			       const struct cgroup_layout *layout)
{
	const struct state *state = container->state;

	return state->systemd_cgroup && state->cgroup_path &&
	       !cgroup_may_join(layout, state->cgroup_path);
}

int container_attach(const struct container *container, pid_t pid, struct error *err)
{
	cleanup_systemd struct systemd *systemd = NULL;

	return systemd_connect(is_user(), &systemd, err) < 0
		   ? -1
		   : systemd_attach(systemd, unit_of(container->state), pid, err);
}

void container_stop_scope(const struct driver *driver, const struct state *state,
			  const struct cgroup_layout *layout)
{
	cleanup_systemd struct systemd *systemd = NULL;
	struct error failure = ERROR_INIT;
	bool exists = false, in_use = false;

	/* Everybody of ours was killed. Who is there has a scope of that name since. */
	if (cgroup_probe(layout, state->cgroup_path, &exists, &in_use, &failure) < 0 || in_use) {
		error_clear(&failure);
		return;
	}
	/* It ends by itself, too, when the last process has. */
	if (systemd_connect(is_user(), &systemd, &failure) < 0 ||
	    systemd_stop(systemd, unit_of(state), &failure) < 0)
		log_warning(driver->log, "The scope \"%s\" may be there still: %s", unit_of(state),
			    error_text(&failure));
	error_clear(&failure);
}
