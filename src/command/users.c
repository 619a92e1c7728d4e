/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups by the container's own passwd and group, with the old driver's rules
 * (libcontainer's user package): a number is an id, whether the files know it or not; a name must
 * be there; the groups that list the user are added unless a group is named.
 */
#include "command/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The kernel's -1 is "no change", and so nobody's. */
#define ID_MAX (UINT32_MAX - 1)

/* Of one file: its text, cut into lines as it is walked. */
struct file {
	char *text;
	char *next;
};

static void file_free(struct file *file)
{
	free(file->text);
}

static struct file file_open(const struct view *view, const char *path)
{
	struct file file = {view_read(view, path), NULL};

	file.next = file.text;
	return file;
}

/* Splits the next line at its colons; missing fields are "". NULL at the end. */
static char **file_next(struct file *file, char *fields[], size_t count)
{
	char *line = file->next ? strsep(&file->next, "\n") : NULL;

	for (size_t i = 0; i < count; i++)
		fields[i] = line ? strsep(&line, ":") : NULL;
	for (size_t i = 1; i < count; i++)
		fields[i] = fields[i] ? fields[i] : (char *)"";
	return fields[0] ? fields : NULL;
}

/* Digits and nothing else, up to ID_MAX. */
static bool parse_id(const char *text, uint32_t *id)
{
	unsigned long long number;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > ID_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* ---- passwd ---- */

enum { PASSWD_NAME, PASSWD_UID = 2, PASSWD_GID, PASSWD_HOME = 5, PASSWD_FIELDS };

struct entry {
	char *name; /* owned; NULL: not in the file */
	char *home;
	uint32_t uid, gid;
};

static void entry_free(struct entry *entry)
{
	free(entry->name);
	free(entry->home);
}

/* The first entry of a name or, where that is NULL, of a uid. What isn't an entry is passed over.
 * Without one *entry stays as it is. */
static int find_entry(const struct view *view, const char *name, uint32_t id, struct entry *entry,
		      struct error *err)
{
	cleanup_with(file_free) struct file file = file_open(view, "/etc/passwd");
	char *fields[PASSWD_FIELDS];
	uint32_t uid, gid;

	while (file_next(&file, fields, PASSWD_FIELDS)) {
		if (!parse_id(fields[PASSWD_UID], &uid) || !parse_id(fields[PASSWD_GID], &gid) ||
		    (name ? strcmp(fields[PASSWD_NAME], name) != 0 : uid != id))
			continue;
		*entry = (struct entry){strdup(fields[PASSWD_NAME]), strdup(fields[PASSWD_HOME]),
					uid, gid};
		if (!entry->name || !entry->home)
			return error_errno(err, ENOMEM, "process_config.user");
		return 0;
	}
	return 0;
}

static int find_user(const struct view *view, const char *text, struct entry *entry,
		     struct error *err)
{
	if (parse_id(text, &entry->uid))
		return find_entry(view, NULL, entry->uid, entry, err);
	if (is_number(text))
		return error_set(err, "process_config.user: %s is more than an id can be (%u)",
				 quoted(text), ID_MAX);
	if (find_entry(view, text, 0, entry, err))
		return -1;
	if (!entry->name)
		return error_set(err,
				 "process_config.user: unable to find user %s: no matching entries "
				 "in the container's passwd file",
				 quoted(text));
	return 0;
}

/* init looks a home directory up by the uid, which several users may have. */
static int set_home(const struct view *view, const struct entry *entry, struct command_user *user,
		    struct error *err)
{
	cleanup_with(entry_free) struct entry first = {0};

	if (!entry->name || !*entry->home)
		return 0;
	if (find_entry(view, NULL, entry->uid, &first, err))
		return -1;
	if (first.home && !strcmp(first.home, entry->home))
		return 0;
	user->home = arena_strdup(&user->arena, entry->home);
	return user->home ? 0 : error_errno(err, ENOMEM, "process_config.user");
}

/* ---- group ---- */

enum { GROUP_NAME, GROUP_GID = 2, GROUP_MEMBERS, GROUP_FIELDS };

/* A group by name or number. `field` is what the error calls it. */
static int find_group(const struct view *view, const char *text, const char *field, uint32_t *gid,
		      struct error *err)
{
	cleanup_with(file_free) struct file file = file_open(view, "/etc/group");
	char *fields[GROUP_FIELDS];

	if (parse_id(text, gid))
		return 0;
	if (is_number(text))
		return error_set(err, "%s: %s is more than an id can be (%u)", field, quoted(text),
				 ID_MAX);
	while (file_next(&file, fields, GROUP_FIELDS)) {
		if (!strcmp(fields[GROUP_NAME], text) && parse_id(fields[GROUP_GID], gid))
			return 0;
	}
	return error_set(err,
			 "%s: unable to find group %s: no matching entries in the container's "
			 "group file",
			 field, quoted(text));
}

static int add_group(struct command_user *user, uint32_t gid, struct error *err)
{
	uint32_t *groups;

	for (size_t i = 0; i < user->groups_count; i++) {
		if (user->groups[i] == gid)
			return 0;
	}
	groups = arena_alloc(&user->arena, user->groups_count + 1, sizeof(*groups));
	if (!groups)
		return error_errno(err, ENOMEM, "group_add");
	if (user->groups_count)
		memcpy(groups, user->groups, user->groups_count * sizeof(*groups));
	groups[user->groups_count++] = gid;
	user->groups = groups;
	return 0;
}

static bool is_member(char *members, const char *name)
{
	for (char *member; (member = strsep(&members, ","));) {
		if (!strcmp(member, name))
			return true;
	}
	return false;
}

/* The groups that list the user. */
static int add_memberships(const struct view *view, const char *name, struct command_user *user,
			   struct error *err)
{
	cleanup_with(file_free) struct file file = file_open(view, "/etc/group");
	char *fields[GROUP_FIELDS];
	uint32_t gid;

	while (file_next(&file, fields, GROUP_FIELDS)) {
		if (parse_id(fields[GROUP_GID], &gid) && is_member(fields[GROUP_MEMBERS], name) &&
		    add_group(user, gid, err))
			return -1;
	}
	return 0;
}

/* ---- both ---- */

int command_find_user(const struct view *view, const struct runlxc_command *command,
		      struct command_user *user, struct error *err)
{
	const char *text = command->process_config.user, *const *more = command->group_add;
	cleanup_free char *name = strdup(given(text) ? text : "");
	cleanup_with(entry_free) struct entry entry = {0};
	char *group = name ? strchr(name, ':') : NULL;

	if (!name)
		return error_errno(err, ENOMEM, "process_config.user");
	if (group)
		*group++ = '\0';
	if (find_user(view, *name ? name : "0", &entry, err))
		return -1;
	user->uid = entry.uid;
	user->gid = entry.gid;
	if (given(group)) {
		if (find_group(view, group, "process_config.user", &user->gid, err))
			return -1;
	} else if (entry.name && add_memberships(view, entry.name, user, err)) {
		return -1;
	}
	for (size_t i = 0; more && more[i]; i++) {
		char field[48];
		uint32_t gid = 0;

		snprintf(field, sizeof(field), "group_add[%zu]", i);
		if (find_group(view, more[i], field, &gid, err) || add_group(user, gid, err))
			return -1;
	}
	return set_home(view, &entry, user, err);
}
