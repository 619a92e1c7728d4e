/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the mappings of a user namespace. */
#ifndef RUNLXC_LXC_USER_MAPS_H
#define RUNLXC_LXC_USER_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "spec/spec.h"

bool user_maps_have(const struct spec_id_mappings *mappings, uint32_t id);

/* The text of /proc/PID/uid_map and the like. -1 with errno. */
int user_maps_write_file(pid_t pid, const char *file, const struct spec_id_mappings *mappings);

/* uid= and gid= among a file system's options: whether the container's user namespace, if it has a
 * new one, knows them. `what` is what errors call the mount. */
int user_maps_check_options(const struct spec_linux *linux_, const char *options, const char *what,
			    struct error *err);

/*
 * linux.uidMappings and gidMappings for a process in a new user namespace of a user's. The user's
 * own id alone needs nobody's help; for more there are newuidmap(1) and newgidmap(1), which know
 * what the system's administrator has given him.
 */
/* Whether user_maps_write() has to leave the namespace without setgroups(2). */
bool user_maps_deny_groups(const struct spec_linux *linux_);
int user_maps_write(pid_t pid, const struct spec_linux *linux_, struct error *err);

#endif
