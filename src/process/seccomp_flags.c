/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp.architectures and flags: what libseccomp and the kernel have of them. */
#include "process/seccomp_parts.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

uint32_t seccomp_architecture(const char *name)
{
	static const char prefix[] = "SCMP_ARCH_";
	char lower[32] = "";
	size_t i;

	/* "SCMP_ARCH_X86_64" → libseccomp's "x86_64" */
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	name += sizeof(prefix) - 1;
	for (i = 0; name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	return seccomp_arch_resolve_name(lower);
}

const char *const process_seccomp_flags[] = {
    "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

/* 0 for TSYNC, with runc, too: init has one thread, and with a listener the kernel doesn't take it.
 */
static uint32_t flag_of(const char *name)
{
	static const uint32_t values[] = {SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
					  0, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(name, process_seccomp_flags[i]) == 0)
			return values[i];
	return UINT32_MAX;
}

/* Asked with a filter that isn't there: the kernel looks at the flags first. */
static bool kernel_has(uint32_t flags)
{
	if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

bool process_seccomp_flag_supported(const char *name)
{
	uint32_t flag = flag_of(name);

	return flag != UINT32_MAX && kernel_has(flag);
}

static bool notifies(const struct sock_filter *filter, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (filter[i].code == (BPF_RET | BPF_K) && filter[i].k == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

int seccomp_flags(const struct spec_seccomp *seccomp, const struct sock_filter *filter,
		  size_t count, uint32_t *flags, struct error *err)
{
	size_t i;

	*flags = 0;
	for (i = 0; i < seccomp->flags.count; i++) {
		const char *name = seccomp->flags.items[i];
		uint32_t flag = flag_of(name);

		if (flag == UINT32_MAX)
			return error_set(err, "linux.seccomp.flags[%zu]: \"%s\" is not known", i,
					 name);
		if (!kernel_has(flag))
			return error_set(err, "linux.seccomp.flags[%zu]: this kernel has no \"%s\"",
					 i, name);
		*flags |= flag;
	}
	/* Said nothing of flags, not even that there are none: runc's default. */
	if (!seccomp->flags_set && kernel_has(SECCOMP_FILTER_FLAG_SPEC_ALLOW))
		*flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	if (notifies(filter, count))
		*flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else /* which the kernel takes for a listener only */
		*flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return 0;
}
