/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of each of LXC's keys (lxc.container.conf(5), LXC 5.0).
 *
 * That any of them is applied at all is the operator's word (driver/annotations.c): whoever may set
 * them can run programs on the host as root (lxc.hook.pre-start) and mount what they like. What a
 * class adds to that:
 *
 * RAW_PASSED   LXC applies the item in its own monitor or child before init is executed, and it
 *              touches nothing that init relies on. A value is one value (set_config_item()).
 * RAW_OURS     changes the spec, which is checked anew after each item: whatever the rules for
 *              config.json forbid, an annotation can't bring in. It holds for exec as it does for
 *              the first process.
 * RAW_SO       asks for what is so anyway.
 * RAW_DROPPED  LXC itself has not known it since 2.1.
 * RAW_REFUSED  would take from the runtime what it needs to know or to clean up (names of cgroups,
 *              which process is first, where errors go), or would need LXC at the container's end,
 *              when LXC's monitor is long gone.
 */
#include "lxc/raw.h"

#include <string.h>

#include "base/cleanup.h"

#define PASSED .class = RAW_PASSED
#define PROCESS .class = RAW_OURS, .of_process = true, .apply
#define OURS .class = RAW_OURS, .apply
#define SO(is, use) .class = RAW_SO, .value = (is), .instead = (use)
#define DROPPED .class = RAW_DROPPED
#define REFUSED .class = RAW_REFUSED, .instead

static const struct raw_key keys[] = {
    {"lxc.apparmor.profile", PROCESS = raw_apparmor},
    {"lxc.apparmor.allow_incomplete", PASSED},
    {"lxc.apparmor.allow_nesting",
     REFUSED = "process.apparmorProfile with a profile that allows it"},
    {"lxc.apparmor.raw", REFUSED = "process.apparmorProfile with a profile that has these rules"},
    {"lxc.arch", PROCESS = raw_arch},
    {"lxc.autodev", OURS = raw_autodev},
    {"lxc.autodev.tmpfs.size", REFUSED = "mounts[] with a tmpfs on /dev and the option size="},
    {"lxc.cap.drop", PROCESS = raw_cap_drop},
    {"lxc.cap.keep", PROCESS = raw_cap_keep},
    /* Names before the family that they would fall into. */
    {"lxc.cgroup.dir", REFUSED = "linux.cgroupsPath"},
    {"lxc.cgroup.dir.", REFUSED = "linux.cgroupsPath"},
    {"lxc.cgroup.relative", REFUSED = "linux.cgroupsPath"},
    {"lxc.cgroup.", PASSED},
    {"lxc.cgroup2.", PASSED},
    {"lxc.console.path", SO("none", "process.terminal")},
    {"lxc.console.", REFUSED = "process.terminal"},
    {"lxc.environment", PROCESS = raw_environment},
    {"lxc.ephemeral", SO("0", "runlxc run, which deletes its container")},
    {"lxc.execute.cmd", REFUSED = "process.args"},
    {"lxc.group", PASSED}, /* for lxc-autostart(1), as lxc.start.* */
    {"lxc.hook.version", PASSED, .apply = raw_hook_version},
    {"lxc.hook.pre-start", PASSED},
    {"lxc.hook.pre-mount", PASSED},
    {"lxc.hook.mount", PASSED},
    {"lxc.hook.start-host", PASSED},
    /* A program of the container's, executed with the descriptors and rights that init has. */
    {"lxc.hook.start", REFUSED = "hooks.poststart or process.args"},
    {"lxc.hook.stop", REFUSED = "hooks.poststop"},
    {"lxc.hook.post-stop", REFUSED = "hooks.poststop"},
    {"lxc.hook.autodev", REFUSED = "linux.devices"},
    {"lxc.hook.clone", REFUSED = "no hook: runlxc clones nothing"},
    {"lxc.hook.destroy", REFUSED = "hooks.poststop"},
    {"lxc.idmap", OURS = raw_idmap},
    {"lxc.include", REFUSED = "an annotation for each of its keys"},
    {"lxc.init.cmd", REFUSED = "process.args"},
    {"lxc.init.cwd", PROCESS = raw_init_cwd},
    {"lxc.init.gid", PROCESS = raw_init_gid},
    {"lxc.init.groups", PROCESS = raw_init_groups},
    {"lxc.init.uid", PROCESS = raw_init_uid},
    {"lxc.keyring.session", PASSED},
    {"lxc.kmsg", DROPPED},
    {"lxc.log.", REFUSED = "runlxc's --log and --debug"},
    {"lxc.monitor.", REFUSED = "runlxc's --lxc-monitor"},
    {"lxc.mount.auto", REFUSED = "mounts[], linux.readonlyPaths and linux.maskedPaths"},
    {"lxc.mount.entry", OURS = raw_mount_entry},
    {"lxc.mount.fstab", OURS = raw_mount_entry}, /* read by raw.c: an entry for each line */
    {"lxc.namespace.", REFUSED = "linux.namespaces"},
    {"lxc.net.", PASSED, .apply = raw_network},
    {"lxc.net", REFUSED = "lxc.net.0.type and the like"},
    {"lxc.no_new_privs", PROCESS = raw_no_new_privs},
    {"lxc.pivotdir", DROPPED},
    {"lxc.prlimit.", PROCESS = raw_prlimit},
    {"lxc.proc.oom_score_adj", PROCESS = raw_oom_score},
    {"lxc.proc.", PASSED},
    {"lxc.pty.max", OURS = raw_pty_max},
    {"lxc.rootfs.backend", DROPPED}, /* raw_rootfs() has looked at it */
    {"lxc.rootfs.managed", PASSED},
    {"lxc.rootfs.mount", PASSED},
    {"lxc.rootfs.options", PASSED},
    {"lxc.rootfs.path", OURS = raw_rootfs},
    {"lxc.sched.core", PASSED},
    {"lxc.seccomp.profile", PROCESS = raw_seccomp},
    {"lxc.seccomp.allow_nesting", SO("1", "nothing: filters are stacked")},
    {"lxc.seccomp.notify.", REFUSED = "linux.seccomp"},
    {"lxc.selinux.context", PROCESS = raw_selinux},
    {"lxc.selinux.context.keyring", REFUSED = "process.selinuxLabel, which the keyring has, too"},
    {"lxc.signal.", PASSED}, /* what lxc-stop(1) sends, where the monitor is kept */
    {"lxc.start.", PASSED},
    {"lxc.sysctl.", OURS = raw_sysctl},
    {"lxc.time.offset.", REFUSED = "linux.timeOffsets and a time namespace in linux.namespaces"},
    {"lxc.tty.dir", REFUSED = "process.terminal"},
    {"lxc.tty.max", SO("0", "process.terminal")},
    {"lxc.uts.name", OURS = raw_hostname},
};

const struct raw_key *raw_find_key(const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t length = strlen(keys[i].name);

		if (keys[i].name[length - 1] == '.' ? strncmp(key, keys[i].name, length) == 0
						    : strcmp(key, keys[i].name) == 0)
			return &keys[i];
	}
	return NULL;
}
