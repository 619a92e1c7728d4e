/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount goes: its place in the root, as far as that is known before anything is mounted,
 * and what may not be covered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "lxc/compiler.h"

bool compiler_is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return length == 0 || (strncmp(path, directory, length) == 0 &&
			       (path[length] == '/' || path[length] == '\0'));
}

const struct target *compiler_target_at(const struct compiler *compiler, const char *path)
{
	size_t i;

	for (i = compiler->targets_count; i > 0; i--)
		if (strcmp(compiler->targets[i - 1].path, path) == 0)
			return &compiler->targets[i - 1];
	return NULL;
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

/* ---- /proc ---- */

/*
 * The files in /proc that may be covered: what lxcfs shows in their place, and the switch for FIPS.
 * The list is runc's, but for /proc/net/dev: /proc/net is a symlink now, so runc refuses it, and
 * the kernel looks that file up anew each time, past any mount. Nothing that anybody writes to in
 * good faith is among them, so no write of ours, and none of the container's own tools, can be led
 * elsewhere by a mount (CVE-2019-16884, CVE-2025-52881).
 */
static bool may_be_covered(const char *path)
{
	static const char *const files[] = {"proc/cpuinfo",
					    "proc/diskstats",
					    "proc/meminfo",
					    "proc/stat",
					    "proc/swaps",
					    "proc/uptime",
					    "proc/loadavg",
					    "proc/slabinfo",
					    "proc/sys/kernel/ns_last_pid",
					    "proc/sys/crypto/fips_enabled"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	return false;
}

/* The words are runc's. */
static int check_proc(const char *path, const struct place_request *request, enum plan_proc *proc,
		      struct error *err)
{
	*proc = PLAN_PROC_NONE;
	if (!compiler_is_below(path, "proc"))
		return 0;
	if (strcmp(path, "proc") == 0) {
		*proc = PLAN_PROC_ROOT;
		/* Whether what is bound is a procfs is looked at when it is open. */
		if (request->bind || request->remount || strcmp(request->type, "proc") == 0)
			return 0;
		return error_set(err,
				 "%s.destination: \"%s\" cannot be mounted because it is not of "
				 "type proc",
				 request->what, request->destination);
	}
	*proc = PLAN_PROC_FILE;
	if (may_be_covered(path))
		return 0;
	return error_set(err, "%s.destination: \"%s\" cannot be mounted because it is inside /proc",
			 request->what, request->destination);
}

/* ---- its place ---- */

/*
 * Finds a destination's place in the root without following a symlink twice: place->known is false
 * where it can't be known before the earlier mounts are made.
 */
static int find(struct compiler *compiler, const struct place_request *request, struct place *place,
		struct error *err)
{
	struct arena *arena = &compiler->recipe->arena;
	int root = compiler->request->rootfs_fd;
	cleanup_free char *resolved = NULL;
	const char *lexical = place->lexical;
	bool covered = false;
	size_t i;
	int fd;

	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] &&
		    compiler_is_below(lexical, compiler->targets[i].path)) {
			/* What is there is what those mounts bring: nothing yet, or their source's
			 * affair. */
			covered = true;
			place->known = place->known && !compiler->targets[i].foreign;
		}
	place->path = lexical;
	if (covered)
		return 0;

	fd = kernel_openat2(root, lexical[0] ? lexical : ".", O_PATH, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd >= 0 || errno == ENOENT) {
		fd_close(fd);
		return 0;
	}
	if (errno != ELOOP)
		return error_errno(err, errno,
				   "%s.destination: Failed to look for \"%s\" in the root",
				   request->what, request->destination);
	place->symlink = true;
	resolved = path_resolve_in_root(root, lexical, NULL, err);
	if (!resolved)
		return error_prefix(err, "%s.destination: \"%s\"", request->what,
				    request->destination);
	place->path = arena_strdup(arena, resolved);
	if (!place->path)
		return error_errno(err, ENOMEM, "%s.destination", request->what);
	/* The symlink may lead onto an earlier mount, past which it was resolved in what that
	 * covers. */
	for (i = 0; i < compiler->targets_count; i++)
		if (compiler->targets[i].path[0] &&
		    compiler_is_below(place->path, compiler->targets[i].path))
			place->known = false;
	return 0;
}

int compiler_place(struct compiler *compiler, const struct place_request *request,
		   struct place *place, struct error *err)
{
	enum plan_proc resolved;

	*place = (struct place){.known = true};
	place->lexical = clean(&compiler->recipe->arena, request->destination);
	if (!place->lexical)
		return error_errno(err, ENOMEM, "%s.destination", request->what);
	/* As it is written, and as the image's symlinks have it. Where these lead once everything
	 * is mounted, init sees: by the file system that its target is on. */
	if (check_proc(place->lexical, request, &place->proc, err) < 0 ||
	    find(compiler, request, place, err) < 0)
		return -1;
	if (!place->symlink)
		return 0;
	if (check_proc(place->path, request, &resolved, err) < 0)
		return -1;
	if (resolved) {
		place->proc = resolved;
		place->lexical = place->path;
	}
	return 0;
}
