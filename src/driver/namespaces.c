/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"

int namespaces_not_ours(pid_t pid, uint32_t *flags, struct error *err)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} table[] = {{"user", CLONE_NEWUSER},	  {"mnt", CLONE_NEWNS},	  {"pid", CLONE_NEWPID},
		     {"net", CLONE_NEWNET},	  {"ipc", CLONE_NEWIPC},  {"uts", CLONE_NEWUTS},
		     {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};
	size_t i;

	*flags = 0;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct stat theirs, ours;
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, table[i].name);
		if (stat(path, &theirs) < 0) {
			if (errno == ENOENT && table[i].flag == CLONE_NEWTIME)
				continue; /* before Linux 5.6 */
			return error_errno(err, errno,
					   "Failed to look at the container's %s namespace",
					   table[i].name);
		}
		snprintf(path, sizeof(path), "/proc/self/ns/%s", table[i].name);
		if (stat(path, &ours) < 0 || ours.st_ino != theirs.st_ino)
			*flags |= table[i].flag;
	}
	return 0;
}

int namespaces_own_pid(pid_t pid, pid_t *own, struct error *err)
{
	static const char name[] = "\nNSpid:";
	cleanup_free char *text = NULL;
	char path[64], *at, *end;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text = path_read_file(AT_FDCWD, path, 65536, NULL, path, err);
	if (!text)
		return -1;
	at = strstr(text, name);
	if (!at)
		return error_set(err, "%s: there is no NSpid in it", path);
	/* One for each pid namespace, from ours inwards. */
	at += strlen(name);
	end = at + strcspn(at, "\n");
	while (end > at && end[-1] != '\t' && end[-1] != ' ')
		end--;
	*own = (pid_t)strtol(end, NULL, 10);
	return 0;
}
