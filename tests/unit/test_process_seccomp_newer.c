/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp: calls that are newer than the profile; flags, and filters that notify. */
#include "test_process_seccomp_child.c"

/* On x86-64 exit_group(2) is 231, and so the largest. sigaltstack: the sanitizer calls it. */
static const char *const allowed[] = {"exit_group", "sigaltstack", "getppid", "call_of_tomorrow"};

static struct spec_seccomp listing(struct spec_seccomp_rule *rule, const char *default_action)
{
	*rule = (struct spec_seccomp_rule){
	    .names = {ARRAY_SIZE(allowed), (char **)(uintptr_t)allowed},
	    .action = TEXT("SCMP_ACT_ALLOW"),
	};
	return (struct spec_seccomp){.set = true,
				     .default_action = TEXT(default_action),
				     .syscalls = rule,
				     .syscalls_count = 1};
}

#ifdef __x86_64__
#define BEYOND 999

static void a_call_beyond_those_of_the_profile_is_not_there(void **state)
{
	struct spec_seccomp_rule rule;
	struct spec_seccomp seccomp = listing(&rule, "SCMP_ACT_ERRNO");

	(void)state;
	seccomp.default_errno_ret = (struct spec_u64){true, BLOCKED};
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64");
	assert_int_equal(error_of(&seccomp, SYS_getppid), 0);
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), BLOCKED);
	assert_int_equal(error_of(&seccomp, SYS_statx), ENOSYS);
	assert_int_equal(error_of(&seccomp, BEYOND), ENOSYS);
	seccomp.architectures = STRINGS("SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32");
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), BLOCKED);
	assert_int_equal(error_of(&seccomp, BEYOND), ENOSYS);
	seccomp.default_action = TEXT("SCMP_ACT_KILL_PROCESS");
	seccomp.default_errno_ret.set = false;
	assert_int_equal(error_of(&seccomp, BEYOND), ENOSYS);
}

/* As with runc. */
static void only_of_an_architecture_that_is_listed(void **state)
{
	struct spec_seccomp_rule rule;
	struct spec_seccomp seccomp = listing(&rule, "SCMP_ACT_ERRNO");

	(void)state;
	seccomp.default_errno_ret = (struct spec_u64){true, BLOCKED};
	assert_int_equal(error_of(&seccomp, BEYOND), BLOCKED);
	seccomp.architectures = STRINGS("SCMP_ARCH_X86");
	assert_int_equal(error_of(&seccomp, BEYOND), BLOCKED);
	seccomp.architectures = STRINGS("SCMP_ARCH_X32");
	assert_int_equal(error_of(&seccomp, BEYOND), BLOCKED);
}

static void a_profile_that_lets_calls_pass_lets_newer_ones_pass(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_ERRNO", .errno_ret = {true, BLOCKED})};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);

	(void)state;
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64");
	assert_int_equal(error_of(&seccomp, SYS_getppid), BLOCKED);
	assert_int_equal(error_of(&seccomp, SYS_memfd_create), EFAULT); /* the kernel's own word */
}

/* x32's calls have a bit of their own. */
static void x32_is_an_architecture_apart(void **state)
{
	struct spec_seccomp_rule rule;
	struct spec_seccomp seccomp = listing(&rule, "SCMP_ACT_ERRNO");
	struct call call = {.number = 0x40000000 | SYS_getpgrp};
	int status;

	(void)state;
	seccomp.default_errno_ret = (struct spec_u64){true, BLOCKED};
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64", "SCMP_ARCH_X32");
	assert_int_equal(error_of(&seccomp, 0x40000000 | SYS_getpgrp), BLOCKED);
	assert_int_equal(error_of(&seccomp, 0x40000000 | BEYOND), ENOSYS);
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64");
	status = run(&seccomp, &call, 1);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* As a 32-bit program calls it: the result, or -errno. */
static int old_call(int number)
{
	int result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static int status_of_old_call(const struct spec_seccomp *seccomp, int number, int wanted)
{
	cleanup_plan struct plan_buffer buffer;
	int status;
	pid_t pid;

	if (seccomp)
		compile(seccomp, &buffer);
	else
		plan_buffer_init(&buffer);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		if (seccomp)
			install(&buffer);
		syscall(SYS_exit_group, old_call(number) == wanted ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void i386_has_its_own_numbers(void **state)
{
	struct spec_seccomp_rule rule;
	struct spec_seccomp seccomp = listing(&rule, "SCMP_ACT_ERRNO");

	(void)state;
	/* getpgrp(2) without a filter. */
	if (status_of_old_call(NULL, 65, getpgrp()) != 0) {
		print_message("skipped: this kernel has no 32-bit system calls\n");
		skip();
	}
	seccomp.default_errno_ret = (struct spec_u64){true, BLOCKED};
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86");
	assert_int_equal(status_of_old_call(&seccomp, 64, getpid()), 0); /* getppid */
	assert_int_equal(status_of_old_call(&seccomp, 65, -BLOCKED), 0);
	/* i386's exit_group is 252: this one is beyond x86-64's, and not beyond its own. */
	assert_int_equal(status_of_old_call(&seccomp, 240, -BLOCKED), 0);
	assert_int_equal(status_of_old_call(&seccomp, BEYOND, -ENOSYS), 0);
}
#endif

/* ---- flags ---- */

static uint32_t flags_of(const struct spec_seccomp *seccomp)
{
	cleanup_plan struct plan_buffer buffer;

	compile(seccomp, &buffer);
	return plan_head(&buffer)->seccomp_flags;
}

static void a_profile_without_flags_has_runcs_default(void **state)
{
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO")};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);

	(void)state;
	assert_int_equal(flags_of(&seccomp), SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp.flags_set = true;
	assert_int_equal(flags_of(&seccomp), 0);
}

static void a_filter_that_notifies_has_a_listener(void **state)
{
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_NOTIFY")};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);

	(void)state;
	seccomp.flags_set = true;
	assert_int_equal(flags_of(&seccomp), SECCOMP_FILTER_FLAG_NEW_LISTENER);
	seccomp.flags = STRINGS("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	if (process_seccomp_flag_supported(seccomp.flags.items[0]))
		assert_int_equal(flags_of(&seccomp), SECCOMP_FILTER_FLAG_NEW_LISTENER | 1 << 5);
	/* Nobody would ever hear of it. */
	rules[0].names = STRINGS("call_of_tomorrow");
	assert_int_equal(flags_of(&seccomp), 0);
}

/* Installed without a listener, it has nobody to ask. */
static void a_call_that_is_notified_of_waits_for_a_listener(void **state)
{
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_NOTIFY")};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
	cleanup_plan struct plan_buffer buffer;
	int status;
	pid_t pid;

	(void)state;
	compile(&seccomp, &buffer);
	plan_head(&buffer)->seccomp_flags = 0;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		install(&buffer);
		_exit(syscall(SYS_getppid) < 0 && errno == ENOSYS ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void whether_the_kernel_has_a_flag_is_the_kernels_word(void **state)
{
	(void)state;
	for (const char *const *flag = process_seccomp_flags; *flag; flag++)
		if (strcmp(*flag, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") != 0)
			assert_true(process_seccomp_flag_supported(*flag));
	assert_false(process_seccomp_flag_supported("SECCOMP_FILTER_FLAG_NEW_LISTENER"));
	assert_false(process_seccomp_flag_supported(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
	    cmocka_unit_test(a_call_beyond_those_of_the_profile_is_not_there),
	    cmocka_unit_test(only_of_an_architecture_that_is_listed),
	    cmocka_unit_test(a_profile_that_lets_calls_pass_lets_newer_ones_pass),
	    cmocka_unit_test(x32_is_an_architecture_apart),
	    cmocka_unit_test(i386_has_its_own_numbers),
#endif
	    cmocka_unit_test(a_profile_without_flags_has_runcs_default),
	    cmocka_unit_test(a_filter_that_notifies_has_a_listener),
	    cmocka_unit_test(a_call_that_is_notified_of_waits_for_a_listener),
	    cmocka_unit_test(whether_the_kernel_has_a_flag_is_the_kernels_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
