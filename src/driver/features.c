/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI features document (features.md, features-linux.md): what is true, and nothing else. */
#include "driver/internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/cleanup.h"
#include "lxc/lxc.h"
#include "lxc/mount_options.h"
#include "process/process.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct json_object *sorted(const char *const *names, size_t count)
{
	cleanup_free const char **copy = calloc(count + 1, sizeof(*copy));
	struct json_object *array = json_object_new_array();
	size_t i;

	if (copy && count) {
		memcpy(copy, names, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), by_name);
	}
	for (i = 0; copy && i < count; i++)
		json_object_array_add(array, json_object_new_string(copy[i]));
	return array;
}

#define SORTED(table) sorted(table, ARRAY_SIZE(table))

static struct json_object *enabled(bool value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "enabled", json_object_new_boolean(value));
	return object;
}

static struct json_object *capabilities(void)
{
	struct json_object *array = json_object_new_array();
	int cap;

	for (cap = 0; cap < (int)cap_max_bits(); cap++) {
		char *name = cap_to_name(cap), upper[64];
		size_t i;

		for (i = 0; name && name[i] && i < sizeof(upper) - 1; i++)
			upper[i] =
			    (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
		upper[name ? i : 0] = '\0';
		/* A number is a capability that the kernel has and libcap has no name for. */
		if (strncmp(upper, "CAP_", 4) == 0)
			json_object_array_add(array, json_object_new_string(upper));
		cap_free(name);
	}
	return array;
}

static struct json_object *seccomp(void)
{
	static const char *const actions[] = {
	    "SCMP_ACT_ALLOW",	     "SCMP_ACT_ERRNO",	     "SCMP_ACT_KILL",
	    "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
	    "SCMP_ACT_NOTIFY",	     "SCMP_ACT_TRACE",	     "SCMP_ACT_TRAP"};
	static const char *const operators[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
						"SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
						"SCMP_CMP_NE"};
	/* Asked of libseccomp by its own names, since what it knows differs by version. */
	static const char *const archs[] = {
	    "aarch64",	 "arm",	   "loongarch64", "m68k",	 "mips",   "mips64",
	    "mips64n32", "mipsel", "mipsel64",	  "mipsel64n32", "parisc", "parisc64",
	    "ppc",	 "ppc64",  "ppc64le",	  "riscv64",	 "s390",   "s390x",
	    "sh",	 "sheb",   "x32",	  "x86",	 "x86_64"};
	struct json_object *object = enabled(true), *list = json_object_new_array(),
			   *known = json_object_new_array(), *supported = json_object_new_array();
	const char *const *flag;
	size_t i, k;

	json_object_object_add(object, "actions", SORTED(actions));
	json_object_object_add(object, "operators", SORTED(operators));
	for (i = 0; i < ARRAY_SIZE(archs); i++) {
		char name[48] = "SCMP_ARCH_";

		if (!seccomp_arch_resolve_name(archs[i]))
			continue;
		for (k = 0; archs[i][k]; k++)
			name[10 + k] =
			    (char)(archs[i][k] >= 'a' && archs[i][k] <= 'z' ? archs[i][k] - 32
									    : archs[i][k]);
		json_object_array_add(list, json_object_new_string(name));
	}
	json_object_object_add(object, "archs", list);
	for (flag = process_seccomp_flags; *flag; flag++) {
		json_object_array_add(known, json_object_new_string(*flag));
		if (process_seccomp_flag_supported(*flag))
			json_object_array_add(supported, json_object_new_string(*flag));
	}
	json_object_object_add(object, "knownFlags", known);
	json_object_object_add(object, "supportedFlags", supported);
	return object;
}

static struct json_object *names_of(const char *const *names)
{
	size_t count = 0;

	while (names[count])
		count++;
	return sorted(names, count);
}

static struct json_object *memory_policy(void)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "modes", names_of(spec_memory_policy_modes()));
	json_object_object_add(object, "flags", names_of(spec_memory_policy_flags()));
	return object;
}

static struct json_object *intel_rdt(void)
{
	struct json_object *object = enabled(true);

	json_object_object_add(object, "schemata", json_object_new_boolean(true));
	json_object_object_add(object, "monitoring", json_object_new_boolean(true));
	return object;
}

static struct json_object *linux_features(void)
{
	static const char *const namespaces[] = {"cgroup", "ipc",  "mount", "network",
						 "pid",	   "time", "user",  "uts"};
	struct json_object *object = json_object_new_object(), *cgroup = json_object_new_object(),
			   *extensions = json_object_new_object();
	bool systemd = systemd_is_available();

	json_object_object_add(object, "namespaces", SORTED(namespaces));
	json_object_object_add(object, "capabilities", capabilities());
	json_object_object_add(cgroup, "v1", json_object_new_boolean(true));
	json_object_object_add(cgroup, "v2", json_object_new_boolean(true));
	json_object_object_add(cgroup, "systemd", json_object_new_boolean(systemd));
	json_object_object_add(cgroup, "systemdUser", json_object_new_boolean(systemd));
	json_object_object_add(cgroup, "rdma", json_object_new_boolean(true));
	json_object_object_add(object, "cgroup", cgroup);
	json_object_object_add(object, "seccomp", seccomp());
	json_object_object_add(object, "apparmor", enabled(true));
	json_object_object_add(object, "selinux", enabled(true));
	json_object_object_add(object, "intelRdt", intel_rdt());
	json_object_object_add(extensions, "idmap", enabled(true));
	json_object_object_add(object, "mountExtensions", extensions);
	json_object_object_add(object, "memoryPolicy", memory_policy());
	json_object_object_add(object, "netDevices", enabled(true));
	return object;
}

char *driver_features(struct error *err)
{
	static const char *const unsafe[] = {LXC_RAW_PREFIX};
	static const char *const hooks[] = {"createContainer", "createRuntime", "poststart",
					    "poststop",	       "prestart",	"startContainer"};
	struct json_object *root = json_object_new_object(),
			   *annotations = json_object_new_object();
	const char *const *options = mount_options_known();
	const struct scmp_version *version = seccomp_version();
	char text[48], *result;
	size_t count = 0;

	while (options[count])
		count++;
	json_object_object_add(root, "ociVersionMin", json_object_new_string("1.0.0"));
	json_object_object_add(root, "ociVersionMax", json_object_new_string(SPEC_OCI_VERSION));
	json_object_object_add(root, "hooks", SORTED(hooks));
	json_object_object_add(root, "mountOptions", sorted(options, count));
	json_object_object_add(root, "linux", linux_features());
	snprintf(text, sizeof(text), "%u.%u.%u", version->major, version->minor, version->micro);
	json_object_object_add(annotations, "io.github.seccomp.libseccomp.version",
			       json_object_new_string(text));
	json_object_object_add(annotations, "org.linuxcontainers.lxc.version",
			       json_object_new_string(lxc_library_version()));
	json_object_object_add(root, "annotations", annotations);
	/* features.md, "Unsafe annotations in config.json"; prefixes. */
	json_object_object_add(root, "potentiallyUnsafeConfigAnnotations", SORTED(unsafe));
	result = strdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_SPACED |
								 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	if (!result)
		error_errno(err, ENOMEM, "Failed to write the features");
	return result;
}

const char *driver_lxc_version(void)
{
	return lxc_library_version();
}

const char *driver_seccomp_version(void)
{
	static char text[48];
	const struct scmp_version *version = seccomp_version();

	snprintf(text, sizeof(text), "%u.%u.%u", version->major, version->minor, version->micro);
	return text;
}
