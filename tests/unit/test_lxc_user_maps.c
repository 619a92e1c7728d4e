/* SPDX-License-Identifier: Apache-2.0 */
/* Ids and whether a user namespace has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lxc/rights.h"
#include "lxc/user_maps.h"

static struct spec_id_mapping ranges[] = {{0, 100000, 10}, {1000, 300000, 2}};

static struct spec new_user_namespace(void)
{
	struct spec spec = {.linux_.uid_mappings = {2, ranges}, .linux_.gid_mappings = {1, ranges}};

	spec.linux_.namespaces[SPEC_NS_USER].listed = true;
	return spec;
}

static void an_id_is_in_a_range_or_in_none(void **state)
{
	static const struct {
		uint32_t id;
		bool there;
	} cases[] = {{0, true},	   {9, true},	 {10, false},	{999, false},
		     {1000, true}, {1001, true}, {1002, false}, {UINT32_MAX, false}};
	const struct spec_id_mappings mappings = {ARRAY_SIZE(ranges), ranges};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(user_maps_have(&mappings, cases[i].id), cases[i].there);
	assert_false(user_maps_have(&(struct spec_id_mappings){0}, 0));
}

static void options_name_ids_that_are_there(void **state)
{
	static const struct {
		const char *options, *expected;
	} cases[] = {
	    {NULL, NULL},
	    {"", NULL},
	    {"mode=755,uid=1001,gid=9", NULL},
	    {"mode=0620,gid=10", "mounts[2].options: gid=10 is not an id of the container's user "
				 "namespace"},
	    {"uid=10,gid=0",
	     "mounts[2].options: uid=10 is not an id of the container's user namespace"},
	    {"uid=,gid=x,xuid=99,size=10", NULL},
	};
	struct spec spec = new_user_namespace();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		int result =
		    user_maps_check_options(&spec.linux_, cases[i].options, "mounts[2]", &err);

		assert_int_equal(result, cases[i].expected ? -1 : 0);
		if (cases[i].expected)
			assert_string_equal(error_text(&err), cases[i].expected);
		error_clear(&err);
	}
}

static void of_other_user_namespaces_nothing_is_known(void **state)
{
	struct spec spec = new_user_namespace();
	struct error err = ERROR_INIT;

	(void)state;
	spec.linux_.namespaces[SPEC_NS_USER].path = (char *)"/proc/1/ns/user";
	assert_int_equal(user_maps_check_options(&spec.linux_, "gid=77", "mounts[0]", &err), 0);
	spec = (struct spec){0};
	assert_int_equal(user_maps_check_options(&spec.linux_, "gid=77", "mounts[0]", &err), 0);
}

static int add(void *data)
{
	*(int *)data += 1;
	return 7;
}

static void without_need_nothing_is_entered(void **state)
{
	struct lxc_rights rights = LXC_RIGHTS_INIT;
	struct error err = ERROR_INIT;
	struct spec spec = {0};
	int number = 1;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(lxc_rights_check(&spec, &err), 0);
	assert_int_equal(lxc_rights_take(&rights, &spec, &err), 0);
	assert_int_equal(rights.keeper, 0);
	assert_int_equal(lxc_rights_use(&rights, add, &number), 7);
	assert_int_equal(number, 2);
	lxc_rights_release(&rights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_is_in_a_range_or_in_none),
	    cmocka_unit_test(options_name_ids_that_are_there),
	    cmocka_unit_test(of_other_user_namespaces_nothing_is_known),
	    cmocka_unit_test(without_need_nothing_is_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
