/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp, compiled and installed: actions, names of calls, architectures, flags, errors. */
#include "test_process_seccomp_child.c"

/* ---- actions ---- */

static void a_call_fails_with_the_errno_that_is_asked_for(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_ERRNO", .errno_ret = {true, ENOSPC}),
	    RULE("getpgrp", "SCMP_ACT_ERRNO"),
	    RULE("getuid", "SCMP_ACT_ERRNO", .errno_ret = {true, 4094}),
	};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 3);
	struct call calls[] = {
	    {SYS_getppid, {0}, -1},
	    {SYS_getpgrp, {0}, -1},
	    {SYS_getuid, {0}, -1},
	    {SYS_getpid, {0}, -1},
	};

	(void)state;
	assert_int_equal(run(&seccomp, calls, 4), 0);
	assert_int_equal(calls[0].error, ENOSPC);
	assert_int_equal(calls[1].error, EPERM);
	assert_int_equal(calls[2].error, 4094);
	assert_int_equal(calls[3].error, 0);
}

static void an_errno_of_zero_is_a_call_that_does_nothing(void **state)
{
	struct spec_seccomp_rule rules[] = {RULE("kill", "SCMP_ACT_ERRNO", .errno_ret = {true, 0})};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
	struct call call = {SYS_kill, {(unsigned long)getpid(), SIGKILL}, -1};

	(void)state;
	assert_int_equal(run(&seccomp, &call, 1), 0);
	assert_int_equal(call.error, 0);
}

static void the_default_action_is_for_everything_else(void **state)
{
	/* sigaltstack: the sanitizer calls it at the end of a process. */
	struct spec_seccomp_rule rules[] = {
	    {.names = STRINGS("exit_group", "sigaltstack", "getppid"),
	     .action = TEXT("SCMP_ACT_ALLOW")}};
	struct spec_seccomp seccomp = {.set = true,
				       .default_action = TEXT("SCMP_ACT_ERRNO"),
				       .syscalls = rules,
				       .syscalls_count = 1};

	(void)state;
	assert_int_equal(error_of(&seccomp, SYS_getppid), 0);
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), EPERM);
	seccomp.default_errno_ret = (struct spec_u64){true, BLOCKED};
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), BLOCKED);
}

static void the_killing_actions_kill(void **state)
{
	static const char *const actions[] = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD",
					      "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		struct spec_seccomp_rule rules[] = {RULE("getppid", actions[i])};
		const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
		struct call call = {SYS_getppid, {0}, -1};
		int status = run(&seccomp, &call, 1);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
		assert_int_equal(call.error, -1);
	}
}

static void log_lets_a_call_through_and_trace_needs_a_tracer(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_LOG"),
	    RULE("getpgrp", "SCMP_ACT_TRACE", .errno_ret = {true, 7}),
	};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 2);

	(void)state;
	assert_int_equal(error_of(&seccomp, SYS_getppid), 0);
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), ENOSYS);
}

static void a_rule_that_repeats_the_default_changes_nothing(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_ALLOW"),
	    RULE("getpgrp", "SCMP_ACT_ERRNO", .errno_ret = {true, BLOCKED}),
	    RULE("getpgrp", "SCMP_ACT_ERRNO", .errno_ret = {true, BLOCKED}),
	};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 3);

	(void)state;
	assert_int_equal(error_of(&seccomp, SYS_getppid), 0);
	assert_int_equal(error_of(&seccomp, SYS_getpgrp), BLOCKED);
}

/* ---- names ---- */

struct lines {
	int count;
	char text[200];
};

static void note(void *data, enum log_level level, const char *message)
{
	struct lines *lines = data;

	assert_int_equal(level, LOG_LEVEL_DEBUG);
	if (!strstr(message, "unknown"))
		return;
	lines->count++;
	snprintf(lines->text, sizeof(lines->text), "%s", message);
}

static void a_call_that_nobody_knows_is_skipped(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    {.names = STRINGS("call_of_tomorrow", "getppid"),
	     .action = TEXT("SCMP_ACT_ERRNO"),
	     .errno_ret = {true, BLOCKED}},
	    RULE("", "SCMP_ACT_ERRNO"),
	};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 2);
	struct lines lines = {0};
	struct log log = {note, &lines, LOG_LEVEL_DEBUG};
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_of(&seccomp, SYS_getppid), BLOCKED);
	plan_buffer_init(&buffer);
	assert_int_equal(process_compile_seccomp(&seccomp, -1, &log, &buffer, &err), 0);
	assert_int_equal(lines.count, 2);
	assert_string_equal(lines.text, "linux.seccomp: unknown system call \"\" skipped");
}

/* i386 has them, x86-64 does not: libseccomp knows them by negative numbers. */
static void a_call_of_another_architecture_does_no_harm(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    {.names = STRINGS("socketcall", "waitpid", "getppid"),
	     .action = TEXT("SCMP_ACT_ERRNO"),
	     .errno_ret = {true, BLOCKED}},
	};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);

	(void)state;
	assert_int_equal(error_of(&seccomp, SYS_getppid), BLOCKED);
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86");
	assert_int_equal(error_of(&seccomp, SYS_getppid), BLOCKED);
}

/* ---- architectures ---- */

#ifdef __x86_64__
/* getppid(2) as a 32-bit program calls it, from a 64-bit one. The result is 0 or above, or -errno.
 */
static int old_getppid(void)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(64) : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static int run_old_call(const struct spec_seccomp *seccomp)
{
	cleanup_plan struct plan_buffer buffer;
	int status;
	pid_t pid;

	compile(seccomp, &buffer);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		install(&buffer);
		_exit(old_getppid() == -BLOCKED ? 7 : 8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool has_old_calls(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(old_getppid() == getppid() ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void a_call_of_a_listed_architecture_is_filtered_and_of_another_kills(void **state)
{
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_ERRNO", .errno_ret = {true, BLOCKED})};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
	int status;

	(void)state;
	if (!filters_work() || !has_old_calls()) {
		print_message("skipped: this kernel has no 32-bit system calls, or no seccomp\n");
		skip();
	}
	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
	status = run_old_call(&seccomp);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);

	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64");
	status = run_old_call(&seccomp);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);

	/* None listed is the machine's own. */
	seccomp.architectures = (struct spec_strings){0};
	status = run_old_call(&seccomp);
	assert_true(WIFSIGNALED(status));
}
#endif

static void every_architecture_that_libseccomp_knows_compiles(void **state)
{
	static const char *const names[] = {
	    "SCMP_ARCH_X86",	 "SCMP_ARCH_X86_64",  "SCMP_ARCH_X32",	 "SCMP_ARCH_ARM",
	    "SCMP_ARCH_AARCH64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390X", "SCMP_ARCH_MIPSEL64N32",
	    "SCMP_ARCH_RISCV64", "SCMP_ARCH_PARISC64"};
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO")};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
		cleanup_plan struct plan_buffer buffer;
		struct error err = ERROR_INIT;

		seccomp.architectures = STRINGS(names[i]);
		plan_buffer_init(&buffer);
		/* One of the other byte order can't be in the same filter. */
		if (process_compile_seccomp(&seccomp, -1, NULL, &buffer, &err) < 0 &&
		    !strstr(err.message, "linux.seccomp.architectures[0]: Failed to add \""))
			fail_msg("%s", err.message);
		error_clear(&err);
	}
}

/* ---- flags ---- */

static void flags_are_the_kernels(void **state)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} cases[] = {
	    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	    {"SECCOMP_FILTER_FLAG_TSYNC", 0},
	    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0},
	};
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO")};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
		cleanup_plan struct plan_buffer buffer;

		seccomp.flags_set = true;
		seccomp.flags = STRINGS(cases[i].name);
		compile(&seccomp, &buffer);
		assert_int_equal(plan_head(&buffer)->seccomp_flags, cases[i].flag);
		/* The kernel takes it. */
		assert_int_equal(error_of(&seccomp, SYS_getppid), EPERM);
	}
}

/* ---- errors ---- */

static void assert_refused(const struct spec_seccomp *seccomp, const char *expected)
{
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	plan_buffer_init(&buffer);
	if (process_compile_seccomp(seccomp, -1, NULL, &buffer, &err) == 0)
		fail_msg("accepted; wanted: %s", expected);
	assert_string_equal(error_text(&err), expected);
	assert_int_equal(plan_head(&buffer)->seccomp.count, 0);
	error_clear(&err);
}

static void what_is_not_known_is_refused_by_its_field(void **state)
{
	struct spec_seccomp_arg args[65] = {{.index = 0, .op = TEXT("SCMP_CMP_EQ")}};
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO"),
					    RULE("getpgrp", "SCMP_ACT_ERRNO")};
	struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 2);

	(void)state;
	seccomp.default_action = TEXT("SCMP_ACT_SHRUG");
	assert_refused(&seccomp, "linux.seccomp.defaultAction: \"SCMP_ACT_SHRUG\" is not known");
	seccomp.default_action = TEXT("SCMP_ACT_ALLOW");

	rules[1].action = TEXT("scmp_act_errno");
	assert_refused(&seccomp,
		       "linux.seccomp.syscalls[1].action: \"scmp_act_errno\" is not known");
	rules[1].action = TEXT("SCMP_ACT_ERRNO");

	seccomp.architectures = STRINGS("SCMP_ARCH_X86_64", "SCMP_ARCH_Z80");
	assert_refused(&seccomp, "linux.seccomp.architectures[1]: \"SCMP_ARCH_Z80\" is not known");
	seccomp.architectures = STRINGS("x86_64");
	assert_refused(&seccomp, "linux.seccomp.architectures[0]: \"x86_64\" is not known");
	seccomp.architectures = STRINGS("");
	assert_refused(&seccomp, "linux.seccomp.architectures[0]: \"\" is not known");
	seccomp.architectures.count = 0;

	seccomp.flags = STRINGS("SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_NEW_LISTENER");
	assert_refused(&seccomp,
		       "linux.seccomp.flags[1]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is not known");
	seccomp.flags.count = 0;

	rules[0].args = args;
	rules[0].args_count = 1;
	args[0].op = TEXT("SCMP_CMP_LIKE");
	assert_refused(&seccomp, "linux.seccomp.syscalls[0].args[0]: not a condition");
	args[0].op = NULL;
	assert_refused(&seccomp, "linux.seccomp.syscalls[0].args[0]: not a condition");
	args[0].op = TEXT("SCMP_CMP_EQ");
	args[0].index = 6;
	assert_refused(&seccomp, "linux.seccomp.syscalls[0].args[0]: not a condition");
	args[0].index = 0;
	rules[0].args_count = 65;
	assert_refused(&seccomp, "linux.seccomp.syscalls[0].args: more than 64");
}

/* ---- Docker's default profile ---- */

static void dockers_default_profile_does_what_docker_means(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = spec_read_oci_file(
	    AT_FDCWD, TEST_DATA "/engines/docker-config-1.json", "config.json", &err);
	struct call calls[] = {
	    /* allowed */
	    {SYS_getppid, {0}, -1},
	    {SYS_personality, {0}, -1},
	    {SYS_personality, {8}, -1},
	    {SYS_personality, {0xffffffff}, -1},
	    {SYS_kill, {(unsigned long)getpid(), 0}, -1},
	    /* not allowed */
	    {SYS_personality, {9}, -1},
	    {SYS_personality, {0x0400000}, -1},
	    {SYS_unshare, {CLONE_NEWUSER}, -1},
	    {SYS_clone, {CLONE_NEWUSER | SIGCHLD}, -1},
	    {SYS_clone, {CLONE_NEWNS | SIGCHLD}, -1},
	    {SYS_mount, {0}, -1},
	    {SYS_keyctl, {0}, -1},
	    {SYS_bpf, {0}, -1},
	    {SYS_reboot, {0}, -1},
	    {SYS_init_module, {0}, -1},
	    /* of which the caller shall believe that the kernel has it not */
	    {SYS_clone3, {0}, -1},
	};

	(void)state;
	if (!spec)
		fail_msg("%s", error_text(&err));
	assert_true(spec->linux_.seccomp.set);
	assert_int_equal(run(&spec->linux_.seccomp, calls, ARRAY_SIZE(calls)), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(calls[i].error, 0);
	for (size_t i = 5; i < ARRAY_SIZE(calls) - 1; i++)
		assert_int_equal(calls[i].error, EPERM);
	assert_int_equal(calls[ARRAY_SIZE(calls) - 1].error, ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_fails_with_the_errno_that_is_asked_for),
	    cmocka_unit_test(an_errno_of_zero_is_a_call_that_does_nothing),
	    cmocka_unit_test(the_default_action_is_for_everything_else),
	    cmocka_unit_test(the_killing_actions_kill),
	    cmocka_unit_test(log_lets_a_call_through_and_trace_needs_a_tracer),
	    cmocka_unit_test(a_rule_that_repeats_the_default_changes_nothing),
	    cmocka_unit_test(a_call_that_nobody_knows_is_skipped),
	    cmocka_unit_test(a_call_of_another_architecture_does_no_harm),
#ifdef __x86_64__
	    cmocka_unit_test(a_call_of_a_listed_architecture_is_filtered_and_of_another_kills),
#endif
	    cmocka_unit_test(every_architecture_that_libseccomp_knows_compiles),
	    cmocka_unit_test(flags_are_the_kernels),
	    cmocka_unit_test(what_is_not_known_is_refused_by_its_field),
	    cmocka_unit_test(dockers_default_profile_does_what_docker_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
