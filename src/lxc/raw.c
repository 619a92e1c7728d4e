/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw LXC configuration: the annotations org.linuxcontainers.lxc.KEY of a config.json, each of
 * which is a line "lxc.KEY = VALUE" of an LXC configuration. What becomes of which key is in
 * raw_keys.c, the older names are in raw_names.c.
 */
#include "lxc/raw.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "lxc/network.h"
#include "spec/read.h"

/* ---- what the meanings share ---- */

int raw_no_memory(const struct raw_item *item, struct error *err)
{
	error_errno(err, ENOMEM, "annotations: %s", item->annotation);
	return -1;
}

int raw_number(const struct raw_item *item, unsigned long long max, unsigned long long *number,
	       struct error *err)
{
	char *end;

	errno = 0;
	*number = strtoull(item->value, &end, 10);
	if (!isdigit((unsigned char)item->value[0]) || *end || errno || *number > max)
		return raw_fail(item, err, "\"%s\" is not a number from 0 to %llu", item->value,
				max);
	return 0;
}

int raw_append(struct raw_state *state, const struct raw_item *item, struct spec_strings *list,
	       const char *text, struct error *err)
{
	char **items = arena_alloc(&state->spec->arena, list->count + 2, sizeof(*items));

	if (!items)
		return raw_no_memory(item, err);
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count] = arena_strdup(&state->spec->arena, text);
	if (!items[list->count])
		return raw_no_memory(item, err);
	list->items = items;
	list->count++;
	return 0;
}

/* ---- reading ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What LXC makes of what stands behind the "=" of a line: without blanks around it, then without a
 * pair of quotes around that. "#" and "=" in it are its own. */
static char *trim(struct arena *arena, const char *text)
{
	char *copy, *end;

	while (is_blank(*text))
		text++;
	copy = arena_strdup(arena, text);
	if (!copy)
		return NULL;
	for (end = copy + strlen(copy); end > copy && is_blank(end[-1]); end--)
		end[-1] = '\0';
	if (end - copy > 1 && (copy[0] == '"' || copy[0] == '\'') && end[-1] == copy[0]) {
		end[-1] = '\0';
		copy++;
	}
	return copy;
}

/* The key in an annotation's name; "#2" and the like at its end only tell it from another one. */
static char *key_of(const char *annotation, struct arena *arena)
{
	char *key = arena_printf(arena, "lxc.%s", annotation + strlen(LXC_RAW_PREFIX));
	char *number = key ? strrchr(key, '#') : NULL;

	if (number && number[1] && !number[1 + strspn(number + 1, "0123456789")])
		*number = '\0';
	return key;
}

static int check_bytes(const struct raw_item *item, struct error *err)
{
	const char *c;

	/* A line of a file could not hold them, and config.lxc is one. */
	for (c = item->value; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return raw_fail(item, err, "its value has a %s in it",
					*c == '\n' ? "newline" : "control character");
	for (c = item->key; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == '=' || *c == '#' || *c == 0x7f)
			return raw_fail(item, err, "is not the name of an LXC key");
	return 0;
}

/* The document's name stands before every error already. */
static int blame(const struct spec *spec, const struct raw_item *item, struct error *err)
{
	size_t length = strlen(spec->name);

	if (err->message && strncmp(err->message, spec->name, length) == 0 &&
	    strncmp(err->message + length, ": ", 2) == 0)
		memmove(err->message, err->message + length + 2,
			strlen(err->message + length + 2) + 1);
	return error_prefix(err, "annotations: %s", item->annotation);
}

static int push(struct raw_list *list, struct arena *arena, const struct raw_item *item,
		struct error *err)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct raw_item *items = arena_alloc(arena, capacity, sizeof(*items));

		if (!items)
			return raw_no_memory(item, err);
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = *item;
	return 0;
}

/* A file of entries: each of its lines is one. */
static int push_fstab(struct raw_list *list, struct arena *arena, const struct raw_item *fstab,
		      struct error *err)
{
	struct raw_item item = *fstab;
	cleanup_free char *text = NULL;
	char *line, *save = NULL;

	if (fstab->value[0] != '/')
		return raw_fail(fstab, err, "\"%s\" is not an absolute path", fstab->value);
	text = path_read_file(AT_FDCWD, fstab->value, (size_t)1 << 20, NULL, fstab->value, err);
	if (!text)
		return error_prefix(err, "annotations: %s", fstab->annotation);
	item.key = "lxc.mount.entry";
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		item.value = trim(arena, line);
		if (!item.value)
			return raw_no_memory(fstab, err);
		if (*item.value && *item.value != '#' &&
		    (check_bytes(&item, err) < 0 || push(list, arena, &item, err) < 0))
			return -1;
	}
	return 0;
}

static int read_item(const struct spec_pair *pair, struct arena *arena, int *network,
		     struct raw_item *item, struct error *err)
{
	const char *key = key_of(pair->key, arena);

	item->annotation = pair->key;
	item->value = trim(arena, pair->value);
	if (!key || !item->value)
		return raw_no_memory(item, err);
	item->key = key;
	if (check_bytes(item, err) < 0)
		return -1;
	item->key = raw_translate(key, network, arena, err);
	if (!item->key)
		return error_prefix(err, "annotations: %s", item->annotation);
	item->kind = raw_find_key(item->key);
	return 0;
}

/* All of them, in the document's order; with `files` also what is in a table of mounts. */
static int read_list(const struct spec *spec, bool files, struct arena *arena,
		     struct raw_list *list, struct error *err)
{
	int network = -1;
	size_t i;

	for (i = 0; i < spec->annotations.count; i++) {
		const struct spec_pair *pair = &spec->annotations.items[i];
		struct raw_item item = {0};

		if (strncmp(pair->key, LXC_RAW_PREFIX, strlen(LXC_RAW_PREFIX)) != 0)
			continue;
		if (read_item(pair, arena, &network, &item, err) < 0)
			return -1;
		if (files && strcmp(item.key, "lxc.mount.fstab") == 0) {
			if (push_fstab(list, arena, &item, err) < 0)
				return -1;
		} else if (push(list, arena, &item, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* ---- applying ---- */

const char *lxc_raw_asked(const struct spec *spec)
{
	size_t i;

	for (i = 0; i < spec->annotations.count; i++)
		if (strncmp(spec->annotations.items[i].key, LXC_RAW_PREFIX,
			    strlen(LXC_RAW_PREFIX)) == 0)
			return spec->annotations.items[i].key;
	return NULL;
}

static int apply(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	const struct raw_key *kind = item->kind;

	if (!kind) /* LXC may be newer than we are: it is asked when the container is started */
		return 0;
	switch (kind->class) {
	case RAW_REFUSED:
		return raw_fail(item, err, "%s can't be set in a container of runlxc; use %s",
				item->key, kind->instead);
	case RAW_SO:
		if (strcmp(item->value, kind->value) != 0)
			return raw_fail(item, err,
					"%s can't be \"%s\" in a container of runlxc, only \"%s\"; "
					"use %s",
					item->key, item->value, kind->value, kind->instead);
		return 0;
	case RAW_DROPPED:
		log_warning(state->log, "annotations: %s: has had no effect since LXC 2.1",
			    item->annotation);
		return 0;
	default:
		return kind->apply ? kind->apply(state, item, err) : 0;
	}
}

static int validate(struct spec *spec, bool process_only, const struct raw_item *item,
		    struct error *err)
{
	if ((process_only ? spec_validate_process(&spec->process, err) : spec_validate(spec, err)) <
	    0)
		return blame(spec, item, err);
	return 0;
}

int lxc_raw_apply(struct spec *spec, bool process_only, const struct log *log, struct error *err)
{
	struct raw_state state = {.spec = spec,
				  .capabilities = spec->process.capabilities,
				  .env = spec->process.env,
				  .log = log};
	const struct raw_item *mapping = NULL;
	struct raw_list list = {0};
	size_t i;

	if (!lxc_raw_asked(spec))
		return 0;
	if (read_list(spec, !process_only, &spec->arena, &list, err) < 0)
		return -1;
	for (i = 0; i < list.count; i++) {
		const struct raw_item *item = &list.items[i];
		bool ours = item->kind && item->kind->class == RAW_OURS;

		if (process_only && !(ours && item->kind->of_process))
			continue;
		if (apply(&state, item, err) < 0)
			return -1;
		/* Mappings of users alone aren't valid; those of groups follow. */
		if (ours && strcmp(item->key, "lxc.idmap") == 0)
			mapping = item;
		else if (ours && !mapping && validate(spec, process_only, item, err) < 0)
			return -1;
	}
	return mapping ? validate(spec, process_only, mapping, err) : 0;
}

/* ---- as items ---- */

/* A limit of the wrong version LXC ignores, with a word in its log. */
static int check_cgroup(const struct lxc_request *request, const struct raw_item *item,
			struct error *err)
{
	bool unified = request->layout->mode == CGROUP_UNIFIED;

	if (strncmp(item->key, "lxc.cgroup2.", strlen("lxc.cgroup2.")) == 0 && !unified)
		return raw_fail(item, err,
				"this host's limits are those of cgroup v1; use lxc.cgroup.*");
	if (strncmp(item->key, "lxc.cgroup.", strlen("lxc.cgroup.")) == 0 && unified)
		return raw_fail(item, err,
				"this host's limits are those of cgroup v2; use lxc.cgroup2.*");
	return 0;
}

static bool is_passed(const struct raw_item *item)
{
	if (strcmp(item->key, "lxc.mount.entry") == 0)
		return raw_mount_is_lxcs(item->value);
	return !item->kind || item->kind->class == RAW_PASSED;
}

int lxc_raw_compile(const struct lxc_request *request, struct lxc_recipe *recipe, struct error *err)
{
	const char *first = lxc_raw_asked(request->spec);
	struct raw_list list = {0};
	size_t i;

	if (!first)
		return 0;
	/* The driver has asked already; this is where it counts. */
	if (!request->lxc_annotations)
		return lxc_raw_refuse(first, err);
	if (read_list(request->spec, true, &recipe->arena, &list, err) < 0)
		return -1;
	for (i = 0; i < list.count; i++) {
		const struct raw_item *item = &list.items[i];

		if (!is_passed(item))
			continue;
		if (check_cgroup(request, item, err) < 0 ||
		    lxc_recipe_add(recipe, item->key,
				   network_value(&recipe->arena, item->key, item->value), err) < 0)
			return -1;
	}
	return 0;
}

int lxc_raw_refuse(const char *annotation, struct error *err)
{
	return error_set(err,
			 "annotations: %s: raw LXC configuration is not allowed; the host's "
			 "operator can allow it by runlxc --lxc-annotations or by the key in "
			 "\"lxc_annotations\" of " LXC_RAW_OPERATOR_FILE,
			 annotation);
}

static bool is_among(const char *key, char *const *allowed, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(allowed[i]);

		if (length > 2 && strcmp(allowed[i] + length - 2, ".*") == 0
			? strncmp(key, allowed[i], length - 1) == 0
			: strcmp(key, allowed[i]) == 0)
			return true;
	}
	return false;
}

int lxc_raw_check_allowed(const struct spec *spec, char *const *allowed, size_t count,
			  struct error *err)
{
	struct raw_list list = {0};
	struct arena arena = ARENA_INIT;
	int result = read_list(spec, false, &arena, &list, err);

	for (size_t i = 0; result == 0 && i < list.count; i++) {
		if (!is_among(list.items[i].key, allowed, count))
			result = lxc_raw_refuse(list.items[i].annotation, err);
	}
	arena_free(&arena);
	return result;
}

int lxc_raw_blame(const struct spec *spec, const char *key, const char *value, const char *reason,
		  struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct raw_list list = {0};
	struct arena arena = ARENA_INIT;
	const char *annotation = NULL;
	size_t i;

	if (lxc_raw_asked(spec) && read_list(spec, false, &arena, &list, &ignored) == 0)
		for (i = 0; i < list.count && !annotation; i++)
			if (strcmp(list.items[i].key, key) == 0 &&
			    strcmp(list.items[i].value, value) == 0)
				annotation = list.items[i].annotation;
	error_clear(&ignored);
	arena_free(&arena);
	if (!annotation)
		return error_set(err, "LXC refuses %s = %s%s%s", key, value, *reason ? ": " : "",
				 reason);
	return error_set(err, "annotations: %s: LXC refuses %s = %s%s%s", annotation, key, value,
			 *reason ? ": " : "", reason);
}
