/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a container's cgroups, and getting in. */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cgroup/internal.h"

#define PROCS_MAX ((size_t)64 * 1024 * 1024)
/* A walk is begun again when the tree changed under it in a way that it can't follow. */
#define WALKS_MAX 16

struct pid_list {
	pid_t *items;
	size_t count, capacity;
};

static int pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		pid_t *grown = reallocarray(list->items, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		list->items = grown;
		list->capacity = capacity;
	}
	list->items[list->count++] = pid;
	return 0;
}

/* The process that a thread belongs to; 0 when it is gone. */
static pid_t process_of_thread(pid_t tid)
{
	char path[32], text[1024], *line;
	cleanup_close int dir = -1;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/%d", tid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && cgroup_read_file(dir, "status", text, sizeof(text)) == 0) {
		line = strstr(text, "\nTgid:");
		if (line)
			pid = atoi(line + strlen("\nTgid:"));
	}
	return pid;
}

/* Adds what one cgroup's file lists. */
static int add_members(int dir, const char *file, bool threads, struct pid_list *list)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = path_read_file(dir, file, PROCS_MAX, NULL, file, &err);
	char *next = text;
	int errnum = err.errnum;

	error_clear(&err);
	if (!text) {
		errno = errnum;
		return -1;
	}
	for (;;) {
		char *end;
		long id = strtol(next, &end, 10);

		if (end == next)
			return 0;
		next = end;
		if (threads)
			id = process_of_thread((pid_t)id);
		/* 0: a process that our pid namespace does not show. */
		if (id > 0 && pid_list_add(list, (pid_t)id)) {
			errno = ENOMEM;
			return -1;
		}
	}
}

static int visit_members(int dir, void *data)
{
	if (add_members(dir, "cgroup.procs", false, data) == 0)
		return 0;
	/* A threaded cgroup of v2 lists threads only; its processes may belong further up. */
	if (errno == EOPNOTSUPP && add_members(dir, "cgroup.threads", true, data) == 0)
		return 0;
	return errno == ENOENT || errno == ENODEV ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static void sort_unique(struct pid_list *list)
{
	size_t kept = 0;

	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		if (i == 0 || list->items[i] != list->items[kept - 1])
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

/*
 * The hierarchy that tells who is in a container. Its processes are in all of them; one that can't
 * be left without leaving a limit behind is asked first.
 */
const struct cgroup_hierarchy *cgroup_member_hierarchy(const struct cgroup_layout *layout)
{
	static const char *const order[] = {"pids", "memory", "freezer", "cpu", "", "name=systemd"};

	/* On v2 every controller is in one tree. */
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, order[i]);

		if (hierarchy)
			return hierarchy;
	}
	return layout->count > 0 ? &layout->hierarchies[0] : NULL;
}

int cgroup_hierarchy_pids(const struct cgroup_hierarchy *hierarchy, const char *path, pid_t **pids,
			  size_t *count, struct error *err)
{
	cleanup_close int dir = cgroup_open(hierarchy, path);
	struct pid_list list = {NULL, 0, 0};
	const struct cgroup_walker walker = {.visit = visit_members, .data = &list};
	int walks = 0;

	*pids = NULL;
	*count = 0;
	if (dir < 0 && errno == ENOENT)
		return 0;
	while (dir < 0 || cgroup_walk(dir, &walker)) {
		if (dir < 0 || errno != ESTALE || ++walks == WALKS_MAX) {
			free(list.items);
			return error_errno(err, errno, "can't list the processes of cgroup %s (%s)",
					   path, cgroup_hierarchy_name(hierarchy));
		}
		list.count = 0;
	}
	sort_unique(&list);
	*pids = list.items;
	*count = list.count;
	return 0;
}

int cgroup_pids(const struct cgroup_layout *layout, const char *path, pid_t **pids, size_t *count,
		struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_member_hierarchy(layout);

	if (!hierarchy)
		return error_set(err, "no cgroup hierarchy is mounted");
	return cgroup_hierarchy_pids(hierarchy, path, pids, count, err);
}

int cgroup_check_member(const struct cgroup_layout *layout, const char *path, pid_t pid,
			struct error *err)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		cleanup_free pid_t *pids = NULL;
		size_t count = 0, k = 0;

		if (cgroup_hierarchy_pids(hierarchy, path, &pids, &count, err))
			return -1;
		while (k < count && pids[k] != pid)
			k++;
		if (k == count)
			return error_set(err,
					 "the container's first process is not in its cgroup %s "
					 "(%s)",
					 path, cgroup_hierarchy_name(hierarchy));
	}
	return 0;
}

/* ---- whether it is there ---- */

struct found {
	bool member, child;
};

static int visit_found(int dir, void *data)
{
	struct found *found = data;
	char text[16];

	/* A threaded cgroup (EOPNOTSUPP) has processes, or threads of some. */
	if (cgroup_read_file(dir, "cgroup.procs", text, sizeof(text)) == 0)
		found->member |= text[0] != '\0';
	else
		found->member |= errno == EOPNOTSUPP;
	return 0;
}

static int leave_found(int parent, const char *name, void *data)
{
	(void)parent;
	(void)name;
	((struct found *)data)->child = true;
	return 1; /* enough */
}

bool cgroup_exists(const struct cgroup_layout *layout, const char *path)
{
	cleanup_close int fd = layout->count ? cgroup_open(&layout->hierarchies[0], path) : -1;

	return fd >= 0 || (layout->count && errno != ENOENT);
}

int cgroup_probe(const struct cgroup_layout *layout, const char *path, bool *exists, bool *in_use,
		 struct error *err)
{
	struct found found = {false, false};
	const struct cgroup_walker walker = {visit_found, leave_found, &found};

	*exists = *in_use = false;
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		cleanup_close int dir = cgroup_open(hierarchy, path);

		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0 || cgroup_walk(dir, &walker) < 0)
			return error_errno(err, errno, "can't look at cgroup %s (%s)", path,
					   cgroup_hierarchy_name(hierarchy));
		*exists = true;
	}
	*in_use = found.member || found.child;
	return 0;
}

/* An identity is written as a JSON number, of which readers have 63 bits: the directory's number
 * below, some bits of the hierarchy's name above. */
#define IDENTITY_BITS 40

static uint64_t name_bits(const struct cgroup_hierarchy *hierarchy)
{
	uint64_t hash = 5381;

	for (const char *name = cgroup_hierarchy_name(hierarchy); *name; name++)
		hash = hash * 33 ^ (unsigned char)*name;
	return (hash & 0x3fffff) << IDENTITY_BITS;
}

/* 0 with errno: it isn't there, or can't be looked at. */
static uint64_t identity_in(const struct cgroup_hierarchy *hierarchy, const char *path)
{
	cleanup_close int dir = cgroup_open(hierarchy, path);
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0)
		return 0;
	return (st.st_ino & ((UINT64_C(1) << IDENTITY_BITS) - 1)) | name_bits(hierarchy);
}

uint64_t cgroup_identity(const struct cgroup_layout *layout, const char *path)
{
	uint64_t identity = 0;

	for (size_t i = 0; i < layout->count && !identity; i++)
		identity = identity_in(&layout->hierarchies[i], path);
	return identity;
}

int cgroup_check_writable(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (hierarchy->read_only)
			return error_set(
			    err,
			    "linux.cgroupsPath: \"%s\" can't be made: the %s hierarchy "
			    "is mounted read-only on %s",
			    path, cgroup_hierarchy_name(hierarchy), hierarchy->mount);
	}
	return 0;
}

int cgroup_check_made(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	char directory[PATH_MAX];

	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		int length = snprintf(directory, sizeof(directory), "%s%s", hierarchy->mount, path);

		if (length < 0 || (size_t)length >= sizeof(directory) ||
		    access(directory, F_OK) < 0)
			return error_set(err,
					 "this version of LXC did not make the cgroup \"%s\" in "
					 "the %s hierarchy, which is mounted on %s",
					 path, cgroup_hierarchy_name(hierarchy), hierarchy->mount);
	}
	return 0;
}

int cgroup_has_identity(const struct cgroup_layout *layout, const char *path, uint64_t identity,
			struct error *err)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		uint64_t here;

		if (name_bits(hierarchy) != identity >> IDENTITY_BITS << IDENTITY_BITS)
			continue;
		here = identity_in(hierarchy, path);
		if (here)
			return here == identity;
		if (errno != ENOENT)
			return error_errno(err, errno, "can't look at cgroup %s (%s)", path,
					   cgroup_hierarchy_name(hierarchy));
	}
	return identity != 0;
}

/* ---- joining ---- */

int cgroup_open_unified(const struct cgroup_layout *layout, const char *path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, "");

	if (!hierarchy) {
		errno = ENOENT;
		return -1;
	}
	return cgroup_open(hierarchy, path);
}

static char *unified_path(const char *process)
{
	char text[8192], *line;
	cleanup_close int proc = open(process, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0 || cgroup_read_file(proc, "cgroup", text, sizeof(text)))
		return NULL;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return NULL;
	line += *line == '\n' ? 4 : 3;
	return strndup(line, strcspn(line, "\n"));
}

char *cgroup_unified_path(pid_t pid)
{
	char process[32];

	snprintf(process, sizeof(process), "/proc/%d", (int)pid);
	return unified_path(process);
}

/* Whether the caller already is in `path` of the unified tree, as after CLONE_INTO_CGROUP. */
static bool is_in_unified(const char *path)
{
	cleanup_free char *own = unified_path("/proc/self");

	return own && strcmp(own, path) == 0;
}

/*
 * Moving a process takes a lock that all forks and exits share, and waits until every CPU has seen
 * that it is taken. Measured here (Linux 6.18, idle, 9 v1 hierarchies, 100 runs each): writing to
 * cgroup.procs 0.2 to 4.7 ms in the median and 15 at worst, nearly all of it in the first write;
 * writing "0" to v1's tasks, which moves the calling thread alone and goes without the lock,
 * 0.1 ms for all nine, at worst 0.25. v2 knows no such way between domains: 9.7 ms, but none of it
 * for a process that was cloned into its cgroup (CLONE_INTO_CGROUP: 0.1 ms more than a plain fork).
 */
static int join_one(const struct cgroup_hierarchy *hierarchy, int dir, const char *path, pid_t pid)
{
	char text[16];

	if (pid == 0 && hierarchy->unified && is_in_unified(path))
		return 0;
	snprintf(text, sizeof(text), "%d", pid);
	return cgroup_write_file(dir, pid == 0 && !hierarchy->unified ? "tasks" : "cgroup.procs",
				 text);
}

bool cgroup_may_join(const struct cgroup_layout *layout, const char *path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, "");
	cleanup_free char *common = hierarchy ? strdup(path) : NULL;
	cleanup_close int dir = -1;
	size_t length = 0, both = 0;

	if (!common)
		return true;
	while (common[length] && common[length] == hierarchy->own[length]) {
		length++;
		if ((common[length] == '/' || !common[length]) &&
		    (hierarchy->own[length] == '/' || !hierarchy->own[length]))
			both = length;
	}
	common[both] = '\0';
	dir = cgroup_open(hierarchy, both ? common : "/");
	return dir >= 0 && faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

int cgroup_join(const struct cgroup_layout *layout, const char *path, pid_t pid, struct error *err)
{
	bool joined = false;

	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];
		cleanup_close int dir = cgroup_open(hierarchy, path);

		/* Where the container has no cgroup, its first process isn't in one either. */
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0 || join_one(hierarchy, dir, path, pid))
			return error_errno(err, errno, "can't join cgroup %s (%s)", path,
					   cgroup_hierarchy_name(hierarchy));
		joined = true;
	}
	if (!joined)
		return error_errno(err, ENOENT, "can't join cgroup %s", path);
	return 0;
}
