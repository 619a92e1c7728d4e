/* SPDX-License-Identifier: Apache-2.0 */
/* Raw LXC keys that are about the container and that the spec owns: its root, name, mounts … */
#include "lxc/raw.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int raw_hostname(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	if (!*item->value)
		return raw_fail(item, err, "has no value");
	state->spec->hostname = arena_strdup(&state->spec->arena, item->value);
	return state->spec->hostname ? 0 : raw_no_memory(item, err);
}

/* "/srv/box" or "dir:/srv/box". What LXC would have to attach first isn't there when the mounts
 * are compiled. */
int raw_rootfs(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	const char *backend =
	    spec_pairs_get(&state->spec->annotations, LXC_RAW_PREFIX "rootfs.backend");
	const char *path = item->value;

	if (strncmp(path, "dir:", 4) == 0)
		path += 4;
	else if (backend && *backend && strcmp(backend, "dir") != 0)
		return raw_fail(item, err, "a root of type \"%s\" is not supported; mount it first",
				backend);
	if (*path != '/')
		return raw_fail(item, err,
				"\"%s\" is not a directory's absolute path; other kinds of roots "
				"must be mounted first",
				item->value);
	state->spec->root.path = arena_strdup(&state->spec->arena, path);
	return state->spec->root.path ? 0 : raw_no_memory(item, err);
}

int raw_sysctl(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_pairs *sysctls = &state->spec->linux_.sysctl;
	const char *name = item->key + strlen("lxc.sysctl.");
	struct spec_pair *items =
	    arena_alloc(&state->spec->arena, sysctls->count + 1, sizeof(*items));
	size_t i;

	if (!items)
		return raw_no_memory(item, err);
	if (sysctls->count)
		memcpy(items, sysctls->items, sysctls->count * sizeof(*items));
	for (i = 0; i < sysctls->count; i++)
		if (strcmp(items[i].key, name) == 0)
			break;
	items[i].key = arena_strdup(&state->spec->arena, name);
	items[i].value = arena_strdup(&state->spec->arena, item->value);
	if (!items[i].key || !items[i].value)
		return raw_no_memory(item, err);
	sysctls->items = items;
	sysctls->count += i == sysctls->count;
	return 0;
}

/* ---- id mappings ---- */

static int add_mapping(struct raw_state *state, const struct raw_item *item,
		       struct spec_id_mappings *mappings, const struct spec_id_mapping *mapping,
		       struct error *err)
{
	struct spec_id_mapping *items =
	    arena_alloc(&state->spec->arena, mappings->count + 1, sizeof(*items));

	if (!items)
		return raw_no_memory(item, err);
	if (mappings->count)
		memcpy(items, mappings->items, mappings->count * sizeof(*items));
	items[mappings->count] = *mapping;
	*mappings = (struct spec_id_mappings){mappings->count + 1, items};
	return 0;
}

/* "u 0 100000 65536": the container's first id, the host's, how many. "b" is both. */
int raw_idmap(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_linux *linux_ = &state->spec->linux_;
	struct spec_id_mapping mapping;
	unsigned long numbers[3];
	char kind, more;
	int i;

	if (sscanf(item->value, " %c %lu %lu %lu %c", &kind, &numbers[0], &numbers[1], &numbers[2],
		   &more) != 4 ||
	    !strchr("ugb", kind))
		return raw_fail(item, err, "\"%s\" is not an id mapping like \"u 0 100000 65536\"",
				item->value);
	for (i = 0; i < 3; i++)
		if (numbers[i] > UINT32_MAX)
			return raw_fail(item, err, "%lu is not an id", numbers[i]);
	if (linux_->namespaces[SPEC_NS_USER].path)
		return raw_fail(item, err,
				"the user namespace that is joined has its own mappings");
	linux_->namespaces[SPEC_NS_USER].listed = true;
	mapping = (struct spec_id_mapping){(uint32_t)numbers[0], (uint32_t)numbers[1],
					   (uint32_t)numbers[2]};
	if (kind != 'g' && add_mapping(state, item, &linux_->uid_mappings, &mapping, err) < 0)
		return -1;
	return kind != 'u' ? add_mapping(state, item, &linux_->gid_mappings, &mapping, err) : 0;
}

/* ---- mounts ---- */

/* Room for one more at the end, or in front of all others. */
static struct spec_mount *add_mount(struct raw_state *state, const struct raw_item *item,
				    bool in_front, struct error *err)
{
	struct spec *spec = state->spec;
	struct spec_mount *mounts =
	    arena_alloc(&spec->arena, spec->mounts_count + 1, sizeof(*mounts));
	struct spec_mount *mount;

	if (!mounts) {
		raw_no_memory(item, err);
		return NULL;
	}
	if (spec->mounts_count)
		memcpy(mounts + in_front, spec->mounts, spec->mounts_count * sizeof(*mounts));
	spec->mounts = mounts;
	mount = &mounts[in_front ? 0 : spec->mounts_count];
	spec->mounts_count++;
	*mount = (struct spec_mount){0};
	mount->where = arena_printf(&spec->arena, "annotations: %s: mount", item->annotation);
	if (!mount->where)
		raw_no_memory(item, err);
	return mount->where ? mount : NULL;
}

/* A field of fstab(5), with its octal escapes undone; *text goes behind it. NULL: there is none. */
static char *take_field(char **text)
{
	char *field = *text + strspn(*text, " \t"), *in, *out;

	if (!*field)
		return NULL;
	in = out = field;
	while (*in && *in != ' ' && *in != '\t') {
		unsigned int byte;

		if (*in == '\\' && sscanf(in, "\\%3o", &byte) == 1 && byte && byte < 256 &&
		    isdigit((unsigned char)in[1]) && isdigit((unsigned char)in[2]) &&
		    isdigit((unsigned char)in[3])) {
			*out++ = (char)byte;
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	*text = in + (*in != '\0');
	*out = '\0';
	return field;
}

static bool is_word(const char *option, const char *word)
{
	size_t length = strlen(word);

	return word[length - 1] == '=' ? strncmp(option, word, length) == 0
				       : strcmp(option, word) == 0;
}

bool raw_mount_is_lxcs(const char *entry)
{
	static const char *const words[] = {"optional", "relative", "idmap="};
	cleanup_free char *copy = strdup(entry);
	char *rest = copy, *options, *option, *save = NULL;
	size_t i;

	if (!copy || !take_field(&rest) || !take_field(&rest) || !take_field(&rest))
		return false;
	options = take_field(&rest);
	for (option = options ? strtok_r(options, ",", &save) : NULL; option;
	     option = strtok_r(NULL, ",", &save))
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (is_word(option, words[i]))
				return true;
	return false;
}

/* Where a destination is meant: LXC takes it from the root without a slash in front, and with the
 * root's path in front. */
static const char *inside(const struct spec *spec, const char *destination)
{
	size_t length = strlen(spec->root.path);

	if (spec->root.path[0] == '/' && strncmp(destination, spec->root.path, length) == 0 &&
	    destination[length] == '/')
		return destination + length;
	return destination;
}

/* fstab(5)'s words for who mounts it, and when; mount(2) never sees them. */
static bool is_of_fstab(const char *option)
{
	static const char *const words[] = {"auto",  "noauto", "nofail", "user",   "nouser",
					    "users", "owner",  "group",	 "_netdev"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(option, words[i]) == 0)
			return true;
	return strncmp(option, "x-", 2) == 0 || is_word(option, "comment=");
}

/*
 * "SOURCE DESTINATION TYPE OPTIONS": one more of mounts[], and the last. So it gets what those get:
 * symlinks in its destination stay in the root, its options all hold, and it is where it can be
 * seen, also below a mount that init makes. create=dir and create=file are what always is done.
 */
int raw_mount_entry(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct arena *arena = &state->spec->arena;
	cleanup_free char *copy = strdup(item->value);
	char *rest = copy, *source, *destination, *type, *options, *option, *save = NULL;
	struct spec_mount *mount;

	if (!copy)
		return raw_no_memory(item, err);
	source = take_field(&rest);
	destination = source ? take_field(&rest) : NULL;
	type = destination ? take_field(&rest) : NULL;
	if (!type)
		return raw_fail(item, err,
				"\"%s\" is not a mount like \"/srv/data data none bind 0 0\"",
				item->value);
	if (raw_mount_is_lxcs(item->value))
		return 0;
	options = take_field(&rest);
	mount = add_mount(state, item, false, err);
	if (!mount)
		return -1;
	mount->source = arena_strdup(arena, source);
	mount->destination = arena_printf(arena, "/%s", inside(state->spec, destination));
	mount->type = strcmp(type, "none") == 0 ? NULL : arena_strdup(arena, type);
	if (!mount->source || !mount->destination || (!mount->type && strcmp(type, "none") != 0))
		return raw_no_memory(item, err);
	for (option = options ? strtok_r(options, ",", &save) : NULL; option;
	     option = strtok_r(NULL, ",", &save))
		if (!is_word(option, "create=") && !is_of_fstab(option) &&
		    raw_append(state, item, &mount->options, option, err) < 0)
			return -1;
	return 0;
}

/* A /dev of LXC's is a tmpfs with the usual devices: so is one of ours. */
int raw_autodev(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	static const char *const options[] = {"nosuid", "strictatime", "mode=755", "size=500000"};
	static char dev[] = "/dev", tmpfs[] = "tmpfs";
	unsigned long long on;
	struct spec_mount *mount;
	size_t i;

	if (raw_number(item, 1, &on, err) < 0)
		return -1;
	for (i = 0; i < state->spec->mounts_count; i++)
		if (strcmp(state->spec->mounts[i].destination, dev) == 0)
			return on ? 0
				  : raw_fail(item, err, "can't be 0 where mounts[%zu] is on /dev",
					     i);
	if (!on)
		return 0;
	mount = add_mount(state, item, true, err);
	if (!mount)
		return -1;
	mount->destination = dev;
	mount->type = mount->source = tmpfs;
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (raw_append(state, item, &mount->options, options[i], err) < 0)
			return -1;
	return 0;
}

/* LXC takes what is no number for none. */
int raw_hook_version(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	unsigned long long version;

	(void)state;
	return *item->value ? raw_number(item, 1, &version, err) : 0;
}

/* How many terminals: an option of the container's devpts. */
int raw_pty_max(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_mount *devpts = NULL;
	struct spec_strings options = {0};
	unsigned long long most;
	char option[32];
	size_t i;

	if (raw_number(item, 1U << 20, &most, err) < 0)
		return -1;
	for (i = 0; i < state->spec->mounts_count; i++)
		if (state->spec->mounts[i].type &&
		    strcmp(state->spec->mounts[i].type, "devpts") == 0)
			devpts = &state->spec->mounts[i];
	if (!devpts)
		return raw_fail(item, err, "there is no devpts among mounts[]");
	for (i = 0; i < devpts->options.count; i++)
		if (strncmp(devpts->options.items[i], "max=", 4) != 0 &&
		    raw_append(state, item, &options, devpts->options.items[i], err) < 0)
			return -1;
	snprintf(option, sizeof(option), "max=%llu", most);
	if (raw_append(state, item, &options, option, err) < 0)
		return -1;
	devpts->options = options;
	return 0;
}
