/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd as the manager of a container's cgroups: its scope, a transient unit, over D-Bus.
 *
 * libsystemd is loaded by systemd_connect() and not before, so that who doesn't ask for systemd
 * needs neither. Nothing here knows a cgroup's files. Calls wait for systemd's answer, and where
 * that is a job for its end, by its signal; 30 s at most.
 */
#ifndef RUNLXC_SYSTEMD_SYSTEMD_H
#define RUNLXC_SYSTEMD_SYSTEMD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/variant.h"

/* Whether libsystemd is installed: library.c. Loads it. */
bool systemd_is_available(void);

/* ---- name.c: what linux.cgroupsPath names ---- */

/* Where a container's scope goes. The strings are owned. */
struct systemd_place {
	char *slice; /* "system.slice" */
	char *scope; /* "runlxc-ID.scope" */
	char *path;  /* of its cgroup, below the manager's own: "/system.slice/runlxc-ID.scope" */
};

/*
 * From "SLICE:PREFIX:NAME". Without it, or with an empty slice, it is what runc takes:
 * system.slice, for a user's own manager user.slice; the prefix then is "runlxc" and the name the
 * container's id.
 */
int systemd_place_from(const char *cgroups_path, const char *id, bool user,
		       struct systemd_place *place, struct error *err);
void systemd_place_free(struct systemd_place *place);
#define cleanup_place __attribute__((cleanup(systemd_place_free)))

/* ---- annotations.c ---- */

struct spec;

/* The annotations "org.systemd.property.NAME" as properties; an error names the annotation. */
int systemd_properties_from_annotations(const struct spec *spec, struct properties *properties,
					struct error *err);

/* ---- bus.c, unit.c: a manager ---- */

struct systemd;

/* Root's manager is reached over the system bus or, where there is none, by its private socket; a
 * user's own over the user's bus. */
int systemd_connect(bool user, struct systemd **systemd, struct error *err);
void systemd_close(struct systemd *systemd);

static inline void cleanup_systemd_(struct systemd **systemd)
{
	systemd_close(*systemd);
}
#define cleanup_systemd __attribute__((cleanup(cleanup_systemd_)))

/* The manager's own cgroup, "" for the root; the caller frees it. */
char *systemd_control_group(struct systemd *systemd, struct error *err);

/*
 * Starts a scope with `pid` in it and everything below it delegated. `unified`: this host's cgroups
 * are v2. A unit of that name that has failed is made way with; one that runs is an error.
 */
int systemd_start_scope(struct systemd *systemd, const struct systemd_place *place,
			const char *description, pid_t pid, bool unified,
			const struct properties *more, struct error *err);

/* Sets properties of a unit until the next boot. */
int systemd_set_properties(struct systemd *systemd, const char *unit,
			   const struct properties *properties, struct error *err);

/* Moves a process into a unit's cgroup, which a user may not do who is in no cgroup of his
 * manager's. */
int systemd_attach(struct systemd *systemd, const char *unit, pid_t pid, struct error *err);

/* Stops a unit and forgets that it failed; one that isn't there is no error. */
int systemd_stop(struct systemd *systemd, const char *unit, struct error *err);

#endif
