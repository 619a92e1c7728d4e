# SPDX-License-Identifier: Apache-2.0
"""CVE-2019-19921, CVE-2023-27561 and CVE-2023-28642: an image whose /proc or /sys is a symlink.

The procfs would be mounted where the symlink leads, and the masked and read-only paths below /proc would be
looked for there once more: after a swap, or below a volume, that is another place, and the real ones stay open.
"""

import os
import shutil

import pytest

from lib.escape import Swapper
from lib.system import parse_mounts


def replace_by_symlink(bundle, name, target):
    os.rmdir(f"{bundle.rootfs}/{name}")
    os.symlink(target, f"{bundle.rootfs}/{name}")


@pytest.fixture
def volume(workdir):
    os.makedirs(f"{workdir}/volume/level1/level2")
    os.makedirs(f"{workdir}/volume/other/level2/sys/kernel")
    return f"{workdir}/volume"


@pytest.mark.parametrize("name", ["proc", "sys"])
@pytest.mark.parametrize("target", ["/tmp", "tmp/x", "/evil/level1/level2", "../../../../tmp", "/dev/x"])
def test_a_symlink_in_its_place_is_refused(container, volume, name, target):
    made = container("true")
    replace_by_symlink(made.bundle, name, target)
    made.bundle.config["mounts"].insert(
        0, {"destination": "/evil", "type": "bind", "source": volume, "options": ["rbind"]}
    )
    made.run().assert_refused(f"/{name}")
    assert not made.exists


def test_a_symlink_in_the_place_of_proc_is_refused_where_no_procfs_is_mounted(container):
    """CVE-2023-28642's kind of configuration."""
    made = container("true")
    replace_by_symlink(made.bundle, "proc", "/tmp")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["destination"] != "/proc"]
    made.run().assert_refused("/proc")


@pytest.mark.ours
@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_one_on_the_way_in_a_volume_is_refused(container, volume, kind):
    os.symlink("level1", f"{volume}/link")
    made = container("true")
    made.bundle.writable().mount("/evil", volume, "rbind").mount("/evil/link/level2", kind, kind=kind)
    made.run().assert_refused("mounts[8]", "/evil/link/level2")


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_a_dangling_one_on_the_way_in_a_volume_is_refused(container, volume, kind):
    os.symlink("missing", f"{volume}/link")
    made = container("true")
    made.bundle.writable().mount("/evil", volume, "rbind").mount("/evil/link/new", kind, kind=kind)
    made.run().assert_refused("mounts[8]", "/evil/link/new")
    assert not os.path.exists(f"{volume}/missing")


@pytest.mark.ours  # runc 1.1 has a container whose /proc is open
@pytest.mark.parametrize("name", ["proc", "sys"])
def test_one_that_comes_and_goes_leaves_nothing_open(container, name):
    """Either there is no container, or everything is where it should be, and masked."""
    made = container("cat", "/proc/self/mountinfo")
    rootfs = made.bundle.rootfs
    os.symlink("/tmp", f"{rootfs}/swapped")
    made.bundle.write()
    with Swapper(f"{rootfs}/{name}", f"{rootfs}/swapped") as swapper:
        for _ in range(25):
            result = made.runtime("run", "--bundle", made.bundle.path, made.id)
            made.runtime("delete", "--force", made.id)
            if result.returncode == 0:
                # The directory goes on being swapped, with what is mounted in it; nothing else has these names.
                mounts = parse_mounts(result.stdout)
                below = {mount.target.split("/", 2)[-1]: mount for mount in mounts if mount.target.count("/") > 1}
                assert {"proc", "sysfs"} <= {mount.type for mount in mounts}
                assert "ro" in below["sys"].options and {"acpi", "firmware"} <= set(below)
    assert swapper.swaps > 100
    shutil.rmtree(f"{rootfs}/swapped", ignore_errors=True)
