/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a container: nodes that init makes, or the host's bound in where it can't. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/user_namespace.h"
#include "lxc/compiler.h"

/* The kernel lets no root but the host's make nodes. */
static bool nodes_can_be_made(const struct spec *spec)
{
	return !spec->linux_.namespaces[SPEC_NS_USER].listed && !user_namespace_is_ours();
}

/* config-linux.md, "Default Devices"; /dev/console and /dev/ptmx are made with the terminal and
 * /dev/pts. */
static const struct default_device {
	const char *path;
	unsigned int major, minor;
} default_devices[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},	   {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

_Static_assert(ARRAY_SIZE(default_devices) == COMPILER_DEFAULT_DEVICES, "room for all of them");

static uint32_t type_bits(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

/* A user namespace can't make nodes: the host's own are bound in, if they are what they should be.
 */
static int bind_device(struct compiler *compiler, const struct spec_device *device,
		       const char *what, struct error *err)
{
	struct mount_options options = {.bind = true};
	struct plan_mount *late;
	struct stat st;

	if (stat(device->path, &st) < 0)
		return error_errno(err, errno, "%s: \"%s\" on the host", what, device->path);
	if ((st.st_mode & S_IFMT) != type_bits(device->type) ||
	    st.st_rdev != makedev((unsigned int)device->major, (unsigned int)device->minor))
		return error_set(err, "%s: \"%s\" on the host is another device", what,
				 device->path);
	late = compiler_add_late(compiler);
	late->kind = PLAN_MOUNT_TREE;
	late->is_file = true;
	late->what = plan_add_string(compiler->plan, what);
	late->destination = plan_add_string(compiler->plan, device->path);
	late->source = late->destination;
	late->fd = compiler_open_source(compiler, device->path, what, &options, err);
	return late->fd < 0 ? -1 : 0;
}

static bool is_listed(const struct spec *spec, const char *path)
{
	size_t i;

	for (i = 0; i < spec->linux_.devices_count; i++)
		if (strcmp(spec->linux_.devices[i].path, path) == 0)
			return true;
	return false;
}

int compiler_add_devices(struct compiler *compiler, bool setup_dev, struct error *err)
{
	const struct spec *spec = compiler->request->spec;
	const struct spec_linux *linux_ = &spec->linux_;
	bool made_nodes = nodes_can_be_made(spec);
	size_t count = linux_->devices_count + ARRAY_SIZE(default_devices), used = 0, i;
	cleanup_free struct plan_device *devices = calloc(count, sizeof(*devices));
	struct plan_list list;
	char what[48];

	if (!devices)
		return error_errno(err, ENOMEM, "linux.devices");
	for (i = 0; i < count; i++) {
		bool own = i < linux_->devices_count;
		const struct default_device *standard =
		    &default_devices[own ? 0 : i - linux_->devices_count];
		const struct spec_device made = {.path = (char *)standard->path,
						 .type = 'c',
						 .major = standard->major,
						 .minor = standard->minor};
		const struct spec_device *device = own ? &linux_->devices[i] : &made;

		/* Every /dev has these two already, as links and mounts of the container's own
		 * terminal. */
		if (strcmp(device->path, "/dev/ptmx") == 0 ||
		    (strcmp(device->path, "/dev/console") == 0 && spec->process.terminal))
			continue;
		if (!own && (!setup_dev || is_listed(spec, device->path)))
			continue;
		snprintf(what, sizeof(what), own ? "linux.devices[%zu]" : "default device", i);
		if (!made_nodes && device->type != 'p') {
			if (bind_device(compiler, device, what, err) < 0)
				return -1;
			continue;
		}
		devices[used++] = (struct plan_device){
		    .path = plan_add_string(compiler->plan, device->path),
		    .type_mode = type_bits(device->type) |
				 (device->mode_set ? device->file_mode & 07777 : 0666),
		    .major = (uint32_t)device->major,
		    .minor = (uint32_t)device->minor,
		    .uid = device->uid,
		    .gid = device->gid,
		    /* Engines list the default devices, and a bound /dev has its own of everything.
		     */
		    .keep = !own || !setup_dev,
		};
	}
	list = plan_add_items(compiler->plan, devices, used, sizeof(*devices));
	plan_head(compiler->plan)->devices = list;
	if (setup_dev)
		plan_head(compiler->plan)->flags |= PLAN_SETUP_DEV;
	return 0;
}
