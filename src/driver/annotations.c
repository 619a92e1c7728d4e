/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw LXC configuration (org.linuxcontainers.lxc.* annotations), which is root on the host for
 * whoever may write it, and so never allowed by the document itself: the operator does, for one
 * call by a flag, for one container by the library's option, for the host by a file.
 */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/path.h"

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

/* -1: there is such a file, and it can't be read. */
static int operator_allows(bool *allowed, struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *object = NULL;
	cleanup_free char *text = NULL;
	struct arena arena = ARENA_INIT;
	struct json_document document = {
	    .name = LXC_RAW_OPERATOR_FILE, .arena = &arena, .err = err};
	struct json_value top = {.document = &document};
	size_t length = 0;
	int result;

	text = path_read_file(AT_FDCWD, LXC_RAW_OPERATOR_FILE, (size_t)1 << 20, &length,
			      LXC_RAW_OPERATOR_FILE, err);
	if (!text) {
		if (err->errnum != ENOENT)
			return -1;
		error_clear(err);
		return 0;
	}
	object = json_parse(text, length, LXC_RAW_OPERATOR_FILE, err);
	if (!object)
		return -1;
	top.object = object;
	result = json_want(&top, json_type_object, true) ||
			 json_get_bool(&top, "lxc_annotations", allowed)
		     ? -1
		     : 0;
	arena_free(&arena);
	return result;
}

int creation_apply_annotations(struct creation *creation, struct error *err)
{
	const char *first = lxc_raw_asked(creation->spec);
	bool allowed = creation->options->lxc_annotations || creation->driver->lxc_annotations;

	if (!first)
		return 0;
	if (!allowed && operator_allows(&allowed, err) < 0)
		return -1;
	if (!allowed) {
		lxc_raw_refuse(first, err);
		return error_prefix(err, "%s", creation->spec->name);
	}
	creation->lxc_annotations = true;
	if (lxc_raw_apply(creation->spec, false, creation->driver->log, err) < 0)
		return error_prefix(err, "%s", creation->spec->name);
	return 0;
}
