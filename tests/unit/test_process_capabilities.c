/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.capabilities: from names to the five masks. What the caller itself lacks is told from the
 * kernel, so those tests run in a forked child that has let a capability go.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"

#define STRINGS(...)                                                                               \
	((struct spec_strings){ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                        \
			       (char **)(const char *[]){__VA_ARGS__, NULL}})

#define BIT(cap) (1ULL << (cap))

/* ---- what a compilation gives ---- */

struct result {
	uint64_t sets[SPEC_CAP_SETS];
	uint32_t flags;
	int warnings, others;
	char text[1000]; /* the warnings, one a line */
};

static void note(void *data, enum log_level level, const char *message)
{
	struct result *result = data;
	size_t length = strlen(result->text);

	if (level == LOG_LEVEL_WARNING)
		result->warnings++;
	else
		result->others++;
	snprintf(result->text + length, sizeof(result->text) - length, "%s\n", message);
}

/* No assertion in here: it runs in children, too. */
static int try_compile(const struct spec_capabilities *capabilities, bool own_user_namespace,
		       struct result *result)
{
	const struct spec_process process = {.args = STRINGS("true"),
					     .capabilities = *capabilities};
	struct log log = {note, result, LOG_LEVEL_WARNING};
	cleanup_plan struct plan_buffer buffer;
	struct error err = ERROR_INIT;

	memset(result, 0, sizeof(*result));
	plan_buffer_init(&buffer);
	if (process_compile(&process, own_user_namespace, &log, &buffer, &err) < 0) {
		error_clear(&err);
		return -1;
	}
	memcpy(result->sets, plan_head(&buffer)->capabilities, sizeof(result->sets));
	result->flags = plan_head(&buffer)->flags;
	return 0;
}

static struct result compile(const struct spec_capabilities *capabilities)
{
	struct result result;

	assert_int_equal(try_compile(capabilities, true, &result), 0);
	return result;
}

/* ---- names ---- */

static void every_name_that_libcap_knows_is_known(void **state)
{
	int last = (int)cap_max_bits();

	(void)state;
	assert_true(last > CAP_CHECKPOINT_RESTORE);
	for (int cap = 0; cap < last; cap++) {
		char *name = cap_to_name(cap), upper[64], mixed[64]; /* "cap_chown" */
		size_t i;

		assert_non_null(name);
		if (strncmp(name, "cap_", 4) != 0) { /* a number: the kernel is newer than libcap */
			cap_free(name);
			continue;
		}
		for (i = 0; name[i]; i++) {
			upper[i] = (char)toupper((unsigned char)name[i]);
			mixed[i] = i % 2 ? name[i] : upper[i];
		}
		upper[i] = mixed[i] = '\0';
		assert_int_equal(process_capability_from_name(name), cap);
		assert_int_equal(process_capability_from_name(upper), cap);
		assert_int_equal(process_capability_from_name(mixed), cap);
		assert_int_equal(process_capability_from_name(name + 4), cap);
		assert_int_equal(process_capability_from_name(upper + 4), cap);
		assert_int_equal(process_capability_from_name(mixed + 4), cap);
		cap_free(name);
	}
}

static void names_that_nobody_knows_are_not_known(void **state)
{
	static const char *const names[] = {
	    "",		 "CAP_",       "CAP_CHOW",   "CAP_CHOWNS",    "CAP_CAP_CHOWN", "CAPCHOWN",
	    "CAP-CHOWN", "cap__chown", "SYS_ADMINX", "CAP_SYS ADMIN", "all",	       "CAP_ALL",
	};
	char endless[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (process_capability_from_name(names[i]) != -1)
			fail_msg("\"%s\" is %d", names[i], process_capability_from_name(names[i]));
	}
	memset(endless, 'A', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(process_capability_from_name(endless), -1);
	for (size_t length = 50; length < 70; length++)
		assert_int_equal(
		    process_capability_from_name(endless + sizeof(endless) - 1 - length), -1);
}

/* libcap reads them out of a longer text, up to what can't be in a name, and also takes numbers. */
static void a_name_is_a_name_to_its_end(void **state)
{
	static const char *const names[] = {"CAP_CHOWN ",     "CAP_CHOWN=ep", "CAP_CHOWN,CAP_KILL",
					    "CAP_CHOWN1",     "chown+e",      "CAP_CHOWN\n",
					    "CAP_SYS_ADMIN.", "21",	      "CAP_21"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (process_capability_from_name(names[i]) != -1)
			fail_msg("\"%s\" is %d", names[i], process_capability_from_name(names[i]));
	}
}

/* ---- sets ---- */

static void each_set_is_the_mask_of_its_names(void **state)
{
	struct spec_strings all = STRINGS("CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN");
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_BOUNDING] =
			 STRINGS("CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"),
		     [SPEC_CAP_PERMITTED] = all,
		     [SPEC_CAP_EFFECTIVE] = STRINGS("CAP_CHOWN", "cap_kill"),
		     [SPEC_CAP_INHERITABLE] = STRINGS("kill"),
		     [SPEC_CAP_AMBIENT] = STRINGS("CAP_KILL", "CAP_KILL")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_BOUNDING] ==
		    (BIT(CAP_CHOWN) | BIT(CAP_SYS_ADMIN) | BIT(CAP_CHECKPOINT_RESTORE)));
	assert_true(result.sets[SPEC_CAP_PERMITTED] ==
		    (BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_ADMIN)));
	assert_true(result.sets[SPEC_CAP_EFFECTIVE] == (BIT(CAP_CHOWN) | BIT(CAP_KILL)));
	assert_true(result.sets[SPEC_CAP_INHERITABLE] == BIT(CAP_KILL));
	assert_true(result.sets[SPEC_CAP_AMBIENT] == BIT(CAP_KILL));
	assert_true(result.flags & PLAN_CAPABILITIES);
	assert_int_equal(result.warnings, 0);
}

static void an_unknown_name_is_left_out_with_a_warning(void **state)
{
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN", "CAP_OF_TOMORROW", "CAP_KILL")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_PERMITTED] == (BIT(CAP_CHOWN) | BIT(CAP_KILL)));
	assert_int_equal(result.warnings, 1);
	assert_int_equal(result.others, 0);
	assert_string_equal(
	    result.text, "process.capabilities: unknown capability \"CAP_OF_TOMORROW\" ignored\n");
}

static void an_ambient_one_must_be_inheritable_and_permitted(void **state)
{
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN", "CAP_KILL"),
		     [SPEC_CAP_BOUNDING] = STRINGS("CAP_CHOWN", "CAP_KILL", "CAP_SETUID"),
		     [SPEC_CAP_INHERITABLE] = STRINGS("CAP_KILL", "CAP_SETUID"),
		     [SPEC_CAP_AMBIENT] =
			 STRINGS("CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_AMBIENT] == BIT(CAP_KILL));
	assert_int_equal(result.warnings, 0);
}

static void an_ambient_one_without_inheritable_is_dropped(void **state)
{
	/* As buildah writes it. */
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN"),
		     [SPEC_CAP_AMBIENT] = STRINGS("CAP_CHOWN")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_AMBIENT] == 0);
	assert_true(result.sets[SPEC_CAP_PERMITTED] == BIT(CAP_CHOWN));
}

static void what_is_effective_must_be_permitted(void **state)
{
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN"),
		     [SPEC_CAP_BOUNDING] = STRINGS("CAP_CHOWN", "CAP_KILL"),
		     [SPEC_CAP_EFFECTIVE] = STRINGS("CAP_CHOWN", "CAP_KILL")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_EFFECTIVE] == BIT(CAP_CHOWN));
}

static void what_is_inheritable_must_be_permitted_or_in_the_bounding_set(void **state)
{
	const struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_CHOWN"),
		     [SPEC_CAP_BOUNDING] = STRINGS("CAP_KILL"),
		     [SPEC_CAP_INHERITABLE] = STRINGS("CAP_CHOWN", "CAP_KILL", "CAP_SETUID")}};
	struct result result = compile(&capabilities);

	(void)state;
	assert_true(result.sets[SPEC_CAP_INHERITABLE] == (BIT(CAP_CHOWN) | BIT(CAP_KILL)));
}

static void the_final_sets_may_override_file_permissions(void **state)
{
	struct spec_capabilities capabilities = {
	    .set = true,
	    .sets = {[SPEC_CAP_PERMITTED] = STRINGS("CAP_DAC_OVERRIDE"),
		     [SPEC_CAP_EFFECTIVE] = STRINGS("CAP_DAC_OVERRIDE")}};

	(void)state;
	assert_true(compile(&capabilities).flags & PLAN_CAP_OVERRIDE);
	capabilities.sets[SPEC_CAP_EFFECTIVE].count = 0;
	assert_false(compile(&capabilities).flags & PLAN_CAP_OVERRIDE);
	capabilities.sets[SPEC_CAP_PERMITTED] = STRINGS("CAP_DAC_READ_SEARCH");
	capabilities.sets[SPEC_CAP_EFFECTIVE] = STRINGS("CAP_DAC_READ_SEARCH");
	assert_true(compile(&capabilities).flags & PLAN_CAP_OVERRIDE);
	/* Effective without being permitted: it won't be. */
	capabilities.sets[SPEC_CAP_PERMITTED].count = 0;
	assert_false(compile(&capabilities).flags & PLAN_CAP_OVERRIDE);
}

/* ---- what we lack ---- */

struct experiment {
	cap_value_t lost;
	bool in_bounding_set_only; /* lacks it there, and still has it permitted */
	bool own_user_namespace;
	struct spec_capabilities capabilities;
};

/* In the child: lets a capability go, as a service manager does for a runtime in a box. */
static int lose(const struct experiment *experiment)
{
	int result = 0;
	cap_t own;

	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, experiment->lost, 0, 0, 0) == 1)
		result = prctl(PR_CAPBSET_DROP, experiment->lost, 0, 0, 0);
	if (result == 0 && !experiment->in_bounding_set_only) {
		own = cap_get_proc();
		cap_set_flag(own, CAP_EFFECTIVE, 1, &experiment->lost, CAP_CLEAR);
		cap_set_flag(own, CAP_PERMITTED, 1, &experiment->lost, CAP_CLEAR);
		cap_set_flag(own, CAP_INHERITABLE, 1, &experiment->lost, CAP_CLEAR);
		result = cap_set_proc(own);
		cap_free(own);
	}
	return result;
}

static struct result compile_without(const struct experiment *experiment)
{
	struct result result = {0};
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (lose(experiment) < 0)
			_exit(2);
		if (try_compile(&experiment->capabilities, experiment->own_user_namespace,
				&result) < 0)
			_exit(3);
		_exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 4);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &result, sizeof(result)), sizeof(result));
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return result;
}

static bool can_give(int cap)
{
	cap_flag_value_t permitted = CAP_CLEAR;
	cap_t own = cap_get_proc();

	cap_get_flag(own, cap, CAP_PERMITTED, &permitted);
	cap_free(own);
	return permitted == CAP_SET && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
}

static void needs_a_caller_that_can_give(int cap, const char *name)
{
	if (!can_give(cap)) {
		print_message("skipped: runs without %s\n", name);
		skip();
	}
}

static const char warning_of_sys_resource[] =
    "process.capabilities: CAP_SYS_RESOURCE can't be given, as runlxc was started without it; "
    "going on without it\n";

static void what_we_lack_is_left_out_with_one_warning(void **state)
{
	struct spec_strings names = STRINGS("CAP_CHOWN", "CAP_SYS_RESOURCE");
	const struct experiment experiment = {
	    .lost = CAP_SYS_RESOURCE,
	    .capabilities = {.set = true, .sets = {names, names, names, names, names}}};
	struct result result;

	(void)state;
	needs_a_caller_that_can_give(CAP_CHOWN, "CAP_CHOWN");
	result = compile_without(&experiment);
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_true(result.sets[set] == BIT(CAP_CHOWN));
	assert_string_equal(result.text, warning_of_sys_resource);
	assert_int_equal(result.warnings, 1);
}

static void what_the_bounding_set_lacks_can_not_be_given_either(void **state)
{
	struct spec_strings names = STRINGS("CAP_CHOWN", "CAP_WAKE_ALARM");
	const struct experiment experiment = {
	    .lost = CAP_WAKE_ALARM,
	    .in_bounding_set_only = true,
	    .capabilities = {.set = true, .sets = {names, names, names, names, names}}};
	struct result result;

	(void)state;
	needs_a_caller_that_can_give(CAP_CHOWN, "CAP_CHOWN");
	needs_a_caller_that_can_give(CAP_WAKE_ALARM, "CAP_WAKE_ALARM");
	result = compile_without(&experiment);
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_true(result.sets[set] == BIT(CAP_CHOWN));
	assert_non_null(strstr(result.text, "CAP_WAKE_ALARM can't be given"));
	assert_int_equal(result.warnings, 1);
}

/* What is asked for only as inheritable or ambient gives nothing by itself; it isn't worth a word.
 */
static void inheritable_and_ambient_alone_do_not_warn(void **state)
{
	struct spec_strings names = STRINGS("CAP_SYS_RESOURCE");
	const struct experiment experiment = {
	    .lost = CAP_SYS_RESOURCE,
	    .capabilities = {.set = true,
			     .sets = {[SPEC_CAP_INHERITABLE] = names, [SPEC_CAP_AMBIENT] = names}}};
	struct result result = compile_without(&experiment);

	(void)state;
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_true(result.sets[set] == 0);
	assert_int_equal(result.warnings, 0);
}

static void a_user_namespace_of_its_own_has_them_all(void **state)
{
	struct spec_strings names = STRINGS("CAP_CHOWN", "CAP_SYS_RESOURCE");
	const struct experiment experiment = {
	    .lost = CAP_SYS_RESOURCE,
	    .own_user_namespace = true,
	    .capabilities = {.set = true, .sets = {names, names, names, names, names}}};
	struct result result = compile_without(&experiment);

	(void)state;
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_true(result.sets[set] == (BIT(CAP_CHOWN) | BIT(CAP_SYS_RESOURCE)));
	assert_int_equal(result.warnings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_that_libcap_knows_is_known),
	    cmocka_unit_test(names_that_nobody_knows_are_not_known),
	    cmocka_unit_test(a_name_is_a_name_to_its_end),
	    cmocka_unit_test(each_set_is_the_mask_of_its_names),
	    cmocka_unit_test(an_unknown_name_is_left_out_with_a_warning),
	    cmocka_unit_test(an_ambient_one_must_be_inheritable_and_permitted),
	    cmocka_unit_test(an_ambient_one_without_inheritable_is_dropped),
	    cmocka_unit_test(what_is_effective_must_be_permitted),
	    cmocka_unit_test(what_is_inheritable_must_be_permitted_or_in_the_bounding_set),
	    cmocka_unit_test(the_final_sets_may_override_file_permissions),
	    cmocka_unit_test(what_we_lack_is_left_out_with_one_warning),
	    cmocka_unit_test(what_the_bounding_set_lacks_can_not_be_given_either),
	    cmocka_unit_test(inheritable_and_ambient_alone_do_not_warn),
	    cmocka_unit_test(a_user_namespace_of_its_own_has_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
