# SPDX-License-Identifier: Apache-2.0
"""What only cgroup v2 has: one file for a kill, events of a freeze, pressure, delegation to the container, a process
that is made in its cgroup."""

import json
import os
import re
import shutil
import subprocess

import pytest

from lib import system

pytestmark = [
    pytest.mark.ours,  # runc 1.1 and crun 1.8 have not all of it
    pytest.mark.skipif(system.on_cgroup_v1(), reason="needs cgroup v2"),
]

MB = 1 << 20


def read(made, name):
    return system.cgroup_read(made.pid, "", name)


@pytest.fixture
def nested(container):
    """A container that has a cgroup namespace and may write to what it sees."""
    made = container("sleep", "1000")
    made.bundle.with_namespace("cgroup")
    for mount in made.bundle.config["mounts"]:
        if mount["type"] == "cgroup":
            mount["options"] = [option for option in mount["options"] if option != "ro"]
    made.bundle.resources.update(pids={"limit": 50}, memory={"limit": 64 * MB})
    return made


# As systemd and Docker do in a container: everybody goes into a cgroup of its own, then the controllers go down.
GO_DOWN = """
cd /sys/fs/cgroup
mkdir inner
echo 1 > inner/cgroup.procs
echo $$ > inner/cgroup.procs
echo "+memory +pids" > cgroup.subtree_control
mkdir other
echo 7 > other/pids.max
"""


# ---- freeze and kill ----


def test_a_pause_is_a_freeze_of_the_cgroup(container):
    made = container("sleep", "1000").up()
    made.runtime.ok("pause", made.id)
    assert read(made, "cgroup.freeze") == "1"
    assert "frozen 1" in read(made, "cgroup.events").split("\n")
    made.runtime.ok("resume", made.id)
    assert read(made, "cgroup.freeze") == "0"
    assert "frozen 0" in read(made, "cgroup.events").split("\n")


def test_who_forks_all_the_time_is_killed_at_once(container):
    """The kernel kills all of a cgroup, those that are being made meanwhile as well."""
    made = container(shell="while true; do sleep 1000 & done")
    made.bundle.resources["pids"] = {"limit": 300}
    made.bundle.without_namespace("pid")  # where the first one's end would be everybody's
    made.up()
    directory = system.cgroup_directory(made.pid, "")
    system.wait_until(lambda: len(system.cgroup_pids(made.pid, "")) > 20, "many processes")
    made.runtime.ok("kill", "--all", made.id, "KILL")
    made.wait()

    def is_empty():
        with open(f"{directory}/cgroup.events", encoding="ascii") as events:
            return "populated 0" in events.read()

    system.wait_until(is_empty, "everybody's end")


def test_a_container_killed_for_memory_counts_in_its_events(container):
    made = container("sleep", "1000")
    made.bundle.resources["memory"] = {"limit": 16 * MB, "swap": 16 * MB}
    made.up()
    assert made.exec("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1").returncode == 137
    events = dict(line.split() for line in read(made, "memory.events").splitlines())
    assert events["oom_kill"] == "1"
    assert made.status == "running"


# ---- pressure ----


def test_statistics_have_the_pressure(container):
    made = container("sleep", "1000").up()
    if not os.path.exists(f"{system.cgroup_directory(made.pid, '')}/cpu.pressure"):
        pytest.skip("this kernel doesn't tell of pressure (CONFIG_PSI)")
    data = json.loads(made.runtime.ok("events", "--stats", made.id).stdout)["data"]
    for name, file in (("cpu", "cpu"), ("memory", "memory"), ("blkio", "io")):
        text = read(made, f"{file}.pressure")
        for line in text.splitlines():
            kind, *fields = line.split()
            shown = data[name]["psi"][kind]
            assert set(shown) == {field.partition("=")[0] for field in fields}
            # It only ever grows, and the container does nothing.
            assert shown["total"] <= int(re.search(r"total=(\d+)", line).group(1))


# ---- delegation ----


def test_a_container_limits_cgroups_of_its_own(nested):
    nested.up()
    own = system.cgroup_directory(nested.pid, "")
    nested.exec_ok("sh", "-euc", GO_DOWN)
    assert system.cgroup_directory(nested.pid, "") == f"{own}/inner"
    with open(f"{own}/other/pids.max", encoding="ascii") as file:
        assert file.read() == "7\n"


def test_whoever_is_below_is_the_containers_all_the_same(nested):
    """Counted, listed, limited, frozen and killed with it; and nothing of it stays."""
    nested.up()
    own, pid = system.cgroup_directory(nested.pid, ""), nested.pid
    nested.exec_ok("sh", "-euc", GO_DOWN)
    nested.exec_ok("sh", "-c", "sleep 1001 & echo $! > /sys/fs/cgroup/other/cgroup.procs")
    runtime = nested.runtime
    assert len(json.loads(runtime.ok("ps", "-f", "json", nested.id).stdout)) == 2
    assert json.loads(runtime.ok("events", "--stats", nested.id).stdout)["data"]["pids"]["current"] == 2
    runtime.ok("update", "--pids-limit", "9", nested.id)
    with open(f"{own}/pids.max", encoding="ascii") as file:
        assert file.read() == "9\n"
    runtime.ok("pause", nested.id)
    with open(f"{own}/other/cgroup.events", encoding="ascii") as events:
        assert "frozen 1" in events.read().split("\n")
    nested.delete("--force")
    assert not os.path.exists(own) and not system.process_alive(pid)


def test_a_container_can_not_lift_its_own_limits(nested):
    """The root of a cgroup namespace is the limit of what is delegated (nsdelegate)."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        if not any(" cgroup2 " in line and "nsdelegate" in line for line in mounts):
            pytest.skip("cgroups are mounted without nsdelegate")
    nested.up()
    for name in ("pids.max", "memory.max"):
        result = nested.exec("sh", "-c", f"echo max > /sys/fs/cgroup/{name}")
        assert result.returncode != 0 and "not permitted" in result.stderr
    assert (read(nested, "pids.max"), read(nested, "memory.max")) == ("50", str(64 * MB))


def test_the_root_of_a_user_namespace_has_its_cgroup_but_not_its_limits(nested):
    nested.bundle.user_namespace(100000, 65536)
    nested.up()
    own = system.cgroup_directory(nested.pid, "")
    assert os.stat(own).st_gid == os.stat(f"{own}/cgroup.procs").st_gid == 100000
    assert (os.stat(f"{own}/pids.max").st_uid, os.stat(f"{own}/pids.max").st_gid) == (0, 0)
    assert nested.exec("sh", "-c", "echo max > /sys/fs/cgroup/pids.max").returncode != 0
    nested.exec_ok("sh", "-euc", GO_DOWN)
    assert read(nested, "pids.max") == "max"  # of `inner`, which is the container's to limit
    with open(f"{own}/pids.max", encoding="ascii") as file:
        assert file.read() == "50\n"
    nested.delete("--force")
    assert not os.path.exists(own)


# ---- at a process's birth ----


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_processes_are_made_in_the_containers_cgroup(container, workdir):
    """Moving one there takes a lock that every fork of the machine waits for."""
    log = f"{workdir}/strace"

    def flags_of_clones(runtime, *args):
        runtime.ok(argv=["strace", "-f", "-qq", "-e", "trace=clone3", "-o", log, *runtime.argv(*args)])
        with open(log, encoding="utf-8") as file:
            return file.read()

    short, long = container("true"), container("sleep", "1000").up()
    short.bundle.write()
    assert "CLONE_INTO_CGROUP" in flags_of_clones(short.runtime, "run", "--bundle", short.bundle.path, short.id)
    assert "CLONE_INTO_CGROUP" in flags_of_clones(long.runtime, "exec", long.id, "true")


# ---- weights ----


@pytest.fixture
def bfq():
    """BFQ's module, in a guest: no other machine's kernel is changed."""
    busybox = "/run/busybox"
    if not os.path.exists("/run/vm") or not os.path.exists(busybox):
        pytest.skip("loads BFQ's module, and so is for the guest alone")
    subprocess.run([busybox, "modprobe", "bfq"], check=True, timeout=20)
    yield
    subprocess.run([busybox, "rmmod", "bfq"], check=True, timeout=20)


def test_the_weight_of_block_devices(container):
    """The io.cost controller's are from 1 to 10000, where v1's are from 10 to 1000."""
    made = container("sleep", "1000")
    if not os.path.exists(f"{system.cgroup_directory(made.up().pid, '')}/io.weight"):
        pytest.skip("this kernel has no io.weight (CONFIG_BLK_CGROUP_IOCOST)")
    for weight, written in ((10, 1), (500, 4950), (1000, 10000)):
        made = container("sleep", "1000")
        made.bundle.resources["blockIO"] = {"weight": weight}
        assert read(made.up(), "io.weight") == f"default {written}"


def test_the_weight_of_block_devices_where_there_is_bfq(container, bfq):
    """BFQ's own, on v1's scale, as it is given."""
    made = container("sleep", "1000")
    made.bundle.resources["blockIO"] = {"weight": 500}
    assert read(made.up(), "io.bfq.weight") == "default 500"
    made.delete("--force")
