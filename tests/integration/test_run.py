# SPDX-License-Identifier: Apache-2.0
"""run: a container in the foreground, from its start to its removal."""

import hashlib
import os
import signal
import subprocess

import pytest

from lib import system
from lib.runtime import wait_status
from lib.system import Stream

PIPE = subprocess.PIPE


@pytest.mark.parametrize("status", [0, 1, 3, 126, 127, 255])
def test_run_exits_with_the_programs_exit_status(container, status):
    assert container(shell=f"exit {status}").run().returncode == status


def test_run_exits_with_137_when_the_program_is_killed(container):
    made = container(shell="echo up; exec sleep 100")
    with made.popen_run(stdout=PIPE) as process:
        Stream(process.stdout.fileno()).until(b"up\n")
        os.kill(made.state()["pid"], signal.SIGKILL)
        assert wait_status(process) == 128 + signal.SIGKILL


@pytest.mark.parametrize("name", ["USR2", "TERM", "SEGV", "ABRT"])
def test_run_exits_with_128_plus_the_signal_that_the_program_sent_itself(container, name):
    """Without a pid namespace of its own: there a PID 1's immunity does not hold."""
    made = container(shell=f"kill -{name} $$")
    made.bundle.without_namespace("pid")
    assert made.run().returncode == 128 + getattr(signal, f"SIG{name}")


def test_run_deletes_the_container_when_it_has_ended(container):
    made = container("true")
    made.run_ok()
    assert not made.exists
    assert made.runtime.list() == []


def test_run_keep_leaves_a_stopped_container(container):
    made = container(shell="exit 4")
    assert made.run("--keep").returncode == 4
    assert made.status == "stopped"
    made.delete()
    assert not made.exists


def test_run_detach_returns_while_the_program_runs(container):
    made = container(shell="echo up; sleep 100")
    assert made.run("--detach", "--pid-file", made.pid_file).returncode == 0
    assert made.status == "running"
    assert made.state()["pid"] == made.pid
    made.wait_output("up")


def test_run_d_is_run_detach(container):
    made = container("sleep", "100")
    assert made.run("-d").returncode == 0
    assert made.status == "running"


def test_a_detached_container_that_ended_is_stopped_until_deleted(container):
    made = container("true")
    assert made.run("-d").returncode == 0
    system.wait_until(lambda: made.status == "stopped", "stopped")
    made.delete()


def test_the_program_runs_as_pid_1_with_its_hostname(container):
    assert container(shell="echo $$; hostname").run_ok() == "1\nbox\n"


def test_stdout_and_stderr_stay_apart(container):
    result = container(shell="echo out; echo err >&2").run()
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


def test_stdin_is_passed_to_its_end(container):
    made = container(shell="cat; echo end")
    with made.popen_run(stdin=PIPE, stdout=PIPE) as process:
        out, _ = process.communicate(b"one\ntwo\n", timeout=30)
    assert out == b"one\ntwo\nend\n"


def test_the_container_may_end_while_stdin_is_open(container):
    made = container("true")
    with made.popen_run(stdin=PIPE) as process:
        assert wait_status(process) == 0
        process.stdin.close()


def test_ten_megabytes_pass_unchanged(container):
    data = os.urandom(1 << 20) * 10
    with container("cat").popen_run(stdin=PIPE, stdout=PIPE) as process:
        out, _ = process.communicate(data, timeout=50)
    assert len(out) == len(data)
    assert hashlib.sha256(out).digest() == hashlib.sha256(data).digest()


def test_the_last_bytes_before_the_end_are_not_lost(container):
    made = container(shell="seq 1 20000")
    with made.popen_run(stdout=PIPE) as process:
        out, _ = process.communicate(timeout=30)
    assert out == "".join(f"{n}\n" for n in range(1, 20001)).encode()


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT"])
def test_signals_are_forwarded_to_the_program(container, name):
    made = container(shell=f"trap 'echo got {name}; exit 5' {name}; echo up; sleep 100 & wait")
    with made.popen_run(stdout=PIPE, stderr=PIPE) as process:
        output = Stream(process.stdout.fileno())
        output.until(b"up\n")
        process.send_signal(getattr(signal, f"SIG{name}"))
        output.until(f"got {name}\n".encode())
        assert wait_status(process) == 5


@pytest.mark.ours  # runc and crun make no difference
def test_a_signal_that_the_caller_ignores_is_not_forwarded(container):
    """As under nohup."""
    traps = "trap 'echo got HUP' HUP; trap 'echo got TERM; exit 5' TERM"
    made = container(shell=f"{traps}; echo up; while :; do sleep 100 & wait; done")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = made.popen_run(stdout=PIPE)
    finally:
        signal.signal(signal.SIGHUP, before)
    with process:
        output = Stream(process.stdout.fileno())
        output.until(b"up\n")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        output.until(b"got TERM\n")
        assert wait_status(process) == 5
        assert output.data == b"up\ngot TERM\n"


def test_the_program_gets_no_blocked_or_ignored_signals(container):
    out = container("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status").run_ok()
    blocked, ignored = (int(line.split()[1], 16) for line in out.splitlines())
    assert (blocked, ignored) == (0, 0)


def test_run_reads_the_bundle_of_the_current_directory(container):
    made = container("echo", "here")
    made.bundle.write()
    assert made.runtime.ok("run", made.id, cwd=made.bundle.path).stdout == "here\n"


def test_run_writes_a_pid_file(container):
    made = container(shell="echo up; read line")
    with made.popen_run("--pid-file", made.pid_file, stdin=PIPE, stdout=PIPE) as process:
        Stream(process.stdout.fileno()).until(b"up\n")
        assert made.state()["pid"] == made.pid
        process.stdin.write(b"\n")
        process.stdin.close()
        assert wait_status(process) == 0


def test_processes_left_by_the_program_end_with_it(container):
    """PID 1's end is the container's; the others are gone before run returns, and so is their output."""
    made = container(shell="sleep 100 & sleep 100 & exit 6")
    with made.popen_run(stdout=PIPE) as process:
        assert Stream(process.stdout.fileno()).rest() == b""
        assert wait_status(process) == 6


def test_a_missing_program_is_an_error_that_names_it(container):
    made = container("no-such-program")
    result = made.run()
    assert result.returncode != 0
    assert "no-such-program" in result.stderr and "executable file not found" in result.stderr
    assert not made.exists


def test_a_program_that_is_missing_at_its_path_is_an_error_that_names_it(container):
    made = container("/bin/no-such-program")
    result = made.run()
    assert result.returncode != 0
    assert "/bin/no-such-program" in result.stderr and "no such file or directory" in result.stderr


def test_a_program_that_may_not_be_executed_is_an_error_that_names_it(container):
    made = container("/etc/passwd")
    result = made.run()
    assert result.returncode != 0
    assert "/etc/passwd" in result.stderr and "permission denied" in result.stderr


@pytest.mark.ours
@pytest.mark.parametrize(
    "program, status",
    [("no-such-program", 127), ("/no/such/program", 127), ("/etc/passwd", 126), ("/etc", 126)],
)
def test_run_exits_with_127_for_a_missing_and_126_for_a_not_executable_program(container, program, status):
    result = container(program).run()
    assert result.returncode == status
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_script_whose_interpreter_is_missing_is_an_error(container):
    made = container("/script")
    with open(f"{made.bundle.rootfs}/script", "w", encoding="utf-8") as file:
        file.write("#!/no/interpreter\n")
        os.fchmod(file.fileno(), 0o755)
    result = made.run()
    assert result.returncode != 0 and "no such file or directory" in result.stderr


def test_a_script_runs(container):
    made = container("/script", "one")
    with open(f"{made.bundle.rootfs}/script", "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\necho "$0 $1"\n')
        os.fchmod(file.fileno(), 0o755)
    assert made.run_ok() == "/script one\n"


def test_arguments_reach_the_program_as_they_are(container):
    arguments = ["a b", "", "x\ny", "$HOME `id` \\ \"'", "ä€\t"]
    made = container("printf", "%s|", *arguments)
    assert made.run_ok() == "".join(f"{argument}|" for argument in arguments)


def test_a_failed_run_leaves_nothing_and_says_why_in_one_line(container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    result = made.run()
    assert result.returncode != 0
    assert "/no/such/source" in result.stderr and len(result.stderr.splitlines()) == 1
    assert not made.exists


def run_with_descriptors(made, redirections, *flags, setup=""):
    """`run` by a shell that has opened descriptors before; what the container printed, as words."""
    made.bundle.write()
    argv = made.runtime.argv("run", *flags, "--bundle", made.bundle.path, made.id)
    return made.runtime.ok(argv=["sh", "-c", f'{setup}exec "$@" {redirections}', "sh", *argv]).stdout.split()


@pytest.fixture
def three(workdir):
    """A file to be opened as descriptor 3."""
    with open(f"{workdir}/three", "w", encoding="utf-8") as file:
        file.write("three")
    return f"{workdir}/three"


def test_preserved_descriptors_reach_the_program(container, three):
    made = container(shell="cat <&3")
    assert run_with_descriptors(made, f"3<{three}", "--preserve-fds", "1") == ["three"]


def test_no_other_than_the_preserved_descriptors_reaches_the_program(container, three):
    made = container(shell="ls /proc/$$/fd; :")
    found = run_with_descriptors(made, f"3<{three} 4</ 5</ 9</", "--preserve-fds", "1")
    assert found == ["0", "1", "2", "3"]


def test_open_descriptors_of_the_caller_do_not_reach_the_program(container):
    made = container(shell="ls /proc/$$/fd; :")
    assert run_with_descriptors(made, "3</ 7</ 9</") == ["0", "1", "2"]


def test_descriptors_of_socket_activation_are_passed_on(container, three):
    made = container(shell="cat <&3; echo; echo $LISTEN_FDS $LISTEN_PID")
    setup = "export LISTEN_FDS=1 LISTEN_PID=$$; "
    assert run_with_descriptors(made, f"3<{three}", setup=setup) == ["three", "1", "1"]


@pytest.mark.ours
def test_descriptors_of_socket_activation_that_are_closed_are_for_the_program_to_miss(container):
    """As with crun; runc ignores LISTEN_FDS without LISTEN_PID."""
    made = container(shell="echo $LISTEN_FDS $LISTEN_PID; ls /proc/$$/fd; :")
    found = run_with_descriptors(made, "3<&- 4<&-", setup="export LISTEN_FDS=2; ")
    assert found == ["2", "1", "0", "1", "2"]


@pytest.mark.ours
def test_a_hole_among_the_descriptors_of_socket_activation_is_an_error(container, three):
    made = container("true").bundle
    made.write()
    runtime = container("true").runtime
    argv = runtime.argv("run", "--bundle", made.path, runtime.new_id())
    command = f'export LISTEN_FDS=2; exec "$@" 3<&- 4<{three}'
    runtime.fails(argv=["sh", "-c", command, "sh", *argv]).assert_refused("LISTEN_FDS", "3")


def test_more_descriptors_than_there_are_is_an_error(container):
    made = container("true")
    result = made.run("--preserve-fds", "5")
    assert result.returncode != 0 and "unable to stat preserved-fd 0 (of 5)" in result.stderr
    assert not made.exists


# ---- without a bundle: runlxc's own ----


@pytest.mark.ours
def test_run_rootfs_runs_a_command_without_a_bundle(runtime, bundle):
    rootfs = bundle().rootfs
    result = runtime.ok("run", "--rootfs", rootfs, runtime.new_id(), "--", "sh", "-c", "echo $$ in $(pwd)")
    assert result.stdout == "1 in /\n"
    assert runtime.list() == []


@pytest.mark.ours
def test_run_rootfs_passes_the_exit_status_on(runtime, bundle):
    rootfs = bundle().rootfs
    assert runtime("run", "--rootfs", rootfs, runtime.new_id(), "--", "sh", "-c", "exit 9").returncode == 9
    assert runtime("run", "--rootfs", rootfs, runtime.new_id(), "--", "no-such").returncode == 127


@pytest.mark.ours
def test_run_rootfs_takes_a_path_relative_to_the_current_directory(runtime, bundle):
    made = bundle()
    result = runtime.ok("run", "--rootfs", "rootfs", runtime.new_id(), "--", "echo", "hi", cwd=made.path)
    assert result.stdout == "hi\n"


@pytest.mark.ours
def test_run_rootfs_needs_no_id(runtime, bundle):
    assert runtime.ok("run", "--rootfs", bundle().rootfs, "--", "hostname", "-s").stdout.strip()
    assert runtime.list() == []


@pytest.mark.ours
def test_run_rootfs_takes_the_process_from_flags(runtime, bundle):
    flags = ["-e", "KEY=value", "-u", "1000:2000", "--cwd", "/tmp", "--hostname", "here"]
    script = "echo $KEY $(id -u) $(id -g) $(pwd) $(hostname)"
    result = runtime.ok("run", "--rootfs", bundle().rootfs, *flags, runtime.new_id(), "--", "sh", "-c", script)
    assert result.stdout == "value 1000 2000 /tmp here\n"


@pytest.mark.ours
def test_run_rootfs_with_a_memory_limit_and_read_only(runtime, bundle):
    file = "memory/memory.limit_in_bytes" if system.on_cgroup_v1() else "memory.max"
    script = f"cat /sys/fs/cgroup/{file}; touch /x 2>&1"
    flags = ["--memory", "64m", "--read-only"]
    result = runtime("run", "--rootfs", bundle().rootfs, *flags, runtime.new_id(), "--", "sh", "-c", script)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{64 << 20}\n") and "Read-only file system" in result.stdout


@pytest.mark.ours
def test_run_rootfs_that_is_missing_is_an_error_that_names_it(runtime, workdir):
    result = runtime.fails("run", "--rootfs", f"{workdir}/nowhere", runtime.new_id(), "--", "true")
    assert f"{workdir}/nowhere" in result.stderr and len(result.stderr.splitlines()) == 1
