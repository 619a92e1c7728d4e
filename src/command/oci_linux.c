/* SPDX-License-Identifier: Apache-2.0 */
/* `linux` of the config.json for a Command, but for its resources. */
#include "command/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "base/cleanup.h"

/* What Docker hides from a container that is not privileged, and what it keeps it from writing. */
static const char *const masked_paths[] = {"/proc/acpi",
					   "/proc/asound",
					   "/proc/kcore",
					   "/proc/keys",
					   "/proc/latency_stats",
					   "/proc/timer_list",
					   "/proc/timer_stats",
					   "/proc/sched_debug",
					   "/proc/scsi",
					   "/sys/firmware",
					   "/sys/devices/virtual/powercap",
					   NULL};
static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

/* ---- namespaces ---- */

static void append_namespace(struct document *document, struct json_object *array, const char *type,
			     const char *path)
{
	struct json_object *object = document_append(document, array, json_object_new_object());

	document_put_text(document, object, "type", type);
	if (path)
		document_put_text(document, object, "path", path);
}

/* The namespace of the first process of another container. `file` is what /proc calls it. */
static int append_shared(struct document *document, struct json_object *array, const char *type,
			 const char *file, const char *field, const char *id, struct error *err)
{
	const struct command_context *context = document->context;
	char path[64];
	pid_t pid;

	if (!context->pid_of)
		return error_set(err, "%s: %s is not known here", field, quoted(id));
	pid = context->pid_of(context->data, id, err);
	if (pid < 0)
		return error_prefix(err, "%s", field);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	append_namespace(document, array, type, path);
	return 0;
}

/* A path may be any file's; looked at here, so that the error has the Command's name for it. */
static int check_network_path(const char *path, struct error *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;

	if (fd < 0)
		return error_errno(err, errno, "network.namespace_path: %s", quoted(path));
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return error_set(err, "network.namespace_path: %s is not a network namespace",
				 quoted(path));
	return 0;
}

static int put_network(struct document *document, struct json_object *array, struct error *err)
{
	const struct runlxc_command_network *network = &document->command->network;

	if (given(network->container_id))
		return append_shared(document, array, "network", "net", "network.container_id",
				     network->container_id, err);
	if (given(network->namespace_path) && check_network_path(network->namespace_path, err))
		return -1;
	if (!network->host_networking)
		append_namespace(document, array, "network",
				 given(network->namespace_path) ? network->namespace_path : NULL);
	return 0;
}

static int put_ipc(struct document *document, struct json_object *array, struct error *err)
{
	const struct runlxc_command *command = document->command;

	if (given(command->ipc.container_id))
		return append_shared(document, array, "ipc", "ipc", "ipc.container_id",
				     command->ipc.container_id, err);
	if (!command->ipc.host_ipc)
		append_namespace(document, array, "ipc", NULL);
	return 0;
}

/* One that is not listed is the caller's. */
static int put_namespaces(struct document *document, struct json_object *linux_, struct error *err)
{
	const struct runlxc_command *command = document->command;
	struct json_object *array =
	    document_put(document, linux_, "namespaces", json_object_new_array());

	append_namespace(document, array, "mount", NULL);
	if (!command->pid.host_pid)
		append_namespace(document, array, "pid", NULL);
	if (!command->uts.host_uts)
		append_namespace(document, array, "uts", NULL);
	return put_network(document, array, err) || put_ipc(document, array, err) ? -1 : 0;
}

/* ---- devices ---- */

static void put_devices(struct document *document, struct json_object *linux_)
{
	const struct runlxc_command *command = document->command;
	struct json_object *array, *object;

	if (!command->autocreated_devices_count)
		return;
	array = document_put(document, linux_, "devices", json_object_new_array());
	for (size_t i = 0; i < command->autocreated_devices_count; i++) {
		const struct runlxc_command_device *device = &command->autocreated_devices[i];
		const char type[] = {(char)device->type, '\0'};

		object = document_append(document, array, json_object_new_object());
		document_put_text(document, object, "path", device->path);
		document_put_text(document, object, "type", type);
		document_put_number(document, object, "major", device->major);
		document_put_number(document, object, "minor", device->minor);
		/* Docker has the type's bits of stat(2) in it. */
		document_put_number(document, object, "fileMode",
				    device->file_mode & 07777 ? device->file_mode & 07777 : 0666);
		document_put_number(document, object, "uid", device->uid);
		document_put_number(document, object, "gid", device->gid);
	}
}

/* ---- cgroup ---- */

/* Named as it would be without a parent, so that LXC's tools and people find it. */
static void put_cgroups_path(struct document *document, struct json_object *linux_)
{
	const struct runlxc_command *command = document->command;
	const char *parent = given(command->cgroup_parent) ? command->cgroup_parent : "/";
	cleanup_free char *path = NULL;
	size_t length;

	parent += strspn(parent, "/");
	length = strlen(parent);
	while (length && parent[length - 1] == '/')
		length--;
	if (!length)
		return;
	if (asprintf(&path, "/%.*s/lxc.payload.%s", (int)length, parent, command->id) < 0) {
		path = NULL;
		document->failed = true;
		return;
	}
	document_put_text(document, linux_, "cgroupsPath", path);
}

int command_put_linux(struct document *document, struct json_object *config, struct error *err)
{
	const struct runlxc_command *command = document->command;
	struct json_object *linux_ =
	    document_put(document, config, "linux", json_object_new_object());

	if (put_namespaces(document, linux_, err))
		return -1;
	put_devices(document, linux_);
	put_cgroups_path(document, linux_);
	command_put_resources(document, linux_);
	if (given(command->mount_label))
		document_put_text(document, linux_, "mountLabel", command->mount_label);
	if (!command->process_config.privileged) {
		document_put_texts(document, linux_, "maskedPaths", masked_paths);
		document_put_texts(document, linux_, "readonlyPaths", readonly_paths);
	}
	return 0;
}
