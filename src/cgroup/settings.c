/* SPDX-License-Identifier: Apache-2.0 */
/* The list of files to be written, and which of them this kernel has. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* ---- the list ---- */

void cgroup_settings_free(struct cgroup_settings *settings)
{
	arena_free(&settings->arena);
	*settings = (struct cgroup_settings){.arena = ARENA_INIT};
}

static int grow(struct cgroup_settings *settings)
{
	size_t capacity = settings->capacity ? settings->capacity * 2 : 32;
	struct cgroup_setting *items = arena_alloc(&settings->arena, capacity, sizeof(*items));

	if (!items)
		return -1;
	if (settings->count > 0)
		memcpy(items, settings->items, settings->count * sizeof(*items));
	settings->items = items;
	settings->capacity = capacity;
	return 0;
}

int limits_add(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
	       const char *controller, const char *field, const char *file, const char *format, ...)
{
	struct cgroup_settings *settings = limits->settings;
	cleanup_free char *value = NULL;
	struct cgroup_setting item = {.unified = hierarchy->unified};
	va_list args;

	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		value = NULL;
	va_end(args);
	if (value && (settings->count < settings->capacity || grow(settings) == 0)) {
		item.controller = arena_strdup(&settings->arena, controller);
		item.field = arena_strdup(&settings->arena, field);
		item.file = arena_strdup(&settings->arena, file);
		item.value = arena_strdup(&settings->arena, value);
	}
	if (!item.controller || !item.field || !item.file || !item.value)
		return error_errno(limits->err, ENOMEM, "linux.resources");
	settings->items[settings->count++] = item;
	return 0;
}

/* ---- what this kernel has ---- */

static bool has_file(int dir, const char *below, const char *file)
{
	char path[2 * 256];

	return snprintf(path, sizeof(path), "%s/%s", below, file) < (int)sizeof(path) &&
	       faccessat(dir, path, F_OK, 0) == 0;
}

int limits_read(const struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		const char *file, char *text, size_t size)
{
	cleanup_close int dir = cgroup_open(hierarchy, limits->path);

	return dir < 0 ? -1 : cgroup_read_file(dir, file, text, size);
}

/* Whether a new cgroup will have it. */
static enum limits_presence presence_of_new(const struct cgroup_hierarchy *hierarchy,
					    const char *file, const char *witness)
{
	cleanup_close int top = cgroup_open(hierarchy, "/");
	cleanup_close int own = cgroup_open(hierarchy, hierarchy->own);
	cleanup_closedir DIR *stream = NULL;
	struct dirent *entry;
	int fd;

	if (top < 0)
		return LIMITS_UNKNOWN;
	if (has_file(top, ".", file) || (own >= 0 && has_file(own, ".", file)))
		return LIMITS_PRESENT;
	if (has_file(top, ".", witness) || (own >= 0 && has_file(own, ".", witness)))
		return LIMITS_ABSENT;
	fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		fd_close(fd);
		return LIMITS_UNKNOWN;
	}
	while ((entry = readdir(stream))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (has_file(top, entry->d_name, file))
			return LIMITS_PRESENT;
		if (has_file(top, entry->d_name, witness))
			return LIMITS_ABSENT;
	}
	return LIMITS_UNKNOWN;
}

enum limits_presence limits_file_presence(const struct limits *limits,
					  const struct cgroup_hierarchy *hierarchy,
					  const char *file, const char *witness)
{
	cleanup_close int dir = -1;

	if (!limits->path)
		return presence_of_new(hierarchy, file, witness);
	dir = cgroup_open(hierarchy, limits->path);
	if (dir < 0)
		return LIMITS_UNKNOWN;
	return has_file(dir, ".", file) ? LIMITS_PRESENT : LIMITS_ABSENT;
}

int limits_need_file(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		     const char *field, const char *file, const char *witness)
{
	if (limits_file_presence(limits, hierarchy, file, witness) != LIMITS_ABSENT)
		return 0;
	return limits_error(limits, "%s: this kernel has no %s", field, file);
}

static bool is_about(const struct cgroup_setting *setting, const struct error *err)
{
	cleanup_free char *words = NULL;

	if (asprintf(&words, "Failed to set \"%s\" to \"%s\"", setting->file, setting->value) < 0)
		words = NULL;
	return words && strstr(error_text(err), words);
}

void cgroup_name_limit(const struct cgroup_layout *layout, const struct spec_resources *resources,
		       struct error *err)
{
	struct cgroup_settings settings = {0};
	struct error ignored = ERROR_INIT;

	if (cgroup_settings_from_resources(layout, resources, &settings, &ignored) < 0)
		error_clear(&ignored);
	for (size_t i = 0; i < settings.count; i++) {
		if (is_about(&settings.items[i], err)) {
			error_prefix(err, "linux.resources.%s", settings.items[i].field);
			break;
		}
	}
	cgroup_settings_free(&settings);
}
