# SPDX-License-Identifier: Apache-2.0
"""/dev, and which devices a container may use."""

import os

import pytest

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
