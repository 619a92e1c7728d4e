/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups by the container's own files: whatever an image makes of them, and whatever is
 * mounted over them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "test_command.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static int setup(void **state)
{
	image_make(state);
	image_write(*state, "root/etc/passwd",
		    "root:x:0:0:root:/root:/bin/sh\n"
		    "\n"
		    "broken\n"
		    "+::::::\n"
		    "bin:x:1:1:bin:/bin:/bin/sh\n"
		    "7:x:70:71:a number for a name:/:/bin/sh\n"
		    "user:x:1000:1001:User:/home/user:/bin/sh\n"
		    "other:x:1000:1002:Other:/home/other:/bin/sh\n"
		    "last:x:2000:2000:::");
	image_write(*state, "root/etc/group",
		    "root:x:0:\nbin:x:1:root,bin\naudio:x:29:user,other\nvideo:x:44:user\n"
		    "not:x:number:user\nuser:x:1001:\nusers:x:100:userx,xuser");
	return 0;
}

static const char *user_of(const struct runlxc_command *command)
{
	static char text[512];
	struct json_object *object = convert(command);

	snprintf(text, sizeof(text), "%s", at(object, "/process/user"));
	json_object_put(object);
	return text;
}

static const char *user(struct image *image, const char *name)
{
	struct runlxc_command command = minimal(image);

	command.process_config.user = name;
	return user_of(&command);
}

#define USER(uid, gid, groups) "{\"uid\":" #uid ",\"gid\":" #gid ",\"additionalGids\":[" groups "]}"
#define USER_ALONE(uid, gid) "{\"uid\":" #uid ",\"gid\":" #gid "}"

static void test_nobody_named_is_root(void **state)
{
	assert_string_equal(user(*state, NULL), USER(0, 0, "1"));
	assert_string_equal(user(*state, ""), USER(0, 0, "1"));
	assert_string_equal(user(*state, ":bin"), USER_ALONE(0, 1));
}

static void test_a_name_brings_its_group_and_its_memberships(void **state)
{
	assert_string_equal(user(*state, "user"), USER(1000, 1001, "29,44"));
	assert_string_equal(user(*state, "bin"), USER(1, 1, "1"));
	assert_string_equal(user(*state, "last"), USER_ALONE(2000, 2000));
}

static void test_a_number_is_an_id_and_its_entry_counts(void **state)
{
	assert_string_equal(user(*state, "1000"), USER(1000, 1001, "29,44"));
	assert_string_equal(user(*state, "7"), USER_ALONE(7, 0));
	assert_string_equal(user(*state, "4294967294"), USER_ALONE(4294967294, 0));
}

static void test_a_group_that_is_named_is_the_only_one(void **state)
{
	assert_string_equal(user(*state, "user:audio"), USER_ALONE(1000, 29));
	assert_string_equal(user(*state, "user:29"), USER_ALONE(1000, 29));
	assert_string_equal(user(*state, "5:6"), USER_ALONE(5, 6));
	assert_string_equal(user(*state, "user:"), USER(1000, 1001, "29,44"));
}

static void test_groups_to_add(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.process_config.user = "user";
	command.group_add = LIST("users", "29", "4000", "audio");
	assert_string_equal(user_of(&command), USER(1000, 1001, "29,44,100,4000"));
	command.group_add = LIST("users", "nope");
	assert_refused(&command, "group_add[1]: unable to find group \"nope\": no matching entries "
				 "in the container's group file");
	command.group_add = LIST("4294967295");
	assert_refused(&command, "group_add[0]: \"4294967295\" is more than an id can be");
}

static void test_who_is_not_there(void **state)
{
	struct runlxc_command command = minimal(*state);

	command.process_config.user = "nobody";
	assert_refused(&command, "process_config.user: unable to find user \"nobody\": no matching "
				 "entries in the container's passwd file");
	command.process_config.user = "broken";
	assert_refused(&command, "unable to find user \"broken\"");
	command.process_config.user = "user:nope";
	assert_refused(&command, "process_config.user: unable to find group \"nope\"");
	command.process_config.user = "user:not";
	assert_refused(&command, "process_config.user: unable to find group \"not\"");
	command.process_config.user = "-1";
	assert_refused(&command, "unable to find user \"-1\"");
	command.process_config.user = "4294967296";
	assert_refused(&command, "process_config.user: \"4294967296\" is more than an id can be");
	command.process_config.user = "user\nroot";
	assert_refused(&command, "unable to find user \"user\\x0aroot\"");
}

static void test_home_is_the_users_own_where_several_have_the_uid(void **state)
{
	struct runlxc_command command = minimal(*state);
	struct json_object *object;

	command.process_config.user = "other";
	object = convert(&command);
	assert_string_equal(at(object, "/process/env"), "[\"container=lxc\",\"HOME=/home/other\"]");
	json_object_put(object);
	command.process_config.env = LIST("HOME=/");
	object = convert(&command);
	assert_string_equal(at(object, "/process/env"), "[\"HOME=/\",\"container=lxc\"]");
	json_object_put(object);
	/* Otherwise init finds it, for exec's users as well. */
	command = minimal(*state);
	command.process_config.user = "user";
	object = convert(&command);
	assert_string_equal(at(object, "/process/env"), "[\"container=lxc\"]");
	json_object_put(object);
}

static void test_without_files_a_number_will_do(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	char path[128];

	snprintf(path, sizeof(path), "%s/etc/passwd", image->root);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(user(image, "1000"), USER_ALONE(1000, 0));
	command.process_config.user = "root";
	assert_refused(&command, "unable to find user \"root\"");
}

static void test_what_is_no_ordinary_file_is_none(void **state)
{
	struct image *image = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/etc/passwd", image->root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_string_equal(user(image, "1000"), USER_ALONE(1000, 0));
}

/* Makes `name` in the root a symlink. */
static void make_link(const struct image *image, const char *target, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", image->root, name);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void test_symlinks_stay_in_the_container(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	char outside[128];

	image_write(image, "outside", "user:x:666:666:::\n");
	snprintf(outside, sizeof(outside), "%s/outside", image->path);
	command.process_config.user = "user";

	/* By its path on the host, and by as many ".." as one likes. */
	make_link(image, outside, "etc/passwd");
	assert_refused(&command, "unable to find user \"user\"");
	make_link(image, "../../outside", "etc/passwd");
	assert_refused(&command, "unable to find user \"user\"");
	make_link(image, "/etc/passwd", "etc/passwd");
	assert_refused(&command, "unable to find user \"user\"");

	image_write(image, "root/srv/passwd", "user:x:55:56:::\n");
	make_link(image, "/srv/../srv/data/../passwd", "etc/passwd");
	assert_string_equal(user(image, "user"), USER(55, 56, "29,44"));
	make_link(image, "../../../../srv/passwd", "etc/passwd");
	assert_string_equal(user(image, "user"), USER(55, 56, "29,44"));
}

static void test_the_kernels_file_systems_are_not_looked_into(void **state)
{
	struct runlxc_command command = minimal(*state);

	make_link(*state, "/proc/self/root/etc/passwd", "etc/passwd");
	command.process_config.user = "root";
	assert_refused(&command, "unable to find user \"root\"");
}

static void test_a_mounted_file_is_what_is_seen(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	struct runlxc_command_mount mount = {.destination = "/etc/passwd"};
	char source[128];

	image_write(image, "mine", "user:x:77:78:::\n");
	snprintf(source, sizeof(source), "%s/mine", image->path);
	mount.source = source;
	command.mounts = &mount;
	command.mounts_count = 1;
	command.process_config.user = "user";
	assert_string_equal(user_of(&command), USER(77, 78, "29,44"));
}

static void test_a_mounted_directory_is_what_is_seen(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	struct runlxc_command_mount mounts[2] = {{.destination = "//etc/./"},
						 {.destination = "/etc/group"}};
	char path[128], source[2][128];

	snprintf(path, sizeof(path), "%s/conf", image->path);
	assert_int_equal(mkdir(path, 0755), 0);
	image_write(image, "conf/passwd", "user:x:77:78:::\n");
	image_write(image, "groups", "added:x:79:user\n");
	snprintf(source[0], sizeof(source[0]), "%s/conf", image->path);
	snprintf(source[1], sizeof(source[1]), "%s/groups", image->path);
	mounts[0].source = source[0];
	mounts[1].source = source[1];
	command.mounts = mounts;
	command.process_config.user = "user";
	command.mounts_count = 1;
	assert_string_equal(user_of(&command), USER_ALONE(77, 78));
	command.mounts_count = 2;
	assert_string_equal(user_of(&command), USER(77, 78, "79"));
}

static void test_a_link_in_a_mount_leads_into_the_container(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	struct runlxc_command_mount mount = {.destination = "/etc"};
	char path[192], source[128];

	snprintf(source, sizeof(source), "%s/conf", image->path);
	assert_int_equal(mkdir(source, 0755), 0);
	snprintf(path, sizeof(path), "%s/passwd", source);
	assert_int_equal(symlink("/srv/passwd", path), 0);
	image_write(image, "root/srv/passwd", "user:x:88:89:::\n");
	mount.source = source;
	command.mounts = &mount;
	command.mounts_count = 1;
	command.process_config.user = "user";
	assert_string_equal(user_of(&command), USER_ALONE(88, 89));
}

static void test_a_mount_by_way_of_a_link_is_seen(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	struct runlxc_command_mount mount = {.destination = "/conf/passwd"};
	char source[128];

	image_write(image, "mine", "user:x:77:78:::\n");
	snprintf(source, sizeof(source), "%s/mine", image->path);
	mount.source = source;
	make_link(image, "etc", "conf");
	command.mounts = &mount;
	command.mounts_count = 1;
	command.process_config.user = "user";
	assert_string_equal(user_of(&command), USER(77, 78, "29,44"));
}

static void test_a_working_directory_may_be_mounted(void **state)
{
	struct image *image = *state;
	struct runlxc_command command = minimal(image);
	struct runlxc_command_mount mount = {.source = "/usr", .destination = "/new/place/usr"};
	static const char *const there[] = {"/new",	 "/new/place",	   "/new/place/usr/bin",
					    "/srv/data", "/srv/../srv/./", "/dev/shm/made-later"};

	command.mounts = &mount;
	command.mounts_count = 1;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		struct json_object *object;

		command.working_dir = there[i];
		object = convert(&command);
		json_object_put(object);
	}
	command.working_dir = "/new/other";
	assert_refused(&command, "working_dir: \"/new/other\" in the container: no such file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, image_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nobody_named_is_root),
	    TEST(test_a_name_brings_its_group_and_its_memberships),
	    TEST(test_a_number_is_an_id_and_its_entry_counts),
	    TEST(test_a_group_that_is_named_is_the_only_one),
	    TEST(test_groups_to_add),
	    TEST(test_who_is_not_there),
	    TEST(test_home_is_the_users_own_where_several_have_the_uid),
	    TEST(test_without_files_a_number_will_do),
	    TEST(test_what_is_no_ordinary_file_is_none),
	    TEST(test_symlinks_stay_in_the_container),
	    TEST(test_the_kernels_file_systems_are_not_looked_into),
	    TEST(test_a_mounted_file_is_what_is_seen),
	    TEST(test_a_mounted_directory_is_what_is_seen),
	    TEST(test_a_link_in_a_mount_leads_into_the_container),
	    TEST(test_a_mount_by_way_of_a_link_is_seen),
	    TEST(test_a_working_directory_may_be_mounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
