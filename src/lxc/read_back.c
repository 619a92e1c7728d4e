/* SPDX-License-Identifier: Apache-2.0 */
/* A container's configuration as LXC understands it: set into LXC once more, and written by LXC. */
#include "lxc/lxc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "lxc/library.h"

char *lxc_config_read_back(const char *text, struct error *err)
{
	cleanup_free char *copy = strdup(text);
	cleanup_close int out = -1;
	const struct lxc_library *lxc = lxc_library_load(err);
	struct lxc_container *container;
	char *line, *save = NULL, *result = NULL, path[64], name[32];
	size_t length = 0;

	if (!lxc)
		return NULL;
	/* A name that no container has: this one is never started, nor defined. */
	snprintf(name, sizeof(name), "runlxc-config-%d", (int)gettid());
	container = lxc->container_new(name, "/run/lxc");
	out = kernel_memfd_create("runlxc-config", MFD_CLOEXEC);
	if (!copy || !container || out < 0) {
		if (container)
			lxc->container_put(container);
		error_set(err, "Failed to ask liblxc for a container");
		return NULL;
	}
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strstr(line, " = ");

		if (line[0] == '#' || !value)
			continue;
		*value = '\0';
		if (!container->set_config_item(container, line, value + 3)) {
			error_set(err, "LXC refuses %s = %s", line, value + 3);
			lxc->container_put(container);
			lxc_forget_path("/run/lxc");
			return NULL;
		}
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	if (!container->save_config(container, path))
		error_set(err, "LXC can't write its configuration");
	else
		result = path_read_file(AT_FDCWD, path, (size_t)16 << 20, &length,
					"the LXC configuration", err);
	lxc->container_put(container);
	/* Writing the configuration anywhere makes LXC make the container's directory. */
	snprintf(path, sizeof(path), "/run/lxc/%s", name);
	rmdir(path);
	lxc_forget_path("/run/lxc");
	return result;
}
