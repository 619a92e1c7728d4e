/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw LXC configuration: names of before and after LXC 2.1, what becomes of each key, and how
 * errors name the annotation.
 */
#include "test_lxc_box.c"

#include "lxc/raw.h"

#define A "org.linuxcontainers.lxc."

/* ---- names ---- */

/* Row D23: every name that lxc-update-config(1) knows. */
static const struct {
	const char *old, *new;
} pairs[] = {
    {"lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete"},
    {"lxc.aa_profile", "lxc.apparmor.profile"},
    {"lxc.console", "lxc.console.path"},
    {"lxc.devttydir", "lxc.tty.dir"},
    {"lxc.haltsignal", "lxc.signal.halt"},
    {"lxc.id_map", "lxc.idmap"},
    {"lxc.init_cmd", "lxc.init.cmd"},
    {"lxc.init_gid", "lxc.init.gid"},
    {"lxc.init_uid", "lxc.init.uid"},
    {"lxc.limit.nofile", "lxc.prlimit.nofile"},
    {"lxc.limit.as", "lxc.prlimit.as"},
    {"lxc.logfile", "lxc.log.file"},
    {"lxc.loglevel", "lxc.log.level"},
    {"lxc.mount", "lxc.mount.fstab"},
    {"lxc.network", "lxc.net"},
    {"lxc.pts", "lxc.pty.max"},
    {"lxc.rebootsignal", "lxc.signal.reboot"},
    {"lxc.rootfs", "lxc.rootfs.path"},
    {"lxc.se_context", "lxc.selinux.context"},
    {"lxc.seccomp", "lxc.seccomp.profile"},
    {"lxc.stopsignal", "lxc.signal.stop"},
    {"lxc.syslog", "lxc.log.syslog"},
    {"lxc.tty", "lxc.tty.max"},
    {"lxc.utsname", "lxc.uts.name"},
    /* networks with a number */
    {"lxc.network.0.type", "lxc.net.0.type"},
    {"lxc.network.3.ipv4", "lxc.net.3.ipv4.address"},
    {"lxc.network.12.ipv6", "lxc.net.12.ipv6.address"},
    {"lxc.network.1.ipv4.gateway", "lxc.net.1.ipv4.gateway"},
    {"lxc.network.1.veth.pair", "lxc.net.1.veth.pair"},
    /* the same before and after */
    {"lxc.arch", "lxc.arch"},
    {"lxc.autodev", "lxc.autodev"},
    {"lxc.cap.drop", "lxc.cap.drop"},
    {"lxc.cap.keep", "lxc.cap.keep"},
    {"lxc.cgroup.memory.limit_in_bytes", "lxc.cgroup.memory.limit_in_bytes"},
    {"lxc.console.logfile", "lxc.console.logfile"},
    {"lxc.environment", "lxc.environment"},
    {"lxc.ephemeral", "lxc.ephemeral"},
    {"lxc.group", "lxc.group"},
    {"lxc.hook.pre-start", "lxc.hook.pre-start"},
    {"lxc.include", "lxc.include"},
    {"lxc.kmsg", "lxc.kmsg"},
    {"lxc.monitor.unshare", "lxc.monitor.unshare"},
    {"lxc.mount.auto", "lxc.mount.auto"},
    {"lxc.mount.entry", "lxc.mount.entry"},
    {"lxc.no_new_privs", "lxc.no_new_privs"},
    {"lxc.pivotdir", "lxc.pivotdir"},
    {"lxc.rootfs.backend", "lxc.rootfs.backend"},
    {"lxc.rootfs.mount", "lxc.rootfs.mount"},
    {"lxc.rootfs.options", "lxc.rootfs.options"},
    {"lxc.start.auto", "lxc.start.auto"},
    {"lxc.net.0.ipv4.address", "lxc.net.0.ipv4.address"},
    {"lxc.prlimit.nofile", "lxc.prlimit.nofile"},
    {"lxc.uts.name", "lxc.uts.name"},
};

static void D23_every_older_name_has_its_name_of_today(void **state)
{
	struct error err = ERROR_INIT;
	struct arena arena = ARENA_INIT;
	int network = -1;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *name = raw_translate(pairs[i].old, &network, &arena, &err);

		if (!name)
			fail_msg("%s: %s", pairs[i].old, error_text(&err));
		assert_string_equal(name, pairs[i].new);
		/* And it is a key that we know what to do with. */
		if (!raw_find_key(name) && strcmp(name, "lxc.mount.fstab") != 0)
			fail_msg("%s is not in the table", name);
	}
	assert_int_equal(network, -1);
	arena_free(&arena);
}

static void D23_networks_without_a_number_are_counted_by_their_types(void **state)
{
	static const char *const old[] = {
	    "type",	 "flags",     "link",	      "name",	 "hwaddr",
	    "mtu",	 "ipv4",      "ipv4.gateway", "ipv6",	 "ipv6.gateway",
	    "veth.pair", "script.up", "script.down",  "vlan.id", "macvlan.mode"};
	static const char *const new[] = {
	    "type",	 "flags",	 "link",	 "name",	 "hwaddr",
	    "mtu",	 "ipv4.address", "ipv4.gateway", "ipv6.address", "ipv6.gateway",
	    "veth.pair", "script.up",	 "script.down",	 "vlan.id",	 "macvlan.mode"};
	struct error err = ERROR_INIT;
	struct arena arena = ARENA_INIT;
	int network = -1, round;
	size_t i;

	(void)state;
	assert_null(raw_translate("lxc.network.link", &network, &arena, &err));
	assert_string_equal(error_text(&err), "comes before the first lxc.network.type");
	error_clear(&err);
	for (round = 0; round < 3; round++)
		for (i = 0; i < ARRAY_SIZE(old); i++) {
			char before[64], after[64];

			snprintf(before, sizeof(before), "lxc.network.%s", old[i]);
			snprintf(after, sizeof(after), "lxc.net.%d.%s", round, new[i]);
			assert_string_equal(raw_translate(before, &network, &arena, &err), after);
		}
	arena_free(&arena);
}

/* ---- a document with annotations ---- */

#define NAMESPACES                                                                                 \
	"'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount'}, {'type': 'uts'},"            \
	" {'type': 'network'}]}"

static struct spec *read_raw(const char *annotations, const char *more, struct error *err)
{
	cleanup_free char *config = NULL;
	struct spec *spec;

	assert_true(
	    asprintf(&config,
		     "{'ociVersion': '1.3.0', 'root': {'path': 'rootfs'}, 'hostname': 'box',"
		     " 'process': {'args': ['sh'], 'cwd': '/', 'env': ['A=1', 'B=2'],"
		     " 'capabilities': {'bounding': ['CAP_KILL', 'CAP_CHOWN'], 'effective':"
		     " ['CAP_KILL'], 'permitted': ['CAP_KILL', 'CAP_CHOWN'], 'ambient':"
		     " ['CAP_KILL']}, 'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 1,"
		     " 'hard': 2}]}, 'mounts': [{'destination': '/dev/pts', 'type':"
		     " 'devpts', 'source': 'devpts', 'options': ['max=9', 'gid=5']}],"
		     " %s 'annotations': {%s}, " NAMESPACES "}",
		     more, annotations) > 0);
	spec = read_config(config, err);
	if (!spec || spec_validate(spec, err) < 0)
		fail_msg("%s\n%s", error_text(err), config);
	return spec;
}

static struct spec *apply(const char *annotations)
{
	struct error err = ERROR_INIT;
	struct spec *spec = read_raw(annotations, "", &err);

	if (lxc_raw_apply(spec, false, NULL, &err) < 0)
		fail_msg("%s\n%s", annotations, error_text(&err));
	return spec;
}

static void assert_raw_refused(const char *annotations, const char *expected)
{
	struct error err = ERROR_INIT;
	struct spec *spec = read_raw(annotations, "", &err);

	if (lxc_raw_apply(spec, false, NULL, &err) == 0)
		fail_msg("accepted: %s", annotations);
	assert_string_equal(error_text(&err), expected);
	error_clear(&err);
	spec_free(spec);
}

static void assert_list(const struct spec_strings *list, const char *expected)
{
	char text[512] = "";

	for (size_t i = 0; i < list->count; i++) {
		if (i)
			strcat(text, ",");
		strcat(text, list->items[i]);
	}
	assert_string_equal(text, expected);
}

/* ---- what is ours ---- */

static void the_process_is_the_specs(void **state)
{
	cleanup_spec struct spec *spec =
	    apply("'" A "environment': 'A=x = y # z', '" A "environment#2': 'C=', '" A
		  "init.uid': '7', '" A "init_gid': '8', '" A "init.groups': '9,10', '" A
		  "init.cwd': '/etc', '" A "no_new_privs': '1', '" A "limit.nofile': '3:4', '" A
		  "prlimit.core': 'unlimited', '" A "aa_profile': 'confined', '" A
		  "se_context': 'a_t', '" A "arch': 'i686', '" A "proc.oom_score_adj': '-5'");
	const struct spec_process *process = &spec->process;

	(void)state;
	assert_list(&process->env, "B=2,A=x = y # z,C=");
	assert_null(process->env.items[3]);
	assert_int_equal(process->user.uid, 7);
	assert_int_equal(process->user.gid, 8);
	assert_int_equal(process->user.additional_gids_count, 2);
	assert_int_equal(process->user.additional_gids[1], 10);
	assert_string_equal(process->cwd, "/etc");
	assert_true(process->no_new_privileges);
	assert_int_equal(process->rlimits_count, 2);
	assert_string_equal(process->rlimits[0].type, "RLIMIT_NOFILE");
	assert_int_equal(process->rlimits[0].soft, 3);
	assert_int_equal(process->rlimits[0].hard, 4);
	assert_true(process->rlimits[1].hard == UINT64_MAX);
	assert_string_equal(process->apparmor_profile, "confined");
	assert_string_equal(process->selinux_label, "a_t");
	assert_string_equal(spec->linux_.personality_domain, "LINUX32");
	assert_int_equal(process->oom_score_adj.value, -5);
}

static void capabilities_are_dropped_from_every_set(void **state)
{
	cleanup_spec struct spec *spec = apply("'" A "cap.drop': 'kill  CAP_SYS_ADMIN'");

	(void)state;
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_BOUNDING], "CAP_CHOWN");
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_EFFECTIVE], "");
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_PERMITTED], "CAP_CHOWN");
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_AMBIENT], "");
}

static void those_that_are_kept_are_all(void **state)
{
	cleanup_spec struct spec *spec =
	    apply("'" A "cap.keep': 'chown', '" A "cap.keep#2': 'sys_time'");
	cleanup_spec struct spec *none = apply("'" A "cap.keep': 'none'");

	(void)state;
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_BOUNDING], "CAP_CHOWN,CAP_SYS_TIME");
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_EFFECTIVE], "CAP_CHOWN,CAP_SYS_TIME");
	/* Never more for a program that isn't root's. */
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_AMBIENT], "");
	assert_list(&none->process.capabilities.sets[SPEC_CAP_BOUNDING], "");
	assert_true(none->process.capabilities.set);
}

static void no_value_clears_what_was_set_before(void **state)
{
	cleanup_spec struct spec *spec =
	    apply("'" A "cap.drop': 'kill', '" A "cap.drop#2': '', '" A "environment': 'X=1', '" A
		  "environment#2': '', '" A "prlimit.nofile': ''");

	(void)state;
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_EFFECTIVE], "CAP_KILL");
	assert_list(&spec->process.env, "A=1,B=2");
	assert_int_equal(spec->process.rlimits_count, 0);
}

static void the_container_is_the_specs(void **state)
{
	cleanup_spec struct spec *spec = apply(
	    "'" A "utsname': 'old', '" A "uts.name': 'new', '" A "pts': '77', '" A
	    "rootfs': 'dir:/srv/box', '" A "sysctl.net.ipv4.ip_forward': '1', '" A
	    "id_map': 'u 0 100000 65536', '" A "idmap#2': 'g 0 200000 1000', '" A
	    "autodev': '1', '" A "mount.entry': '/a\\\\040b srv/x none bind,ro,create=dir 0 0', '" A
	    "mount.entry#2': 'tmpfs /srv/box/tmp tmpfs size=1m'");
	const struct spec_mount *mounts = spec->mounts;

	(void)state;
	/* The last one counts. */
	assert_string_equal(spec->hostname, "new");
	assert_string_equal(spec->root.path, "/srv/box");
	assert_string_equal(spec_pairs_get(&spec->linux_.sysctl, "net.ipv4.ip_forward"), "1");
	assert_true(spec->linux_.namespaces[SPEC_NS_USER].listed);
	assert_int_equal(spec->linux_.uid_mappings.items[0].host_id, 100000);
	assert_int_equal(spec->linux_.gid_mappings.items[0].size, 1000);
	assert_int_equal(spec->mounts_count, 4);
	assert_string_equal(mounts[0].destination, "/dev");
	assert_list(&mounts[1].options, "gid=5,max=77");
	assert_string_equal(mounts[2].source, "/a b");
	assert_string_equal(mounts[2].destination, "/srv/x");
	assert_null(mounts[2].type);
	assert_list(&mounts[2].options, "bind,ro");
	assert_string_equal(mounts[3].destination, "//tmp");
	assert_string_equal(mounts[3].type, "tmpfs");
}

static void an_entry_that_only_lxc_understands_is_lxcs(void **state)
{
	struct box *box = *state;
	cleanup_spec struct spec *spec = apply("'" A "mount.entry': '/x y none bind,optional'");

	assert_int_equal(spec->mounts_count, 1);
	assert_true(raw_mount_is_lxcs("/x y none relative,bind 0 0"));
	assert_true(raw_mount_is_lxcs("/x y none bind,idmap=container 0 0"));
	assert_false(raw_mount_is_lxcs("/optional relative none bind,ro 0 0"));
	box->lxc_annotations = true;
	compile(box, NEW_PID ", 'annotations': {'" A "mount.entry': '/x y none bind,optional',"
			     " '" A "mount.entry#2': '/x y none bind'}");
	assert_string_equal(item(box, "lxc.mount.entry", 1), "/x y none bind,optional");
	assert_null(item(box, "lxc.mount.entry", 2));
}

static void a_table_of_mounts_is_an_entry_for_each_line(void **state)
{
	struct box *box = *state;
	cleanup_free char *annotations = NULL;
	cleanup_spec struct spec *spec = NULL;
	char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/fstab", box->host);
	out = fopen(path, "we");
	fputs("# comment\n\n/a b none bind 0 0\n  tmpfs c tmpfs defaults\n", out);
	fclose(out);
	assert_true(asprintf(&annotations, "'" A "mount': '%s'", path) > 0);
	spec = apply(annotations);
	assert_int_equal(spec->mounts_count, 3);
	assert_string_equal(spec->mounts[1].source, "/a");
	assert_string_equal(spec->mounts[2].destination, "/c");
}

/* ---- seccomp ---- */

static struct spec *apply_policy(struct box *box, const char *policy, struct error *err)
{
	cleanup_free char *annotations = NULL;
	struct spec *spec;
	char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/policy", box->host);
	out = fopen(path, "we");
	fputs(policy, out);
	fclose(out);
	assert_true(asprintf(&annotations, "'" A "seccomp': '%s'", path) > 0);
	spec = read_raw(annotations, "", err);
	if (lxc_raw_apply(spec, false, NULL, err) == 0)
		return spec;
	spec_free(spec);
	return NULL;
}

static void lxcs_seccomp_policy_becomes_the_specs(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    apply_policy(*state,
			 "2\ndenylist\nreject_force_umount  # not recommended\n[all]\n"
			 "mkdir errno 7\nioctl errno 1 [1,0x9400,SCMP_CMP_MASKED_EQ,0xff00]\n"
			 "chmod\n kill trap [0,3,==] [1,9,!=] # more\n",
			 &err);
	const struct spec_seccomp_rule *rules;

	if (!spec)
		fail_msg("%s", error_text(&err));
	rules = spec->linux_.seccomp.syscalls;
	assert_true(spec->linux_.seccomp.set);
	assert_string_equal(spec->linux_.seccomp.default_action, "SCMP_ACT_ALLOW");
	assert_int_equal(spec->linux_.seccomp.syscalls_count, 5);
	assert_string_equal(rules[0].names.items[0], "umount2");
	assert_int_equal(rules[0].errno_ret.value, EACCES);
	assert_string_equal(rules[1].names.items[0], "mkdir");
	assert_string_equal(rules[1].action, "SCMP_ACT_ERRNO");
	assert_int_equal(rules[1].errno_ret.value, 7);
	assert_int_equal(rules[2].args[0].value, 0xff00);
	assert_int_equal(rules[2].args[0].value_two, 0x9400);
	assert_string_equal(rules[3].action, "SCMP_ACT_KILL");
	assert_string_equal(rules[4].action, "SCMP_ACT_TRAP");
	assert_int_equal(rules[4].args_count, 2);
	assert_string_equal(rules[4].args[1].op, "SCMP_CMP_NE");
}

static void an_allowlist_has_its_default(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *kill = apply_policy(*state, "2\nwhitelist\nread\n", &err);
	cleanup_spec struct spec *fail = apply_policy(*state, "2\nallowlist errno 5\nread\n", &err);

	assert_string_equal(kill->linux_.seccomp.default_action, "SCMP_ACT_KILL");
	assert_string_equal(kill->linux_.seccomp.syscalls[0].action, "SCMP_ACT_ALLOW");
	assert_string_equal(fail->linux_.seccomp.default_action, "SCMP_ACT_ERRNO");
	assert_int_equal(fail->linux_.seccomp.default_errno_ret.value, 5);
}

static void a_policy_that_is_not_understood_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *policy, *words;
	} cases[] = {
	    {"", "holds no policy"},
	    {"1\nallowlist\n", "/policy:1: version \"1\" of the format is not supported, only 2"},
	    {"2\nmaybe\n", "/policy:2: \"maybe\" is neither"},
	    {"2\ndenylist\nread nonsense\n", "/policy:3: \"nonsense\" is not an action"},
	    {"2\ndenylist\n\nread errno\n", "/policy:4: \"errno\" wants a number"},
	    {"2\ndenylist\nread notify\n", "/policy:3: the action \"notify\" is not supported"},
	    {"2\ndenylist\nread errno 1 [9,1,==]\n", "/policy:3: \"[9,1,==]\" is not a condition"},
	    {"2\ndenylist\nread errno 1 [0,1\n", "lacks a \"]\""},
	    {"2\ndenylist\nread errno 1 more\n", "/policy:3: \"more\" is not understood"},
	    {"2\ndenylist\n[s390]\nread\n", "/policy:3: rules for [s390] alone"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;

		if (apply_policy(*state, cases[i].policy, &err))
			fail_msg("accepted: %s", cases[i].policy);
		if (!strstr(error_text(&err), cases[i].words) ||
		    !strstr(error_text(&err), "annotations: " A "seccomp: "))
			fail_msg("%s\n%s", cases[i].policy, error_text(&err));
		error_clear(&err);
	}
}

/* ---- what is refused ---- */

static void keys_that_would_break_the_runtime_are_refused_by_name(void **state)
{
	static const struct {
		const char *key, *instead;
	} cases[] = {
	    {"init.cmd", "process.args"},
	    {"init_cmd", "process.args"},
	    {"execute.cmd", "process.args"},
	    {"console", "process.terminal"},
	    {"console.path", "process.terminal"},
	    {"console.logfile", "process.terminal"},
	    {"console.size", "process.terminal"},
	    {"tty", "process.terminal"},
	    {"tty.max", "process.terminal"},
	    {"devttydir", "process.terminal"},
	    {"logfile", "--log"},
	    {"log.file", "--log"},
	    {"loglevel", "--debug"},
	    {"syslog", "--log"},
	    {"namespace.clone", "linux.namespaces"},
	    {"namespace.share.net", "linux.namespaces"},
	    {"cgroup.dir", "linux.cgroupsPath"},
	    {"cgroup.dir.container", "linux.cgroupsPath"},
	    {"cgroup.dir.monitor.pivot", "linux.cgroupsPath"},
	    {"cgroup.relative", "linux.cgroupsPath"},
	    {"monitor.unshare", "--lxc-monitor"},
	    {"monitor.signal.pdeath", "--lxc-monitor"},
	    {"include", "annotation"},
	    {"mount.auto", "mounts[]"},
	    {"autodev.tmpfs.size", "mounts[]"},
	    {"ephemeral", "runlxc run"},
	    {"hook.start", "hooks.poststart"},
	    {"hook.stop", "hooks.poststop"},
	    {"hook.post-stop", "hooks.poststop"},
	    {"hook.autodev", "linux.devices"},
	    {"hook.clone", "clones nothing"},
	    {"hook.destroy", "hooks.poststop"},
	    {"network", "lxc.net.0.type"},
	    {"net", "lxc.net.0.type"},
	    {"net.0.script.down", "hooks.poststop"},
	    {"apparmor.raw", "process.apparmorProfile"},
	    {"apparmor.allow_nesting", "process.apparmorProfile"},
	    {"selinux.context.keyring", "process.selinuxLabel"},
	    {"seccomp.notify.proxy", "linux.seccomp"},
	    {"time.offset.boot", "; use linux.timeOffsets and a time namespace"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		cleanup_spec struct spec *spec = NULL;
		char annotations[100], name[80];

		snprintf(annotations, sizeof(annotations), "'" A "%s': '1'", cases[i].key);
		snprintf(name, sizeof(name), "annotations: " A "%s: ", cases[i].key);
		spec = read_raw(annotations, "", &err);
		if (lxc_raw_apply(spec, false, NULL, &err) == 0)
			fail_msg("accepted: %s", annotations);
		if (strncmp(error_text(&err), name, strlen(name)) != 0 ||
		    !strstr(error_text(&err), cases[i].instead))
			fail_msg("%s", error_text(&err));
		error_clear(&err);
	}
}

static void a_value_that_is_so_anyway_is_taken(void **state)
{
	(void)state;
	spec_free(apply("'" A "console': 'none', '" A "tty': '0', '" A "ephemeral': '0', '" A
			"seccomp.allow_nesting': '1', '" A "autodev': '0', '" A "kmsg': '1', '" A
			"pivotdir': 'x', '" A "rootfs.backend': 'btrfs'"));
}

static void a_bad_value_is_refused_with_the_annotations_name(void **state)
{
	(void)state;
	assert_raw_refused("'" A "limit.nonsense': '1'",
			   "annotations: " A "limit.nonsense: process.rlimits[1].type: "
			   "\"RLIMIT_NONSENSE\" is not a limit");
	assert_raw_refused("'" A "prlimit.nofile': '5:x'",
			   "annotations: " A "prlimit.nofile: \"x\""
			   " is not a number from 0 to 18446744073709551615");
	/* liblxc refuses 2, and takes a word for 0. */
	assert_raw_refused("'" A "hook.version': 'one'",
			   "annotations: " A "hook.version: \"one\" is not a number from 0 to 1");
	assert_raw_refused("'" A "cap.drop': 'nonsense'",
			   "annotations: " A "cap.drop: \"nonsense\" is not a capability");
	assert_raw_refused("'" A "cap.keep': 'kill nonsense'",
			   "annotations: " A "cap.keep: \"nonsense\" is not a capability");
	assert_raw_refused("'" A "init_uid': '-1'", "annotations: " A "init_uid: \"-1\" is not a "
						    "number from 0 to 4294967294");
	assert_raw_refused("'" A "init.cwd': 'etc'", "annotations: " A "init.cwd: process.cwd: "
						     "\"etc\" is not an absolute path");
	assert_raw_refused("'" A "arch': 'pdp11'", "annotations: " A "arch: \"pdp11\" is not an "
						   "architecture that LXC knows");
	assert_raw_refused("'" A "rootfs': 'overlay:/a:/b'",
			   "annotations: " A "rootfs: "
			   "\"overlay:/a:/b\" is not a directory's absolute path; other kinds of "
			   "roots must be mounted first");
	assert_raw_refused("'" A "rootfs.backend': 'lvm', '" A "rootfs': '/dev/vg/box'",
			   "annotations: " A "rootfs: a root of type \"lvm\" is not supported; "
			   "mount it first");
	assert_raw_refused("'" A "idmap': 'u 0 100000'",
			   "annotations: " A "idmap: \"u 0 100000\" "
			   "is not an id mapping like \"u 0 100000 65536\"");
	assert_raw_refused("'" A "idmap': 'u 0 100000 65536'",
			   "annotations: " A "idmap: "
			   "linux.gidMappings: is missing or empty; a new user namespace needs it");
	assert_raw_refused("'" A "sysctl.kernel.panic': '1'",
			   "annotations: " A "sysctl.kernel."
			   "panic: linux.sysctl: sysctl \"kernel.panic\" is not in a separate "
			   "kernel namespace");
	assert_raw_refused("'" A "mount.entry': '/only two'",
			   "annotations: " A "mount.entry: "
			   "\"/only two\" is not a mount like \"/srv/data data none bind 0 0\"");
	assert_raw_refused("'" A "aa_profile': 'generated'",
			   "annotations: " A "aa_profile: LXC's "
			   "generated profile can't be had in a container of runlxc; name a "
			   "profile that is loaded");
	assert_raw_refused("'" A "environment': '=x'",
			   "annotations: " A "environment: \"=x\" has no name before the \"=\"");
}

static void networks_are_checked_before_anything_is_made(void **state)
{
	(void)state;
	assert_raw_refused("'" A "net.0.hwaddr': '02:42:ac:11:00'",
			   "annotations: " A "net.0.hwaddr"
			   ": \"02:42:ac:11:00\" is not a hardware address");
	assert_raw_refused("'" A "net.0.hwaddr': '03:42:ac:11:00:02'",
			   "annotations: " A
			   "net.0.hwaddr: \"03:42:ac:11:00:02\" is a multicast address");
	assert_raw_refused("'" A "network.type': 'veth', '" A "network.link': 'runlxc-none'",
			   "annotations: " A "network.link: the host has no interface "
			   "\"runlxc-none\"");
	assert_raw_refused("'" A "net.0.name': 'a-name-that-is-long'",
			   "annotations: " A "net.0.name"
			   ": \"a-name-that-is-long\" is not the name of an interface");
	assert_raw_refused("'" A "net.0.mtu': '67'",
			   "annotations: " A "net.0.mtu: 67 is less than 68");
	assert_raw_refused("'" A "net.0.flags': 'down'",
			   "annotations: " A "net.0.flags: \"down\" is not \"up\"");
	assert_raw_refused("'" A "net.0.type': 'none'",
			   "annotations: " A "net.0.type: for the "
			   "host's network leave the network namespace out of linux.namespaces");
	assert_raw_refused("'" A "net.100.type': 'veth'",
			   "annotations: " A "net.100.type: "
			   "lxc.net.100.type is not an LXC key; networks are numbered from "
			   "lxc.net.0 to lxc.net.99");
	/* "x" is a random digit. */
	spec_free(apply("'" A "net.0.hwaddr': '02:42:xx:xx:xx:XX'"));
}

/* ---- one value is one value ---- */

static void blanks_and_one_pair_of_quotes_are_lxcs(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
	    {"X=plain", "X=plain"},
	    {"  X=a b\\t ", "X=a b"},
	    {"\\\"X=a b\\\"", "X=a b"},
	    {"X=\\\"a b\\\"", "X=\\\"a b\\\""},
	    {"\\\"X=\\\"a\\\"\\\"", "X=\\\"a\\\""},
	    {"\\\"X=a", NULL},
	    {"X=a # b = c", "X=a # b = c"},
	    {"X=a\\\\b", "X=a\\\\b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char annotations[200];
		cleanup_spec struct spec *spec = NULL;
		const char *value;
		cleanup_free char *expected = strdup(cases[i].expected ?: "\"X=a");
		char *in = expected, *out = expected;

		snprintf(annotations, sizeof(annotations), "'" A "environment': '%s'",
			 cases[i].value);
		spec = apply(annotations);
		value = spec->process.env.items[spec->process.env.count - 1];
		/* The cases are written as JSON has them. */
		for (; *in; in++) {
			if (*in == '\\')
				in++;
			*out++ = *in;
		}
		*out = '\0';
		assert_string_equal(value, expected);
	}
}

static void what_a_line_cant_hold_is_refused(void **state)
{
	(void)state;
	assert_raw_refused("'" A "environment': 'X=a\\nlxc.hook.pre-start = /x'",
			   "annotations: " A "environment: its value has a newline in it");
	assert_raw_refused("'" A "uts.name': 'a\\u0007'",
			   "annotations: " A "uts.name: its value has a control character in it");
	assert_raw_refused("'" A "uts.name = x': 'y'",
			   "annotations: " A "uts.name = x: is not the name of an LXC key");
}

/* ---- what is LXC's ---- */

static void what_is_lxcs_comes_last_and_in_order(void **state)
{
	struct box *box = *state;
	cleanup_free char *text = NULL;
	size_t length;

	box->lxc_annotations = true;
	compile(box, NAMESPACES ", 'annotations': {'" A "signal.halt': 'SIGUSR1', 'other': 'x', '" A
				"cgroup.cpu.shares': '5', '" A "cgroup.cpu.shares#2': '6', '" A
				"net.0.type': 'veth', '" A "net.0.ipv4.address': '10.0.0.2/24', '" A
				"net.0.ipv4.address#10': '10.0.1.2/24 10.0.1.9', '" A
				"net.2.type': 'veth', '" A "net.2.veth.pair': 'mine', '" A
				"newer.than.us': 'v'}");
	text = lxc_recipe_text(&box->recipe, &length, &box->err);
	assert_non_null(strstr(text, "lxc.signal.halt = SIGTERM\n"
				     "lxc.signal.halt = SIGUSR1\n"
				     "lxc.cgroup.cpu.shares = 5\n"
				     "lxc.cgroup.cpu.shares = 6\n"
				     "lxc.net.0.type = veth\n"
				     "lxc.net.0.ipv4.address = 10.0.0.2/24 10.0.0.255\n"
				     "lxc.net.0.ipv4.address = 10.0.1.2/24 10.0.1.9\n"
				     "lxc.net.2.type = veth\n"
				     "lxc.net.2.veth.pair = mine\n"
				     "lxc.newer.than.us = v\n"
				     "lxc.net.0.veth.pair = rl01234567890\n"
				     "lxc.net.3.type = empty\n"
				     "lxc.net.3.flags = up\n"));
}

static void without_the_operators_word_nothing_is_compiled(void **state)
{
	struct box *box = *state;

	assert_refused(box, NAMESPACES ", 'annotations': {'" A "signal.halt': 'SIGUSR1'}",
		       "annotations: " A "signal.halt: raw LXC configuration is not allowed; the "
		       "host's operator can allow it by runlxc --lxc-annotations or by the key in "
		       "\"lxc_annotations\" of /etc/runlxc.conf");
}

static void limits_of_the_other_version_are_refused(void **state)
{
	struct box *box = *state;
	struct cgroup_hierarchy unified = {.unified = true,
					   .mount = (char *)"/sys/fs/cgroup",
					   .own = (char *)"/",
					   .label = (char *)"",
					   .controllers = (char **)(const char *[]){NULL}};
	const struct cgroup_layout layout = {CGROUP_UNIFIED, 1, &unified};

	box->lxc_annotations = true;
	assert_refused(box, NEW_PID ", 'annotations': {'" A "cgroup2.memory.max': '1'}",
		       "annotations: " A "cgroup2.memory.max: this host's limits are those of "
		       "cgroup v1; use lxc.cgroup.*");
	box->layout = &layout;
	assert_refused(box, NEW_PID ", 'annotations': {'" A "cgroup.memory.limit_in_bytes': '1'}",
		       "annotations: " A "cgroup.memory.limit_in_bytes: this host's limits are "
		       "those of cgroup v2; use lxc.cgroup2.*");
	box->layout = &hybrid_layout;
}

static void a_network_that_is_not_whole_is_refused(void **state)
{
	struct box *box = *state;

	box->lxc_annotations = true;
	assert_refused(box, NAMESPACES ", 'annotations': {'" A "net.0.name': 'eth0'}",
		       "annotations: " A "net.0.type: is missing");
	assert_refused(
	    box, NAMESPACES ", 'annotations': {'org.runlxc.net.0.hairpin': '1'}",
	    "annotations: org.runlxc.net.0.hairpin: lxc.net.0 is not a veth on a bridge");
	assert_refused(box,
		       NAMESPACES ", 'annotations': {'org.runlxc.net.0.hairpin': 'yes', '" A
				  "net.0.type': 'veth', '" A "net.0.link': 'br0'}",
		       "annotations: org.runlxc.net.0.hairpin: \"yes\" is neither 0 nor 1");
	assert_refused(box, NAMESPACES ", 'annotations': {'org.runlxc.net.x': '1'}",
		       "annotations: org.runlxc.net.x: not known; org.runlxc.net.0.hairpin is");
}

static void exec_gets_what_is_of_the_process_alone(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    read_raw("'" A "environment': 'X=1', '" A "cap.drop': 'kill', '" A
		     "mount': '/gone/since', '" A "net.0.link': 'gone-since'",
		     "", &err);

	(void)state;
	assert_int_equal(lxc_raw_apply(spec, true, NULL, &err), 0);
	assert_list(&spec->process.env, "A=1,B=2,X=1");
	assert_list(&spec->process.capabilities.sets[SPEC_CAP_EFFECTIVE], "");
	assert_int_equal(spec->mounts_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(D23_every_older_name_has_its_name_of_today),
	    cmocka_unit_test(D23_networks_without_a_number_are_counted_by_their_types),
	    cmocka_unit_test(the_process_is_the_specs),
	    cmocka_unit_test(capabilities_are_dropped_from_every_set),
	    cmocka_unit_test(those_that_are_kept_are_all),
	    cmocka_unit_test(no_value_clears_what_was_set_before),
	    cmocka_unit_test(the_container_is_the_specs),
	    IN_BOX(an_entry_that_only_lxc_understands_is_lxcs),
	    IN_BOX(a_table_of_mounts_is_an_entry_for_each_line),
	    IN_BOX(lxcs_seccomp_policy_becomes_the_specs),
	    IN_BOX(an_allowlist_has_its_default),
	    IN_BOX(a_policy_that_is_not_understood_is_refused_with_its_line),
	    cmocka_unit_test(keys_that_would_break_the_runtime_are_refused_by_name),
	    cmocka_unit_test(a_value_that_is_so_anyway_is_taken),
	    cmocka_unit_test(a_bad_value_is_refused_with_the_annotations_name),
	    cmocka_unit_test(networks_are_checked_before_anything_is_made),
	    cmocka_unit_test(blanks_and_one_pair_of_quotes_are_lxcs),
	    cmocka_unit_test(what_a_line_cant_hold_is_refused),
	    IN_BOX(what_is_lxcs_comes_last_and_in_order),
	    IN_BOX(without_the_operators_word_nothing_is_compiled),
	    IN_BOX(limits_of_the_other_version_are_refused),
	    IN_BOX(a_network_that_is_not_whole_is_refused),
	    cmocka_unit_test(exec_gets_what_is_of_the_process_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
