# SPDX-License-Identifier: Apache-2.0
"""The daemon and the shims: restarted, killed, and under load; what it says of runtimes."""

import concurrent.futures
import json
import os
import signal

import pytest

from lib import system
from lib.docker import IMAGE
from lib.system import wait_until


def _shims(docker):
    return [pid for pid, command in docker.place.members().items() if "containerd-shim" in command]


def _shim_of(box):
    return system.process_stat(box.pid)[1]


def test_docker_info_names_the_runtime(docker):
    runtimes = json.loads(docker.ok("info", "--format", "{{json .Runtimes}}"))
    assert runtimes["runlxc"]["path"] == docker.place.command
    assert "failed to retrieve runlxc version" not in docker.log()


def test_the_first_process_is_the_shims_child(docker):
    """Nothing of ours stays between them."""

    def scenario(runtime):
        shim = _shim_of(docker.up(runtime, [], "sleep", "100"))
        with open(f"/proc/{shim}/cmdline", "rb") as file:
            return b"containerd-shim" in file.read(), len(system.children_of(shim))

    assert docker.both(scenario) == (True, 1)


def test_the_death_of_the_shim_ends_the_container(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "sleep 111 & exec sleep 100")
        pids = system.cgroup_pids(box.pid)
        os.kill(_shim_of(box), signal.SIGKILL)
        status = box.wait()
        wait_until(lambda: not any(map(system.process_alive, pids)), "it has ended")
        again = docker("start", box.name).status
        return status, again, box.status

    assert docker.both(scenario) == (137, 0, "running")


@pytest.mark.full
@pytest.mark.limit(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_live_restore_keeps_containers_over_a_restart(docker, number):
    docker.restart("--live-restore")
    try:
        boxes = {
            runtime: docker.up(
                runtime, ["-i"], "sh", "-c", "echo up; trap 'echo TERM; exit 5' TERM; while :; do usleep 10000; done"
            )
            for runtime in docker.runtimes
        }
        for box in boxes.values():
            box.logged("up")
        pids = {runtime: box.pid for runtime, box in boxes.items()}
        docker.stop(number)
        docker.start("--live-restore")
        assert {runtime: box.pid for runtime, box in boxes.items()} == pids

        def scenario(runtime):
            box = boxes[runtime]
            inside = box.exec_ok([], "echo", "exec")
            box.ok("stop")
            return inside, box.inspect()["ExitCode"], box.logs()

        assert docker.both(scenario) == ("exec", 5, "up\nTERM")
    finally:
        docker.clear()
        docker.restart()


@pytest.mark.full
@pytest.mark.limit(120)
def test_containers_end_with_the_daemon_and_always_ones_come_back(docker):
    def started(runtime):
        return docker.up(runtime, ["--restart", "always"], "sleep", "100"), docker.up(runtime, [], "sleep", "100")

    boxes = {runtime: started(runtime) for runtime in docker.runtimes}
    docker.stop()
    assert not _shims(docker)
    docker.start()

    def scenario(runtime):
        always, once = boxes[runtime]
        wait_until(lambda: always.status == "running", "it runs again")
        return once.status, once.inspect()["ExitCode"]

    docker.both(scenario)


def test_twenty_at_once(docker):
    def one(i):
        done = docker.run("runlxc", [], ["sh", "-c", f"echo {i}; exit {i}"])
        return done.status, done.stdout

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == [(i, f"{i}\n") for i in range(20)]


@pytest.mark.limit(300)
def test_many_one_after_another(docker):
    for i in range(docker.loops()):
        done = docker.run("runlxc", ["--network", "none"], ["sh", "-c", f"echo {i}; exit {i % 100}"])
        assert (done.status, done.stdout) == (i % 100, f"{i}\n"), done


@pytest.mark.full
@pytest.mark.limit(120)
def test_twenty_that_stay_at_once_are_removed_at_once(docker):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        boxes = list(pool.map(lambda _: docker.up("runlxc", [], "sleep", "1000"), range(20)))
        assert [box.status for box in boxes] == ["running"] * 20
        docker.ok("rm", "--force", *(box.name for box in boxes), timeout=100)
    assert not docker.left()


@pytest.mark.full
@pytest.mark.limit(120)
def test_with_user_namespaces(docker):
    """A daemon that maps users (--userns-remap), and containers that opt out of it."""
    docker.restart("--userns-remap", "0:0")
    try:
        docker.ok("import", "-", IMAGE, stdin=docker.image)
        docker.same([], "cat", "/proc/self/uid_map")
        docker.same(["--userns", "host"], "cat", "/proc/self/uid_map", output="         0          0 4294967295\n")
        docker.same(
            ["--user", "alice", "--read-only", "-v", "/vol"],
            "sh",
            "-c",
            "id; stat -c '%A %u %g %n' / /proc /sys /vol; touch /x 2>/dev/null || echo refused",
        )
    finally:
        docker.clear()
        docker.restart()
