/* SPDX-License-Identifier: Apache-2.0 */
#include "process/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

#define DIRECTORY "@seccomp"
#define MAGIC 0x34504243u /* "CBP4" */
/* A host has a handful of profiles. Beyond this many the directory is emptied before the next is
 * kept. */
#define FILES_MAX 64

struct header {
	uint32_t magic, instructions;
	uint64_t key_size, filter_hash;
};

/* FNV-1a of words, and what they leave in the upper half goes into the lower one, too. For Docker's
 * profile it takes 3 µs; of bytes it took 16. */
static uint64_t hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t value = 14695981039346656037ULL, word;

	for (size_t at = 0; at < size; at += sizeof(word)) {
		word = 0;
		memcpy(&word, bytes + at, size - at < sizeof(word) ? size - at : sizeof(word));
		value = (value ^ word) * 1099511628211ULL;
		value ^= value >> 32;
	}
	return value;
}

static void put(struct seccomp_key *key, const void *data, size_t size)
{
	char *grown = realloc(key->data, key->size + size);

	if (!grown) {
		seccomp_key_free(key);
		return;
	}
	memcpy(grown + key->size, data, size);
	key->data = grown;
	key->size += size;
}

static void put_text(FILE *out, const char *text)
{
	if (text)
		fwrite(text, 1, strlen(text) + 1, out);
	else
		fwrite("\1", 1, 2, out); /* absent, which is not the same as empty */
}

static void put_number(FILE *out, uint64_t number)
{
	fwrite(&number, sizeof(number), 1, out);
}

static void put_optional(FILE *out, const struct spec_u64 *number)
{
	put_number(out, number->set);
	put_number(out, number->value);
}

static void put_texts(FILE *out, const struct spec_strings *list)
{
	size_t i;

	put_number(out, list->count);
	for (i = 0; i < list->count; i++)
		put_text(out, list->items[i]);
}

void seccomp_key_make(struct seccomp_key *key, const struct spec_seccomp *seccomp)
{
	const struct scmp_version *version = seccomp_version();
	size_t i, k;
	FILE *out;

	memset(key, 0, sizeof(*key));
	out = open_memstream(&key->data, &key->size);
	if (!out)
		return;
	put_number(out, (uint64_t)version->major << 32 | version->minor << 16 | version->micro);
	put_number(out, seccomp_api_get());
	put_number(out, seccomp_arch_native());
	put_text(out, seccomp->default_action);
	put_optional(out, &seccomp->default_errno_ret);
	put_texts(out, &seccomp->architectures);
	put_number(out, seccomp->syscalls_count);
	for (i = 0; i < seccomp->syscalls_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->syscalls[i];

		put_texts(out, &rule->names);
		put_text(out, rule->action);
		put_optional(out, &rule->errno_ret);
		put_number(out, rule->args_count);
		for (k = 0; k < rule->args_count; k++) {
			put_number(out, rule->args[k].index);
			put_number(out, rule->args[k].value);
			put_number(out, rule->args[k].value_two);
			put_text(out, rule->args[k].op);
		}
	}
	if (fclose(out) != 0) {
		seccomp_key_free(key);
		return;
	}
	key->hash = hash(key->data, key->size);
}

void seccomp_key_free(struct seccomp_key *key)
{
	free(key->data);
	memset(key, 0, sizeof(*key));
}

static void file_name(const struct seccomp_key *key, char name[64])
{
	snprintf(name, 64, "%016llx", (unsigned long long)key->hash);
}

/* -1 with errno where it is not a directory of our own: a symlink is not followed. */
static int open_directory(int root)
{
	cleanup_close int fd =
	    openat(root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	return fd_take(&fd);
}

int seccomp_cache_load(int root, const struct seccomp_key *key, struct sock_filter **filter,
		       size_t *count)
{
	cleanup_close int directory = -1, fd = -1;
	cleanup_free char *data = NULL;
	struct header header;
	struct stat st;
	size_t bytes;
	char name[64];

	if (root < 0 || !key->data)
		return -1;
	directory = open_directory(root);
	if (directory < 0)
		return -1;
	file_name(key, name);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -1;
	bytes = (size_t)header.instructions * sizeof(**filter);
	/* Cut short by a full disk or a kill, or another profile of the same hash: not ours. */
	if (header.magic != MAGIC || header.key_size != key->size || !header.instructions ||
	    header.instructions > BPF_MAXINSNS ||
	    (size_t)st.st_size != sizeof(header) + key->size + bytes)
		return -1;
	data = malloc(key->size + bytes);
	if (!data ||
	    pread(fd, data, key->size + bytes, sizeof(header)) != (ssize_t)(key->size + bytes) ||
	    memcmp(data, key->data, key->size) != 0 ||
	    hash(data + key->size, bytes) != header.filter_hash)
		return -1;
	*filter = malloc(bytes);
	if (!*filter)
		return -1;
	memcpy(*filter, data + key->size, bytes);
	*count = header.instructions;
	return 0;
}

static void make_room(int directory)
{
	cleanup_closedir DIR *list = NULL;
	struct dirent *entry;
	int files = 0, pass;

	list = fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 0));
	for (pass = 0; list && pass < 2; pass++) {
		rewinddir(list);
		while ((entry = readdir(list))) {
			if (entry->d_name[0] == '.')
				continue;
			if (pass == 0)
				files++;
			else
				unlinkat(directory, entry->d_name, 0);
		}
		if (files < FILES_MAX)
			return;
	}
}

int seccomp_cache_store(int root, const struct seccomp_key *key, const struct sock_filter *filter,
			size_t count)
{
	struct header header = {MAGIC, (uint32_t)count, key->size,
				hash(filter, count * sizeof(*filter))};
	cleanup_close int directory = -1, fd = -1;
	struct seccomp_key whole = {0};
	char name[64], temporary[64];
	int result;

	if (root < 0 || !key->data)
		return 0;
	if (mkdirat(root, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -1;
	directory = open_directory(root);
	if (directory < 0)
		return -1;
	make_room(directory);
	put(&whole, &header, sizeof(header));
	put(&whole, key->data, key->size);
	put(&whole, filter, count * sizeof(*filter));
	file_name(key, name);
	snprintf(temporary, sizeof(temporary), "tmp.%d", (int)gettid());
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0 || !whole.data) {
		seccomp_key_free(&whole);
		return -1;
	}
	/* Renamed when it is whole: a reader sees all of it or none. */
	result = path_write_all(fd, whole.data, whole.size);
	if (result == 0)
		result = renameat(directory, temporary, directory, name);
	if (result < 0) {
		int saved = errno;

		unlinkat(directory, temporary, 0);
		errno = saved;
	}
	seccomp_key_free(&whole);
	return result;
}
