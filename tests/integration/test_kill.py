# SPDX-License-Identifier: Apache-2.0
"""kill: any signal, by any of its names, to the first process or to all."""

import os
import signal

import pytest

from lib import system


@pytest.fixture
def trapping(container):
    """A container that says which signal it got."""
    names = ("HUP", "INT", "TERM", "USR1", "WINCH")
    traps = "; ".join(f"trap 'echo got {name}' {name}" for name in names)
    made = container(shell=f"{traps}; echo up; while :; do sleep 100 & wait; done").up()
    made.wait_output("up")
    return made


@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "term", "sigterm", "15"])
def test_a_signal_has_many_names(trapping, name):
    trapping.kill(name)
    trapping.wait_output("got TERM")


@pytest.mark.parametrize("name", ["HUP", "USR1", "WINCH", "INT"])
def test_the_signal_that_was_asked_for_arrives(trapping, name):
    trapping.kill(str(int(getattr(signal, f"SIG{name}"))))
    trapping.wait_output(f"got {name}")


def test_kill_sends_term_when_no_signal_is_given(trapping):
    trapping.runtime.ok("kill", trapping.id)
    trapping.wait_output("got TERM")


def test_kill_kills(container):
    made = container("sleep", "100").up()
    made.kill("KILL")
    made.wait()
    assert made.status == "stopped"


def test_a_created_container_can_be_killed(container):
    made = container("sleep", "100").create()
    made.kill("KILL")
    made.wait()
    assert made.status == "stopped"


@pytest.mark.parametrize("name", ["NOSUCH", "SIGNOSUCH", "99999"])
def test_a_signal_that_is_not_one_is_refused(trapping, name):
    result = trapping.runtime.fails("kill", trapping.id, name)
    assert "signal" in result.stderr
    assert trapping.status == "running"


def test_killing_a_stopped_container_is_an_error_that_engines_know(container):
    made = container("true").up()
    made.wait()
    result = made.runtime.fails("kill", made.id, "KILL")
    assert "container not running" in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize("number", ["0", "KILL"])
def test_killing_all_of_a_stopped_container_is_no_error(container, number):
    """containerd's shim does that to be sure."""
    made = container("true").up()
    made.wait()
    made.kill(number, "--all")
    assert made.status == "stopped"


def test_killing_an_unknown_container_is_an_error_that_engines_know(runtime):
    result = runtime.fails("kill", runtime.new_id(), "KILL")
    assert "container does not exist" in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize("flag", ["--all", "-a"])
def test_kill_all_reaches_every_process(container, flag):
    traps = "trap 'echo got it' USR1; echo up; while :; do sleep 100 & wait; done"
    made = container(shell=f"({traps}) & ({traps}) & {traps}").up()
    system.wait_until(lambda: made.output.count("up") == 3, "three processes")
    # The sleeps get it as well, and it ends them: the loops start new ones.
    made.kill("USR1", flag)
    system.wait_until(lambda: made.output.count("got it") == 3, "three signals")


def test_kill_without_all_reaches_the_first_process_alone(container):
    made = container(
        shell="(trap 'echo child' USR1; echo up; while :; do sleep 100 & wait; done) & "
        "trap 'echo first' USR1; echo up; while :; do sleep 100 & wait; done"
    ).up()
    system.wait_until(lambda: made.output.count("up") == 2, "two processes")
    made.kill("USR1")
    made.wait_output("first")
    # A second signal to the first process that has arrived shows that the child had time to get one.
    made.kill("USR1")
    system.wait_until(lambda: made.output.count("first") == 2, "the second signal")
    assert "child" not in made.output


def test_kill_all_works_after_the_first_process_died_in_a_shared_pid_namespace(container):
    """Docker with --pid=host: `kill --all ID 9` must end the rest."""
    made = container(shell="sleep 100 & sleep 100 & echo up; wait")
    made.bundle.without_namespace("pid")
    made.up()
    made.wait_output("up")
    system.wait_until(lambda: len(system.cgroup_pids(made.pid)) == 3, "three processes")
    others = system.cgroup_pids(made.pid) - {made.pid}
    os.kill(made.pid, 9)
    made.wait()
    assert made.status == "stopped"
    assert all(system.process_alive(pid) for pid in others)
    made.kill("9", "--all")
    system.wait_until(lambda: not any(map(system.process_alive, others)), "everyone killed")
    made.delete()


@pytest.mark.ours
@pytest.mark.parametrize("first_is_gone", [False, True])
def test_sigkill_is_everybodys_in_a_shared_pid_namespace(container, first_is_gone):
    """runc from 1.2 on: there is no init there whose end is that of all."""
    made = container(shell="sleep 100 & sleep 100 & echo up; wait")
    made.bundle.without_namespace("pid")
    made.up()
    made.wait_output("up")
    system.wait_until(lambda: len(system.cgroup_pids(made.pid)) == 3, "three processes")
    everyone = system.cgroup_pids(made.pid)
    if first_is_gone:
        os.kill(made.pid, 9)
        made.wait()
    made.kill("KILL")
    system.wait_until(lambda: not any(map(system.process_alive, everyone)), "everyone killed")
    assert made.status == "stopped"
    made.delete()
