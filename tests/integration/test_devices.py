# SPDX-License-Identifier: Apache-2.0
"""/dev, and which devices a container may use."""

import os
import stat

import pytest

from lib import system
from lib.terminal import UserTerminal

DEFAULTS = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}

pytestmark = pytest.mark.skipif(
    not os.path.exists("/dev/loop-control"), reason="there is no /dev/loop-control to try device rules on"
)


def test_the_default_devices_are_there(container):
    made = container("stat", "-c", "%F %t:%T %a %u:%g", *(f"/dev/{name}" for name in DEFAULTS))
    assert made.run_ok().splitlines() == [
        f"character special file {numbers} 666 0:0" for numbers in DEFAULTS.values()
    ]


def test_the_default_links_are_there(container):
    made = container(shell="for name in fd stdin stdout stderr ptmx; do readlink /dev/$name; done")
    links = made.run_ok().split()
    assert links[:4] == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"]
    assert links[4].lstrip("/").removeprefix("dev/") == "pts/ptmx"


def test_the_default_devices_work(container):
    made = container(
        shell="echo x > /dev/null && head -c 5 /dev/zero | wc -c && head -c 6 /dev/urandom | wc -c; "
        "echo x > /dev/full || echo full; head -c 0 /dev/ptmx && echo opened; echo out >> /dev/stdout"
    )
    assert made.run_ok().split() == ["5", "6", "full", "opened", "out"]


def test_there_is_nothing_else_in_dev(container):
    found = set(container("ls", "/dev").run_ok().split())
    assert found - {"core", "console"} == {
        *DEFAULTS,
        *("fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue"),
    }


def test_a_device_asked_for_is_made(container):
    made = container("stat", "-c", "%F %t:%T %a %u:%g", "/dev/fuse", "/dev/deep/er/loop", "/dev/pipe")
    made.bundle.linux["devices"] = [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o600, "uid": 7, "gid": 8},
        # Docker writes the type bits into the mode, too.
        {"path": "/dev/deep/er/loop", "type": "b", "major": 7, "minor": 3, "fileMode": 0o060640},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o622},
    ]
    assert made.run_ok().splitlines() == [
        "character special file a:e5 600 7:8",
        "block special file 7:3 640 0:0",
        "fifo 0:0 622 0:0",
    ]


def test_default_devices_may_be_listed(container):
    """Docker's privileged containers list all of the host's, /dev/ptmx and /dev/tty among them."""
    made = container(shell="readlink /dev/ptmx; stat -c %t:%T /dev/null; head -c 0 /dev/ptmx && echo ok")
    made.bundle.linux["devices"] = [
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666},
        {"path": "/dev/tty", "type": "c", "major": 5, "minor": 0, "fileMode": 0o666},
        {"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2, "fileMode": 0o666},
    ]
    made.bundle.resources["devices"] = [{"allow": True, "access": "rwm"}]
    out = made.run_ok().split()
    assert out[-2:] == ["1:3", "ok"]


def test_a_device_file_that_exists_in_the_root_is_kept(container):
    """Without a tmpfs on /dev."""
    made = container("stat", "-c", "%t:%T %a", "/dev/null", "/dev/mine")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if not m["destination"].startswith("/dev")]
    for name, numbers in (("null", (1, 3)), ("mine", (1, 5))):
        os.mknod(f"{made.bundle.rootfs}/dev/{name}", 0o020666, os.makedev(*numbers))
        os.chmod(f"{made.bundle.rootfs}/dev/{name}", 0o666)
    made.bundle.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o666}]
    assert made.run_ok().splitlines() == ["1:3 666", "1:5 666"]


# ---- device rules ----

# One that anybody may open, and that is not among the defaults.
DEVICE = {"path": "/dev/made", "type": "c", "major": 10, "minor": 237, "fileMode": 0o666}
READ = ": < /dev/made && echo opened"
RULE = {"allow": True, "type": "c", "major": 10, "minor": 237, "access": "rwm"}


def test_a_device_without_a_rule_is_denied(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    result = made.run()
    assert result.stdout == "" and "Operation not permitted" in result.stderr


def test_a_device_with_a_rule_is_allowed(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"].append({**RULE, "access": "r"})
    assert made.run_ok() == "opened\n"


def test_a_rule_for_reading_does_not_allow_writing(container):
    made = container(shell=f"{READ}; : > /dev/made")
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"].append({**RULE, "access": "r"})
    result = made.run()
    assert result.stdout == "opened\n"
    assert result.returncode != 0 and "Operation not permitted" in result.stderr


def test_a_rule_without_a_minor_is_a_wildcard(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"].append({"allow": True, "type": "c", "major": 10, "access": "rwm"})
    assert made.run_ok() == "opened\n"


def test_a_later_rule_wins(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] += [RULE, {**RULE, "allow": False}]
    assert "Operation not permitted" in made.run().stderr


def test_everything_is_allowed_when_asked_for(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = [{"allow": True, "access": "rwm"}]
    assert made.run_ok() == "opened\n"


def test_a_device_made_inside_is_denied_all_the_same(container):
    """CAP_MKNOD makes the node; opening it is another thing."""
    made = container(shell=f"mknod /dev/made c 10 237 && echo made; {READ}")
    made.bundle.capabilities("CAP_MKNOD")
    result = made.run()
    assert result.stdout == "made\n" and "Operation not permitted" in result.stderr


def test_exec_is_held_to_the_same_rules(container):
    made = container("sleep", "100")
    made.bundle.linux["devices"] = [DEVICE]
    made.up()
    result = made.exec("sh", "-c", READ)
    assert result.stdout == "" and "Operation not permitted" in result.stderr


def test_the_default_devices_stay_allowed_under_a_deny_all(container):
    made = container(shell="head -c 1 /dev/zero | wc -c")
    made.bundle.resources["devices"] = [{"allow": False, "access": "rwm"}]
    assert made.run_ok() == "1\n"


WAYS = {"opened": "<", "written": ">", "both": "<>"}
OPENED = "; ".join(f"true {how} /dev/made && echo {word}" for word, how in WAYS.items())
ALL = {"allow": True, "access": "rwm"}
NONE = {"allow": False, "access": "rwm"}


@pytest.mark.parametrize(
    "rules",
    [
        None,
        [],
        [{"allow": True, "type": "c", "major": 10, "minor": 238, "access": "rwm"}],
        [{"allow": True, "type": "b", "major": 10, "minor": 237, "access": "rwm"}],
        [{"allow": False, "type": "c", "major": 1, "minor": 1, "access": "rwm"}],
        [ALL, NONE],
        [NONE, {"allow": True, "type": "c", "major": 10, "minor": 237, "access": "m"}],
    ],
    ids=["none", "empty", "another", "another-type", "deny-another", "deny-all-last", "mknod"],
)
def test_what_no_rule_allows_is_denied(container, rules):
    """Whether the list begins by denying everything or not."""
    made = container(shell=OPENED)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = rules
    result = made.run()
    assert result.stdout == "" and result.stderr.count("Operation not permitted") == 3, result


def test_a_list_of_what_is_allowed_needs_no_deny_to_begin_with(container):
    made = container(shell=READ)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = [RULE]
    assert made.run_ok() == "opened\n"


def test_what_is_denied_after_everything_is_allowed_is_denied(container):
    made = container(shell=f"{OPENED}; head -c 1 /dev/zero | wc -c")
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = [ALL, {**RULE, "allow": False, "access": "rw"}]
    result = made.run()
    assert result.stdout == "1\n" and result.stderr.count("Operation not permitted") == 3, result


@pytest.mark.ours
def test_denying_writing_alone_after_everything_is_allowed(container):
    """LXC's program for v2 can't do that: opening for both would slip through."""
    made = container(shell=OPENED)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = [ALL, {**RULE, "allow": False, "access": "w"}]
    result = made.run()
    if system.on_cgroup_v1():
        assert result.stdout == "opened\n" and result.stderr.count("Operation not permitted") == 2, result
    else:
        result.assert_refused("linux.resources.devices[1]", "c 10:237 w")


@pytest.mark.parametrize(
    "rules, number",
    [
        ([NONE, {"allow": True, "type": "c", "major": 10, "access": "rwm"}, {**RULE, "allow": False}], 2),
        ([{"allow": True, "type": "c", "access": "r"}, {**RULE, "allow": False}], 1),
        ([ALL, {"allow": False, "type": "c", "major": 10, "access": "rwm"}, RULE], 2),
        ([ALL, {"allow": False, "type": "c", "major": 1, "access": "rwm"}], 1),
    ],
    ids=["in-a-major", "in-a-type", "in-what-is-denied", "in-the-defaults"],
)
def test_a_hole_in_a_range_is_refused(container, rules, number):
    """A cgroup's list can't hold it; the kernel of v1 would leave it out without a word."""
    made = container("true")
    made.bundle.resources["devices"] = rules
    made.run().assert_refused(f"linux.resources.devices[{number}]", "hole")


@pytest.mark.ours
def test_a_later_rule_takes_back_what_is_in_its_range(container):
    made = container(shell=OPENED)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] += [RULE, {"allow": False, "type": "c", "major": 10, "access": "rwm"}]
    result = made.run()
    assert result.stdout == "" and result.stderr.count("Operation not permitted") == 3, result


@pytest.mark.ours
@pytest.mark.parametrize(
    "rule, allowed",
    [
        ({"allow": True, "type": "a", "major": 10, "minor": 237, "access": "r"}, ["opened"]),
        ({"allow": True, "type": "a", "major": 10, "minor": 200, "access": "rwm"}, []),
        ({"allow": True, "access": "r"}, ["opened"]),
        ({"allow": True, "major": 10}, ["opened", "written", "both"]),
    ],
)
def test_a_rule_for_both_types_with_numbers_or_access_is_not_one_for_everything(container, rule, allowed):
    made = container(shell=OPENED)
    made.bundle.linux["devices"] = [DEVICE]
    made.bundle.resources["devices"] = [rule]
    result = made.run()
    assert result.stdout.split() == allowed, result
    assert result.stderr.count("Operation not permitted") == 3 - len(allowed), result


@pytest.mark.skipif(not system.on_cgroup_v1(), reason="cgroup v2 has no list to read")
@pytest.mark.parametrize(
    "rules", [None, [], [NONE], [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"}]]
)
def test_the_devices_of_every_container_are_runcs(container, rules):
    made = container("sleep", "100")
    made.bundle.resources["devices"] = rules
    made.create()
    assert set(system.cgroup_read(made.pid, "devices", "devices.list").splitlines()) == {
        "c *:* m",
        "b *:* m",
        *(f"c {numbers} rwm" for numbers in DEFAULTS.values()),
        "c 5:2 rwm",
        "c 10:200 rwm",
        "c 136:* rwm",
    }


def test_the_hosts_console_is_not_among_them(container):
    made = container(shell="mknod /dev/made c 5 1 && echo made; true > /dev/made && echo opened")
    made.bundle.capabilities("CAP_MKNOD")
    result = made.run()
    assert result.stdout == "made\n" and "Operation not permitted" in result.stderr, result


@pytest.mark.parametrize(
    "rule, word",
    [
        ({"allow": True, "type": "x", "access": "rwm"}, "type"),
        pytest.param({"allow": True, "type": "c", "access": "q"}, "access", marks=pytest.mark.ours),
    ],
)
def test_a_bad_rule_is_refused(container, rule, word):
    made = container("true")
    made.bundle.resources["devices"].append(rule)
    made.run().assert_refused("linux.resources.devices[1]", word)


@pytest.mark.parametrize(
    "change, word",
    [({"type": "x"}, "type"), pytest.param({"path": "relative"}, "path", marks=pytest.mark.ours)],
)
def test_a_bad_device_is_refused(container, change, word):
    made = container("true")
    made.bundle.linux["devices"] = [{**DEVICE, **change}]
    made.run().assert_refused("linux.devices[0]", word)


# ---- what is there stays ----


@pytest.mark.ours  # runc takes it away
@pytest.mark.parametrize("listed", [False, True])
def test_a_ptmx_of_the_roots_own_stays_and_works(container, workdir, listed):
    """As where the root is the host's: who has no /dev of his own must not take away that of others."""
    made = container(shell="ls -l /dev/ptmx; tty")
    made.bundle.writable().process["terminal"] = True
    ptmx = f"{made.bundle.rootfs}/dev/ptmx"
    os.mknod(ptmx, 0o666 | stat.S_IFCHR, os.makedev(5, 2))
    os.chmod(ptmx, 0o666)
    os.mkdir(f"{made.bundle.rootfs}/dev/pts")
    mounts = made.bundle.config["mounts"]
    made.bundle.config["mounts"] = [m for m in mounts if m["destination"] in ("/proc", "/dev/pts")]
    if listed:
        made.bundle.linux["devices"] = [{"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2}]
    with UserTerminal() as terminal:
        made.bundle.write()
        terminal.run(made.runtime.argv("run", "-b", made.bundle.path, made.id), made.runtime.environment)
        assert terminal.wait() == 0
        assert "/dev/pts/0" in terminal.screen
    info = os.lstat(ptmx)
    assert stat.S_ISCHR(info.st_mode) and info.st_rdev == os.makedev(5, 2)
