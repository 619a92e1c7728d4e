/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "lxc/lxc.h"

/* Namespaces by path and for the cgroups of monitor and container apart, as start.c sets them. */
#define LXC_OLDEST 5

static struct lxc_library library;
static const char *failure;

static void load(void)
{
	/* The soname of liblxc 2 to 7, found where the system's loader finds libraries. */
	void *handle = dlopen("liblxc.so.1", RTLD_NOW | RTLD_LOCAL);

	if (handle) {
		*(void **)&library.container_new = dlsym(handle, "lxc_container_new");
		*(void **)&library.container_put = dlsym(handle, "lxc_container_put");
		*(void **)&library.get_version = dlsym(handle, "lxc_get_version");
	}
	if (!library.container_new || !library.container_put || !library.get_version)
		failure = dlerror();
}

const struct lxc_library *lxc_library_load(struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!library.container_new || !library.container_put || !library.get_version) {
		error_set(err, "Failed to load liblxc: %s",
			  failure ? failure : "it lacks a function");
		return NULL;
	}
	return &library;
}

int lxc_library_check(struct error *err)
{
	const struct lxc_library *lxc = lxc_library_load(err);
	const char *version = lxc ? lxc->get_version() : NULL;

	if (!lxc)
		return -1;
	if (strtol(version, NULL, 10) < LXC_OLDEST)
		return error_set(err,
				 "liblxc is version %s, and %d.0 is the oldest that can be used",
				 version, LXC_OLDEST);
	return 0;
}

const char *lxc_library_version(void)
{
	struct error ignored = ERROR_INIT;
	const struct lxc_library *lxc = lxc_library_load(&ignored);

	error_clear(&ignored);
	return lxc ? lxc->get_version() : "not installed";
}
