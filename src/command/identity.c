/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/internal.h"

int command_find_identity(int root, const char *user, const char *const *group_add,
			  struct command_identity *identity, struct error *err)
{
	const struct runlxc_command command = {.process_config.user = user, .group_add = group_add};
	const struct view view = {.root = root, .command = &command};
	struct command_user found = {.arena = ARENA_INIT};
	size_t bytes;
	int result = command_find_user(&view, &command, &found, err);

	*identity = (struct command_identity){found.uid, found.gid, NULL, 0};
	if (result == 0 && found.groups_count) {
		bytes = found.groups_count * sizeof(*found.groups);
		identity->groups = malloc(bytes);
		if (identity->groups) {
			memcpy(identity->groups, found.groups, bytes);
			identity->groups_count = found.groups_count;
		} else {
			result = error_errno(err, ENOMEM, "process_config.user");
		}
	}
	arena_free(&found.arena);
	return result;
}
