/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's limits are now, as values that bring them back. */
#include "cgroup/cgroup.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

#define VALUE_MAX 65536

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);

	return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

/* A device's "8:16", which begins a line of files that have one for each device. */
static bool is_device(const char *word, size_t length)
{
	size_t major = strspn(word, "0123456789"), minor;

	if (major == 0 || word[major] != ':')
		return false;
	minor = strspn(word + major + 1, "0123456789");
	return minor > 0 && major + 1 + minor == length;
}

/* The length of what tells one line of a file from the others; 0: the file has no such lines. */
static size_t key_length(const struct cgroup_setting *setting)
{
	size_t length = strcspn(setting->value, " ");

	return is_device(setting->value, length) || strcmp(setting->file, "rdma.max") == 0 ||
		       strcmp(setting->file, "net_prio.ifpriomap") == 0
		   ? length
		   : 0;
}

/* What takes the line of a device away again that had none. NULL: nothing does. */
static const char *without_line(const char *file)
{
	if (strcmp(file, "io.max") == 0)
		return "rbps=max wbps=max riops=max wiops=max";
	if (strncmp(file, "blkio.throttle.", strlen("blkio.throttle.")) == 0)
		return "0";
	if (ends_with(file, "weight") || ends_with(file, "weight_device"))
		return "default";
	return NULL;
}

static const char *find_line(const char *text, const char *key, size_t length)
{
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, length) == 0 && text[length] == ' ')
			return text;
	}
	return NULL;
}

/* The value to be written for the file to say `text` again, in what `setting` changes of it. */
static char *value_before(struct arena *arena, const struct cgroup_setting *setting,
			  const char *text)
{
	size_t length = key_length(setting);
	const char *line = text, *reset;

	if (length > 0) {
		line = find_line(text, setting->value, length);
		reset = line ? NULL : without_line(setting->file);
		if (!line)
			return reset ? arena_printf(arena, "%.*s %s", (int)length, setting->value,
						    reset)
				     : NULL;
	} else if (strcmp(setting->file, "memory.oom_control") == 0) {
		return arena_strdup(arena, strstr(text, "oom_kill_disable 1") ? "1" : "0");
	} else if (find_line(text, "default", strlen("default"))) {
		line = find_line(text, "default", strlen("default"));
	}
	/* A list that is empty is written as an empty line; nothing at all is no write. */
	return *line == '\0' ? arena_strdup(arena, "\n")
			     : arena_printf(arena, "%.*s", (int)strcspn(line, "\n"), line);
}

/* An idle cgroup's weight is the kernel's, which takes none; it comes with cpu.idle. */
static bool is_weight_of_idle(int dir, const struct cgroup_setting *setting)
{
	char idle[16];

	return (strcmp(setting->file, "cpu.shares") == 0 ||
		strcmp(setting->file, "cpu.weight") == 0) &&
	       cgroup_read_file(dir, "cpu.idle", idle, sizeof(idle)) == 0 && strcmp(idle, "1") == 0;
}

int cgroup_settings_save(const struct cgroup_layout *layout, const char *path,
			 struct cgroup_settings *settings, struct error *err)
{
	cleanup_free char *text = malloc(VALUE_MAX);

	if (!text)
		return error_errno(err, ENOMEM, "can't read the limits of cgroup %s", path);
	for (size_t i = 0; i < settings->count; i++) {
		struct cgroup_setting *setting = &settings->items[i];
		const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, setting->controller);
		cleanup_close int dir = hierarchy ? cgroup_open(hierarchy, path) : -1;

		if (dir >= 0 && !is_weight_of_idle(dir, setting) &&
		    cgroup_read_file(dir, setting->file, text, VALUE_MAX) == 0)
			setting->before = value_before(&settings->arena, setting, text);
	}
	return 0;
}
