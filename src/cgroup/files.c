/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup's directory and its files. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "cgroup/cpuset.h"
#include "cgroup/internal.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)

const char *cgroup_hierarchy_name(const struct cgroup_hierarchy *hierarchy)
{
	return hierarchy->unified ? "unified" : hierarchy->label;
}

/* /proc/PID/cgroup has a cgroup outside of our cgroup namespace as "/../other". */
static bool leads_up(const char *path)
{
	for (const char *part = path; (part = strstr(part, "/..")); part += 3)
		if (!part[3] || part[3] == '/')
			return true;
	return false;
}

bool cgroup_name(const struct cgroup_hierarchy *hierarchy, const char *path, char name[PATH_MAX])
{
	return (!*path || *path == '/') && !leads_up(path) &&
	       snprintf(name, PATH_MAX, "%s/%s", hierarchy->mount, path) < PATH_MAX;
}

int cgroup_open(const struct cgroup_hierarchy *hierarchy, const char *path)
{
	cleanup_close int mount = -1;
	char name[PATH_MAX];

	if (cgroup_name(hierarchy, path, name))
		return kernel_openat2(AT_FDCWD, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
				      RESOLVE_NO_SYMLINKS);
	mount = open(hierarchy->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		return -1;
	return path_open_in_root(mount, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

int cgroup_write_file(int dir, const char *file, const char *text)
{
	/* No O_CREAT and no O_TRUNC: a file that the kernel doesn't have must fail with ENOENT. */
	cleanup_close int fd = openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	size_t length = strlen(text);
	ssize_t put;

	if (fd < 0)
		return -1;
	do {
		put = write(fd, text, length);
	} while (put < 0 && errno == EINTR);
	if (put >= 0 && (size_t)put != length)
		errno = EIO;
	return put == (ssize_t)length ? 0 : -1;
}

int cgroup_read_file(int dir, const char *file, char *text, size_t size)
{
	cleanup_close int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;

	if (fd < 0)
		return -1;
	while (used < size - 1) {
		ssize_t got = read(fd, text + used, size - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	if (used > 0 && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
	return 0;
}

char *cgroup_read(const struct cgroup_layout *layout, const char *path, const char *controller,
		  const char *file, struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, controller);
	cleanup_close int dir = -1;
	char name[PATH_MAX + NAME_MAX + 64];
	size_t length;
	char *text;

	if (!hierarchy) {
		error_set(err, "can't read %s of cgroup %s: no %s cgroup controller on this host",
			  file, path, *controller ? controller : "unified");
		return NULL;
	}
	dir = cgroup_open(hierarchy, path);
	if (dir < 0) {
		error_errno(err, errno, "can't open cgroup %s (%s)", path,
			    cgroup_hierarchy_name(hierarchy));
		return NULL;
	}
	snprintf(name, sizeof(name), "%s of cgroup %s", file, path);
	text = path_read_file(dir, file, FILE_MAX, &length, name, err);
	if (text && length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return text;
}

/* ---- linux.cgroupsPath ---- */

static int path_refuse(struct error *err, const char *path, const char *reason)
{
	return error_set(err, "linux.cgroupsPath: \"%.100s\" %s", path, reason);
}

/* Copies the components, each behind one slash. `to` has room for strlen(from) + 2. */
static int copy_components(const char *from, char *to, struct error *err)
{
	const char *whole = from;

	for (;;) {
		size_t length;

		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (length == 0)
			break;
		if (length == 2 && from[0] == '.' && from[1] == '.')
			return path_refuse(err, whole, "has a \"..\" in it");
		if (length > NAME_MAX)
			return path_refuse(err, whole, "has a name longer than 255 bytes in it");
		if (length != 1 || from[0] != '.') {
			*to++ = '/';
			memcpy(to, from, length);
			to += length;
		}
		from += length;
	}
	*to = '\0';
	return 0;
}

void cgroup_fill_cpusets(const struct cgroup_layout *layout, const char *path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, "cpuset");
	char above[PATH_MAX];
	char *slash;

	if (!hierarchy || hierarchy->unified || strlen(path) >= sizeof(above))
		return;
	strcpy(above, path);
	/* The deepest that is there fills those above it, too. */
	while ((slash = strrchr(above, '/')) && slash != above) {
		cleanup_close int dir = -1;

		*slash = '\0';
		dir = cgroup_open(hierarchy, above);
		if (dir >= 0) {
			cpuset_fill(dir);
			return;
		}
	}
}

char *cgroup_path_of(const char *cgroups_path, const char *id, struct error *err)
{
	bool given = cgroups_path && *cgroups_path;
	cleanup_free char *wanted = NULL, *path = NULL;

	if (asprintf(&wanted, given ? "%s" : "/lxc.payload.%s", given ? cgroups_path : id) < 0)
		wanted = NULL;
	if (wanted)
		path = malloc(strlen(wanted) + 2);
	if (!path) {
		error_errno(err, ENOMEM, "linux.cgroupsPath");
		return NULL;
	}
	/* The kernel refuses a newline in a cgroup's name, which would break /proc/PID/cgroup; the
	 * other control characters would end up in people's terminals. */
	for (const char *c = wanted; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			error_set(err, "linux.cgroupsPath: control character 0x%02x in it",
				  (unsigned char)*c);
			return NULL;
		}
	}
	/* The mount point and a file's name must still fit. */
	if (strlen(wanted) > PATH_MAX - 2 * NAME_MAX) {
		path_refuse(err, wanted, "is too long");
		return NULL;
	}
	if (copy_components(wanted, path, err))
		return NULL;
	if (*path == '\0') {
		path_refuse(err, wanted, "is the root of all cgroups");
		return NULL;
	}
	return PTR_TAKE(path);
}
