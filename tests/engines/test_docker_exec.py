# SPDX-License-Identifier: Apache-2.0
"""docker exec."""

import concurrent.futures

import pytest

from lib.terminal import UserTerminal, set_size


def test_exec_gives_output_and_status(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        done = box.exec([], "sh", "-c", "echo out; echo err >&2; exit 42")
        return done.status, done.stdout, done.stderr

    assert docker.both(scenario) == (42, "out\n", "err\n")


def test_exec_with_input_user_directory_and_environment(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["-e", "KEPT=yes"], "sleep", "100")
        return (
            box.exec_ok(["-i"], "cat", stdin=b"in\n"),
            box.exec_ok(["-u", "alice"], "sh", "-c", "id; echo $HOME"),
            box.exec_ok(["-u", "1234:5678"], "id"),
            box.exec_ok(["-w", "/real/inner", "-e", "MORE=a b"], "sh", "-c", "pwd; echo $KEPT $MORE"),
        )

    seen = docker.both(scenario)
    assert seen[0] == "in"
    assert seen[1] == "uid=1000(alice) gid=1000(alice) groups=1000(alice),2000(music)\n/home/alice"
    assert seen[2] == "uid=1234 gid=5678 groups=5678"
    assert seen[3] == "/real/inner\nyes a b"


@pytest.mark.full
def test_exec_on_a_terminal_follows_the_size(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        with UserTerminal(rows=30, columns=90) as user:
            user.run(docker.argv("exec", "-it", box.name, "sh"), docker.place.environment)
            user.screen_until("# ")
            user.type("until stty size | grep '^30 90$'; do usleep 10000; done; tty\n")
            user.screen_until("\r\n30 90\r\n")
            tty = user.screen_until("/dev/pts/0")[-10:]
            set_size(user.master, 44, 111)
            user.type("until stty size | grep '^44 111$'; do usleep 10000; done; exit 8\n")
            user.screen_until("\r\n44 111\r\n")
            return tty, user.wait(), user.restored()

    assert docker.both(scenario) == ("/dev/pts/0", 8, True)


def test_what_cannot_be_executed_is_126_or_127(docker):
    """Docker 20.10 says 126 for all of them."""

    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        return (
            box.exec([], "no-such-program").status,
            box.exec([], "/no/such/program").status,
            box.exec([], "/bin/not-executable").status,
            box.exec(["-w", "/nowhere"], "true").status,
        )

    assert set(docker.both(scenario)) <= {126, 127}


@pytest.mark.full
def test_exec_privileges(docker):
    """Those of the container; with --privileged those that the machine has."""

    def scenario(runtime):
        box = docker.up(runtime, ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"], "sleep", "100")
        return box.exec_ok([], "grep", "-E", "^(Cap|NoNewPrivs|Seccomp:)", "/proc/self/status").split()

    docker.both(scenario)


@pytest.mark.full
def test_exec_as_a_user_has_no_capabilities(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        return box.exec_ok(["-u", "alice"], "grep", "^Cap", "/proc/self/status").split()

    docker.both(scenario)


@pytest.mark.full
def test_detached_exec_outlives_the_client(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "mkfifo /tmp/f; echo made; cat /tmp/f")
        box.logged("made")
        box.exec_ok(["-d"], "sh", "-c", "echo by exec >/tmp/f")
        return box.wait(), box.logs()

    assert docker.both(scenario) == (0, "made\nby exec")


@pytest.mark.full
def test_twenty_execs_at_once(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            return sorted(pool.map(lambda i: box.exec_ok([], "echo", str(i)), range(20)))

    assert docker.both(scenario) == sorted(map(str, range(20)))


@pytest.mark.full
def test_the_end_of_the_container_ends_an_exec(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sh", "-c", "mkfifo /tmp/f; echo made; cat /tmp/f")
        box.logged("made")
        done = box.exec([], "sh", "-c", "echo >/tmp/f; sleep 100")
        return done.status, box.wait()

    assert docker.both(scenario) == (137, 0)


@pytest.mark.full
def test_exec_in_a_paused_or_stopped_container_is_refused(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        box.ok("pause")
        paused = box.exec([], "true").status
        box.ok("unpause")
        box.ok("kill")
        box.wait()
        return paused, box.exec([], "true").status

    assert docker.both(scenario) == (1, 1)
