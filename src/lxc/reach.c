/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the root of a user namespace comes to a bind mount's source. LXC opens it by its path,
 * and as that; an engine's own directories (Podman 5's) let nobody but the host's root pass. Then
 * we open it, as runc does.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "lxc/compiler.h"

/* The container's root as the host sees it; false: that isn't known, or there is none. */
static bool root_of(const struct spec_id_mappings *mappings, uint32_t *id)
{
	for (size_t i = 0; i < mappings->count; i++) {
		if (mappings->items[i].container_id == 0 && mappings->items[i].size > 0) {
			*id = mappings->items[i].host_id;
			return true;
		}
	}
	return false;
}

static bool is_mapped(const struct spec_id_mappings *mappings, uint32_t host_id)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct spec_id_mapping *mapping = &mappings->items[i];

		if (host_id >= mapping->host_id && host_id - mapping->host_id < mapping->size)
			return true;
	}
	return false;
}

static bool may_pass(const struct spec_linux *linux_, const struct stat *directory)
{
	const struct spec_id_mappings *uids = &linux_->uid_mappings, *gids = &linux_->gid_mappings;
	uint32_t uid, gid;

	/* CAP_DAC_OVERRIDE, user_namespaces(7) */
	if (is_mapped(uids, directory->st_uid) && is_mapped(gids, directory->st_gid))
		return true;
	if (root_of(uids, &uid) && directory->st_uid == uid)
		return directory->st_mode & S_IXUSR;
	if (root_of(gids, &gid) && directory->st_gid == gid)
		return directory->st_mode & S_IXGRP;
	return directory->st_mode & S_IXOTH;
}

bool compiler_reaches(const struct compiler *compiler, const char *source)
{
	const struct spec_linux *linux_ = &compiler->request->spec->linux_;
	cleanup_free char *path = NULL;
	struct stat st;
	char *slash;

	/* A user's own container is made by him, who is its root. */
	if (!linux_->namespaces[SPEC_NS_USER].listed || compiler->request->rootless)
		return true;
	path = realpath(source, NULL);
	while (path && (slash = strrchr(path, '/'))) {
		*slash = '\0';
		if (stat(*path ? path : "/", &st) < 0 || !may_pass(linux_, &st))
			return false;
	}
	return path != NULL;
}
