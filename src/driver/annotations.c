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

/* What the operator allows: all, by true, or a list of keys. */
struct allowance {
	bool all;
	char **keys;
	size_t count;
};

static int read_allowance(struct json_value *top, struct allowance *allowance)
{
	struct json_value member = json_member(top, "lxc_annotations");

	if (json_object_is_type(member.object, json_type_boolean))
		return json_get_bool(top, "lxc_annotations", &allowance->all);
	if (member.object && !json_object_is_type(member.object, json_type_array))
		return json_fail(&member, "want a boolean or an array of LXC's keys");
	return json_get_strings(top, "lxc_annotations", &allowance->count, &allowance->keys);
}

/* -1: it doesn't, or there is such a file, and it can't be read. */
static int ask_operator(const struct spec *spec, struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *object = NULL;
	cleanup_free char *text = NULL;
	struct arena arena = ARENA_INIT;
	struct allowance allowance = {0};
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
		lxc_raw_refuse(lxc_raw_asked(spec), err);
		return error_prefix(err, "%s", spec->name);
	}
	object = json_parse(text, length, LXC_RAW_OPERATOR_FILE, err);
	if (!object)
		return -1;
	top.object = object;
	result =
	    json_want(&top, json_type_object, true) || read_allowance(&top, &allowance) ? -1 : 0;
	if (result == 0 && !allowance.all) {
		result = lxc_raw_check_allowed(spec, allowance.keys, allowance.count, err);
		if (result < 0)
			error_prefix(err, "%s", spec->name);
	}
	arena_free(&arena);
	return result;
}

int creation_apply_annotations(struct creation *creation, struct error *err)
{
	if (!lxc_raw_asked(creation->spec))
		return 0;
	if (!creation->options->lxc_annotations && !creation->driver->lxc_annotations &&
	    ask_operator(creation->spec, err) < 0)
		return -1;
	creation->lxc_annotations = true;
	if (lxc_raw_apply(creation->spec, false, creation->driver->log, err) < 0)
		return error_prefix(err, "%s", creation->spec->name);
	return 0;
}
