# SPDX-License-Identifier: Apache-2.0
"""CVE-2025-31133 and CVE-2025-52565: the container's /dev/null and /dev/console are something else.

A masked file is covered with /dev/null; if that leads to a file of procfs, the "mask" is a writable mount of it, made
after the read-only paths. The same for the terminal that is mounted on /dev/console.
"""

import os
import stat

import pytest

from lib.system import parse_mounts
from lib.terminal import ConsoleSocket

CORE_PATTERN = "/proc/sys/kernel/core_pattern"


@pytest.fixture
def core_pattern():
    with open(CORE_PATTERN, encoding="utf-8") as file:
        before = file.read()
    yield before
    with open(CORE_PATTERN, encoding="utf-8") as file:
        assert file.read() == before


def make_dev(path, kind, name="null"):
    """A /dev of the user's own, in which one device is something else."""
    for directory in ("pts", "shm", "mqueue"):
        os.makedirs(f"{path}/{directory}")
    if kind == "symlink":
        os.symlink(CORE_PATTERN, f"{path}/{name}")
    elif kind == "file":
        with open(f"{path}/{name}", "w", encoding="utf-8"):
            pass
    elif kind == "another device":
        os.mknod(f"{path}/{name}", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    return path


@pytest.mark.ours  # runc 1.1 masks with whatever it is
@pytest.mark.parametrize("kind", ["symlink", "file", "another device", "nothing"])
def test_what_is_not_the_null_device_masks_nothing(container, workdir, core_pattern, kind):
    made = container("true")
    mounts = made.bundle.config["mounts"]
    dev = make_dev(f"{workdir}/dev", kind)
    mounts[1] = {"destination": "/dev", "type": "bind", "source": dev, "options": ["rbind"]}
    made.run().assert_refused("/dev/null")
    assert core_pattern and not made.exists


@pytest.mark.ours
def test_an_images_own_is_looked_at_as_well(container, core_pattern):
    made = container("true")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if not m["destination"].startswith("/dev")]
    os.symlink(CORE_PATTERN, f"{made.bundle.rootfs}/dev/null")
    made.run().assert_refused("/dev/null")
    assert core_pattern


def test_a_console_that_is_a_symlink_is_not_followed(container, workdir, core_pattern):
    made = container(shell="cat /proc/self/mountinfo")
    dev = make_dev(f"{workdir}/dev", "symlink", "console")
    os.mknod(f"{dev}/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    made.bundle.config["mounts"][1] = {"destination": "/dev", "type": "bind", "source": dev, "options": ["rbind"]}
    made.bundle.process["terminal"] = True
    made.bundle.write()
    with ConsoleSocket(f"{workdir}/console") as console:
        result = made.runtime(
            "run", "--detach", "--console-socket", console.path, "--bundle", made.bundle.path, made.id
        )
    if result.returncode == 0:
        os.close(console.receive()[0])
    result.assert_refused("/dev/console")
    assert core_pattern and not [m for m in parse_mounts(result.stdout) if m.target == CORE_PATTERN]
