/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that are left to init: what it is told of them, and the sources that it can't open. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/procfs.h"
#include "lxc/compiler.h"
#include "lxc/mount_label.h"

struct plan_mount *compiler_add_late(struct compiler *compiler)
{
	struct plan_mount *mount = &compiler->late[compiler->late_count++];

	mount->fd = -1;
	return mount;
}

static int set_attributes(int tree, const struct mount_attr *attributes, unsigned int flags)
{
	struct mount_attr attr = *attributes;

	return kernel_mount_setattr(tree, "", AT_EMPTY_PATH | flags, &attr);
}

/* What a bind mount was asked to be, or is by the root's propagation (config.md, rootfsPropagation
 * "rslave": as runc has it, everything that says nothing itself hears of the host's mounts). */
static uint32_t propagation_of(const struct compiler *compiler, const struct mount_options *options)
{
	const char *root = compiler->request->spec->linux_.rootfs_propagation;

	if (options->propagation)
		return options->propagation;
	return root && strcmp(root, "rslave") == 0 ? MS_SLAVE | MS_REC : MS_PRIVATE | MS_REC;
}

/*
 * A clone of a shared mount is its peer: what is mounted on the one appears on the other, on the
 * host, too. So it is cut off at once, unless the mount asks for just that.
 */
static int set_propagation(const struct compiler *compiler, int source, int tree,
			   const struct mount_options *options)
{
	uint32_t asked = propagation_of(compiler, options), kind = asked & ~(uint32_t)MS_REC;
	bool joined = kind == MS_SHARED || kind == MS_SLAVE;
	bool all = asked & MS_REC || !options->recursive;
	cleanup_close int top = -1;

	if (set_attributes(tree,
			   &(struct mount_attr){.propagation = joined && all ? kind : MS_PRIVATE},
			   AT_RECURSIVE) < 0)
		return -1;
	if (!joined || all)
		return 0;
	/* Only the topmost one, of which a second clone still knows the peers. On a host where it
	 * has none there is nothing to join. */
	top = kernel_open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	if (top < 0 || (kernel_join_peers(top, tree) < 0 && errno != EINVAL))
		return -1;
	return set_attributes(tree, &(struct mount_attr){.propagation = kind}, 0);
}

int compiler_open_source(struct compiler *compiler, const char *source, const char *what,
			 const struct mount_options *options, struct error *err)
{
	const struct mount_attr top = {.attr_set = options->attr_set,
				       .attr_clr = options->attr_clear};
	const struct mount_attr all = {.attr_set = options->attr_rec_set,
				       .attr_clr = options->attr_rec_clear};
	cleanup_close int place = -1, tree = -1;

	/* Looked up once: a path that leads elsewhere from one call to the next changes nothing. */
	place = kernel_open_tree(AT_FDCWD, source, 0);
	if (place >= 0)
		tree = kernel_open_tree(place, "",
					AT_EMPTY_PATH | OPEN_TREE_CLONE |
					    (options->recursive ? AT_RECURSIVE : 0));
	if (tree < 0)
		return error_errno(err, errno, "%s.source: Failed to open \"%s\"", what, source);
	if (set_propagation(compiler, place, tree, options) < 0)
		return error_errno(err, errno,
				   "%s.options: Failed to set the propagation of \"%s\"", what,
				   source);
	if ((top.attr_set || top.attr_clr) && set_attributes(tree, &top, 0) < 0)
		return error_errno(err, errno, "%s.options: Failed to set them on \"%s\"", what,
				   source);
	if ((all.attr_set || all.attr_clr) && set_attributes(tree, &all, AT_RECURSIVE) < 0)
		return error_errno(err, errno,
				   "%s.options: Failed to set them recursively on \"%s\"", what,
				   source);
	return lxc_recipe_keep_fd(compiler->recipe, fd_take(&tree), compiler->request->lowest_fd,
				  err);
}

/*
 * The options of a file system are one for all of its mounts. They may be changed where the
 * container has one of its own, not where the host's would be changed along.
 */
static bool is_its_own(const struct target *target)
{
	return target && !target->bind && target->type &&
	       (strcmp(target->type, "tmpfs") == 0 || strcmp(target->type, "devpts") == 0 ||
		strcmp(target->type, "proc") == 0);
}

static int check_remount(const struct compiler *compiler, const struct late_request *request,
			 struct error *err)
{
	const struct place *place = request->place;

	if (!request->options->data || (!request->options->bind && !place->symlink &&
					is_its_own(compiler_target_at(compiler, place->path))))
		return 0;
	return error_set(err,
			 "%s.options: \"%s\" can't be changed: what is mounted on \"%s\" is not a "
			 "file system of the container's own",
			 request->what, request->options->data, request->mount->destination);
}

bool compiler_is_read_only_last(const struct mount_options *options, const char *type)
{
	return options->attr_set & MOUNT_ATTR_RDONLY && !options->bind && !options->remount &&
	       strcmp(type, "tmpfs") == 0;
}

int compiler_add_late_mount(struct compiler *compiler, const struct late_request *request,
			    struct error *err)
{
	const struct mount_options *options = request->options;
	const struct place *place = request->place;
	const char *type = request->mount->type ? request->mount->type : "";
	struct plan_mount *late = compiler_add_late(compiler);

	late->is_file = request->is_file;
	late->copy_up = options->copy_up;
	late->no_symlink = request->no_symlink || place->proc;
	late->propagation = options->propagation;
	late->proc = place->proc;
	late->what = plan_add_string(compiler->plan, request->what);
	/* In /proc as it was checked: ".." behind a symlink would lead elsewhere. */
	late->destination =
	    plan_add_string(compiler->plan, place->proc ? arena_printf(&compiler->recipe->arena,
								       "/%s", place->lexical)
							: request->mount->destination);
	late->type = plan_add_string(compiler->plan, type);
	late->source = plan_add_string(compiler->plan, request->source);
	if (options->remount) {
		if (check_remount(compiler, request, err) < 0)
			return -1;
		late->kind = PLAN_MOUNT_REMOUNT;
		late->no_symlink |= options->data != NULL;
		late->data = plan_add_string(compiler->plan, options->data);
	} else if (options->bind) {
		late->kind = PLAN_MOUNT_TREE;
		late->fd =
		    compiler_open_source(compiler, request->source, request->what, options, err);
		if (late->fd >= 0 && place->proc == PLAN_PROC_ROOT && !procfs_is_root(late->fd))
			return error_set(err,
					 "%s.destination: \"%s\" cannot be mounted because it is "
					 "not of type proc",
					 request->what, request->mount->destination);
		/* The options are set on the tree. */
		return late->fd < 0 ? -1 : compiler_map_tree(compiler, request, late->fd, err);
	} else if (compiler_makes_sysfs(compiler, type)) {
		late->kind = PLAN_MOUNT_TREE;
		late->fd = compiler_make_sysfs(compiler, request->what, options, err);
		return late->fd < 0 ? -1 : 0; /* made with its options */
	} else if (compiler_has_host_source(type, request->source) && !options->copy_up) {
		late->kind = PLAN_MOUNT_TREE;
		late->fd = compiler_make_from_host(compiler, request, err);
		if (late->fd < 0)
			return -1;
		late->attr_rec_set = options->attr_rec_set;
		late->attr_rec_clear = options->attr_rec_clear;
		return 0;
	} else if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
		late->kind = PLAN_MOUNT_CGROUP;
	} else {
		late->kind = PLAN_MOUNT_NEW;
		late->read_only_last = compiler_is_read_only_last(options, type);
		late->labelled = compiler->recipe->mount_label && mount_label_applies(type);
		late->data = plan_add_string(compiler->plan, options->data);
		/* A disk's file system must be told before it reads its journal. */
		late->sb_readonly = options->attr_set & MOUNT_ATTR_RDONLY && request->source &&
				    request->source[0] == '/';
	}
	late->attr_set = options->attr_set;
	late->attr_clear = options->attr_clear;
	late->attr_rec_set = options->attr_rec_set;
	late->attr_rec_clear = options->attr_rec_clear;
	return 0;
}
