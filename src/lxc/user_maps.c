/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/user_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

extern char **environ;

int user_maps_write_file(pid_t pid, const char *file, const struct spec_id_mappings *mappings)
{
	cleanup_free char *text = NULL;
	cleanup_close int fd = -1;
	char path[64];
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return -1;
	for (size_t i = 0; i < mappings->count; i++)
		fprintf(out, "%u %u %u\n", mappings->items[i].container_id,
			mappings->items[i].host_id, mappings->items[i].size);
	if (fclose(out) != 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : path_write_all(fd, text, length);
}

bool user_maps_have(const struct spec_id_mappings *mappings, uint32_t id)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct spec_id_mapping *mapping = &mappings->items[i];

		if (id >= mapping->container_id && id - mapping->container_id < mapping->size)
			return true;
	}
	return false;
}

static int check_option(const char *option, const char *name,
			const struct spec_id_mappings *mappings, const char *what,
			struct error *err)
{
	size_t length = strlen(name);
	unsigned long id;
	char *end;

	if (strncmp(option, name, length) != 0)
		return 0;
	id = strtoul(option + length, &end, 10);
	/* What is no number the file system itself refuses. */
	if (end == option + length || (*end && *end != ',') ||
	    user_maps_have(mappings, (uint32_t)id))
		return 0;
	return error_set(err, "%s.options: %s%lu is not an id of the container's user namespace",
			 what, name, id);
}

int user_maps_check_options(const struct spec_linux *linux_, const char *options, const char *what,
			    struct error *err)
{
	const struct spec_namespace *user = &linux_->namespaces[SPEC_NS_USER];

	if (!user->listed || user->path)
		return 0;
	while (options && *options) {
		if (check_option(options, "uid=", &linux_->uid_mappings, what, err) < 0 ||
		    check_option(options, "gid=", &linux_->gid_mappings, what, err) < 0)
			return -1;
		options += strcspn(options, ",");
		options += *options == ',';
	}
	return 0;
}

static bool is_own_id_alone(const struct spec_id_mappings *mappings, uint32_t id)
{
	return mappings->count == 1 && mappings->items[0].size == 1 &&
	       mappings->items[0].host_id == id;
}

/* What a program wrote to its standard error: one line of it. */
static void read_complaint(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int run_tool(char **arguments, const char *field, struct error *err)
{
	cleanup_close int complaint = kernel_memfd_create("runlxc-complaint", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	char text[256];
	int failed, status = 0;
	pid_t pid;

	failed = posix_spawn_file_actions_init(&actions);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, complaint, 2);
	if (!failed)
		failed = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed == ENOENT)
		return error_set(err,
				 "linux.%s: only %s could give user %u more than the one id of his "
				 "own, and it is not installed (Debian's package uidmap)",
				 field, arguments[0], geteuid());
	if (failed)
		return error_errno(err, failed, "linux.%s: Failed to execute %s", field,
				   arguments[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "linux.%s: %s", field, arguments[0]);
	if (status == 0)
		return 0;
	read_complaint(complaint, text, sizeof(text));
	return error_set(err, "linux.%s: %s (/etc/sub%cid has what a user may have)", field,
			 *text ? text : arguments[0], field[0]);
}

static int write_with_tool(pid_t pid, const char *tool, const char *field,
			   const struct spec_id_mappings *mappings, struct error *err)
{
	size_t count = 2 + 3 * mappings->count, i;
	cleanup_free char **arguments = calloc(count + 1, sizeof(*arguments));
	cleanup_free char *numbers = malloc((count + 1) * 12);

	if (!arguments || !numbers)
		return error_errno(err, ENOMEM, "linux.%s", field);
	for (i = 0; i < count; i++)
		arguments[i] = numbers + 12 * i;
	arguments[0] = (char *)tool;
	snprintf(arguments[1], 12, "%d", (int)pid);
	for (i = 0; i < mappings->count; i++) {
		snprintf(arguments[2 + 3 * i], 12, "%u", mappings->items[i].container_id);
		snprintf(arguments[3 + 3 * i], 12, "%u", mappings->items[i].host_id);
		snprintf(arguments[4 + 3 * i], 12, "%u", mappings->items[i].size);
	}
	return run_tool(arguments, field, err);
}

/* The kernel lets a user map his own group only once nobody in the namespace can leave groups. */
static int deny_groups(pid_t pid)
{
	cleanup_close int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : path_write_all(fd, "deny", 4);
}

bool user_maps_deny_groups(const struct spec_linux *linux_)
{
	return is_own_id_alone(&linux_->gid_mappings, getegid());
}

int user_maps_write(pid_t pid, const struct spec_linux *linux_, struct error *err)
{
	const struct spec_id_mappings *uids = &linux_->uid_mappings, *gids = &linux_->gid_mappings;

	if (!is_own_id_alone(uids, geteuid())) {
		if (write_with_tool(pid, "newuidmap", "uidMappings", uids, err) < 0)
			return -1;
	} else if (user_maps_write_file(pid, "uid_map", uids) < 0) {
		return error_errno(err, errno, "linux.uidMappings: the kernel refuses them");
	}
	if (!user_maps_deny_groups(linux_))
		return write_with_tool(pid, "newgidmap", "gidMappings", gids, err);
	if (deny_groups(pid) < 0 || user_maps_write_file(pid, "gid_map", gids) < 0)
		return error_errno(err, errno, "linux.gidMappings: the kernel refuses them");
	return 0;
}
