# SPDX-License-Identifier: Apache-2.0
"""Raw LXC configuration: org.linuxcontainers.lxc.KEY in a config.json is lxc.KEY = VALUE.

Networks are in test_network.py, every pair of an older and a newer name in tests/unit/test_lxc_raw.c.
"""

import json
import os

import pytest

from lib import system

pytestmark = pytest.mark.ours

PREFIX = "org.linuxcontainers.lxc."


@pytest.fixture
def raw(container):
    """raw({"uts.name": "x"}, shell="…"): a container with raw configuration, which is allowed."""

    def make(settings, *args, shell="true"):
        made = container(*args, shell=None if args else shell)
        made.bundle.lxc(settings)
        if "--lxc-annotations" not in made.runtime.global_flags:
            made.runtime.global_flags.append("--lxc-annotations")
        return made

    return make


def status_line(name):
    return f"sed -n 's/^{name}:[[:space:]]*//p' /proc/self/status"


# ---- older and newer names, with what they do ----

# What is printed, where it can be seen from inside.
SEEN = [
    ("utsname", "uts.name", "nineteen", "hostname", "nineteen\n"),
    ("pts", "pty.max", "7", "grep -o 'max=[0-9]*' /proc/mounts", "max=7\n"),
    ("init_uid", "init.uid", "7", "id -u", "7\n"),
    ("init_gid", "init.gid", "8", "id -g", "8\n"),
    ("limit.nofile", "prlimit.nofile", "77:88", "ulimit -n; ulimit -H -n", "77\n88\n"),
    ("limit.core", "prlimit.core", "5120", "ulimit -c", "10\n"),  # blocks of 512
    ("arch", "arch", "i686", "uname -m", "i686\n"),
    ("cap.drop", "cap.drop", "kill audit_write", status_line("CapBnd"), "0000000000000400\n"),
    ("cap.keep", "cap.keep", "sys_time", status_line("CapEff"), "0000000002000000\n"),
    ("no_new_privs", "no_new_privs", "0", status_line("NoNewPrivs"), "0\n"),
    ("environment", "environment", "X=1 2", 'echo "$X"', "1 2\n"),
    ("sysctl.net.ipv4.ip_forward", "sysctl.net.ipv4.ip_forward", "1", "cat /proc/sys/net/ipv4/ip_forward", "1\n"),
    ("init.groups", "init.groups", "9,10", "id -G", "0 9 10\n"),
    ("init.cwd", "init.cwd", "/etc", "pwd", "/etc\n"),
    ("proc.oom_score_adj", "proc.oom_score_adj", "55", "cat /proc/self/oom_score_adj", "55\n"),
    ("proc.coredump_filter", "proc.coredump_filter", "0x3", "cat /proc/self/coredump_filter", "00000003\n"),
    ("rootfs.options", "rootfs.options", "nodev", "grep -c ' / / ro,nodev,' /proc/self/mountinfo", "0\n"),
    ("mount.entry", "mount.entry", "tmpfs srv tmpfs size=64k,create=dir 0 0", "grep -c ' /srv tmpfs ' /proc/mounts", "1\n"),
    ("keyring.session", "keyring.session", "0", "echo ok", "ok\n"),
    ("aa_profile", "apparmor.profile", "unconfined", "echo ok", "ok\n"),
    ("aa_profile", "apparmor.profile", "unchanged", "echo ok", "ok\n"),
    ("aa_allow_incomplete", "apparmor.allow_incomplete", "1", "echo ok", "ok\n"),
    ("console", "console.path", "none", "echo ok", "ok\n"),
    ("tty", "tty.max", "0", "echo ok", "ok\n"),
    ("autodev", "autodev", "1", "test -c /dev/null && echo ok", "ok\n"),
    ("start.auto", "start.auto", "1", "echo ok", "ok\n"),
    ("group", "group", "onboot", "echo ok", "ok\n"),
]


@pytest.mark.parametrize("age", ["older", "newer"])
@pytest.mark.parametrize("case", SEEN, ids=lambda case: f"{case[1]}={case[2]}")
def test_D23_a_key_has_its_effect_under_both_names(raw, case, age):
    older, newer, value, shell, expected = case
    made = raw({older if age == "older" else newer: value}, shell=shell)
    if newer == "rootfs.options":
        # fields of mountinfo: 140 93 254:0 /path / ro,nodev,relatime
        made.bundle.shell("awk '$5 == \"/\" {print $6}' /proc/self/mountinfo")
        assert "nodev" in made.run_ok().strip().split(",")
    else:
        assert made.run_ok() == expected


@pytest.mark.parametrize("key", ["id_map", "idmap"])
def test_D23_id_mappings(raw, key):
    made = raw({key: "u 0 100000 65536", f"{key}#2": "g 0 200000 1000"}, "cat", "/proc/self/uid_map", "/proc/self/gid_map")
    made.bundle.user_namespace()
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    made.bundle.without_namespace("user")
    assert made.run_ok().split() == ["0", "100000", "65536", "0", "200000", "1000"]


@pytest.mark.parametrize("key", ["rootfs", "rootfs.path"])
@pytest.mark.parametrize("form", ["", "dir:"])
def test_D23_the_root(raw, bundle, key, form):
    other = bundle()
    with open(f"{other.rootfs}/etc/other", "w", encoding="utf-8") as file:
        file.write("the other root\n")
    assert raw({key: form + other.rootfs}, "cat", "/etc/other").run_ok() == "the other root\n"


@pytest.mark.parametrize("key", ["mount", "mount.fstab"])
def test_D23_a_table_of_mounts(raw, workdir, key):
    os.mkdir(f"{workdir}/with space")
    with open(f"{workdir}/with space/file", "w", encoding="utf-8") as file:
        file.write("seen\n")
    with open(f"{workdir}/fstab", "w", encoding="utf-8") as file:
        file.write(f"# a comment\n{workdir}/with\\040space srv/data none bind,ro,create=dir,nofail,x-mine 0 0\ntmpfs mnt tmpfs size=64k,noauto\n")
    made = raw({key: f"{workdir}/fstab"}, shell="cat /srv/data/file; touch /srv/data/x; touch /mnt/x && echo mounted")
    made.bundle.writable()
    assert made.run_ok() == "seen\nmounted\n"


@pytest.mark.parametrize("key", ["seccomp", "seccomp.profile"])
def test_D23_a_seccomp_policy_of_lxcs(raw, workdir, key):
    with open(f"{workdir}/policy", "w", encoding="utf-8") as file:
        file.write("2\ndenylist\n[all]\nmkdir errno 7\nmkdirat errno 7\n")
    made = raw({key: f"{workdir}/policy"}, shell="mkdir /tmp/x 2>&1; sleep 100")
    made.bundle.writable()
    made.up()
    made.wait_output("mkdir")
    assert "Argument list too long" in made.output  # errno 7
    # An exec has it, too.
    assert "Argument list too long" in made.exec("mkdir", "/tmp/y").stderr


def test_D23_the_policy_that_lxc_brings_along(raw):
    policy = "/usr/share/lxc/config/common.seccomp"
    if not os.path.exists(policy):
        pytest.skip("Debian's package lxc is not installed")
    assert raw({"seccomp": policy}, shell=status_line("Seccomp")).run_ok() == "2\n"


@pytest.mark.parametrize("keys", [("haltsignal", "rebootsignal", "stopsignal"), ("signal.halt", "signal.reboot", "signal.stop")])
def test_D23_signals_are_in_the_configuration(raw, keys):
    made = raw(dict(zip(keys, ("SIGUSR1", "SIGUSR2", "SIGINT")))).create()
    lines = made.runtime.ok("config", made.id).stdout.splitlines()
    assert {"lxc.signal.halt = SIGUSR1", "lxc.signal.reboot = SIGUSR2", "lxc.signal.stop = SIGINT"} <= set(lines)


@pytest.mark.parametrize("key", ["se_context", "selinux.context"])
def test_D23_a_label_where_there_is_no_such_module_is_an_error(raw, key):
    if os.path.exists("/sys/fs/selinux"):
        pytest.skip("this host has SELinux")
    raw({key: "system_u:system_r:lxc_t:s0"}).run().assert_refused("selinux")


def test_D23_limits_of_ours_and_raw_ones_are_both_applied_and_shown(raw):
    v1 = system.on_cgroup_v1()
    made = raw({"cgroup.cpu.shares": "333"} if v1 else {"cgroup2.cpu.weight": "333"}, "sleep", "100")
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.up()
    if v1:
        assert system.cgroup_read(made.pid, "cpu", "cpu.shares") == "333"
        assert system.cgroup_read(made.pid, "memory", "memory.limit_in_bytes") == str(64 << 20)
        expected = {"lxc.cgroup.cpu.shares = 333", f"lxc.cgroup.memory.limit_in_bytes = {64 << 20}"}
    else:
        assert system.cgroup_read(made.pid, "cpu", "cpu.weight") == "333"
        assert system.cgroup_read(made.pid, "memory", "memory.max") == str(64 << 20)
        expected = {"lxc.cgroup2.cpu.weight = 333", f"lxc.cgroup2.memory.max = {64 << 20}"}
    assert expected <= set(made.runtime.ok("config", made.id).stdout.splitlines())


def test_D23_the_last_one_counts(raw):
    settings = {"uts.name": "first", "utsname": "second", "uts.name#2": "third"}
    made = raw(settings, "hostname")
    made.bundle.config["hostname"] = "documents"
    assert made.run_ok() == "third\n"


def test_D23_a_repeated_key_is_a_list(raw):
    settings = {"environment": "A=1", "environment#2": "B=2", "environment#10": "C=3", "environment#11": "B=4"}
    assert raw(settings, shell="echo $A$B$C").run_ok() == "143\n"


def test_D23_a_variable_without_a_value_is_inherited(raw):
    made = raw({"environment": "FROM_OUTSIDE"}, shell="echo $FROM_OUTSIDE")
    assert made.run_ok(env=dict(made.runtime.environment, FROM_OUTSIDE="yes")) == "yes\n"


def test_D23_hooks_of_the_hosts_are_run(raw, workdir):
    script = f"{workdir}/hook"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho "$1 $LXC_ROOTFS_PATH" >>{workdir}/said\n')
    os.chmod(script, 0o755)
    kinds = ["pre-start", "pre-mount", "mount", "start-host"]
    made = raw({"hook.version": "1", **{f"hook.{kind}": f"{script} {kind}" for kind in kinds}})
    made.run_ok()
    with open(f"{workdir}/said", encoding="utf-8") as file:
        assert file.read().splitlines() == [f"{kind} {made.bundle.rootfs}" for kind in kinds]


@pytest.mark.parametrize("kind", ["pre-start", "pre-mount", "mount", "start-host"])
def test_D23_a_hook_that_fails_is_an_error_and_nothing_is_left(raw, kind):
    made = raw({f"hook.{kind}": "/bin/false"})
    made.run().assert_refused("LXC", kind, "status 1")
    assert not made.exists


def test_D23_an_entry_is_a_mount_like_any_other(raw, workdir):
    """It is last, its options all hold, and a symlink in the root leads nowhere else."""
    os.mkdir(f"{workdir}/data")
    made = raw({"mount.entry": f"{workdir}/data link/data none bind,nosuid,create=dir 0 0"}, shell="grep ' /srv/data ' /proc/mounts")
    made.bundle.writable()
    os.mkdir(f"{made.bundle.rootfs}/srv")
    os.symlink("/srv", f"{made.bundle.rootfs}/link")
    assert "nosuid" in made.run_ok().split()[3].split(",")


def test_D23_an_optional_entry_is_left_out_where_it_can_not_be(raw, workdir):
    os.mkdir(f"{workdir}/data")
    settings = {
        "mount.entry": "/no/such/directory srv none bind,optional,create=dir 0 0",
        "mount.entry#2": f"{workdir}/data mnt none bind,optional,create=dir 0 0",
    }
    made = raw(settings, shell="grep -c -E ' /(srv|mnt) ' /proc/mounts")
    made.bundle.writable()
    assert made.run_ok() == "1\n"


def test_D23_what_was_removed_from_lxc_is_warned_of_and_dropped(raw):
    result = raw({"kmsg": "1", "pivotdir": "mnt", "rootfs.backend": "dir"}, "echo", "ok").run()
    assert result.returncode == 0 and result.stdout == "ok\n"
    for key in ("kmsg", "pivotdir", "rootfs.backend"):
        assert f"{PREFIX}{key}" in result.stderr


def test_D23_exec_has_what_is_of_the_process(raw):
    settings = {"environment": "X=1", "cap.drop": "kill", "init.cwd": "/etc", "no_new_privs": "0"}
    made = raw(settings, "sleep", "100").up()
    out = made.exec_ok("sh", "-c", f"echo $X; pwd; {status_line('CapBnd')}; {status_line('NoNewPrivs')}")
    assert out.split() == ["1", "/etc", "0000000020000400", "0"]


def test_D23_lxcs_tools_read_the_same_values(raw):
    """Where the monitor is kept, its configuration is a file, and reading takes quotes off."""
    made = raw({"start.order": "5", "hook.pre-start": "\"'/bin/true'\""}, "sleep", "100")
    made.bundle.write()
    made.result = made.runtime.ok(
        *("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    )
    with open(f"{made.runtime.root}/{made.id}/config", encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert "lxc.start.order = 5" in lines and "lxc.hook.pre-start = \"'/bin/true'\"" in lines


# ---- one value is one value ----


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("X=a # b", "a # b"),
        ("X=a=b", "a=b"),
        ("X=a  b", "a  b"),
        ("  X=a \t", "a"),
        ('"X=a b"', "a b"),
        ("'X= a '", " a "),
        ('X="a b"', '"a b"'),
        ("X='a", "'a"),
        ("X=a\\n\\", "a\\n\\"),
        ("X=${PATH} $(id) `id`", "${PATH} $(id) `id`"),
        ("X=ä€😀", "ä€😀"),
    ],
)
def test_D43_a_value_is_what_lxc_would_read(raw, value, seen):
    assert raw({"environment": value}, shell='printf %s "$X"').run_ok() == seen


@pytest.mark.parametrize("key", ["environment", "uts.name", "signal.halt", "cgroup.cpu.shares", "hook.pre-start"])
def test_D43_a_newline_is_refused(raw, key):
    made = raw({key: "X=1\nlxc.hook.pre-start = /bin/false"})
    made.run().assert_refused(PREFIX + key, "newline")
    assert not made.exists


def test_D43_a_key_is_one_key(raw):
    made = raw({"uts.name = x\nlxc.hook.pre-start": "/bin/false"})
    made.run().assert_refused("LXC key")


# ---- refused ----


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        ("init.cmd", "/bin/sh", "process.args"),
        ("init_cmd", "/bin/sh", "process.args"),
        ("execute.cmd", "/bin/sh", "process.args"),
        ("console", "/dev/tty9", "process.terminal"),
        ("console.logfile", "/tmp/log", "process.terminal"),
        ("tty", "4", "process.terminal"),
        ("devttydir", "lxc", "process.terminal"),
        ("log.file", "/tmp/log", "--log"),
        ("loglevel", "DEBUG", "--debug"),
        ("syslog", "daemon", "--log"),
        ("namespace.share.net", "1", "linux.namespaces"),
        ("cgroup.dir", "mine", "linux.cgroupsPath"),
        ("cgroup.dir.container", "mine", "linux.cgroupsPath"),
        ("monitor.unshare", "1", "--lxc-monitor"),
        ("include", "/etc/lxc/default.conf", "annotation"),
        ("mount.auto", "proc:rw", "mounts[]"),
        ("ephemeral", "1", "runlxc run"),
        ("hook.start", "/bin/true", "hooks"),
        ("hook.post-stop", "/bin/true", "hooks.poststop"),
        ("time.offset.boot", "1h", "time namespace"),
        ("autodev", "0", "mounts["),
        ("aa_profile", "generated", "profile"),
    ],
)
def test_D23_what_would_break_the_runtime_is_refused_with_what_to_use(raw, key, value, instead):
    made = raw({key: value})
    made.run().assert_refused(PREFIX + key, instead)
    assert not made.exists


@pytest.mark.parametrize("key", ["nosuch", "uts.nosuch", "networks.0.type", "rootfs.nosuch", "Uts.name", ""])
def test_D23_an_unknown_key_is_named(raw, key):
    made = raw({key: "1"})
    made.run().assert_refused(PREFIX + key)
    assert not made.exists


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("limit.nosuch", "1"),
        ("prlimit.nofile", "many"),
        ("prlimit.nofile", "9:8"),
        ("cap.drop", "nosuch"),
        ("init.uid", "root"),
        ("init.cwd", "relative"),
        ("arch", "pdp11"),
        ("idmap", "x 0 0 1"),
        ("pty.max", "none"),
        ("rootfs.path", "overlay:/a:/b"),
        ("rootfs.path", "/no/such/root"),
        ("mount.entry", "/no/such/source srv none bind 0 0"),
        ("mount.entry", "words"),
        ("mount.fstab", "/no/such/fstab"),
        ("seccomp.profile", "/no/such/policy"),
        ("sysctl.kernel.panic", "1"),
        ("signal.halt", "SIGNOSUCH"),
        ("proc.oom_score_adj", "5000"),
        ("no_new_privs", "perhaps"),
        ("environment", "=x"),
        ("uts.name", "x" * 65),
        ("cgroup2.memory.max" if system.on_cgroup_v1() else "cgroup.memory.limit_in_bytes", "1"),
    ],
)
def test_D23_a_bad_value_is_refused_and_nothing_is_left(raw, key, value):
    made = raw({key: value})
    result = made.run()
    result.assert_refused("root.path" if value == "/no/such/root" else PREFIX + key)
    assert not made.exists


# ---- who allows it ----


def test_D23_without_the_operators_word_it_is_refused(container):
    made = container("true")
    made.bundle.lxc({"uts.name": "x"})
    made.run().assert_refused(f"{PREFIX}uts.name", "--lxc-annotations", "/etc/runlxc.conf")
    assert not made.exists


def test_D23_other_annotations_need_nobodys_word(container):
    made = container("true")
    made.bundle.config["annotations"] = {"org.linuxcontainers.other": "x", "org.example.lxc.uts.name": "y"}
    made.run_ok()


# /etc with another runlxc.conf, for one command and in a mount namespace of its own.
_WITH_FILE = 'mount -t overlay -o "lowerdir=$1:/etc" overlay /etc && shift && exec "$@"'


@pytest.fixture
def with_file(runtime, workdir):
    def use(text):
        os.makedirs(f"{workdir}/etc", exist_ok=True)
        with open(f"{workdir}/etc/runlxc.conf", "w", encoding="utf-8") as file:
            file.write(text)
        command = ["unshare", "--mount", "sh", "-c", _WITH_FILE, "sh", f"{workdir}/etc", runtime.command]
        runtime.argv = lambda *args: [*command, *runtime.global_flags, *map(str, args)]

    return use


def test_D23_the_hosts_configuration_file_allows_it(container, with_file):
    made = container("hostname")
    made.bundle.lxc({"uts.name": "allowed"})
    with_file('{"lxc_annotations": true}')
    assert made.run_ok() == "allowed\n"


@pytest.mark.parametrize("allowed", [["lxc.uts.name", "lxc.mount.*"], ["lxc.*"]])
def test_D23_the_hosts_configuration_file_allows_keys(container, with_file, allowed):
    made = container(shell="hostname; ls -d /new")
    made.bundle.lxc({"uts.name": "allowed", "mount.entry": "tmpfs new tmpfs create=dir 0 0"})
    with_file(json.dumps({"lxc_annotations": allowed}))
    assert made.run_ok() == "allowed\n/new\n"


def test_D23_a_key_of_old_is_allowed_by_its_name_of_today(container, with_file):
    made = container("hostname")
    made.bundle.lxc({"utsname": "allowed"})
    with_file('{"lxc_annotations": ["lxc.uts.name"]}')
    assert made.run_ok() == "allowed\n"


@pytest.mark.parametrize("allowed", [["lxc.uts"], ["lxc.uts.names"], ["lxc.mount.*"], ["lxc.uts.name.*"], ["*"], [""], []])
def test_D23_the_hosts_configuration_file_allows_other_keys(container, with_file, allowed):
    made = container("true")
    made.bundle.lxc({"mount.entry": "tmpfs new tmpfs create=dir 0 0", "uts.name": "x"})
    with_file(json.dumps({"lxc_annotations": allowed + ["lxc.mount.entry"]}))
    made.run().assert_refused(f"{PREFIX}uts.name", "not allowed", "/etc/runlxc.conf")
    assert not made.exists


@pytest.mark.parametrize("text", ['{"lxc_annotations": false}', "{}"])
def test_D23_the_hosts_configuration_file_does_not_allow_it(container, with_file, text):
    made = container("true")
    made.bundle.lxc({"uts.name": "x"})
    with_file(text)
    made.run().assert_refused(f"{PREFIX}uts.name", "not allowed")


@pytest.mark.parametrize("text", ['{"lxc_annotations": "yes"}', '{"lxc_annotations": [1]}', "[]", "{", ""])
def test_D23_a_broken_configuration_file_is_named(container, with_file, text):
    made = container("true")
    made.bundle.lxc({"uts.name": "x"})
    with_file(text)
    made.run().assert_refused("/etc/runlxc.conf")


def test_D23_the_file_is_not_read_where_nobody_asks(container, with_file):
    made = container("echo", "ok")
    with_file("not JSON at all")
    assert made.run_ok() == "ok\n"


def test_D23_features_tells_engines_that_they_are_unsafe(runtime):
    features = runtime.ok("features").stdout
    assert '"potentiallyUnsafeConfigAnnotations"' in features and f'"{PREFIX}"' in features
