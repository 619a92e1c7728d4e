/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU can't know of a container, and we put beside its images: which mounts are the host's,
 * and where its standard streams led. descriptors.json is the same as runc's, runlxc.json is our
 * own.
 */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/path.h"

#define MOUNTS_FILE "runlxc.json"
#define STREAMS_FILE "descriptors.json"
#define FILE_MAX ((size_t)16 * 1024 * 1024)

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		free(image->mounts[i].destination);
		free(image->mounts[i].source);
		free(image->mounts[i].bind);
		free(image->mounts[i].controller);
	}
	free(image->mounts);
	for (size_t i = 0; i < ARRAY_SIZE(image->streams); i++)
		free(image->streams[i]);
	*image = (struct image){0};
}

/* ---- writing ---- */

static void add_text(struct json_object *to, const char *key, const char *text)
{
	if (text)
		json_object_object_add(to, key, json_object_new_string(text));
}

static struct json_object *encode_mounts(const struct image *image)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < image->count; i++) {
		const struct image_mount *mount = &image->mounts[i];
		struct json_object *item = json_object_new_object();

		add_text(item, "destination", mount->destination);
		json_object_object_add(item, "external", json_object_new_boolean(mount->external));
		add_text(item, "source", mount->source);
		add_text(item, "bind", mount->bind);
		add_text(item, "cgroup", mount->controller);
		json_object_array_add(list, item);
	}
	json_object_object_add(root, "mounts", list);
	return root;
}

static int write_one(int directory, const char *name, struct json_object *object, struct error *err)
{
	cleanup_with(cleanup_json) struct json_object *owned = object;
	cleanup_close int fd = -1;
	const char *text = json_object_to_json_string_ext(
	    owned, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || path_write_all(fd, text, strlen(text)) < 0)
		return error_errno(err, errno, "--image-path: Failed to write \"%s\"", name);
	return 0;
}

int image_write(const struct image *image, int directory, struct error *err)
{
	struct json_object *streams = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(image->streams); i++)
		json_object_array_add(
		    streams, json_object_new_string(image->streams[i] ? image->streams[i] : ""));
	if (write_one(directory, STREAMS_FILE, streams, err) < 0)
		return -1;
	return write_one(directory, MOUNTS_FILE, encode_mounts(image), err);
}

/* ---- reading ---- */

static char *get_text(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) && value
		   ? strdup(json_object_get_string(value))
		   : NULL;
}

static struct json_object *read_one(int directory, const char *name, enum json_type type,
				    struct error *err)
{
	struct json_object *object = NULL;
	cleanup_free char *text = NULL;
	size_t length;

	text = path_read_file(directory, name, FILE_MAX, &length, name, err);
	if (text)
		object = json_tokener_parse(text);
	if (text && !json_object_is_type(object, type)) {
		error_set(err, "--image-path: %s: is damaged", name);
		json_object_put(object);
		return NULL;
	}
	return object;
}

static int decode_mounts(struct json_object *root, struct image *image, struct error *err)
{
	struct json_object *list, *external;
	size_t count;

	if (!json_object_object_get_ex(root, "mounts", &list) ||
	    !json_object_is_type(list, json_type_array))
		return error_set(err, "--image-path: " MOUNTS_FILE ": mounts: is not a list");
	count = json_object_array_length(list);
	image->mounts = calloc(count + 1, sizeof(*image->mounts));
	if (!image->mounts)
		return error_errno(err, ENOMEM, "--image-path");
	for (; image->count < count; image->count++) {
		struct image_mount *mount = &image->mounts[image->count];
		struct json_object *item = json_object_array_get_idx(list, image->count);

		mount->destination = get_text(item, "destination");
		mount->source = get_text(item, "source");
		mount->bind = get_text(item, "bind");
		mount->controller = get_text(item, "cgroup");
		mount->external = json_object_object_get_ex(item, "external", &external) &&
				  json_object_get_boolean(external);
		if (!mount->destination || mount->destination[0] != '/') {
			size_t at = image->count++;

			return error_set(err,
					 "--image-path: " MOUNTS_FILE
					 ": mounts[%zu].destination: is no absolute path",
					 at);
		}
	}
	return 0;
}

int image_read(int directory, struct image *image, struct error *err)
{
	cleanup_with(cleanup_json) struct json_object *streams = NULL, *root = NULL;

	*image = (struct image){0};
	streams = read_one(directory, STREAMS_FILE, json_type_array, err);
	if (!streams)
		return error_prefix(err, "--image-path: not a checkpoint of a container");
	for (size_t i = 0; i < ARRAY_SIZE(image->streams); i++) {
		struct json_object *item = json_object_array_get_idx(streams, i);

		if (json_object_is_type(item, json_type_string))
			image->streams[i] = strdup(json_object_get_string(item));
	}
	root = read_one(directory, MOUNTS_FILE, json_type_object, err);
	if (!root && err->errnum == ENOENT) {
		error_clear(err);
		return 0;
	}
	return root ? decode_mounts(root, image, err) : -1;
}
