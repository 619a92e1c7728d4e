/* SPDX-License-Identifier: Apache-2.0 */
/* Commands (include/runlxc/command.h), and exec, which is told what to run in the same words. */
#include "command/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "api/internal.h"
#include "base/cleanup.h"
#include "process/process.h"

PUBLIC struct runlxc_command *runlxc_command_read(const char *json, size_t length, const char *name,
						  struct runlxc_error *err)
{
	return CALL(command_read(json, length, name ? name : "command.json", e));
}

PUBLIC void runlxc_command_free(struct runlxc_command *command)
{
	command_free(command);
}

PUBLIC char *runlxc_command_config(struct runlxc *driver, const struct runlxc_command *command,
				   struct runlxc_error *err)
{
	return CALL(driver_command_config(&driver->driver, command, e));
}

PUBLIC struct runlxc_process *runlxc_command_start(struct runlxc *driver,
						   const struct runlxc_command *command,
						   const struct runlxc_io *io,
						   struct runlxc_error *err)
{
	cleanup_free char *config = runlxc_command_config(driver, command, err);
	const struct driver_create_options create = {
	    .bundle = "/", .config_text = config, .lxc_annotations = true};
	const struct handle_io streams = api_io(io);

	return config ? (struct runlxc_process *)CALL(
			    handle_run(&driver->driver, command->id, &create, &streams, e))
		      : NULL;
}

PUBLIC int runlxc_command_run(struct runlxc *driver, const struct runlxc_command *command,
			      const struct runlxc_io *io, struct runlxc_exit *how,
			      struct runlxc_error *err)
{
	struct runlxc_process *process = runlxc_command_start(driver, command, io, err);
	int result = process ? runlxc_process_wait(process, how, err) : -1;

	runlxc_process_free(process);
	return result;
}

/* ---- exec ---- */

static size_t count(const char *const *list)
{
	size_t number = 0;

	while (list && list[number])
		number++;
	return number;
}

/* What an exec's lists come to for the room below. */
struct lists {
	struct arena arena;
	char **args, **env, **capabilities;
};

/* The program and its arguments; variables without "=" are empty ones, as a Command has it (D08).
 */
static int make_lists(const struct runlxc_command_process *command, struct lists *lists,
		      struct error *err)
{
	size_t arguments = count(command->arguments), variables = count(command->env), i;

	if (!command->entrypoint || !*command->entrypoint)
		return error_set(err, "command.entrypoint: is missing");
	lists->args = arena_alloc(&lists->arena, arguments + 2, sizeof(char *));
	lists->env = arena_alloc(&lists->arena, variables + 1, sizeof(char *));
	if (!lists->args || !lists->env)
		return error_errno(err, ENOMEM, "Failed to make the process");
	lists->args[0] = (char *)command->entrypoint;
	for (i = 0; i < arguments; i++)
		lists->args[i + 1] = (char *)command->arguments[i];
	for (i = 0; i < variables; i++) {
		const char *text = command->env[i];

		lists->env[i] =
		    strchr(text, '=') ? (char *)text : arena_printf(&lists->arena, "%s=", text);
		if (!lists->env[i])
			return error_errno(err, ENOMEM, "Failed to make the process");
	}
	return 0;
}

/* Those asked for or, privileged, all that we have ourselves. */
static int make_capabilities(const struct runlxc_exec_options *options, struct lists *lists,
			     struct error *err)
{
	size_t asked = count(options->cap_add), number = 0, i;

	lists->capabilities = arena_alloc(&lists->arena, asked + 65, sizeof(char *));
	if (!lists->capabilities)
		return error_errno(err, ENOMEM, "Failed to make the process");
	for (i = 0; i < asked; i++) {
		if (process_capability_from_name(options->cap_add[i]) < 0)
			return error_set(err, "cap_add[%zu]: \"%s\" is not a capability", i,
					 options->cap_add[i]);
		lists->capabilities[number++] = (char *)options->cap_add[i];
	}
	for (i = 0; options->command.privileged && i < 64; i++) {
		char *name;

		if (cap_get_bound((cap_value_t)i) != 1)
			continue;
		name = cap_to_name((cap_value_t)i);
		if (name && process_capability_from_name(name) >= 0)
			lists->capabilities[number++] = arena_strdup(&lists->arena, name);
		cap_free(name);
		if (number && !lists->capabilities[number - 1])
			return error_errno(err, ENOMEM, "Failed to make the process");
	}
	return 0;
}

static int find_user(struct runlxc *driver, const char *id,
		     const struct runlxc_exec_options *options, struct driver_exec_options *exec,
		     struct command_identity *identity, struct error *err)
{
	const char *user = options->command.user;

	if ((!user || !*user) && !count(options->group_add))
		return 0;
	if (driver_find_identity(&driver->driver, id, user, options->group_add, identity, err) < 0)
		return -1;
	exec->additional_gids = identity->groups;
	exec->additional_gids_count = identity->groups_count;
	if (user && *user) {
		exec->user_set = exec->gid_set = exec->only_these_gids = true;
		exec->uid = identity->uid;
		exec->gid = identity->gid;
	}
	return 0;
}

static struct handle *exec_command(struct runlxc *driver, const char *id,
				   const struct runlxc_exec_options *options,
				   struct driver_exec_options *exec, const struct runlxc_io *io,
				   struct error *err)
{
	struct lists lists = {.arena = ARENA_INIT};
	struct command_identity identity = {0};
	const struct handle_io streams = api_io(io);
	struct handle *handle = NULL;

	if (options->process || (make_lists(&options->command, &lists, err) == 0 &&
				 make_capabilities(options, &lists, err) == 0 &&
				 find_user(driver, id, options, exec, &identity, err) == 0)) {
		exec->args = lists.args;
		exec->env = lists.env;
		exec->capabilities = lists.capabilities;
		handle = handle_exec(&driver->driver, id, exec, &streams, err);
	}
	free(identity.groups);
	arena_free(&lists.arena);
	return handle;
}

PUBLIC struct runlxc_process *runlxc_exec(struct runlxc *driver, const char *id,
					  const struct runlxc_exec_options *options,
					  const struct runlxc_io *io, struct runlxc_error *err)
{
	char *const cgroups[] = {(char *)options->cgroup, NULL};
	struct driver_exec_options exec = {
	    .process_text = options->process,
	    .cwd = options->working_dir,
	    .tty = options->command.tty != 0,
	    .no_new_privs = options->no_new_privs != 0,
	    .process_label = options->process_label,
	    .apparmor = options->apparmor_profile,
	    .cgroups = cgroups,
	    .ignore_paused = options->ignore_paused != 0,
	};

	return (struct runlxc_process *)CALL(exec_command(driver, id, options, &exec, io, e));
}
