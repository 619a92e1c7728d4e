/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_rootfs.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spec/read.h"

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

/*
 * json-c fails in these only when memory ran out. Every step passes that on, and there is one place
 * that says so. put() owns `value` from the call on.
 */
static bool put(struct json_object *parent, const char *key, struct json_object *value)
{
	if (value && json_object_is_type(parent, json_type_object) &&
	    json_object_object_add(parent, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool put_text(struct json_object *parent, const char *key, const char *text)
{
	return put(parent, key, json_object_new_string(text));
}

static bool append(struct json_object *array, struct json_object *value)
{
	if (value && json_object_array_add(array, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* The object at `key`, made if it isn't there. */
static struct json_object *section(struct json_object *parent, const char *key)
{
	struct json_object *found = NULL;

	if (json_object_object_get_ex(parent, key, &found) &&
	    json_object_is_type(found, json_type_object))
		return found;
	return put(parent, key, json_object_new_object()) ? json_object_object_get(parent, key)
							  : NULL;
}

static bool put_args(struct json_object *process, char *const *args)
{
	struct json_object *array;

	if (!args || !args[0])
		return true;
	array = json_object_new_array();
	for (; array && *args; args++) {
		if (!append(array, json_object_new_string(*args))) {
			json_object_put(array);
			return false;
		}
	}
	return put(process, "args", array);
}

static bool same_variable(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return strncmp(a, b, length) == 0 && strcspn(b, "=") == length;
}

/* Puts a variable in the place of the one of that name, or behind the others. */
static bool set_variable(struct json_object *array, const char *variable)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *old = json_object_get_string(json_object_array_get_idx(array, i));
		struct json_object *value;

		if (!old || !same_variable(old, variable))
			continue;
		value = json_object_new_string(variable);
		if (value && json_object_array_put_idx(array, i, value) == 0)
			return true;
		json_object_put(value);
		return false;
	}
	return append(array, json_object_new_string(variable));
}

static bool put_env(struct json_object *process, const struct value_list *env)
{
	struct json_object *array = NULL;

	if (env->count == 0)
		return true;
	json_object_object_get_ex(process, "env", &array);
	if (!json_object_is_type(array, json_type_array)) {
		if (!put(process, "env", json_object_new_array()))
			return false;
		array = json_object_object_get(process, "env");
	}
	for (size_t i = 0; i < env->count; i++) {
		if (!set_variable(array, env->items[i]))
			return false;
	}
	return true;
}

static bool put_user(struct json_object *process, const struct value_user *user)
{
	struct json_object *object = section(process, "user");

	return object && put(object, "uid", json_object_new_int64(user->uid)) &&
	       put(object, "gid", json_object_new_int64(user->gid));
}

static bool put_process(struct json_object *config, const struct run_rootfs *run)
{
	struct json_object *process = section(config, "process");

	return process && put(process, "terminal", json_object_new_boolean(run->tty)) &&
	       put_args(process, run->args) && put_env(process, &run->env) &&
	       (!run->cwd || put_text(process, "cwd", run->cwd)) &&
	       (!run->user_set || put_user(process, &run->user));
}

static bool put_memory(struct json_object *config, int64_t bytes)
{
	struct json_object *linux_ = section(config, "linux");
	struct json_object *resources = linux_ ? section(linux_, "resources") : NULL;
	struct json_object *memory = resources ? section(resources, "memory") : NULL;

	return memory && put(memory, "limit", json_object_new_int64(bytes));
}

/* By hand one wants to look at the host's cgroups; a namespace of its own is for a config.json to
 * ask. */
static void drop_cgroup_namespace(struct json_object *config)
{
	struct json_object *linux_ = NULL, *namespaces = NULL, *type = NULL;

	if (!json_object_object_get_ex(config, "linux", &linux_) ||
	    !json_object_object_get_ex(linux_, "namespaces", &namespaces) ||
	    !json_object_is_type(namespaces, json_type_array))
		return;
	for (size_t i = json_object_array_length(namespaces); i-- > 0;) {
		struct json_object *entry = json_object_array_get_idx(namespaces, i);

		if (json_object_object_get_ex(entry, "type", &type) &&
		    strcmp(json_object_get_string(type), "cgroup") == 0)
			json_object_array_del_idx(namespaces, i, 1);
	}
}

static bool put_all(struct json_object *config, const struct run_rootfs *run, const char *directory)
{
	struct json_object *root = section(config, "root");

	drop_cgroup_namespace(config);
	return root && put_text(root, "path", directory) &&
	       put(root, "readonly", json_object_new_boolean(run->read_only)) &&
	       put_process(config, run) &&
	       (!run->hostname || put_text(config, "hostname", run->hostname)) &&
	       (!run->memory || put_memory(config, run->memory));
}

char *run_rootfs_config(const struct run_rootfs *run, struct error *err)
{
	cleanup_free char *text = spec_default_text(geteuid() != 0, geteuid(), getegid(), err);
	cleanup_free char *directory = NULL;
	cleanup_with(cleanup_json) struct json_object *config = NULL;
	const char *changed = NULL;
	char *result;

	if (!text)
		return NULL;
	directory = realpath(run->directory, NULL);
	if (!directory) {
		error_errno(err, errno, "rootfs \"%s\"", run->directory);
		return NULL;
	}
	config = json_tokener_parse(text);
	if (config && put_all(config, run, directory))
		changed = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN);
	result = changed ? strdup(changed) : NULL;
	if (!result)
		error_set(err, "out of memory");
	return result;
}
