/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the Command share: a root file system, and the document that comes out. */
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"

/* ---- a root file system, in a directory of the test's own ---- */

struct image {
	char path[64]; /* of the directory; the root is "root" in it */
	char root[80];
};

static int image_remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline int image_make(void **state)
{
	static const char *const directories[] = {"root", "root/etc", "root/srv", "root/srv/data"};
	struct image *image = calloc(1, sizeof(*image));

	strcpy(image->path, "/tmp/runlxc-test-command-XXXXXX");
	assert_non_null(mkdtemp(image->path));
	snprintf(image->root, sizeof(image->root), "%s/root", image->path);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", image->path, directories[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	*state = image;
	return 0;
}

static inline int image_remove(void **state)
{
	struct image *image = *state;

	nftw(image->path, image_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(image);
	return 0;
}

/* `name` is below the image's directory: "root/etc/passwd". */
static inline void image_write(const struct image *image, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", image->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* ---- a Command and its document ---- */

/* The least that is a Command. */
static inline struct runlxc_command minimal(const struct image *image)
{
	return (struct runlxc_command){.id = "first",
				       .rootfs = image ? image->root : "/srv/first",
				       .network.host_networking = 1,
				       .process_config.entrypoint = "/bin/date"};
}

static inline pid_t known_pid(void *data, const char *id, struct error *err)
{
	(void)data;
	if (strcmp(id, "other") == 0)
		return 4711;
	return error_set(err, "container does not exist: %s", id);
}

static inline struct json_object *convert_in(const struct runlxc_command *command,
					     const struct command_context *context)
{
	struct error err = ERROR_INIT;
	char *text = command_to_oci(command, context, &err);
	struct json_object *object;

	if (!text)
		fail_msg("%s", error_text(&err));
	object = json_tokener_parse(text);
	assert_non_null(object);
	free(text);
	return object;
}

static inline struct json_object *convert(const struct runlxc_command *command)
{
	return convert_in(command, &(struct command_context){.pid_of = known_pid});
}

/* What is at a JSON pointer ("/process/args/0"), in JSON without white space; "" when nothing. */
static inline const char *at(struct json_object *object, const char *pointer)
{
	struct json_object *found = NULL;

	if (json_pointer_get(object, pointer, &found) || !found)
		return "";
	return json_object_to_json_string_ext(found, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* The Command must be refused in these words. */
static inline void assert_refused(const struct runlxc_command *command, const char *words)
{
	const struct command_context context = {.pid_of = known_pid};
	struct error err = ERROR_INIT;
	char *text = command_to_oci(command, &context, &err);

	if (text)
		fail_msg("not refused: %s", words);
	if (!strstr(error_text(&err), words))
		fail_msg("\"%s\" is not in \"%s\"", words, error_text(&err));
	error_clear(&err);
}

#endif
