# SPDX-License-Identifier: Apache-2.0
"""Two hundred containers come and go, also when the command is killed half-way: nothing is left.

Every test is followed by a comparison of the host (cgroups, mounts, processes, /run, interfaces)
with what it was before; see lib/leaks.py. These make sure that there was something to leave behind.
"""

import os
import random
import time

import pytest

from lib import leaks, system

LOOPS = int(os.environ.get("RUNLXC_TESTS_LOOPS", "200"))


@pytest.fixture
def unchanged(token, shared_machine):
    """Fails if something is left; called after each part, so that the part is known."""
    before = leaks.Snapshot()

    def check(what):
        found = []

        def none_left():
            found[:] = [line for line in before.leaks(token, shared_machine) if "/state/" not in line]
            return not found

        try:
            system.wait_until(none_left, what, 5)
        except AssertionError:
            pytest.fail(f"left behind after {what}:\n" + "\n".join(found))

    return check


@pytest.mark.limit(150)
def test_containers_created_and_deleted_in_a_loop_leave_nothing(container, runtime, unchanged):
    made = container("sleep", "100")
    made.bundle.write()
    for number in range(LOOPS):
        runtime.ok("create", "--bundle", made.bundle.path, made.id)
        if number % 4 == 0:
            runtime.ok("start", made.id)
        runtime.ok("delete", "--force", made.id)
    assert runtime.list() == []
    unchanged(f"{LOOPS} containers")


def killed_half_way(runtime, command, longest, seed):
    """Kills a command after a random part of the time that it takes. True if it was still running."""
    process = runtime.popen(*command)
    # Not a wait for something: the moment of the kill is what varies.
    time.sleep(random.Random(seed).uniform(0, longest))
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


def duration(runtime, command):
    start = time.monotonic()
    runtime.ok(*command)
    return time.monotonic() - start


@pytest.mark.ours
@pytest.mark.limit(150)
def test_a_create_killed_half_way_is_removed_whole_by_a_forced_delete(container, runtime, unchanged):
    made = container("sleep", "100")
    made.bundle.write()
    command = ["create", "--bundle", made.bundle.path, made.id]
    longest = duration(runtime, command)
    runtime.ok("delete", "--force", made.id)
    killed = 0
    for seed in range(LOOPS):
        killed += killed_half_way(runtime, command, longest, seed)
        runtime.ok("delete", "--force", made.id)
        assert not made.exists
        if seed % 10 == 9:
            unchanged(f"creates killed with the seeds up to {seed} of {longest:.4f} s")
    assert killed > LOOPS / 4
    # And the id can be used again.
    made.bundle.args("true")
    assert made.run().returncode == 0


@pytest.mark.ours
@pytest.mark.limit(90)
@pytest.mark.parametrize(
    "flags", [["--detach"], ["--detach", "--lxc-monitor"], []], ids=["detached", "monitor", "foreground"]
)
def test_a_run_killed_half_way_is_removed_whole_by_a_forced_delete(container, runtime, unchanged, flags):
    made = container("sleep", "100")
    made.bundle.write()
    longest = duration(runtime, ["run", "--detach", "--bundle", made.bundle.path, made.id])
    runtime.ok("delete", "--force", made.id)
    for seed in range(LOOPS // 5):
        killed_half_way(runtime, ["run", *flags, "--bundle", made.bundle.path, made.id], longest, seed)
        runtime.ok("delete", "--force", made.id)
        assert not made.exists
    unchanged("runs killed half-way")


@pytest.mark.ours
@pytest.mark.limit(90)
@pytest.mark.parametrize("verb", ["start", "delete --force", "kill --all", "pause", "exec --detach"])
def test_a_command_killed_half_way_leaves_a_container_that_can_be_deleted(container, runtime, unchanged, verb):
    name, *flags = verb.split()
    made = container(shell="sleep 100 & sleep 100")
    made.bundle.write()
    rest = ["KILL"] if name == "kill" else ["sleep", "100"] if name == "exec" else []
    command = [name, *flags, made.id, *rest]

    def prepare():
        runtime.ok("create", "--bundle", made.bundle.path, made.id)
        if name != "start":
            runtime.ok("start", made.id)

    prepare()
    longest = duration(runtime, command)
    runtime.ok("delete", "--force", made.id)
    for seed in range(LOOPS // 10):
        prepare()
        killed_half_way(runtime, command, longest, seed)
        runtime.ok("delete", "--force", made.id)
        assert not made.exists
    unchanged(f"{verb} killed half-way")


def test_a_container_whose_program_dies_at_once_leaves_nothing(container, runtime, unchanged):
    made = container("true")
    made.bundle.write()
    for _ in range(LOOPS // 10):
        runtime.ok("run", "--bundle", made.bundle.path, made.id)
    unchanged("programs that end at once")


def test_failed_creates_leave_nothing(container, runtime, unchanged):
    made = container("true")
    made.bundle.mount("/mnt", "tmpfs", "size=nonsense", kind="tmpfs")
    made.bundle.write()
    for _ in range(LOOPS // 10):
        runtime.fails("create", "--bundle", made.bundle.path, made.id)
    unchanged("failed creates")


def test_many_execs_leave_nothing(container, runtime, unchanged):
    made = container("sleep", "100").up()
    for _ in range(LOOPS // 10):
        made.exec_ok("true")
    assert system.cgroup_pids(made.pid) == {made.pid}
    made.delete("--force")
    unchanged("execs")
