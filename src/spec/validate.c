/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for a whole config.json; its sections have files of their own. */
#include "spec/internal.h"

#include <limits.h>
#include <string.h>

/* The kernel's __NEW_UTS_LEN. */
#define UTS_NAME_MAX 64

const char *spec_path_fault(const char *path)
{
	if (!path)
		return "is missing";
	if (strlen(path) >= PATH_MAX)
		return "is longer than a path can be";
	return NULL;
}

const char *spec_absolute_path_fault(const char *path)
{
	const char *fault = spec_path_fault(path);

	return fault || *path == '/' ? fault : "must be an absolute path";
}

/* hostname and domainname. */
static int validate_uts_name(const struct spec *spec, const char *field, const char *name,
			     struct error *err)
{
	if (!name)
		return 0;
	if (!spec->linux_.namespaces[SPEC_NS_UTS].listed)
		return spec_invalid(spec, err,
				    "%s: can't be set without a uts namespace in linux.namespaces",
				    field);
	if (strlen(name) > UTS_NAME_MAX)
		return spec_invalid(spec, err, "%s: is longer than %d bytes", field, UTS_NAME_MAX);
	for (const char *c = name; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return spec_invalid(spec, err, "%s: %s has a control character in it",
					    field, quoted(name));
	}
	return 0;
}

static bool is_bind(const struct spec_mount *mount)
{
	static const char *const binds[] = {"bind", "rbind", NULL};

	if (mount->type && !strcmp(mount->type, "bind"))
		return true;
	for (size_t i = 0; i < mount->options.count; i++) {
		if (spec_name_known(binds, mount->options.items[i]))
			return true;
	}
	return false;
}

static int validate_mounts(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		const char *fault;

		/* Relative ones are meant from the root (config.md, "Mounts"). */
		fault = spec_path_fault(mount->destination);
		if (fault)
			return spec_invalid(spec, err, "mounts[%zu].destination: %s", i, fault);
		fault = spec_path_fault(mount->source);
		if (fault && (mount->source || is_bind(mount)))
			return spec_invalid(spec, err, "mounts[%zu].source: %s", i, fault);
		if (!mount->uid_mappings.count != !mount->gid_mappings.count)
			return spec_invalid(
			    spec, err, "mounts[%zu].%s: is missing beside the other mappings", i,
			    mount->uid_mappings.count ? "gidMappings" : "uidMappings");
	}
	return 0;
}

static int validate_hooks(const struct spec *spec, struct error *err)
{
	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		const char *name = spec_hook_name(kind);

		for (size_t i = 0; i < spec->hooks[kind].count; i++) {
			const struct spec_hook *hook = &spec->hooks[kind].items[i];
			const char *fault = spec_absolute_path_fault(hook->path);

			if (fault)
				return spec_invalid(spec, err, "hooks.%s[%zu].path: %s", name, i,
						    fault);
			if (hook->timeout.set && hook->timeout.value <= 0)
				return spec_invalid(spec, err,
						    "hooks.%s[%zu].timeout: must be more than 0",
						    name, i);
		}
	}
	return 0;
}

static int validate_annotations(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->annotations.count; i++) {
		if (!*spec->annotations.items[i].key)
			return spec_invalid(spec, err, "annotations: a key must not be empty");
	}
	return 0;
}

int spec_validate(struct spec *spec, struct error *err)
{
	const char *fault = spec_path_fault(spec->root.path);

	if (fault)
		return spec_invalid(spec, err, "root.path: %s", fault);
	/* The specification lets `create` do without; there would be nothing to wait in, though. */
	if (!spec->process.set)
		return spec_invalid(spec, err, "process: is missing");
	if (spec_validate_process(&spec->process, err) ||
	    validate_uts_name(spec, "hostname", spec->hostname, err) ||
	    validate_uts_name(spec, "domainname", spec->domainname, err) ||
	    validate_mounts(spec, err) || validate_hooks(spec, err) ||
	    validate_annotations(spec, err) || spec_validate_linux(spec, err) ||
	    spec_validate_sysctl(spec, err) || spec_validate_seccomp(spec, err))
		return -1;
	return 0;
}
