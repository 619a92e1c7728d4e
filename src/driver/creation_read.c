/* SPDX-License-Identifier: Apache-2.0 */
/* What a new container is to be: its document and its root. */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

int creation_read_config(struct creation *creation, struct error *err)
{
	const struct driver_create_options *options = creation->options;
	const char *name = options->config && *options->config ? options->config : "config.json";
	cleanup_close int bundle = -1;

	creation->bundle = realpath(options->bundle ? options->bundle : ".", NULL);
	if (!creation->bundle)
		return error_errno(err, errno, "--bundle \"%s\"",
				   options->bundle ? options->bundle : ".");
	if (options->config_text) {
		creation->config_text = strdup(options->config_text);
		creation->config_length = creation->config_text ? strlen(creation->config_text) : 0;
	} else {
		bundle = open(creation->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (bundle < 0)
			return error_errno(err, errno, "--bundle \"%s\"", creation->bundle);
		creation->config_text = path_read_file(bundle, name, SPEC_MAX_BYTES,
						       &creation->config_length, name, err);
	}
	if (!creation->config_text)
		return err->message ? -1 : error_errno(err, ENOMEM, "%s", name);
	creation->spec =
	    spec_read_oci_text(creation->config_text, creation->config_length, name, err);
	if (!creation->spec || spec_validate(creation->spec, err) < 0 ||
	    creation_apply_annotations(creation, err) < 0)
		return -1;
	if (!creation->spec->process.set)
		return error_set(err, "%s: process: is missing: process property must not be empty",
				 name);
	return 0;
}

int creation_open_rootfs(struct creation *creation, struct error *err)
{
	const char *path = creation->spec->root.path;
	cleanup_close int bundle = -1;
	char name[64];

	bundle = open(creation->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	creation->rootfs_fd = openat(bundle, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (creation->rootfs_fd < 0)
		return error_errno(err, errno, "root.path: \"%s\"", path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", creation->rootfs_fd);
	creation->rootfs = realpath(name, NULL);
	if (!creation->rootfs)
		return error_errno(err, errno, "root.path: \"%s\"", path);
	return 0;
}

int creation_check_terminal(const struct creation *creation, bool keeps_terminal, struct error *err)
{
	bool terminal = creation->spec->process.terminal;
	bool socket = creation->options->console_socket != NULL;

	/* The words are runc's. */
	if (terminal && !socket && !keeps_terminal)
		return error_set(
		    err, "cannot allocate tty if runlxc will detach without setting console "
			 "socket (--console-socket)");
	if (socket && (!terminal || keeps_terminal))
		return error_set(
		    err, "cannot use console socket if runlxc will not detach or allocate tty "
			 "(--console-socket, process.terminal)");
	return 0;
}
