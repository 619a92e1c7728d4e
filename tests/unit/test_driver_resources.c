/* SPDX-License-Identifier: Apache-2.0 */
/* What an update's document makes of what was asked for before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/resources.h"

static char *with_quotes(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

static void assert_merged(const char *asked, const char *changes, const char *expected)
{
	cleanup_free char *a = with_quotes(asked), *b = with_quotes(changes);
	cleanup_free char *want = with_quotes(expected);
	struct error err = ERROR_INIT;
	cleanup_free char *found = resources_merge(a, b, &err);

	if (!found)
		fail_msg("%s", error_text(&err));
	assert_string_equal(found, want);
}

static void what_is_given_replaces_what_was(void **state)
{
	assert_merged(
	    "{'memory':{'limit':1,'swap':2},'cpu':{'cpus':'0'}}",
	    "{'memory':{'limit':3},'cpu':{'cpus':'1','shares':5},'pids':{'limit':-1}}",
	    "{'memory':{'limit':3,'swap':2},'cpu':{'cpus':'1','shares':5},'pids':{'limit':"
	    "-1}}");
	assert_merged("{}", "{'unified':{'pids.max':'5'}}", "{'unified':{'pids.max':'5'}}");
	assert_merged("{'memory':{'checkBeforeUpdate':true}}",
		      "{'memory':{'checkBeforeUpdate':false}}",
		      "{'memory':{'checkBeforeUpdate':false}}");
}

static void what_is_unset_changes_nothing(void **state)
{
	static const char asked[] =
	    "{'memory':{'limit':1,'swap':2},'cpu':{'cpus':'0','shares':7},"
	    "'pids':{'limit':3},'hugepageLimits':[{'pageSize':'2MB','limit':0}]}";

	assert_merged(asked, "{}", asked);
	assert_merged(asked,
		      "{'memory':{'limit':0,'swap':null},'cpu':{'cpus':'','shares':0},"
		      "'pids':{'limit':0},'hugepageLimits':[],'blockIO':null}",
		      asked);
	/* Where 0 is a value. */
	assert_merged("{'cpu':{'idle':1,'burst':5},'memory':{'swappiness':9}}",
		      "{'cpu':{'idle':0,'burst':0},'memory':{'swappiness':0}}",
		      "{'cpu':{'idle':0,'burst':0},'memory':{'swappiness':0}}");
}

static void lists_are_merged_by_what_they_are_for(void **state)
{
	assert_merged("{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1},"
		      "{'major':8,'minor':16,'weight':2}]}}",
		      "{'blockIO':{'weightDevice':[{'major':8,'minor':16,'weight':3},"
		      "{'major':8,'minor':32,'weight':4}]}}",
		      "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1},"
		      "{'major':8,'minor':16,'weight':3},{'major':8,'minor':32,'weight':4}]}}");
	assert_merged(
	    "{'hugepageLimits':[{'pageSize':'2MB','limit':5}]}",
	    "{'hugepageLimits':[{'pageSize':'1GB','limit':0},{'pageSize':'2MB','limit':0}]}",
	    "{'hugepageLimits':[{'pageSize':'2MB','limit':0},{'pageSize':'1GB','limit':0}]}");
}

static void devices_stay(void **state)
{
	assert_merged("{'devices':[{'allow':true}]}",
		      "{'devices':[{'allow':false,'access':'rwm'}]}",
		      "{'devices':[{'allow':true}]}");
}

static void the_resources_of_a_config(void **state)
{
	static const struct {
		const char *config, *expected;
	} cases[] = {
	    {"{'linux':{'resources':{'pids':{'limit':5}}}}", "{'pids':{'limit':5}}"},
	    {"{'linux':{'resources':null}}", "{}"},
	    {"{'linux':{}}", "{}"},
	    {"{'linux':null}", "{}"},
	    {"{}", "{}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *config = with_quotes(cases[i].config);
		cleanup_free char *expected = with_quotes(cases[i].expected);
		struct error err = ERROR_INIT;
		cleanup_free char *found = resources_of_config(config, strlen(config), &err);

		assert_string_equal(found, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_given_replaces_what_was),
	    cmocka_unit_test(what_is_unset_changes_nothing),
	    cmocka_unit_test(lists_are_merged_by_what_they_are_for),
	    cmocka_unit_test(devices_stay),
	    cmocka_unit_test(the_resources_of_a_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
