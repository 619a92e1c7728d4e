# SPDX-License-Identifier: Apache-2.0
"""Cgroups and limits, on cgroup v1: where the container is, and what the host's files say."""

import os

import pytest

from lib import system
from lib.system import cgroup_read

pytestmark = pytest.mark.skipif(not system.on_cgroup_v1(), reason="reads cgroup v1's files")


@pytest.fixture
def limited(container):
    """A created container with the given resources."""

    def make(**resources):
        made = container("sleep", "100")
        made.bundle.resources.update(resources)
        return made.create()

    return make


# ---- where ----


def test_the_cgroups_path_is_respected_in_every_hierarchy(container, cgroup_parent):
    made = container("sleep", "100")
    path = f"{cgroup_parent}/{made.id}"
    made.bundle.cgroup(path)
    made.create()
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    made.start()
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    for mount_point in system.cgroup_hierarchies().values():
        with open(f"{mount_point}{path}/cgroup.procs", encoding="utf-8") as file:
            assert file.read().split() == [str(made.pid)]


def test_without_a_path_the_container_has_a_cgroup_of_its_own_in_every_hierarchy(container):
    made = container("sleep", "100").create()
    own = system.cgroup_paths("self")
    for label, path in system.cgroup_paths(made.pid).items():
        assert path != own[label] and made.id in path, (label, path)


def test_two_containers_may_share_a_parent(container, cgroup_parent):
    one, two = container("sleep", "100"), container("sleep", "100")
    for made in (one, two):
        made.bundle.cgroup(f"{cgroup_parent}/{made.id}")
        made.up()
    one.delete("--force")
    assert two.status == "running"
    assert not os.path.exists(f"/sys/fs/cgroup/memory{cgroup_parent}/{one.id}")
    assert os.path.exists(f"/sys/fs/cgroup/memory{cgroup_parent}/{two.id}")


def test_a_path_that_climbs_out_stays_below_the_hierarchy(container, cgroup_parent):
    made = container("sleep", "100")
    made.bundle.cgroup(f"/../../..{cgroup_parent}/x")
    made.bundle.write()
    result = made.runtime("create", "-b", made.bundle.path, "--pid-file", made.pid_file, made.id)
    if result.returncode == 0:
        assert set(system.cgroup_paths(made.pid).values()) == {f"{cgroup_parent}/x"}


def test_no_cgroup_of_the_runtime_stays_beside_the_containers(container, cgroup_parent):
    def directories():
        found = set()
        for mount_point in system.cgroup_hierarchies().values():
            found |= {directory for directory, _, _ in os.walk(mount_point)}
        return found

    before = directories()
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/{made.id}")
    made.create()
    new = {path for path in directories() - before if made.runtime.token in path}
    expected = {
        f"{mount_point}{path}"
        for mount_point in system.cgroup_hierarchies().values()
        for path in (cgroup_parent, f"{cgroup_parent}/{made.id}")
    }
    assert new == expected


# ---- limits, as the host reads them ----


def test_memory(limited):
    made = limited(memory={"limit": 64 << 20, "reservation": 32 << 20, "swappiness": 30})
    assert cgroup_read(made.pid, "memory", "memory.limit_in_bytes") == str(64 << 20)
    assert cgroup_read(made.pid, "memory", "memory.soft_limit_in_bytes") == str(32 << 20)
    assert cgroup_read(made.pid, "memory", "memory.swappiness") == "30"


def test_memory_and_swap_together(limited):
    made = limited(memory={"limit": 64 << 20, "swap": 128 << 20})
    assert cgroup_read(made.pid, "memory", "memory.limit_in_bytes") == str(64 << 20)
    path = f"{system.cgroup_directory(made.pid, 'memory')}/memory.memsw.limit_in_bytes"
    if os.path.exists(path):
        assert cgroup_read(made.pid, "memory", "memory.memsw.limit_in_bytes") == str(128 << 20)


def test_the_oom_killer_can_be_disabled(limited):
    made = limited(memory={"limit": 64 << 20, "disableOOMKiller": True})
    assert "oom_kill_disable 1" in cgroup_read(made.pid, "memory", "memory.oom_control")


def test_the_memory_limit_is_enforced(container):
    made = container("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
    made.bundle.resources["memory"] = {"limit": 16 << 20}
    assert made.run().returncode == 137


def test_cpu(limited):
    made = limited(cpu={"shares": 512, "quota": 50000, "period": 200000})
    assert cgroup_read(made.pid, "cpu", "cpu.shares") == "512"
    assert cgroup_read(made.pid, "cpu", "cpu.cfs_quota_us") == "50000"
    assert cgroup_read(made.pid, "cpu", "cpu.cfs_period_us") == "200000"


@pytest.mark.parametrize("quota, period", [(1000, 1000), (900000, 1000000), (2000000, 1000000), (-1, 50000)])
def test_cpu_quota_and_period_are_written_in_an_order_that_the_kernel_takes(limited, quota, period):
    made = limited(cpu={"quota": quota, "period": period})
    assert cgroup_read(made.pid, "cpu", "cpu.cfs_quota_us") == str(quota)
    assert cgroup_read(made.pid, "cpu", "cpu.cfs_period_us") == str(period)


def test_cpuset(limited):
    made = limited(cpu={"cpus": "0", "mems": "0"})
    assert cgroup_read(made.pid, "cpuset", "cpuset.cpus") == "0"
    assert cgroup_read(made.pid, "cpuset", "cpuset.mems") == "0"
    assert system.process_status(made.pid)["Cpus_allowed_list"] == "0"


def test_cpuset_below_a_new_parent(container, cgroup_parent):
    """v1's cpusets start empty: every level on the way has to be filled first."""
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/deep/er/{made.id}")
    made.bundle.resources["cpu"] = {"cpus": "0"}
    made.create()
    assert cgroup_read(made.pid, "cpuset", "cpuset.cpus") == "0"


def test_pids(limited):
    assert cgroup_read(limited(pids={"limit": 77}).pid, "pids", "pids.max") == "77"


def test_pids_without_a_limit(limited):
    assert cgroup_read(limited(pids={"limit": -1}).pid, "pids", "pids.max") == "max"


def test_the_pids_limit_is_enforced(container):
    made = container(shell="for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 & done; echo started")
    made.bundle.resources["pids"] = {"limit": 6}
    result = made.run()
    assert "fork" in result.stderr


def test_the_device_list_is_the_hosts_view_of_the_rules(limited):
    made = limited(
        devices=[
            {"allow": False, "access": "rwm"},
            {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
            {"allow": True, "type": "b", "major": 8, "access": "r"},
        ]
    )
    rules = cgroup_read(made.pid, "devices", "devices.list").splitlines()
    assert {"c 10:229 rw", "b 8:* r"} <= set(rules)
    assert "a *:* rwm" not in rules
    assert "c 1:3 rwm" in rules


def test_no_limits_are_set_when_none_are_asked_for(limited):
    made = limited()
    parent = os.path.dirname(system.cgroup_directory(made.pid, "memory"))
    with open(f"{parent}/memory.limit_in_bytes", encoding="utf-8") as file:
        unlimited = file.read().strip()
    assert int(cgroup_read(made.pid, "memory", "memory.limit_in_bytes")) >= int(unlimited)
    assert cgroup_read(made.pid, "cpu", "cpu.shares") == "1024"
    assert cgroup_read(made.pid, "cpu", "cpu.cfs_quota_us") == "-1"
    assert cgroup_read(made.pid, "pids", "pids.max") == "max"


def test_zeros_mean_that_nothing_is_asked_for(limited):
    """As engines write them."""
    made = limited(
        memory={"limit": 0, "reservation": 0, "swap": 0, "disableOOMKiller": False},
        cpu={"shares": 0, "quota": 0, "period": 0},
        blockIO={"weight": 0},
        pids={"limit": 0},
    )
    assert int(cgroup_read(made.pid, "memory", "memory.limit_in_bytes")) > 1 << 40
    assert cgroup_read(made.pid, "cpu", "cpu.shares") == "1024"
    assert cgroup_read(made.pid, "pids", "pids.max") == "max"
    assert made.start().status == "running"


def test_nulls_mean_that_nothing_is_asked_for(limited):
    assert limited(memory=None, cpu=None, pids=None, blockIO=None, hugepageLimits=None).status == "created"


def test_the_container_sees_its_own_limit(container):
    made = container("cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    made.bundle.resources["memory"] = {"limit": 48 << 20}
    assert made.run_ok() == f"{48 << 20}\n"


def test_the_freezer_is_thawed_at_the_start(limited):
    assert cgroup_read(limited().pid, "freezer", "freezer.state") == "THAWED"


@pytest.mark.parametrize(
    "resources, words",
    [
        ({"cpu": {"cpus": "4000"}}, ["cpuset"]),
        ({"cpu": {"period": 1}}, ["period"]),
        ({"memory": {"limit": "much"}}, ["linux.resources.memory.limit"]),
        ({"pids": {"limit": "many"}}, ["linux.resources.pids.limit"]),
    ],
    ids=["cpus", "period", "memory", "pids"],
)
def test_a_bad_limit_is_an_error_that_names_it(container, resources, words):
    made = container("true")
    made.bundle.resources.update(resources)
    result = made.run()
    result.assert_refused(*words)
    assert not made.exists


@pytest.mark.ours
def test_unified_settings_on_v1_are_refused(container):
    made = container("true")
    made.bundle.resources["unified"] = {"memory.max": "1000000"}
    made.run().assert_refused("unified")
