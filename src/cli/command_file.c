/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "command/command.h"

#define COMMAND_FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

const char *command_file_name(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

char *command_file_config(const struct driver *driver, const char *file, const char *id,
			  char **id_used, struct error *err)
{
	const char *name = command_file_name(file);
	cleanup_command struct runlxc_command *command = NULL;
	cleanup_free char *text = NULL, *config = NULL;
	size_t length = 0;

	text = path_read_file(AT_FDCWD, name == file ? file : "/dev/stdin", COMMAND_FILE_MAX_BYTES,
			      &length, name, err);
	if (!text)
		return NULL;
	command = command_read(text, length, name, err);
	if (!command)
		return NULL;
	if (id)
		command->id = id;
	config = driver_command_config(driver, command, err);
	if (!config) {
		error_prefix(err, "%s", name);
		return NULL;
	}
	*id_used = strdup(command->id);
	if (!*id_used) {
		error_errno(err, ENOMEM, "%s", name);
		return NULL;
	}
	return PTR_TAKE(config);
}
