/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems that are made from what is on the host: an overlay of its directories, a disk of
 * its. In the container, where init makes the others, those names would mean something else; so
 * they are made here, and init attaches them.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file_system.h"
#include "base/kernel.h"
#include "lxc/compiler.h"
#include "lxc/mount_label.h"

bool compiler_has_host_source(const char *type, const char *source)
{
	struct stat st;

	if (strcmp(type, "overlay") == 0)
		return true;
	return source && source[0] == '/' && stat(source, &st) == 0 && S_ISBLK(st.st_mode);
}

int compiler_make_from_host(struct compiler *compiler, const struct late_request *request,
			    struct error *err)
{
	const struct mount_options *options = request->options;
	const char *type = request->mount->type, *source = request->source;
	const char *label = mount_label_applies(type) ? compiler->recipe->mount_label : NULL;
	cleanup_close int fs = kernel_fsopen(type), tree = -1;

	if (fs >= 0 &&
	    (!source || kernel_fsconfig(fs, FSCONFIG_SET_STRING, "source", source) == 0) &&
	    /* A disk's file system must be told before it reads its journal. */
	    (!(options->attr_set & MOUNT_ATTR_RDONLY) ||
	     kernel_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL) == 0) &&
	    (!options->data || file_system_configure(fs, options->data) == 0) &&
	    (!label || kernel_fsconfig(fs, FSCONFIG_SET_STRING, "context", label) == 0) &&
	    kernel_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
		tree = kernel_fsmount(fs, (unsigned int)options->attr_set);
	if (tree < 0)
		return error_errno(err, errno, "%s: Failed to make a %s for \"%s\"%s%s",
				   request->what, type, request->mount->destination,
				   label ? " with linux.mountLabel " : "", label ? label : "");
	return lxc_recipe_keep_fd(compiler->recipe, fd_take(&tree), compiler->request->lowest_fd,
				  err);
}
