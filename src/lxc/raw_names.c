/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that LXC's keys had before 2.1 (Docker's LXC driver was of that time), and the ones
 * that they have since. LXC's own lxc-update-config(1) and the announcement of 2.1 are the source.
 * lxc.kmsg, lxc.pivotdir and lxc.rootfs.backend went without a successor; raw_keys.c has them.
 */
#include "lxc/raw.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *old, *new;
} names[] = {
    {"lxc.utsname", "lxc.uts.name"},
    {"lxc.aa_profile", "lxc.apparmor.profile"},
    {"lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete"},
    {"lxc.se_context", "lxc.selinux.context"},
    {"lxc.seccomp", "lxc.seccomp.profile"},
    {"lxc.pts", "lxc.pty.max"},
    {"lxc.tty", "lxc.tty.max"},
    {"lxc.devttydir", "lxc.tty.dir"},
    {"lxc.rootfs", "lxc.rootfs.path"},
    {"lxc.mount", "lxc.mount.fstab"},
    {"lxc.id_map", "lxc.idmap"},
    {"lxc.console", "lxc.console.path"},
    {"lxc.init_cmd", "lxc.init.cmd"},
    {"lxc.init_uid", "lxc.init.uid"},
    {"lxc.init_gid", "lxc.init.gid"},
    {"lxc.haltsignal", "lxc.signal.halt"},
    {"lxc.rebootsignal", "lxc.signal.reboot"},
    {"lxc.stopsignal", "lxc.signal.stop"},
    {"lxc.logfile", "lxc.log.file"},
    {"lxc.loglevel", "lxc.log.level"},
    {"lxc.syslog", "lxc.log.syslog"},
    {"lxc.network", "lxc.net"},
};

#define LIMIT "lxc.limit."
#define NETWORK "lxc.network."

/* What follows the number; but for these two nothing was renamed there. */
static const char *network_subkey(const char *subkey)
{
	if (strcmp(subkey, "ipv4") == 0)
		return "ipv4.address";
	if (strcmp(subkey, "ipv6") == 0)
		return "ipv6.address";
	return subkey;
}

static const char *translate_network(const char *rest, int *network, struct arena *arena,
				     struct error *err)
{
	size_t digits = strspn(rest, "0123456789");
	const char *key;

	if (digits && rest[digits] == '.') {
		key = arena_printf(arena, "lxc.net.%.*s.%s", (int)digits, rest,
				   network_subkey(rest + digits + 1));
	} else {
		if (strcmp(rest, "type") == 0)
			++*network;
		if (*network < 0) {
			error_set(err, "comes before the first lxc.network.type");
			return NULL;
		}
		key = arena_printf(arena, "lxc.net.%d.%s", *network, network_subkey(rest));
	}
	if (!key)
		error_errno(err, ENOMEM, "lxc.net");
	return key;
}

const char *raw_translate(const char *key, int *network, struct arena *arena, struct error *err)
{
	const char *limit;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i].old) == 0)
			return names[i].new;
	if (strncmp(key, NETWORK, strlen(NETWORK)) == 0)
		return translate_network(key + strlen(NETWORK), network, arena, err);
	if (strncmp(key, LIMIT, strlen(LIMIT)) != 0)
		return key;
	limit = arena_printf(arena, "lxc.prlimit.%s", key + strlen(LIMIT));
	if (!limit)
		error_errno(err, ENOMEM, "%s", key);
	return limit;
}
