/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for linux.seccomp. Which system calls a machine has is libseccomp's matter. */
#include "spec/internal.h"

#include <inttypes.h>
#include <string.h>

/* libseccomp takes numbers below the kernel's MAX_ERRNO alone; and what fits into SECCOMP_RET_DATA
 * for a tracer. */
#define ERRNO_MAX 4094
#define TRACE_MAX 65535

#define ARGS_MAX 6

#define NOTIFY "SCMP_ACT_NOTIFY"

static const char *const actions[] = {"SCMP_ACT_KILL",
				      "SCMP_ACT_KILL_PROCESS",
				      "SCMP_ACT_KILL_THREAD",
				      "SCMP_ACT_TRAP",
				      "SCMP_ACT_ERRNO",
				      "SCMP_ACT_TRACE",
				      "SCMP_ACT_ALLOW",
				      "SCMP_ACT_LOG",
				      NOTIFY,
				      NULL};

static const char *const architectures[] = {
    "SCMP_ARCH_X86",	 "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",		"SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",	"SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",	 "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",	 "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",	"SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",	 "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",	"SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",	 "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB",	NULL};

/* TSYNC is not in the specification; runc takes it and has nothing to do for it, and so have we. */
static const char *const flags[] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
				    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
				    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

static const char *const operators[] = {"SCMP_CMP_NE",	      "SCMP_CMP_LT", "SCMP_CMP_LE",
					"SCMP_CMP_EQ",	      "SCMP_CMP_GE", "SCMP_CMP_GT",
					"SCMP_CMP_MASKED_EQ", NULL};

/* What is wrong with an action's errnoRet, or NULL. */
static const char *errno_fault(const char *action, const struct spec_u64 *errno_ret)
{
	if (!errno_ret->set)
		return NULL;
	if (!strcmp(action, "SCMP_ACT_ERRNO"))
		return errno_ret->value > ERRNO_MAX ? "is more than 4094" : NULL;
	if (!strcmp(action, "SCMP_ACT_TRACE"))
		return errno_ret->value > TRACE_MAX ? "is more than 65535" : NULL;
	/* config-linux.md: "the runtime MUST print an error and fail". */
	return "is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only";
}

static int validate_names(const struct spec *spec, const char *field,
			  const struct spec_strings *names, const char *const *known,
			  struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!spec_name_known(known, names->items[i]))
			return spec_invalid(spec, err, "linux.seccomp.%s[%zu]: %s is not known",
					    field, i, quoted(names->items[i]));
	}
	return 0;
}

/* As runc, in its words: init has to tell of the listener when it has loaded the filter, and does
 * so by write(2). */
static int validate_notify(const struct spec *spec, struct error *err)
{
	const struct spec_seccomp *seccomp = &spec->linux_.seccomp;

	if (!strcmp(seccomp->default_action, NOTIFY))
		return spec_invalid(spec, err,
				    "linux.seccomp.defaultAction: " NOTIFY
				    " cannot be used as default action");
	for (size_t i = 0; i < seccomp->syscalls_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->syscalls[i];

		if (strcmp(rule->action, NOTIFY) != 0)
			continue;
		for (size_t j = 0; j < rule->names.count; j++) {
			if (!strcmp(rule->names.items[j], "write"))
				return spec_invalid(
				    spec, err,
				    "linux.seccomp.syscalls[%zu].names[%zu]: " NOTIFY
				    " cannot be used for the write syscall",
				    i, j);
		}
		if (!seccomp->listener_path)
			return spec_invalid(spec, err,
					    "linux.seccomp.listenerPath: is not set, which "
					    "linux.seccomp.syscalls[%zu].action (" NOTIFY ") needs",
					    i);
	}
	return 0;
}

static int validate_rule(const struct spec *spec, size_t i, struct error *err)
{
	const struct spec_seccomp_rule *rule = &spec->linux_.seccomp.syscalls[i];
	const char *fault;

	if (!rule->names.count)
		return spec_invalid(spec, err, "linux.seccomp.syscalls[%zu].names: is empty", i);
	if (!spec_name_known(actions, rule->action))
		return spec_invalid(spec, err,
				    "linux.seccomp.syscalls[%zu].action: %s is not known", i,
				    quoted(rule->action));
	fault = errno_fault(rule->action, &rule->errno_ret);
	if (fault)
		return spec_invalid(spec, err, "linux.seccomp.syscalls[%zu].errnoRet: %s", i,
				    fault);
	for (size_t j = 0; j < rule->args_count; j++) {
		const struct spec_seccomp_arg *arg = &rule->args[j];

		if (arg->index >= ARGS_MAX)
			return spec_invalid(spec, err,
					    "linux.seccomp.syscalls[%zu].args[%zu].index: %" PRIu32
					    " is not in 0 to 5",
					    i, j, arg->index);
		if (!spec_name_known(operators, arg->op))
			return spec_invalid(
			    spec, err, "linux.seccomp.syscalls[%zu].args[%zu].op: %s is not known",
			    i, j, quoted(arg->op));
	}
	return 0;
}

int spec_validate_seccomp(const struct spec *spec, struct error *err)
{
	const struct spec_seccomp *seccomp = &spec->linux_.seccomp;
	const char *fault;

	if (!seccomp->set)
		return 0;
	if (!seccomp->default_action)
		return spec_invalid(spec, err, "linux.seccomp.defaultAction: is missing");
	if (!spec_name_known(actions, seccomp->default_action))
		return spec_invalid(spec, err, "linux.seccomp.defaultAction: %s is not known",
				    quoted(seccomp->default_action));
	fault = errno_fault(seccomp->default_action, &seccomp->default_errno_ret);
	if (fault)
		return spec_invalid(spec, err, "linux.seccomp.defaultErrnoRet: %s", fault);
	if (seccomp->listener_metadata && !seccomp->listener_path)
		return spec_invalid(
		    spec, err, "linux.seccomp.listenerMetadata: is set without a listenerPath");
	if (validate_names(spec, "architectures", &seccomp->architectures, architectures, err) ||
	    validate_names(spec, "flags", &seccomp->flags, flags, err))
		return -1;
	for (size_t i = 0; i < seccomp->syscalls_count; i++) {
		if (validate_rule(spec, i, err))
			return -1;
	}
	return validate_notify(spec, err);
}
