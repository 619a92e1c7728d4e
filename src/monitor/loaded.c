/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitor/liblxc.h"

/* Of our own program, of the C library and of liblxc. */
struct busy {
	uintptr_t symbols[3];
};

static bool is_busy(const struct dl_phdr_info *object, const struct busy *busy)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + segment->p_vaddr;

		for (size_t k = 0; segment->p_type == PT_LOAD && k < ARRAY_SIZE(busy->symbols); k++)
			if (busy->symbols[k] - begin < segment->p_memsz)
				return true;
	}
	return false;
}

/*
 * To bind liblxc's symbols, the loader and what liblxc is linked to (libselinux, libpcre2 …) were
 * brought in. They are hardly looked at again; but all of it counts as this process's memory. What
 * is in a file and can't be written is there again as soon as it is asked for.
 */
static int forget(struct dl_phdr_info *object, size_t size, void *data)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)size;
	/* What has no path is the kernel's, or the program. */
	if (object->dlpi_name[0] != '/' || is_busy(object, data))
		return 0;
	/* From behind: what describes the segments is in the first one. */
	for (int i = object->dlpi_phnum - 1; i >= 0; i--) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + segment->p_vaddr, start = begin & ~(page - 1);
		bool first = segment->p_offset == 0;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
			continue;
		madvise((void *)start, begin - start + segment->p_memsz, MADV_DONTNEED);
		if (first)
			break;
	}
	return 0;
}

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
	if (lxc.container_new && lxc.item_is_supported && lxc.get_version) {
		dl_iterate_phdr(forget, &(struct busy){{(uintptr_t)liblxc, (uintptr_t)getpid,
							(uintptr_t)lxc.container_new}});
		return &lxc;
	}
	*reason = dlerror();
	return NULL;
}
