/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of config.json's mounts LXC makes (lxc.mount.entry), and which init does ("late" mounts,
 * see init/mounts.c). LXC can't, or can't safely, do
 *
 *  - a devpts on /dev/pts: with no pts of its own asked for, LXC unmounts what is there;
 *  - a bind mount with nosuid, nodev or noexec and without ro: it skips the remount, the flags are
 * lost;
 *  - the recursive options, nosymfollow, tmpcopyup, remount, a type of cgroup, propagation other
 * than private (which is the rule: init makes all of LXC's mounts private first);
 *  - a destination below an earlier bind mount, or below a file system that brings its contents
 * along: where its symlinks lead is not known beforehand, and LXC would make the target through
 * them, on the host;
 *  - options of a file system, but for a tmpfs's NAME=VALUE: others it drops without a word;
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

/* LXC reads entries back with getmntent_r() into a buffer of PATH_MAX bytes. */
#define ENTRY_MAX 3500

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return length == 0 || (strncmp(path, directory, length) == 0 &&
			       (path[length] == '/' || path[length] == '\0'));
}

static bool pid_namespace_is_new(const struct spec *spec)
{
	const struct spec_namespace *pid = &spec->linux_.namespaces[SPEC_NS_PID];

	return pid->listed && !pid->path;
}

/* "//dev/./pts/" → "dev/pts". ".." can't lead above the root. */
static char *clean(struct arena *arena, const char *path)
{
	char *out = arena_alloc(arena, strlen(path) + 2, 1), *end = out;

	while (out && *path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (end > out && *--end != '/')
				;
			*end = '\0';
		} else if (length && !(length == 1 && path[0] == '.')) {
			if (end > out)
				*end++ = '/';
			memcpy(end, path, length);
			end += length;
			*end = '\0';
		}
		path += length;
		path += strspn(path, "/");
	}
	return out;
}

struct plan_mount *compiler_add_late(struct compiler *compiler)
{
	struct plan_mount *mount = &compiler->late[compiler->late_count++];

	mount->fd = -1;
	return mount;
}

/* ---- where a mount goes ---- */

/*
 * Finds a destination's place in the root without following a symlink twice: *known is false where
 * it can't be known before the earlier mounts are made.
 */
static int place(struct compiler *compiler, const char *destination, const char *what,
		 const char **path, bool *known, bool *symlink, struct error *err)
{
	struct arena *arena = &compiler->recipe->arena;
	int root = compiler->request->rootfs_fd;
	char *lexical = clean(arena, destination);
	bool covered = false;
	size_t i;
	int fd;

	*known = true;
	*symlink = false;
	*path = NULL;
	if (!lexical)
		return error_errno(err, ENOMEM, "%s.destination", what);
	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] && is_below(lexical, compiler->targets[i].path)) {
			/* What is there is what those mounts bring: nothing yet, or their source's
			 * affair. */
			covered = true;
			*known = *known && !compiler->targets[i].foreign;
		}
	if (covered) {
		*path = lexical;
		return 0;
	}

	fd = kernel_openat2(root, lexical[0] ? lexical : ".", O_PATH, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd >= 0 || errno == ENOENT) {
		fd_close(fd);
		*path = lexical;
		return 0;
	}
	if (errno != ELOOP)
		return error_errno(err, errno,
				   "%s.destination: Failed to look for \"%s\" in the root", what,
				   destination);
	*symlink = true;
	{
		cleanup_free char *resolved = path_resolve_in_root(root, lexical, NULL, err);

		if (!resolved)
			return error_prefix(err, "%s.destination: \"%s\"", what, destination);
		*path = arena_strdup(arena, resolved);
	}
	if (!*path)
		return error_errno(err, ENOMEM, "%s.destination", what);
	/* The symlink may lead onto an earlier mount, past which it was resolved in what that
	 * covers. */
	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] && is_below(*path, compiler->targets[i].path))
			*known = false;
	return 0;
}

static bool overlaps_late(const struct compiler *compiler, const char *path)
{
	size_t i;

	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].late && (is_below(path, compiler->targets[i].path) ||
						  is_below(compiler->targets[i].path, path)))
			return true;
	return false;
}

static bool below_a_new_mount(const struct compiler *compiler, const char *path)
{
	size_t i;

	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] && strcmp(path, compiler->targets[i].path) != 0 &&
		    is_below(path, compiler->targets[i].path))
			return true;
	return false;
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

/* File systems in which there is nothing, or only what the kernel put there. */
static bool is_of_the_kernel(const char *type)
{
	static const char *const types[] = {
	    "tmpfs",   "ramfs", "proc",	   "sysfs",   "mqueue",	    "devpts",	"cgroup",
	    "cgroup2", "bpf",	"debugfs", "tracefs", "securityfs", "configfs", "hugetlbfs"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
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

static bool lxc_can_mount(const struct spec_mount *mount, const struct mount_options *options,
			  const char *path)
{
	const char *type = mount->type ? mount->type : "";

	if (options->attr_rec_set || options->attr_rec_clear || options->copy_up ||
	    options->remount || options->attr_set & MOUNT_ATTR_NOSYMFOLLOW ||
	    is_lxc_word(options->data))
		return false;
	if (options->propagation & ~(uint32_t)(MS_PRIVATE | MS_REC))
		return false;
	if (options->bind)
		return !(options->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY) &&
		       !(options->attr_clear & ~(uint64_t)MOUNT_ATTR_RDONLY);
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
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

/* ---- init's mounts ---- */

int compiler_open_source(struct compiler *compiler, const char *source, const char *what,
			 const struct mount_options *options, struct error *err)
{
	cleanup_close int tree = -1;
	struct mount_attr attr = {.attr_set = options->attr_set, .attr_clr = options->attr_clear};
	struct mount_attr below = {.attr_set = options->attr_rec_set,
				   .attr_clr = options->attr_rec_clear};

	tree = kernel_open_tree(AT_FDCWD, source,
				OPEN_TREE_CLONE | (options->recursive ? AT_RECURSIVE : 0));
	if (tree < 0)
		return error_errno(err, errno, "%s.source: Failed to open \"%s\"", what, source);
	if ((attr.attr_set || attr.attr_clr) &&
	    kernel_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return error_errno(err, errno, "%s.options: Failed to set them on \"%s\"", what,
				   source);
	if ((below.attr_set || below.attr_clr) &&
	    kernel_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &below) < 0)
		return error_errno(err, errno,
				   "%s.options: Failed to set them recursively on \"%s\"", what,
				   source);
	return lxc_recipe_keep_fd(compiler->recipe, fd_take(&tree), compiler->request->lowest_fd,
				  err);
}

static int add_late_mount(struct compiler *compiler, const struct spec_mount *mount,
			  const char *what, const struct mount_options *options, const char *source,
			  bool is_file, bool no_symlink, struct error *err)
{
	struct plan_mount *late = compiler_add_late(compiler);
	const char *type = mount->type ? mount->type : "";

	late->is_file = is_file;
	late->copy_up = options->copy_up;
	late->no_symlink = no_symlink;
	late->propagation = options->propagation;
	late->what = plan_add_string(compiler->plan, what);
	late->destination = plan_add_string(compiler->plan, mount->destination);
	late->type = plan_add_string(compiler->plan, type);
	late->source = plan_add_string(compiler->plan, source);
	if (options->remount) {
		late->kind = PLAN_MOUNT_REMOUNT;
	} else if (options->bind) {
		late->kind = PLAN_MOUNT_TREE;
		late->fd = compiler_open_source(compiler, source, what, options, err);
		return late->fd < 0 ? -1 : 0; /* the options are set on the tree */
	} else if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
		late->kind = PLAN_MOUNT_CGROUP;
	} else {
		late->kind = PLAN_MOUNT_NEW;
		late->data = plan_add_string(compiler->plan, options->data);
		/* A disk's file system must be told before it reads its journal. */
		late->sb_readonly =
		    options->attr_set & MOUNT_ATTR_RDONLY && source && source[0] == '/';
	}
	late->attr_set = options->attr_set;
	late->attr_clear = options->attr_clear;
	late->attr_rec_set = options->attr_rec_set;
	late->attr_rec_clear = options->attr_rec_clear;
	return 0;
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

static int compile_mount(struct compiler *compiler, size_t index, struct error *err)
{
	const struct spec_mount *mount = &compiler->request->spec->mounts[index];
	const char *type = mount->type ? mount->type : "", *source, *path, *create = NULL;
	bool known, symlink, is_file = false, late;
	struct mount_options options;
	struct target *target;
	char what[32];
	bool kernel_fs = strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;

	snprintf(what, sizeof(what), "mounts[%zu]", index);
	if (mount_options_parse(mount, what, &compiler->recipe->arena, &options, err) < 0)
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
	if (place(compiler, mount->destination, what, &path, &known, &symlink, err) < 0)
		return -1;
	if (symlink && kernel_fs && known) /* CVE-2019-19921 */
		return error_set(err,
				 "%s.destination: \"%s\" is a symlink in the root; a %s must be "
				 "mounted on an ordinary directory",
				 what, mount->destination, type);
	/* The root itself is a place for init alone: LXC mounts it before everything else. */
	late = !known || !path[0] || !lxc_can_mount(mount, &options, path) ||
	       overlaps_late(compiler, path) ||
	       entry_length(mount, &options, source, path) > ENTRY_MAX;

	if (late) {
		if (add_late_mount(compiler, mount, what, &options, source, is_file, kernel_fs,
				   err) < 0)
			return -1;
	} else {
		/* In the root we make the target, safely; in a new file system there is nothing
		 * that LXC could be led astray by, and no target before it is mounted. */
		if (below_a_new_mount(compiler, path))
			create = is_file ? "file" : "dir";
		else if (make_target(compiler, path, !is_file, what, mount->destination, err) < 0)
			return -1;
		if (add_entry(compiler, mount, what, &options, source, path, create, err) < 0)
			return -1;
		if (strcmp(path, "proc") == 0)
			compiler->have_proc = !options.bind && strcmp(type, "proc") == 0;
	}
	target = &compiler->targets[compiler->targets_count++];
	target->path = path;
	target->late = late;
	target->bind = options.bind;
	target->foreign = options.bind || !is_of_the_kernel(type);
	return 0;
}

/*
 * init is executed through /proc, and LXC insists on one whose /proc/self is 1: a container that
 * shares a pid namespace would lose its own (LXC unmounts what it takes for the wrong one, and its
 * replacement again before it executes). So one more is stacked for LXC to take off; and where the
 * container has no /proc at all, one for init, which takes it off itself.
 */
static int add_proc_for_init(struct compiler *compiler, struct error *err)
{
	const struct lxc_request *request = compiler->request;
	int extra = pid_namespace_is_new(request->spec) ? 0 : 1;

	if (!compiler->have_proc) {
		struct stat st;

		if (fstatat(request->rootfs_fd, "proc", &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (make_target(compiler, "proc", true, "root.path", "/proc", err) < 0)
				return -1;
			compiler->recipe->made_proc = true;
		} else if (!S_ISDIR(st.st_mode)) {
			return error_set(err, "root.path: \"/proc\" in it is not a directory");
		}
		plan_head(compiler->plan)->flags |= PLAN_HIDE_PROC;
		extra++;
	}
	for (; extra > 0; extra--)
		if (lxc_recipe_add(compiler->recipe, "lxc.mount.entry",
				   "proc proc proc nosuid,nodev,noexec 0 0", err) < 0)
			return -1;
	return 0;
}

/* ---- all of them ---- */

static void compile_cgroup_names(struct compiler *compiler)
{
	const struct cgroup_layout *layout = compiler->request->layout;
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
	size_t i;

	if (!targets || !late)
		return error_errno(err, ENOMEM, "mounts");
	for (i = 0; i < spec->mounts_count; i++)
		if (compile_mount(&compiler, i, err) < 0)
			return -1;
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
