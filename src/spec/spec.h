/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to run: the model of an OCI runtime configuration (runtime-spec 1.3.0, config.md and
 * config-linux.md). Names are the specification's own. It is filled by spec_read_*(), checked by
 * spec_validate() and read by every other room; nobody changes it afterwards, but for
 * raw LXC configuration (lxc/raw.c), after which it is checked again.
 *
 * Strings and lists belong to spec->arena. A string that is absent or empty is NULL (Go's bindings
 * don't tell the two apart; elements of lists and values of maps can be ""); a number that is
 * absent has .set == false; a list that is absent has count 0 (where absent and empty differ, a
 * flag says so). Lists of strings end with a NULL pointer, too, so that they can serve as argv and
 * envp.
 */
#ifndef RUNLXC_SPEC_SPEC_H
#define RUNLXC_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

#define SPEC_OCI_VERSION "1.3.0"

struct spec_i64 {
	bool set;
	int64_t value;
};

struct spec_u64 {
	bool set;
	uint64_t value;
};

struct spec_bool {
	bool set;
	bool value;
};

struct spec_strings {
	size_t count;
	char **items; /* NULL-terminated when count > 0; NULL otherwise */
};

/* A JSON object of strings: annotations, sysctl, unified. In the order of the file. */
struct spec_pair {
	char *key, *value;
};

struct spec_pairs {
	size_t count;
	struct spec_pair *items;
};

struct spec_id_mapping {
	uint32_t container_id, host_id, size;
};

struct spec_id_mappings {
	size_t count;
	struct spec_id_mapping *items;
};

/* ---- process ---- */

enum spec_capability_set {
	SPEC_CAP_BOUNDING,
	SPEC_CAP_EFFECTIVE,
	SPEC_CAP_INHERITABLE,
	SPEC_CAP_PERMITTED,
	SPEC_CAP_AMBIENT,
	SPEC_CAP_SETS,
};

struct spec_capabilities {
	bool set;				 /* process.capabilities is there */
	struct spec_strings sets[SPEC_CAP_SETS]; /* names as written, not yet looked up */
};

struct spec_rlimit {
	char *type;   /* RLIMIT_NOFILE … as written */
	int resource; /* filled by validation */
	uint64_t soft, hard;
};

struct spec_user {
	uint32_t uid, gid;
	bool umask_set;
	uint32_t umask;
	size_t additional_gids_count;
	uint32_t *additional_gids;
};

struct spec_scheduler {
	bool set;
	char *policy; /* SCHED_OTHER … */
	int32_t nice, priority;
	struct spec_strings flags;
	uint64_t runtime, deadline, period; /* nanoseconds */
};

struct spec_process {
	bool set;
	const char
	    *where; /* what errors put before a field: "config.json: process."; may be NULL */
	bool terminal;
	uint32_t console_height, console_width; /* 0: not given */
	struct spec_user user;
	struct spec_strings args;
	struct spec_strings env;
	char *cwd;
	struct spec_capabilities capabilities;
	size_t rlimits_count;
	struct spec_rlimit *rlimits;
	bool no_new_privileges;
	char *apparmor_profile, *selinux_label;
	struct spec_i64 oom_score_adj;
	struct spec_scheduler scheduler;
	char *io_priority_class; /* IOPRIO_CLASS_RT …; NULL: not asked for */
	int32_t io_priority;
	char *cpu_affinity_initial, *cpu_affinity_final; /* execCPUAffinity */
};

/* ---- mounts ---- */

struct spec_mount {
	const char *where; /* what errors call it; NULL: by its number in mounts[] */
	char *destination, *type, *source;
	struct spec_strings options;
	struct spec_id_mappings uid_mappings, gid_mappings;
};

/* ---- hooks ---- */

enum spec_hook_kind {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
	SPEC_HOOK_KINDS,
};

struct spec_hook {
	char *path;
	struct spec_strings args; /* argv, argv[0] included; count 0: just the path */
	struct spec_strings env;
	bool inherits_env; /* there is no `env`: the runtime's, or in the container the process's */
	struct spec_i64 timeout; /* seconds */
};

struct spec_hooks {
	size_t count;
	struct spec_hook *items;
};

/* ---- linux ---- */

enum spec_namespace_type {
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_MOUNT,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_USER,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_TYPES,
};

/* One per type: not listed means the namespace of the runtime is used. */
struct spec_namespace {
	bool listed;
	char *path;   /* NULL: a new one */
	size_t index; /* its place in the list, for errors */
};

struct spec_device {
	char *path;
	char type;	      /* c, b, u or p; u is c */
	int64_t major, minor; /* -1: not given; a p needs none */
	bool mode_set;
	uint32_t file_mode; /* may carry type bits, as Docker writes them; take & 07777 */
	uint32_t uid, gid;
};

struct spec_device_rule {
	bool allow;
	char type;		      /* a, c or b; absent is a */
	struct spec_i64 major, minor; /* absent or -1: any */
	char *access;		      /* some of "rwm"; absent is all three */
};

struct spec_weight_device {
	int64_t major, minor;
	struct spec_u64 weight, leaf_weight;
};

struct spec_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};

struct spec_throttles {
	size_t count;
	struct spec_throttle_device *items;
};

struct spec_hugepage_limit {
	char *page_size;
	uint64_t limit;
};

struct spec_interface_priority {
	char *name;
	uint32_t priority;
};

struct spec_rdma {
	char *device;
	struct spec_u64 hca_handles, hca_objects;
};

struct spec_resources {
	const char *where; /* as in spec_process: "config.json: linux.resources."; may be NULL */

	size_t devices_count;
	struct spec_device_rule *devices;

	struct {
		struct spec_i64 limit, reservation, swap, kernel, kernel_tcp;
		struct spec_u64 swappiness;
		struct spec_bool disable_oom_killer, use_hierarchy, check_before_update;
	} memory;

	struct {
		struct spec_u64 shares, period, burst, realtime_period;
		struct spec_i64 quota, realtime_runtime, idle;
		char *cpus, *mems;
	} cpu;

	struct {
		struct spec_u64 weight, leaf_weight;
		size_t weight_device_count;
		struct spec_weight_device *weight_device;
		struct spec_throttles read_bps, write_bps, read_iops, write_iops;
	} block_io;

	struct spec_i64 pids_limit;

	size_t hugepage_limits_count;
	struct spec_hugepage_limit *hugepage_limits;

	struct {
		struct spec_u64 class_id;
		size_t priorities_count;
		struct spec_interface_priority *priorities;
	} network;

	size_t rdma_count;
	struct spec_rdma *rdma;

	struct spec_pairs unified;
};

struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	char *op; /* SCMP_CMP_EQ … */
};

struct spec_seccomp_rule {
	struct spec_strings names;
	char *action; /* SCMP_ACT_… */
	struct spec_u64 errno_ret;
	size_t args_count;
	struct spec_seccomp_arg *args;
};

struct spec_seccomp {
	bool set;
	char *default_action;
	struct spec_u64 default_errno_ret;
	struct spec_strings architectures; /* SCMP_ARCH_… */
	bool flags_set;			   /* "flags" is there, be it empty */
	struct spec_strings flags;	   /* SECCOMP_FILTER_FLAG_… */
	char *listener_path, *listener_metadata;
	size_t syscalls_count;
	struct spec_seccomp_rule *syscalls;
};

struct spec_net_device {
	char *name;	/* on the host: the key in config.json */
	char *new_name; /* inside; NULL: the same */
};

struct spec_linux {
	struct spec_namespace namespaces[SPEC_NS_TYPES];
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct {
		bool set;
		int64_t secs;
		uint32_t nanosecs;
	} time_offset_boottime, time_offset_monotonic;
	size_t devices_count;
	struct spec_device *devices;
	char *cgroups_path;
	struct spec_resources resources;
	char *rootfs_propagation; /* shared, slave, private, unbindable, or with r in front */
	struct spec_pairs sysctl;
	struct spec_seccomp seccomp;
	struct spec_strings masked_paths, readonly_paths;
	char *mount_label;
	char *personality_domain; /* LINUX or LINUX32 */
	struct spec_strings personality_flags;
	struct spec_intel_rdt {
		bool set;
		char *clos_id, *l3_cache_schema, *mem_bw_schema;
		struct spec_strings schemata;
		bool enable_cmt, enable_mbm, enable_monitoring;
	} intel_rdt;
	struct {
		bool set;
		char *mode, *nodes;
		struct spec_strings flags;
	} memory_policy;
	size_t net_devices_count;
	struct spec_net_device *net_devices;
};

struct spec {
	struct arena arena;
	char *name; /* what errors call the document: "config.json" */
	char *oci_version;
	struct {
		char *path; /* as written; relative to the bundle */
		bool readonly;
	} root;
	struct spec_process process;
	char *hostname, *domainname;
	size_t mounts_count;
	struct spec_mount *mounts;
	struct spec_hooks hooks[SPEC_HOOK_KINDS];
	struct spec_pairs annotations;
	struct spec_linux linux_;
};

/* ---- names ---- */

/* As config.json writes them: "pid", "network" …; "prestart", "createRuntime" …; "bounding" …. */
const char *spec_namespace_name(enum spec_namespace_type type);
const char *spec_hook_name(enum spec_hook_kind kind);
const char *spec_capability_set_name(enum spec_capability_set set);

/* linux.memoryPolicy: every known mode and flag (NULL-terminated), and what set_mempolicy(2) gets
 * as its mode for a spec that is valid. */
const char *const *spec_memory_policy_modes(void);
const char *const *spec_memory_policy_flags(void);
uint32_t spec_memory_policy_mode(const struct spec_linux *linux_);

/* The value of `key` in a list of pairs, or NULL. */
const char *spec_pairs_get(const struct spec_pairs *pairs, const char *key);

/* The path below /proc/sys that a key of linux.sysctl means; the caller frees it, NULL: no memory.
 */
char *spec_sysctl_path(const char *key);

void spec_free(struct spec *spec);

static inline void cleanup_spec_(struct spec **spec)
{
	spec_free(*spec);
}
#define cleanup_spec __attribute__((cleanup(cleanup_spec_)))

#endif
