/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a Command, as far as it alone can tell. */
#include "command/internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "state/state.h"

/* ---- errors ---- */

struct command_fault *fault_at(struct command_fault *fault, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fault->path, sizeof(fault->path), format, args);
	va_end(args);
	return fault;
}

int fault_set(struct command_fault *fault, const char *format, ...)
{
	cleanup_free char *reason = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	return error_set(fault->err, "%s: %s", fault->path, reason ? reason : "out of memory");
}

/* ---- text ---- */

static int check_text(const char *text, struct command_fault *fault)
{
	size_t length = text ? strlen(text) : 0, good = text_utf8(text, length);

	if (good == length)
		return 0;
	return fault_set(fault, "byte 0x%02x after %zu others is not UTF-8, which JSON can't hold",
			 (unsigned char)text[good], good);
}

static int check_texts(const void *from, const struct command_shape *shape,
		       struct command_fault *fault);

static int check_list(const void *from, const struct command_field *field,
		      struct command_fault *fault)
{
	const char *items = *(const char *const *)((const char *)from + field->offset);
	size_t count = *(const size_t *)(const void *)((const char *)from + field->beside);
	size_t end = strlen(fault->path);

	for (size_t i = 0; i < count; i++) {
		snprintf(fault->path + end, sizeof(fault->path) - end, "[%zu]", i);
		if (check_texts(items + i * field->shape->size, field->shape, fault))
			return -1;
	}
	return 0;
}

static int check_strings(const char *const *texts, struct command_fault *fault)
{
	size_t end = strlen(fault->path);

	for (size_t i = 0; texts && texts[i]; i++) {
		snprintf(fault->path + end, sizeof(fault->path) - end, "[%zu]", i);
		if (check_text(texts[i], fault))
			return -1;
	}
	return 0;
}

/* Every string of a struct, by the same table that it was read by. */
static int check_texts(const void *from, const struct command_shape *shape,
		       struct command_fault *fault)
{
	size_t end = strlen(fault->path);

	for (size_t i = 0; i < shape->count; i++) {
		const struct command_field *field = &shape->fields[i];
		const void *place = (const char *)from + field->offset;
		int result = 0;

		snprintf(fault->path + end, sizeof(fault->path) - end, "%s%s", end ? "." : "",
			 field->name);
		if (field->kind == COMMAND_TEXT)
			result = check_text(*(const char *const *)place, fault);
		else if (field->kind == COMMAND_TEXTS)
			result = check_strings(*(const char *const *const *)place, fault);
		else if (field->kind == COMMAND_OBJECT)
			result = check_texts(place, field->shape, fault);
		else if (field->kind == COMMAND_POINTER && *(const void *const *)place)
			result = check_texts(*(const void *const *)place, field->shape, fault);
		else if (field->kind == COMMAND_LIST)
			result = check_list(from, field, fault);
		if (result)
			return -1;
	}
	fault->path[end] = '\0';
	return 0;
}

const char *command_path_fault(const char *path)
{
	if (!given(path))
		return "is missing";
	if (*path != '/')
		return "is not an absolute path";
	return strlen(path) < PATH_MAX ? NULL : "is longer than a path can be";
}

bool command_has_control(const char *text)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

/* ---- the container ---- */

static int check_id(const char *id, struct command_fault *fault)
{
	/* "is missing" is for whoever needs one. */
	if (!given(id) || state_id_check(id, fault->err) == 0)
		return 0;
	return error_prefix(fault_at(fault, "id")->err, "id");
}

static int check_root(const struct runlxc_command *command, struct command_fault *fault)
{
	const char *reason = command_path_fault(command->rootfs);

	/* LXC gets it as an item of its configuration, whose values end with their line. */
	if (!reason && strchr(command->rootfs, '\n'))
		reason = "has a newline in it";
	if (reason)
		return fault_set(fault_at(fault, "rootfs"), "%s", reason);
	if (given(command->working_dir) && *command->working_dir != '/')
		return fault_set(fault_at(fault, "working_dir"), "%s is not an absolute path",
				 quoted(command->working_dir));
	reason = given(command->working_dir) ? command_path_fault(command->working_dir) : NULL;
	return reason ? fault_set(fault_at(fault, "working_dir"), "%s", reason) : 0;
}

static int check_mount(const struct runlxc_command_mount *mount, size_t i,
		       struct command_fault *fault)
{
	const char *reason = command_path_fault(mount->source);

	if (reason)
		return fault_set(fault_at(fault, "mounts[%zu].source", i), "%s", reason);
	reason = command_path_fault(mount->destination);
	if (!reason && !mount->destination[strspn(mount->destination, "/.")])
		reason = "is the root itself, which rootfs names";
	if (reason)
		return fault_set(fault_at(fault, "mounts[%zu].destination", i), "%s", reason);
	if (mount->private_ && mount->slave)
		return fault_set(fault_at(fault, "mounts[%zu]", i),
				 "private and slave exclude each other");
	return 0;
}

/* ---- where it is put, what it is called ---- */

static int check_ipc(const struct runlxc_command *command, struct command_fault *fault)
{
	if (!given(command->ipc.container_id))
		return 0;
	if (command->ipc.host_ipc)
		return fault_set(fault_at(fault, "ipc"),
				 "container_id and host_ipc exclude each other");
	if (state_id_check(command->ipc.container_id, fault->err) < 0)
		return error_prefix(fault_at(fault, "ipc.container_id")->err, "%s", fault->path);
	return 0;
}

static int check_cgroup_parent(const char *parent, struct command_fault *fault)
{
	if (!given(parent))
		return 0;
	fault_at(fault, "cgroup_parent");
	if (command_has_control(parent))
		return fault_set(fault, "%s has a control character in it", quoted(parent));
	while (*parent) {
		size_t length = strcspn(parent, "/");

		if (length == 2 && parent[0] == '.' && parent[1] == '.')
			return fault_set(fault, "\"..\" would lead elsewhere");
		if (length > NAME_MAX)
			return fault_set(fault, "has a name of more than %d bytes in it", NAME_MAX);
		parent += length + (parent[length] == '/');
	}
	return 0;
}

static int check_labels(const struct runlxc_command *command, struct command_fault *fault)
{
	const struct {
		const char *name, *value;
	} labels[] = {
	    {"process_label", command->process_label},
	    {"mount_label", command->mount_label},
	    {"apparmor_profile", command->apparmor_profile},
	};

	/* They are written to files of the kernel's that have a syntax. */
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (command_has_control(labels[i].value))
			return fault_set(fault_at(fault, "%s", labels[i].name),
					 "%s has a control character in it",
					 quoted(labels[i].value));
	}
	return 0;
}

/* ---- all of it ---- */

int command_check(const struct runlxc_command *command, struct command_fault *fault)
{
	fault->path[0] = '\0';
	if (check_texts(command, &command_shape, fault) || check_id(command->id, fault) ||
	    check_root(command, fault) || command_check_network(&command->network, fault) ||
	    check_ipc(command, fault) || command_check_resources(&command->resources, fault))
		return -1;
	for (size_t i = 0; i < command->mounts_count; i++) {
		if (check_mount(&command->mounts[i], i, fault))
			return -1;
	}
	if (command_check_devices(command, fault) || command_check_process(command, fault) ||
	    check_labels(command, fault) || command_check_lxc(command->lxc_config, fault) ||
	    check_cgroup_parent(command->cgroup_parent, fault))
		return -1;
	return 0;
}
