# SPDX-License-Identifier: Apache-2.0
"""--systemd-cgroup as a user: scopes of his own systemd, which limits what is delegated to it. Needs systemd as PID 1,
as the guest of tests/vm has. The user calls from a cgroup that isn't his, as one who is logged in does."""

import subprocess

import pytest

from lib import system
from lib.rootless import UID, RootlessRuntime, make_rootless
from lib.systemd import need_systemd, user_manager

pytestmark = pytest.mark.ours

MB = 1 << 20
SERVICE = f"/user.slice/user-{UID}.slice/user@{UID}.service"


@pytest.fixture(scope="module")
def manager():
    need_systemd()
    if system.on_cgroup_v1():
        pytest.skip("cgroup v1 delegates nothing to users")
    with user_manager() as made:
        yield made


@pytest.fixture
def runtime(manager, workdir, token, request):
    made = RootlessRuntime(request.config.command, request.config.is_ours, workdir, token)
    made.environment["XDG_RUNTIME_DIR"] = f"/run/user/{UID}"
    made.root = f"/run/user/{UID}/runlxc"
    made.global_flags = ["--systemd-cgroup"]
    yield made
    made.clean()
    for container in made.containers:
        container.close()
    assert manager.scopes(token) == []
    subprocess.run(["rm", "-rf", made.root], check=True)


@pytest.fixture
def adapt_bundle():
    return make_rootless


def unit_of(made):
    return f"runlxc-{made.id}.scope"


def limit(made, **resources):
    made.bundle.linux["resources"] = resources
    return made


def read(made, name):
    return system.cgroup_read(made.pid, "", name)


def test_the_container_is_in_a_scope_of_the_users(manager, container):
    made = container("sleep", "1000").up()
    assert system.cgroup_paths(made.pid)[""] == f"{SERVICE}/user.slice/{unit_of(made)}"
    assert manager.show(unit_of(made), "Slice", "Delegate") == {"Slice": "user.slice", "Delegate": "yes"}
    assert made.runtime("list").stderr == ""
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))


def test_cgroupsPath_names_slice_prefix_and_name(manager, container, token):
    made = container("sleep", "1000")
    made.bundle.cgroup(f"{token}.slice:box:{made.id}")
    made.up()
    assert system.cgroup_paths(made.pid)[""] == f"{SERVICE}/{token}.slice/box-{made.id}.scope"
    made.delete("--force")
    manager.call("stop", f"{token}.slice")


def test_limits_are_set_and_updated(manager, container):
    made = container("sleep", "1000")
    limit(made, memory={"limit": 64 * MB}, cpu={"shares": 512, "quota": 20000}, pids={"limit": 20}).up()
    assert [read(made, name) for name in ("memory.max", "cpu.weight", "pids.max")] == [str(64 * MB), "20", "20"]
    assert read(made, "cpu.max") == "20000 100000"
    assert manager.show(unit_of(made), "TasksMax") == "20"
    made.runtime.ok("update", "--memory", str(32 * MB), "--pids-limit", "10", made.id)
    assert [read(made, name) for name in ("memory.max", "pids.max")] == [str(32 * MB), "10"]
    assert manager.show(unit_of(made), "TasksMax", "MemoryMax") == {"TasksMax": "10", "MemoryMax": str(32 * MB)}


def test_memory_is_limited(container):
    made = container(shell="dd if=/dev/zero of=/dev/null bs=64M count=1; echo status $?")
    assert "status 137" in limit(made, memory={"limit": 32 * MB, "swap": 32 * MB}).run().stdout


def test_processes_are_limited(container):
    made = container(shell="for i in 1 2 3 4 5; do sleep 100 & done; echo all")
    result = limit(made, pids={"limit": 3}).run()
    assert "all" not in result.stdout and "fork" in result.stderr


def test_a_controller_that_is_not_delegated_is_an_error(manager, container):
    made = limit(container("true"), cpu={"cpus": "0"})
    made.run().assert_refused("linux.resources.cpu.cpus")
    assert not made.exists and not manager.is_loaded(unit_of(made))


def test_exec_joins_the_scope_from_outside(container):
    made = container("sleep", "1000").up()
    assert made.exec_ok("cat", "/proc/1/cmdline").startswith("sleep")
    with subprocess.Popen(
        made.runtime.argv("exec", made.id, "sleep", "1001"), env=made.runtime.environment, stdin=subprocess.DEVNULL
    ) as process:
        system.wait_until(lambda: len(system.cgroup_pids(made.pid, "")) == 2, "two processes in the scope")
        made.kill("KILL", "--all")
        assert process.wait(20) != 0


def test_pause_ps_and_stats(container):
    made = container("sleep", "1000").up()
    made.runtime.ok("pause", made.id)
    assert made.status == "paused"
    made.runtime.ok("resume", made.id)
    assert str(made.pid) in made.runtime.ok("ps", made.id).stdout
    assert '"pids"' in made.runtime.ok("events", "--stats", made.id).stdout


def test_a_kept_monitor(manager, container):
    made = container(shell="exit 9")
    made.bundle.write()
    made.runtime.ok("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path, made.id)
    assert made.runtime.ok("wait", made.id).stdout.split()[0] == "9"
    made.delete()
    assert not manager.is_loaded(unit_of(made))


def test_a_create_that_fails_leaves_no_scope(manager, container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/place", "bind")
    made.run().assert_refused("mounts[")
    assert not made.exists and not manager.is_loaded(unit_of(made))


def test_without_a_systemd_of_ones_own_the_error_says_so(container):
    made = container("true")
    made.runtime.environment["XDG_RUNTIME_DIR"] = made.runtime.workdir
    made.run().assert_refused("--systemd-cgroup: Failed to connect to the user's systemd over D-Bus")
