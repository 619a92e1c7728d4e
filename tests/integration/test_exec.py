# SPDX-License-Identifier: Apache-2.0
"""exec: one more process in a container."""

import hashlib
import json
import os
import re
import signal
import subprocess

import pytest

from lib import system
from lib.runtime import wait_status
from lib.system import Stream
from lib.terminal import ConsoleSocket, UserTerminal, get_size

PIPE = subprocess.PIPE


@pytest.fixture
def running(container):
    return container("sleep", "1000").up()


@pytest.fixture
def process_file(running, workdir):
    """Writes an OCI process document like the container's own, changed."""

    def write(*args, **changes):
        document = dict(running.bundle.process, args=list(args), **changes)
        with open(f"{workdir}/process.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        return f"{workdir}/process.json"

    return write


# ---- status and streams ----


@pytest.mark.parametrize("status", [0, 1, 3, 127, 255])
def test_exec_passes_the_exit_status_on(running, status):
    assert running.exec("sh", "-c", f"exit {status}").returncode == status


def test_exec_exits_with_128_plus_the_signal(running):
    assert running.exec("sh", "-c", "kill -USR1 $$").returncode == 128 + signal.SIGUSR1


def test_stdout_and_stderr_stay_apart(running):
    result = running.exec("sh", "-c", "echo out; echo err >&2")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


def test_stdin_is_passed_to_its_end(running):
    data = os.urandom(3 << 20)
    with running.runtime.popen("exec", running.id, "cat", stdin=PIPE, stdout=PIPE) as process:
        out, _ = process.communicate(data, timeout=30)
    assert hashlib.sha256(out).digest() == hashlib.sha256(data).digest()


def test_a_flag_after_the_program_is_the_programs(running):
    assert running.exec_ok("echo", "-t", "--tty", "-e") == "-t --tty -e\n"


def test_signals_are_forwarded(running):
    script = "trap 'kill $!; exit 5' TERM; echo up; sleep 100 & wait"
    with running.runtime.popen("exec", running.id, "sh", "-c", script, stdout=PIPE) as process:
        Stream(process.stdout.fileno()).until(b"up\n")
        process.terminate()
        assert wait_status(process) == 5


@pytest.mark.ours
def test_exec_ends_with_its_program_though_a_child_of_that_lives_on(running):
    """The streams are inherited, so nothing has to be copied to its end."""
    assert running.exec_ok("sh", "-c", "sleep 1000 & echo started") == "started\n"
    assert len(system.cgroup_pids(running.pid)) == 2


def test_exec_ends_when_the_container_does(running):
    with running.runtime.popen("exec", running.id, "sh", "-c", "echo up; exec sleep 100", stdout=PIPE) as process:
        Stream(process.stdout.fileno()).until(b"up\n")
        running.kill("KILL")
        assert wait_status(process) == 137


# ---- what the process is ----


def test_the_process_is_in_the_containers_namespaces_and_cgroups(running):
    pid_file = f"{running.runtime.workdir}/exec.pid"
    running.exec_ok("sleep", "100", flags=["-d", "--pid-file", pid_file])
    with open(pid_file, "rb") as file:
        text = file.read()
    assert re.fullmatch(rb"[1-9][0-9]*", text)
    pid = int(text)
    for kind in ("pid", "mnt", "net", "ipc", "uts", "cgroup", "user"):
        assert system.namespace(pid, kind) == system.namespace(running.pid, kind)
    assert system.cgroup_paths(pid) == system.cgroup_paths(running.pid)
    assert os.readlink(f"/proc/{pid}/root") == os.readlink(f"/proc/{running.pid}/root")


def test_the_process_gets_the_containers_environment_and_directory(container):
    made = container("sleep", "1000")
    made.bundle.process["env"] += ["FROM_CONFIG=yes"]
    made.bundle.process["cwd"] = "/usr/bin"
    made.up()
    out = made.exec_ok("sh", "-c", "pwd; echo $FROM_CONFIG $TERM $HOME")
    assert out == "/usr/bin\nyes xterm /root\n"


def test_cwd(running):
    assert running.exec_ok("pwd", flags=["--cwd", "/home/user"]) == "/home/user\n"


def test_env_adds_to_and_overrides_the_containers(running):
    flags = ["--env", "ONE=1", "--env", "TWO=a b=c", "--env", "TERM=dumb"]
    out = running.exec_ok("env", flags=flags).splitlines()
    assert {"ONE=1", "TWO=a b=c", "TERM=dumb"} <= set(out)
    assert "TERM=xterm" not in out
    assert any(line.startswith("PATH=") for line in out)


@pytest.mark.parametrize(
    "flags, ids",
    [
        (["--user", "1000"], "1000 0"),
        (["--user", "1000:2000"], "1000 2000"),
        (["-u", "0:5"], "0 5"),
    ],
)
def test_user(running, flags, ids):
    assert running.exec_ok("sh", "-c", "echo $(id -u) $(id -g)", flags=flags) == ids + "\n"


def test_home_is_the_users(running):
    assert running.exec_ok("sh", "-c", "echo $HOME", flags=["-u", "1000:1000"]) == "/home/user\n"


def test_additional_gids(running):
    flags = ["-u", "1000:1000", "--additional-gids", "2000", "--additional-gids", "3000"]
    out = running.exec_ok("grep", "Groups", "/proc/self/status", flags=flags)
    assert set(out.split()[1:]) - {"1000"} == {"2000", "3000"}


@pytest.mark.ours
def test_short_and_long_flags_may_be_mixed(running):
    flags = ["-e", "ONE=1", "--env", "TWO=2", "-g", "2000", "--additional-gids=3000", "-u", "1000"]
    out = running.exec_ok("sh", "-c", "echo $ONE $TWO; grep Groups /proc/self/status", flags=flags).split()
    assert out[:2] == ["1", "2"] and {"2000", "3000"} <= set(out)


def test_cap_adds_a_capability(running):
    def bounding(*flags):
        return int(running.exec_ok("grep", "CapBnd", "/proc/self/status", flags=flags).split()[1], 16)

    def effective(*flags):
        return int(running.exec_ok("grep", "CapEff", "/proc/self/status", flags=flags).split()[1], 16)

    chown = 1 << 0
    assert not bounding() & chown
    assert bounding("--cap", "CAP_CHOWN") == bounding() | chown
    assert effective("-c", "CAP_CHOWN") & chown


def test_no_new_privs(container):
    made = container("sleep", "1000")
    made.bundle.process["noNewPrivileges"] = False
    made.up()
    assert made.exec_ok("grep", "NoNewPrivs", "/proc/self/status").split()[1] == "0"
    flags = ["--no-new-privs"]
    assert made.exec_ok("grep", "NoNewPrivs", "/proc/self/status", flags=flags).split()[1] == "1"


def test_the_containers_seccomp_filter_holds_for_exec(container):
    made = container("sleep", "1000")
    made.bundle.writable()
    made.bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    made.up()
    result = made.exec("mkdir", "/new")
    assert result.returncode == 1 and "Operation not permitted" in result.stderr


def test_rlimits_and_oom_score_are_the_containers(container):
    made = container("sleep", "1000")
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_STACK", "hard": 2 << 20, "soft": 1 << 20}]
    made.bundle.process["oomScoreAdj"] = 321
    made.up()
    assert made.exec_ok("sh", "-c", "ulimit -Ss; ulimit -Hs; cat /proc/self/oom_score_adj") == "1024\n2048\n321\n"


def test_no_descriptor_of_the_runtime_reaches_the_process(running):
    assert running.exec_ok("sh", "-c", "ls /proc/$$/fd; :").split() == ["0", "1", "2"]


def test_preserved_descriptors_reach_the_process(running, workdir):
    with open(f"{workdir}/three", "w", encoding="utf-8") as file:
        file.write("three")
    argv = running.runtime.argv("exec", "--preserve-fds", "1", running.id, "sh", "-c", "cat <&3")
    result = running.runtime.ok(argv=["sh", "-c", f'exec "$@" 3<{workdir}/three', "sh", *argv])
    assert result.stdout == "three"


def test_cgroup_puts_the_process_into_a_sub_cgroup(running):
    """On v1 for one controller; v2 has one tree, and none is named."""
    on_v1 = system.on_cgroup_v1()
    os.mkdir(system.cgroup_directory(running.pid, "pids") + "/inner")
    pid_file = f"{running.runtime.workdir}/exec.pid"
    flag = "pids:inner" if on_v1 else "inner"
    running.exec_ok("sleep", "100", flags=["-d", "--cgroup", flag, "--pid-file", pid_file])
    with open(pid_file, encoding="utf-8") as file:
        paths = system.cgroup_paths(int(file.read()))
    own = system.cgroup_paths(running.pid)
    if on_v1:
        assert paths["pids"] == own["pids"] + "/inner"
        assert paths["memory"] == own["memory"]
    else:
        assert paths[""] == own[""] + "/inner"


def test_several_controllers_have_a_sub_cgroup_each(running):
    if not system.on_cgroup_v1():
        pytest.skip("cgroup v2 has one tree for all controllers")
    own = system.cgroup_paths(running.pid)
    for controller in ("memory", "cpu", "cpuacct"):
        os.makedirs(f"{system.cgroup_directory(running.pid, controller)}/sub-{controller[:3]}", exist_ok=True)
    flags = ["--cgroup", "memory:sub-mem", "--cgroup", "cpu,cpuacct:/sub-cpu/"]
    seen = running.exec_ok("cat", "/proc/self/cgroup", flags=flags)
    paths = dict(line.split(":", 2)[1:] for line in seen.splitlines())
    assert paths["memory"] == own["memory"] + "/sub-mem"
    assert all(path == own["cpu"] + "/sub-cpu" for label, path in paths.items() if "cpu" in label.split(","))
    assert paths["pids"] == own["pids"]


def test_cgroup_slash_is_the_containers_own(running):
    pid_file = f"{running.runtime.workdir}/exec.pid"
    running.exec_ok("sleep", "100", flags=["-d", "--cgroup", "/", "--pid-file", pid_file])
    with open(pid_file, encoding="utf-8") as file:
        assert system.cgroup_paths(int(file.read())) == system.cgroup_paths(running.pid)


@pytest.mark.ours
@pytest.mark.parametrize(
    "flags, words",
    [
        ([".."], "bad sub cgroup path: .. is not a sub cgroup path"),
        (["a/../../b"], "is not a sub cgroup path"),
        (["a:b:c"], "invalid --cgroup argument: a:b:c"),
        (["a", "b"], "invalid --cgroup argument: a (missing <controller>: prefix)"),
        (["whaat:/"], "unknown controller whaat"),
        (["nonexistent"], "/nonexistent/cgroup.procs: no such file or directory"),
        (["pids:nonexistent"], "/nonexistent/cgroup.procs: no such file or directory"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_cgroup_that_cannot_be_is_refused_in_runcs_words(running, flags, words):
    result = running.exec("true", flags=[word for flag in flags for word in ("--cgroup", flag)])
    assert result.returncode == 255
    result.assert_refused(words)


@pytest.mark.ours
def test_exec_follows_a_first_process_that_moved_down_the_tree(container):
    """What Docker and systemd in a container do: cgroups with controllers for their children take no process."""
    if system.on_cgroup_v1():
        pytest.skip("needs cgroup v2")
    made = container("sleep", "100")
    made.bundle.with_namespace("cgroup")
    for mount in made.bundle.config["mounts"]:
        if mount["type"] == "cgroup":
            mount["options"] = [option for option in mount["options"] if option != "ro"]
    made.up()
    own = system.cgroup_paths(made.pid)[""]
    cgroup = "cd /sys/fs/cgroup; "
    made.exec_ok("sh", "-euc", cgroup + "mkdir inner; echo 1 > inner/cgroup.procs; echo $$ > inner/cgroup.procs; "
                 "echo +memory > cgroup.subtree_control")
    assert made.exec_ok("cat", "/proc/self/cgroup") == "0::/inner\n"
    assert system.cgroup_paths(made.pid)[""] == own + "/inner"
    result = made.exec("true", flags=["--cgroup", "/"])
    assert result.returncode == 255
    result.assert_refused("error adding pid", "to cgroups", "evice or resource busy")
    assert made.exec_ok("cat", "/proc/self/cgroup", flags=["--cgroup", "inner"]) == "0::/inner\n"


# ---- process documents ----


def test_a_process_document_says_everything(running, process_file):
    path = process_file(
        *("sh", "-c", "echo $(id -u) $(id -g) $(id -G); pwd; echo $KEY; exit 4"),
        user={"uid": 1000, "gid": 1000, "additionalGids": [2000]},
        env=["PATH=/bin", "KEY=value"],
        cwd="/tmp",
    )
    result = running.runtime("exec", "--process", path, running.id)
    assert result.returncode == 4
    assert result.stdout == "1000 1000 1000 2000\n/tmp\nvalue\n"


@pytest.mark.ours
def test_a_process_documents_umask(running, process_file):
    path = process_file("sh", "-c", "umask", user={"uid": 0, "gid": 0, "umask": 0o027})
    assert running.runtime.ok("exec", "--process", path, running.id).stdout == "0027\n"


def test_p_is_process(running, process_file):
    assert running.runtime.ok("exec", "-p", process_file("echo", "hi"), running.id).stdout == "hi\n"


def test_a_process_document_replaces_the_containers_environment(running, process_file):
    path = process_file("env", env=["PATH=/bin", "ONLY=this"])
    out = running.runtime.ok("exec", "-p", path, running.id).stdout.splitlines()
    assert sorted(out) == ["HOME=/root", "ONLY=this", "PATH=/bin"]


def test_a_process_documents_capabilities_and_rlimits(running, process_file):
    path = process_file(
        *("sh", "-c", "grep CapBnd /proc/self/status; ulimit -Ss; ulimit -Hs"),
        capabilities={kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted")},
        rlimits=[{"type": "RLIMIT_STACK", "hard": 2 << 20, "soft": 1 << 20}],
    )
    out = running.runtime.ok("exec", "-p", path, running.id).stdout.split()
    assert int(out[1], 16) == 1 << 5
    assert out[2:] == ["1024", "2048"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"args": 5}', '{"args": []}', '{"cwd": "/"}'])
def test_a_bad_process_document_is_an_error(running, workdir, text):
    with open(f"{workdir}/bad.json", "w", encoding="utf-8") as file:
        file.write(text)
    result = running.runtime.fails("exec", "--process", f"{workdir}/bad.json", running.id)
    if running.runtime.is_ours:
        assert len(result.stderr.splitlines()) == 1 and "bad.json" in result.stderr
    assert running.status == "running"


def test_a_process_document_that_is_missing_is_an_error_that_names_it(running):
    result = running.runtime.fails("exec", "--process", "/no/process.json", running.id)
    assert "/no/process.json" in result.stderr


# ---- detached ----


def test_a_detached_exec_returns_while_the_process_runs(running):
    pid_file = f"{running.runtime.workdir}/exec.pid"
    result = running.exec("sh", "-c", "echo up; exec sleep 100", flags=["--detach", "--pid-file", pid_file])
    assert result.returncode == 0
    system.wait_until(lambda: result.stdout == "up\n", "its output")
    with open(pid_file, encoding="utf-8") as file:
        assert int(file.read()) in system.cgroup_pids(running.pid)


def test_a_detached_execs_output_ends_when_it_ends(running):
    reader, writer = os.pipe()
    try:
        running.exec_ok("echo", "said", flags=["-d"], stdout=writer, stderr=writer)
        os.close(writer)
        assert Stream(reader).rest() == b"said\n"
    finally:
        os.close(reader)


def test_a_detached_exec_of_a_missing_program_fails(running):
    result = running.exec("no-such-program", flags=["--detach"])
    assert result.returncode != 0 and "executable file not found" in result.stderr


# ---- terminals ----


def test_tty_gives_the_process_a_terminal(running):
    with UserTerminal(rows=33, columns=77) as terminal:
        terminal.run(
            running.runtime.argv("exec", "--tty", running.id, "sh", "-c", "tty; stty size; exit 3"),
            running.runtime.environment,
        )
        assert terminal.wait() == 3
        assert "/dev/pts/" in terminal.screen
        assert "33 77" in terminal.screen
        assert terminal.restored()


def test_t_lets_the_user_type(running):
    with UserTerminal() as terminal:
        terminal.run(running.runtime.argv("exec", "-t", running.id, "sh"), running.runtime.environment)
        terminal.screen_until("# ")
        terminal.type("echo $((6 * 7)); exit 8\n")
        terminal.screen_until("42")
        assert terminal.wait() == 8


def test_console_socket_receives_the_terminal(running):
    with ConsoleSocket(f"{running.runtime.workdir}/console.sock") as console:
        running.exec_ok(
            *("sh", "-c", "tty; test -t 0 && test -t 1 && test -t 2 && echo yes"),
            flags=["-d", "-t", "--console-socket", console.path],
        )
        terminal, _ = console.receive()
        try:
            assert os.isatty(terminal)
            screen = Stream(terminal).until(b"yes")
            assert b"/dev/pts/" in screen
        finally:
            os.close(terminal)


def test_console_size_of_a_process_document(running, process_file):
    path = process_file("sleep", "100", terminal=True, consoleSize={"height": 41, "width": 121})
    with ConsoleSocket(f"{running.runtime.workdir}/console.sock") as console:
        running.runtime.ok("exec", "-d", "-p", path, "--console-socket", console.path, running.id)
        terminal, _ = console.receive()
        assert get_size(terminal) == (41, 121)
        os.close(terminal)


def test_without_tty_there_is_no_terminal(running):
    result = running.exec("tty")
    assert result.returncode == 1 and "not a tty" in result.stdout


# ---- refusals ----


def test_exec_in_an_unknown_container_is_an_error(runtime):
    result = runtime.fails("exec", runtime.new_id(), "true")
    assert "does not exist" in result.stderr
    assert result.returncode in (1, 255)


def test_exec_in_a_stopped_container_is_refused(container):
    made = container("true").up()
    made.wait()
    result = made.exec("true")
    assert result.returncode == 255
    assert "stopped" in result.stderr or "not running" in result.stderr


def test_exec_in_a_paused_container_is_refused(running):
    running.runtime.ok("pause", running.id)
    result = running.exec("true")
    assert result.returncode == 255 and "paused" in result.stderr


def test_exec_in_a_paused_container_waits_for_resume_when_asked(running):
    running.runtime.ok("pause", running.id)
    with running.runtime.popen("exec", "--ignore-paused", running.id, "echo", "at last", stdout=PIPE) as process:
        running.state()  # takes longer than an exec does
        assert process.poll() is None
        running.runtime.ok("resume", running.id)
        assert process.communicate(timeout=30)[0] == b"at last\n"
        assert process.returncode == 0


def test_exec_in_a_created_container_works(container):
    """buildah and tests of engines do that."""
    made = container("sleep", "100").create()
    assert made.exec_ok("hostname") == "box\n"
    assert made.status == "created"


def test_a_missing_program_is_an_error_that_names_it(running):
    result = running.exec("no-such-program")
    assert result.returncode != 0
    assert "executable file not found" in result.stderr and "no-such-program" in result.stderr
    assert running.status == "running"


@pytest.mark.parametrize("program", ["no-such-program", "/no/program", "/etc/passwd", "/etc", "/script"])
def test_exec_exits_with_255_for_a_missing_or_not_executable_program(container, program):
    """As runc's and crun's do: whatever the program exits with is its own. Engines go by the text."""
    made = container("sleep", "100")
    made.bundle.writable()
    with open(f"{made.bundle.rootfs}/script", "w", encoding="utf-8") as file:
        file.write("#!/no/interpreter\n")
    os.chmod(file.name, 0o755)
    made.up()
    result = made.exec(program)
    assert result.returncode == 255
    assert len(result.stderr.splitlines()) == 1
    if program == "/script":
        assert "exec /script: no such file or directory" in result.stderr


def test_a_missing_directory_is_an_error_that_names_it(running):
    result = running.exec("true", flags=["--cwd", "/no/directory"])
    if running.runtime.is_ours:
        assert result.returncode == 255
    assert result.returncode != 0 and "/no/directory" in result.stderr


@pytest.mark.parametrize(
    "flags",
    [["--user", "nobody-here"], ["--cap", "CAP_CHOWN", "--user", "1:x"], ["--cwd", "relative"], ["--no-such-flag"]],
    ids=lambda flags: flags[0] + flags[-1],
)
def test_bad_flags_are_refused(running, flags):
    result = running.exec("true", flags=flags)
    assert result.returncode != 0
    if running.runtime.is_ours:
        assert len(result.stderr.splitlines()) == 1 and flags[-1] in result.stderr


def test_exec_needs_a_program(running):
    assert running.runtime.fails("exec", running.id).stderr


# ---- many ----


def test_many_execs_at_once(running):
    started = [
        running.runtime.popen("exec", running.id, "sh", "-c", f"echo {n}; exit {n}", stdout=PIPE) for n in range(20)
    ]
    for n, process in enumerate(started):
        assert process.communicate(timeout=30)[0] == f"{n}\n".encode()
        assert process.returncode == n


def test_exec_sees_the_containers_processes_and_leaves_none(running):
    assert "sleep 1000" in running.exec_ok("ps")
    assert system.cgroup_pids(running.pid) == {running.pid}
