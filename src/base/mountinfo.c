/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

void mountinfo_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE OPTIONS */
static bool parse(char *line, struct mountinfo_mount *mount)
{
	char *tail = strstr(line, " - "), *save = NULL, *id, *device, *root, *point, *type;

	if (!tail)
		return false;
	*tail = '\0';
	id = strtok_r(line, " ", &save);
	if (!id || !strtok_r(NULL, " ", &save))
		return false;
	device = strtok_r(NULL, " ", &save);
	root = strtok_r(NULL, " ", &save);
	point = strtok_r(NULL, " ", &save);
	type = strtok_r(tail + 3, " ", &save);
	if (!point || !type || sscanf(id, "%u", &mount->id) != 1 ||
	    sscanf(device, "%u:%u", &mount->major, &mount->minor) != 2)
		return false;
	mountinfo_unescape(root);
	mountinfo_unescape(point);
	mount->root = root;
	mount->point = point;
	mount->type = type;
	return true;
}

int mountinfo_read(pid_t pid, struct mountinfo *info, struct error *err)
{
	char name[64], *rest, *line;
	size_t lines = 0;

	*info = (struct mountinfo){0};
	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/mountinfo", (int)pid);
	else
		snprintf(name, sizeof(name), "/proc/self/mountinfo");
	info->text = path_read_file(AT_FDCWD, name, TEXT_MAX, NULL, name, err);
	if (!info->text)
		return -1;
	for (line = info->text; *line; line++)
		lines += *line == '\n';
	info->mounts = calloc(lines + 1, sizeof(*info->mounts));
	if (!info->mounts) {
		mountinfo_free(info);
		return error_errno(err, ENOMEM, "can't read %s", name);
	}
	rest = info->text;
	while ((line = strsep(&rest, "\n")))
		if (parse(line, &info->mounts[info->count]))
			info->count++;
	return 0;
}

void mountinfo_free(struct mountinfo *info)
{
	free(info->text);
	free(info->mounts);
	*info = (struct mountinfo){0};
}
