# SPDX-License-Identifier: Apache-2.0
"""delete: what may be removed, and that it is removed whole."""

import os

import pytest

from lib import system


def test_a_stopped_container_is_deleted(container):
    made = container("true").up()
    made.wait()
    made.delete()
    assert not made.exists


def test_a_running_container_is_not_deleted(container):
    made = container("sleep", "100").up()
    result = made.runtime.fails("delete", made.id)
    assert "running" in result.stderr and made.id in result.stderr
    assert made.status == "running"


@pytest.mark.parametrize("flag", ["--force", "-f"])
def test_force_kills_a_running_container_first(container, flag):
    made = container("sleep", "100").up()
    pid = made.pid
    made.delete(flag)
    assert not made.exists
    assert not system.process_alive(pid)


def test_a_created_container_is_killed_and_deleted(container):
    made = container("sleep", "100").create()
    pid = made.pid
    made.delete()
    assert not made.exists
    assert not system.process_alive(pid)


def test_the_cgroups_are_gone_when_delete_returns(container):
    made = container("sleep", "100").up()
    hierarchies = system.cgroup_hierarchies()
    own = system.cgroup_paths("self")
    directories = [
        hierarchies[label] + path for label, path in system.cgroup_paths(made.pid).items() if path != own[label]
    ]
    assert all(map(os.path.isdir, directories)) and len(directories) >= 1
    made.delete("--force")
    assert not any(map(os.path.exists, directories))


def test_cgroups_that_the_container_made_are_removed_with_it(container):
    made = container("sleep", "100").up()
    directory = system.cgroup_directory(made.pid, "memory")
    os.makedirs(f"{directory}/inner/most")
    made.stop()
    made.delete()
    assert not os.path.exists(directory)


def test_deleting_an_unknown_container_is_an_error(runtime):
    result = runtime.fails("delete", runtime.new_id())
    assert "does not exist" in result.stderr
    assert result.returncode == 1


def test_forced_deletion_of_an_unknown_container_succeeds(runtime):
    """A second shim process always sends it."""
    result = runtime.ok("delete", "--force", runtime.new_id())
    assert result.stdout == ""


def test_delete_and_then_forced_delete(container):
    made = container("true").up()
    made.wait()
    made.delete()
    made.delete("--force")


def test_force_deletes_a_container_with_many_processes(container):
    made = container(shell="for i in $(seq 1 20); do sleep 100 & done; echo up; wait").up()
    made.wait_output("up")
    members = system.cgroup_pids(made.pid)
    made.delete("--force")
    assert not any(map(system.process_alive, members))


def test_force_deletes_a_container_that_shares_the_hosts_pid_namespace(container):
    """There the others don't die with the first process."""
    made = container(shell="sleep 100 & sleep 100 & echo up; wait")
    made.bundle.without_namespace("pid")
    made.up()
    made.wait_output("up")
    members = system.cgroup_pids(made.pid)
    assert len(members) >= 2
    made.delete("--force")
    assert not any(map(system.process_alive, members))


def test_the_root_file_system_stays(container):
    made = container("true")
    made.bundle.writable().shell("echo kept > /kept")
    made.up()
    made.wait()
    made.delete()
    with open(f"{made.bundle.rootfs}/kept", encoding="utf-8") as file:
        assert file.read() == "kept\n"
