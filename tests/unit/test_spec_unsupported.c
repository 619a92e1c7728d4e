/* SPDX-License-Identifier: Apache-2.0 */
/* What this version does not apply is refused by its name; asking for nothing is not refused. */
#include "test_spec.h"

#include <sys/vfs.h>

#define REFUSED(field) "config.json: " field ": not supported by this version of runlxc"

static void cache_allocation(void **state)
{
	struct statfs fs;
	bool there = statfs("/sys/fs/resctrl", &fs) == 0 && fs.f_type == 0x7655821;
	const char *words = there ? REFUSED("linux.intelRdt") ", which leaves resctrl alone"
				  : "config.json: linux.intelRdt: the host has no resctrl file "
				    "system on /sys/fs/resctrl";

	expect("{'linux': {'intelRdt': {'closID': 'a'}}}", words);
	expect("{'linux': {'intelRdt': {}}}", words);
	expect("{'linux': {'intelRdt': null}}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cache_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
