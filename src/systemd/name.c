/* SPDX-License-Identifier: Apache-2.0 */
/* Names of units, and the cgroup that a slice has: systemd.slice(5), systemd.unit(5). */
#include "systemd/systemd.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define UNIT_NAME_MAX 255

static const char slice_suffix[] = ".slice";

static bool is_unit_name(const char *name)
{
	size_t length = strlen(name);

	return length <= UNIT_NAME_MAX && length == strspn(name, "abcdefghijklmnopqrstuvwxyz"
								 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
								 "0123456789:-_.\\");
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);

	return length > of_end && strcmp(text + length - of_end, end) == 0;
}

/* Of "a-b.slice": "/a.slice/a-b.slice". "-.slice" is the root. */
static char *slice_path(const char *slice)
{
	size_t stem = strlen(slice) - strlen(slice_suffix), length = 0, i;
	char *path = malloc((stem + 1) * (stem + sizeof(slice_suffix) + 1) + 1);

	if (!path)
		return NULL;
	path[0] = '\0';
	for (i = 1; i <= stem && strcmp(slice, "-.slice") != 0; i++)
		if (i == stem || slice[i] == '-')
			length +=
			    (size_t)sprintf(path + length, "/%.*s%s", (int)i, slice, slice_suffix);
	return path;
}

/* Each dash is a step down, so that nothing between two of them, or before the first, is no name.
 */
static bool is_slice(const char *slice)
{
	size_t stem = strlen(slice) - strlen(slice_suffix);

	if (!ends_with(slice, slice_suffix) || !is_unit_name(slice))
		return false;
	return strcmp(slice, "-.slice") == 0 ||
	       (slice[0] != '-' && slice[stem - 1] != '-' && !strstr(slice, "--"));
}

static int check(const struct systemd_place *place, const char *name, struct error *err)
{
	if (!is_slice(place->slice))
		return error_set(err, "linux.cgroupsPath: invalid slice name: \"%s\"",
				 place->slice);
	if (ends_with(name, slice_suffix))
		return error_set(err,
				 "linux.cgroupsPath: \"%s\" is a slice, which can't have processes "
				 "of a container",
				 name);
	if (!is_unit_name(place->scope) || strlen(place->scope) > UNIT_NAME_MAX)
		return error_set(err,
				 "linux.cgroupsPath: \"%s\" can't be the name of a unit of "
				 "systemd's",
				 place->scope);
	return 0;
}

int systemd_place_from(const char *cgroups_path, const char *id, bool user,
		       struct systemd_place *place, struct error *err)
{
	bool given = cgroups_path && *cgroups_path;
	cleanup_free char *copy = strdup(given ? cgroups_path : "");
	const char *slice = "", *prefix = "runlxc", *name = id;
	char *rest = copy;

	*place = (struct systemd_place){NULL, NULL, NULL};
	if (!copy)
		return error_errno(err, ENOMEM, "linux.cgroupsPath");
	if (given) {
		slice = strsep(&rest, ":");
		prefix = rest ? strsep(&rest, ":") : NULL;
		name = rest;
		/* The words are runc's. */
		if (!name || strchr(name, ':'))
			return error_set(err,
					 "linux.cgroupsPath: expected cgroupsPath to be of format "
					 "\"slice:prefix:name\" for systemd cgroups, got \"%s\" "
					 "instead",
					 cgroups_path);
	}
	if (!*slice)
		slice = user ? "user.slice" : "system.slice";
	place->slice = strdup(slice);
	if (!place->slice || asprintf(&place->scope, "%s-%s.scope", prefix, name) < 0) {
		place->scope = NULL;
		return error_errno(err, ENOMEM, "linux.cgroupsPath");
	}
	if (!*name)
		return error_set(err, "linux.cgroupsPath: \"%s\": the name is empty", cgroups_path);
	if (check(place, name, err) < 0)
		return -1;
	rest = slice_path(place->slice);
	if (!rest || asprintf(&place->path, "%s/%s", rest, place->scope) < 0)
		place->path = NULL;
	free(rest);
	return place->path ? 0 : error_errno(err, ENOMEM, "linux.cgroupsPath");
}

void systemd_place_free(struct systemd_place *place)
{
	free(place->slice);
	free(place->scope);
	free(place->path);
	*place = (struct systemd_place){NULL, NULL, NULL};
}
