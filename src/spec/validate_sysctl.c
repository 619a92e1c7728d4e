/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only what belongs to a namespace, and only when the container has that namespace
 * for itself. Anything else would be set for the whole host. The list is runc's.
 */
#include "spec/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/*
 * sysctl(8) writes dots between the components and a slash for a dot within one
 * (net.ipv4.conf.eno2/100.rp_filter), or the other way round when the first separator is a slash.
 */
char *spec_sysctl_path(const char *key)
{
	char *path = strdup(key);
	const char *first = path ? strpbrk(path, "./") : NULL;

	if (!first || *first == '/')
		return path;
	for (char *c = path; *c; c++) {
		if (*c == '.')
			*c = '/';
		else if (*c == '/')
			*c = '.';
	}
	return path;
}

/* A component that is empty or leads elsewhere, or a byte that no name in /proc/sys has. */
static bool is_clean(const char *path)
{
	while (true) {
		size_t length = strcspn(path, "/");

		if (!length || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		for (size_t i = 0; i < length; i++) {
			if ((unsigned char)path[i] <= 0x20 || path[i] == 0x7f)
				return false;
		}
		if (!path[length])
			return true;
		path += length + 1;
	}
}

/* The namespace that a path below /proc/sys belongs to; SPEC_NS_TYPES: none. */
static enum spec_namespace_type owner(const char *path)
{
	static const char *const ipc[] = {
	    "kernel/msgmax", "kernel/msgmnb",	       "kernel/msgmni",
	    "kernel/sem",    "kernel/shmall",	       "kernel/shmmax",
	    "kernel/shmmni", "kernel/shm_rmid_forced", NULL};
	static const char *const uts[] = {"kernel/domainname", "kernel/hostname", NULL};

	if (spec_name_known(ipc, path) || !strncmp(path, "fs/mqueue/", strlen("fs/mqueue/")))
		return SPEC_NS_IPC;
	if (spec_name_known(uts, path))
		return SPEC_NS_UTS;
	if (!strncmp(path, "net/", strlen("net/")))
		return SPEC_NS_NETWORK;
	return SPEC_NS_TYPES;
}

/*
 * Tells in *own if the container's namespace of that type is not the runtime's. One that is joined
 * by a path may be the very one we are in: Docker's --network host of old writes it so.
 */
static int is_own(const struct spec *spec, enum spec_namespace_type type, bool *own,
		  struct error *err)
{
	const char *ours = type == SPEC_NS_IPC	 ? "/proc/self/ns/ipc"
			   : type == SPEC_NS_UTS ? "/proc/self/ns/uts"
						 : "/proc/self/ns/net";
	const struct spec_namespace *ns = &spec->linux_.namespaces[type];
	struct stat theirs_st, ours_st;

	*own = ns->listed;
	if (!ns->path)
		return 0;
	if (stat(ns->path, &theirs_st) || stat(ours, &ours_st))
		return error_errno(err, errno, "%s: linux.namespaces[%zu].path: can't look at %s",
				   spec->name, ns->index, quoted(ns->path));
	*own = theirs_st.st_dev != ours_st.st_dev || theirs_st.st_ino != ours_st.st_ino;
	return 0;
}

static int validate_key(const struct spec *spec, const char *key, struct error *err)
{
	cleanup_free char *path = spec_sysctl_path(key);
	enum spec_namespace_type type;
	bool own;

	if (!path)
		return error_set(err, "out of memory");
	if (!is_clean(path))
		return spec_invalid(spec, err, "linux.sysctl: %s is not a sysctl's name",
				    quoted(key));
	type = owner(path);
	if (type == SPEC_NS_TYPES)
		return spec_invalid(spec, err,
				    "linux.sysctl: sysctl %s is not in a separate kernel namespace",
				    quoted(key));
	if (is_own(spec, type, &own, err))
		return -1;
	if (!own)
		return spec_invalid(
		    spec, err, "linux.sysctl: sysctl %s is not allowed in the host's %s namespace",
		    quoted(key), spec_namespace_name(type));
	if (!strcmp(path, "kernel/hostname"))
		return spec_invalid(spec, err,
				    "linux.sysctl: sysctl %s is not allowed as it conflicts with "
				    "the hostname field",
				    quoted(key));
	return 0;
}

int spec_validate_sysctl(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->linux_.sysctl.count; i++) {
		if (validate_key(spec, spec->linux_.sysctl.items[i].key, err))
			return -1;
	}
	return 0;
}
