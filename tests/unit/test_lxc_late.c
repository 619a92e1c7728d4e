/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts that are left to init. Every rule at the top of src/lxc/mounts.c has a test here, and
 * what init gets is looked up in the plan.
 */
#include "test_lxc_box.c"

#include <sys/statvfs.h>

/* ---- what is asked of a mount ---- */

/* One mount that goes to init, and LXC gets none of it. */
static const struct plan_mount *only_late(const struct box *box)
{
	cleanup_free char *text = entries(box);

	if (late_count(box) != 1)
		fail_msg("%zu late mounts; LXC's: %s", late_count(box), text);
	assert_string_equal(text, PROC_FOR_INIT);
	return late(box, 0);
}

/* Which of the mounts are init's: "-L" is the second of two. */
static void assert_late(const struct box *box, const char *expected)
{
	size_t count = box->spec->mounts_count, index = 0;
	char found[64] = "";

	for (size_t i = 0; i < count; i++) {
		char what[32];

		snprintf(what, sizeof(what), "mounts[%zu]", i);
		/* In the order of the file, too. */
		if (index < late_count(box) &&
		    strcmp(plan_text(box, late(box, index)->what), what) == 0) {
			found[i] = 'L';
			index++;
		} else {
			found[i] = '-';
		}
	}
	assert_string_equal(found, expected);
	assert_int_equal(index, late_count(box));
}

static unsigned long flags_of(int tree)
{
	struct statvfs fs;

	assert_true(tree >= LOWEST);
	assert_true(fcntl(tree, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstatvfs(tree, &fs), 0);
	return fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME);
}

/* ---- the rules ---- */

static void a_devpts_on_dev_pts_is_late(void **state)
{
	struct box *box = *state;
	const struct plan_mount *mount;

	compile_mounts(box, "{'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',"
			    " 'options': ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666',"
			    " 'gid=5']}");
	mount = only_late(box);
	assert_int_equal(mount->kind, PLAN_MOUNT_NEW);
	assert_int_equal(mount->fd, -1);
	assert_string_equal(plan_text(box, mount->what), "mounts[0]");
	assert_string_equal(plan_text(box, mount->destination), "/dev/pts");
	assert_string_equal(plan_text(box, mount->type), "devpts");
	assert_string_equal(plan_text(box, mount->source), "devpts");
	assert_string_equal(plan_text(box, mount->data), "newinstance,ptmxmode=0666,gid=5");
	assert_true(mount->attr_set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
	assert_true(mount->attr_clear == 0);
	assert_int_equal(mount->is_file, 0);
	assert_int_equal(mount->no_symlink, 0);
	assert_int_equal(mount->propagation, 0);
	/* init makes the target, too. */
	assert_int_equal(kind_of(box, "dev"), '-');
}

static void a_devpts_elsewhere_is_lxcs(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/pts', 'type': 'devpts', 'source': 'devpts'},"
			    "{'destination': '/dev/pts', 'type': 'tmpfs', 'source': 'x'}");
	assert_int_equal(late_count(box), 0);
}

static void a_bind_mount_whose_flags_lxc_would_lose_is_late(void **state)
{
	static const struct {
		const char *options;
		unsigned long flags;
	} cases[] = {
	    {"'nosuid'", ST_NOSUID},
	    {"'nodev'", ST_NODEV},
	    {"'noexec'", ST_NOEXEC},
	    {"'noatime'", ST_NOATIME},
	    {"'nosuid', 'nodev', 'noexec'", ST_NOSUID | ST_NODEV | ST_NOEXEC},
	    {"'ro', 'nosuid'", ST_RDONLY | ST_NOSUID},
	    {"'suid', 'ro', 'noexec', 'exec'", ST_RDONLY},
	};
	struct box *box = *state;
	struct statvfs fs;

	needs_rights();
	assert_int_equal(statvfs(box->host, &fs), 0);
	fs.f_flag &= ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct plan_mount *mount;
		char mounts[200];

		snprintf(
		    mounts, sizeof(mounts),
		    "{'destination': '/x', 'type': 'bind', 'source': '{host}', 'options': [%s]}",
		    cases[i].options);
		compile_mounts(box, mounts);
		mount = only_late(box);
		assert_int_equal(mount->kind, PLAN_MOUNT_TREE);
		assert_string_equal(plan_text(box, mount->destination), "/x");
		assert_string_equal(plan_text(box, mount->source), box->host);
		/* The options are on the tree by now, and nothing is left for init. */
		assert_true(mount->attr_set == 0 && mount->attr_clear == 0);
		assert_int_equal(box->recipe.fds_count, 1);
		assert_int_equal(box->recipe.fds[0], mount->fd);
		if ((flags_of(mount->fd) & ~fs.f_flag) != (cases[i].flags & ~fs.f_flag))
			fail_msg("%s: %#lx", cases[i].options, flags_of(mount->fd));
	}
}

static void a_bind_mount_that_is_read_only_at_most_is_lxcs(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/1', 'type': 'bind', 'source': '{host}'},"
			    "{'destination': '/2', 'type': 'bind', 'source': '{host}',"
			    " 'options': ['rbind', 'ro', 'rprivate']},"
			    "{'destination': '/3', 'type': 'bind', 'source': '{host}',"
			    " 'options': ['rw', 'private', 'defaults']}");
	assert_int_equal(late_count(box), 0);
}

static void a_late_bind_mount_tells_a_file_from_a_directory(void **state)
{
	struct box *box = *state;
	struct stat st, source;
	char path[200];

	needs_rights();
	make_file(box->host, "file");
	compile_mounts(box, "{'destination': '/x', 'type': 'bind', 'source': 'host/file',"
			    " 'options': ['nosuid']}");
	assert_int_equal(only_late(box)->is_file, 1);
	snprintf(path, sizeof(path), "%s/file", box->host);
	assert_string_equal(plan_text(box, late(box, 0)->source), path);
	assert_int_equal(fstat(late(box, 0)->fd, &st), 0);
	assert_int_equal(stat(path, &source), 0);
	assert_true(st.st_ino == source.st_ino && st.st_dev == source.st_dev);
	compile_mounts(box, "{'destination': '/x', 'type': 'bind', 'source': '{host}',"
			    " 'options': ['nosuid']}");
	assert_int_equal(only_late(box)->is_file, 0);
}

static void the_recursive_options_are_late(void **state)
{
	static const struct {
		const char *option;
		unsigned long flag;
	} cases[] = {
	    {"rro", ST_RDONLY},	    {"rnosuid", ST_NOSUID},   {"rnodev", ST_NODEV},
	    {"rnoexec", ST_NOEXEC}, {"rnoatime", ST_NOATIME}, {"rrw", 0},
	};
	struct box *box = *state;

	needs_rights();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mounts[200];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': 'bind', 'source': '{host}',"
			 " 'options': ['rbind', '%s']}",
			 cases[i].option);
		compile_mounts(box, mounts);
		assert_int_equal(only_late(box)->kind, PLAN_MOUNT_TREE);
		assert_true((flags_of(only_late(box)->fd) & cases[i].flag) == cases[i].flag);
	}
	/* Of a new file system init does it. */
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['rro', 'rexec', 'nosuid']}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_NEW);
	assert_true(late(box, 0)->attr_rec_set == MOUNT_ATTR_RDONLY);
	assert_true(late(box, 0)->attr_rec_clear == MOUNT_ATTR_NOEXEC);
	assert_true(late(box, 0)->attr_set == MOUNT_ATTR_NOSUID);
}

static void nosymfollow_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['nosymfollow']}");
	assert_true(only_late(box)->attr_set == MOUNT_ATTR_NOSYMFOLLOW);
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['nosymfollow', 'symfollow']}");
	assert_int_equal(late_count(box), 0);
}

static void tmpcopyup_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['tmpcopyup', 'mode=700']}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_NEW);
	assert_int_equal(late(box, 0)->copy_up, 1);
	assert_string_equal(plan_text(box, late(box, 0)->data), "mode=700");
}

static void a_remount_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['remount', 'ro', 'exec']}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_REMOUNT);
	assert_int_equal(late(box, 0)->fd, -1);
	assert_true(late(box, 0)->attr_set == MOUNT_ATTR_RDONLY);
	assert_true(late(box, 0)->attr_clear == MOUNT_ATTR_NOEXEC);
	/* Its source means nothing, and need not be there. */
	compile_mounts(box, "{'destination': '/x', 'source': '/nowhere',"
			    " 'options': ['bind', 'remount', 'ro']}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_REMOUNT);
	assert_int_equal(box->recipe.fds_count, 0);
}

static void the_containers_cgroups_are_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/sys/fs/cgroup', 'type': 'cgroup',"
			    " 'source': 'cgroup', 'options': ['ro', 'nosuid']}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_CGROUP);
	assert_true(late(box, 0)->attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
	compile_mounts(box, "{'destination': '/cgroup', 'type': 'cgroup2', 'source': 'x'}");
	assert_int_equal(only_late(box)->kind, PLAN_MOUNT_CGROUP);
}

static void propagation_other_than_private_is_late(void **state)
{
	static const struct {
		const char *option;
		uint32_t flags;
	} cases[] = {
	    {"shared", MS_SHARED},	   {"rshared", MS_SHARED | MS_REC},
	    {"slave", MS_SLAVE},	   {"rslave", MS_SLAVE | MS_REC},
	    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
	};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mounts[200];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': 'tmpfs', 'source': 'x', 'options': ['%s']}",
			 cases[i].option);
		compile_mounts(box, mounts);
		assert_int_equal(only_late(box)->propagation, cases[i].flags);
	}
	/* The last word counts here, too. */
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['shared', 'rprivate']}");
	assert_int_equal(late_count(box), 0);
}

static void options_that_are_lxcs_own_words_are_late(void **state)
{
	static const char *const options[] = {"optional", "relative", "create=file", "create=dir",
					      "idmap=container"};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char mounts[200];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			 " 'options': ['mode=700', '%s']}",
			 options[i]);
		compile_mounts(box, mounts);
		assert_non_null(strstr(plan_text(box, only_late(box)->data), options[i]));
	}
}

/* LXC reads entries back from a file, where such a line would be a comment. */
static void a_source_that_begins_like_a_comment_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': '#x'}");
	assert_string_equal(plan_text(box, only_late(box)->source), "#x");
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x#'}");
	assert_int_equal(late_count(box), 0);
}

/* LXC reads an entry into a buffer of 4096 bytes; what is longer would be cut. */
static void assert_entries_fit(const struct box *box)
{
	const char *value;

	for (size_t i = 0; (value = item(box, "lxc.mount.entry", i)); i++)
		assert_true(strlen(value) < 4000);
}

/* A mount whose data, or destination, has `length` bytes. */
static void compile_long(struct box *box, bool data, const char *byte, size_t length)
{
	cleanup_free char *mounts = malloc(length * strlen(byte) + 200);
	char *end = mounts + sprintf(mounts, "{'type': 'tmpfs', 'source': 'x', 'destination': '/");

	if (data)
		end += sprintf(end, "x', 'options': ['mode=700");
	for (size_t i = 0; i < length; i++)
		end += sprintf(end, "%s", !data && i % 100 == 0 ? "/" : byte);
	sprintf(end, data ? "']}" : "'}");
	compile_mounts(box, mounts);
}

static void an_entry_longer_than_lxcs_buffer_is_late(void **state)
{
	struct box *box = *state;

	compile_long(box, true, "a", 100);
	assert_int_equal(late_count(box), 0);
	compile_long(box, true, "a", 5000);
	assert_int_equal(strlen(plan_text(box, only_late(box)->data)), 5000 + strlen("mode=700"));
	compile_long(box, false, "a", 3900);
	only_late(box);
	for (size_t length = 500; length < 4000; length += 100) {
		compile_long(box, true, "a", length);
		assert_entries_fit(box);
	}
	for (size_t length = 100; length < 3900; length += 100) {
		compile_long(box, false, " ", length);
		assert_entries_fit(box);
	}
}

static void data_grows_as_it_is_written_down(void **state)
{
	struct box *box = *state;

	for (size_t length = 100; length < 4000; length += 100) {
		compile_long(box, true, "\\\\", length);
		assert_entries_fit(box);
		compile_long(box, true, " ", length);
		assert_entries_fit(box);
	}
}

/* ---- where it goes ---- */

static void the_root_itself_is_for_init(void **state)
{
	struct box *box = *state;

	make_directory(box, "linked");
	make_link(box, "..", "linked/up");
	compile_mounts(box, "{'destination': '/', 'type': 'tmpfs', 'source': 'x'}");
	assert_string_equal(plan_text(box, only_late(box)->destination), "/");
	compile_mounts(box, "{'destination': '/linked/up', 'type': 'tmpfs', 'source': 'x'}");
	only_late(box);
	/* And so is everything on it. */
	compile_mounts(box, "{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/b', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "-LL");
}

static void below_an_earlier_bind_mount_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/data', 'type': 'bind', 'source': '{host}'},"
			    "{'destination': '/data/deep/x', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/data2', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/', 'type': 'bind', 'source': '{host}',"
			    " 'options': ['remount']}");
	assert_late(box, "-L-L");
	assert_int_equal(kind_of(box, "data/deep"), '-');
}

static void a_mount_on_an_earlier_bind_mount_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/data', 'type': 'bind', 'source': '{host}'},"
			    "{'destination': '/data', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "-L");
}

/* The nearest mount counts, not the first: what is in the bind mount's source is not known. */
static void below_a_bind_mount_in_a_new_file_system_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/data', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/data/host', 'type': 'bind', 'source': '{host}'},"
			    "{'destination': '/data/host/x', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "--L");
}

static void below_an_earlier_new_file_system_is_not(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/data', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/data/x', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/data/x/y', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "---");
	compile_mounts(box, "{'destination': '/dev', 'type': 'ramfs', 'source': 'x'},"
			    "{'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "--");
}

/* They have symlinks in them from the start, and a procfs has magic links (CVE-2024-45310). */
static void below_a_file_system_of_the_kernel_is_late(void **state)
{
	static const char *const types[] = {"proc", "sysfs", "devpts", "mqueue", "bpf", "debugfs"};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char mounts[300];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/x', 'type': '%s', 'source': 'x'},"
			 "{'destination': '/x/self/root/y', 'type': 'tmpfs', 'source': 'x'}",
			 types[i]);
		compile_mounts(box, mounts);
		assert_late(box, "-L");
		assert_int_equal(kind_of(box, "x/self"), '-');
	}
	compile_mounts(box, "{'destination': '/proc', 'type': 'proc', 'source': 'x'},"
			    "{'destination': '/proc/uptime', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/sys', 'type': 'sysfs', 'source': 'x'},"
			    "{'destination': '/sys/firmware', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "-L-L");
}

/* init sets the root's propagation on what LXC mounted; what asks for its own is set apart. */
static void private_is_late_where_the_roots_propagation_goes_further(void **state)
{
	static const struct {
		const char *propagation;
		size_t late;
	} cases[] = {{"private", 0}, {"rprivate", 0}, {"slave", 0},	  {"shared", 0},
		     {"rslave", 1},  {"rshared", 1},  {"runbindable", 1}, {"unbindable", 0}};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char members[400];

		snprintf(members, sizeof(members),
			 "'linux': {'namespaces': [{'type': 'mount'}], 'rootfsPropagation': '%s'},"
			 " 'mounts': [{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
			 " {'destination': '/b', 'type': 'tmpfs', 'source': 'x',"
			 " 'options': ['rprivate']}]",
			 cases[i].propagation);
		compile(box, members);
		assert_int_equal(late_count(box), cases[i].late);
	}
}

static void a_file_systems_options_are_changed_where_it_is_the_containers(void **state)
{
	static const char *const refused[] = {
	    /* nothing of the container's there, a bind mount, one of the host's */
	    "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'size=1k']}",
	    "{'destination': '/a', 'type': 'bind', 'source': '{host}'},"
	    "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'size=1k']}",
	    "{'destination': '/a', 'type': 'bind', 'source': '{host}'},"
	    "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'ro']},"
	    "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'size=1k']}",
	    "{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
	    "{'destination': '/a', 'options': ['bind', 'remount', 'size=1k']}",
	    "{'destination': '/a', 'type': 'cgroup', 'source': 'x'},"
	    "{'destination': '/a', 'type': 'cgroup', 'options': ['remount', 'nsdelegate']}",
	};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (try_mounts(box, refused[i]) == 0)
			fail_msg("accepted: %s", refused[i]);
		assert_non_null(strstr(error_text(&box->err),
				       "can't be changed: what is mounted on "
				       "\"/a\" is not a file system of the "
				       "container's own"));
	}
	compile_mounts(box,
		       "{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
		       "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'ro']},"
		       "{'destination': '/a', 'type': 'tmpfs', 'options': ['remount', 'size=1k']}");
	assert_int_equal(late_count(box), 2);
	assert_string_equal(plan_text(box, late(box, 1)->data), "size=1k");
	assert_int_equal(late(box, 1)->no_symlink, 1);
}

/* A disk, an overlay, a share: what lies in it is not known, either, and LXC would follow it while
 * it makes the target: out of the root, onto the host. */
static void below_a_file_system_with_contents_of_its_own_is_late(void **state)
{
	static const char *const types[] = {"overlay", "ext4",	     "nfs",
					    "9p",      "fuse.sshfs", "virtiofs"};
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char mounts[300];

		snprintf(mounts, sizeof(mounts),
			 "{'destination': '/data', 'type': '%s', 'source': 'x'},"
			 "{'destination': '/data/x', 'type': 'tmpfs', 'source': 'x'},"
			 "{'destination': '/data/x/y', 'type': 'tmpfs', 'source': 'x'}",
			 types[i]);
		compile_mounts(box, mounts);
		assert_late(box, "-LL");
	}
}

static void a_symlink_onto_an_earlier_mount_is_late(void **state)
{
	struct box *box = *state;

	make_directory(box, "run");
	make_directory(box, "var");
	make_link(box, "/run", "var/run");
	compile_mounts(box, "{'destination': '/run', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/var/run/lock', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/var/x', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "-L-");
	/* Unresolved: init follows it in what is there by then. */
	assert_string_equal(plan_text(box, late(box, 0)->destination), "/var/run/lock");
	assert_int_equal(kind_of(box, "run/lock"), '-');
}

static void below_a_late_mount_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['shared']},"
			    "{'destination': '/x/y', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/x', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/xy', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "LLL-");
}

static void what_covers_a_late_mount_is_late(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/a/b/c', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['shared']},"
			    "{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/a/b/d', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/e', 'type': 'tmpfs', 'source': 'x'}");
	assert_late(box, "LLL-");
}

static void a_late_mount_leaves_earlier_ones_to_lxc(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/dev', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/dev/pts', 'type': 'devpts', 'source': 'x'},"
			    "{'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/dev/mqueue', 'type': 'mqueue', 'source': 'x'}");
	assert_late(box, "-L--");
}

static void the_mount_label_is_for_new_file_systems(void **state)
{
	static const struct {
		const char *mount;
		bool labelled;
	} cases[] = {
	    {"'type': 'tmpfs', 'options': ['tmpcopyup']", true},
	    {"'type': 'devpts', 'options': ['newinstance']", true},
	    {"'type': 'ext4', 'options': ['shared']", true},
	    {"'type': 'mqueue', 'options': ['shared']", false},
	    {"'type': 'proc', 'options': ['shared']", false},
	    {"'type': 'sysfs', 'options': ['shared']", false},
	    {"'type': 'cgroup'", false},
	    {"'options': ['bind', 'nosuid']", false},
	};
	const char *label = "system_u:object_r:a_t:s0:c1,c2";
	struct box *box = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *members = NULL;

		assert_true(asprintf(&members,
				     "'linux': {'mountLabel': '%s'}, 'mounts': [{'destination': "
				     "'/a', 'source': '%s', %s}]",
				     label, box->host, cases[i].mount) > 0);
		compile(box, members);
		assert_int_equal(late_count(box), 1);
		if (late(box, 0)->labelled != cases[i].labelled)
			fail_msg("%s", members);
		assert_string_equal(plan_text(box, head(box)->mount_label), label);
		assert_string_equal(box->recipe.mount_label, label);
		assert_int_equal(box->recipe.has_mqueue, i == 3);
	}
	compile_mounts(box, "{'destination': '/a', 'type': 'tmpfs', 'options': ['tmpcopyup']}");
	assert_int_equal(late(box, 0)->labelled, 0);
	assert_null(box->recipe.mount_label);
}

static void the_mount_label_leaves_lxcs_mounts_to_lxc(void **state)
{
	struct box *box = *state;

	compile(box, "'linux': {'namespaces': [{'type': 'pid'}], 'mountLabel': 'a:b:c:s0:c1,c2'},"
		     " 'mounts': [{'destination': '/a', 'type': 'tmpfs', 'source': 'x'},"
		     " {'destination': '/a/b', 'type': 'mqueue', 'source': 'x'}]");
	assert_late(box, "--");
	/* It comes from the monitor: here LXC would lose what is behind the comma. */
	assert_entries(box, "x a tmpfs defaults 0 0\n"
			    "x a/b mqueue defaults,create=dir 0 0\n" PROC_FOR_INIT);
}

static void a_late_proc_is_not_mounted_through_a_symlink(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/proc', 'type': 'proc', 'source': 'proc',"
			    " 'options': ['shared']},"
			    "{'destination': '/sys', 'type': 'sysfs', 'source': 'x',"
			    " 'options': ['shared']},"
			    "{'destination': '/x', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['shared']}");
	assert_int_equal(late(box, 0)->no_symlink, 1);
	assert_int_equal(late(box, 1)->no_symlink, 1);
	assert_int_equal(late(box, 2)->no_symlink, 0);
	/* One that leads onto an earlier mount is not known to, before init looks. */
	make_link(box, "x", "linked");
	compile_mounts(box, "{'destination': '/x', 'type': 'tmpfs', 'source': 'x'},"
			    "{'destination': '/linked/p', 'type': 'proc', 'source': 'proc'}");
	assert_late(box, "-L");
	assert_int_equal(late(box, 0)->no_symlink, 1);
}

/* ---- details ---- */

static void the_file_system_of_a_disk_is_read_only_itself(void **state)
{
	struct box *box = *state;

	compile_mounts(box, "{'destination': '/1', 'type': 'ext4', 'source': '/dev/none',"
			    " 'options': ['ro', 'shared']},"
			    "{'destination': '/2', 'type': 'ext4', 'source': '/dev/none',"
			    " 'options': ['rw', 'shared']},"
			    "{'destination': '/3', 'type': 'tmpfs', 'source': 'x',"
			    " 'options': ['ro', 'shared']}");
	assert_int_equal(late(box, 0)->sb_readonly, 1);
	assert_int_equal(late(box, 1)->sb_readonly, 0);
	assert_int_equal(late(box, 2)->sb_readonly, 0);
}

static void sources_that_can_not_be_opened_are_named(void **state)
{
	struct box *box = *state;
	char expected[200];

	snprintf(expected, sizeof(expected),
		 "mounts[0].source: \"%s/nothing\": no such file or directory", box->host);
	assert_mounts_refused(box,
			      "{'destination': '/x', 'type': 'bind', 'source': '{host}/nothing',"
			      " 'options': ['nosuid']}",
			      expected);
	assert_int_equal(box->recipe.fds_count, 0);
}

/* `count` bind mounts that are init's; freed by the caller. */
static char *many_late_mounts(size_t count)
{
	char *mounts = malloc(count * 100 + 1), *end = mounts;

	for (size_t i = 0; i < count; i++)
		end += sprintf(end,
			       "%s{'destination': '/%zu', 'type': 'bind', 'source': '{host}',"
			       " 'options': ['nosuid']}",
			       i ? "," : "", i);
	return mounts;
}

static void more_late_bind_mounts_than_init_can_get_are_refused(void **state)
{
	struct box *box = *state;
	size_t most = ARRAY_SIZE(box->recipe.fds);
	cleanup_free char *fitting = many_late_mounts(most), *too_many = many_late_mounts(most + 1);
	char expected[100];

	needs_rights();
	compile_mounts(box, fitting);
	assert_int_equal(late_count(box), most);
	assert_int_equal(box->recipe.fds_count, most);
	snprintf(expected, sizeof(expected), "mounts: more than %zu that LXC can't make", most);
	assert_mounts_refused(box, too_many, expected);
}

static void a_recipe_that_is_freed_closes_its_trees(void **state)
{
	struct box *box = *state;
	int tree;

	needs_rights();
	compile_mounts(box, "{'destination': '/x', 'type': 'bind', 'source': '{host}',"
			    " 'options': ['nosuid']}");
	tree = late(box, 0)->fd;
	assert_true(fcntl(tree, F_GETFD) >= 0);
	lxc_recipe_free(&box->recipe);
	assert_int_equal(fcntl(tree, F_GETFD), -1);
	memset(&box->recipe, 0, sizeof(box->recipe));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOX(a_devpts_on_dev_pts_is_late),
	    IN_BOX(a_devpts_elsewhere_is_lxcs),
	    IN_BOX(a_bind_mount_whose_flags_lxc_would_lose_is_late),
	    IN_BOX(a_bind_mount_that_is_read_only_at_most_is_lxcs),
	    IN_BOX(a_late_bind_mount_tells_a_file_from_a_directory),
	    IN_BOX(the_recursive_options_are_late),
	    IN_BOX(nosymfollow_is_late),
	    IN_BOX(tmpcopyup_is_late),
	    IN_BOX(a_remount_is_late),
	    IN_BOX(the_containers_cgroups_are_late),
	    IN_BOX(propagation_other_than_private_is_late),
	    IN_BOX(options_that_are_lxcs_own_words_are_late),
	    IN_BOX(a_source_that_begins_like_a_comment_is_late),
	    IN_BOX(an_entry_longer_than_lxcs_buffer_is_late),
	    IN_BOX(data_grows_as_it_is_written_down),
	    IN_BOX(the_root_itself_is_for_init),
	    IN_BOX(below_an_earlier_bind_mount_is_late),
	    IN_BOX(a_mount_on_an_earlier_bind_mount_is_late),
	    IN_BOX(below_a_bind_mount_in_a_new_file_system_is_late),
	    IN_BOX(below_an_earlier_new_file_system_is_not),
	    IN_BOX(below_a_file_system_of_the_kernel_is_late),
	    IN_BOX(private_is_late_where_the_roots_propagation_goes_further),
	    IN_BOX(a_file_systems_options_are_changed_where_it_is_the_containers),
	    IN_BOX(below_a_file_system_with_contents_of_its_own_is_late),
	    IN_BOX(a_symlink_onto_an_earlier_mount_is_late),
	    IN_BOX(below_a_late_mount_is_late),
	    IN_BOX(what_covers_a_late_mount_is_late),
	    IN_BOX(a_late_mount_leaves_earlier_ones_to_lxc),
	    IN_BOX(the_mount_label_is_for_new_file_systems),
	    IN_BOX(the_mount_label_leaves_lxcs_mounts_to_lxc),
	    IN_BOX(a_late_proc_is_not_mounted_through_a_symlink),
	    IN_BOX(the_file_system_of_a_disk_is_read_only_itself),
	    IN_BOX(sources_that_can_not_be_opened_are_named),
	    IN_BOX(more_late_bind_mounts_than_init_can_get_are_refused),
	    IN_BOX(a_recipe_that_is_freed_closes_its_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
