/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the kernel's counter files. No stdio: a round reads some fifty of them. */
#include "cgroup/stats_internal.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

#define FIRST_SIZE ((size_t)16 * 1024)

/* A controller that is not there, was switched off, or a cgroup that was removed. */
static bool means_missing(int errnum)
{
	return errnum == ENOENT || errnum == ENODEV || errnum == EOPNOTSUPP || errnum == EACCES ||
	       errnum == EPERM;
}

static int grow(struct stats_buffer *buffer)
{
	size_t size = buffer->size ? buffer->size * 2 : FIRST_SIZE;
	char *grown = realloc(buffer->text, size);

	if (!grown)
		return -1;
	buffer->text = grown;
	buffer->size = size;
	return 0;
}

/* Reads to the end: a seq_file may give less than it has. */
static ssize_t read_all(int fd, struct stats_buffer *buffer)
{
	size_t used = 0;

	for (;;) {
		ssize_t got;

		if (used + 1 >= buffer->size && grow(buffer)) {
			errno = ENOMEM;
			return -1;
		}
		got = read(fd, buffer->text + used, buffer->size - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	buffer->text[used] = '\0';
	return (ssize_t)used;
}

char *stats_text(struct stats_round *round, int dir, const char *file, size_t *length)
{
	cleanup_close int fd = -1;
	ssize_t got = -1;

	if (dir < 0 || round->errnum)
		return NULL;
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		got = read_all(fd, round->buffer);
	if (got < 0) {
		if (!means_missing(errno)) {
			round->errnum = errno;
			round->failed = file;
		}
		return NULL;
	}
	round->found = true;
	if (length)
		*length = (size_t)got;
	return round->buffer->text;
}

void *stats_alloc(struct stats_round *round, size_t count, size_t size)
{
	void *result = arena_alloc(&round->stats->arena, count, size);

	if (!result) {
		round->errnum = ENOMEM;
		round->failed = "its statistics";
	}
	return result;
}

char *stats_kept_text(struct stats_round *round, int dir, const char *file)
{
	size_t length;
	const char *text = stats_text(round, dir, file, &length);
	char *copy = text ? stats_alloc(round, length + 1, 1) : NULL;

	return copy ? memcpy(copy, text, length) : NULL;
}

const char *stats_parse(const char *text, uint64_t *value)
{
	bool negative = *text == '-';
	uint64_t number = 0;
	const char *at;

	if (strncmp(text, "max", 3) == 0) {
		*value = UINT64_MAX;
		return text + 3;
	}
	text += negative;
	for (at = text; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at == text)
		return NULL;
	*value = negative ? 0 : number;
	return at;
}

bool stats_number(struct stats_round *round, int dir, const char *file, uint64_t *value)
{
	const char *text = stats_text(round, dir, file, NULL);

	return text && stats_parse(text, value);
}

bool stats_pair(char **rest, char **key, uint64_t *value)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		char *space = strchr(line, ' ');

		if (!space || !stats_parse(space + 1, value))
			continue;
		*space = '\0';
		*key = line;
		return true;
	}
	return false;
}

bool stats_keyed_number(struct stats_round *round, int dir, const char *file, const char *key,
			uint64_t *value)
{
	char *rest = stats_text(round, dir, file, NULL), *name;
	uint64_t number;

	while (stats_pair(&rest, &name, &number)) {
		if (strcmp(name, key) == 0) {
			*value = number;
			return true;
		}
	}
	return false;
}
