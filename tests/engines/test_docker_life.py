# SPDX-License-Identifier: Apache-2.0
"""docker stop, kill, restart, pause, rm, stats, top, health checks and restart policies."""

import json
import os
import signal

import pytest

from lib import system
from lib.docker import IMAGE
from lib.system import wait_until

TRAPS = (
    "trap 'echo TERM; exit 3' TERM; trap 'echo HUP' HUP; trap 'echo USR1' USR1; "
    "echo ready; while :; do usleep 10000; done"
)


def test_stop_sends_the_signal_and_then_kills(docker):
    def scenario(runtime):
        polite = docker.up(runtime, [], "sh", "-c", TRAPS).logged("ready")
        deaf = docker.up(
            runtime, [], "sh", "-c", "trap '' TERM; echo ready; while :; do usleep 10000; done"
        ).logged("ready")
        polite.ok("stop")
        deaf.ok("stop", "--time", "1")
        return polite.inspect()["ExitCode"], polite.logs(), deaf.inspect()["ExitCode"]

    assert docker.both(scenario) == (3, "ready\nTERM", 137)


def test_kill_sends_any_signal(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", TRAPS).logged("ready")
        box.ok("kill", "--signal", "HUP")
        box.logged("HUP")
        box.ok("kill", "--signal", "10")
        box.logged("USR1")
        assert box.status == "running"
        box.ok("kill", "--signal", "SIGTERM")
        return box.wait(), box.logs(), docker("kill", box.name).status

    assert docker.both(scenario) == (3, "ready\nHUP\nUSR1\nTERM", 1)


@pytest.mark.full
def test_a_stop_signal_of_its_own(docker):
    def scenario(runtime):
        box = docker.up(
            runtime,
            ["--stop-signal", "USR1"],
            "sh",
            "-c",
            "trap 'exit 6' USR1; echo ready; while :; do usleep 10000; done",
        )
        box.logged("ready").ok("stop")
        return box.inspect()["ExitCode"]

    assert docker.both(scenario) == 6


def test_restart_runs_it_anew(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "echo run >>/runs; cat /runs; exec sleep 100").logged("run")
        box.ok("restart", "--time", "0")
        box.logged("run\nrun\nrun")
        return box.status, box.logs()

    assert docker.both(scenario) == ("running", "run\nrun\nrun")


@pytest.mark.full
def test_start_after_it_has_ended(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "echo run; exit 2")
        statuses = [box.wait()]
        for _ in range(3):
            statuses.append(docker("start", "--attach", box.name).status)
        return statuses, box.logs()

    assert docker.both(scenario) == ([2, 2, 2, 2], "run\nrun\nrun\nrun")


def test_pause_stops_and_unpause_goes_on(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", TRAPS).logged("ready")
        box.ok("pause")
        assert box.status == "paused"
        frozen = _is_frozen(box.pid)
        box.ok("unpause")
        box.ok("kill", "--signal", "HUP")
        box.logged("HUP")
        return frozen, _is_frozen(box.pid), box.status, docker("unpause", box.name).status

    assert docker.both(scenario) == (True, False, "running", 1)


def _is_frozen(pid):
    if system.on_cgroup_v1():
        return system.cgroup_read(pid, "freezer", "freezer.state") == "FROZEN"
    return "frozen 1" in system.cgroup_read(pid, "", "cgroup.events")


def test_rm_force_removes_a_running_and_a_paused_one(docker):
    def scenario(runtime):
        running = docker.up(runtime, [], "sleep", "100")
        paused = docker.up(runtime, [], "sleep", "100")
        paused.ok("pause")
        pids = running.pid, paused.pid
        plain = docker("rm", running.name).status
        docker.ok("rm", "--force", running.name, paused.name)
        wait_until(lambda: not any(map(system.process_alive, pids)), "both have ended")
        return plain, docker("inspect", running.name, paused.name).status

    assert docker.both(scenario) == (1, 1)


@pytest.mark.full
def test_rename_and_a_name_that_is_taken(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "true")
        again = docker("run", "--runtime", runtime, "--name", box.name, IMAGE, "true")
        return again.status

    assert docker.both(scenario) == 125


def test_top_shows_the_processes(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "sleep 111 & sleep 222 & wait")
        wait_until(lambda: "sleep 222" in box.ok("top"), "it has started both")
        lines = docker.ok("top", box.name, "-o", "pid,args").splitlines()[1:]
        return [line.split(None, 1)[1] for line in lines]

    assert docker.both(scenario) == ["sh -c sleep 111 & sleep 222 & wait", "sleep 111", "sleep 222"]


@pytest.mark.full
def test_stats_are_read(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--memory", "64m", "--pids-limit", "20"], "sh", "-c", "sleep 100 & wait")
        wait_until(lambda: len(box.ok("top").splitlines()) == 3, "both run")
        seen = json.loads(box.ok("stats", "--no-stream", "--format", "{{json .}}"))
        assert seen["MemUsage"].split()[0] != "0B"
        return seen["MemUsage"].split()[2], seen["PIDs"]

    assert docker.both(scenario) == ("64MiB", "2")


def test_a_health_check_becomes_healthy_and_unhealthy(docker):
    flags = [
        "--health-cmd",
        "test -e /tmp/well",
        "--health-interval",
        "300ms",
        "--health-retries",
        "1",
        "--health-timeout",
        "5s",
    ]

    def scenario(runtime):
        box = docker.up(runtime, flags, "sh", "-c", "touch /tmp/well; exec sleep 100")
        health = lambda: box.inspect()["Health"]["Status"]  # noqa: E731
        wait_until(lambda: health() == "healthy", "it is healthy")
        box.exec_ok([], "rm", "/tmp/well")
        wait_until(lambda: health() == "unhealthy", "it is unhealthy")
        return True

    docker.both(scenario)


@pytest.mark.full
def test_a_health_check_that_takes_too_long_is_killed(docker):
    flags = [
        "--health-cmd",
        "sleep 77",
        "--health-interval",
        "200ms",
        "--health-retries",
        "1",
        "--health-timeout",
        "300ms",
    ]

    def scenario(runtime):
        box = docker.up(runtime, flags, "sleep", "100")
        wait_until(lambda: box.inspect()["Health"]["Status"] == "unhealthy", "it is unhealthy")
        return box.inspect()["Health"]["Log"][0]["ExitCode"]

    docker.both(scenario)


@pytest.mark.full
def test_restart_on_failure_counts(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--restart", "on-failure:2"], "sh", "-c", "echo run; exit 1")
        wait_until(
            lambda: box.inspect("json .RestartCount") == 2 and box.status == "exited", "it was started three times"
        )
        return box.logs(), box.inspect()["ExitCode"]

    assert docker.both(scenario) == ("run\nrun\nrun", 1)


def test_restart_always_after_a_kill_from_outside(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--restart", "always"], "sleep", "100")
        first = box.pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: box.inspect("json .RestartCount") == 1 and box.status == "running", "it runs again")
        return box.pid != first

    assert docker.both(scenario)


@pytest.mark.full
def test_restart_unless_stopped_stays_stopped(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--restart", "unless-stopped"], "sleep", "100")
        box.ok("stop", "--time", "0")
        return box.status, box.inspect("json .RestartCount")

    assert docker.both(scenario) == ("exited", 0)


def test_init_reaps_what_its_child_leaves(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--init"], "sh", "-c", "(sleep 0 &); exec sleep 100")
        wait_until(
            lambda: "Z" not in box.exec_ok([], "sh", "-c", "cut -d' ' -f3 /proc/[0-9]*/stat"), "no zombie is left"
        )
        first = box.exec_ok([], "cat", "/proc/1/comm")
        box.ok("stop", "--time", "5")
        return first, box.inspect()["ExitCode"]

    if not any(os.access(f"{directory}/docker-init", os.X_OK) for directory in os.environ["PATH"].split(":")):
        pytest.skip("docker-init (tini) is not installed")
    assert docker.both(scenario) == ("docker-init", 143)
