# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: control groups and what is limited by them, NUMA memory."""

import os

import pytest

from clauses import clause
from lib import system

V1 = system.on_cgroup_v1()


@pytest.fixture
def made(container, cgroup_parent):
    built = container("sleep", "100")
    built.bundle.cgroup(f"{cgroup_parent}/made")
    return built


def everywhere(path):
    return [root + path for root in system.cgroup_hierarchies().values()]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@clause("cgroup-fit")
def test_a_cgroup_with_processes_in_it_is_an_error(made, container, refused, cgroup_parent):
    first = container("sleep", "100")
    first.bundle.cgroup(f"{cgroup_parent}/made")
    first.up()
    made.bundle.write()
    made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    made.runtime.fails("state", made.id)
    assert first.status == "running"


@clause("cgroup-fit")
def test_a_frozen_cgroup_is_an_error_or_thawed(made, cgroup_parent):
    """Either would do: what must not be is a container that hangs."""
    directory = (
        f"{system.cgroup_hierarchies()['freezer']}{cgroup_parent}/made"
        if V1
        else f"{system.cgroup_hierarchies()['']}{cgroup_parent}/made"
    )
    os.makedirs(directory)
    write(f"{directory}/{'freezer.state' if V1 else 'cgroup.freeze'}", "FROZEN" if V1 else "1")
    made.bundle.write()
    result = made.runtime("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    if result.returncode == 0:
        assert made.status == "created"
        made.runtime.ok("start", made.id)
        assert made.status == "running"


@clause("cgroupsPath-either", "cgroupsPath-absolute")
def test_an_absolute_path_is_meant_from_the_mount_point(made, cgroup_parent):
    made.up()
    paths = system.cgroup_paths(made.pid)
    assert {path for label, path in paths.items() if label or not V1} == {f"{cgroup_parent}/made"}
    assert str(made.pid) in open_procs(f"{system.cgroup_directory(made.pid, 'pids')}")


def open_procs(directory):
    with open(f"{directory}/cgroup.procs", encoding="utf-8") as file:
        return file.read().split()


@clause("cgroupsPath-either", "cgroupsPath-consistent")
@pytest.mark.parametrize("form", ["/{}/made", "{}/made"])
def test_the_same_path_is_the_same_place(container, token, runtime, cgroup_parent, form):
    found = set()
    for _ in range(2):
        made = container("sleep", "100")
        made.bundle.cgroup(form.format(cgroup_parent.strip("/")))
        made.up()
        found.add(system.cgroup_paths(made.pid)["pids" if V1 else ""])
        made.stop()
        made.delete()
    assert len(found) == 1 and found.pop().endswith("/made")


@clause("cgroupsPath-invalid")
@pytest.mark.parametrize("path", ["/a\0b", "x" * 5000, 5], ids=["NUL", "long", "number"])
def test_an_invalid_path_is_an_error(container, refused, path):
    made = container("true")
    made.bundle.cgroup(path)
    refused(made)


@clause("memory-checkBeforeUpdate")
def test_a_limit_below_what_is_used_is_refused(container):
    made = container(shell="head -c 20000000 /dev/zero > /dev/shm/x; echo ready; sleep 100")
    made.bundle.resources["memory"] = {"limit": 100 << 20, "checkBeforeUpdate": True}
    made.up()
    made.wait_output("ready\n")
    path = f"{made.bundle.path}/update.json"
    write(path, f'{{"memory": {{"limit": {200 << 20}, "checkBeforeUpdate": true}}}}')
    made.runtime.ok("update", "--resources", path, made.id)
    write(path, f'{{"memory": {{"limit": {4 << 20}, "checkBeforeUpdate": true}}}}')
    made.runtime.fails("update", "--resources", path, made.id)
    name = "memory.limit_in_bytes" if V1 else "memory.max"
    assert system.cgroup_read(made.pid, "memory", name) == str(200 << 20)
    assert made.status == "running"


@clause("cpu-burst")
def test_a_burst_beyond_the_quota_is_an_error(made, refused):
    made.bundle.resources["cpu"] = {"quota": 20000, "period": 100000, "burst": 30000}
    refused(made)


@clause("weightDevice")
def test_a_device_without_a_weight_is_an_error(made, refused):
    made.bundle.resources["blockIO"] = {"weightDevice": [{"major": 8, "minor": 0}]}
    refused(made)


@clause("throttle-required")
@pytest.mark.parametrize("field", ["major", "minor", "rate"])
def test_a_throttle_that_lacks_a_field_is_an_error(made, refused, field):
    throttle = {"major": 7, "minor": 0, "rate": 1 << 20}
    del throttle[field]
    made.bundle.resources["blockIO"] = {"throttleReadBpsDevice": [throttle]}
    refused(made)


@clause("hugepage-size")
@pytest.mark.parametrize("size", ["3MB", "2", "nonsense", ""], ids=repr)
def test_a_page_size_that_the_kernel_does_not_have_is_an_error(made, refused, size):
    made.bundle.resources["hugepageLimits"] = [{"pageSize": size, "limit": 1 << 30}]
    refused(made)


@clause("rdma")
def test_an_rdma_device_without_a_limit_is_an_error(made, refused):
    made.bundle.resources["rdma"] = {"mlx5_1": {}}
    refused(made)


# ---- unified ----


@clause("unified-controllers", "unified-unknown")
@pytest.mark.skipif(V1, reason="this kernel's controllers are on cgroup v1, where `unified` has no files")
def test_unified_settings_are_written(made):
    made.bundle.resources["unified"] = {"pids.max": "77", "memory.high": "104857600", "memory.oom.group": "1"}
    made.up()
    read = [system.cgroup_read(made.pid, "", name) for name in ("pids.max", "memory.high", "memory.oom.group")]
    assert read == ["77", "104857600", "1"]


@clause("unified-missing")
@pytest.mark.parametrize("name", ["nosuch.max", "memory.nosuch"])
def test_a_setting_of_no_controller_is_an_error(made, refused, name):
    made.bundle.resources["unified"] = {name: "1"}
    refused(made)


@clause("unified-conversion")
def test_what_the_layout_does_not_have_is_an_error(made, refused):
    """On v1, what only v2 has; on v2, what only v1 has."""
    if V1:
        made.bundle.resources["unified"] = {"memory.high": "104857600"}
    else:
        made.bundle.resources["cpu"] = {"realtimeRuntime": 1000}
    refused(made)


# ---- NUMA ----


@clause("memoryPolicy-mode")
@pytest.mark.parametrize("policy", [{"nodes": "0"}, {"mode": "", "nodes": "0"}, {"mode": "MPOL_NOSUCH"}], ids=repr)
def test_a_memory_policy_without_a_mode_is_an_error(made, refused, policy):
    made.bundle.linux["memoryPolicy"] = policy
    refused(made)
