/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>

#include "monitor/liblxc.h"

const struct liblxc *liblxc(const char **reason)
{
	static struct liblxc lxc;
	/* The soname of liblxc 2 to 7. Its symbols are bound to ours before the C library's. */
	void *handle = dlopen("liblxc.so.1", RTLD_NOW | RTLD_LOCAL);

	if (handle) {
		*(void **)&lxc.container_new = dlsym(handle, "lxc_container_new");
		*(void **)&lxc.item_is_supported = dlsym(handle, "lxc_config_item_is_supported");
		*(void **)&lxc.get_version = dlsym(handle, "lxc_get_version");
	}
	if (lxc.container_new && lxc.item_is_supported && lxc.get_version)
		return &lxc;
	*reason = dlerror();
	return NULL;
}
