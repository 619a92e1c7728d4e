# SPDX-License-Identifier: Apache-2.0
"""CVE-2024-45310 and what is like it: a missing mount target is made, and made on the host.

Whoever may choose a container's volumes chooses their destinations, and what lies in the volumes. Neither may
have the runtime make a file or a directory anywhere but in the container.
"""

import os

import pytest

from lib.escape import Swapper, files_below

pytestmark = pytest.mark.ours  # runc 1.1 fails most of these


@pytest.fixture
def outside(workdir):
    """A directory of the host's in which nothing may appear."""
    os.mkdir(f"{workdir}/outside")
    return f"{workdir}/outside"


@pytest.fixture
def volume(workdir):
    os.mkdir(f"{workdir}/volume")
    with open(f"{workdir}/volume/file", "w", encoding="utf-8") as file:
        file.write("volume\n")
    return f"{workdir}/volume"


@pytest.mark.parametrize("link", ["self/root", "1/root", "thread-self/root", "self/task/1/root"])
@pytest.mark.parametrize("kind", ["directory", "file", "tmpfs"])
def test_a_destination_below_proc_makes_nothing_on_the_host(container, volume, outside, link, kind):
    made = container("true")
    destination = f"/proc/{link}{outside}/new/deep"
    if kind == "tmpfs":
        made.bundle.mount(destination, "tmpfs", kind="tmpfs")
    else:
        made.bundle.mount(destination, volume if kind == "directory" else f"{volume}/file", "rbind", "ro")
    made.run().assert_refused("mounts[7].destination", destination, "inside /proc")
    assert os.listdir(outside) == [] and not made.exists


def test_nor_does_one_below_another_procfs(container, volume, outside):
    made = container("true")
    made.bundle.mount("/host-proc", "proc", kind="proc")
    made.bundle.mount(f"/host-proc/self/root{outside}/new", volume, "rbind", "ro")
    made.run().assert_refused("mounts[8]", "/host-proc/self/root")
    assert os.listdir(outside) == []


def test_nor_does_a_symlink_to_a_magic_link(container, volume, outside):
    made = container("true")
    os.symlink("/proc/self/root", f"{made.bundle.rootfs}/data")
    made.bundle.mount(f"/data{outside}/new", volume, "rbind", "ro")
    made.run().assert_refused("mounts[7]", "/data")
    assert os.listdir(outside) == []


def test_nor_does_a_symlink_in_a_volume(container, volume, outside):
    """It leads to the same name inside the container."""
    os.symlink("../" * 20 + outside[1:], f"{volume}/link")
    made = container(shell=f"ls -d {outside}/new/deep")
    made.bundle.writable().mount("/data", volume, "rbind").mount("/data/link/new/deep", "tmpfs", kind="tmpfs")
    assert made.run_ok() == f"{outside}/new/deep\n"
    assert os.listdir(outside) == []


def test_nor_does_a_device(container, outside):
    made = container("true")
    os.symlink("../" * 20 + outside[1:], f"{made.bundle.rootfs}/data")
    made.bundle.writable().linux["devices"] = [
        {"path": "/data/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 0, "gid": 0}
    ]
    made.run()
    assert os.listdir(outside) == []


@pytest.mark.parametrize("where", ["volume", "rootfs"])
def test_nor_does_a_symlink_that_comes_and_goes(container, volume, outside, where):
    """Another container swaps a directory and a symlink all the time."""
    made = container("true")
    top = f"{volume}/race" if where == "volume" else f"{made.bundle.rootfs}/data/race"
    os.makedirs(f"{top}/directory")
    os.symlink("../" * 20 + outside[1:], f"{top}/link")
    made.bundle.writable()
    if where == "volume":
        made.bundle.mount("/data", volume, "rbind")
    made.bundle.mount("/data/race/directory/new", "tmpfs", kind="tmpfs")
    made.bundle.mount("/data/race/directory/other/deep", f"{volume}/file", "bind", "ro")
    made.bundle.write()
    with Swapper(f"{top}/directory", f"{top}/link") as swapper:
        for _ in range(25):
            made.runtime("run", "--bundle", made.bundle.path, made.id)
            made.runtime("delete", "--force", made.id)
    assert swapper.swaps > 100
    assert files_below(outside) == []


def test_a_neighbour_who_renames_all_the_time_stops_nobody(container, volume):
    """A lookup with ".." in it is begun anew whenever anything on the machine is renamed."""
    os.symlink("../data/directory", f"{volume}/link")
    for name in ("directory", "one", "other"):
        os.mkdir(f"{volume}/{name}")
    made = container("true")
    made.bundle.writable().mount("/data", volume, "rbind").mount("/data/link", "tmpfs", kind="tmpfs")
    made.bundle.write()
    with Swapper(f"{volume}/one", f"{volume}/other"):
        for _ in range(15):
            made.runtime.ok("run", "--bundle", made.bundle.path, made.id)
