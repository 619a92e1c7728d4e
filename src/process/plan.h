/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process plan: what a process must become, compiled by the library and read by init.
 *
 * init runs inside the container before the user's program does, as PID 1 or as the first step of
 * an exec. It must be small, quick and free of parsers, so everything that can be decided outside
 * is decided outside: names are numbers by now, capabilities are masks, seccomp is BPF. The plan is
 * one flat block in a sealed memfd; init maps it. Both sides come from one build: there is no
 * version but the magic.
 *
 * Strings are offsets from the plan's start (0: absent); lists are an offset and a count.
 */
#ifndef RUNLXC_PROCESS_PLAN_H
#define RUNLXC_PROCESS_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x32434c52u /* "RLC2" */

typedef uint32_t plan_string;

struct plan_list {
	uint32_t offset, count;
};

enum plan_flags {
	PLAN_JOIN = 1 << 0,	/* an exec: join the namespaces of plan.join_pidfd first */
	PLAN_TERMINAL = 1 << 1, /* make a pty, send its master back */
	PLAN_NO_NEW_PRIVS = 1 << 2,
	PLAN_READONLY_ROOT = 1 << 3,
	PLAN_WAIT_START = 1 << 4,   /* after the commit, wait on the start socket */
	PLAN_CAPABILITIES = 1 << 5, /* set the five sets; otherwise they stay as they are */
	PLAN_UMASK = 1 << 6,
	PLAN_SETUP_DEV =
	    1 << 7, /* make device nodes and links: /dev is not the user's bind mount */
	PLAN_NEW_KEYRING = 1 << 8,
	PLAN_HIDE_PROC = 1 << 9,     /* take off the procfs that was mounted for init alone */
	PLAN_JOIN_USERNS = 1 << 10,  /* becomes root of the user namespace that is joined */
	PLAN_JOIN_PIDNS = 1 << 11,   /* needs a fork to be in the joined pid namespace */
	PLAN_CAP_OVERRIDE = 1 << 12, /* the final sets override file permissions, too */
	PLAN_PERSONALITY = 1 << 13,
	PLAN_LOG_STEPS = 1 << 14,
	PLAN_SET_HOME = 1 << 15, /* HOME is missing or empty in env: look it up */
	PLAN_HAS_PROC = 1 << 16, /* there is a procfs on /proc, or will be by a late mount */
	PLAN_HAS_SYS = 1 << 17,	 /* a sysfs on /sys */
};

enum plan_mount_kind {
	PLAN_MOUNT_TREE,   /* attach the detached tree plan_mount.fd */
	PLAN_MOUNT_NEW,	   /* a new file system: type, source, data */
	PLAN_MOUNT_CGROUP, /* the container's own cgroups; their trees are asked for from the parent
			    */
	PLAN_MOUNT_REMOUNT, /* change what is mounted there */
};

/* What a destination has to do with /proc (base/procfs.h). */
enum plan_proc {
	PLAN_PROC_NONE, /* nothing: the target must not be on a procfs */
	PLAN_PROC_ROOT, /* it is /proc: only a procfs may be mounted there */
	PLAN_PROC_FILE, /* one of the few files in it that may be covered */
};

/* A mount that LXC can't make: its options, or what lies under it, are beyond lxc.mount.entry. */
struct plan_mount {
	uint32_t kind;
	int32_t fd;
	uint32_t is_file;	       /* the tree is a file's: its target is made as one */
	uint32_t copy_up;	       /* tmpcopyup: fill the new tmpfs with what it covers */
	uint32_t no_symlink;	       /* proc and sysfs: the target must be an ordinary directory
					  (CVE-2019-19921) */
	uint32_t proc;		       /* enum plan_proc */
	uint32_t propagation;	       /* MS_SHARED … with MS_REC; 0: nothing was asked for */
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_*, of this mount */
	uint64_t attr_rec_set, attr_rec_clear; /* of everything below it, too */
	uint32_t read_only_last;	       /* what is mounted or made in it comes before */
	uint32_t labelled;		       /* a new file system that gets plan.mount_label */
	uint32_t sb_readonly; /* the file system itself is read-only, not just this mount of it */
	plan_string destination, type, source, data;
	plan_string what; /* for errors: "mounts[3]" */
};

struct plan_sysctl {
	plan_string key, path, value; /* path: below /proc/sys */
};

/* A startContainer hook. */
struct plan_hook {
	plan_string path;
	struct plan_list args, env; /* plan_string */
	int32_t timeout;	    /* seconds; -1: none */
	uint32_t inherits_env;	    /* the process's in the place of `env` */
};

struct plan_device {
	plan_string path;
	uint32_t type_mode; /* S_IFCHR | 0666 … */
	uint32_t major, minor, uid, gid;
	uint32_t keep; /* a default device: an existing one is left alone */
};

/* One v1 hierarchy, or the v2 tree, to show in a cgroup mount; in the order of the trees that are
 * sent. */
struct plan_cgroup {
	plan_string name; /* "memory", "cpu,cpuacct"; 0: the v2 tree is the whole mount */
};

struct plan {
	uint32_t magic, size, flags;
	int32_t sync_fd;  /* SOCK_SEQPACKET to the parent */
	int32_t start_fd; /* listening, where PLAN_WAIT_START */
	int32_t trace_fd; /* base/trace.h; -1: nothing is traced */
	int32_t join_pidfd;
	int32_t join_cgroup_fd;	  /* a cgroup namespace to join, which LXC can't; -1: none */
	int32_t stdio_fd[3];	  /* become 0, 1, 2 */
	int32_t preserve_fds;	  /* how many from 3 on the program gets */
	uint32_t join_namespaces; /* CLONE_NEW* for setns */

	int32_t proc_fd; /* a procfs of the host's, to make a new time namespace; -1: none */
	plan_string time_offsets; /* what is written to timens_offsets; 0: nothing */

	uint32_t uid, gid, umask, personality;
	uint32_t memory_policy_set, memory_policy; /* set_mempolicy(2): the mode, with its flags */
	struct plan_list memory_nodes;		   /* uint64_t, a bit for each */
	uint64_t capabilities[5];		   /* in the order of enum spec_capability_set */
	struct plan_list groups;		   /* uint32_t */
	struct plan_list args, env;		   /* plan_string */
	plan_string path; /* where to look for args[0]: PATH of env, or the default */
	plan_string cwd;
	plan_string apparmor, selinux;
	plan_string hostname, domainname; /* what LXC doesn't set */
	plan_string mount_label;
	uint32_t console_height, console_width;

	struct plan_list seccomp; /* struct sock_filter */
	uint32_t seccomp_flags;

	struct plan_list start_hooks;	    /* struct plan_hook */
	plan_string state_head, state_tail; /* what they get on stdin: the pid, as they see it, goes
					       in between */

	struct plan_list mounts;	   /* struct plan_mount */
	struct plan_list cgroups;	   /* struct plan_cgroup */
	struct plan_list devices;	   /* struct plan_device */
	struct plan_list masked, readonly; /* plan_string */
	struct plan_list sysctls;	   /* struct plan_sysctl */
	int32_t sysctl_fd;		   /* the host's /proc/sys, for these alone; -1: none */
	uint32_t root_propagation;	   /* MS_SLAVE … with MS_REC; 0: private */
};

/* ---- what goes over the sync socket, one message each ---- */

enum sync_type {
	SYNC_ERROR = 'E', /* init → parent: struct sync_error follows; init exits */
	SYNC_CGROUPS =
	    'C', /* init → parent: send the cgroup trees; the answer carries them as SCM_RIGHTS */
	SYNC_TERMINAL = 'T', /* init → parent: carries the pty's master */
	SYNC_READY = 'R', /* init → parent: everything is set up; the sender's credentials tell its
			   * pid; carries the socket on which the talk goes on */
	SYNC_PIVOT = 'P',  /* LXC's child → parent: pivot_root(2) is next; the answer is the same,
			    * when  the hooks have run */
	SYNC_COMMIT = 'K', /* parent → init: you are recorded; wait for the start */
	SYNC_START = 'S', /* parent → init: as COMMIT, and go on at once; from `start`: go on. May
			   * carry the trace's page then */
	SYNC_LISTENER = 'L', /* init → parent, after the start: struct sync_listener follows; the
			      * answer is the same, when an agent has the listener */
	SYNC_STEP = 'D',     /* init → parent: a line for the debug log */
	SYNC_WARNING = 'W',  /* init → parent: a line for the log */
};

#define SYNC_MESSAGE_MAX 4096
/* SCM_RIGHTS carries at most 253; no host has this many cgroup hierarchies. */
#define SYNC_FDS_MAX 32

/* Behind 'E': the exit code (0: the verb's own), then the text without a NUL. */
struct sync_error {
	char type;
	unsigned char exit_code;
	char text[SYNC_MESSAGE_MAX - 2];
};

/*
 * Behind 'L': the number of the listener's descriptor in init, from where the parent fetches it.
 * init lives under its filter by then. It makes one call, write(2), before the agent has the
 * listener, and so that is the one that no filter may notify of.
 */
struct sync_listener {
	char type;
	int32_t descriptor;
};

#endif
