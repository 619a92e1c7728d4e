/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Command: what Docker's old execution driver was handed to run, as a C struct and as JSON.
 *
 * Fill the struct, or read it from JSON with runlxc_command_read(). Field for field they are the
 * same: a member's name is the JSON's, nested objects are nested structs, a list is an array that
 * ends with NULL or has its count beside it. Zero is "not given" everywhere, so that
 *
 *	struct runlxc_command command = {.id = "first", .rootfs = "/srv/first",
 *					 .process_config.entrypoint = "/bin/date",
 *					 .network.host_networking = 1};
 *
 * is whole. An empty string is one that isn't given. Strings are UTF-8, as JSON's are; a value is
 * one value whatever characters it holds, and a newline is refused only where it would do harm.
 * Nothing is changed or kept by the library: the caller owns what it passes in.
 */
#ifndef RUNLXC_COMMAND_H
#define RUNLXC_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct runlxc_error;

/* "network.interface": a veth pair, one end on a bridge of the host's, the other eth0 inside, up
 * and with a default route. */
struct runlxc_command_interface {
	const char *bridge;	    /* name of the bridge; needed */
	const char *ip;		    /* IPv4 address without prefix; NULL: none */
	int ip_prefix_len;	    /* 1–32 beside ip */
	const char *gateway;	    /* IPv4 default route, needs ip; NULL: none */
	const char *mac;	    /* "02:42:ac:11:00:02"; NULL: the kernel's choice */
	const char *global_ipv6;    /* IPv6 address without prefix; NULL: none */
	int global_ipv6_prefix_len; /* 1–128 beside global_ipv6 */
	/* In fe80::/10, added with prefix 64; NULL: the kernel's own alone. */
	const char *link_local_ipv6;
	const char *ipv6_gateway;
	int hairpin_mode; /* not 0: the bridge's port sends back what came from it */
};

/* Exactly one way to a network namespace must be named: an interface, a namespace's path,
 * another container, or the host's. */
struct runlxc_command_network {
	const struct runlxc_command_interface *interface; /* NULL: none */
	int mtu; /* bytes, of the interface: 68–65535; 0: the bridge's. Else without effect */
	const char *container_id;   /* share that container's network namespace */
	const char *namespace_path; /* join this one, "/proc/1234/ns/net" or "/run/netns/blue" */
	int host_networking;	    /* not 0: the caller's */
};

struct runlxc_command_rlimit {
	const char *Name;   /* "nofile" or "RLIMIT_NOFILE", any case */
	int64_t Soft, Hard; /* -1: unlimited */
};

/* Zero is "no limit", unless it says otherwise. */
struct runlxc_command_resources {
	int64_t memory;		    /* bytes */
	int64_t memory_reservation; /* bytes: the soft limit; 0: memory on cgroup v1, none on v2 */
	/* Bytes, memory and swap together; 0: twice memory, or none where the kernel doesn't count
	 * swap; -1: no limit. */
	int64_t memory_swap;
	int64_t cpu_shares;		       /* cgroup v1's 2–262144 */
	int64_t cpu_period;		       /* microseconds: 1000–1000000 */
	int64_t cpu_quota;		       /* microseconds: 1000 or more; -1: no limit */
	const char *cpuset_cpus, *cpuset_mems; /* "0-2,7" */
	int64_t blkio_weight;		       /* 10–1000 */
	const struct runlxc_command_rlimit *rlimits;
	size_t rlimits_count;
	int oom_kill_disable;
	int memory_swappiness_set; /* not 0: memory_swappiness counts; JSON: -1 or absent is unset
				    */
	int64_t memory_swappiness; /* 0–100 */
};

/* A recursive bind mount. */
struct runlxc_command_mount {
	const char *source; /* on the host */
	const char
	    *destination;    /* in the container; made, as a file or a directory like the source */
	int writable;	     /* 0: read-only, mounts below it included */
	int private_, slave; /* JSON "private", "slave": propagation; not both; neither: private */
};

/* A device by number: a rule of the device cgroup, and for autocreated ones a node. */
struct runlxc_command_device {
	int type; /* the character 'c', 'b' or, in rules alone, 'a'; JSON: number or "c" */
	const char *path;
	int64_t major, minor;	 /* -1: all */
	const char *permissions; /* of cgroup: some of "rwm"; NULL: all three */
	uint32_t file_mode;	 /* 0: 0666; type bits are ignored */
	uint32_t uid, gid;
};

struct runlxc_command_process {
	/* All capabilities that we have, the use of all devices (no node of the host's is made for
	 * it), no AppArmor, all of /proc and /sys, writable. */
	int privileged;
	const char
	    *user; /* "", "name", "uid", "name:group", "uid:gid": looked up in the container */
	int tty;   /* a terminal as its three streams */
	const char *entrypoint;	      /* the program; a name without "/" is looked for in PATH */
	const char *const *arguments; /* NULL-terminated; NULL: none */
	/* "KEY=value"; without "=" the value is empty; of a KEY that is there twice the last
	 * counts. "container=lxc" is added and, unless it is given, HOME. HOSTNAME becomes the
	 * container's hostname. NULL-terminated; NULL: none. */
	const char *const *env;
};

struct runlxc_command {
	const char *id;	    /* [A-Za-z0-9_+.-]+ */
	const char *rootfs; /* absolute path on the host; must be there */
	int readonly_rootfs;
	const char *initpath;	 /* accepted and without effect: init is the library's own */
	const char *working_dir; /* absolute, inside, must be there; NULL: "/" */
	const char
	    *config_path; /* accepted and without effect: no configuration file is kept there */
	struct runlxc_command_network network;
	struct {
		const char *container_id;
		int host_ipc;
	} ipc;
	struct {
		int host_pid;
	} pid;
	struct {
		int host_uts;
	} uts;
	struct runlxc_command_resources resources;
	const struct runlxc_command_mount *mounts;
	size_t mounts_count;
	const struct runlxc_command_device *allowed_devices;
	size_t allowed_devices_count;
	const struct runlxc_command_device *autocreated_devices;
	size_t autocreated_devices_count;
	const char *const *cap_add, *const *cap_drop; /* on Docker's 14; "all"; NULL-terminated */
	const char *const *group_add; /* names or numbers, looked up in the container */
	int container_pid; /* accepted and without effect: the library's answer, never its input */
	struct runlxc_command_process process_config;
	const char *process_label, *mount_label; /* SELinux */
	const char *const *lxc_config;		 /* "lxc.key = value" each; NULL-terminated */
	const char *apparmor_profile;		 /* NULL: unconfined */
	/* Path below every hierarchy's root, where the container's cgroup lxc.payload.ID is made;
	 * NULL: "/". */
	const char *cgroup_parent;
	int first_start; /* accepted and without effect: every start is a first one */
};

/*
 * Reads a Command from JSON text (`length` bytes; `name` is what errors call it, "command.json").
 * Unknown fields, wrong types and values out of range are errors that name the field and the line.
 * The result is one block with everything in it, freed by runlxc_command_free(). NULL on failure.
 */
struct runlxc_command *runlxc_command_read(const char *json, size_t length, const char *name,
					   struct runlxc_error *err);
void runlxc_command_free(struct runlxc_command *command);

#ifdef __cplusplus
}
#endif

#endif
