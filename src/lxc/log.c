/* SPDX-License-Identifier: Apache-2.0 */
/* What LXC said: its errors become ours, and with --debug its steps, too. */
#include "lxc/lxc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/user_namespace.h"
#include "lxc/monitor.h"
#include "lxc/namespaces.h"
#include "lxc/raw.h"

/* A line of LXC's log: "lxc 20260102030405.678 ERROR    conf - ../src/lxc/conf.c:mount_entry:2515 -
 * TEXT". */
static char *line_text(char *line, const char **level)
{
	char *text, *separator;

	*level = "";
	if (strncmp(line, "runlxc: ", 8) == 0) {
		*level = "ERROR";
		return line + 8;
	}
	text = strchr(line, ' ');
	text = text ? strchr(text + 1, ' ') : NULL;
	if (!text)
		return NULL;
	text += strspn(text, " ");
	*level = text;
	separator = strstr(text, " - ");
	separator = separator ? strstr(separator + 3, " - ") : NULL;
	return separator ? separator + 3 : NULL;
}

static char *read_log(const struct lxc_monitor *monitor)
{
	struct stat st;
	char *text;

	if (monitor->log_fd < 0 || fstat(monitor->log_fd, &st) < 0)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (text) {
		ssize_t got = pread(monitor->log_fd, text, (size_t)st.st_size, 0);

		text[got > 0 ? got : 0] = '\0';
	}
	return text;
}

/* LXC puts errno's text first ("No such file or directory - Failed to …"): what is behind it. */
static char *behind_errno(char *text, int *number)
{
	char *dash = strstr(text, " - ");

	if (!dash)
		return NULL;
	*dash = '\0';
	for (*number = 0; *number < 134; ++*number)
		if (strcmp(text, strerrordesc_np(*number) ?: "") == 0)
			return dash + 3;
	*dash = ' ';
	return NULL;
}

/* We put it last. */
static int set_error(char *text, struct error *err)
{
	int number;
	char *rest = behind_errno(text, &number);

	return rest && number ? error_errno(err, number, "LXC: %s", rest)
			      : error_set(err, "LXC: %s", rest ? rest : text);
}

/* LXC names a mount by where it makes it, below its own mount point; the user knows it by its
 * field. */
static void name_mount(const struct spec *spec, struct error *err)
{
	const char *path = err->message ? strstr(err->message, "/lxc/rootfs/") : NULL, *end;
	size_t i;

	if (!path)
		return;
	path += strlen("/lxc/rootfs");
	end = strchr(path, '"');
	for (i = spec->mounts_count; end && i > 0; i--) {
		const struct spec_mount *mount = &spec->mounts[i - 1];

		if (strlen(mount->destination) == (size_t)(end - path) &&
		    strncmp(mount->destination, path, (size_t)(end - path)) == 0) {
			error_prefix(err, "a mount of type \"%s\" on \"%s\"",
				     mount->type ? mount->type : "", mount->destination);
			if (mount->where)
				error_prefix(err, "%s", mount->where);
			else
				error_prefix(err, "mounts[%zu]", i - 1);
			return;
		}
	}
}

/* One that could not be joined ("Failed to inherit net namespace"). */
static void name_namespace(const struct spec *spec, struct error *err)
{
	for (int type = 0; type < SPEC_NS_TYPES; type++) {
		const struct spec_namespace *ns = &spec->linux_.namespaces[type];
		char words[64];

		snprintf(words, sizeof(words), "Failed to inherit %s namespace",
			 namespaces_lxc_names[type]);
		if (ns->path && strstr(error_text(err), words)) {
			error_prefix(err, "linux.namespaces[%zu].path: \"%s\"", ns->index,
				     ns->path);
			return;
		}
	}
}

/* An item that LXC has refused, which is in our own line at the end: why, is in one of ours or of
 * LXC's before it. 0: none was. */
static int find_refusal(const struct spec *spec, const char *log, struct error *err)
{
	cleanup_free char *copy = log ? strdup(log) : NULL;
	char *line, *save = NULL, *value, *without, *unknown = NULL, *reason = NULL;
	int number;

	for (line = copy ? strtok_r(copy, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		bool ours = strncmp(line, "runlxc: ", 8) == 0;
		const char *level;
		char *text = line_text(line, &level);

		if (!ours) {
			if (text && strncmp(level, "ERROR", 5) == 0)
				reason = text;
			continue;
		}
		if (strncmp(text, MONITOR_REFUSES, strlen(MONITOR_REFUSES)) != 0) {
			unknown = text;
			continue;
		}
		text += strlen(MONITOR_REFUSES);
		value = strstr(text, " = ");
		if (!value)
			return 0;
		*value = '\0';
		if (unknown && !raw_find_key(text))
			reason = unknown;
		else if (reason && (without = behind_errno(reason, &number)))
			reason = without;
		return lxc_raw_blame(spec, text, value + 3, reason ? reason : "", err);
	}
	return 0;
}

/* Not an error of ours: the container's /dev has no null device yet when LXC looks; on v2 it opens
 * the monitor's cgroup once more, which wasn't made; and as the root of a user namespace it tries
 * whether it could load programs that it isn't asked for. */
static bool is_harmless(const char *text)
{
	return strstr(text, "Can't open /dev/null") || strstr(text, "(lxc.monitor.runlxc-") ||
	       (strstr(text, "Failed to load bpf program") && user_namespace_is_ours());
}

/* How a hook of LXC's own ended; the error after it says which one that was. */
static bool is_of_hook(const char *text)
{
	return strncmp(text, "Script ", strlen("Script ")) == 0;
}

static bool is_name_of_hook(const char *text)
{
	return strncmp(text, "Failed to run ", strlen("Failed to run ")) == 0;
}

int lxc_error_from_log(const struct lxc_monitor *monitor, const struct spec *spec,
		       struct error *err)
{
	cleanup_free char *log = read_log(monitor);
	char *line, *save = NULL, *cause = NULL;

	if (find_refusal(spec, log, err) < 0)
		return -1;
	if (log && strstr(log, MONITOR_OUT_OF_MEMORY))
		return error_set(err, "linux.resources.memory.limit: " MONITOR_OUT_OF_MEMORY);
	/* The first error is the cause, the others are its consequences. */
	for (line = log ? strtok_r(log, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *level;
		char *text = line_text(line, &level);

		if (!text || strncmp(level, "ERROR", 5) != 0 || is_harmless(text))
			continue;
		if (cause) {
			if (is_name_of_hook(text))
				return error_set(err, "LXC: %s: %s", text, cause);
			break;
		}
		cause = text;
		if (!is_of_hook(text))
			break;
	}
	if (cause) {
		set_error(cause, err);
		name_mount(spec, err);
		name_namespace(spec, err);
		return -1;
	}
	return error_set(err, "LXC ended without saying why");
}

void lxc_log_forward(const struct lxc_monitor *monitor, const struct log *log)
{
	cleanup_free char *text = read_log(monitor);
	char *line, *save = NULL;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		log_debug(log, "%s", line);
}
