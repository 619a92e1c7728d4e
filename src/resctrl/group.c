/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as directories: made, entered, removed. */
#include "resctrl/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

#define MONITORS "mon_groups"
/* A line for each thread there is. */
#define TASKS_MAX ((size_t)64 * 1024 * 1024)

/* Names come from a config.json; whatever they are, nothing outside of `directory` is reached. */
static int open_below(int directory, const char *name, uint64_t flags)
{
	return kernel_openat2(directory, name, flags | O_CLOEXEC, 0,
			      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* "info" and the like are directories, too. */
static int check_group(int fd, const char *name, struct error *err)
{
	return faccessat(fd, "tasks", F_OK, 0) == 0
		   ? 0
		   : error_errno(err, errno, "\"%s\" is no resctrl group", name);
}

int resctrl_group_open(int root, const char *name, struct error *err)
{
	bool is_default = strcmp(name, RESCTRL_DEFAULT) == 0;
	cleanup_close int fd = open_below(root, is_default ? "." : name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return error_errno(err, errno, "the resctrl group \"%s\"", name);
	if (check_group(fd, name, err) < 0) {
		err->errnum = EINVAL;
		return -1;
	}
	return fd_take(&fd);
}

static int make(int directory, const char *name, const char *what, struct error *err)
{
	cleanup_close int fd = -1;

	if (mkdirat(directory, name, 0755) < 0)
		return error_errno(err, errno, "Failed to make the resctrl %s \"%s\"%s", what, name,
				   errno == ENOSPC ? " (the processor has no more of them)" : "");
	fd = open_below(directory, name, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? error_errno(err, errno, "the resctrl %s \"%s\"", what, name) : fd_take(&fd);
}

int resctrl_group_make(int root, const char *name, struct error *err)
{
	return make(root, name, "group", err);
}

uint64_t resctrl_group_identity(int group)
{
	struct stat st;

	return fstat(group, &st) == 0 ? st.st_ino : 0;
}

int resctrl_group_pids(int group, pid_t **pids, size_t *count, struct error *err)
{
	cleanup_free char *text =
	    path_read_file(group, "tasks", TASKS_MAX, NULL, "resctrl's tasks", err);
	size_t lines = 0;
	char *rest = text, *line;

	if (!text)
		return -1;
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	*count = 0;
	*pids = calloc(lines + 1, sizeof(**pids));
	if (!*pids)
		return error_errno(err, ENOMEM, "resctrl's tasks");
	while (*count < lines && (line = strsep(&rest, "\n")))
		(*pids)[(*count)++] = (pid_t)strtol(line, NULL, 10);
	return 0;
}

static int take_away(int directory, const char *name, const char *what, struct error *err)
{
	return unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT
		   ? 0
		   : error_errno(err, errno, "Failed to remove the resctrl %s \"%s\"", what, name);
}

int resctrl_group_remove(int root, const char *name, struct error *err)
{
	return take_away(root, name, "group", err);
}

/* ---- monitoring groups ---- */

/* A host whose processor counts nothing has no place for them. */
static int open_monitors(int group, struct error *err)
{
	int fd = open_below(group, MONITORS, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? error_errno(err, errno, "the host's resctrl does not count (%s)", MONITORS)
		      : fd;
}

int resctrl_monitor_open(int group, const char *id, struct error *err)
{
	cleanup_close int monitors = open_monitors(group, err);
	int fd = monitors < 0 ? -1 : open_below(monitors, id, O_RDONLY | O_DIRECTORY);

	if (monitors >= 0 && fd < 0)
		error_errno(err, errno, "the resctrl monitoring group \"%s\"", id);
	return fd;
}

int resctrl_monitor_make(int group, const char *id, struct error *err)
{
	cleanup_close int monitors = open_monitors(group, err);

	return monitors < 0 ? -1 : make(monitors, id, "monitoring group", err);
}

int resctrl_monitor_remove(int group, const char *id, struct error *err)
{
	cleanup_close int monitors = open_below(group, MONITORS, O_RDONLY | O_DIRECTORY);

	return monitors < 0 ? 0 : take_away(monitors, id, "monitoring group", err);
}

/* ---- processes ---- */

int resctrl_tasks_open(int group, struct error *err)
{
	int fd = open_below(group, "tasks", O_WRONLY);

	return fd < 0 ? error_errno(err, errno, "resctrl's tasks") : fd;
}

int resctrl_join(int tasks, pid_t pid, struct error *err)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)pid);

	return write(tasks, text, (size_t)length) == length
		   ? 0
		   : error_errno(err, errno, "Failed to enter the resctrl group");
}

/* ---- what is counted ---- */

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strncmp(text, line, length) == 0 && strchr("\n", text[length]))
			return true;
	return false;
}

int resctrl_check_counters(int root, const struct spec_intel_rdt *rdt, struct error *err)
{
	struct error ignored = ERROR_INIT;
	cleanup_close int info = open_below(root, "info/L3_MON", O_RDONLY | O_DIRECTORY);
	cleanup_free char *features =
	    info < 0 ? NULL
		     : path_read_file(info, "mon_features", 4096, NULL, "mon_features", &ignored);

	error_clear(&ignored);
	if (rdt->enable_cmt && !has_line(features, "llc_occupancy"))
		return error_set(err, "enableCMT: the host's resctrl does not count what is in the "
				      "last-level cache");
	if (rdt->enable_mbm && !has_line(features, "mbm_total_bytes") &&
	    !has_line(features, "mbm_local_bytes"))
		return error_set(
		    err, "enableMBM: the host's resctrl does not count the memory's bandwidth");
	return 0;
}
