/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a group's schemata: "L3:0=f0;1=ff", "MB:0=20". */
#include "resctrl/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

#define SCHEMATA "schemata"
#define SCHEMATA_MAX ((size_t)1024 * 1024)

static bool is_bandwidth(const char *line)
{
	return strncmp(line, "MB:", 3) == 0;
}

/* config-linux.md, "IntelRdt": lines of l3CacheSchema that begin with MB: are left out. */
char *resctrl_combine(const char *l3_cache_schema, const char *mem_bw_schema)
{
	cleanup_free char *copy = strdup(l3_cache_schema ?: "");
	char *rest = copy, *line, *lines = NULL;
	size_t size;
	FILE *stream = copy ? open_memstream(&lines, &size) : NULL;

	if (!stream)
		return NULL;
	while ((line = strsep(&rest, "\n")))
		if (*line && !is_bandwidth(line))
			fprintf(stream, "%s\n", line);
	if (mem_bw_schema && *mem_bw_schema)
		fprintf(stream, "%s\n", mem_bw_schema);
	return fclose(stream) == 0 ? lines : NULL;
}

char *resctrl_lines(const struct spec_strings *schemata)
{
	char *lines = NULL;
	size_t size;
	FILE *stream = open_memstream(&lines, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < schemata->count; i++)
		fprintf(stream, "%s\n", schemata->items[i]);
	return fclose(stream) == 0 ? lines : NULL;
}

char *resctrl_schemata_read(int group, struct error *err)
{
	return path_read_file(group, SCHEMATA, SCHEMATA_MAX, NULL, "resctrl's " SCHEMATA, err);
}

/* What the kernel says of the last write, in its own words; NULL: nothing. */
static char *last_status(int root)
{
	struct error ignored = ERROR_INIT;
	char *text = path_read_file(root, "info/last_cmd_status", 4096, NULL, "", &ignored);

	error_clear(&ignored);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

int resctrl_schemata_write(int root, int group, const char *lines, struct error *err)
{
	cleanup_close int fd = openat(group, SCHEMATA, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *why = NULL;
	ssize_t written;
	int failed;

	/* In one piece: the kernel takes all of the lines in it or none. */
	written = fd < 0 ? -1 : write(fd, lines, strlen(lines));
	if (written == (ssize_t)strlen(lines))
		return 0;
	failed = written < 0 ? errno : EIO;
	why = last_status(root);
	return error_errno(err, failed, "Failed to write the resctrl group's %s%s%s%s", SCHEMATA,
			   why && *why ? " (" : "", why ?: "", why && *why ? ")" : "");
}

unsigned long resctrl_bandwidth_granularity(int root)
{
	struct error ignored = ERROR_INIT;
	cleanup_free char *text =
	    path_read_file(root, "info/MB/bandwidth_gran", 64, NULL, "", &ignored);

	error_clear(&ignored);
	return text ? strtoul(text, NULL, 10) : 0;
}

/* ---- comparing ---- */

/* "RESOURCE" of a line "  RESOURCE:…", and what is behind its colon; NULL: there is no such line.
 */
static const char *find_line(const char *lines, const char *resource, size_t length)
{
	for (const char *line = lines; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		if (strncmp(line, resource, length) == 0 && line[length] == ':')
			return line + length + 1;
		if (!*line)
			break;
	}
	return NULL;
}

/* One of "DOMAIN=VALUE;DOMAIN=VALUE"; false at its end and where it is none. */
static bool next_domain(const char **at, int base, unsigned long *domain, unsigned long *value)
{
	char *end;

	*at += strspn(*at, " ;");
	*domain = strtoul(*at, &end, 10);
	end += strspn(end, " ");
	if (end == *at || *end != '=')
		return false;
	*at = end + 1;
	*value = strtoul(*at, &end, base);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

static bool has_value(const char *now, int base, unsigned long domain, unsigned long wanted,
		      unsigned long granularity)
{
	unsigned long id, value;

	while (next_domain(&now, base, &id, &value))
		if (id == domain)
			return value == wanted ||
			       (granularity &&
				value == (wanted + granularity - 1) / granularity * granularity);
	return false;
}

/* The kernel writes the numbers of a mask with leading zeros, and domains in its own order; those
 * that a line doesn't name it leaves as they are. */
static bool line_matches(const char *now, const char *wanted, unsigned long granularity)
{
	const char *resource = wanted + strspn(wanted, " "), *have;
	size_t length = strcspn(resource, ": \n");
	bool percent = length == 2 && is_bandwidth(resource);
	int base = percent ? 10 : 16;
	unsigned long domain, value;

	have = find_line(now, resource, length);
	if (!have || resource[length] != ':')
		return false;
	wanted = resource + length + 1;
	do {
		if (!next_domain(&wanted, base, &domain, &value) ||
		    !has_value(have, base, domain, value, percent ? granularity : 0))
			return false;
		wanted += strspn(wanted, " ;");
	} while (*wanted && *wanted != '\n');
	return true;
}

int resctrl_schemata_match(const char *now, const char *wanted, unsigned long granularity)
{
	for (; *wanted; wanted += strcspn(wanted, "\n"), wanted += *wanted == '\n')
		if (!line_matches(now, wanted, granularity))
			return 0;
	return 1;
}
