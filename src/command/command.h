/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Command of Docker's old execution driver (include/runlxc/command.h): reading it, checking it,
 * and saying the same as an OCI config.json. From there on a Command is a container like any other.
 *
 * An error names the field by its path in the Command and, where the Command was read from JSON,
 * the line: "command.json:14: network.interface.ip: "10.0.0" is not an IPv4 address".
 */
#ifndef RUNLXC_COMMAND_COMMAND_H
#define RUNLXC_COMMAND_COMMAND_H

#include <runlxc/command.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Reads a Command from JSON text and checks it; `name` is what errors call the text. Nothing but
 * the text is looked at. "id" may be missing, for a caller who has one: then it is NULL in the
 * result. Freed with command_free().
 */
struct runlxc_command *command_read(const char *text, size_t length, const char *name,
				    struct error *err);
void command_free(struct runlxc_command *command);

static inline void cleanup_command_(struct runlxc_command **command)
{
	command_free(*command);
}
#define cleanup_command __attribute__((cleanup(cleanup_command_)))

/* What only the host can tell. Zero is a cgroup v2 host that counts swap. */
struct command_context {
	/* The first process of a container that runs, as the host sees it; -1 with *err filled. May
	 * be NULL where no Command shares namespaces. */
	pid_t (*pid_of)(void *data, const char *id, struct error *err);
	void *data;
	/* The soft limit of memory is resources.memory where no other is asked for, as the old
	 * driver had it. On v1 only: v2 has protected memory (memory.low) in its place, which would
	 * turn the meaning round. */
	bool soft_limit;
	/* The kernel doesn't count swap: a limit that nobody asked for is left out. */
	bool no_swap_limit;
};

/*
 * The OCI config.json for a Command, spread out for people, with a newline at its end. Everything
 * is checked again, since a struct may come from anywhere. Looks at the host: `rootfs` and the
 * sources of mounts must be there, the working directory must be in them, and users and groups are
 * looked up in the container's own files, as its mounts will show them. The caller frees it.
 */
char *command_to_oci(const struct runlxc_command *command, const struct command_context *context,
		     struct error *err);

/* Who a user of a container that runs is. */
struct command_identity {
	uint32_t uid, gid;
	uint32_t *groups; /* freed by the caller */
	size_t groups_count;
};

/* Looks `user` ("name", "uid", "name:group" …) and groups up in the passwd and group files below
 * `root`, a container's root directory, and never above it. */
int command_find_identity(int root, const char *user, const char *const *group_add,
			  struct command_identity *identity, struct error *err);

#endif
