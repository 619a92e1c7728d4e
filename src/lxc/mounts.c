/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of config.json's mounts LXC makes (lxc.mount.entry), and which init does ("late" mounts,
 * see init/mounts.c). LXC can't, or can't safely, do
 *
 *  - a devpts on /dev/pts: with no pts of its own asked for, LXC unmounts what is there;
 *  - a bind mount with nosuid, nodev or noexec and without ro: it skips the remount, the flags are
 * lost;
 *  - a bind mount of what the container's root can't reach (reach.c);
 *  - the recursive options, nosymfollow, tmpcopyup, idmap, remount, a type of cgroup, propagation
 * other than private (which is the rule: init makes all of LXC's mounts private first);
 *  - a bind mount on /proc, or anything in it: the descriptors are looked at (destination.c);
 *  - a destination below an earlier mount of anything but an empty new file system: where the
 * symlinks in it lead is not known beforehand (/proc/self/root: to the host), and LXC would make
 * the target through them;
 *  - a read-only tmpfs: what lies in it, /dev's nodes above all, couldn't be made any more;
 *  - options of a file system, but for a tmpfs's NAME=VALUE: others it drops without a word;
 *  - a sysfs of a network that a user namespace of the container's doesn't own (sysfs.c);
 *  - an entry longer than its line buffer, or with options that are LXC's own words.
 *
 * The order of the file is kept where it can be seen: a mount that covers or lies below an earlier
 * late mount is late, too.
 */
#include "lxc/lxc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "lxc/compiler.h"
#include "lxc/mount_options.h"
#include "lxc/user_maps.h"

/* LXC reads entries back with getmntent_r() into a buffer of PATH_MAX bytes. */
#define ENTRY_MAX 3500

static bool overlaps_late(const struct compiler *compiler, const char *path)
{
	size_t i;

	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].late &&
		    (compiler_is_below(path, compiler->targets[i].path) ||
		     compiler_is_below(compiler->targets[i].path, path)))
			return true;
	return false;
}

static bool below_a_new_mount(const struct compiler *compiler, const char *path)
{
	size_t i;

	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] && strcmp(path, compiler->targets[i].path) != 0 &&
		    compiler_is_below(path, compiler->targets[i].path))
			return true;
	return false;
}

/* As with runc, a tmpfs that says nothing of its mode has that of the directory it covers. */
static int keep_mode(const struct compiler *compiler, const char *type, const struct place *place,
		     struct mount_options *options)
{
	struct stat st;

	if (strcmp(type, "tmpfs") != 0 || options->bind || options->remount || options->copy_up ||
	    (options->data && strstr(options->data, "mode=")) || !place->known || !place->path[0] ||
	    below_a_new_mount(compiler, place->path) || compiler_target_at(compiler, place->path) ||
	    fstatat(compiler->request->rootfs_fd, place->path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 0;
	options->data = arena_printf(&compiler->recipe->arena, "%s%smode=%04o",
				     options->data ? options->data : "", options->data ? "," : "",
				     (unsigned int)(st.st_mode & 07777));
	return options->data ? 0 : -1;
}

/* ---- LXC's mounts ---- */

/* An fstab field: getmntent(3) reads these back from octal. */
static char *encode(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) * 4 + 1, 1), *end = out;

	for (; out && *text; text++) {
		if (strchr(" \t\n\\", *text))
			end += sprintf(end, "\\%03o", (unsigned char)*text);
		else
			*end++ = *text;
	}
	return out;
}

static bool is_lxc_word(const char *data)
{
	static const char *const words[] = {"optional", "relative", "create=", "idmap="};
	size_t i;

	for (i = 0; data && i < ARRAY_SIZE(words); i++)
		if (strstr(data, words[i]))
			return true;
	return false;
}

/* File systems in which there is nothing at first, no symlink above all. */
static bool is_empty_when_new(const char *type)
{
	return strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0;
}

/* Whether the root's propagation will be set on what LXC mounts, too. */
static bool root_propagates(const struct spec *spec)
{
	const char *root = spec->linux_.rootfs_propagation;

	return root && root[0] == 'r' && strcmp(root, "rprivate") != 0;
}

static bool has_bare_word(const char *data)
{
	while (*data) {
		size_t length = strcspn(data, ",");

		if (length && !memchr(data, '=', length))
			return true;
		data += length + (data[length] == ',');
	}
	return false;
}

static bool lxc_can_mount(const struct compiler *compiler, const struct spec_mount *mount,
			  const struct mount_options *options, const struct place *place)
{
	const char *type = mount->type ? mount->type : "", *path = place->path;

	if (options->attr_rec_set || options->attr_rec_clear || options->copy_up ||
	    options->remount || options->attr_set & MOUNT_ATTR_NOSYMFOLLOW ||
	    compiler_is_mapped(mount, options) || is_lxc_word(options->data) ||
	    compiler_is_read_only_last(options, type))
		return false;
	if (options->propagation & ~(uint32_t)(MS_PRIVATE | MS_REC) ||
	    (options->propagation && root_propagates(compiler->request->spec)))
		return false;
	if (place->proc == PLAN_PROC_FILE || (place->proc == PLAN_PROC_ROOT && options->bind))
		return false;
	if (options->bind)
		return !(options->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY) &&
		       !(options->attr_clear & ~(uint64_t)MOUNT_ATTR_RDONLY);
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0 ||
	    compiler_makes_sysfs(compiler, type))
		return false;
	/* LXC drops words that it doesn't know without a word of its own, and all options of the
	 * kernel's own file systems; init hears the kernel's answer. */
	if (options->data && (strcmp(type, "tmpfs") != 0 || has_bare_word(options->data)))
		return false;
	if (strcmp(type, "devpts") == 0 && strcmp(path, "dev/pts") == 0)
		return false;
	return !(mount->source && mount->source[0] == '#');
}

static int add_entry(struct compiler *compiler, const struct spec_mount *mount, const char *what,
		     const struct mount_options *options, const char *source, const char *path,
		     const char *create, struct error *err)
{
	struct arena *arena = &compiler->recipe->arena;
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {{MOUNT_ATTR_RDONLY, "ro"},
		     {MOUNT_ATTR_NOSUID, "nosuid"},
		     {MOUNT_ATTR_NODEV, "nodev"},
		     {MOUNT_ATTR_NOEXEC, "noexec"},
		     {MOUNT_ATTR_NOATIME, "noatime"},
		     {MOUNT_ATTR_STRICTATIME, "strictatime"},
		     {MOUNT_ATTR_NODIRATIME, "nodiratime"}};
	char *text = arena_strdup(arena, options->bind ? (options->recursive ? "rbind" : "bind")
						       : "defaults");
	const char *encoded_source, *encoded_path, *type, *data = NULL, *value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && text; i++)
		if (options->attr_set & names[i].bit)
			text = arena_printf(arena, "%s,%s", text, names[i].name);
	if (text && create)
		text = arena_printf(arena, "%s,create=%s", text, create);
	if (text && options->data) {
		data = encode(arena, options->data);
		text = data ? arena_printf(arena, "%s,%s", text, data) : NULL;
	}
	encoded_source = encode(arena, source && *source ? source : "none");
	encoded_path = encode(arena, path);
	type = options->bind ? "none" : encode(arena, mount->type);
	if (!text || !encoded_source || !encoded_path || !type)
		return error_errno(err, ENOMEM, "%s", what);
	value = arena_printf(arena, "%s %s %s %s 0 0", encoded_source, encoded_path, type, text);
	return lxc_recipe_add(compiler->recipe, "lxc.mount.entry", value, err);
}

static size_t entry_length(const struct spec_mount *mount, const struct mount_options *options,
			   const char *source, const char *path)
{
	/* In the worst case every byte becomes four. */
	return 4 * ((source ? strlen(source) : 4) + strlen(path) +
		    (options->data ? strlen(options->data) : 0) +
		    (mount->type ? strlen(mount->type) : 0)) +
	       128;
}

static int make_target(struct compiler *compiler, const char *path, bool directory,
		       const char *what, const char *destination, struct error *err)
{
	cleanup_close int fd = -1;

	if (!path[0])
		return 0;
	fd = path_make_in_root(compiler->request->rootfs_fd, path, directory,
			       directory ? 0755 : 0644, err);
	return fd < 0 ? error_prefix(err, "%s.destination: \"%s\"", what, destination) : 0;
}

/* ---- one mount of the file ---- */

static const char *absolute_source(struct compiler *compiler, const struct spec_mount *mount,
				   const struct mount_options *options)
{
	if (!options->bind || !mount->source || mount->source[0] == '/')
		return mount->source;
	return arena_printf(&compiler->recipe->arena, "%s/%s", compiler->request->bundle,
			    mount->source);
}

/* What is to be hidden in a procfs or sysfs, init will look for in just that, or give up. */
static void note_kernel_mount(struct compiler *compiler, const struct mount_options *options,
			      const char *type, const char *path)
{
	struct plan *plan = plan_head(compiler->plan);

	if (options->remount)
		return;
	if (!path[0])
		plan->flags &= ~(uint32_t)(PLAN_HAS_PROC | PLAN_HAS_SYS);
	else if (strcmp(path, "proc") == 0)
		plan->flags |= PLAN_HAS_PROC; /* nothing else may be mounted there */
	else if (strcmp(path, "sys") == 0 && !options->bind && strcmp(type, "sysfs") == 0)
		plan->flags |= PLAN_HAS_SYS;
	else if (strcmp(path, "sys") == 0)
		plan->flags &= ~(uint32_t)PLAN_HAS_SYS;
}

static void add_target(struct compiler *compiler, const struct mount_options *options,
		       const char *type, const char *path, bool late)
{
	const struct target *there = compiler_target_at(compiler, path);
	struct target *target = &compiler->targets[compiler->targets_count++];

	target->path = path;
	target->late = late;
	target->type = type;
	target->bind = options->bind;
	/* A remount leaves there what is there. */
	if (options->remount) {
		target->type = there ? there->type : NULL;
		target->bind = there && there->bind;
	}
	target->foreign = options->bind || !is_empty_when_new(type);
	note_kernel_mount(compiler, options, type, path);
}

static int compile_mount(struct compiler *compiler, size_t index, struct error *err)
{
	const struct spec_mount *mount = &compiler->request->spec->mounts[index];
	const char *type = mount->type ? mount->type : "", *source, *create = NULL;
	bool is_file = false, late;
	struct mount_options options;
	struct place place;
	char number[32];
	const char *what = mount->where ? mount->where : number;
	bool kernel_fs = strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;

	snprintf(number, sizeof(number), "mounts[%zu]", index);
	if (mount_options_parse(mount, what, &compiler->recipe->arena, &options, err) < 0 ||
	    compiler_check_mapping(compiler, mount, &options, what, err) < 0 ||
	    (!options.bind && user_maps_check_options(&compiler->request->spec->linux_,
						      options.data, what, err) < 0))
		return -1;
	if (!options.bind && !options.remount && !*type)
		return error_set(err, "%s.type: is missing", what);
	source = absolute_source(compiler, mount, &options);
	if (options.bind && !options.remount) {
		struct stat st;

		/* Before anything is made: a source that isn't there is the most common mistake. */
		if (!source || stat(source, &st) < 0)
			return error_errno(err, errno, "%s.source: \"%s\"", what,
					   source ? source : "");
		is_file = !S_ISDIR(st.st_mode);
	}
	if (compiler_place(compiler,
			   &(struct place_request){.destination = mount->destination,
						   .what = what,
						   .type = type,
						   .bind = options.bind,
						   .remount = options.remount},
			   &place, err) < 0)
		return -1;
	if (place.symlink && kernel_fs && place.known) /* CVE-2019-19921 */
		return error_set(err,
				 "%s.destination: \"%s\" is a symlink in the root; a %s must be "
				 "mounted on ordinary directory",
				 what, mount->destination, type);
	if (keep_mode(compiler, type, &place, &options) < 0)
		return error_errno(err, ENOMEM, "%s", what);
	/* The root itself is a place for init alone: LXC mounts it before everything else. */
	late = !place.known || !place.path[0] ||
	       !lxc_can_mount(compiler, mount, &options, &place) ||
	       (options.bind && !options.remount && !compiler_reaches(compiler, source)) ||
	       overlaps_late(compiler, place.path) ||
	       entry_length(mount, &options, source, place.path) > ENTRY_MAX;

	if (late) {
		if (compiler_add_late_mount(compiler,
					    &(struct late_request){.mount = mount,
								   .options = &options,
								   .place = &place,
								   .what = what,
								   .source = source,
								   .is_file = is_file,
								   .no_symlink = kernel_fs},
					    err) < 0)
			return -1;
	} else {
		/* In the root we make the target, safely; in a new file system there is nothing
		 * that LXC could be led astray by, and no target before it is mounted. */
		if (below_a_new_mount(compiler, place.path))
			create = is_file ? "file" : "dir";
		else if (make_target(compiler, place.path, !is_file, what, mount->destination,
				     err) < 0)
			return -1;
		if (add_entry(compiler, mount, what, &options, source, place.path, create, err) < 0)
			return -1;
		if (strcmp(place.path, "proc") == 0)
			compiler->have_proc = !options.bind && strcmp(type, "proc") == 0;
	}
	compiler->recipe->has_mqueue |= !options.bind && strcmp(type, "mqueue") == 0;
	add_target(compiler, &options, type, place.path, late);
	return 0;
}

/* init is executed through /proc: where the container has none, or will only get it from init, one
 * for init, which takes it off itself. */
static int add_proc_for_init(struct compiler *compiler, struct error *err)
{
	const struct lxc_request *request = compiler->request;
	const struct spec_namespace *all = request->spec->linux_.namespaces;
	struct stat st;

	if (compiler->have_proc)
		return 0;
	if (fstatat(request->rootfs_fd, "proc", &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (make_target(compiler, "proc", true, "root.path", "/proc", err) < 0)
			return -1;
		compiler->recipe->made_proc = true;
	} else if (!S_ISDIR(st.st_mode)) {
		return error_set(err, "root.path: \"/proc\" in it is not a directory");
	}
	plan_head(compiler->plan)->flags |= PLAN_HIDE_PROC;
	/* A user namespace that doesn't own the pid namespace may not mount it; the host's own
	 * shows the same there. */
	return lxc_recipe_add(compiler->recipe, "lxc.mount.entry",
			      all[SPEC_NS_USER].listed && !all[SPEC_NS_PID].listed
				  ? "/proc proc none rbind 0 0"
				  : "proc proc proc nosuid,nodev,noexec 0 0",
			      err);
}

/* ---- all of them ---- */

static void compile_cgroup_names(struct compiler *compiler)
{
	const struct lxc_request *request = compiler->request;
	const struct cgroup_layout *layout = request->shown ? request->shown : request->layout;
	struct plan_cgroup names[SYNC_FDS_MAX];
	size_t i, count = 0;
	struct plan_list list;

	for (i = 0; i < layout->count && count < ARRAY_SIZE(names); i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		const char *label = hierarchy->label;

		if (hierarchy->unified && layout->mode != CGROUP_UNIFIED)
			continue; /* as runc: the v2 tree of a hybrid host is not shown */
		if (strncmp(label, "name=", 5) == 0)
			label += 5;
		names[count++].name =
		    hierarchy->unified ? 0 : plan_add_string(compiler->plan, label);
	}
	list = plan_add_items(compiler->plan, names, count, sizeof(names[0]));
	plan_head(compiler->plan)->cgroups = list;
}

int lxc_compile_mounts(const struct lxc_request *request, struct lxc_recipe *recipe,
		       struct plan_buffer *plan, struct error *err)
{
	const struct spec *spec = request->spec;
	size_t most = spec->mounts_count + spec->linux_.devices_count + COMPILER_DEFAULT_DEVICES;
	cleanup_free struct target *targets = calloc(most, sizeof(*targets));
	cleanup_free struct plan_mount *late = calloc(most, sizeof(*late));
	struct compiler compiler = {
	    .request = request, .recipe = recipe, .plan = plan, .targets = targets, .late = late};
	bool setup_dev = true;
	struct plan_list list;
	plan_string label;
	struct stat st;
	size_t i;

	if (!targets || !late)
		return error_errno(err, ENOMEM, "mounts");
	/* LXC's mounts get it from the monitor, init's from the plan. */
	recipe->mount_label = spec->linux_.mount_label;
	label = plan_add_string(plan, recipe->mount_label);
	plan_head(plan)->mount_label = label;
	for (i = 0; i < spec->mounts_count; i++)
		if (compile_mount(&compiler, i, err) < 0)
			return -1;
	/* LXC opens it, too, without following symlinks. */
	if (fstatat(request->rootfs_fd, "dev", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode))
		return error_set(err, "root.path: \"/dev\" in it is not a directory");
	/* A /dev that is bound in is the user's own: nothing is made in it that wasn't asked for.
	 */
	for (i = 0; i < compiler.targets_count; i++)
		if (strcmp(targets[i].path, "dev") == 0)
			setup_dev = !targets[i].bind;
	compile_cgroup_names(&compiler);
	if (add_proc_for_init(&compiler, err) < 0 ||
	    compiler_add_devices(&compiler, setup_dev, err) < 0)
		return -1;
	list = plan_add_items(plan, late, compiler.late_count, sizeof(*late));
	plan_head(plan)->mounts = list;
	return 0;
}
