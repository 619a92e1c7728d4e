/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe as a thing of its own, and as a text, which the real liblxc reads and writes. */
#include "test_lxc_box.c"

/* ---- the recipe ---- */

static void a_recipe_keeps_any_number_of_items_in_their_order(void **state)
{
	struct lxc_recipe recipe = {0};
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(lxc_recipe_add(&recipe, "lxc.mount.entry",
						arena_printf(&recipe.arena, "%d", i), &err),
				 0);
	assert_int_equal(recipe.count, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(atoi(recipe.items[i].value), i);
	lxc_recipe_free(&recipe);
}

static void a_value_that_memory_ran_out_for_is_an_error(void **state)
{
	struct lxc_recipe recipe = {0};
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(lxc_recipe_add(&recipe, "lxc.uts.name", NULL, &err), -1);
	assert_int_equal(err.errnum, ENOMEM);
	error_clear(&err);
	assert_int_equal(lxc_recipe_add(&recipe, NULL, "x", &err), -1);
	assert_int_equal(err.errnum, ENOMEM);
	error_clear(&err);
	assert_int_equal(recipe.count, 0);
	lxc_recipe_free(&recipe);
}

static void a_descriptor_for_init_is_numbered_above_the_programs(void **state)
{
	struct lxc_recipe recipe = {0};
	struct error err = ERROR_INIT;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept;

	(void)state;
	kept = lxc_recipe_keep_fd(&recipe, fd, 500, &err);
	assert_true(kept >= 500);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_true(fcntl(kept, F_GETFD) & FD_CLOEXEC);
	/* Where that can't be, it is closed all the same. */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lxc_recipe_keep_fd(&recipe, fd, 1 << 30, &err), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	error_clear(&err);
	lxc_recipe_free(&recipe);
	assert_int_equal(fcntl(kept, F_GETFD), -1);
}

/* ---- read back by liblxc ---- */

static void needs_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: liblxc keeps its locks where only root can\n");
		skip();
	}
}

static bool has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	while (found && ((found > text && found[-1] != '\n') ||
			 (found[strlen(line)] && found[strlen(line)] != '\n')))
		found = strstr(found + 1, line);
	return found;
}

/* What LXC is to have left in its own directory: nothing. */
static void forget_container_of_lxc(void)
{
	char path[100];

	snprintf(path, sizeof(path), "/run/lxc/runlxc-config-%d", (int)getpid());
	rmdir(path);
	rmdir("/run/lxc/lock/run/lxc");
	rmdir("/run/lxc/lock/run");
}

static void lxc_reads_and_writes_what_was_made(void **state)
{
	static const char *const lines[] = {
	    "lxc.uts.name = box",
	    "lxc.namespace.clone = pid net mnt ipc uts",
	    "lxc.net.0.type = empty",
	    "lxc.net.0.flags = up",
	    "lxc.cgroup.dir.container = docker/box",
	    "lxc.mount.entry = proc proc proc defaults,nosuid 0 0",
	    "lxc.mount.entry = x two\\040words\\011and\\134 tmpfs defaults,size=1k 0 0",
	    "lxc.console.path = none",
	    "lxc.autodev = 0",
	    "lxc.apparmor.profile = unconfined",
	};
	struct box *box = *state;
	cleanup_free char *text = NULL, *back = NULL, *rootfs = NULL;
	size_t length;

	needs_root();
	compile(box, "'hostname': 'box', 'linux': {'namespaces': [{'type': 'pid'},"
		     " {'type': 'mount'}, {'type': 'uts'}, {'type': 'network'}, {'type': 'ipc'}],"
		     " 'sysctl': {'net.ipv4.ip_forward': '1'}},"
		     " 'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc',"
		     " 'options': ['nosuid']}, {'destination': '/two words\\tand\\\\',"
		     " 'type': 'tmpfs', 'source': 'x', 'options': ['size=1k']}]");
	text = lxc_recipe_text(&box->recipe, &length, &box->err);
	back = lxc_config_read_back(text, &box->err);
	forget_container_of_lxc();
	if (!back)
		fail_msg("%s", error_text(&box->err));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!has_line(back, lines[i]))
			fail_msg("no line \"%s\" in\n%s", lines[i], back);
	}
	assert_true(asprintf(&rootfs, "lxc.rootfs.path = dir:%s", box->rootfs) > 0);
	assert_true(has_line(back, rootfs));
}

static void what_lxc_has_written_it_reads_again(void **state)
{
	struct box *box = *state;
	cleanup_free char *text = NULL, *once = NULL, *twice = NULL;
	size_t length;

	needs_root();
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x'}");
	text = lxc_recipe_text(&box->recipe, &length, &box->err);
	once = lxc_config_read_back(text, &box->err);
	twice = once ? lxc_config_read_back(once, &box->err) : NULL;
	forget_container_of_lxc();
	if (!twice)
		fail_msg("%s", error_text(&box->err));
	assert_string_equal(once, twice);
}

static void an_item_that_lxc_does_not_know_is_named(void **state)
{
	struct error err = ERROR_INIT;
	char *back;

	(void)state;
	needs_root();
	back = lxc_config_read_back("# a comment\n\nnot an item\nlxc.nonsense = 1 = 2\n", &err);
	forget_container_of_lxc();
	assert_null(back);
	assert_string_equal(err.message, "LXC refuses lxc.nonsense = 1 = 2");
	error_clear(&err);
}

static void reading_back_leaves_nothing_in_the_file_system(void **state)
{
	struct error err = ERROR_INIT;
	bool directory_is_left, lock_is_left;
	char path[100];
	char *back;

	(void)state;
	needs_root();
	snprintf(path, sizeof(path), "/run/lxc/runlxc-config-%d", (int)getpid());
	back = lxc_config_read_back("lxc.uts.name = box\n", &err);
	directory_is_left = access(path, F_OK) == 0;
	lock_is_left = access("/run/lxc/lock/run/lxc", F_OK) == 0;
	forget_container_of_lxc();
	assert_non_null(back);
	free(back);
	assert_false(directory_is_left);
	assert_false(lock_is_left);
}

static void reading_back_leaves_no_descriptor_open(void **state)
{
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;
	struct error err = ERROR_INIT;

	(void)state;
	needs_root();
	free(lxc_config_read_back("lxc.uts.name = box\n", &err));
	assert_null(lxc_config_read_back("lxc.nonsense = 1\n", &err));
	error_clear(&err);
	forget_container_of_lxc();
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	close(before);
	assert_int_equal(after, before + 1);
}

static void the_librarys_version_is_a_number(void **state)
{
	(void)state;
	assert_true(atoi(lxc_library_version()) >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_recipe_keeps_any_number_of_items_in_their_order),
	    cmocka_unit_test(a_value_that_memory_ran_out_for_is_an_error),
	    cmocka_unit_test(a_descriptor_for_init_is_numbered_above_the_programs),
	    IN_BOX(lxc_reads_and_writes_what_was_made),
	    IN_BOX(what_lxc_has_written_it_reads_again),
	    cmocka_unit_test(an_item_that_lxc_does_not_know_is_named),
	    cmocka_unit_test(reading_back_leaves_nothing_in_the_file_system),
	    cmocka_unit_test(reading_back_leaves_no_descriptor_open),
	    cmocka_unit_test(the_librarys_version_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
