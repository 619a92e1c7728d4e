/* SPDX-License-Identifier: Apache-2.0 */
/* What an exec is to run. */
#include "driver/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "console/console.h"

static int append(struct arena *arena, struct spec_strings *list, char *const *more)
{
	size_t count = 0, i;
	char **items;

	while (more && more[count])
		count++;
	if (!count)
		return 0;
	items = arena_alloc(arena, list->count + count + 1, sizeof(*items));
	if (!items)
		return -1;
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	for (i = 0; i < count; i++) {
		items[list->count + i] = arena_strdup(arena, more[i]);
		if (!items[list->count + i])
			return -1;
	}
	list->items = items;
	list->count += count;
	return 0;
}

/* --env: a variable that is there already is changed in its place, as with setenv(3). */
static int set_variables(struct arena *arena, struct spec_strings *env, char *const *variables)
{
	for (; variables && *variables; variables++) {
		size_t length = strcspn(*variables, "="), i;
		char *const one[] = {*variables, NULL};

		for (i = 0; i < env->count; i++)
			if (strncmp(env->items[i], *variables, length) == 0 &&
			    env->items[i][length] == '=')
				break;
		if (i == env->count) {
			if (append(arena, env, one) < 0)
				return -1;
		} else {
			env->items[i] = arena_strdup(arena, *variables);
			if (!env->items[i])
				return -1;
		}
	}
	return 0;
}

static int apply_options(struct execution *execution, struct error *err)
{
	/* As runc: --cap adds to these sets. Not to those that a program it executes would get,
	 * whoever may have written that (CVE-2022-29162). */
	static const enum spec_capability_set sets[] = {SPEC_CAP_BOUNDING, SPEC_CAP_EFFECTIVE,
							SPEC_CAP_PERMITTED};
	const struct driver_exec_options *options = execution->options;
	struct spec_process *process = &execution->spec->process;
	struct arena *arena = &execution->spec->arena;
	size_t i;

	process->args = (struct spec_strings){0, NULL};
	process->terminal = options->tty;
	process->console_height = process->console_width = 0;
	if (append(arena, &process->args, options->args) < 0 ||
	    set_variables(arena, &process->env, options->env) < 0)
		return error_errno(err, ENOMEM, "Failed to make the process");
	if (options->cwd)
		process->cwd = arena_strdup(arena, options->cwd);
	if (options->user_set)
		process->user.uid = options->uid;
	if (options->gid_set)
		process->user.gid = options->gid;
	if (options->only_these_gids)
		process->user.additional_gids_count = 0;
	if (options->additional_gids_count) {
		struct spec_user *user = &process->user;
		uint32_t *gids =
		    arena_alloc(arena, user->additional_gids_count + options->additional_gids_count,
				sizeof(*gids));

		if (!gids)
			return error_errno(err, ENOMEM, "Failed to make the process");
		if (user->additional_gids_count)
			memcpy(gids, user->additional_gids,
			       user->additional_gids_count * sizeof(*gids));
		for (i = 0; i < options->additional_gids_count; i++)
			gids[user->additional_gids_count++] = options->additional_gids[i];
		user->additional_gids = gids;
	}
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (append(arena, &process->capabilities.sets[sets[i]], options->capabilities) < 0)
			return error_errno(err, ENOMEM, "Failed to make the process");
	if (options->no_new_privs)
		process->no_new_privileges = true;
	if (options->process_label)
		process->selinux_label = arena_strdup(arena, options->process_label);
	if (options->apparmor)
		process->apparmor_profile = arena_strdup(arena, options->apparmor);
	return 0;
}

int exec_read_process(struct execution *execution, struct error *err)
{
	const struct driver_exec_options *options = execution->options;

	execution->spec = container_spec(&execution->container, err);
	if (!execution->spec)
		return -1;
	if (options->process_file || options->process_text) {
		execution->process_spec =
		    options->process_file
			? spec_read_process_file(AT_FDCWD, options->process_file,
						 options->process_file, err)
			: spec_read_process_text(options->process_text,
						 strlen(options->process_text), "process", err);
		if (!execution->process_spec)
			return -1;
		execution->spec->process = execution->process_spec->process;
		if (options->tty)
			execution->spec->process.terminal = true;
	} else if (apply_options(execution, err) < 0) {
		return -1;
	}
	if (spec_validate_process(&execution->spec->process, err) < 0)
		return -1;
	if (execution->spec->process.terminal && options->detach && !options->console_socket)
		return error_set(
		    err, "cannot allocate tty if runlxc will detach without setting console "
			 "socket (--console-socket)");
	if (options->console_socket && (!execution->spec->process.terminal || !options->detach))
		return error_set(
		    err, "cannot use console socket if runlxc will not detach or allocate tty "
			 "(--console-socket)");
	return 0;
}
