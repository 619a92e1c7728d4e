/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers there are. */
#include "state/state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

struct ids {
	char **items; /* NULL-terminated once there is one */
	size_t count, capacity;
};

static int ids_add(struct ids *ids, const char *id)
{
	if (ids->count + 1 >= ids->capacity) {
		size_t capacity = ids->capacity ? ids->capacity * 2 : 16;
		char **grown = reallocarray(ids->items, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		ids->items = grown;
		ids->capacity = capacity;
	}
	ids->items[ids->count] = id ? strdup(id) : NULL;
	if (id && !ids->items[ids->count++])
		return -1;
	ids->items[ids->count] = NULL;
	return 0;
}

void state_ids_free(char **ids)
{
	if (!ids)
		return;
	for (char **id = ids; *id; id++)
		free(*id);
	free(ids);
}

static void cleanup_ids(struct ids *ids)
{
	state_ids_free(ids->items);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_directory(int root, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(root, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_id(const char *name)
{
	struct error err = ERROR_INIT;
	bool valid = state_id_check(name, &err) == 0;

	error_clear(&err);
	return valid;
}

int state_ids(int root, char ***ids, size_t *count, struct error *err)
{
	cleanup_with(cleanup_ids) struct ids list = {NULL, 0, 0};
	cleanup_closedir DIR *stream = NULL;
	struct dirent *entry;
	/* Not a dup: that would share the position in the directory with others. */
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		stream = fdopendir(fd);
	if (!stream) {
		int errnum = errno;

		fd_close(fd);
		return error_errno(err, errnum, "can't list the containers");
	}
	if (ids_add(&list, NULL))
		return error_errno(err, ENOMEM, "can't list the containers");
	while (errno = 0, (entry = readdir(stream))) {
		if (!is_id(entry->d_name) || !is_directory(root, entry))
			continue;
		if (ids_add(&list, entry->d_name))
			return error_errno(err, ENOMEM, "can't list the containers");
	}
	if (errno)
		return error_errno(err, errno, "can't list the containers");
	qsort(list.items, list.count, sizeof(*list.items), compare);
	*count = list.count;
	*ids = PTR_TAKE(list.items);
	return 0;
}
