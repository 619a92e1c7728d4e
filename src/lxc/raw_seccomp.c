/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lxc.seccomp.profile: a policy in LXC's own format, version 2, as linux.seccomp.
 *
 * LXC would load it before it executes init, which would then have to live under it, and no exec
 * would ever have it. As part of the spec it is loaded where every filter is: last of all, for
 * every process of the container.
 */
#include "lxc/raw.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/path.h"

/* <linux/fs.h> and <sys/mount.h> exclude each other */
#define UMOUNT_FORCE 1
#define ALLOW "SCMP_ACT_ALLOW"
#define KILL "SCMP_ACT_KILL"

struct policy {
	struct raw_state *state;
	const struct raw_item *item;
	struct spec_seccomp *seccomp;
	const char *rule_action; /* of a rule that names none */
	struct spec_u64 rule_errno;
	size_t capacity, line;
	struct error *err;
};

#define fail(policy, format, ...)                                                                  \
	raw_fail((policy)->item, (policy)->err, "%s:%zu: " format, (policy)->item->value,          \
		 (policy)->line, ##__VA_ARGS__)

/* "errno 1", "kill", "allow", "trap" at the start of *text, which goes behind it. 1: none. */
static int take_action(struct policy *policy, char **text, const char **action,
		       struct spec_u64 *number)
{
	static const struct {
		const char *word, *action;
	} words[] = {{"errno", "SCMP_ACT_ERRNO"},
		     {"kill", KILL},
		     {"allow", ALLOW},
		     {"trap", "SCMP_ACT_TRAP"}};
	char *end = *text + strspn(*text, " \t");
	size_t length = strcspn(end, " \t["), i;

	*text = end;
	if (!length)
		return 1;
	if (length == 6 && strncmp(end, "notify", 6) == 0)
		return fail(policy, "the action \"notify\" is not supported");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == length && strncmp(end, words[i].word, length) == 0)
			break;
	if (i == ARRAY_SIZE(words))
		return fail(policy, "\"%.*s\" is not an action", (int)length, end);
	*action = words[i].action;
	end += length;
	if (i == 0) {
		char *digits = end;

		*number = (struct spec_u64){true, strtoul(digits, &end, 10)};
		if (end == digits || number->value > 4095)
			return fail(policy, "\"errno\" wants a number behind it");
	}
	*text = end;
	return 0;
}

/* "[index,value,op,mask]" behind a rule. */
static int take_condition(struct policy *policy, char **text, struct spec_seccomp_arg *arg)
{
	static const struct {
		const char *word, *op;
	} words[] = {{"!=", "SCMP_CMP_NE"},	  {"<=", "SCMP_CMP_LE"}, {"==", "SCMP_CMP_EQ"},
		     {">=", "SCMP_CMP_GE"},	  {">", "SCMP_CMP_GT"},	 {"<", "SCMP_CMP_LT"},
		     {"&=", "SCMP_CMP_MASKED_EQ"}};
	char op[32] = "", *close = strchr(*text, ']');
	unsigned int index;
	long long value, mask = 0;
	int count;
	size_t i;

	if (!close)
		return fail(policy, "\"%s\" lacks a \"]\"", *text);
	count = sscanf(*text, "[%u,%lli,%31[^],],%lli", &index, &value, op, &mask);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(op, words[i].word) == 0 || strcmp(op, words[i].op) == 0)
			break;
	if (count < 3 || index > 5 || i == ARRAY_SIZE(words) || (i == 6 && count < 4))
		return fail(policy, "\"%.*s\" is not a condition", (int)(close + 1 - *text), *text);
	*arg = (struct spec_seccomp_arg){.index = index,
					 .value = (uint64_t)(i == 6 ? mask : value),
					 .value_two = (uint64_t)(i == 6 ? value : 0)};
	arg->op = arena_strdup(&policy->state->spec->arena, words[i].op);
	*text = close + 1;
	*text += strspn(*text, " \t");
	return arg->op ? 0 : raw_no_memory(policy->item, policy->err);
}

static struct spec_seccomp_rule *add_rule(struct policy *policy, const char *name,
					  const char *action, struct spec_u64 number)
{
	struct spec_seccomp *seccomp = policy->seccomp;
	struct arena *arena = &policy->state->spec->arena;
	struct spec_seccomp_rule *rule, *rules;

	if (seccomp->syscalls_count == policy->capacity) {
		policy->capacity = policy->capacity * 2 + 32;
		rules = arena_alloc(arena, policy->capacity, sizeof(*rules));
		if (!rules)
			goto no_memory;
		if (seccomp->syscalls_count)
			memcpy(rules, seccomp->syscalls, seccomp->syscalls_count * sizeof(*rules));
		seccomp->syscalls = rules;
	}
	rule = &seccomp->syscalls[seccomp->syscalls_count++];
	rule->action = arena_strdup(arena, action);
	rule->errno_ret = number;
	rule->args = arena_alloc(arena, 6, sizeof(*rule->args));
	if (!rule->action || !rule->args)
		goto no_memory;
	return raw_append(policy->state, policy->item, &rule->names, name, policy->err) < 0 ? NULL
											    : rule;
no_memory:
	raw_no_memory(policy->item, policy->err);
	return NULL;
}

/* LXC's one word that is no system call: umount2(2) with MNT_FORCE fails with EACCES. */
static int reject_force_umount(struct policy *policy)
{
	static char masked[] = "SCMP_CMP_MASKED_EQ";
	struct spec_seccomp_rule *rule =
	    add_rule(policy, "umount2", "SCMP_ACT_ERRNO", (struct spec_u64){true, EACCES});

	if (!rule)
		return -1;
	rule->args[0] = (struct spec_seccomp_arg){1, UMOUNT_FORCE, UMOUNT_FORCE, masked};
	rule->args_count = 1;
	return 0;
}

static int read_rule(struct policy *policy, char *line)
{
	size_t length = strcspn(line, " \t[");
	cleanup_free char *name = strndup(line, length);
	const char *action = policy->rule_action;
	struct spec_u64 number = policy->rule_errno;
	struct spec_seccomp_rule *rule;
	char *rest = line + length;

	if (!name)
		return raw_no_memory(policy->item, policy->err);
	if (strcmp(name, "reject_force_umount") == 0)
		return reject_force_umount(policy);
	if (take_action(policy, &rest, &action, &number) < 0)
		return -1;
	rule = add_rule(policy, name, action, number);
	if (!rule)
		return -1;
	rest += strspn(rest, " \t");
	while (*rest == '[' && rule->args_count < 6)
		if (take_condition(policy, &rest, &rule->args[rule->args_count++]) < 0)
			return -1;
	return *rest ? fail(policy, "\"%s\" is not understood", rest) : 0;
}

/* "[all]", "[x86_64]" …: what follows is for that architecture. A spec's rules are for all of its
 * architectures, so those for one that isn't the machine's own can't be kept apart. */
static int read_section(struct policy *policy, char *line)
{
	size_t length = strlen(line);
	struct utsname machine;

	uname(&machine);
	if (line[length - 1] != ']')
		return fail(policy, "\"%s\" lacks a \"]\"", line);
	line[length - 1] = '\0';
	line++;
	if (strcmp(line, "all") != 0 && strcmp(line, machine.machine) != 0 &&
	    !(strcmp(line, "amd64") == 0 && strcmp(machine.machine, "x86_64") == 0) &&
	    !(strcmp(line, "arm64") == 0 && strcmp(machine.machine, "aarch64") == 0))
		return fail(policy, "rules for [%s] alone are not supported; use [all]", line);
	return 0;
}

/* "denylist", "allowlist", or as they were called before, with the default's action behind. */
static int read_kind(struct policy *policy, char *line)
{
	static const char *const kinds[] = {"denylist", "blacklist", "allowlist", "whitelist"};
	struct spec_seccomp *seccomp = policy->seccomp;
	size_t length = strcspn(line, " \t"), i;
	const char *action;
	char *rest = line + length;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]) == length && strncmp(line, kinds[i], length) == 0)
			break;
	if (i == ARRAY_SIZE(kinds))
		return fail(policy, "\"%s\" is neither \"denylist\" nor \"allowlist\"", line);
	action = i < 2 ? ALLOW : KILL;
	policy->rule_action = i < 2 ? KILL : ALLOW;
	if (take_action(policy, &rest, &action, &seccomp->default_errno_ret) < 0)
		return -1;
	seccomp->default_action = arena_strdup(&policy->state->spec->arena, action);
	return seccomp->default_action ? 0 : raw_no_memory(policy->item, policy->err);
}

static int read_line(struct policy *policy, char *line, size_t *statements)
{
	line += strspn(line, " \t");
	line[strcspn(line, "#\r")] = '\0';
	for (size_t end = strlen(line); end && (line[end - 1] == ' ' || line[end - 1] == '\t');
	     end--)
		line[end - 1] = '\0';
	if (!*line)
		return 0;
	switch ((*statements)++) {
	case 0:
		if (strcmp(line, "2") != 0)
			return fail(policy, "version \"%s\" of the format is not supported, only 2",
				    line);
		return 0;
	case 1:
		return read_kind(policy, line);
	default:
		return *line == '[' ? read_section(policy, line) : read_rule(policy, line);
	}
}

/* As LXC: the rules hold for the machine's other ways to call the kernel, too. */
static int add_architectures(struct policy *policy)
{
	static const struct {
		const char *machine, *other;
	} pairs[] = {
	    {"x86_64", "SCMP_ARCH_X86"}, {"x86_64", "SCMP_ARCH_X32"}, {"aarch64", "SCMP_ARCH_ARM"}};
	struct utsname machine;
	size_t i;

	uname(&machine);
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		if (strcmp(machine.machine, pairs[i].machine) == 0 &&
		    raw_append(policy->state, policy->item, &policy->seccomp->architectures,
			       pairs[i].other, policy->err) < 0)
			return -1;
	return 0;
}

int raw_seccomp(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	struct spec_seccomp seccomp = {.set = true, .flags_set = true};
	struct policy policy = {.state = state, .item = item, .seccomp = &seccomp, .err = err};
	cleanup_free char *text = NULL;
	char *line, *next;
	size_t statements = 0;

	if (item->value[0] != '/')
		return raw_fail(item, err, "\"%s\" is not an absolute path", item->value);
	text = path_read_file(AT_FDCWD, item->value, (size_t)1 << 20, NULL, item->value, err);
	if (!text)
		return error_prefix(err, "annotations: %s", item->annotation);
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		policy.line++;
		if (read_line(&policy, line, &statements) < 0)
			return -1;
	}
	if (statements < 2)
		return raw_fail(item, err, "%s: holds no policy", item->value);
	if (add_architectures(&policy) < 0)
		return -1;
	state->spec->linux_.seccomp = seccomp;
	return 0;
}
