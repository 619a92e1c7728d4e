/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#include "lxc/lxc.h"

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

const char *lxc_library_version(void)
{
	struct error ignored = ERROR_INIT;
	const struct lxc_library *lxc = lxc_library_load(&ignored);

	error_clear(&ignored);
	return lxc ? lxc->get_version() : "not installed";
}
