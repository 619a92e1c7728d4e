/* SPDX-License-Identifier: Apache-2.0 */
/* What a parent sets on a process that waits, and what only the host can tell. */
#include "process/process.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/program.h"

/* From the C file that embeds the program; see init_blob.c.in. */
extern const char runlxc_init_start[], runlxc_init_end[];

int process_init_open(struct error *err)
{
	return program_open("runlxc-init", runlxc_init_start, runlxc_init_end, err);
}

static int set_oom_score(pid_t pid, int64_t score, struct error *err)
{
	cleanup_close int fd = -1;
	char text[32], path[64];
	int length;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	length = snprintf(text, sizeof(text), "%lld", (long long)score);
	if (fd < 0 || write(fd, text, (size_t)length) != length)
		return error_errno(err, errno, "process.oomScoreAdj: Failed to set it to %lld",
				   (long long)score);
	return 0;
}

struct scheduler_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t utilisation_min, utilisation_max; /* Linux 5.3; before it, they must be 0 */
};

static int set_scheduler(const struct spec_scheduler *scheduler, pid_t pid, struct error *err)
{
	static const struct {
		const char *name;
		uint32_t value;
	} policies[] = {{"SCHED_OTHER", 0},   {"SCHED_FIFO", 1}, {"SCHED_RR", 2},
			{"SCHED_BATCH", 3},   {"SCHED_ISO", 4},	 {"SCHED_IDLE", 5},
			{"SCHED_DEADLINE", 6}},
	  flags[] = {{"SCHED_FLAG_RESET_ON_FORK", 0x01}, {"SCHED_FLAG_RECLAIM", 0x02},
		     {"SCHED_FLAG_DL_OVERRUN", 0x04},	 {"SCHED_FLAG_KEEP_POLICY", 0x08},
		     {"SCHED_FLAG_KEEP_PARAMS", 0x10},	 {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
		     {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}};
	struct scheduler_attributes attributes = {
	    .size = sizeof(attributes),
	    .nice = scheduler->nice,
	    .priority = (uint32_t)scheduler->priority,
	    .runtime = scheduler->runtime,
	    .deadline = scheduler->deadline,
	    .period = scheduler->period,
	};
	size_t i, k;
	bool known = false;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (scheduler->policy && strcmp(scheduler->policy, policies[i].name) == 0) {
			attributes.policy = policies[i].value;
			known = true;
		}
	if (!known)
		return error_set(err, "process.scheduler.policy: \"%s\" is not known",
				 scheduler->policy ? scheduler->policy : "");
	for (i = 0; i < scheduler->flags.count; i++) {
		for (k = 0; k < ARRAY_SIZE(flags); k++)
			if (strcmp(scheduler->flags.items[i], flags[k].name) == 0)
				break;
		if (k == ARRAY_SIZE(flags))
			return error_set(err, "process.scheduler.flags[%zu]: \"%s\" is not known",
					 i, scheduler->flags.items[i]);
		attributes.flags |= flags[k].value;
	}
	if (syscall(SYS_sched_setattr, pid, &attributes, 0) < 0)
		return error_errno(err, errno, "process.scheduler: Failed to set %s",
				   scheduler->policy);
	return 0;
}

static int set_io_priority(const struct spec_process *process, pid_t pid, struct error *err)
{
	static const char *const classes[] = {"IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT",
					      "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"};
	size_t i;

	for (i = 1; i < ARRAY_SIZE(classes); i++)
		if (strcmp(process->io_priority_class, classes[i]) == 0)
			break;
	if (i == ARRAY_SIZE(classes))
		return error_set(err, "process.ioPriority.class: \"%s\" is not known",
				 process->io_priority_class);
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
		    IOPRIO_PRIO_VALUE(i, process->io_priority)) < 0)
		return error_errno(err, errno, "process.ioPriority: Failed to set it");
	return 0;
}

int process_apply_from_outside(const struct spec_process *process, pid_t pid, struct error *err)
{
	size_t i;

	for (i = 0; i < process->rlimits_count; i++) {
		const struct spec_rlimit *limit = &process->rlimits[i];
		struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};

		if (prlimit64(pid, (enum __rlimit_resource)limit->resource, &value, NULL) < 0)
			return error_errno(err, errno, "process.rlimits[%zu]: Failed to set %s", i,
					   limit->type);
	}
	if (process->oom_score_adj.set && set_oom_score(pid, process->oom_score_adj.value, err) < 0)
		return -1;
	if (process->scheduler.set && set_scheduler(&process->scheduler, pid, err) < 0)
		return -1;
	if (process->io_priority_class && set_io_priority(process, pid, err) < 0)
		return -1;
	return 0;
}

static bool host_has_selinux(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

int process_check_labels(const struct spec_process *process, struct error *err)
{
	const char *profile = process->apparmor_profile;
	char answer = 'N';

	if (profile && *profile && strcmp(profile, "unconfined") != 0) {
		cleanup_close int fd =
		    open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, &answer, 1) != 1 || answer != 'Y')
			return error_set(
			    err,
			    "process.apparmorProfile: \"%s\" is asked for, but this host "
			    "has no AppArmor",
			    profile);
	}
	if (process->selinux_label && *process->selinux_label && !host_has_selinux())
		return error_set(
		    err, "process.selinuxLabel: \"%s\" is asked for, but this host has no SELinux",
		    process->selinux_label);
	return 0;
}

int process_check_mount_label(const char *label, struct error *err)
{
	cleanup_close int fd = -1;
	size_t i;

	if (!label)
		return 0;
	if (!host_has_selinux())
		return error_set(
		    err, "linux.mountLabel: \"%s\" is asked for, but this host has no SELinux",
		    label);
	/* It goes into the options of mounts, in quotes. */
	for (i = 0; label[i]; i++)
		if (label[i] == '"' || (unsigned char)label[i] < ' ')
			return error_set(err, "linux.mountLabel: byte %zu can't be in a label", i);
	/* Any policy's answer is only asked for: who may not ask hears from the mounts. */
	fd = open("/sys/fs/selinux/context", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && write(fd, label, strlen(label) + 1) < 0 && errno == EINVAL)
		return error_set(err,
				 "linux.mountLabel: \"%s\" is not a label that the host's policy "
				 "has",
				 label);
	return 0;
}
