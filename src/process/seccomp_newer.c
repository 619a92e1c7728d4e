/* SPDX-License-Identifier: Apache-2.0 */
#include "process/seccomp_parts.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

#define NUMBER offsetof(struct seccomp_data, nr)
#define ARCHITECTURE offsetof(struct seccomp_data, arch)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
/* x32 is x86-64 to the kernel, but for this bit in each call's number. */
#define X32_BIT 0x40000000u
/* A jump to the filter, until it is known how far that is. */
#define TO_FILTER UINT32_MAX

/* The longest part, x86-64 with x32, takes 10. */
#define PART_MAX 10

struct code {
	struct sock_filter *items;
	size_t count;
};

static void emit(struct code *code, unsigned int operation, uint32_t value, uint8_t if_true,
		 uint8_t if_false)
{
	code->items[code->count++] =
	    (struct sock_filter){(uint16_t)operation, if_true, if_false, value};
}

/* The largest number of a call that the profile names; 0: it names none of this architecture's. */
static uint32_t largest_call(const struct spec_seccomp *seccomp, uint32_t token)
{
	int largest = 0, number;
	size_t i, k;

	for (i = 0; i < seccomp->syscalls_count; i++)
		for (k = 0; k < seccomp->syscalls[i].names.count; k++) {
			number = seccomp_syscall_resolve_name_arch(
			    token, seccomp->syscalls[i].names.items[k]);
			if (number > largest)
				largest = number;
		}
	return (uint32_t)largest;
}

static uint32_t largest_if_listed(const struct spec_seccomp *seccomp, uint32_t wanted)
{
	size_t i;

	for (i = 0; i < seccomp->architectures.count; i++)
		if (seccomp_architecture(seccomp->architectures.items[i]) == wanted)
			return largest_call(seccomp, wanted);
	return 0;
}

static void beyond(struct code *code, uint32_t largest)
{
	if (largest) {
		emit(code, BPF_JMP | BPF_JGT | BPF_K, largest, 0, 1);
		emit(code, BPF_RET | BPF_K, ABSENT, 0, 0);
	}
	emit(code, BPF_JMP | BPF_JA, TO_FILTER, 0, 0);
}

/* "If it is this architecture: …, and on to the filter." */
static void add_part(struct code *code, const struct spec_seccomp *seccomp, uint32_t token)
{
	uint32_t largest, x32 = 0;
	size_t start;

	largest = largest_if_listed(seccomp, token);
	if (token == SCMP_ARCH_X86_64)
		x32 = largest_if_listed(seccomp, SCMP_ARCH_X32);
	if (!largest && !x32)
		return;
	emit(code, BPF_LD | BPF_W | BPF_ABS, ARCHITECTURE, 0, 0);
	start = code->count;
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, token, 0, 0);
	emit(code, BPF_LD | BPF_W | BPF_ABS, NUMBER, 0, 0);
	/* There the number of a call that the kernel doesn't know comes in as that of setup(2). */
	if (token == SCMP_ARCH_S390 || token == SCMP_ARCH_S390X) {
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
		emit(code, BPF_RET | BPF_K, ABSENT, 0, 0);
	}
	if (token == SCMP_ARCH_X86_64) {
		emit(code, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, x32 ? 3 : 1);
		beyond(code, x32);
	}
	beyond(code, largest);
	code->items[start].jf = (uint8_t)(code->count - start - 1);
}

/* x32's own token is libseccomp's invention. */
static uint32_t kernels(uint32_t token)
{
	return token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
}

static bool is_done(const struct spec_seccomp *seccomp, size_t before, uint32_t token)
{
	size_t i;

	for (i = 0; i < before; i++)
		if (kernels(seccomp_architecture(seccomp->architectures.items[i])) == token)
			return true;
	return false;
}

size_t seccomp_newer_calls(const struct spec_seccomp *seccomp, struct sock_filter *items)
{
	/* A tracer that is asked about every call knows best. */
	static const char *const passing[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"};
	struct code code = {items, 0};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(passing); i++)
		if (strcmp(seccomp->default_action, passing[i]) == 0)
			return 0;
	for (i = 0; i < seccomp->architectures.count; i++) {
		uint32_t token = kernels(seccomp_architecture(seccomp->architectures.items[i]));

		if (token && !is_done(seccomp, i, token) &&
		    code.count + PART_MAX <= SECCOMP_NEWER_MAX)
			add_part(&code, seccomp, token);
	}
	for (i = 0; i < code.count; i++)
		if (items[i].code == (BPF_JMP | BPF_JA) && items[i].k == TO_FILTER)
			items[i].k = (uint32_t)(code.count - i - 1);
	return code.count;
}
