/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/mount_options.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"

enum kind { ATTR, RECURSIVE, PROPAGATION, BIND, REMOUNT, COPY_UP, IDMAP, NOTHING };

static const struct option {
	const char *name;
	enum kind kind;
	uint64_t set, clear;
} table[] = {
    {"defaults", NOTHING, 0, 0},
    {"loud", NOTHING, 0, 0},
    {"silent", NOTHING, 0, 0},
    /* mount(2)'s alone. Linux has counted the versions wherever a file system can since 6.1. */
    {"iversion", NOTHING, 0, 0},
    {"noiversion", NOTHING, 0, 0},
    {"ro", ATTR, MOUNT_ATTR_RDONLY, 0},
    {"rw", ATTR, 0, MOUNT_ATTR_RDONLY},
    {"nosuid", ATTR, MOUNT_ATTR_NOSUID, 0},
    {"suid", ATTR, 0, MOUNT_ATTR_NOSUID},
    {"nodev", ATTR, MOUNT_ATTR_NODEV, 0},
    {"dev", ATTR, 0, MOUNT_ATTR_NODEV},
    {"noexec", ATTR, MOUNT_ATTR_NOEXEC, 0},
    {"exec", ATTR, 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", ATTR, MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", ATTR, 0, MOUNT_ATTR_NODIRATIME},
    /* One field of the kernel's: relatime is its zero, so setting it is clearing the others. */
    {"noatime", ATTR, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", ATTR, 0, MOUNT_ATTR__ATIME},
    {"relatime", ATTR, 0, MOUNT_ATTR__ATIME},
    {"norelatime", ATTR, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"strictatime", ATTR, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", ATTR, 0, MOUNT_ATTR__ATIME},
    {"rro", RECURSIVE, MOUNT_ATTR_RDONLY, 0},
    {"rrw", RECURSIVE, 0, MOUNT_ATTR_RDONLY},
    {"rnosuid", RECURSIVE, MOUNT_ATTR_NOSUID, 0},
    {"rsuid", RECURSIVE, 0, MOUNT_ATTR_NOSUID},
    {"rnodev", RECURSIVE, MOUNT_ATTR_NODEV, 0},
    {"rdev", RECURSIVE, 0, MOUNT_ATTR_NODEV},
    {"rnoexec", RECURSIVE, MOUNT_ATTR_NOEXEC, 0},
    {"rexec", RECURSIVE, 0, MOUNT_ATTR_NOEXEC},
    {"rnosymfollow", RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"rsymfollow", RECURSIVE, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"rnodiratime", RECURSIVE, MOUNT_ATTR_NODIRATIME, 0},
    {"rdiratime", RECURSIVE, 0, MOUNT_ATTR_NODIRATIME},
    {"rnoatime", RECURSIVE, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"ratime", RECURSIVE, 0, MOUNT_ATTR__ATIME},
    {"rrelatime", RECURSIVE, 0, MOUNT_ATTR__ATIME},
    {"rnorelatime", RECURSIVE, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"rstrictatime", RECURSIVE, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"rnostrictatime", RECURSIVE, 0, MOUNT_ATTR__ATIME},
    {"shared", PROPAGATION, MS_SHARED, 0},
    {"rshared", PROPAGATION, MS_SHARED | MS_REC, 0},
    {"slave", PROPAGATION, MS_SLAVE, 0},
    {"rslave", PROPAGATION, MS_SLAVE | MS_REC, 0},
    {"private", PROPAGATION, MS_PRIVATE, 0},
    {"rprivate", PROPAGATION, MS_PRIVATE | MS_REC, 0},
    {"unbindable", PROPAGATION, MS_UNBINDABLE, 0},
    {"runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC, 0},
    {"bind", BIND, 0, 0},
    {"rbind", BIND, 1, 0},
    {"remount", REMOUNT, 0, 0},
    {"tmpcopyup", COPY_UP, 0, 0},
    {"idmap", IDMAP, 0, 0},
    {"ridmap", IDMAP, 1, 0},
};

/* They belong to a file system's own superblock, and the kernel reads them itself. */
static const char *const of_superblock[] = {"async",	  "dirsync", "lazytime", "mand",
					    "nolazytime", "nomand",  "sync"};

static bool is_of_superblock(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_superblock); i++)
		if (strcmp(name, of_superblock[i]) == 0)
			return true;
	return false;
}

const char *const *mount_options_known(void)
{
	static const char *names[ARRAY_SIZE(table) + ARRAY_SIZE(of_superblock) + 1];
	size_t i, count = 0;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		names[count++] = table[i].name;
	for (i = 0; i < ARRAY_SIZE(of_superblock); i++)
		names[count++] = of_superblock[i];
	return names;
}

static void apply(const struct option *option, struct mount_options *options)
{
	switch (option->kind) {
	case ATTR:
		/* The last word counts, as with mount(8). */
		options->attr_set = (options->attr_set & ~option->clear) | option->set;
		options->attr_clear = (options->attr_clear & ~option->set) | option->clear;
		break;
	case RECURSIVE:
		options->attr_rec_set = (options->attr_rec_set & ~option->clear) | option->set;
		options->attr_rec_clear = (options->attr_rec_clear & ~option->set) | option->clear;
		break;
	case PROPAGATION:
		options->propagation = (uint32_t)option->set;
		break;
	case BIND:
		options->bind = true;
		options->recursive = options->recursive || option->set;
		break;
	case REMOUNT:
		options->remount = true;
		break;
	case COPY_UP:
		options->copy_up = true;
		break;
	case IDMAP:
		/* The last one counts, as in runc. */
		options->idmap = true;
		options->idmap_recursive = option->set;
		break;
	case NOTHING:
		break;
	}
}

/* What nobody would read, as mount(2) doesn't either; runc's rule for a bind mount. But "z" and "Z"
 * are buildah's own, which has set the labels. */
static bool is_lost(const char *name)
{
	return !is_of_superblock(name) && strcmp(name, "z") != 0 && strcmp(name, "Z") != 0;
}

int mount_options_parse(const struct spec_mount *mount, const char *what, struct arena *arena,
			struct mount_options *options, struct error *err)
{
	size_t i, k, first = mount->options.count;

	memset(options, 0, sizeof(*options));
	for (i = 0; i < mount->options.count; i++) {
		const char *name = mount->options.items[i];

		for (k = 0; k < ARRAY_SIZE(table); k++)
			if (strcmp(name, table[k].name) == 0)
				break;
		if (k < ARRAY_SIZE(table)) {
			apply(&table[k], options);
			continue;
		}
		if (!*name)
			continue;
		options->data = options->data ? arena_printf(arena, "%s,%s", options->data, name)
					      : arena_strdup(arena, name);
		if (!options->data)
			return error_errno(err, ENOMEM, "%s.options[%zu]", what, i);
		if (first == mount->options.count && is_lost(name))
			first = i;
	}
	if (mount->type && strcmp(mount->type, "bind") == 0)
		options->bind = true;
	if (first < mount->options.count && !options->remount &&
	    (options->bind || (mount->type && strncmp(mount->type, "cgroup", 6) == 0)))
		return error_set(err, "%s.options[%zu]: \"%s\" is not an option of a %s", what,
				 first, mount->options.items[first],
				 options->bind ? "bind mount" : "cgroup mount");
	if (options->copy_up && (!mount->type || strcmp(mount->type, "tmpfs") != 0))
		return error_set(err, "%s.options: tmpcopyup is for a tmpfs, not for \"%s\"", what,
				 mount->type ? mount->type : "");
	return 0;
}
