# SPDX-License-Identifier: Apache-2.0
"""CVE-2019-16884: a volume on /proc, or in it, which takes what the runtime and LSMs believe to be the kernel's.

Only /proc itself may be covered, with a procfs, and the few files that lxcfs shows in the kernel's place.
"""

import os

import pytest

from lib.system import parse_mounts

# runc's list, without net/dev: that is behind a symlink.
COVERABLE = "cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo sys/kernel/ns_last_pid".split()


@pytest.fixture
def fake(workdir):
    """What the image would have instead of a procfs."""
    os.makedirs(f"{workdir}/fake/self/attr")
    os.makedirs(f"{workdir}/fake/self/fd")
    for name in ("attr/exec", "status"):
        with open(f"{workdir}/fake/self/{name}", "w", encoding="utf-8"):
            pass
    return f"{workdir}/fake"


@pytest.mark.ours  # runc 1.1 lets a tmpfs pass
@pytest.mark.parametrize(
    "destination",
    ["/proc/self", "/proc/1/attr", "/proc/self/attr/exec", "/proc/thread-self/attr", "/proc/acpi", "/proc/net/dev"],
)
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_nothing_is_mounted_in_proc(container, fake, destination, kind):
    made = container("true")
    made.bundle.mount(destination, fake, *(["rbind"] if kind == "bind" else []), kind=kind)
    made.run().assert_refused("mounts[7].destination", destination, "inside /proc")
    assert not made.exists


@pytest.mark.parametrize("options", [["rbind"], ["rbind", "ro", "nosuid"]])
def test_proc_is_not_covered_by_anything_but_a_procfs(container, fake, options):
    made = container("true")
    made.bundle.mount("/proc", fake, *options)
    made.run().assert_refused("mounts[7].destination", "/proc", "not of type proc")
    made.bundle.config["mounts"][-1].update(type="tmpfs", options=[])
    made.run().assert_refused("mounts[7].destination", "/proc", "not of type proc")


def test_nor_where_the_file_has_no_procfs_before(container, fake):
    made = container("true")
    made.bundle.config["mounts"] = []
    made.bundle.mount("/proc", fake, "rbind")
    made.run().assert_refused("mounts[0].destination", "/proc", "not of type proc")


@pytest.mark.ours  # runc 1.1 takes these
def test_nor_by_a_directory_of_a_procfs(container):
    made = container("true")
    made.bundle.mount("/proc", "/proc/self", "rbind")
    made.run().assert_refused("mounts[7].destination", "/proc", "not of type proc")


def test_the_hosts_procfs_may_be_bound_there(container):
    made = container(shell="cat /proc/self/mountinfo; echo x > /proc/self/comm")
    made.bundle.config["mounts"][0] = {
        "destination": "/proc",
        "type": "bind",
        "source": "/proc",
        "options": ["rbind", "nosuid", "ro"],
    }
    made.bundle.without_namespace("pid")
    result = made.run()
    assert "Read-only file system" in result.stderr
    assert not [mount for mount in parse_mounts(result.stdout) if mount.propagation]


@pytest.mark.parametrize("name", [name for name in COVERABLE if os.path.exists(f"/proc/{name}")])
def test_a_file_of_lxcfs_may_be_covered(container, workdir, name):
    with open(f"{workdir}/file", "w", encoding="utf-8") as file:
        file.write("of lxcfs\n")
    made = container("cat", f"/proc/{name}")
    made.bundle.mount(f"/proc/{name}", f"{workdir}/file", "bind", "ro", "nosuid", "nodev")
    assert made.run_ok() == "of lxcfs\n"


@pytest.mark.parametrize(
    "target", ["/proc/self/attr", "/proc/1/attr", "/proc/self", "/proc/thread-self/attr", "/proc/"]
)
def test_an_images_symlink_does_not_lead_there(container, fake, target):
    made = container("true")
    os.symlink(target, f"{made.bundle.rootfs}/data")
    made.bundle.mount("/data", fake, "rbind")
    made.run().assert_refused("mounts[7]", "/data")


def test_nor_onto_a_directory_that_proc_will_be_mounted_on(container, fake):
    """The procfs comes later in the file, or not at all."""
    made = container("true")
    os.symlink("/proc", f"{made.bundle.rootfs}/data")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["destination"] != "/proc"]
    made.bundle.mount("/data", fake, "rbind")
    made.run().assert_refused("mounts[6].destination", "/data", "not of type proc")


@pytest.mark.ours
def test_a_procfs_elsewhere_is_no_way_in(container, fake):
    made = container("true")
    made.bundle.mount("/other", "proc", kind="proc").mount("/other/self/attr", fake, "rbind")
    made.run().assert_refused("mounts[8].destination", "/other/self/attr")


def test_what_lies_below_sysfs_may_be_covered(container, workdir):
    """Engines do, and nothing is written there."""
    os.mkdir(f"{workdir}/empty")
    made = container("ls", "/sys/kernel")
    made.bundle.mount("/sys/kernel", f"{workdir}/empty", "rbind")
    assert made.run_ok() == ""
