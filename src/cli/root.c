/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/user_namespace.h"

/* runc's rule. Root itself keeps /run even where XDG_RUNTIME_DIR is set, as it is after su. */
static bool is_user(void)
{
	const char *user = getenv("USER");

	if (geteuid() != 0)
		return true;
	/* Root of a user namespace that some user made is that user, who can't write to /run. */
	return user_namespace_is_ours() && (!user || strcmp(user, "root") != 0);
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
