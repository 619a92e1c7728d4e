/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes and the links of /dev (config-linux.md, "Default Devices" and "Dev symbolic links").
 * Nodes are made in a directory that is held open, by a call that follows no symlink: a link that
 * an image planted can't aim a node elsewhere.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

static void make_node(struct init *init, const struct plan_device *device)
{
	const char *path = plan_text(init->plan, device->path), *name;
	char *parent = strdup(path), *slash;
	struct stat st;
	dev_t number = makedev(device->major, device->minor);
	int dir;

	slash = parent ? strrchr(parent, '/') : NULL;
	if (!slash)
		report_failure(init, 0, EINVAL, "linux.devices: \"%s\"", path);
	*slash = '\0';
	name = path + (slash - parent) + 1;
	dir = mounts_open_target(parent[0] ? parent : "/", true, false, false);
	if (dir < 0)
		report_failure(init, 0, errno,
			       "linux.devices: Failed to open the directory of \"%s\"", path);
	free(parent);

	if (mknodat(dir, name, device->type_mode, number) < 0) {
		bool same;

		if (errno != EEXIST)
			report_failure(init, 0, errno, "linux.devices: Failed to make \"%s\"",
				       path);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			report_failure(init, 0, errno, "linux.devices: Failed to look at \"%s\"",
				       path);
		same = (st.st_mode & S_IFMT) == (device->type_mode & S_IFMT) &&
		       (S_ISFIFO(st.st_mode) || st.st_rdev == number);
		/* One that is there already stays; that it is another one is the image's affair for
		 * the default devices, and an error for those that were asked for. */
		if (!same && !device->keep)
			report_failure(
			    init, 0, 0,
			    "linux.devices: \"%s\" exists and is not the device that was asked for",
			    path);
		close(dir);
		return;
	}
	if (fchownat(dir, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		report_failure(init, 0, errno, "linux.devices: Failed to set the owner of \"%s\"",
			       path);
	close(dir);
}

static void make_link(struct init *init, int dev, const char *target, const char *name)
{
	/* What is there stays: it is the image's, or the host's. A node of ptmx is as good as the
	 * link, since the kernel looks for a devpts beside it (Linux 4.7). */
	if (symlinkat(target, dev, name) < 0 && errno != EEXIST && errno != EROFS)
		report_failure(init, 0, errno, "Failed to make the link \"/dev/%s\"", name);
}

/* Where a link to the container's own devpts comes in its place. */
static bool is_link(const struct init *init, const struct plan_device *device)
{
	struct stat st;

	return init->plan->flags & PLAN_SETUP_DEV &&
	       strcmp(plan_text(init->plan, device->path), "/dev/ptmx") == 0 &&
	       stat("/dev/pts", &st) == 0;
}

void devices_apply(struct init *init)
{
	static const char *const links[][2] = {
	    {"/proc/self/fd", "fd"},
	    {"/proc/self/fd/0", "stdin"},
	    {"/proc/self/fd/1", "stdout"},
	    {"/proc/self/fd/2", "stderr"},
	};
	const struct plan_device *devices = plan_items(init->plan, init->plan->devices);
	struct stat st;
	uint32_t i;
	int dev;

	for (i = 0; i < init->plan->devices.count; i++) {
		if (!is_link(init, &devices[i]))
			make_node(init, &devices[i]);
	}
	if (!(init->plan->flags & PLAN_SETUP_DEV))
		return;
	dev = mounts_open_target("/dev", true, false, false);
	if (dev < 0)
		report_failure(init, 0, errno, "Failed to open \"/dev\"");
	for (i = 0; i < ARRAY_SIZE(links); i++)
		make_link(init, dev, links[i][0], links[i][1]);
	if (stat("/proc/kcore", &st) == 0)
		make_link(init, dev, "/proc/kcore", "core");
	if (fstatat(dev, "pts", &st, AT_SYMLINK_NOFOLLOW) == 0)
		make_link(init, dev, "pts/ptmx", "ptmx");
	close(dev);
}
