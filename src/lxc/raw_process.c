/* SPDX-License-Identifier: Apache-2.0 */
/* Raw LXC keys that are about the process: they change spec->process, as if config.json said so. */
#include "lxc/raw.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* lxc.arch: what programs are told of the machine. */
int raw_arch(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	/* LXC's names; the first fifteen are 32 bits wide. */
	static const char *const names[] = {
	    "arm",	 "armel",   "armhf",	"armv7l",  "athlon",	 "i386",
	    "i486",	 "i586",    "i686",	"linux32", "mips",	 "mipsel",
	    "ppc",	 "powerpc", "x86",	"aarch64", "amd64",	 "arm64",
	    "linux64",	 "mips64",  "mips64el", "ppc64",   "ppc64el",	 "ppc64le",
	    "powerpc64", "riscv64", "s390x",	"x86_64",  "loongarch64"};
	static char wide[] = "LINUX", narrow[] = "LINUX32";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(item->value, names[i]) == 0) {
			state->spec->linux_.personality_domain = i < 15 ? narrow : wide;
			return 0;
		}
	return raw_fail(item, err, "\"%s\" is not an architecture that LXC knows", item->value);
}

static int set_string(struct raw_state *state, const struct raw_item *item, char **field,
		      struct error *err)
{
	*field = NULL;
	if (!*item->value)
		return 0;
	*field = arena_strdup(&state->spec->arena, item->value);
	return *field ? 0 : raw_no_memory(item, err);
}

int raw_apparmor(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	if (strcmp(item->value, "generated") == 0)
		return raw_fail(item, err,
				"LXC's generated profile can't be had in a container of runlxc; "
				"name a profile that is loaded");
	/* "unconfined" is the process room's to understand. */
	if (strcmp(item->value, "unchanged") == 0) {
		state->spec->process.apparmor_profile = NULL;
		return 0;
	}
	return set_string(state, item, &state->spec->process.apparmor_profile, err);
}

int raw_selinux(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	return set_string(state, item, &state->spec->process.selinux_label, err);
}

/* ---- capabilities ---- */

static int add_without(struct raw_state *state, const struct raw_item *item,
		       struct spec_strings *list, int dropped, struct error *err)
{
	struct spec_strings left = {0};
	size_t i;

	for (i = 0; i < list->count; i++)
		if (process_capability_from_name(list->items[i]) != dropped &&
		    raw_append(state, item, &left, list->items[i], err) < 0)
			return -1;
	*list = left;
	return 0;
}

static int drop(struct raw_state *state, const struct raw_item *item, const char *name,
		struct error *err)
{
	int capability = process_capability_from_name(name), set;

	if (capability < 0)
		return raw_fail(item, err, "\"%s\" is not a capability", name);
	for (set = 0; set < SPEC_CAP_SETS; set++)
		if (add_without(state, item, &state->spec->process.capabilities.sets[set],
				capability, err) < 0)
			return -1;
	return 0;
}

int raw_cap_drop(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	cleanup_free char *copy = strdup(item->value);
	char *name, *save = NULL;

	if (!copy)
		return raw_no_memory(item, err);
	/* "If used with no value, LXC will clear any drop capabilities specified up to this point."
	 */
	if (!*item->value)
		state->spec->process.capabilities = state->capabilities;
	for (name = strtok_r(copy, " \t", &save); name; name = strtok_r(NULL, " \t", &save))
		if (drop(state, item, name, err) < 0)
			return -1;
	return 0;
}

static bool is_kept(const struct raw_state *state, const char *name)
{
	int capability = process_capability_from_name(name);
	size_t i;

	for (i = 0; i < state->keep.count; i++)
		if (process_capability_from_name(state->keep.items[i]) == capability)
			return true;
	return false;
}

/* As in LXC these and no others: root's own are those that are kept. What a program that isn't
 * root's could have besides (inheritable, ambient) only ever becomes less. */
static int keep(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_capabilities *own = &state->spec->process.capabilities;
	int set;

	own->set = true;
	for (set = 0; set < SPEC_CAP_SETS; set++) {
		struct spec_strings left = {0};
		size_t i;

		for (i = 0; i < own->sets[set].count; i++)
			if (is_kept(state, own->sets[set].items[i]) &&
			    raw_append(state, item, &left, own->sets[set].items[i], err) < 0)
				return -1;
		own->sets[set] =
		    set == SPEC_CAP_INHERITABLE || set == SPEC_CAP_AMBIENT ? left : state->keep;
	}
	return 0;
}

int raw_cap_keep(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	cleanup_free char *copy = strdup(item->value);
	char *name, *save = NULL;

	if (!copy)
		return raw_no_memory(item, err);
	if (!*item->value) {
		state->keep = (struct spec_strings){0};
		state->spec->process.capabilities = state->capabilities;
		return 0;
	}
	for (name = strtok_r(copy, " \t", &save); name; name = strtok_r(NULL, " \t", &save)) {
		cleanup_free char *upper = NULL;
		char *c;

		if (strcmp(name, "none") == 0) {
			state->keep = (struct spec_strings){0};
			continue;
		}
		if (process_capability_from_name(name) < 0)
			return raw_fail(item, err, "\"%s\" is not a capability", name);
		if (asprintf(&upper, "%s%s", strncasecmp(name, "cap_", 4) == 0 ? "" : "CAP_",
			     name) < 0)
			return raw_no_memory(item, err);
		for (c = upper; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		if (raw_append(state, item, &state->keep, upper, err) < 0)
			return -1;
	}
	return keep(state, item, err);
}

/* ---- environment, user, directory ---- */

int raw_environment(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_strings *env = &state->spec->process.env, others = {0};
	size_t length = strcspn(item->value, "="), i;
	cleanup_free char *inherited = NULL;

	if (!*item->value) {
		*env = state->env;
		return 0;
	}
	if (!length)
		return raw_fail(item, err, "\"%s\" has no name before the \"=\"", item->value);
	/* "It is possible to inherit host environment variables by setting the name of the variable
	 * without a "=" sign." */
	if (!item->value[length]) {
		const char *value = getenv(item->value);

		if (!value)
			return raw_fail(item, err, "\"%s\" is not in runlxc's own environment",
					item->value);
		if (asprintf(&inherited, "%s=%s", item->value, value) < 0)
			return raw_no_memory(item, err);
	}
	for (i = 0; i < env->count; i++)
		if ((strncmp(env->items[i], item->value, length) != 0 ||
		     env->items[i][length] != '=') &&
		    raw_append(state, item, &others, env->items[i], err) < 0)
			return -1;
	*env = others;
	return raw_append(state, item, env, inherited ? inherited : item->value, err);
}

static int set_id(const struct raw_item *item, uint32_t *id, struct error *err)
{
	unsigned long long number;

	if (raw_number(item, UINT32_MAX - 1, &number, err) < 0)
		return -1;
	*id = (uint32_t)number;
	return 0;
}

int raw_init_uid(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	return set_id(item, &state->spec->process.user.uid, err);
}

int raw_init_gid(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	return set_id(item, &state->spec->process.user.gid, err);
}

/* "10,20": these and no others. */
int raw_init_groups(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_user *user = &state->spec->process.user;
	cleanup_free char *copy = strdup(item->value);
	char *word, *save = NULL;

	user->additional_gids =
	    arena_alloc(&state->spec->arena, strlen(item->value) + 1, sizeof(uint32_t));
	if (!copy || !user->additional_gids)
		return raw_no_memory(item, err);
	user->additional_gids_count = 0;
	for (word = strtok_r(copy, ", \t", &save); word; word = strtok_r(NULL, ", \t", &save)) {
		const struct raw_item one = {.annotation = item->annotation, .value = word};

		if (set_id(&one, &user->additional_gids[user->additional_gids_count++], err) < 0)
			return -1;
	}
	return 0;
}

int raw_init_cwd(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	return set_string(state, item, &state->spec->process.cwd, err);
}

/* ---- limits ---- */

int raw_no_new_privs(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	unsigned long long on;

	if (raw_number(item, 1, &on, err) < 0)
		return -1;
	state->spec->process.no_new_privileges = on;
	return 0;
}

static int limit_of(const struct raw_item *item, const char *word, uint64_t *limit,
		    struct error *err)
{
	const struct raw_item one = {.annotation = item->annotation, .value = word};
	unsigned long long number;

	*limit = UINT64_MAX; /* RLIM_INFINITY */
	if (strcmp(word, "unlimited") == 0)
		return 0;
	if (raw_number(&one, UINT64_MAX, &number, err) < 0)
		return -1;
	*limit = number;
	return 0;
}

/* Where the limit stands in the list, or the list's end. */
static size_t find_limit(const struct spec_process *process, const char *type)
{
	size_t i;

	for (i = 0; i < process->rlimits_count; i++)
		if (strcmp(process->rlimits[i].type, type) == 0)
			break;
	return i;
}

/* "soft:hard", or one number for both. */
int raw_prlimit(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_process *process = &state->spec->process;
	cleanup_free char *copy = strdup(item->value);
	char *type =
	    arena_printf(&state->spec->arena, "RLIMIT_%s", item->key + strlen("lxc.prlimit."));
	struct spec_rlimit *limits =
	    arena_alloc(&state->spec->arena, process->rlimits_count + 1, sizeof(*limits));
	char *hard, *c;
	size_t at;

	if (!copy || !type || !limits)
		return raw_no_memory(item, err);
	for (c = type; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	at = find_limit(process, type);
	if (process->rlimits_count)
		memcpy(limits, process->rlimits, process->rlimits_count * sizeof(*limits));
	process->rlimits = limits;
	if (!*item->value) {
		if (at < process->rlimits_count)
			limits[at] = limits[--process->rlimits_count];
		return 0;
	}
	if (at == process->rlimits_count)
		process->rlimits_count++;
	hard = strchr(copy, ':');
	if (hard)
		*hard++ = '\0';
	limits[at].type = type;
	return limit_of(item, copy, &limits[at].soft, err) < 0 ||
		       limit_of(item, hard ? hard : copy, &limits[at].hard, err) < 0
		   ? -1
		   : 0;
}

int raw_oom_score(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	const char *digits = item->value + (item->value[0] == '-');
	const struct raw_item positive = {.annotation = item->annotation, .value = digits};
	unsigned long long number;

	if (raw_number(&positive, 1000, &number, err) < 0)
		return -1;
	state->spec->process.oom_score_adj =
	    (struct spec_i64){true, digits > item->value ? -(int64_t)number : (int64_t)number};
	return 0;
}
