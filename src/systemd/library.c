/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#include "systemd/internal.h"

#define SONAME "libsystemd.so.0"

/*
 * Which library is loaded, and for what, where tools that collect dependencies look for it: the
 * note that systemd.io/ELF_DLOPEN_METADATA describes.
 */
#define NOTE                                                                                       \
	"[{\"feature\":\"systemd-cgroup\","                                                        \
	"\"description\":\"cgroups by systemd (--systemd-cgroup)\","                               \
	"\"priority\":\"suggested\",\"soname\":[\"" SONAME "\"]}]"
static const struct {
	struct {
		unsigned int name_size, size, type;
	} header;
	_Alignas(4) char name[4];
	_Alignas(4) char text[sizeof(NOTE)];
} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {
    {4, sizeof(NOTE), 0x407c0c0a}, "FDO", NOTE};

static struct systemd_library library;
static const char *failure;

static void load(void)
{
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = {
#define SYSTEMD_ENTRY(name) {#name, offsetof(struct systemd_library, name)},
	    SYSTEMD_FUNCTIONS(SYSTEMD_ENTRY)
#undef SYSTEMD_ENTRY
	};
	void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		failure = dlerror();
		return;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function) {
			failure = dlerror();
			return;
		}
		*(void **)((char *)&library + functions[i].offset) = function;
	}
}

const struct systemd_library *systemd_library_load(struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (failure) {
		error_set(err, "--systemd-cgroup: Failed to load libsystemd: %s", failure);
		return NULL;
	}
	return &library;
}

bool systemd_is_available(void)
{
	struct error ignored = ERROR_INIT;
	bool available = systemd_library_load(&ignored) != NULL;

	error_clear(&ignored);
	return available;
}
