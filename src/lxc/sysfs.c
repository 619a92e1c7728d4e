/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sysfs shows the network namespace that it is made in, and is made only by who may do so there.
 * In a user namespace that doesn't own the container's network (the host's, or one that is joined),
 * that is neither LXC nor init: it is made here, and init attaches it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/compiler.h"
#include "lxc/visit.h"

/* Whether the network namespace `network` belongs to the user namespace at `user`. */
static bool is_owned_by(const char *network, const char *user)
{
	cleanup_close int fd = open(network, O_RDONLY | O_CLOEXEC), owner = -1;
	struct stat of_network, asked;

	owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
	return owner >= 0 && fstat(owner, &of_network) == 0 && stat(user, &asked) == 0 &&
	       of_network.st_dev == asked.st_dev && of_network.st_ino == asked.st_ino;
}

bool compiler_makes_sysfs(const struct compiler *compiler, const char *type)
{
	const struct spec_namespace *all = compiler->request->spec->linux_.namespaces;
	const struct spec_namespace *user = &all[SPEC_NS_USER], *network = &all[SPEC_NS_NETWORK];

	if (strcmp(type, "sysfs") != 0 || !user->listed || (network->listed && !network->path))
		return false;
	return !(network->path && user->path && is_owned_by(network->path, user->path));
}

struct making {
	uint64_t attributes;
	int fd;
};

static int make(void *data)
{
	struct making *making = data;
	cleanup_close int fs = kernel_fsopen("sysfs");

	if (fs < 0 || kernel_fsconfig(fs, FSCONFIG_SET_STRING, "source", "sysfs") < 0 ||
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	making->fd = kernel_fsmount(fs, (unsigned int)making->attributes);
	return making->fd < 0 ? -1 : 0;
}

int compiler_make_sysfs(struct compiler *compiler, const char *what,
			const struct mount_options *options, struct error *err)
{
	const struct spec_namespace *network =
	    &compiler->request->spec->linux_.namespaces[SPEC_NS_NETWORK];
	struct making making = {.attributes = options->attr_set, .fd = -1};
	cleanup_close int ns = -1;
	int result;

	if (network->path) {
		ns = open(network->path, O_RDONLY | O_CLOEXEC);
		result = ns < 0 ? -1 : visit_network(ns, make, &making);
	} else {
		result = make(&making);
	}
	if (result < 0 && compiler->request->rootless)
		return error_errno(err, errno,
				   "%s: Failed to make a sysfs: only root may, without a new "
				   "network namespace (a bind mount of \"/sys\" will do)",
				   what);
	if (result < 0)
		return error_errno(err, errno, "%s: Failed to make a sysfs", what);
	return lxc_recipe_keep_fd(compiler->recipe, making.fd, compiler->request->lowest_fd, err);
}
