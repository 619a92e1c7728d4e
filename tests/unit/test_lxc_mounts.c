/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] as LXC's entries: their order and text, and where in the root they go. Those that LXC
 * can't make are in test_lxc_late.c.
 */
#include "test_lxc_box.c"

#include <mntent.h>

/* ---- text and order ---- */

static void entries_are_in_the_order_of_the_file(void **state)
{
	struct box *box = *state;

	make_source(box, "data");
	compile_mounts(box,
		       "{'destination': '/proc', 'type': 'proc', 'source': 'proc'},"
		       "{'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',"
		       " 'options': ['nosuid', 'strictatime', 'mode=755', 'size=65536k']},"
		       "{'destination': '/data', 'source': '{host}/data', 'options': ['rbind']},"
		       "{'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs',"
		       " 'options': ['nosuid', 'noexec', 'nodev', 'ro']},"
		       "{'destination': '/run', 'type': 'tmpfs', 'source': 'run'}");
	assert_entries(box, "proc proc proc defaults 0 0\n"
			    "tmpfs dev tmpfs defaults,nosuid,strictatime,mode=755,size=65536k 0 0\n"
			    "{host}/data data none rbind 0 0\n"
			    "sysfs sys sysfs defaults,ro,nosuid,nodev,noexec 0 0\n"
			    "run run tmpfs defaults 0 0\n");
	assert_int_equal(late_count(box), 0);
}

static void options_become_lxcs_words(void **state)
{
	static const struct {
		const char *options, *expected;
	} cases[] = {
	    {"'rw'", "defaults"},
	    {"'ro', 'rw'", "defaults"},
	    {"'noexec', 'exec'", "defaults"},
	    {"'noatime'", "defaults,noatime"},
	    {"'relatime'", "defaults"},
	    {"'nodiratime', 'noatime'", "defaults,noatime,nodiratime"},
	    {"'private'", "defaults"},
	    {"'rprivate'", "defaults"},
	    {"'size=1k', 'noexec', 'mode=700'", "defaults,noexec,size=1k,mode=700"},
	};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mounts[200], expected[200];

		snprintf(
		    mounts, sizeof(mounts),
		    "{'destination': '/x%zu', 'type': 'tmpfs', 'source': 'x', 'options': [%s]}", i,
		    cases[i].options);
		compile_mounts(box, mounts);
		snprintf(expected, sizeof(expected), "x x%zu tmpfs %s 0 0\n" PROC_FOR_INIT, i,
			 cases[i].expected);
		assert_entries(box, expected);
	}
}

static void bind_mounts_are_of_no_type(void **state)
{
	struct box *box = *state;

	make_source(box, "a");
	compile_mounts(box,
		       "{'destination': '/1', 'type': 'bind', 'source': '{host}/a'},"
		       "{'destination': '/2', 'type': 'none', 'source': '{host}/a',"
		       " 'options': ['bind', 'ro']},"
		       "{'destination': '/3', 'type': 'ext4', 'source': '{host}/a',"
		       " 'options': ['rbind', 'ro', 'rprivate']},"
		       "{'destination': '/4', 'source': '{host}/a', 'options': ['bind', 'rw']}");
	assert_entries(box, "{host}/a 1 none bind 0 0\n"
			    "{host}/a 2 none bind,ro 0 0\n"
			    "{host}/a 3 none rbind,ro 0 0\n"
			    "{host}/a 4 none bind 0 0\n" PROC_FOR_INIT);
}

static void no_source_is_the_word_none(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs'},"
			    "{'destination': '/y', 'type': 'tmpfs', 'source': ''}");
	assert_entries(box, "none x tmpfs defaults 0 0\nnone y tmpfs defaults 0 0\n" PROC_FOR_INIT);
}

static void no_type_is_refused_by_its_field(void **state)
{
	struct box *box = *state;

	assert_int_equal(try_mounts(box, "{'destination': '/x', 'source': 'tmpfs'}"), -1);
	assert_non_null(strstr(error_text(&box->err), "mounts[0].type"));
}

static void a_relative_source_is_meant_from_the_bundle(void **state)
{
	struct box *box = *state;

	make_source(box, "a");
	compile_mounts(box, "{'destination': '/1', 'type': 'bind', 'source': 'host/a'},"
			    "{'destination': '/2', 'type': 'bind', 'source': './host/../host/a'},"
			    "{'destination': '/3', 'type': 'tmpfs', 'source': 'host/a'}");
	{
		char expected[400];

		snprintf(expected, sizeof(expected),
			 "{host}/a 1 none bind 0 0\n"
			 "%s/./host/../host/a 2 none bind 0 0\n"
			 "host/a 3 tmpfs defaults 0 0\n" PROC_FOR_INIT,
			 box->base);
		assert_entries(box, expected);
	}
}

/* ---- bytes that fstab minds ---- */

/* The only entry of LXC's that isn't for init, read back as LXC does it. */
static void read_entry(const struct box *box, struct mntent *entry, char *buffer, int size)
{
	cleanup_free char *line = NULL;
	cleanup_fclose FILE *in = NULL;

	assert_true(asprintf(&line, "%s\n", item(box, "lxc.mount.entry", 0)) > 0);
	in = fmemopen(line, strlen(line), "r");
	assert_non_null(in);
	if (!getmntent_r(in, entry, buffer, size))
		fail_msg("getmntent sees no entry: %s", line);
}

/* In JSON a backslash is two. */
static const struct {
	const char *json, *text;
} odd_names[] = {
    {"two words", "two words"},
    {" blanks around ", " blanks around "},
    {"a\\ttab", "a\ttab"},
    {"new\\nline", "new\nline"},
    {"back\\\\slash", "back\\slash"},
    {"\\\\040", "\\040"},
    {"\\\\134040 \\\\", "\\134040 \\"},
    {"#hash", "#hash"},
    {"a#b # c", "a#b # c"},
    {"comma,equals=", "comma,equals="},
    {"\\\"quoted\\\" $HOME `id` *", "\"quoted\" $HOME `id` *"},
    {"umlaut \u00e4", "umlaut \u00e4"},
    {"carriage\\rreturn", "carriage\rreturn"},
    {"%s%n", "%s%n"},
};

static void odd_bytes_in_a_source_are_read_back_as_they_are(void **state)
{
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd_names); i++) {
		char mounts[300], source[200], buffer[4096];
		struct mntent entry;

		make_source(box, odd_names[i].text);
		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': 'bind', 'source': '{host}/%s'}",
			 odd_names[i].json);
		compile_mounts(box, mounts);
		read_entry(box, &entry, buffer, sizeof(buffer));
		snprintf(source, sizeof(source), "%s/%s", box->host, odd_names[i].text);
		assert_string_equal(entry.mnt_fsname, source);
		assert_string_equal(entry.mnt_dir, "x");
		assert_string_equal(entry.mnt_type, "none");
		assert_string_equal(entry.mnt_opts, "bind");
		assert_int_equal(entry.mnt_passno, 0);
	}
}

static void odd_bytes_in_a_destination_are_read_back_as_they_are(void **state)
{
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd_names); i++) {
		char mounts[300], destination[200], buffer[4096];
		struct mntent entry;

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/srv/%s', 'type': 'tmpfs', 'source': 'x'}",
			 odd_names[i].json);
		compile_mounts(box, mounts);
		read_entry(box, &entry, buffer, sizeof(buffer));
		snprintf(destination, sizeof(destination), "srv/%s", odd_names[i].text);
		assert_string_equal(entry.mnt_dir, destination);
		assert_string_equal(entry.mnt_fsname, "x");
		assert_int_equal(kind_of(box, destination), 'd');
	}
}

static void odd_bytes_in_data_are_read_back_as_they_are(void **state)
{
	struct box *box = *state;
	char buffer[4096];
	struct mntent entry;

	compile_mounts(box,
		       "{'destination': '/x', 'type': 'tmpfs', 'source': 'x', 'options':"
		       " ['noexec', 'context=\\\"a b\\\"', 'tab=\\t', 'line=\\n', 'slash=\\\\']}");
	read_entry(box, &entry, buffer, sizeof(buffer));
	assert_string_equal(entry.mnt_opts,
			    "defaults,noexec,context=\"a b\",tab=\t,line=\n,slash=\\");
}

/* No byte of a value is ever read as another field. */
static void odd_bytes_in_a_type_are_read_back_as_they_are(void **state)
{
	struct box *box = *state;
	char buffer[4096];
	struct mntent entry;

	compile_mounts(box,
		       "{'destination': '/x', 'type': 'tmpfs bind,create=dir\\t0', 'source': 'x'}");
	read_entry(box, &entry, buffer, sizeof(buffer));
	assert_string_equal(entry.mnt_type, "tmpfs bind,create=dir\t0");
	assert_string_equal(entry.mnt_opts, "defaults");
}

/* ---- targets ---- */

static void missing_targets_are_made(void **state)
{
	struct box *box = *state;
	struct stat st;

	make_source(box, "directory");
	make_file(box->host, "file");
	umask(0);
	compile_mounts(box, "{'destination': '/a/b/c', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/d/e', 'type': 'bind', 'source': '{host}/directory'},"
			    "{'destination': '/f/g', 'type': 'bind', 'source': '{host}/file'}");
	umask(022);
	assert_int_equal(kind_of(box, "a/b/c"), 'd');
	assert_int_equal(kind_of(box, "d/e"), 'd');
	assert_int_equal(kind_of(box, "f"), 'd');
	assert_int_equal(kind_of(box, "f/g"), 'f');
	assert_int_equal(fstatat(box->root, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(fstatat(box->root, "f/g", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_size, 0);
}

static void targets_that_are_there_stay_as_they_are(void **state)
{
	struct box *box = *state;
	struct stat st;

	make_file(box->host, "file");
	make_file(box->rootfs, "text");
	make_directory(box, "var");
	assert_int_equal(fchmodat(box->root, "text", 0600, 0), 0);
	assert_int_equal(fchmodat(box->root, "var", 0700, 0), 0);
	compile_mounts(box, "{'destination': '/text', 'type': 'bind', 'source': '{host}/file'},"
			    "{'destination': '/var', 'type': 'tmpfs', 'source': 'x'}");
	assert_int_equal(fstatat(box->root, "text", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fstatat(box->root, "var", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

/* There is nothing in a new file system yet, and what the root has at that place will be covered.
 */
static void below_a_new_mount_lxc_makes_the_target(void **state)
{
	struct box *box = *state;

	make_source(box, "directory");
	make_file(box->host, "file");
	compile_mounts(box, "{'destination': '/dev', 'type': 'tmpfs', 'source': 'dev'},"
			    "{'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm',"
			    " 'options': ['nosuid', 'size=64k']},"
			    "{'destination': '/dev/log', 'type': 'bind', 'source': '{host}/file',"
			    " 'options': ['ro']},"
			    "{'destination': '/dev/a/b', 'type': 'bind',"
			    " 'source': '{host}/directory'}");
	assert_entries(box, "dev dev tmpfs defaults 0 0\n"
			    "shm dev/shm tmpfs defaults,nosuid,create=dir,size=64k 0 0\n"
			    "{host}/file dev/log none bind,ro,create=file 0 0\n"
			    "{host}/directory dev/a/b none bind,create=dir 0 0\n" PROC_FOR_INIT);
	assert_int_equal(kind_of(box, "dev"), 'd');
	assert_int_equal(kind_of(box, "dev/shm"), '-');
	assert_int_equal(kind_of(box, "dev/log"), '-');
}

static void one_mount_over_another_is_made_on_it(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'one'},"
			    "{'destination': '/x', 'type': 'tmpfs', 'source': 'two'}");
	assert_entries(box, "one x tmpfs defaults 0 0\ntwo x tmpfs defaults 0 0\n" PROC_FOR_INIT);
}

static void a_name_that_begins_the_same_is_another(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/dev', 'type': 'tmpfs', 'source': 'one'},"
			    "{'destination': '/device', 'type': 'tmpfs', 'source': 'two'}");
	assert_entries(box,
		       "one dev tmpfs defaults 0 0\ntwo device tmpfs defaults 0 0\n" PROC_FOR_INIT);
	assert_int_equal(kind_of(box, "device"), 'd');
}

/* ---- where a destination leads ---- */

static void destinations_are_cleaned(void **state)
{
	static const struct {
		const char *destination, *expected;
	} cases[] = {
	    {"/a/b", "a/b"},	     {"//a///b//", "a/b"},
	    {"/./a/./b/.", "a/b"},   {"/a/x/../b", "a/b"},
	    {"/../../a/b", "a/b"},   {"/a/../../a/b", "a/b"},
	    {"a/b", "a/b"},	     {"./a/b", "a/b"},
	    {"../a/b", "a/b"},	     {"/a/b/c/d/../..", "a/b"},
	    {"/a/...b/../b", "a/b"},
	};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mounts[200];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '%s', 'type': 'tmpfs', 'source': 'x', 'options': "
			 "['mode=700']}",
			 cases[i].destination);
		compile_mounts(box, mounts);
		assert_entries(box, "x a/b tmpfs defaults,mode=700 0 0\n" PROC_FOR_INIT);
	}
	/* What was left out by ".." was not made, either. */
	assert_int_equal(kind_of(box, "a/x"), '-');
}

static void symlinks_in_a_destination_are_followed_inside_the_root(void **state)
{
	struct box *box = *state;

	make_directory(box, "run");
	make_directory(box, "var");
	make_link(box, "/run", "var/run");
	make_link(box, "../../../run/lock", "var/lock");
	make_link(box, "var/run", "short");
	compile_mounts(box, "{'destination': '/var/run/a', 'type': 'tmpfs', 'source': '1'},"
			    "{'destination': '/var/lock', 'type': 'tmpfs', 'source': '2'},"
			    "{'destination': '/short', 'type': 'tmpfs', 'source': '3'}");
	assert_entries(box, "1 run/a tmpfs defaults 0 0\n"
			    "2 run/lock tmpfs defaults 0 0\n"
			    "3 run tmpfs defaults,mode=0755 0 0\n" PROC_FOR_INIT);
	assert_int_equal(kind_of(box, "run/a"), 'd');
	assert_int_equal(kind_of(box, "run/lock"), 'd');
	assert_int_equal(kind_of(box, "var/lock"), 'l');
}

static void a_symlink_never_leads_out_of_the_root(void **state)
{
	struct box *box = *state;
	char outside[100];

	make_link(box, box->host, "absolute");
	make_link(box, "../../../../../../../..", "up");
	compile_mounts(box, "{'destination': '/absolute/x', 'type': 'tmpfs', 'source': '1'},"
			    "{'destination': '/up/y', 'type': 'tmpfs', 'source': '2'}");
	snprintf(outside, sizeof(outside), "1 %s/x tmpfs defaults 0 0\n", box->host + 1);
	assert_int_equal(strncmp(item(box, "lxc.mount.entry", 0), outside, strlen(outside) - 1), 0);
	assert_string_equal(item(box, "lxc.mount.entry", 1), "2 y tmpfs defaults 0 0");
	snprintf(outside, sizeof(outside), "%s/x", box->host);
	assert_int_equal(access(outside, F_OK), -1);
	assert_int_equal(kind_of(box, "y"), 'd');
}

static void symlinks_that_go_round_are_an_error(void **state)
{
	struct box *box = *state;

	make_link(box, "b", "a");
	make_link(box, "a", "b");
	assert_int_equal(try_mounts(box, "{'destination': '/a/x', 'type': 'tmpfs', 'source': 'x'}"),
			 -1);
	assert_non_null(strstr(error_text(&box->err), "mounts[0].destination: \"/a/x\": "));
	assert_non_null(strstr(error_text(&box->err), "too many levels of symbolic links"));
}

/* CVE-2019-19921: an image's symlink would have the masked paths below /proc mean other files. */
static void proc_and_sysfs_are_not_mounted_through_a_symlink(void **state)
{
	static const char *const types[] = {"proc", "sysfs"};
	struct box *box = *state;

	make_directory(box, "real");
	make_link(box, "real", "linked");
	make_directory(box, "real/deep");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char mounts[200], expected[200];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': 'tmpfs', 'source': 'x'},"
			 "{'destination': '/linked', 'type': '%s', 'source': 'x'}",
			 types[i]);
		snprintf(
		    expected, sizeof(expected),
		    "mounts[1].destination: \"/linked\" is a symlink in the root; a %s must be "
		    "mounted on ordinary directory",
		    types[i]);
		assert_mounts_refused(box, mounts, expected);
		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/linked/deep', 'type': '%s', 'source': 'x'}", types[i]);
		assert_int_equal(try_mounts(box, mounts), -1);
		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/real/deep', 'type': '%s', 'source': 'x'}", types[i]);
		compile_mounts(box, mounts);
	}
}

/* ---- errors ---- */

static void a_missing_source_is_named_before_anything_is_made(void **state)
{
	struct box *box = *state;
	char expected[200];

	snprintf(expected, sizeof(expected),
		 "mounts[1].source: \"%s/nothing\": no such file or directory", box->host);
	assert_mounts_refused(box,
			      "{'destination': '/tmp', 'type': 'tmpfs', 'source': 'x'},"
			      "{'destination': '/a', 'type': 'bind', 'source': '{host}/nothing'}",
			      expected);
	assert_int_equal(kind_of(box, "a"), '-');
	snprintf(expected, sizeof(expected),
		 "mounts[0].source: \"%s/nothing\": no such file or directory", box->base);
	assert_mounts_refused(box, "{'destination': '/a', 'type': 'bind', 'source': 'nothing'}",
			      expected);
}

static void a_destination_that_can_not_be_made_is_named(void **state)
{
	struct box *box = *state;

	make_source(box, "directory");
	make_file(box->host, "file");
	make_file(box->rootfs, "text");
	make_directory(box, "etc");
	assert_int_equal(
	    try_mounts(box, "{'destination': '/text/x', 'type': 'tmpfs', 'source': 'x'}"), -1);
	assert_non_null(strstr(error_text(&box->err), "mounts[0].destination: "));
	assert_non_null(strstr(error_text(&box->err), "\"/text/x\""));
	assert_non_null(strstr(error_text(&box->err), "not a directory"));
	assert_int_equal(try_mounts(box, "{'destination': '/text', 'type': 'bind',"
					 " 'source': '{host}/directory'}"),
			 -1);
	assert_non_null(strstr(error_text(&box->err), "mounts[0].destination: \"/text\": "));
	assert_non_null(strstr(error_text(&box->err), "not a directory"));
	assert_int_equal(try_mounts(box, "{'destination': '/etc', 'type': 'bind',"
					 " 'source': '{host}/file'}"),
			 -1);
	assert_non_null(strstr(error_text(&box->err), "mounts[0].destination: \"/etc\": "));
	assert_non_null(strstr(error_text(&box->err), "is a directory"));
}

static void an_option_that_does_not_fit_is_named(void **state)
{
	assert_mounts_refused(*state,
			      "{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
			      "{'destination': '/b', 'type': 'mqueue', 'options': ['tmpcopyup']}",
			      "mounts[1].options: tmpcopyup is for a tmpfs, not for \"mqueue\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOX(entries_are_in_the_order_of_the_file),
	    IN_BOX(options_become_lxcs_words),
	    IN_BOX(bind_mounts_are_of_no_type),
	    IN_BOX(no_source_is_the_word_none),
	    IN_BOX(no_type_is_refused_by_its_field),
	    IN_BOX(a_relative_source_is_meant_from_the_bundle),
	    IN_BOX(odd_bytes_in_a_source_are_read_back_as_they_are),
	    IN_BOX(odd_bytes_in_a_destination_are_read_back_as_they_are),
	    IN_BOX(odd_bytes_in_data_are_read_back_as_they_are),
	    IN_BOX(odd_bytes_in_a_type_are_read_back_as_they_are),
	    IN_BOX(missing_targets_are_made),
	    IN_BOX(targets_that_are_there_stay_as_they_are),
	    IN_BOX(below_a_new_mount_lxc_makes_the_target),
	    IN_BOX(one_mount_over_another_is_made_on_it),
	    IN_BOX(a_name_that_begins_the_same_is_another),
	    IN_BOX(destinations_are_cleaned),
	    IN_BOX(symlinks_in_a_destination_are_followed_inside_the_root),
	    IN_BOX(a_symlink_never_leads_out_of_the_root),
	    IN_BOX(symlinks_that_go_round_are_an_error),
	    IN_BOX(proc_and_sysfs_are_not_mounted_through_a_symlink),
	    IN_BOX(a_missing_source_is_named_before_anything_is_made),
	    IN_BOX(a_destination_that_can_not_be_made_is_named),
	    IN_BOX(an_option_that_does_not_fit_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
