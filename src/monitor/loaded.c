/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "monitor/liblxc.h"

/*
 * Binding the symbols of liblxc brings in the tables of all that is loaded, and libraries that are
 * hardly looked at again (libselinux, libpcre2 …); but all of it counts as this process's memory.
 * What is in a file and can't be written is there again as soon as it is asked for.
 */
static int forget(struct dl_phdr_info *object, size_t size, void *data)
{
	const size_t page = *(const size_t *)data;

	(void)size;
	/* From behind: what describes the segments is in the first one. */
	for (int i = object->dlpi_phnum - 1; i >= 0; i--) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + segment->p_vaddr, start = begin & ~(page - 1);
		size_t length = begin - start + segment->p_memsz;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
			continue;
		if (segment->p_offset == 0)
			i = 0;
		madvise((void *)start, length, MADV_DONTNEED);
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
		size_t page = (size_t)sysconf(_SC_PAGESIZE);

		dl_iterate_phdr(forget, &page);
		return &lxc;
	}
	*reason = dlerror();
	return NULL;
}
