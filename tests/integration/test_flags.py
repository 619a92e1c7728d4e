# SPDX-License-Identifier: Apache-2.0
"""Flags of create, run and exec that have no file of their own: what each does, on every kind of container."""

import json
import os
import select
import signal

import pytest

from lib import system
from lib.system import namespace
from lib.terminal import ConsoleSocket

pytestmark = pytest.mark.ours  # Debian 12's runc has not all of them

# ---- --pidfd-socket ----


@pytest.fixture
def pidfds(workdir):
    """The socket that it is sent to."""
    with ConsoleSocket(f"{workdir}/pidfds") as server:
        yield server


def pid_of(pidfd):
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
        return int(next(line.split()[1] for line in info if line.startswith("Pid:")))


@pytest.mark.parametrize("kind", ["usual", "user namespace", "the host's processes"])
@pytest.mark.parametrize("verb", ["create", "run", "exec"])
def test_a_pidfd_of_the_process_is_sent(container, pidfds, kind, verb):
    made = container("sleep", "100")
    if kind == "user namespace":
        made.bundle.user_namespace()
    elif kind != "usual":
        made.bundle.without_namespace("pid")
    flags = ["--pidfd-socket", pidfds.path, "--pid-file", made.pid_file]
    if verb == "create":
        made.create(*flags[:2])
    elif verb == "run":
        assert made.run("-d", *flags).returncode == 0
    else:
        made.up()
        made.exec_ok("sleep", "200", flags=["-d", *flags])
    pidfd, name = pidfds.receive()
    try:
        assert name == "pidfd" and pid_of(pidfd) == made.pid
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        assert select.select([pidfd], [], [], system.DEADLINE)[0]
    finally:
        os.close(pidfd)
    assert made.status == ("running" if verb == "exec" else "stopped")


def test_the_program_does_not_have_it(container, pidfds):
    made = container(shell="ls -l /proc/$$/fd")
    out = made.run_ok("--pidfd-socket", pidfds.path)
    assert "pidfd" not in out and "socket:" not in out
    os.close(pidfds.receive()[0])


@pytest.mark.parametrize("verb", ["create", "run", "exec", "exec -d"])
def test_a_pidfd_socket_that_nobody_listens_on_is_an_error(container, workdir, verb):
    made = container("sleep", "100")
    path = f"{workdir}/nobody"
    if verb.startswith("exec"):
        made.up()
        flags = [*verb.split()[1:], "--pidfd-socket", path]
        made.exec("sleep", "200", flags=flags).assert_refused("--pidfd-socket", path)
        assert system.cgroup_pids(made.pid) == {made.pid}
        return
    made.bundle.write()
    made.runtime(verb, "-b", made.bundle.path, "--pidfd-socket", path, made.id).assert_refused("--pidfd-socket", path)
    assert not made.exists


# ---- --no-pivot, --no-subreaper ----


def test_without_a_pivot_the_root_is_the_containers_all_the_same(container):
    """On a ramdisk the kernel refuses pivot_root; nothing of the host's may be seen for that."""
    made = container("sleep", "100").up("--no-pivot")
    targets = {line.split()[4] for line in made.exec_ok("cat", "/proc/self/mountinfo").splitlines()}
    assert not [target for target in targets if target.startswith(("/tmp", "/run", "/mnt"))]
    assert set(made.exec_ok("ls", "/").split()) == set(os.listdir(made.bundle.rootfs))
    assert made.exec_ok("ls", "/../..") == made.exec_ok("ls", "/")
    assert namespace(made.pid, "mnt") != namespace("self", "mnt")


def test_without_being_a_subreaper_run_passes_the_status_on(container):
    assert container(shell="sleep 100 & exit 3").run("--no-subreaper").returncode == 3


def test_without_being_a_subreaper_a_detached_container_is_one_like_any_other(container):
    made = container("sleep", "100")
    assert made.run("-d", "--no-subreaper", "--pid-file", made.pid_file).returncode == 0
    assert made.state()["pid"] == made.pid
    made.delete("--force")


# ---- no value is no flag ----


def test_a_flag_of_create_without_a_value_is_none(container, runtime):
    """As with runc: scripts leave variables empty."""
    made = container("sleep", "100")
    made.bundle.write()
    names = ("--bundle", "--config", "--console-socket", "--pid-file", "--pidfd-socket")
    runtime.ok("create", *(word for name in names for word in (name, "")), made.id, cwd=made.bundle.path)
    assert made.state()["bundle"] == made.bundle.path
    assert made.start().status == "running"


def test_a_flag_of_exec_without_a_value_is_none(container):
    made = container("sleep", "100")
    made.bundle.process["cwd"] = "/usr"
    made.up()
    names = ("--cwd", "--user", "--process", "--pid-file", "--console-socket", "--pidfd-socket", "--apparmor")
    flags = [word for name in (*names, "--process-label") for word in (name, "")]
    assert made.exec_ok("sh", "-c", "pwd; id -u", flags=flags).split() == ["/usr", "0"]


# ---- exec, in whatever container ----

KINDS = {
    "created": lambda made: made.create(),
    "user namespace": lambda made: made.bundle.user_namespace() and made.up(),
    "the host's processes": lambda made: made.bundle.without_namespace("pid") and made.up(),
    "another's processes": None,
    "no root for writing": lambda made: made.up(),
}


@pytest.fixture(params=KINDS)
def kind(request, container):
    made = container("sleep", "100")
    if KINDS[request.param]:
        KINDS[request.param](made)
    else:
        other = container("sleep", "100").up()
        made.bundle.with_namespace("pid", f"/proc/{other.pid}/ns/pid")
        made.up()
    return made


def test_every_flag_of_exec(kind, workdir):
    with open(f"{workdir}/three", "w", encoding="ascii") as file:
        file.write("three")
    flags = ["--cwd", "/tmp", "-e", "ONE=1", "--env", "TWO=2", "-u", "7:8", "-g", "9", "--additional-gids", "10"]
    flags += ["--no-new-privs", "-c", "CAP_CHOWN", "--cap", "CAP_NET_RAW", "--cgroup", "/", "--preserve-fds", "1"]
    flags += ["--pid-file", f"{workdir}/pid"]
    script = "pwd; echo $ONE $TWO; id -u; id -g; grep -E 'Groups|NoNewPrivs|CapBnd' /proc/self/status; cat <&3; echo $$"
    argv = kind.runtime.argv("exec", *flags, kind.id, "sh", "-c", script)
    out = kind.runtime.ok(argv=["sh", "-c", f'exec "$@" 3<{workdir}/three', "sh", *argv]).stdout.splitlines()
    assert out[:4] == ["/tmp", "1 2", "7", "8"]
    values = dict(line.split(":\t") for line in out[4:7])
    assert set(values["Groups"].split()) - {"8"} == {"9", "10"} and values["NoNewPrivs"] == "1"
    assert int(values["CapBnd"], 16) & (1 << 0 | 1 << 13) == 1 << 0 | 1 << 13
    assert out[7].startswith("three")
    with open(f"{workdir}/pid", encoding="ascii") as file:
        assert int(file.read()) > 0
    assert system.cgroup_pids(kind.pid) == {kind.pid}


def test_every_field_of_a_process_document(kind, workdir):
    script = "pwd; echo $KEY; id -u; umask; ulimit -n; cat /proc/self/oom_score_adj; grep -E 'Groups|CapBnd' /proc/self/status"
    document = {
        "args": ["sh", "-c", script],
        "cwd": "/usr",
        "env": ["PATH=/bin", "KEY=value"],
        "user": {"uid": 5, "gid": 6, "umask": 0o077, "additionalGids": [3]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 60, "hard": 70}],
        "oomScoreAdj": 77,
        "noNewPrivileges": True,
        "capabilities": {kind_: ["CAP_KILL"] for kind_ in ("bounding", "effective", "permitted")},
    }
    with open(f"{workdir}/process.json", "w", encoding="utf-8") as file:
        json.dump(document, file)
    out = kind.runtime.ok("exec", "-p", f"{workdir}/process.json", kind.id).stdout.splitlines()
    assert out[:6] == ["/usr", "value", "5", "0077", "60", "77"]
    values = dict(line.split(":\t") for line in out[6:])
    assert "3" in values["Groups"].split() and int(values["CapBnd"], 16) == 1 << 5


def test_a_terminal_of_exec(kind, workdir):
    with ConsoleSocket(f"{workdir}/console") as console:
        kind.exec_ok("sh", "-c", "tty; sleep 100", flags=["-d", "-t", "--console-socket", console.path])
        master, _ = console.receive()
    try:
        assert b"/dev/pts/" in system.Stream(master).until(b"\n")
    finally:
        os.close(master)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["-d", "-t"], "cannot allocate tty if runlxc will detach without setting console socket"),
        (["--console-socket", "/no/socket"], "cannot use console socket if runlxc will not detach or allocate tty"),
        (["-t", "--console-socket", "/no/socket"], "cannot use console socket if runlxc will not detach or allocate tty"),
        (["-d", "-t", "--console-socket", "/no/socket"], "--console-socket"),
        (["--preserve-fds", "-1"], "--preserve-fds"),
        (["--preserve-fds", "99999999"], "--preserve-fds"),
        (["-u", "4294967295"], "--user"),
        (["-u", "4294967296"], "--user"),
        (["-u", ":5"], "--user"),
        (["-g", "-1"], "--additional-gids"),
        (["--additional-gids", "x"], "--additional-gids"),
        (["--cgroup", "../.."], "--cgroup"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_exec_cannot_do_is_an_error_that_names_the_flag(container, flags, words):
    made = container("sleep", "100").up()
    result = made.exec("sleep", "200", flags=flags)
    result.assert_refused(words)
    assert result.returncode == 255 and system.cgroup_pids(made.pid) == {made.pid}


def test_an_exec_in_a_container_that_ends_says_so(container, runtime):
    """Whenever it notices."""
    words = ("cannot exec in a stopped container", "container does not exist")
    for _ in range(15):
        made = container(shell="usleep 2000").up()
        results = [made.exec("true") for _ in range(3)]
        for result in results:
            assert result.returncode in (0, 137) or any(word in result.stderr for word in words), result
        made.wait()
        runtime.ok("delete", made.id)


# ---- kill ----


@pytest.mark.parametrize("name, number", [
    ("SIGRTMIN+3", 37), ("RTMIN", 34), ("rtmin+1", 35), ("RTMAX", 64), ("SIGRTMAX-1", 63), ("64", 64), ("37", 37),
    ("SIGIO", 29), ("POLL", 29), ("CLD", 17), ("SIGWINCH", 28), ("stkflt", 16), ("PWR", 30), ("Sys", 31),
])  # fmt: skip
def test_a_signal_by_an_odd_name_arrives(container, name, number):
    numbers = "16 17 28 29 30 31 34 35 37 63 64"
    traps = "".join(f"trap 'echo got {n}.' {n}; " for n in numbers.split())
    made = container(shell=f"{traps}echo up; while :; do sleep 100 & wait $!; done").up()
    made.wait_output("up")
    made.kill(name)
    made.wait_output(f"got {number}.")


def test_signal_0_asks_whether_it_runs(container):
    made = container("sleep", "100").create()
    made.kill("0")
    made.start().kill("0")
    made.kill("0", "--all")
    assert made.status == "running"
    made.stop()
    made.runtime("kill", made.id, "0").assert_refused("container not running")


@pytest.mark.parametrize("name", ["65", "-1", "-9", "", "SIG", "SIG9", "RTMIN+31", "RTMAX+1", "RTMIN-1", "0x9", " 9", "9x"])
def test_what_is_no_signal_is_refused(container, name):
    made = container("sleep", "100").up()
    made.runtime("kill", made.id, name).assert_refused(name)
    assert made.status == "running"


# ---- a standard output that can't be written ----


@pytest.mark.parametrize(
    "words",
    [
        *(["state", "ID"], ["list"], ["list", "-q"], ["list", "-f", "json"], ["ps", "ID"], ["ps", "-f", "json", "ID"]),
        *(["events", "--stats", "ID"], ["events", "--interval", "50ms", "ID"], ["stats", "--no-stream"], ["config", "ID"]),
        *(["features"], ["--version"], ["--help"], ["run", "--help"]),
    ],
    ids=" ".join,
)
def test_a_full_standard_output_is_an_error(container, words):
    made = container("sleep", "100").up()
    with open("/dev/full", "wb") as full:
        result = made.runtime(*(made.id if word == "ID" else word for word in words), stdout=full)
    result.assert_refused("write to standard output: no space left on device")


def test_a_full_log_keeps_nobody_from_anything(container):
    made = container(shell="echo ran; exit 3")
    made.bundle.write()
    flags = [*made.runtime.global_flags, "--log", "/dev/full", "--debug"]
    result = made.runtime(argv=[made.runtime.command, *flags, "run", "-b", made.bundle.path, made.id])
    assert (result.stdout, result.returncode) == ("ran\n", 3)
    result = made.runtime(argv=[made.runtime.command, *flags, "state", made.id])
    assert result.returncode == 1 and "container does not exist" in result.stderr
