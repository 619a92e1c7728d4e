/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a mount: what each one is for the kernel, and what becomes of several. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/mount_options.h"

#define RDONLY MOUNT_ATTR_RDONLY
#define NOSUID MOUNT_ATTR_NOSUID
#define NODEV MOUNT_ATTR_NODEV
#define NOEXEC MOUNT_ATTR_NOEXEC
#define NOSYMFOLLOW MOUNT_ATTR_NOSYMFOLLOW
#define NODIRATIME MOUNT_ATTR_NODIRATIME
#define ATIME MOUNT_ATTR__ATIME
#define NOATIME MOUNT_ATTR_NOATIME
#define STRICTATIME MOUNT_ATTR_STRICTATIME

/* ---- parsing ---- */

struct parsed {
	struct arena arena;
	struct mount_options options;
	int result;
	struct error err;
};

/* Options as mount(8) takes them: "ro,nosuid". NULL: none. */
static void parse(struct parsed *parsed, const char *type, const char *text)
{
	cleanup_free char *copy = strdup(text ? text : "");
	char *items[64], *rest = copy;
	struct spec_mount mount = {.destination = (char *)"/x", .type = (char *)(uintptr_t)type};

	while (text && rest)
		items[mount.options.count++] = strsep(&rest, ",");
	mount.options.items = items;
	memset(parsed, 0, sizeof(*parsed));
	parsed->result = mount_options_parse(&mount, "mounts[3]", &parsed->arena, &parsed->options,
					     &parsed->err);
}

static void parsed_free(struct parsed *parsed)
{
	arena_free(&parsed->arena);
	error_clear(&parsed->err);
}

static void assert_parsed(const char *type, const char *text, const struct mount_options *expected)
{
	const struct mount_options *options;
	struct parsed parsed;

	parse(&parsed, type, text);
	options = &parsed.options;
	if (parsed.result < 0)
		fail_msg("%s: %s", text, error_text(&parsed.err));
	if (options->attr_set != expected->attr_set || options->attr_clear != expected->attr_clear)
		fail_msg("%s: set %#llx, clear %#llx", text, (unsigned long long)options->attr_set,
			 (unsigned long long)options->attr_clear);
	if (options->attr_rec_set != expected->attr_rec_set ||
	    options->attr_rec_clear != expected->attr_rec_clear)
		fail_msg("%s: recursively set %#llx, clear %#llx", text,
			 (unsigned long long)options->attr_rec_set,
			 (unsigned long long)options->attr_rec_clear);
	if (options->propagation != expected->propagation)
		fail_msg("%s: propagation %#x", text, options->propagation);
	if (options->bind != expected->bind || options->recursive != expected->recursive ||
	    options->remount != expected->remount || options->copy_up != expected->copy_up ||
	    options->idmap != expected->idmap ||
	    options->idmap_recursive != expected->idmap_recursive)
		fail_msg("%s: bind %d, recursive %d, remount %d, copy_up %d", text, options->bind,
			 options->recursive, options->remount, options->copy_up);
	if (!expected->data != !options->data ||
	    (expected->data && strcmp(options->data, expected->data) != 0))
		fail_msg("%s: data \"%s\"", text, options->data ? options->data : "(none)");
	parsed_free(&parsed);
}

#define OPTIONS(...) (&(struct mount_options){__VA_ARGS__})

/* ---- one option ---- */

static void an_option_sets_or_clears_its_bits(void **state)
{
	static const struct {
		const char *name;
		uint64_t set, clear;
	} cases[] = {
	    {"defaults", 0, 0},
	    {"loud", 0, 0},
	    {"silent", 0, 0},
	    {"ro", RDONLY, 0},
	    {"rw", 0, RDONLY},
	    {"nosuid", NOSUID, 0},
	    {"suid", 0, NOSUID},
	    {"nodev", NODEV, 0},
	    {"dev", 0, NODEV},
	    {"noexec", NOEXEC, 0},
	    {"exec", 0, NOEXEC},
	    {"nosymfollow", NOSYMFOLLOW, 0},
	    {"symfollow", 0, NOSYMFOLLOW},
	    {"nodiratime", NODIRATIME, 0},
	    {"diratime", 0, NODIRATIME},
	    {"noatime", NOATIME, ATIME},
	    {"atime", 0, ATIME},
	    {"relatime", 0, ATIME},
	    {"norelatime", STRICTATIME, ATIME},
	    {"strictatime", STRICTATIME, ATIME},
	    {"nostrictatime", 0, ATIME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_parsed("tmpfs", cases[i].name,
			      OPTIONS(.attr_set = cases[i].set, .attr_clear = cases[i].clear));
}

static void one_with_an_r_in_front_is_for_everything_below_too(void **state)
{
	static const struct {
		const char *name;
		uint64_t set, clear;
	} cases[] = {
	    {"rro", RDONLY, 0},
	    {"rrw", 0, RDONLY},
	    {"rnosuid", NOSUID, 0},
	    {"rsuid", 0, NOSUID},
	    {"rnodev", NODEV, 0},
	    {"rdev", 0, NODEV},
	    {"rnoexec", NOEXEC, 0},
	    {"rexec", 0, NOEXEC},
	    {"rnosymfollow", NOSYMFOLLOW, 0},
	    {"rsymfollow", 0, NOSYMFOLLOW},
	    {"rnodiratime", NODIRATIME, 0},
	    {"rdiratime", 0, NODIRATIME},
	    {"rnoatime", NOATIME, ATIME},
	    {"ratime", 0, ATIME},
	    {"rrelatime", 0, ATIME},
	    {"rnorelatime", STRICTATIME, ATIME},
	    {"rstrictatime", STRICTATIME, ATIME},
	    {"rnostrictatime", 0, ATIME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_parsed(
		    "tmpfs", cases[i].name,
		    OPTIONS(.attr_rec_set = cases[i].set, .attr_rec_clear = cases[i].clear));
}

static void propagation_is_the_kernels_flag(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} cases[] = {
	    {"shared", MS_SHARED},	   {"rshared", MS_SHARED | MS_REC},
	    {"slave", MS_SLAVE},	   {"rslave", MS_SLAVE | MS_REC},
	    {"private", MS_PRIVATE},	   {"rprivate", MS_PRIVATE | MS_REC},
	    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_parsed("tmpfs", cases[i].name, OPTIONS(.propagation = cases[i].flags));
}

static void some_say_what_kind_of_mount_it_is(void **state)
{
	(void)state;
	assert_parsed(NULL, "bind", OPTIONS(.bind = true));
	assert_parsed(NULL, "rbind", OPTIONS(.bind = true, .recursive = true));
	assert_parsed("bind", NULL, OPTIONS(.bind = true));
	assert_parsed("bind", "ro", OPTIONS(.bind = true, .attr_set = RDONLY));
	assert_parsed("bind", "rbind", OPTIONS(.bind = true, .recursive = true));
	assert_parsed("none", "rbind", OPTIONS(.bind = true, .recursive = true));
	assert_parsed(NULL, "remount", OPTIONS(.remount = true));
	assert_parsed("tmpfs", "tmpcopyup", OPTIONS(.copy_up = true));
	assert_parsed("tmpfs", NULL, OPTIONS(.bind = false));
}

/* ---- several ---- */

static void the_last_word_counts(void **state)
{
	(void)state;
	assert_parsed("tmpfs", "ro,rw", OPTIONS(.attr_clear = RDONLY));
	assert_parsed("tmpfs", "rw,ro", OPTIONS(.attr_set = RDONLY));
	assert_parsed("tmpfs", "ro,rw,ro", OPTIONS(.attr_set = RDONLY));
	assert_parsed("tmpfs", "nosuid,noexec,suid",
		      OPTIONS(.attr_set = NOEXEC, .attr_clear = NOSUID));
	assert_parsed("tmpfs", "rro,rrw", OPTIONS(.attr_rec_clear = RDONLY));
	assert_parsed("tmpfs", "rrw,rro", OPTIONS(.attr_rec_set = RDONLY));
	assert_parsed("tmpfs", "shared,rprivate", OPTIONS(.propagation = MS_PRIVATE | MS_REC));
	assert_parsed("tmpfs", "rshared,slave", OPTIONS(.propagation = MS_SLAVE));
}

/* They are one field to the kernel, of which one value is set: EINVAL otherwise. */
static void of_the_access_times_one_is_set(void **state)
{
	(void)state;
	assert_parsed("tmpfs", "noatime,strictatime",
		      OPTIONS(.attr_set = STRICTATIME, .attr_clear = ATIME));
	assert_parsed("tmpfs", "strictatime,noatime",
		      OPTIONS(.attr_set = NOATIME, .attr_clear = ATIME));
	assert_parsed("tmpfs", "noatime,relatime", OPTIONS(.attr_clear = ATIME));
	assert_parsed("tmpfs", "relatime,noatime",
		      OPTIONS(.attr_set = NOATIME, .attr_clear = ATIME));
	assert_parsed("tmpfs", "noatime,nodiratime",
		      OPTIONS(.attr_set = NOATIME | NODIRATIME, .attr_clear = ATIME));
	assert_parsed("tmpfs", "nodiratime,atime",
		      OPTIONS(.attr_set = NODIRATIME, .attr_clear = ATIME));
	assert_parsed("bind", "rnoatime,rstrictatime",
		      OPTIONS(.bind = true, .attr_rec_set = STRICTATIME, .attr_rec_clear = ATIME));
}

/* What is to be cleared may hold what is to be set only for access times; the kernel clears first.
 */
static void nothing_but_access_times_is_both_set_and_cleared(void **state)
{
	static const char *const names[] = {
	    "ro",	  "rw",	      "nosuid",	     "suid",	  "noatime",   "nodev",
	    "dev",	  "relatime", "noexec",	     "exec",	  "diratime",  "strictatime",
	    "nodiratime", "atime",    "nosymfollow", "symfollow", "norelatime"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			struct parsed parsed;
			char text[64];

			snprintf(text, sizeof(text), "%s,%s", names[i], names[k]);
			parse(&parsed, "tmpfs", text);
			assert_int_equal(parsed.result, 0);
			assert_true((parsed.options.attr_set & parsed.options.attr_clear &
				     ~(uint64_t)ATIME) == 0);
			parsed_free(&parsed);
		}
	}
}

static void the_mounts_own_and_everything_belows_are_apart(void **state)
{
	(void)state;
	assert_parsed("bind", "rbind,ro,rnosuid,rw,rshared",
		      OPTIONS(.bind = true, .recursive = true, .attr_clear = RDONLY,
			      .attr_rec_set = NOSUID, .propagation = MS_SHARED | MS_REC));
	assert_parsed("bind", "rro,rw",
		      OPTIONS(.bind = true, .attr_clear = RDONLY, .attr_rec_set = RDONLY));
	/* Flags are or'ed, as in runc: the tree does not become smaller again. */
	assert_parsed("bind", "rbind,bind", OPTIONS(.bind = true, .recursive = true));
	assert_parsed("bind", "bind,rbind", OPTIONS(.bind = true, .recursive = true));
}

static void idmap_and_ridmap_say_how_far_a_mapping_goes(void **state)
{
	(void)state;
	assert_parsed("bind", "bind,idmap", OPTIONS(.bind = true, .idmap = true));
	assert_parsed(
	    "bind", "rbind,ridmap",
	    OPTIONS(.bind = true, .recursive = true, .idmap = true, .idmap_recursive = true));
	/* The last one counts. */
	assert_parsed("bind", "bind,ridmap,idmap", OPTIONS(.bind = true, .idmap = true));
}

/* ---- data ---- */

static void everything_else_is_the_file_systems_in_its_order(void **state)
{
	(void)state;
	assert_parsed(
	    "tmpfs", "nosuid,mode=755,noexec,size=65536k,uid=0",
	    OPTIONS(.attr_set = NOSUID | NOEXEC, .data = (char *)"mode=755,size=65536k,uid=0"));
	assert_parsed("overlay", "lowerdir=/a:/b,upperdir=/c,workdir=/d",
		      OPTIONS(.data = (char *)"lowerdir=/a:/b,upperdir=/c,workdir=/d"));
	assert_parsed("tmpfs", "mode=700,mode=755", OPTIONS(.data = (char *)"mode=700,mode=755"));
	assert_parsed("ext4", "sync,dirsync", OPTIONS(.data = (char *)"sync,dirsync"));
	/* Only the very word is an option. */
	assert_parsed("tmpfs", "RO,ro=1,roo,nosuid ",
		      OPTIONS(.data = (char *)"RO,ro=1,roo,nosuid "));
	assert_parsed("tmpfs", ",ro,,", OPTIONS(.attr_set = RDONLY));
}

/* ---- errors ---- */

static void only_a_tmpfs_can_be_filled_from_what_it_covers(void **state)
{
	static const struct {
		const char *type, *expected;
	} cases[] = {
	    {"proc", "mounts[3].options: tmpcopyup is for a tmpfs, not for \"proc\""},
	    {"bind", "mounts[3].options: tmpcopyup is for a tmpfs, not for \"bind\""},
	    {NULL, "mounts[3].options: tmpcopyup is for a tmpfs, not for \"\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;

		parse(&parsed, cases[i].type, "ro,tmpcopyup");
		assert_int_equal(parsed.result, -1);
		assert_string_equal(parsed.err.message, cases[i].expected);
		parsed_free(&parsed);
	}
}

static void what_has_no_file_system_of_its_own_has_none_of_its_options(void **state)
{
	static const struct {
		const char *type, *text, *expected;
	} cases[] = {
	    {"bind", "ro,size=1m,x",
	     "mounts[3].options[1]: \"size=1m\" is not an option of a bind mount"},
	    {"none", "x,rbind", "mounts[3].options[0]: \"x\" is not an option of a bind mount"},
	    {NULL, "bind,sync,x", "mounts[3].options[2]: \"x\" is not an option of a bind mount"},
	    {"cgroup", "ro,x", "mounts[3].options[1]: \"x\" is not an option of a cgroup mount"},
	    {"cgroup2", "x", "mounts[3].options[0]: \"x\" is not an option of a cgroup mount"},
	};
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		parse(&parsed, cases[i].type, cases[i].text);
		assert_int_equal(parsed.result, -1);
		assert_string_equal(parsed.err.message, cases[i].expected);
		parsed_free(&parsed);
	}
	/* buildah's `RUN --mount=type=bind,z`, which has labelled the source itself. */
	assert_parsed("bind", "z,Z", OPTIONS(.bind = true, .data = (char *)"z,Z"));
	/* mount(2) takes these as flags, and runc hands them on. */
	assert_parsed("bind", "sync,,mand", OPTIONS(.bind = true, .data = (char *)"sync,mand"));
	assert_parsed(NULL, "bind,remount,size=1m",
		      OPTIONS(.bind = true, .remount = true, .data = (char *)"size=1m"));
}

/* ---- the list ---- */

static bool is_listed(const char *name)
{
	for (const char *const *known = mount_options_known(); *known; known++) {
		if (strcmp(*known, name) == 0)
			return true;
	}
	return false;
}

/* config.md, "Linux mount options". */
static void the_list_has_the_specifications_options(void **state)
{
	static const char *const names[] = {
	    "async",	      "atime",	    "bind",	    "defaults",	   "dev",
	    "diratime",	      "dirsync",    "exec",	    "mand",	   "noatime",
	    "nodev",	      "nodiratime", "noexec",	    "nomand",	   "norelatime",
	    "nostrictatime",  "nosuid",	    "nosymfollow",  "private",	   "ratime",
	    "rbind",	      "rdev",	    "rdiratime",    "relatime",	   "remount",
	    "rexec",	      "rnoatime",   "rnodiratime",  "rnoexec",	   "rnorelatime",
	    "rnostrictatime", "rnosuid",    "rnosymfollow", "ro",	   "rprivate",
	    "rrelatime",      "rro",	    "rrw",	    "rshared",	   "rslave",
	    "rstrictatime",   "rsuid",	    "rsymfollow",   "runbindable", "rw",
	    "shared",	      "silent",	    "loud",	    "slave",	   "strictatime",
	    "suid",	      "symfollow",  "sync",	    "tmpcopyup",   "unbindable",
	    "rnodev",	      "lazytime",   "nolazytime",   "idmap",	   "ridmap",
	    "iversion",	      "noiversion"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!is_listed(names[i]))
			fail_msg("%s is not listed", names[i]);
	}
}

static void what_is_listed_is_there_once_and_is_understood(void **state)
{
	static const char *const of_superblock[] = {"async",	  "dirsync", "lazytime", "mand",
						    "nolazytime", "nomand",  "sync"};
	const char *const *known = mount_options_known();

	(void)state;
	assert_ptr_equal(known, mount_options_known());
	for (size_t i = 0; known[i]; i++) {
		struct parsed parsed;
		bool is_data = false;

		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(known[i], known[k]);
		for (size_t k = 0; k < ARRAY_SIZE(of_superblock); k++)
			is_data = is_data || strcmp(known[i], of_superblock[k]) == 0;
		parse(&parsed, "tmpfs", known[i]);
		assert_int_equal(parsed.result, 0);
		if (!parsed.options.data != !is_data)
			fail_msg("%s: data \"%s\"", known[i],
				 parsed.options.data ? parsed.options.data : "(none)");
		parsed_free(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_option_sets_or_clears_its_bits),
	    cmocka_unit_test(one_with_an_r_in_front_is_for_everything_below_too),
	    cmocka_unit_test(propagation_is_the_kernels_flag),
	    cmocka_unit_test(some_say_what_kind_of_mount_it_is),
	    cmocka_unit_test(the_last_word_counts),
	    cmocka_unit_test(of_the_access_times_one_is_set),
	    cmocka_unit_test(nothing_but_access_times_is_both_set_and_cleared),
	    cmocka_unit_test(the_mounts_own_and_everything_belows_are_apart),
	    cmocka_unit_test(idmap_and_ridmap_say_how_far_a_mapping_goes),
	    cmocka_unit_test(everything_else_is_the_file_systems_in_its_order),
	    cmocka_unit_test(only_a_tmpfs_can_be_filled_from_what_it_covers),
	    cmocka_unit_test(what_has_no_file_system_of_its_own_has_none_of_its_options),
	    cmocka_unit_test(the_list_has_the_specifications_options),
	    cmocka_unit_test(what_is_listed_is_there_once_and_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
