/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for a process, a container's first one or an exec's. */
#include "spec/internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/ranges.h"

#define invalid(process, err, format, ...)                                                         \
	error_set(err, "%s" format, (process)->where ?: "process.", ##__VA_ARGS__)

static int validate_program(const struct spec_process *process, struct error *err)
{
	const char *fault = spec_absolute_path_fault(process->cwd);

	if (!process->args.count)
		return invalid(process, err, "args: is missing or empty");
	if (fault && process->cwd && *process->cwd && *process->cwd != '/')
		return invalid(process, err, "cwd: \"%s\" is not an absolute path", process->cwd);
	if (fault)
		return invalid(process, err, "cwd: %s", fault);
	if (process->user.umask_set && process->user.umask > 0777)
		return invalid(process, err, "user.umask: %" PRIu32 " is more than 511 (0777)",
			       process->user.umask);
	if (process->oom_score_adj.set &&
	    (process->oom_score_adj.value < -1000 || process->oom_score_adj.value > 1000))
		return invalid(process, err, "oomScoreAdj: %" PRId64 " is not in -1000 to 1000",
			       process->oom_score_adj.value);
	/* struct winsize has 16 bits for each. */
	if (process->console_height > UINT16_MAX || process->console_width > UINT16_MAX)
		return invalid(process, err, "consoleSize: is more than %d", UINT16_MAX);
	return 0;
}

/* Whether the kernel knows a capability is seen when it is given, and only warned about. */
static int validate_capabilities(const struct spec_process *process, struct error *err)
{
	for (int set = 0; set < SPEC_CAP_SETS; set++) {
		const struct spec_strings *names = &process->capabilities.sets[set];

		for (size_t i = 0; i < names->count; i++) {
			const char *c = names->items[i];

			while (isalnum((unsigned char)*c) || *c == '_')
				c++;
			if (*c || !*names->items[i])
				return invalid(
				    process, err,
				    "capabilities.%s[%zu]: %s is not a capability's name",
				    spec_capability_set_name(set), i, quoted(names->items[i]));
		}
	}
	return 0;
}

static int rlimit_resource(const char *type)
{
	static const struct {
		const char *name;
		int resource;
	} names[] = {
	    {"RLIMIT_AS", RLIMIT_AS},
	    {"RLIMIT_CORE", RLIMIT_CORE},
	    {"RLIMIT_CPU", RLIMIT_CPU},
	    {"RLIMIT_DATA", RLIMIT_DATA},
	    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
	    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
	    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	    {"RLIMIT_NICE", RLIMIT_NICE},
	    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
	    {"RLIMIT_NPROC", RLIMIT_NPROC},
	    {"RLIMIT_RSS", RLIMIT_RSS},
	    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
	    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	    {"RLIMIT_STACK", RLIMIT_STACK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i].name, type))
			return names[i].resource;
	}
	return -1;
}

static int validate_rlimits(struct spec_process *process, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits_count; i++) {
		struct spec_rlimit *rlimit = &process->rlimits[i];

		rlimit->resource = rlimit_resource(rlimit->type);
		if (rlimit->resource < 0)
			return invalid(process, err, "rlimits[%zu].type: %s is not a limit", i,
				       quoted(rlimit->type));
		if (seen & (UINT64_C(1) << rlimit->resource))
			return invalid(process, err, "rlimits[%zu].type: %s is there twice", i,
				       rlimit->type);
		seen |= UINT64_C(1) << rlimit->resource;
		if (rlimit->soft > rlimit->hard)
			return invalid(process, err,
				       "rlimits[%zu].soft: %" PRIu64 " is more than hard (%" PRIu64
				       ")",
				       i, rlimit->soft, rlimit->hard);
	}
	return 0;
}

/* The rules of sched_setattr(2), where the kernel would only say EINVAL. */
static int validate_scheduler(const struct spec_process *process, struct error *err)
{
	static const char *const policies[] = {"SCHED_OTHER",	 "SCHED_FIFO", "SCHED_RR",
					       "SCHED_BATCH",	 "SCHED_ISO",  "SCHED_IDLE",
					       "SCHED_DEADLINE", NULL};
	static const char *const realtime[] = {"SCHED_FIFO", "SCHED_RR", NULL};
	static const char *const flags[] = {
	    "SCHED_FLAG_RESET_ON_FORK",	 "SCHED_FLAG_RECLAIM",
	    "SCHED_FLAG_DL_OVERRUN",	 "SCHED_FLAG_KEEP_POLICY",
	    "SCHED_FLAG_KEEP_PARAMS",	 "SCHED_FLAG_UTIL_CLAMP_MIN",
	    "SCHED_FLAG_UTIL_CLAMP_MAX", NULL};
	const struct spec_scheduler *scheduler = &process->scheduler;

	if (!scheduler->set)
		return 0;
	if (!scheduler->policy)
		return invalid(process, err, "scheduler.policy: is missing");
	if (!spec_name_known(policies, scheduler->policy))
		return invalid(process, err, "scheduler.policy: %s is not a policy",
			       quoted(scheduler->policy));
	if (scheduler->nice < -20 || scheduler->nice > 19)
		return invalid(process, err, "scheduler.nice: %" PRId32 " is not in -20 to 19",
			       scheduler->nice);
	if (scheduler->priority && !spec_name_known(realtime, scheduler->policy))
		return invalid(process, err, "scheduler.priority: is for SCHED_FIFO and SCHED_RR");
	if ((scheduler->runtime || scheduler->deadline || scheduler->period) &&
	    strcmp(scheduler->policy, "SCHED_DEADLINE"))
		return invalid(process, err,
			       "scheduler: runtime, deadline and period are for SCHED_DEADLINE");
	for (size_t i = 0; i < scheduler->flags.count; i++) {
		if (!spec_name_known(flags, scheduler->flags.items[i]))
			return invalid(process, err, "scheduler.flags[%zu]: %s is not a flag", i,
				       quoted(scheduler->flags.items[i]));
	}
	return 0;
}

static int validate_io_priority(const struct spec_process *process, struct error *err)
{
	static const char *const classes[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
					      "IOPRIO_CLASS_IDLE", NULL};

	if (!process->io_priority_class)
		return 0;
	if (!spec_name_known(classes, process->io_priority_class))
		return invalid(process, err, "ioPriority.class: %s is not a class",
			       quoted(process->io_priority_class));
	if (process->io_priority < 0 || process->io_priority > 7)
		return invalid(process, err, "ioPriority.priority: %" PRId32 " is not in 0 to 7",
			       process->io_priority);
	return 0;
}

/* Whether these CPUs are there is seen when a process is put onto them. */
static int validate_cpu_affinity(const struct spec_process *process, struct error *err)
{
	const struct {
		const char *field, *list;
	} lists[] = {
	    {"initial", process->cpu_affinity_initial},
	    {"final", process->cpu_affinity_final},
	};
	struct ranges cpus;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i].list && ranges_parse(lists[i].list, &cpus) <= 0)
			return invalid(
			    process, err,
			    "execCPUAffinity.%s: %s is not a list of CPUs like \"0-3,7\"",
			    lists[i].field, quoted(lists[i].list));
	}
	return 0;
}

/* As runc has it. The kernel takes 4294967295 to mean "stay who you are", which is root. */
#define ID_MAX 2147483647U

static int validate_user(const struct spec_process *process, struct error *err)
{
	const struct spec_user *user = &process->user;
	size_t i;

	if (user->uid > ID_MAX)
		return invalid(process, err, "user.uid: %" PRIu32 " is not in 0 to %u", user->uid,
			       ID_MAX);
	if (user->gid > ID_MAX)
		return invalid(process, err, "user.gid: %" PRIu32 " is not in 0 to %u", user->gid,
			       ID_MAX);
	for (i = 0; i < user->additional_gids_count; i++)
		if (user->additional_gids[i] > ID_MAX)
			return invalid(process, err,
				       "user.additionalGids[%zu]: %" PRIu32 " is not in 0 to %u", i,
				       user->additional_gids[i], ID_MAX);
	return 0;
}

int spec_validate_process(struct spec_process *process, struct error *err)
{
	if (validate_user(process, err) || validate_program(process, err) ||
	    validate_capabilities(process, err) || validate_rlimits(process, err) ||
	    validate_scheduler(process, err) || validate_io_priority(process, err) ||
	    validate_cpu_affinity(process, err))
		return -1;
	return 0;
}
