/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw LXC configuration: what raw.c (reading, applying) shares with the tables of names and kinds
 * and with the files that give a key its meaning. Nobody else includes this; see lxc.h.
 */
#ifndef RUNLXC_LXC_RAW_H
#define RUNLXC_LXC_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "lxc/lxc.h"

struct raw_item {
	const char *annotation; /* its whole name */
	const char *key;	/* as LXC has called it since 2.1: "lxc.net.0.type" */
	const char *value;	/* as LXC reads it in a file: without blanks and quotes around it */
	const struct raw_key *kind;
};

struct raw_list {
	size_t count, capacity;
	struct raw_item *items;
};

/* What the items of one document have in common while they are applied. */
struct raw_state {
	struct spec *spec;
	struct spec_capabilities capabilities; /* the document's own, for a key without a value */
	struct spec_strings env;
	struct spec_strings keep; /* of lxc.cap.keep, up to here */
	const struct log *log;
};

enum raw_class {
	RAW_PASSED,  /* LXC's to apply: given to it as it is, after our own items */
	RAW_OURS,    /* init or the spec owns that part: it changes the spec */
	RAW_SO,	     /* one value is what holds anyway; any other is refused */
	RAW_DROPPED, /* had a meaning before LXC 2.1; lxc-update-config drops it, so do we */
	RAW_REFUSED, /* LXC's meaning would break the runtime */
};

struct raw_key {
	const char *name; /* the key; with a dot at its end all keys that begin so */
	enum raw_class class;
	bool of_process; /* an exec's process has it, too */
	/* RAW_SO: the value. RAW_REFUSED, RAW_SO: what to use instead. */
	const char *value, *instead;
	int (*apply)(struct raw_state *state, const struct raw_item *item, struct error *err);
};

/* raw_keys.c. NULL: a key that is none of LXC 5.0's. */
const struct raw_key *raw_find_key(const char *key);

/*
 * raw_names.c: from a name of LXC before 2.1 to the one since then; a name of today stays as it is.
 * lxc.network.* without a number belongs to the network that the last lxc.network.type began:
 * *network counts those and is -1 at the start. NULL with an error where none did.
 */
const char *raw_translate(const char *key, int *network, struct arena *arena, struct error *err);

/* "annotations: NAME: …". Always -1. */
#define raw_fail(item, err, format, ...)                                                           \
	error_set(err, "annotations: %s: " format, (item)->annotation, ##__VA_ARGS__)

/* ---- meanings: raw_process.c, raw_seccomp.c, raw_container.c ---- */

int raw_arch(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_apparmor(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_selinux(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_cap_drop(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_cap_keep(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_environment(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_init_uid(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_init_gid(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_init_groups(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_init_cwd(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_no_new_privs(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_prlimit(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_oom_score(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_seccomp(struct raw_state *state, const struct raw_item *item, struct error *err);

int raw_autodev(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_hostname(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_idmap(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_mount_entry(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_hook_version(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_pty_max(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_rootfs(struct raw_state *state, const struct raw_item *item, struct error *err);
int raw_sysctl(struct raw_state *state, const struct raw_item *item, struct error *err);

/* Whether an entry has words in it that only LXC knows (optional, relative, idmap=): then it is
 * LXC's, and not a mount of the spec. */
bool raw_mount_is_lxcs(const char *entry);

/* network.c: what can be said of an item of a network before LXC is asked. */
int raw_network(struct raw_state *state, const struct raw_item *item, struct error *err);

/* ---- what the meanings share: raw.c ---- */

/* A whole number from 0 to `max`. */
int raw_number(const struct raw_item *item, unsigned long long max, unsigned long long *number,
	       struct error *err);
/* A copy of the list with one more string, in the spec's arena; NULL-terminated. */
int raw_append(struct raw_state *state, const struct raw_item *item, struct spec_strings *list,
	       const char *text, struct error *err);
int raw_no_memory(const struct raw_item *item, struct error *err);

#endif
