/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of `runlxc spec`: equal in meaning to the one of `runc spec`. */
#include "spec/internal.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "base/cleanup.h"

/* JSON written as it is, without a backslash before every quote. */
#define JSON(...) #__VA_ARGS__

/* clang-format off */
static const char common[] = JSON({
	"ociVersion": "",
	"process": {
		"terminal": true,
		"user": {"uid": 0, "gid": 0},
		"args": ["sh"],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
			"effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
			"permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
			"ambient": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
		},
		"rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
		"noNewPrivileges": true
	},
	"root": {"path": "rootfs", "readonly": true},
	"hostname": "runlxc",
	"mounts": [
		{
			"destination": "/proc", "type": "proc", "source": "proc"
		}, {
			"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "strictatime", "mode=755", "size=65536k"]
		}, {
			"destination": "/dev/pts", "type": "devpts", "source": "devpts",
			"options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666",
				    "mode=0620", "gid=5"]
		}, {
			"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
			"options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]
		}, {
			"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
			"options": ["nosuid", "noexec", "nodev"]
		}, {
			"destination": "/sys", "type": "sysfs", "source": "sysfs",
			"options": ["nosuid", "noexec", "nodev", "ro"]
		}, {
			"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
			"options": ["nosuid", "noexec", "nodev", "relatime", "ro"]
		}
	],
	"linux": {
		"resources": {"devices": [{"allow": false, "access": "rwm"}]},
		"namespaces": [
			{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
			{"type": "network"}
		],
		"maskedPaths": [
			"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
			"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
			"/proc/sched_debug", "/sys/firmware", "/proc/scsi"
		],
		"readonlyPaths": [
			"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"
		]
	}
});

/*
 * What is otherwise for a user without privileges. No group 5 for the terminals, since it isn't
 * mapped; the host's /sys, since sysfs belongs to the network namespace and that one is the host's;
 * no device rules, since a user may not write them. Mounts replace those with their destination.
 */
static const char rootless_patch[] = JSON({
	"mounts": [
		{
			"destination": "/dev/pts", "type": "devpts", "source": "devpts",
			"options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
		}, {
			"destination": "/sys", "type": "none", "source": "/sys",
			"options": ["rbind", "nosuid", "noexec", "nodev", "ro"]
		}
	],
	"namespaces": [
		{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
		{"type": "user"}
	]
});
/* clang-format on */

static void cleanup_object_(struct json_object **object)
{
	json_object_put(*object);
}

static void replace_mounts(struct json_object *mounts, struct json_object *others)
{
	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		struct json_object *mount = json_object_array_get_idx(mounts, i);
		struct json_object *target = json_object_object_get(mount, "destination");

		for (size_t j = 0; j < json_object_array_length(others); j++) {
			struct json_object *other = json_object_array_get_idx(others, j);

			if (json_object_equal(target, json_object_object_get(other, "destination")))
				json_object_array_put_idx(mounts, i, json_object_get(other));
		}
	}
}

/* One id, the caller's, as the container's root. */
static struct json_object *one_mapping(uint32_t host_id)
{
	struct json_object *mappings = json_object_new_array();
	struct json_object *mapping = json_object_new_object();

	json_object_object_add(mapping, "containerID", json_object_new_int(0));
	json_object_object_add(mapping, "hostID", json_object_new_int64(host_id));
	json_object_object_add(mapping, "size", json_object_new_int(1));
	json_object_array_add(mappings, mapping);
	return mappings;
}

static int make_rootless(struct json_object *document, uint32_t uid, uint32_t gid,
			 struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *patch =
	    json_parse(rootless_patch, sizeof(rootless_patch) - 1, "default config.json", err);
	struct json_object *linux_ = json_object_object_get(document, "linux");

	if (!patch)
		return -1;
	replace_mounts(json_object_object_get(document, "mounts"),
		       json_object_object_get(patch, "mounts"));
	json_object_object_del(linux_, "resources");
	json_object_object_add(linux_, "namespaces",
			       json_object_get(json_object_object_get(patch, "namespaces")));
	json_object_object_add(linux_, "uidMappings", one_mapping(uid));
	json_object_object_add(linux_, "gidMappings", one_mapping(gid));
	return 0;
}

/*
 * On a unified hierarchy runc adds a cgroup namespace: the container's /sys/fs/cgroup then shows
 * its own cgroup as the root of all.
 */
static void add_cgroup_namespace(struct json_object *document)
{
	struct json_object *linux_ = json_object_object_get(document, "linux");
	struct json_object *ns;
	struct statfs st;

	if (statfs("/sys/fs/cgroup", &st) || st.f_type != CGROUP2_SUPER_MAGIC)
		return;
	ns = json_object_new_object();
	json_object_object_add(ns, "type", json_object_new_string("cgroup"));
	json_object_array_add(json_object_object_get(linux_, "namespaces"), ns);
}

char *spec_default_text(bool rootless, uint32_t uid, uint32_t gid, struct error *err)
{
	cleanup_with(cleanup_object_) struct json_object *document =
	    json_parse(common, sizeof(common) - 1, "default config.json", err);
	char *text;

	if (!document)
		return NULL;
	json_object_object_add(document, "ociVersion", json_object_new_string(SPEC_OCI_VERSION));
	if (rootless && make_rootless(document, uid, gid, err))
		return NULL;
	add_cgroup_namespace(document);
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(
			 document, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_PRETTY |
				       JSON_C_TO_STRING_PRETTY_TAB |
				       JSON_C_TO_STRING_NOSLASHESCAPE)) < 0) {
		error_set(err, "default config.json: out of memory");
		return NULL;
	}
	return text;
}
