/* SPDX-License-Identifier: Apache-2.0 */
/* state.json: the struct as JSON, and back. */
#include "state/state.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "state/internal.h"

/* Annotations are what makes it long. */
#define TEXT_MAX ((size_t)16 * 1024 * 1024)

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

enum kind {
	TEXT,	      /* char *, must be there */
	TEXT_OR_NULL, /* char *, may be NULL */
	JSON_OR_NULL, /* char * that holds an object's text */
	PID,	      /* pid_t */
	COUNT,	      /* uint64_t */
	COUNT_IF_SET, /* uint64_t, not there when it is 0 */
	FLAG,	      /* bool */
	FLAG_IF_SET,  /* bool, not there when it is false */
	NUMBER,	      /* int */
};

/* Every field once: its name in the file, where it is in the struct, what it is. */
static const struct field {
	const char *key;
	size_t offset;
	enum kind kind;
} fields[] = {
    {"id", offsetof(struct state, id), TEXT},
    {"ociVersion", offsetof(struct state, oci_version), TEXT},
    {"bundle", offsetof(struct state, bundle), TEXT},
    {"rootfs", offsetof(struct state, rootfs), TEXT},
    {"created", offsetof(struct state, created), TEXT},
    {"owner", offsetof(struct state, owner), TEXT},
    {"cgroupPath", offsetof(struct state, cgroup_path), TEXT_OR_NULL},
    {"cgroupIdentity", offsetof(struct state, cgroup_identity), COUNT},
    {"monitorCgroup", offsetof(struct state, monitor_cgroup), TEXT_OR_NULL},
    {"resctrlGroup", offsetof(struct state, resctrl_group), TEXT_OR_NULL},
    {"resctrlIdentity", offsetof(struct state, resctrl_identity), COUNT_IF_SET},
    {"resctrlMade", offsetof(struct state, resctrl_made), FLAG_IF_SET},
    {"resctrlMonitor", offsetof(struct state, resctrl_monitor), FLAG_IF_SET},
    {"annotations", offsetof(struct state, annotations), JSON_OR_NULL},
    {"pid", offsetof(struct state, pid), PID},
    {"pidStart", offsetof(struct state, pid_start), COUNT},
    {"monitorPid", offsetof(struct state, monitor_pid), PID},
    {"monitorStart", offsetof(struct state, monitor_start), COUNT},
    {"createdOnly", offsetof(struct state, created_only), FLAG},
    {"systemdCgroup", offsetof(struct state, systemd_cgroup), FLAG},
    {"pidNamespaceShared", offsetof(struct state, pid_namespace_shared), FLAG},
    {"noNewKeyring", offsetof(struct state, no_new_keyring), FLAG_IF_SET},
    {"exitStatus", offsetof(struct state, exit_status), NUMBER},
};

/* ---- writing ---- */

static struct json_object *encode(const struct field *field, const void *at)
{
	const char *text;

	switch (field->kind) {
	case TEXT:
	case TEXT_OR_NULL:
		text = *(char *const *)at;
		return text ? json_object_new_string(text) : NULL;
	case JSON_OR_NULL:
		text = *(char *const *)at;
		return text ? json_tokener_parse(text) : NULL;
	case PID:
		return json_object_new_int(*(const pid_t *)at);
	case COUNT:
	case COUNT_IF_SET:
		return json_object_new_uint64(*(const uint64_t *)at);
	case FLAG:
	case FLAG_IF_SET:
		return json_object_new_boolean(*(const bool *)at);
	case NUMBER:
		return json_object_new_int(*(const int *)at);
	}
	return NULL;
}

/* Whether encode() may rightly give NULL. */
static bool is_absent(const struct field *field, const void *at)
{
	if (field->kind == FLAG_IF_SET)
		return !*(const bool *)at;
	if (field->kind == COUNT_IF_SET)
		return !*(const uint64_t *)at;
	return (field->kind == TEXT_OR_NULL || field->kind == JSON_OR_NULL) && !*(char *const *)at;
}

typedef int write_function(const struct state_dir *dir, const char *name, const void *data,
			   size_t length, struct error *err);

static int write_as(const struct state_dir *dir, const struct state *state, const char *name,
		    write_function *write_file, struct error *err)
{
	cleanup_with(cleanup_json) struct json_object *root = json_object_new_object();
	const char *text;
	size_t length;

	for (size_t i = 0; root && i < ARRAY_SIZE(fields); i++) {
		const void *at = (const char *)state + fields[i].offset;
		struct json_object *value;

		if (is_absent(&fields[i], at))
			continue;
		value = encode(&fields[i], at);
		if (!value)
			return error_set(err, "can't write the container's state: bad %s",
					 fields[i].key);
		if (json_object_object_add(root, fields[i].key, value)) {
			json_object_put(value);
			return error_errno(err, ENOMEM, "can't write the container's state");
		}
	}
	text = root ? json_object_to_json_string_length(
			  root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &length)
		    : NULL;
	if (!text)
		return error_errno(err, ENOMEM, "can't write the container's state");
	return write_file(dir, name, text, length, err);
}

int state_write(const struct state_dir *dir, const struct state *state, struct error *err)
{
	return write_as(dir, state, STATE_FILE, state_file_write, err);
}

int state_write_creating(const struct state_dir *dir, const struct state *state, struct error *err)
{
	return write_as(dir, state, STATE_CREATING_FILE, state_file_create, err);
}

int state_rewrite_creating(const struct state_dir *dir, const struct state *state,
			   struct error *err)
{
	return write_as(dir, state, STATE_CREATING_FILE, state_file_write, err);
}

/* ---- reading ---- */

/* A string without a NUL inside, which would hide the rest of it. */
static char *decode_text(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return NULL;
	return strdup(text);
}

static bool decode_number(struct json_object *value, int64_t min, int64_t max, int64_t *number)
{
	if (!json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_int64(value);
	return *number >= min && *number <= max;
}

static bool decode(const struct field *field, struct json_object *value, void *at)
{
	int64_t number;

	switch (field->kind) {
	case TEXT:
	case TEXT_OR_NULL:
		*(char **)at = decode_text(value);
		return *(char **)at != NULL;
	case JSON_OR_NULL:
		if (!json_object_is_type(value, json_type_object))
			return false;
		*(char **)at = strdup(json_object_to_json_string_ext(
		    value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		return *(char **)at != NULL;
	case PID:
		if (!decode_number(value, 0, INT_MAX, &number))
			return false;
		*(pid_t *)at = (pid_t)number;
		return true;
	case COUNT:
	case COUNT_IF_SET:
		if (!decode_number(value, 0, INT64_MAX, &number))
			return false;
		*(uint64_t *)at = (uint64_t)number;
		return true;
	case FLAG:
	case FLAG_IF_SET:
		if (!json_object_is_type(value, json_type_boolean))
			return false;
		*(bool *)at = json_object_get_boolean(value);
		return true;
	case NUMBER:
		if (!decode_number(value, INT_MIN, INT_MAX, &number))
			return false;
		*(int *)at = (int)number;
		return true;
	}
	return false;
}

static struct json_object *parse(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root = NULL;

	if (tokener && length <= INT_MAX)
		root = json_tokener_parse_ex(tokener, text, (int)length);
	/* Half a file gives no object, or one and json_tokener_continue; and nothing may follow it.
	 */
	if (root && (json_tokener_get_error(tokener) != json_tokener_success ||
		     !json_object_is_type(root, json_type_object) ||
		     strspn(text + json_tokener_get_parse_end(tokener), " \t\r\n") !=
			 length - json_tokener_get_parse_end(tokener))) {
		json_object_put(root);
		root = NULL;
	}
	if (tokener)
		json_tokener_free(tokener);
	return root;
}

static int decode_all(struct json_object *root, struct state *state, const char *name,
		      struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		void *at = (char *)state + fields[i].offset;
		struct json_object *value;

		if (!json_object_object_get_ex(root, fields[i].key, &value)) {
			if (is_absent(&fields[i], at))
				continue;
			return error_set(err, "%s: corrupt: no \"%s\"", name, fields[i].key);
		}
		if (!decode(&fields[i], value, at))
			return error_set(err, "%s: corrupt: bad \"%s\"", name, fields[i].key);
	}
	return 0;
}

/* `name`: what errors call it. */
static struct state *read_as(const struct state_dir *dir, const char *id, const char *file,
			     const char *name, struct error *err)
{
	cleanup_with(cleanup_json) struct json_object *root = NULL;
	cleanup_state struct state *state = calloc(1, sizeof(*state));
	cleanup_free char *text = NULL;
	size_t length;

	if (!state) {
		error_errno(err, ENOMEM, "can't read %s", name);
		return NULL;
	}
	text = path_read_file(dir->dir, file, TEXT_MAX, &length, name, err);
	if (!text)
		return NULL;
	root = parse(text, length);
	if (!root) {
		error_set(err, "%s: corrupt: not a JSON object", name);
		return NULL;
	}
	if (decode_all(root, state, name, err))
		return NULL;
	if (strcmp(state->id, id) != 0) {
		error_set(err, "%s: corrupt: it is the state of \"%s\"", name, state->id);
		return NULL;
	}
	return PTR_TAKE(state);
}

/* Asking for the directory's name takes a system call, which a list of a thousand containers has no
 * use for. */
static struct state *read_from(const struct state_dir *dir, const char *id, const char *file,
			       struct error *err)
{
	struct state *state = read_as(dir, id, file, file, err);
	char name[PATH_MAX + NAME_MAX + 2];

	if (state)
		return state;
	error_clear(err);
	state_file_name(dir, file, name, sizeof(name));
	return read_as(dir, id, file, name, err);
}

struct state *state_peek(int root, const char *id)
{
	struct error ignored = ERROR_INIT;
	struct state *state = NULL;
	char file[NAME_MAX + sizeof("/" STATE_FILE)];

	if (snprintf(file, sizeof(file), "%s/%s", id, STATE_FILE) < (int)sizeof(file))
		state =
		    read_as(&(struct state_dir){.dir = root, .lock = -1}, id, file, file, &ignored);
	error_clear(&ignored);
	return state;
}

struct state *state_read_creating(const struct state_dir *dir, const char *id, struct error *err)
{
	return read_from(dir, id, STATE_CREATING_FILE, err);
}

struct state *state_read(const struct state_dir *dir, const char *id, struct error *err)
{
	struct state *state = read_from(dir, id, STATE_FILE, err);
	struct error creating = ERROR_INIT;

	if (state || err->errnum != ENOENT)
		return state;
	state = read_from(dir, id, STATE_CREATING_FILE, &creating);
	if (state)
		error_clear(err);
	error_clear(&creating);
	return state;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		enum kind kind = fields[i].kind;

		if (kind == TEXT || kind == TEXT_OR_NULL || kind == JSON_OR_NULL)
			free(*(char **)((char *)state + fields[i].offset));
	}
	free(state);
}
