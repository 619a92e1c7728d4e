# SPDX-License-Identifier: Apache-2.0
"""pause and resume."""

import pytest

from lib import system


@pytest.fixture
def counting(container):
    """A container that uses the processor all the time, so that its clock tells whether it runs."""
    made = container(shell="echo up; while :; do :; done").up()
    made.wait_output("up")
    return made


def cpu_time(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_paused_container_does_not_run_until_it_is_resumed(counting):
    counting.runtime.ok("pause", counting.id)
    assert counting.status == "paused"
    before = cpu_time(counting.pid)
    # Two other commands take longer than a tick of the clock.
    counting.state()
    counting.state()
    assert cpu_time(counting.pid) == before
    counting.runtime.ok("resume", counting.id)
    assert counting.status == "running"
    system.wait_until(lambda: cpu_time(counting.pid) > before, "running again")


def test_every_process_of_a_paused_container_is_frozen_when_pause_returns(counting):
    counting.exec_ok("sh", "-c", "while :; do :; done", flags=["-d"])
    counting.runtime.ok("pause", counting.id)
    if system.on_cgroup_v1():
        assert system.cgroup_read(counting.pid, "freezer", "freezer.state") == "FROZEN"
    else:
        assert "frozen 1" in system.cgroup_read(counting.pid, "", "cgroup.events")
    pids = system.cgroup_pids(counting.pid)
    assert len(pids) == 2
    before = {pid: cpu_time(pid) for pid in pids}
    counting.state()
    assert {pid: cpu_time(pid) for pid in pids} == before


def test_list_shows_a_paused_container(counting):
    counting.runtime.ok("pause", counting.id)
    (entry,) = counting.runtime.list()
    assert entry["status"] == "paused"


def test_pausing_twice_and_resuming_twice_are_errors(counting):
    counting.runtime.ok("pause", counting.id)
    counting.runtime.fails("pause", counting.id)
    counting.runtime.ok("resume", counting.id)
    counting.runtime.fails("resume", counting.id)
    assert counting.status == "running"


def test_only_a_running_container_can_be_paused(container):
    made = container("true").up()
    made.wait()
    made.runtime.fails("pause", made.id)
    made.runtime.fails("resume", made.id)
    assert "does not exist" in made.runtime.fails("pause", made.runtime.new_id()).stderr


def test_a_created_container_can_be_paused_and_is_not_started_before_it_is_resumed(container):
    """start would wait for ever."""
    made = container("sleep", "100").create()
    made.runtime.ok("pause", made.id)
    assert made.status == "paused"
    result = made.runtime.fails("start", made.id)
    assert "cannot start a container in the paused state" in result.stderr
    assert made.exec("true").returncode == 255
    made.runtime.ok("resume", made.id)
    assert made.status == "created"
    assert made.start().status == "running"


def test_a_created_container_that_is_paused_is_deleted_by_force(container):
    made = container("sleep", "100").create()
    made.runtime.ok("pause", made.id)
    assert "paused" in made.runtime.fails("delete", made.id).stderr
    made.delete("--force")
    assert not made.exists


def test_a_signal_reaches_a_paused_container_when_it_is_resumed(container):
    made = container(shell="trap 'echo got it' USR1; echo up; while :; do sleep 100 & wait; done").up()
    made.wait_output("up")
    made.runtime.ok("pause", made.id)
    made.kill("USR1")
    made.kill("0")
    assert made.status == "paused" and "got it" not in made.output
    made.runtime.ok("resume", made.id)
    made.wait_output("got it")


def test_killing_a_paused_container_ends_it(counting):
    counting.runtime.ok("pause", counting.id)
    counting.kill("KILL")
    counting.wait()
    assert counting.status == "stopped"
    counting.delete()


def test_a_paused_container_is_deleted_by_force(counting):
    counting.runtime.ok("pause", counting.id)
    counting.delete("--force")
    assert not counting.exists


def test_a_paused_container_is_not_deleted_without_force(counting):
    counting.runtime.ok("pause", counting.id)
    assert "paused" in counting.runtime.fails("delete", counting.id).stderr
    assert counting.status == "paused"
