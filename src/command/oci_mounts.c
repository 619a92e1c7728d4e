/* SPDX-License-Identifier: Apache-2.0 */
/* `mounts` of the config.json for a Command: what every container gets, then the Command's own. */
#include "command/internal.h"

#include <string.h>

#include "base/cleanup.h"

/* The kernel's own file systems are read-only unless the Command is privileged. /proc isn't: see
 * maskedPaths and readonlyPaths. */
static const struct system_mount {
	const char *destination, *type, *source;
	bool read_only;
	const char *options[8]; /* NULL-terminated */
} system_mounts[] = {
    {"/proc", "proc", "proc", false, {"nosuid", "noexec", "nodev"}},
    {"/dev", "tmpfs", "tmpfs", false, {"nosuid", "strictatime", "mode=755", "size=65536k"}},
    {"/dev/pts",
     "devpts",
     "devpts",
     false,
     {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
    {"/dev/shm", "tmpfs", "shm", false, {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
    {"/dev/mqueue", "mqueue", "mqueue", false, {"nosuid", "noexec", "nodev"}},
    {"/sys", "sysfs", "sysfs", true, {"nosuid", "noexec", "nodev"}},
    {"/sys/fs/cgroup", "cgroup", "cgroup", true, {"nosuid", "noexec", "nodev", "relatime"}},
};

static struct json_object *append_mount(struct document *document, struct json_object *mounts,
					const char *destination, const char *type,
					const char *source)
{
	struct json_object *mount = document_append(document, mounts, json_object_new_object());

	document_put_text(document, mount, "destination", destination);
	document_put_text(document, mount, "type", type);
	document_put_text(document, mount, "source", source);
	return document_put(document, mount, "options", json_object_new_array());
}

/* A message queue file system shows the queues of the IPC namespace, which may not be its own. */
static bool is_wanted(const struct runlxc_command *command, const struct system_mount *mount)
{
	bool shared = command->ipc.host_ipc || given(command->ipc.container_id);

	if (shared && strcmp(mount->type, "mqueue") == 0)
		return false;
	/* Who brings a /dev brings all of it. */
	return !view_is_covered(command, mount->destination);
}

/* Every mount that lies below the source comes along, and is as read-only as the rest. */
static void append_bind(struct document *document, struct json_object *mounts,
			const struct runlxc_command_mount *mount)
{
	struct json_object *options =
	    append_mount(document, mounts, mount->destination, "bind", mount->source);

	document_append_text(document, options, "rbind");
	document_append_text(document, options, mount->writable ? "rw" : "rro");
	document_append_text(document, options, mount->slave ? "rslave" : "rprivate");
}

void command_put_mounts(struct document *document, struct json_object *config)
{
	const struct runlxc_command *command = document->command;
	struct json_object *mounts =
	    document_put(document, config, "mounts", json_object_new_array());

	for (size_t i = 0; i < ARRAY_SIZE(system_mounts); i++) {
		const struct system_mount *mount = &system_mounts[i];
		struct json_object *options;

		if (!is_wanted(command, mount))
			continue;
		options =
		    append_mount(document, mounts, mount->destination, mount->type, mount->source);
		for (size_t j = 0; mount->options[j]; j++)
			document_append_text(document, options, mount->options[j]);
		if (mount->read_only && !command->process_config.privileged)
			document_append_text(document, options, "ro");
	}
	for (size_t i = 0; i < command->mounts_count; i++)
		append_bind(document, mounts, &command->mounts[i]);
}
