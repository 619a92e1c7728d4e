# SPDX-License-Identifier: Apache-2.0
"""docker run: streams, terminals and exit statuses."""

import hashlib
import os
import signal

import pytest

from lib.docker import IMAGE
from lib.system import wait_until
from lib.terminal import UserTerminal, is_raw, set_size


@pytest.mark.parametrize(
    "code", [0, 3, pytest.param(126, marks=pytest.mark.full), pytest.param(127, marks=pytest.mark.full)]
)
def test_run_ends_with_the_programs_status(docker, code):
    docker.same([], "sh", "-c", f"echo out; echo err >&2; exit {code}", status=code, output="out\n")


def test_a_program_that_is_not_there_is_127(docker):
    assert "executable file not found" in docker.same([], "no-such-program", status=127).stderr


@pytest.mark.full
def test_a_path_that_is_not_there_is_127(docker):
    assert "no such file or directory" in docker.same([], "/no/such/program", status=127).stderr


def test_a_program_that_may_not_be_executed_is_126(docker):
    assert "permission denied" in docker.same([], "/bin/not-executable", status=126).stderr


@pytest.mark.full
def test_a_directory_as_the_program_is_126(docker):
    docker.same([], "/etc", status=126)


@pytest.mark.parametrize(
    "number", [9, pytest.param(15, marks=pytest.mark.full), pytest.param(6, marks=pytest.mark.full)]
)
def test_a_program_killed_by_a_signal_is_128_and_more(docker, number):
    # A first process doesn't die of a signal of its own, but its child does.
    docker.same([], "sh", "-c", f"sh -c 'kill -{number} $$'; exit $?", status=128 + number)


def test_a_container_killed_from_outside_is_137(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        os.kill(box.pid, signal.SIGKILL)
        return box.wait(), box.inspect()["OOMKilled"]

    assert docker.both(scenario) == (137, False)


def test_standard_input_reaches_the_program(docker):
    docker.same(["-i"], "sh", "-c", "read line; echo got $line; cat", stdin=b"one\ntwo\n", output="got one\ntwo\n")


@pytest.mark.full
def test_a_megabyte_goes_through_unchanged(docker):
    data = bytes(range(256)) * 4096
    docker.same(["-i"], "md5sum", stdin=data, output=f"{hashlib.md5(data).hexdigest()}  -\n")
    docker.same(["-i"], "wc", "-c", stdin=data, output="1048576\n")


@pytest.mark.full
def test_without_i_standard_input_is_empty(docker):
    docker.same([], "cat", stdin=b"not for you\n", output="")


def test_a_terminal_follows_the_size_of_the_users(docker):
    def scenario(runtime):
        with UserTerminal(rows=33, columns=99) as user:
            argv = docker.argv("run", "--rm", "-it", "--runtime", runtime, IMAGE, "sh")
            user.run(argv, docker.place.environment)
            user.screen_until("# ")
            # The client resizes once the container runs, so the first sizes may be others.
            user.type("until stty size | grep '^33 99$'; do usleep 10000; done; tty; echo 1st=$?\n")
            user.screen_until("\r\n33 99\r\n")
            first = user.screen_until("1st=0")
            set_size(user.master, 40, 120)
            user.type("until stty size | grep '^40 120$'; do usleep 10000; done; exit 7\n")
            user.screen_until("\r\n40 120\r\n")
            return first, user.wait(), user.restored()

    assert docker.both(scenario) == ("/dev/pts/0\r\n1st=0", 7, True)


def test_a_terminal_passes_interrupts_and_carriage_returns(docker):
    def scenario(runtime):
        with UserTerminal() as user:
            script = "trap 'echo caught; exit 5' INT; echo ready; while :; do usleep 10000; done"
            user.run(
                docker.argv("run", "--rm", "-it", "--runtime", runtime, IMAGE, "sh", "-c", script),
                docker.place.environment,
            )
            user.screen_until("ready\r\n")
            user.type("\x03")
            return user.screen_until("caught\r\n"), user.wait()

    assert docker.both(scenario)[1] == 5


@pytest.mark.full
def test_a_terminal_without_input(docker):
    docker.same(
        ["-t"],
        "sh",
        "-c",
        "test -t 0 && test -t 1 && test -t 2 && echo all; ls -l /dev/console | cut -c1-10",
        output="all\r\ncrw--w----\r\n",
    )


def test_detached_with_logs_and_wait(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "echo one; echo two >&2; exit 9")
        status = box.wait()
        logs = docker("logs", box.name)
        return status, logs.stdout, logs.stderr, box.inspect()["ExitCode"], box.status

    assert docker.both(scenario) == (9, "one\n", "two\n", 9, "exited")


@pytest.mark.full
def test_attach_and_detach_keys(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["-it"], "sh", "-c", "read line; echo got $line; exit 4")
        with UserTerminal() as user:
            user.run(docker.argv("attach", box.name), docker.place.environment)
            wait_until(lambda: is_raw(user.slave), "the client is attached")
            user.type("x\x10\x11")
            detached = user.wait()
        with UserTerminal() as user:
            user.run(docker.argv("attach", box.name), docker.place.environment)
            user.type("y\n")
            user.screen_until("got xy\r\n")
            return detached, user.wait(), box.wait()

    assert docker.both(scenario)[1:] == (4, 4)


@pytest.mark.full
def test_create_then_start_attached(docker):
    def scenario(runtime):
        name = docker.name()
        docker.ok("create", "--name", name, "--runtime", runtime, "-i", IMAGE, "cat")
        started = docker("start", "--attach", "--interactive", name, stdin=b"late\n")
        return started.status, started.stdout

    assert docker.both(scenario) == (0, "late\n")


def test_environment_directory_and_entrypoint(docker):
    docker.same(
        ["-e", "A=b c", "-w", "/made/on/the/spot"],
        "sh",
        "-c",
        "echo $A $HOME; pwd",
        output="b c /root\n/made/on/the/spot\n",
    )
    docker.same(["--entrypoint", "/bin/echo"], "-n", "x", output="x")


@pytest.mark.full
def test_the_environment_is_the_same(docker):
    docker.same(["--hostname", "box"], "env")


@pytest.mark.full
def test_copying_in_and_out(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        path = f"{docker.directory}/{box.name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("from the host\n")
        docker.ok("cp", path, f"{box.name}:/tmp/here")
        seen = box.exec_ok([], "cat", "/tmp/here")
        docker.ok("cp", f"{box.name}:/etc/passwd", path)
        with open(path, encoding="utf-8") as file:
            return seen, file.read()

    docker.both(scenario)


@pytest.mark.full
def test_commit_diff_and_export(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "echo new >/tmp/new; rm /etc/group")
        box.wait()
        made = f"made-{runtime}:1"
        docker.ok("commit", box.name, made)
        try:
            again = docker("run", "--rm", "--runtime", runtime, made, "cat", "/tmp/new")
            return sorted(box.ok("diff").splitlines()), again.stdout
        finally:
            docker.ok("rmi", made)

    assert "A /tmp/new" in docker.both(scenario)[0]


@pytest.mark.full
def test_build_runs_its_steps_under_the_default_runtime(docker):
    """The classic builder takes the daemon's default; runc is that here. What is built runs under both."""
    directory = f"{docker.directory}/build-{docker.name()}"
    os.mkdir(directory)
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(
            f"FROM {IMAGE}\nRUN echo built >/built\nUSER alice\nWORKDIR /home/alice\nENTRYPOINT [\"cat\"]\nCMD "
            "[\"/built\"]\n",
        )
    environment = dict(docker.place.environment, DOCKER_BUILDKIT="0")
    docker.ok("build", "--tag", "built:1", directory, env=environment)
    try:
        docker.both(lambda runtime: docker.ok("run", "--rm", "--runtime", runtime, "built:1"))
    finally:
        docker.ok("rmi", "built:1")
