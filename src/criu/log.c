/* SPDX-License-Identifier: Apache-2.0 */
/* Why CRIU gave up, from its log: "(00.146309) Error (criu/files-reg.c:1790): Can't lookup
 * mount=27" */
#include "criu/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* CRIU tries things that it can do without, in helpers for everybody: their errors mean little. */
#define HELPERS "criu/util.c:"

/* The part behind "Error (FILE:LINE): "; NULL: that line is no error. */
static const char *error_of(const char *line, bool *helper)
{
	const char *place = strstr(line, "Error (");
	const char *text = place ? strstr(place, "): ") : NULL;

	if (!text)
		return NULL;
	place += strlen("Error (");
	*helper = strncmp(place, HELPERS, strlen(HELPERS)) == 0;
	return text + strlen("): ");
}

/* The first error is the cause; those behind it say what came of that. */
bool criu_log_reason(int directory, const char *file, char *text, size_t size)
{
	cleanup_close int fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fclose FILE *log = fd < 0 ? NULL : fdopen(fd, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!log)
		return false;
	fd_take(&fd);
	while (getline(&line, &room, log) > 0) {
		bool helper = false;
		const char *reason = error_of(line, &helper);

		if (!reason || (helper && found))
			continue;
		snprintf(text, size, "%s", reason);
		text[strcspn(text, "\n")] = '\0';
		found = true;
		if (!helper)
			break;
	}
	return found;
}
