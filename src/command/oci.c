/* SPDX-License-Identifier: Apache-2.0 */
/* A Command as an OCI config.json: its top level. */
#include "command/internal.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "spec/spec.h"

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

/*
 * OCI has a missing working directory made; the old driver entered it, and so failed. What is
 * below a file system of the kernel's is seen when it is entered.
 */
static int check_working_dir(const struct view *view, struct error *err)
{
	const char *path = view->command->working_dir;
	cleanup_close int fd = -1;
	struct stat st;

	if (!given(path))
		return 0;
	switch (view_find(view, path, &fd)) {
	case VIEW_FAILED:
		return error_errno(err, errno, "working_dir: %s in the container", quoted(path));
	case VIEW_FOUND:
		if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
			return error_errno(err, ENOTDIR, "working_dir: %s in the container",
					   quoted(path));
		return 0;
	case VIEW_MADE:
	case VIEW_SYSTEM:
		break;
	}
	return 0;
}

static int put_all(struct document *document, struct json_object *config, const struct view *view,
		   struct error *err)
{
	const struct runlxc_command *command = document->command;
	struct json_object *root;

	document_put_text(document, config, "ociVersion", SPEC_OCI_VERSION);
	root = document_put(document, config, "root", json_object_new_object());
	document_put_text(document, root, "path", command->rootfs);
	document_put_bool(document, root, "readonly", command->readonly_rootfs);
	if (command_hostname(command) && !command->uts.host_uts)
		document_put_text(document, config, "hostname", command_hostname(command));
	if (command_put_process(document, config, view, err))
		return -1;
	command_put_mounts(document, config);
	if (command_put_linux(document, config, err))
		return -1;
	command_put_annotations(document, config);
	return 0;
}

static char *document_text(const struct document *document, struct json_object *config)
{
	const char *text =
	    document->failed
		? NULL
		: json_object_to_json_string_ext(
		      config, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_PRETTY |
				  JSON_C_TO_STRING_PRETTY_TAB | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy = NULL;

	if (text && asprintf(&copy, "%s\n", text) < 0)
		return NULL;
	return copy;
}

char *command_to_oci(const struct runlxc_command *command, const struct command_context *context,
		     struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *config = json_object_new_object();
	cleanup_with(view_close) struct view view = VIEW_INIT;
	struct document document = {command, context, !config};
	struct command_fault fault = {.err = err};
	char *text;

	if (!given(command->id)) {
		error_set(err, "id: is missing");
		return NULL;
	}
	if (command_check(command, &fault) || view_open(&view, command, err) ||
	    check_working_dir(&view, err) || put_all(&document, config, &view, err))
		return NULL;
	text = document_text(&document, config);
	if (!text)
		error_errno(err, ENOMEM, "Failed to write the Command as a config.json");
	return text;
}
