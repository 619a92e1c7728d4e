/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents and the top level of config.json. What other platforms have there (solaris,
 * windows, vm, zos, freebsd) is not ours to apply and ignored like an unknown field.
 */
#include "spec/internal.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

/*
 * Versions of one major are compatible with each other (config.md, "Specification version"), so
 * every 1.x.y is taken, pre-releases such as 1.0.2-dev and 1.0.0-rc5 among them.
 */
static int check_version(const struct json_value *at, const char *version)
{
	const char *rest = version;

	for (int part = 0; part < 3; part++) {
		if ((part && *rest++ != '.') || !isdigit((unsigned char)*rest))
			return json_fail(at, "%s is not a version (1.x.y)", quoted(version));
		rest += strspn(rest, "0123456789");
	}
	if (*rest && *rest != '-' && *rest != '+')
		return json_fail(at, "%s is not a version (1.x.y)", quoted(version));
	if (strncmp(version, "1.", 2))
		return json_fail(at, "version %s is not supported, only 1.x.y is", quoted(version));
	return 0;
}

static int read_mount(const struct json_value *at, void *into)
{
	struct spec_mount *mount = into;

	if (spec_get_string(at, "destination", &mount->destination) ||
	    spec_get_string(at, "type", &mount->type) ||
	    spec_get_string(at, "source", &mount->source) ||
	    spec_get_strings(at, "options", &mount->options) ||
	    spec_get_mappings(at, "uidMappings", &mount->uid_mappings) ||
	    spec_get_mappings(at, "gidMappings", &mount->gid_mappings))
		return -1;
	return 0;
}

static int read_hook(const struct json_value *at, void *into)
{
	struct spec_hook *hook = into;
	struct json_value env;

	if (spec_get_string(at, "path", &hook->path) || spec_get_strings(at, "args", &hook->args) ||
	    json_get_array(at, "env", &env) || spec_get_strings(at, "env", &hook->env) ||
	    spec_get_i64(at, "timeout", &hook->timeout))
		return -1;
	hook->inherits_env = !env.object;
	return 0;
}

static int read_hooks(const struct json_value *at, struct spec *spec)
{
	struct json_value hooks;
	struct json_list list;

	if (json_get_object(at, "hooks", &hooks))
		return -1;
	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		if (json_get_list(&hooks, spec_hook_name(kind), sizeof(struct spec_hook), read_hook,
				  &list))
			return -1;
		spec->hooks[kind] = (struct spec_hooks){list.count, list.items};
	}
	return 0;
}

/* How errors of validation start, once the document is gone: "config.json: linux.resources.". */
static int set_where(const struct json_value *at, const char *prefix, const char **where)
{
	*where = arena_printf(at->document->arena, "%s: %s", at->document->name, prefix);
	return *where ? 0 : json_fail(at, "out of memory");
}

static int read_config(const struct json_value *at, struct spec *spec)
{
	struct json_value version = json_member(at, "ociVersion");
	struct json_value root, process, linux_;
	struct json_list mounts;

	/* First of all, since it says what the rest means. */
	if (json_as_string(&version, &spec->oci_version) ||
	    check_version(&version, spec->oci_version))
		return -1;

	if (json_get_object(at, "root", &root) ||
	    spec_get_string(&root, "path", &spec->root.path) ||
	    json_get_bool(&root, "readonly", &spec->root.readonly) ||
	    json_get_object(at, "process", &process) ||
	    set_where(at, "process.", &spec->process.where) ||
	    (process.object && spec_read_process(&process, &spec->process)) ||
	    spec_get_string(at, "hostname", &spec->hostname) ||
	    spec_get_string(at, "domainname", &spec->domainname) ||
	    json_get_list(at, "mounts", sizeof(struct spec_mount), read_mount, &mounts) ||
	    read_hooks(at, spec) || spec_get_pairs(at, "annotations", &spec->annotations) ||
	    json_get_object(at, "linux", &linux_) || spec_read_linux(&linux_, &spec->linux_) ||
	    set_where(at, "linux.resources.", &spec->linux_.resources.where))
		return -1;
	spec->mounts_count = mounts.count;
	spec->mounts = mounts.items;
	return 0;
}

static int read_process_document(const struct json_value *at, struct spec *spec)
{
	if (set_where(at, "", &spec->process.where))
		return -1;
	return spec_read_process(at, &spec->process);
}

static int read_resources_document(const struct json_value *at, struct spec *spec)
{
	if (set_where(at, "", &spec->linux_.resources.where))
		return -1;
	return spec_read_resources(at, &spec->linux_.resources);
}

/* ---- documents ---- */

static struct spec *read_text(const char *text, size_t length, const char *name,
			      int (*read)(const struct json_value *at, struct spec *spec),
			      struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *object = NULL;
	cleanup_spec struct spec *spec = NULL;
	struct json_document document;
	struct json_value top;

	if (length > SPEC_MAX_BYTES) {
		error_set(err, "%s: is larger than %zu MiB", name, SPEC_MAX_BYTES >> 20);
		return NULL;
	}
	object = json_parse(text, length, name, err);
	if (!object)
		return NULL;
	spec = calloc(1, sizeof(*spec));
	if (spec)
		spec->name = arena_strdup(&spec->arena, name);
	if (!spec || !spec->name) {
		error_set(err, "%s: out of memory", name);
		return NULL;
	}
	document = (struct json_document){spec->name, &spec->arena, err, NULL, 0};
	top = (struct json_value){&document, NULL, NULL, 0, object};
	if (json_want(&top, json_type_object, true) || read(&top, spec))
		return NULL;
	return PTR_TAKE(spec);
}

static struct spec *read_file(int dirfd, const char *path, const char *name,
			      int (*read)(const struct json_value *at, struct spec *spec),
			      struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length = 0;

	text = path_read_file(dirfd, path, SPEC_MAX_BYTES, &length, name, err);
	return text ? read_text(text, length, name, read, err) : NULL;
}

struct spec *spec_read_oci_file(int dirfd, const char *path, const char *name, struct error *err)
{
	return read_file(dirfd, path, name, read_config, err);
}

struct spec *spec_read_oci_text(const char *text, size_t length, const char *name,
				struct error *err)
{
	return read_text(text, length, name, read_config, err);
}

struct spec *spec_read_process_file(int dirfd, const char *path, const char *name,
				    struct error *err)
{
	return read_file(dirfd, path, name, read_process_document, err);
}

struct spec *spec_read_process_text(const char *text, size_t length, const char *name,
				    struct error *err)
{
	return read_text(text, length, name, read_process_document, err);
}

struct spec *spec_read_resources_text(const char *text, size_t length, const char *name,
				      struct error *err)
{
	return read_text(text, length, name, read_resources_document, err);
}
