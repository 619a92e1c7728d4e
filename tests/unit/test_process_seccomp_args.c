/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions of linux.seccomp on a call's arguments: each operator, and what becomes of
 * several. */
#include "test_process_seccomp_child.c"

/* ---- conditions ---- */

struct operation {
	const char *name;
	uint64_t value, value_two;
};

/* What the specification says, in C. */
static bool holds(const struct operation *operation, uint64_t arg)
{
	const char *name = operation->name + strlen("SCMP_CMP_");

	if (strcmp(name, "NE") == 0)
		return arg != operation->value;
	if (strcmp(name, "LT") == 0)
		return arg < operation->value;
	if (strcmp(name, "LE") == 0)
		return arg <= operation->value;
	if (strcmp(name, "EQ") == 0)
		return arg == operation->value;
	if (strcmp(name, "GE") == 0)
		return arg >= operation->value;
	if (strcmp(name, "GT") == 0)
		return arg > operation->value;
	assert_string_equal(name, "MASKED_EQ");
	return (arg & operation->value) == operation->value_two;
}

static void every_operator_compares_all_64_bits(void **state)
{
	static const struct operation operations[] = {
	    {"SCMP_CMP_NE", 8, 0},
	    {"SCMP_CMP_LT", 8, 0},
	    {"SCMP_CMP_LE", 8, 0},
	    {"SCMP_CMP_EQ", 8, 0},
	    {"SCMP_CMP_GE", 8, 0},
	    {"SCMP_CMP_GT", 8, 0},
	    {"SCMP_CMP_NE", 0x100000008, 0},
	    {"SCMP_CMP_LT", 0x100000008, 0},
	    {"SCMP_CMP_LE", 0x100000008, 0},
	    {"SCMP_CMP_EQ", 0x100000008, 0},
	    {"SCMP_CMP_GE", 0x100000008, 0},
	    {"SCMP_CMP_GT", 0x100000008, 0},
	    {"SCMP_CMP_EQ", 0, 0},
	    {"SCMP_CMP_EQ", UINT64_MAX, 0},
	    {"SCMP_CMP_GT", INT64_MAX, 0}, /* unsigned */
	    {"SCMP_CMP_MASKED_EQ", 0x0f, 0x08},
	    {"SCMP_CMP_MASKED_EQ", 0x0f, 0},
	    {"SCMP_CMP_MASKED_EQ", 0xf0000000f, 0x100000008},
	};
	static const uint64_t values[] = {0,	       1,	    7,		 8,
					  9,	       0x18,	    0xfffffff8,	 0xffffffff,
					  0x100000000, 0x100000007, 0x100000008, 0x100000009,
					  0x200000008, INT64_MAX,   UINT64_MAX,	 (uint64_t)1 << 63};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		const struct operation *operation = &operations[i];
		struct spec_seccomp_arg arg = {.index = 1,
					       .value = operation->value,
					       .value_two = operation->value_two,
					       .op = TEXT(operation->name)};
		struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO",
							 .errno_ret = {true, BLOCKED}, .args = &arg,
							 .args_count = 1)};
		const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
		struct call calls[ARRAY_SIZE(values)];

		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			calls[k] = (struct call){SYS_getppid, {8, values[k], 8}, -1};
		assert_int_equal(run(&seccomp, calls, ARRAY_SIZE(values)), 0);
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			int expected = holds(operation, values[k]) ? BLOCKED : 0;

			if (calls[k].error != expected)
				fail_msg("%s %#llx, %#llx: with %#llx the call gave %d",
					 operation->name, (unsigned long long)operation->value,
					 (unsigned long long)operation->value_two,
					 (unsigned long long)values[k], calls[k].error);
		}
	}
}

static void a_condition_looks_at_the_argument_that_it_names(void **state)
{
	(void)state;
	for (uint32_t index = 0; index < 6; index++) {
		struct spec_seccomp_arg arg = {
		    .index = index, .value = 5, .op = TEXT("SCMP_CMP_EQ")};
		struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO",
							 .errno_ret = {true, BLOCKED}, .args = &arg,
							 .args_count = 1)};
		const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
		struct call calls[6];

		for (size_t k = 0; k < 6; k++) {
			calls[k] = (struct call){.number = SYS_getppid};
			calls[k].args[k] = 5;
		}
		assert_int_equal(run(&seccomp, calls, 6), 0);
		for (size_t k = 0; k < 6; k++)
			assert_int_equal(calls[k].error, k == index ? BLOCKED : 0);
	}
}

static void conditions_on_different_arguments_must_all_hold(void **state)
{
	struct spec_seccomp_arg args[] = {
	    {.index = 0, .value = 1, .op = TEXT("SCMP_CMP_EQ")},
	    {.index = 1, .value = 10, .op = TEXT("SCMP_CMP_GT")},
	    {.index = 5, .value = 1, .value_two = 1, .op = TEXT("SCMP_CMP_MASKED_EQ")}};
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO",
						 .errno_ret = {true, BLOCKED}, .args = args,
						 .args_count = 3)};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
	struct call calls[] = {
	    {SYS_getppid, {1, 11, 0, 0, 0, 3}, -1}, {SYS_getppid, {2, 11, 0, 0, 0, 3}, -1},
	    {SYS_getppid, {1, 10, 0, 0, 0, 3}, -1}, {SYS_getppid, {1, 11, 0, 0, 0, 2}, -1},
	    {SYS_getppid, {0, 0, 0, 0, 0, 0}, -1},
	};

	(void)state;
	assert_int_equal(run(&seccomp, calls, 5), 0);
	assert_int_equal(calls[0].error, BLOCKED);
	for (size_t i = 1; i < 5; i++)
		assert_int_equal(calls[i].error, 0);
}

static void of_conditions_on_one_argument_any_may_hold(void **state)
{
	struct spec_seccomp_arg args[] = {{.index = 0, .value = 1, .op = TEXT("SCMP_CMP_EQ")},
					  {.index = 0, .value = 5, .op = TEXT("SCMP_CMP_EQ")},
					  {.index = 1, .value = 9, .op = TEXT("SCMP_CMP_EQ")}};
	struct spec_seccomp_rule rules[] = {RULE("getppid", "SCMP_ACT_ERRNO",
						 .errno_ret = {true, BLOCKED}, .args = args,
						 .args_count = 3)};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 1);
	struct call calls[] = {
	    {SYS_getppid, {1, 0}, -1}, {SYS_getppid, {5, 0}, -1},
	    {SYS_getppid, {0, 9}, -1}, /* as in runc, the rest becomes rules of their own, too */
	    {SYS_getppid, {0, 0}, -1}, {SYS_getppid, {3, 8}, -1},
	};

	(void)state;
	assert_int_equal(run(&seccomp, calls, 5), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(calls[i].error, BLOCKED);
	for (size_t i = 3; i < 5; i++)
		assert_int_equal(calls[i].error, 0);
}

static void several_rules_for_a_call_are_alternatives(void **state)
{
	struct spec_seccomp_arg one = {.index = 0, .value = 1, .op = TEXT("SCMP_CMP_EQ")};
	struct spec_seccomp_arg two = {.index = 0, .value = 2, .op = TEXT("SCMP_CMP_EQ")};
	struct spec_seccomp_rule rules[] = {
	    RULE("getppid", "SCMP_ACT_ERRNO", .errno_ret = {true, BLOCKED}, .args = &one,
		 .args_count = 1),
	    RULE("getppid", "SCMP_ACT_ERRNO", .errno_ret = {true, ENOSPC}, .args = &two,
		 .args_count = 1),
	};
	const struct spec_seccomp seccomp = ALLOW_ALL_BUT(rules, 2);
	struct call calls[] = {
	    {SYS_getppid, {1}, -1}, {SYS_getppid, {2}, -1}, {SYS_getppid, {3}, -1}};

	(void)state;
	assert_int_equal(run(&seccomp, calls, 3), 0);
	assert_int_equal(calls[0].error, BLOCKED);
	assert_int_equal(calls[1].error, ENOSPC);
	assert_int_equal(calls[2].error, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_operator_compares_all_64_bits),
	    cmocka_unit_test(a_condition_looks_at_the_argument_that_it_names),
	    cmocka_unit_test(conditions_on_different_arguments_must_all_hold),
	    cmocka_unit_test(of_conditions_on_one_argument_any_may_hold),
	    cmocka_unit_test(several_rules_for_a_call_are_alternatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
