/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hierarchies there are and where they are mounted. /proc/self/cgroup lists the hierarchies,
 * /proc/self/mountinfo the mounts; a v1 mount belongs to the hierarchy whose controllers are among
 * its options.
 */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/mountinfo.h"
#include "base/path.h"
#include "base/trace.h"
#include "cgroup/internal.h"

#define PROC_FILE_MAX ((size_t)64 * 1024 * 1024)

static void cleanup_layout(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}

static void free_controllers(struct cgroup_hierarchy *hierarchy)
{
	for (char **name = hierarchy->controllers; name && *name; name++)
		free(*name);
	free(hierarchy->controllers);
	hierarchy->controllers = NULL;
}

void cgroup_hierarchy_free(struct cgroup_hierarchy *hierarchy)
{
	free(hierarchy->mount);
	free(hierarchy->own);
	free(hierarchy->label);
	free(hierarchy->delegated);
	free_controllers(hierarchy);
}

void cgroup_layout_free(struct cgroup_layout *layout)
{
	if (!layout)
		return;
	for (size_t i = 0; i < layout->count; i++)
		cgroup_hierarchy_free(&layout->hierarchies[i]);
	free(layout->hierarchies);
	if (layout->freezer_root > 0)
		close(layout->freezer_root);
	free(layout);
}

/* Splits a list at any of `separators` into a NULL-terminated array. */
static char **split(const char *list, const char *separators)
{
	size_t count = 0, capacity = 1;
	char **items;

	for (const char *c = list; *c; c++)
		capacity += strchr(separators, *c) != NULL;
	items = calloc(capacity + 1, sizeof(*items));
	while (items) {
		size_t length;

		list += strspn(list, separators);
		length = strcspn(list, separators);
		if (length == 0)
			break;
		items[count] = strndup(list, length);
		if (!items[count++]) {
			while (count > 0)
				free(items[--count]);
			free(items);
			return NULL;
		}
		list += length;
	}
	return items;
}

/* Whether `item` is one of a list that is separated by commas. */
static bool has_option(const char *list, const char *item)
{
	size_t length = strlen(item);

	for (const char *at = list; at; at = strchr(at, ',')) {
		if (*at == ',')
			at++;
		if (strncmp(at, item, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* ---- /proc/self/cgroup: "4:memory:/own", "0::/own" ---- */

static int add_hierarchy(struct cgroup_layout *layout, char *line)
{
	char *label = strchr(line, ':');
	char *own = label ? strchr(label + 1, ':') : NULL;
	struct cgroup_hierarchy *grown, *hierarchy;

	if (!own)
		return 0;
	*own++ = '\0';
	label++;
	grown = reallocarray(layout->hierarchies, layout->count + 1, sizeof(*grown));
	if (!grown)
		return -1;
	layout->hierarchies = grown;
	hierarchy = &grown[layout->count++];
	*hierarchy = (struct cgroup_hierarchy){
	    .unified = *label == '\0',
	    .own = strdup(own),
	    .label = strdup(label),
	    /* What a v2 tree has is known once its mount is. */
	    .controllers = *label ? split(label, ",") : NULL,
	};
	if (!hierarchy->own || !hierarchy->label ||
	    (!hierarchy->unified && !hierarchy->controllers))
		return -1;
	return 0;
}

static int read_hierarchies(struct cgroup_layout *layout, struct error *err)
{
	cleanup_free char *text = path_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, NULL,
						 "/proc/self/cgroup", err);
	char *rest = text, *line;

	if (!text)
		return -1;
	while ((line = strsep(&rest, "\n"))) {
		if (add_hierarchy(layout, line))
			return error_errno(err, ENOMEM, "can't read the cgroup hierarchies");
	}
	return 0;
}

/* ---- /proc/self/mountinfo ---- */

struct mount_line {
	unsigned int id, major, minor;
	char *root, *point, *type, *options, *own_options;
};

/* proc_pid_mountinfo(5): ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE OPTIONS */
static bool parse_mount(char *line, struct mount_line *mount)
{
	char *tail = strstr(line, " - ");
	char *device, *save = NULL;

	/* Only cgroup mounts are looked at closer. */
	if (!tail || strncmp(tail + 3, "cgroup", 6) != 0)
		return false;
	*tail = '\0';
	if (sscanf(line, "%u", &mount->id) != 1 || !strtok_r(line, " ", &save) ||
	    !strtok_r(NULL, " ", &save))
		return false;
	device = strtok_r(NULL, " ", &save);
	mount->root = strtok_r(NULL, " ", &save);
	mount->point = strtok_r(NULL, " ", &save);
	mount->own_options = strtok_r(NULL, " ", &save);
	if (!mount->own_options || sscanf(device, "%u:%u", &mount->major, &mount->minor) != 2)
		return false;
	mount->type = strtok_r(tail + 3, " ", &save);
	if (!strtok_r(NULL, " ", &save))
		return false;
	mount->options = strtok_r(NULL, " ", &save);
	if (!mount->options)
		return false;
	mountinfo_unescape(mount->root);
	mountinfo_unescape(mount->point);
	return true;
}

static bool belongs_to(const struct mount_line *mount, const struct cgroup_hierarchy *hierarchy)
{
	if (hierarchy->unified)
		return strcmp(mount->type, "cgroup2") == 0;
	return strcmp(mount->type, "cgroup") == 0 && hierarchy->controllers[0] &&
	       has_option(mount->options, hierarchy->controllers[0]);
}

/* How well a mount serves: the usual place before others, since LXC looks nowhere else; the
 * hierarchy's root before a part of it. */
static int rank(const struct mount_line *mount)
{
	bool usual = strcmp(mount->point, "/sys/fs/cgroup") == 0 ||
		     strncmp(mount->point, "/sys/fs/cgroup/", 15) == 0;

	return 1 + (usual ? 2 : 0) + (strcmp(mount->root, "/") == 0 ? 1 : 0);
}

/* 1: it is; 0: a mount may be covered by a later one, and then is in the list but not to be
 * reached; -1: that can't be told (errno). */
static int is_reachable(const struct mount_line *mount)
{
	/* What is found through a link is another mount, which is in the list, too. */
	cleanup_close int fd =
	    kernel_openat2(AT_FDCWD, mount->point, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	struct statx found;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP
			   ? 0
			   : -1;
	/* One of the same hierarchy has the same device. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) == 0 &&
	    (found.stx_mask & STATX_MNT_ID) && found.stx_mnt_id != mount->id)
		return 0;
	return st.st_dev == makedev(mount->major, mount->minor);
}

/* Of a mount of a part of the hierarchy, the rest is not seen: the own cgroup is told from there.
 */
static void cut_own(struct cgroup_hierarchy *hierarchy, const char *root)
{
	size_t length = strlen(root);
	char *own = hierarchy->own;

	if (length < 2 || strncmp(own, root, length) != 0)
		return;
	if (own[length] == '/')
		memmove(own, own + length, strlen(own + length) + 1);
	else if (own[length] == '\0')
		strcpy(own, "/");
}

static int read_mounts(struct cgroup_layout *layout, struct error *err)
{
	cleanup_free char *text = path_read_file(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX,
						 NULL, "/proc/self/mountinfo", err);
	cleanup_free int *ranks = calloc(layout->count + 1, sizeof(*ranks));
	cleanup_free char **roots = calloc(layout->count + 1, sizeof(*roots));
	char *rest = text, *line;

	if (!text)
		return -1;
	if (!ranks || !roots)
		return error_errno(err, ENOMEM, "can't read the cgroup mounts");
	while ((line = strsep(&rest, "\n"))) {
		struct mount_line mount;

		if (!parse_mount(line, &mount))
			continue;
		for (size_t i = 0; i < layout->count; i++) {
			struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
			int reachable;
			char *point;

			if (!belongs_to(&mount, hierarchy) || rank(&mount) <= ranks[i])
				continue;
			reachable = is_reachable(&mount);
			if (reachable < 0)
				return error_errno(err, errno, "can't look at %s", mount.point);
			if (!reachable)
				continue;
			point = strdup(mount.point);
			if (!point)
				return error_errno(err, ENOMEM, "can't read the cgroup mounts");
			free(hierarchy->mount);
			hierarchy->mount = point;
			hierarchy->read_only =
			    has_option(mount.own_options, "ro") || has_option(mount.options, "ro");
			ranks[i] = rank(&mount);
			roots[i] = mount.root;
		}
	}
	for (size_t i = 0; i < layout->count; i++) {
		if (roots[i])
			cut_own(&layout->hierarchies[i], roots[i]);
	}
	return 0;
}

/* ---- the whole ---- */

int cgroup_read_controllers(struct cgroup_hierarchy *hierarchy, const char *path, struct error *err)
{
	cleanup_close int dir = cgroup_open(hierarchy, path);
	const char *below = strcmp(path, "/") == 0 ? "" : path;
	char text[4096];

	if (dir < 0 || cgroup_read_file(dir, "cgroup.controllers", text, sizeof(text)))
		return error_errno(err, errno, "can't read %s%s/cgroup.controllers",
				   hierarchy->mount, below);
	free_controllers(hierarchy);
	hierarchy->controllers = split(text, " \n");
	return hierarchy->controllers
		   ? 0
		   : error_errno(err, ENOMEM, "can't read %s%s/cgroup.controllers",
				 hierarchy->mount, below);
}

/* Puts what is mounted first, in its order, and forgets the rest. */
static void drop_unmounted(struct cgroup_layout *layout)
{
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++) {
		struct cgroup_hierarchy hierarchy = layout->hierarchies[i];

		if (!hierarchy.mount)
			continue;
		layout->hierarchies[i] = layout->hierarchies[kept];
		layout->hierarchies[kept++] = hierarchy;
	}
	for (size_t i = kept; i < layout->count; i++)
		cgroup_hierarchy_free(&layout->hierarchies[i]);
	layout->count = kept;
}

struct cgroup_layout *cgroup_detect(struct error *err)
{
	cleanup_with(cleanup_layout) struct cgroup_layout *layout = calloc(1, sizeof(*layout));
	bool v1 = false, v2 = false;

	trace_step("find the cgroup hierarchies");
	if (!layout) {
		error_errno(err, ENOMEM, "can't find the cgroup hierarchies");
		return NULL;
	}
	if (read_hierarchies(layout, err) || read_mounts(layout, err))
		return NULL;
	drop_unmounted(layout);
	for (size_t i = 0; i < layout->count; i++) {
		struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (hierarchy->unified) {
			v2 = true;
			if (cgroup_read_controllers(hierarchy, "/", err))
				return NULL;
		} else {
			v1 = true;
		}
	}
	if (!v1 && !v2) {
		error_set(err, "no cgroup hierarchy is mounted");
		return NULL;
	}
	layout->mode = !v1 ? CGROUP_UNIFIED : v2 ? CGROUP_HYBRID : CGROUP_LEGACY;
	return PTR_TAKE(layout);
}

const struct cgroup_hierarchy *cgroup_find(const struct cgroup_layout *layout,
					   const char *controller)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (hierarchy->unified && *controller == '\0')
			return hierarchy;
		for (char **name = hierarchy->controllers; name && *name; name++) {
			if (strcmp(*name, controller) == 0)
				return hierarchy;
		}
	}
	return NULL;
}
