/* SPDX-License-Identifier: Apache-2.0 */
/* `process` of the config.json for a Command. */
#include "command/internal.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static void user_free(struct command_user *user)
{
	arena_free(&user->arena);
}

static void put_user(struct document *document, struct json_object *process,
		     const struct command_user *user)
{
	struct json_object *object, *groups;

	object = document_put(document, process, "user", json_object_new_object());
	document_put_number(document, object, "uid", user->uid);
	document_put_number(document, object, "gid", user->gid);
	if (!user->groups_count)
		return;
	groups = document_put(document, object, "additionalGids", json_object_new_array());
	for (size_t i = 0; i < user->groups_count; i++)
		document_append(document, groups, json_object_new_int64(user->groups[i]));
}

static void put_args(struct document *document, struct json_object *process)
{
	const struct runlxc_command_process *config = &document->command->process_config;
	struct json_object *args = document_put(document, process, "args", json_object_new_array());
	const char *const *argument = config->arguments;

	document_append_text(document, args, config->entrypoint);
	for (; argument && *argument; argument++)
		document_append_text(document, args, *argument);
}

/* ---- the environment ---- */

static bool is_same_variable(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return strncmp(a, b, length) == 0 && (b[length] == '=' || b[length] == '\0');
}

static bool is_set(const char *const *env, const char *name)
{
	for (; env && *env; env++) {
		if (is_same_variable(name, *env))
			return true;
	}
	return false;
}

/* One variable; without a value it gets an empty one. */
static void append_variable(struct document *document, struct json_object *array, const char *text)
{
	cleanup_free char *with_value = NULL;

	if (strchr(text, '=')) {
		document_append_text(document, array, text);
		return;
	}
	if (asprintf(&with_value, "%s=", text) < 0) {
		with_value = NULL;
		document->failed = true;
		return;
	}
	document_append_text(document, array, with_value);
}

/* What is set twice is what it was set to last; the old init set one after the other. */
static void put_environment(struct document *document, struct json_object *process,
			    const struct command_user *user)
{
	static const char container[] = "container=lxc";
	const char *const *env = document->command->process_config.env;
	struct json_object *array = document_put(document, process, "env", json_object_new_array());
	cleanup_free char *home = NULL;

	for (size_t i = 0; env && env[i]; i++) {
		if (!is_set(env + i + 1, env[i]) && !is_same_variable(container, env[i]))
			append_variable(document, array, env[i]);
	}
	document_append_text(document, array, container);
	if (!user->home || is_set(env, "HOME"))
		return;
	if (asprintf(&home, "HOME=%s", user->home) < 0) {
		home = NULL;
		document->failed = true;
		return;
	}
	document_append_text(document, array, home);
}

/* ---- rights and limits ---- */

/*
 * Whoever isn't root gets the bounding set alone, as from Docker: what execve(2) would take away is
 * not given before. Nothing is inheritable (CVE-2022-24769).
 */
static void put_capabilities(struct document *document, struct json_object *process,
			     const struct command_user *user)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};
	struct arena arena = ARENA_INIT;
	const char *const *names = command_capabilities(document->command, &arena);
	struct json_object *object =
	    document_put(document, process, "capabilities", json_object_new_object());

	document->failed = document->failed || !names;
	for (size_t i = 0; i < (user->uid ? 1 : ARRAY_SIZE(sets)); i++)
		document_put_texts(document, object, sets[i], names);
	arena_free(&arena);
}

static void put_rlimits(struct document *document, struct json_object *process)
{
	const struct runlxc_command_resources *resources = &document->command->resources;
	struct json_object *array, *object;

	if (!resources->rlimits_count)
		return;
	array = document_put(document, process, "rlimits", json_object_new_array());
	for (size_t i = 0; i < resources->rlimits_count; i++) {
		const struct runlxc_command_rlimit *limit = &resources->rlimits[i];

		object = document_append(document, array, json_object_new_object());
		document_put_text(document, object, "type", command_rlimit_name(limit->Name));
		/* -1 is RLIM_INFINITY, the largest of all. */
		document_put(document, object, "soft",
			     json_object_new_uint64((uint64_t)limit->Soft));
		document_put(document, object, "hard",
			     json_object_new_uint64((uint64_t)limit->Hard));
	}
}

static void put_labels(struct document *document, struct json_object *process)
{
	const struct runlxc_command *command = document->command;

	if (given(command->process_label))
		document_put_text(document, process, "selinuxLabel", command->process_label);
	if (given(command->apparmor_profile) && !command->process_config.privileged)
		document_put_text(document, process, "apparmorProfile", command->apparmor_profile);
}

/* ---- the process ---- */

int command_put_process(struct document *document, struct json_object *config,
			const struct view *view, struct error *err)
{
	const struct runlxc_command *command = document->command;
	cleanup_with(user_free) struct command_user user = {.arena = ARENA_INIT};
	struct json_object *process =
	    document_put(document, config, "process", json_object_new_object());

	if (command_find_user(view, command, &user, err))
		return -1;
	document_put_bool(document, process, "terminal", command->process_config.tty);
	put_user(document, process, &user);
	put_args(document, process);
	put_environment(document, process, &user);
	document_put_text(document, process, "cwd",
			  given(command->working_dir) ? command->working_dir : "/");
	put_capabilities(document, process, &user);
	put_rlimits(document, process);
	put_labels(document, process);
	return 0;
}
