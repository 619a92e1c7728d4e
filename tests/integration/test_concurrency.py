# SPDX-License-Identifier: Apache-2.0
"""Many commands at once, on many containers and on one."""

import json
import os
import shutil
import subprocess
import threading

import pytest

from lib import system
from lib.runtime import Command

PIPE = subprocess.PIPE


def create_argv(made):
    made.bundle.write()
    return ["create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id]


def all_at_once(runtime, commands):
    """Starts every command before waiting for any; their results as (exit status, stderr)."""
    paths = [f"{runtime.workdir}/{number}.err" for number in range(len(commands))]
    processes = []
    for path, command in zip(paths, commands):
        with open(path, "wb") as stderr:
            processes.append(runtime.popen(*command, stdout=subprocess.DEVNULL, stderr=stderr))
    results = []
    for path, process in zip(paths, processes):
        status = process.wait(40)
        with open(path, encoding="utf-8") as file:
            results.append((status, file.read()))
    return results


def test_twenty_containers_are_created_and_deleted_at_once(container, runtime):
    made = [container("sleep", "100") for _ in range(20)]
    results = all_at_once(runtime, [create_argv(one) for one in made])
    assert [status for status, _ in results] == [0] * 20, results
    assert len(runtime.list()) == 20
    assert len({one.pid for one in made}) == 20
    results = all_at_once(runtime, [["delete", "--force", one.id] for one in made])
    assert [status for status, _ in results] == [0] * 20, results
    assert runtime.list() == []


def test_twenty_containers_run_at_once(container):
    started = [
        container(shell=f"echo {number}; exit {number}").popen_run(stdout=PIPE, stderr=PIPE) for number in range(20)
    ]
    for number, process in enumerate(started):
        out, err = process.communicate(timeout=40)
        assert (out, process.returncode) == (f"{number}\n".encode(), number), err


@pytest.mark.ours
def test_of_two_creates_of_one_id_one_wins(container, runtime):
    for _ in range(5):
        made = container("sleep", "100")
        results = all_at_once(runtime, [create_argv(made)] * 3)
        assert sorted(status for status, _ in results) == [0, 1, 1], results
        assert all("exist" in err for status, err in results if status)
        assert made.status == "created"
        assert made.state()["pid"] == made.pid
        assert made.start().status == "running"
        made.delete("--force")


@pytest.mark.ours
def test_of_two_starts_one_wins(container, runtime):
    for _ in range(5):
        made = container(shell="echo ran; sleep 100").create()
        results = all_at_once(runtime, [["start", made.id]] * 3)
        assert sorted(status for status, _ in results) == [0, 1, 1], results
        made.wait_output("ran")
        assert made.status == "running"
        made.delete("--force")
        assert made.output == "ran\n"


@pytest.mark.ours
def test_two_forced_deletes_both_succeed(container, runtime):
    for _ in range(5):
        made = container("sleep", "100").up()
        results = all_at_once(runtime, [["delete", "--force", made.id]] * 3)
        assert [status for status, _ in results] == [0, 0, 0], results
        assert not made.exists


@pytest.mark.ours
def test_a_forced_delete_during_anything_removes_the_container(container, runtime):
    for verb in (["start"], ["pause"], ["exec", "-d"], ["kill"], ["state"]):
        made = container("sleep", "100")
        if verb == ["start"]:
            made.create()
        else:
            made.up()
        name, *flags = verb
        command = [name, *flags, made.id, *(["sleep", "100"] if name == "exec" else [])]
        results = all_at_once(runtime, [command, ["delete", "--force", made.id]])
        assert results[1][0] == 0, results
        runtime.ok("delete", "--force", made.id)  # if the other command came later than the first one
        assert not made.exists


@pytest.mark.ours
def test_a_forced_delete_during_create_leaves_a_whole_container_or_none(container, runtime):
    for _ in range(10):
        made = container("sleep", "100")
        (created, _), (deleted, err) = all_at_once(runtime, [create_argv(made), ["delete", "--force", made.id]])
        assert deleted == 0, err
        if made.exists:
            assert created == 0 and made.status == "created"
            made.delete("--force")


@pytest.mark.ours
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_forced_delete_that_comes_before_a_create_has_its_lock_takes_no_container_away(container, runtime):
    """It finds a directory and nothing else. strace holds either up at the moment that counts."""
    made = container("sleep", "100")

    def held_up(where, command):
        flags = ["-qq", "-o", f"{runtime.workdir}/strace", "-e", "trace=flock", "-e", f"inject=flock:{where}"]
        return Command(["strace", *flags, *runtime.argv(*command)], stdin=subprocess.DEVNULL, env=runtime.environment)

    with held_up("delay_enter=600000:when=1", create_argv(made)) as create:
        system.wait_until(lambda: made.exists, "its directory")
        with held_up("delay_exit=1200000:when=2", ["delete", "--force", made.id]) as delete:
            assert (delete.wait(30), create.wait(30)) == (0, 0)
    assert made.status == "created"
    assert made.start().status == "running"


@pytest.mark.ours
def test_a_reader_never_sees_half_a_state(container, runtime):
    """state and list while containers come and go: valid JSON, or that there is no such container."""
    made = container("sleep", "100")
    made.bundle.write()
    stop = threading.Event()
    problems = []

    def read():
        number = 0
        while not stop.is_set():
            number += 1
            path = f"{runtime.workdir}/read-{threading.get_ident()}"
            for verb in (["state", made.id], ["list", "-f", "json"]):
                with open(path, "wb") as out, open(path + ".err", "wb") as err:
                    status = subprocess.run(
                        runtime.argv(*verb), stdout=out, stderr=err, env=runtime.environment, timeout=30, check=False
                    ).returncode
                with open(path, encoding="utf-8") as out, open(path + ".err", encoding="utf-8") as err:
                    text, message = out.read(), err.read()
                if status == 0:
                    try:
                        json.loads(text)
                    except ValueError:
                        problems.append((verb, text))
                elif verb[0] == "list" or "does not exist" not in message:
                    problems.append((verb, message))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(15):
            made.create()
            made.start()
            made.delete("--force")
            made.close()
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert problems == []


def test_pause_and_resume_at_once_end_in_one_of_both(container, runtime):
    made = container("sleep", "100").up()
    all_at_once(runtime, [["pause", made.id], ["resume", made.id], ["pause", made.id], ["resume", made.id]])
    assert made.status in ("running", "paused")
    if made.status == "paused":
        runtime.ok("resume", made.id)
    assert made.exec_ok("echo", "alive") == "alive\n"


@pytest.mark.ours
def test_of_two_updates_at_once_both_are_done(container, runtime):
    for _ in range(5):
        made = container("sleep", "100").up()
        commands = [["update", "--pids-limit", "20", made.id], ["update", "--cpu-share", "77", made.id]]
        commands.append(["update", "--memory-reservation", "64m", made.id])
        assert [status for status, _ in all_at_once(runtime, commands)] == [0, 0, 0]
        with open(f"{runtime.root}/{made.id}/resources.json", encoding="utf-8") as file:
            asked = json.load(file)
        assert (asked["pids"]["limit"], asked["cpu"]["shares"]) == (20, 77)
        assert asked["memory"]["reservation"] == 64 << 20
        made.delete("--force")


@pytest.mark.ours
def test_a_start_and_a_pause_at_once_take_turns(container, runtime):
    for _ in range(5):
        made = container("sleep", "100").create()
        (started, err), (paused, _) = all_at_once(runtime, [["start", made.id], ["pause", made.id]])
        assert paused == 0 and made.status == "paused"
        assert started == 0 or "cannot start a container in the paused state" in err
        runtime.ok("resume", made.id)
        assert made.status == ("running" if started == 0 else "created")
        made.delete("--force")


@pytest.mark.ours
def test_an_exec_and_a_pause_at_once_leave_nobody_behind(container, runtime):
    """Whoever is in before the pause goes on after it."""
    for _ in range(5):
        made = container("sleep", "100").up()
        with runtime.popen("exec", made.id, "true", stderr=PIPE) as process:
            runtime.ok("pause", made.id)
            assert made.status == "paused"
            runtime.ok("resume", made.id)
            _, err = process.communicate(timeout=20)
            assert process.returncode == 0 or b"cannot exec in a paused container" in err
        made.delete("--force")


@pytest.mark.ours
@pytest.mark.parametrize("verb", ["update --pids-limit 20", "events --interval 20ms", "ps", "resume", "wait", "start"])
def test_a_forced_delete_beside_another_verb_is_whole(container, runtime, verb):
    for _ in range(3):
        made = container("sleep", "100").create()
        if verb != "start":
            made.start()
        if verb == "resume":
            runtime.ok("pause", made.id)
        results = all_at_once(runtime, [[*verb.split(), made.id], ["delete", "--force", made.id]])
        assert results[1] == (0, ""), results
        assert len(results[0][1].splitlines()) <= 1, results
        assert not made.exists


def test_commands_on_one_container_do_not_wait_for_another(container, runtime):
    """A container that takes its time does not hold up the others."""
    slow = container("true")
    fifo = f"{runtime.workdir}/fifo"
    os.mkfifo(fifo)
    slow.bundle.config["hooks"] = {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", f"read line < {fifo}"]}]}
    process = runtime.popen(*create_argv(slow), stdout=subprocess.DEVNULL)
    with open(fifo, "w", encoding="utf-8") as hook:  # the hook waits from here on
        assert container("true").run().returncode == 0
        assert runtime.list() is not None
        assert process.poll() is None
        hook.write("go on\n")
    assert process.wait(20) == 0
