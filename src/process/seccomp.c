/* SPDX-License-Identifier: Apache-2.0 */
/* OCI's seccomp model, compiled by libseccomp (config-linux.md, "Seccomp"). */
#include "process/process.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "process/seccomp_cache.h"
#include "process/seccomp_parts.h"

/* How many calls make a tree worth it. */
#define TREE_MIN 32

static int action_of(const char *name, const struct spec_u64 *errno_ret, uint32_t *action)
{
	uint32_t data = errno_ret->set ? (uint32_t)errno_ret->value & 0xffff : EPERM;

	if (strcmp(name, "SCMP_ACT_KILL") == 0 || strcmp(name, "SCMP_ACT_KILL_THREAD") == 0)
		*action = SCMP_ACT_KILL_THREAD;
	else if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0)
		*action = SCMP_ACT_KILL_PROCESS;
	else if (strcmp(name, "SCMP_ACT_TRAP") == 0)
		*action = SCMP_ACT_TRAP;
	else if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		*action = SCMP_ACT_ERRNO(data);
	else if (strcmp(name, "SCMP_ACT_TRACE") == 0)
		*action = SCMP_ACT_TRACE(data);
	else if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		*action = SCMP_ACT_NOTIFY;
	else if (strcmp(name, "SCMP_ACT_LOG") == 0)
		*action = SCMP_ACT_LOG;
	else if (strcmp(name, "SCMP_ACT_ALLOW") == 0)
		*action = SCMP_ACT_ALLOW;
	else
		return -1;
	return 0;
}

static int compare_of(const char *name, enum scmp_compare *compare)
{
	static const struct {
		const char *name;
		enum scmp_compare value;
	} table[] = {
	    {"SCMP_CMP_NE", SCMP_CMP_NE},
	    {"SCMP_CMP_LT", SCMP_CMP_LT},
	    {"SCMP_CMP_LE", SCMP_CMP_LE},
	    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
	    {"SCMP_CMP_GE", SCMP_CMP_GE},
	    {"SCMP_CMP_GT", SCMP_CMP_GT},
	    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(name, table[i].name) == 0) {
			*compare = table[i].value;
			return 0;
		}
	return -1;
}

static int add_architectures(scmp_filter_ctx ctx, const struct spec_seccomp *seccomp,
			     struct error *err)
{
	size_t i;

	for (i = 0; i < seccomp->architectures.count; i++) {
		const char *name = seccomp->architectures.items[i];
		uint32_t token = seccomp_architecture(name);
		int result;

		if (!token)
			return error_set(
			    err, "linux.seccomp.architectures[%zu]: \"%s\" is not known", i, name);
		result = seccomp_arch_add(ctx, token);
		if (result < 0 && result != -EEXIST)
			return error_errno(err, -result,
					   "linux.seccomp.architectures[%zu]: Failed to add \"%s\"",
					   i, name);
	}
	return 0;
}

/* The conditions of one rule. Several on the same argument mean "any of them" to runc, on different
 * ones "all of them"; libseccomp takes the second kind only, so the first becomes several rules. */
static int add_rule(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule, size_t index,
		    uint32_t action, int number, struct error *err)
{
	struct scmp_arg_cmp conditions[64];
	unsigned int seen = 0, count = 0;
	bool repeated = false;
	int result = 0;
	size_t i;

	if (rule->args_count > ARRAY_SIZE(conditions))
		return error_set(err, "linux.seccomp.syscalls[%zu].args: more than %zu", index,
				 ARRAY_SIZE(conditions));
	for (i = 0; i < rule->args_count; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];
		enum scmp_compare compare;

		if (arg->index > 5 || compare_of(arg->op ? arg->op : "", &compare) < 0)
			return error_set(err,
					 "linux.seccomp.syscalls[%zu].args[%zu]: not a condition",
					 index, i);
		/* SCMP_CMP_MASKED_EQ: (argument & value) == valueTwo. */
		conditions[count++] = SCMP_CMP64(arg->index, compare, arg->value, arg->value_two);
		repeated = repeated || seen & (1U << arg->index);
		seen |= 1U << arg->index;
	}
	if (!repeated)
		result = seccomp_rule_add_array(ctx, action, number, count, conditions);
	for (i = 0; repeated && i < count && (result == 0 || result == -EEXIST); i++)
		result = seccomp_rule_add_array(ctx, action, number, 1, &conditions[i]);
	if (result < 0 && result != -EEXIST)
		return error_errno(err, -result,
				   "linux.seccomp.syscalls[%zu]: Failed to add the rule", index);
	return 0;
}

static int add_rules(scmp_filter_ctx ctx, const struct spec_seccomp *seccomp,
		     uint32_t default_action, const struct log *log, struct error *err)
{
	size_t i, k;

	for (i = 0; i < seccomp->syscalls_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->syscalls[i];
		uint32_t action;

		if (action_of(rule->action, &rule->errno_ret, &action) < 0)
			return error_set(err,
					 "linux.seccomp.syscalls[%zu].action: \"%s\" is not known",
					 i, rule->action);
		if (action == default_action)
			continue; /* libseccomp refuses a rule that changes nothing */
		for (k = 0; k < rule->names.count; k++) {
			int number = seccomp_syscall_resolve_name(rule->names.items[k]);

			if (number == __NR_SCMP_ERROR) {
				/* Profiles list calls of every architecture and of newer kernels.
				 */
				log_debug(log, "linux.seccomp: unknown system call \"%s\" skipped",
					  rule->names.items[k]);
				continue;
			}
			if (add_rule(ctx, rule, i, action, number, err) < 0)
				return -1;
		}
	}
	return 0;
}

static size_t count_calls(const struct spec_seccomp *seccomp)
{
	size_t count = 0, i;

	for (i = 0; i < seccomp->syscalls_count; i++)
		count += seccomp->syscalls[i].names.count;
	return count;
}

static int compile(const struct spec_seccomp *seccomp, const struct log *log,
		   struct sock_filter **filter, size_t *count, struct error *err)
{
	struct sock_filter before[SECCOMP_NEWER_MAX];
	cleanup_close int fd = -1;
	scmp_filter_ctx ctx;
	size_t newer;
	uint32_t action;
	struct stat st;
	int result = -1;

	if (action_of(seccomp->default_action, &seccomp->default_errno_ret, &action) < 0)
		return error_set(err, "linux.seccomp.defaultAction: \"%s\" is not known",
				 seccomp->default_action);
	ctx = seccomp_init(action);
	if (!ctx)
		return error_set(err, "linux.seccomp: Failed to make a filter");
	/* A tree instead of a list: a system call costs the filter a handful of jumps, not
	 * hundreds. libseccomp up to 2.5.4 makes a wrong one of no rules at all. */
	if (count_calls(seccomp) > TREE_MIN)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	fd = kernel_memfd_create("runlxc-bpf", MFD_CLOEXEC);
	if (add_architectures(ctx, seccomp, err) == 0 &&
	    add_rules(ctx, seccomp, action, log, err) == 0) {
		result = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
		if (result < 0)
			error_errno(err, -result, "linux.seccomp: Failed to compile the filter");
	}
	seccomp_release(ctx);
	if (result < 0)
		return -1;
	newer = seccomp_newer_calls(seccomp, before);
	if (fstat(fd, &st) < 0 || st.st_size % (off_t)sizeof(**filter) ||
	    st.st_size / sizeof(**filter) + newer > BPF_MAXINSNS)
		return error_set(err, "linux.seccomp: the filter is larger than the kernel takes");
	*filter = malloc(sizeof(before) + (size_t)st.st_size);
	if (!*filter || pread(fd, *filter + newer, (size_t)st.st_size, 0) != st.st_size) {
		free(*filter);
		return error_errno(err, errno ? errno : ENOMEM,
				   "linux.seccomp: Failed to read the filter");
	}
	memcpy(*filter, before, newer * sizeof(**filter));
	*count = (size_t)st.st_size / sizeof(**filter) + newer;
	return 0;
}

int process_compile_seccomp(const struct spec_seccomp *seccomp, int cache, const struct log *log,
			    struct plan_buffer *buffer, struct error *err)
{
	cleanup_free struct sock_filter *filter = NULL;
	struct seccomp_key key = {0};
	uint32_t flags = 0;
	size_t count = 0;
	struct plan_list list;
	int result = 0;

	seccomp_key_make(&key, seccomp);
	if (seccomp_cache_load(cache, &key, &filter, &count) < 0) {
		result = compile(seccomp, log, &filter, &count, err);
		if (result == 0 && seccomp_cache_store(cache, &key, filter, count) < 0)
			log_debug(log, "linux.seccomp: the filter could not be cached: %s",
				  strerror(errno));
	}
	seccomp_key_free(&key);
	if (result < 0 || seccomp_flags(seccomp, filter, count, &flags, err) < 0)
		return -1;
	/* The words are runc's. */
	log_debug(log, "seccomp filter flags: %u", flags);
	list = plan_add_items(buffer, filter, count, sizeof(*filter));
	plan_head(buffer)->seccomp = list;
	plan_head(buffer)->seccomp_flags = flags;
	return 0;
}
