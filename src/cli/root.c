/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Root of a user namespace that some user made is that user, who can't write to /run. */
static bool in_user_namespace(void)
{
	cleanup_fclose FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;

	if (!map || fscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return false;
	return inside != 0 || outside != 0 || count != 4294967295UL;
}

/* runc's rule. Root itself keeps /run even where XDG_RUNTIME_DIR is set, as it is after su. */
static bool is_user(void)
{
	const char *user = getenv("USER");

	if (geteuid() != 0)
		return true;
	return in_user_namespace() && (!user || strcmp(user, "root") != 0);
}

char *root_directory(const char *given, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	cleanup_free char *cwd = NULL;
	char *root = NULL;
	int length;

	if (given) {
		if (!*given) {
			error_set(err, "invalid value \"\" for flag --root");
			return NULL;
		}
		/* The state outlives this command and its directory. */
		if (*given != '/' && !(cwd = getcwd(NULL, 0))) {
			error_errno(err, errno, "current directory");
			return NULL;
		}
		length = asprintf(&root, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", given);
	} else if (runtime && *runtime && is_user()) {
		length = asprintf(&root, "%s/runlxc", runtime);
	} else {
		length = asprintf(&root, "/run/runlxc");
	}
	if (length < 0) {
		error_set(err, "out of memory");
		return NULL;
	}
	return root;
}
