# SPDX-License-Identifier: Apache-2.0
"""Cgroups that root has delegated to a user, without systemd: limits hold, or there is no container.

On v2 a cgroup with processes in it gives no controllers to those below. So the caller is in one below the delegated
one there, and the container gets one beside that; from the delegated one itself it can have no limits.
"""

import json
import os

import pytest

from lib import system
from lib.rootless import (
    GID,
    SUBORDINATES,
    UID,
    RootlessRuntime,
    delegated_cgroup,
    give,
    make_rootless,
    subordinate_ids,
)

pytestmark = pytest.mark.ours  # runc and crun have paths and words of their own

MB = 1 << 20
V1 = system.on_cgroup_v1()
NO_CGROUP = "No cgroup is delegated"
FIRST_HIERARCHY = next(iter(system.cgroup_paths("self")))
v2_only = pytest.mark.skipif(V1, reason="v1 lets processes be anywhere in a hierarchy")
v1_only = pytest.mark.skipif(not V1, reason="v2 has one hierarchy")


@pytest.fixture
def runtime_class():
    return RootlessRuntime


@pytest.fixture
def adapt_bundle():
    return make_rootless


@pytest.fixture
def delegate(runtime, token):
    """delegate(below) has the user in a delegated cgroup or below it; that one's path."""
    with_these = []

    def make(below):
        entered = delegated_cgroup(f"/{token}-delegated", below)
        runtime.entry = entered.__enter__()
        with_these.append(entered)
        return f"/{token}-delegated"

    yield make
    runtime.clean()
    for entered in with_these:
        entered.__exit__(None, None, None)


@pytest.fixture
def delegated(delegate):
    """As a user would have it: a shell that can limit what it starts."""
    return delegate("" if V1 else "/shell")


def limited(made, **resources):
    made.bundle.linux["resources"] = resources
    return made


def of_layout(v1, v2):
    return v1 if V1 else v2


# ---- limits ----


def test_limits_are_set(container, delegated):
    made = limited(
        container("sleep", "1000"),
        pids={"limit": 50},
        memory={"limit": 64 * MB},
        cpu={"shares": 512, "quota": 20000, "period": 50000},
    ).up()
    assert NO_CGROUP not in made.result.stderr
    path = f"{delegated}/lxc.payload.{made.id}"
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "50"
    memory, cpu = of_layout(
        ("memory.limit_in_bytes", {"cpu.shares": "512", "cpu.cfs_quota_us": "20000", "cpu.cfs_period_us": "50000"}),
        ("memory.max", {"cpu.weight": "20", "cpu.max": "20000 50000"}),
    )
    assert system.cgroup_read(made.pid, "memory", memory) == str(64 * MB)
    assert {name: system.cgroup_read(made.pid, "cpu", name) for name in cpu} == cpu
    made.delete("--force")
    assert not any(os.path.exists(f"{top}{path}") for top in system.cgroup_hierarchies().values())


def test_exec_joins_the_containers_cgroup(container, delegated):
    made = limited(container("sleep", "1000"), pids={"limit": 50}).up()
    seen = made.exec_ok("cat", "/proc/self/cgroup")
    assert seen.count(f"{delegated}/lxc.payload.{made.id}") == len(system.cgroup_hierarchies())


def test_who_takes_more_memory_is_killed_and_that_is_told(runtime, container, delegated):
    made = limited(container("sleep", "1000"), memory={"limit": 32 * MB, "swap": 32 * MB}).up()
    killed = made.exec("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
    assert killed.returncode == 137
    count = of_layout("memory.oom_control", "memory.events")
    assert "oom_kill 1" in system.cgroup_read(made.pid, "memory", count).split("\n")
    assert made.status == "running"


def test_who_starts_more_processes_is_refused(container, delegated):
    made = limited(container(shell="for i in 1 2 3 4 5; do sleep 100 & done; echo all"), pids={"limit": 3})
    result = made.run()
    assert "all" not in result.stdout and "fork" in result.stderr


def test_an_update_changes_them(runtime, container, delegated):
    made = limited(container("sleep", "1000"), pids={"limit": 50}, memory={"limit": 64 * MB}).up()
    runtime.ok("update", "--pids-limit", "20", "--memory", str(48 * MB), made.id)
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "20"
    file = of_layout("memory.limit_in_bytes", "memory.max")
    assert system.cgroup_read(made.pid, "memory", file) == str(48 * MB)


def test_a_container_is_paused_and_measured(runtime, container, delegated):
    made = container("sleep", "1000").up()
    runtime.ok("pause", made.id)
    assert made.status == "paused"
    runtime.ok("resume", made.id)
    assert made.id in runtime.ok("stats", "--no-stream", made.id).stdout
    stats = json.loads(runtime.ok("events", "--stats", made.id).stdout)["data"]
    assert stats["pids"]["current"] == 1 and stats["memory"]["usage"]["usage"] > 0
    assert json.loads(runtime.ok("ps", "-f", "json", made.id).stdout) == [made.pid]


def test_subordinate_ids(container, delegated):
    with subordinate_ids() as first:
        made = limited(container("sleep", "1000"), pids={"limit": 50})
        for field in ("uidMappings", "gidMappings"):
            made.bundle.linux[field] = [{"containerID": 0, "hostID": first, "size": SUBORDINATES}]
        give(made.bundle, first)
        made.up()
        assert system.cgroup_read(made.pid, "pids", "pids.max") == "50"
        assert f"{delegated}/" in made.exec_ok("cat", "/proc/self/cgroup")
        made.delete("--force")


def test_a_kept_monitor(runtime, container, delegated):
    made = limited(container(shell="exit 9"), pids={"limit": 50})
    made.bundle.write()
    runtime.ok("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path, made.id)
    assert runtime.ok("wait", made.id).stdout.split()[0] == "9"
    made.delete()


def as_root_of_a_user_namespace(runtime, made):
    """As Podman calls a runtime."""
    runtime.wrapper = ["unshare", "--user", "--map-root-user", "--mount"]
    made.bundle.without_namespace("user")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    return made


def test_root_of_a_users_user_namespace(runtime, container, delegated):
    file = of_layout("pids/pids.max", "pids.max")
    made = limited(container(shell=f"cat /sys/fs/cgroup/{file}"), pids={"limit": 50})
    made.bundle.mount("/sys/fs/cgroup", "cgroup", kind="cgroup")
    assert as_root_of_a_user_namespace(runtime, made).run_ok() == "50\n"


# ---- where ----


@pytest.fixture
def enter_apart(runtime, delegated):
    """enter_apart(label) gives the caller another path in that hierarchy than in its others."""

    def enter(label):
        directory = f"{system.cgroup_hierarchies()[label]}{delegated}/apart"
        os.mkdir(directory)
        os.chown(directory, UID, GID)
        runtime.entry += ["sh", "-c", f'echo $$ > {directory}/cgroup.procs && exec "$@"', "sh"]
        return directory

    return enter


@v1_only
@pytest.mark.parametrize("label", ["memory", FIRST_HIERARCHY], ids=["memory", "first"])
@pytest.mark.parametrize("is_root", [False, True], ids=["user", "root-of-a-user-namespace"])
def test_a_hierarchy_with_another_path_is_left_out(runtime, container, delegated, enter_apart, label, is_root):
    """A container has one path, the same in all hierarchies that it is in: the one that most have."""
    apart = enter_apart(label)
    made, refused = (limited(container("sleep", "1000"), pids={"limit": 50}) for _ in range(2))
    if is_root:
        as_root_of_a_user_namespace(runtime, made)
        as_root_of_a_user_namespace(runtime, refused)
    made.up()
    paths = system.cgroup_paths(made.pid)
    assert paths.pop(label) == f"{delegated}/apart"
    assert [entry.name for entry in os.scandir(apart) if entry.is_dir()] == []
    assert set(paths.values()) == {f"{delegated}/lxc.payload.{made.id}"}
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "50"
    if label == "memory":
        limited(refused, memory={"limit": 64 * MB}).run().assert_refused("linux.resources.memory.limit", "another path")
    runtime.ok("delete", "--force", made.id)
    for mount_point in system.cgroup_hierarchies().values():
        assert not os.path.exists(f"{mount_point}{delegated}/lxc.payload.{made.id}")


def test_a_path_in_a_delegated_cgroup(container, delegated):
    relative, absolute, outside = container("sleep", "1000"), container("sleep", "1000"), container("true")
    relative.bundle.cgroup("one")
    absolute.bundle.cgroup(f"{delegated}/two/three")
    for made, name in ((relative, "one"), (absolute, "two/three")):
        limited(made, pids={"limit": 50}).up()
        assert set(system.cgroup_paths(made.pid).values()) == {f"{delegated}/{name}"}
        assert system.cgroup_read(made.pid, "pids", "pids.max") == "50"
    outside.bundle.cgroup(f"{delegated}-not")
    outside.run().assert_refused("linux.cgroupsPath", delegated)


@v2_only
def test_a_path_may_lead_as_far_up_as_it_is_delegated(container, delegate):
    top = delegate("/session/shell")
    with open(f"/sys/fs/cgroup{top}/cgroup.subtree_control", "w", encoding="ascii") as file:
        file.write("+pids")
    near, far, outside = container("sleep", "1000"), container("sleep", "1000"), container("true")
    far.bundle.cgroup(f"{top}/far")
    for made, path in ((near, f"{top}/session/lxc.payload.{near.id}"), (far, f"{top}/far")):
        limited(made, pids={"limit": 50}).up()
        assert system.cgroup_paths(made.pid)[""] == path
        assert system.cgroup_read(made.pid, "pids", "pids.max") == "50"
    outside.bundle.cgroup(f"{top}-not")
    outside.run().assert_refused("linux.cgroupsPath", f'"{top}"')


# ---- the caller in the delegated cgroup itself ----


@v2_only
@pytest.mark.parametrize(
    ("resources", "field", "file"),
    [
        ({"pids": {"limit": 50}}, "pids.limit", "pids.max"),
        ({"memory": {"limit": 64 * MB}}, "memory.limit", "memory.max"),
        ({"cpu": {"shares": 512}}, "cpu.shares", "cpu.weight"),
        ({"unified": {"memory.high": str(64 * MB)}}, "unified", "memory.high"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_limit_is_refused_where_processes_are_in_the_way(container, delegate, resources, field, file):
    top = delegate("")
    made = limited(container("true"), **resources)
    made.run().assert_refused(f"linux.resources.{field}", file, f'"{top}"', "processes", "busy")
    assert not made.exists
    assert not [entry.name for entry in os.scandir(f"/sys/fs/cgroup{top}") if entry.is_dir()]


@v2_only
def test_a_limit_below_ones_own_cgroup_is_refused(container, delegated):
    made = limited(container("true"), pids={"limit": 50})
    made.bundle.cgroup(f"{delegated}/shell/one")
    made.run().assert_refused("linux.resources.pids.limit", f'"{delegated}/shell"', "processes", "busy")
    assert not made.exists


@v2_only
def test_without_limits_it_has_a_cgroup_but_no_controllers(runtime, container, delegate):
    top = delegate("")
    made = container("sleep", "1000").up()
    assert system.cgroup_paths(made.pid)[""] == f"{top}/lxc.payload.{made.id}"
    assert system.cgroup_read(made.pid, "", "cgroup.controllers") == ""
    assert f"{top}/lxc.payload.{made.id}" in made.exec_ok("cat", "/proc/self/cgroup")
    runtime.ok("pause", made.id)
    assert made.status == "paused"
    runtime.ok("resume", made.id)
    runtime("update", "--pids-limit", "9", made.id).assert_refused("pids")
    made.kill("KILL", "--all")
    made.wait()
    made.delete()


# ---- what is delegated ----


@v2_only
def test_a_controller_that_is_not_delegated_is_named(container, runtime, token):
    top = f"/sys/fs/cgroup/{token}-top"
    os.mkdir(top)
    try:
        with open(f"{top}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write("+pids")
        with delegated_cgroup(f"/{token}-top/mine", "/shell") as entry:
            runtime.entry = entry
            made = limited(container("true"), cpu={"shares": 512})
            made.run().assert_refused("linux.resources.cpu.shares", "cpu cgroup controller", f"/{token}-top/mine")
            assert not made.exists
            limited(container("true"), pids={"limit": 50}).run_ok()
            runtime.clean()
    finally:
        system.cgroup_remove(f"/{token}-top")
