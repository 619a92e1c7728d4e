# SPDX-License-Identifier: Apache-2.0
"""wait: the exit status of a container that somebody else's process is."""

import signal
import subprocess

import pytest

from lib import system

pytestmark = pytest.mark.ours

# A container's parent is PID 1 here, or a shim, which may have reaped it before anybody looks.
needs_the_kernel = pytest.mark.skipif(
    not system.kernel_tells_exit_statuses(), reason="before Linux 6.15 only the parent is told an exit status"
)


def waiting(made):
    """`wait` in the background, known to have begun to wait."""
    process = made.runtime.popen("wait", made.id, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def blocked():
        with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
            # poll, ppoll, pselect, epoll_wait, epoll_pwait, waitid
            return file.read().split()[0] in {"7", "271", "270", "232", "281", "247"} or process.poll() is not None

    system.wait_until(blocked, "wait waits")
    return process


def ended(process):
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@needs_the_kernel
@pytest.mark.parametrize("status", [0, 7, 255])
def test_wait_shows_the_exit_status(container, status):
    made = container(shell=f"trap 'exit {status}' TERM; echo up; sleep 100 & wait").up()
    made.wait_output("up")
    process = waiting(made)
    made.kill("TERM")
    assert ended(process) == (0, f"{status} exited\n", "")


@needs_the_kernel
def test_wait_shows_the_signal(container):
    made = container("sleep", "100").up()
    process = waiting(made)
    made.kill("KILL")
    assert ended(process) == (0, f"{128 + signal.SIGKILL} signalled\n", "")


@needs_the_kernel
def test_wait_blocks_while_the_container_runs(container):
    made = container("sleep", "100").up()
    process = waiting(made)
    assert process.poll() is None
    made.kill("KILL")
    assert ended(process)[0] == 0


@needs_the_kernel
def test_wait_for_a_created_container_waits_for_its_program(container):
    made = container(shell="exit 3").create()
    process = waiting(made)
    made.start()
    assert ended(process) == (0, "3 exited\n", "")


@needs_the_kernel
def test_several_may_wait(container):
    made = container(shell="trap 'exit 9' TERM; echo up; sleep 100 & wait").up()
    made.wait_output("up")
    processes = [waiting(made) for _ in range(3)]
    made.kill("TERM")
    assert [ended(process)[1] for process in processes] == ["9 exited\n"] * 3


@pytest.fixture
def of_a_shim(container, shim):
    """A container whose parent is an engine's shim, and that ends with 6 when it gets TERM."""
    made = container(shell="trap 'exit 6' TERM; echo up; sleep 100 & wait")
    made.bundle.write()
    output = f"{made.runtime.workdir}/shim.out"
    argv = made.runtime.argv("run", "-d", "-b", made.bundle.path, "--pid-file", made.pid_file, made.id)
    assert shim.run_detached(argv, output) == 0
    with open(output, encoding="utf-8") as file:
        system.wait_until(lambda: "up" in file.read(), "up")
    return made


@needs_the_kernel
def test_wait_does_not_take_the_status_from_the_subreaper(of_a_shim, shim):
    process = waiting(of_a_shim)
    of_a_shim.kill("TERM")
    assert shim.wait(of_a_shim.pid) == 6
    assert ended(process) == (0, "6 exited\n", "")


def test_wait_ends_with_the_program_though_nobody_has_reaped_it(of_a_shim, shim):
    process = waiting(of_a_shim)
    of_a_shim.kill("TERM")
    assert ended(process) == (0, "6 exited\n", "")
    assert shim.wait(of_a_shim.pid) == 6


def test_wait_says_so_when_the_status_was_taken_and_the_kernel_does_not_tell_it(of_a_shim, shim):
    process = waiting(of_a_shim)
    process.send_signal(signal.SIGSTOP)
    system.wait_until(lambda: system.process_stat(process.pid)[0] == "T", "wait is stopped")
    of_a_shim.kill("TERM")
    assert shim.wait(of_a_shim.pid) == 6
    process.send_signal(signal.SIGCONT)
    returncode, out, err = ended(process)
    if system.kernel_tells_exit_statuses():
        assert (returncode, out, err) == (0, "6 exited\n", "")
    else:
        assert returncode != 0 and out == "" and len(err.splitlines()) == 1
        assert "the exit status is not known" in err


def test_wait_after_the_end_tells_the_truth_or_that_it_cannot(container):
    made = container(shell="exit 4").up()
    made.wait()
    result = made.runtime("wait", made.id)
    if result.returncode == 0:
        assert result.stdout == "4 exited\n"
    else:
        assert result.stdout == "" and len(result.stderr.splitlines()) == 1


def test_wait_for_an_unknown_container_is_an_error(runtime):
    runtime("wait", runtime.new_id()).assert_refused("container does not exist")


# ---- out of memory: whether the kernel killed anybody for it, by LXC's monitor, which sees it on every kernel ----

# Anybody in the cgroup may die for it, the first process too: these are rather to.
EAT = "echo 1000 >/proc/self/oom_score_adj; head -c 200m /dev/zero | tail >/dev/null"


def waited_for(made, script):
    made.bundle.shell(script)
    made.bundle.resources["memory"] = {"limit": 32 << 20, "swap": 32 << 20}
    made.bundle.write()
    made.runtime.ok("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path, made.id)
    return made


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'", "137 signalled oom-killed\n"),
        (f"sh -c '{EAT}'; exit 3", "3 exited oom-killed\n"),
        ("kill -9 $$; exit 4", "4 exited\n"),
    ],
)
def test_D31_what_memory_had_to_do_with_it(container, script, told):
    made = waited_for(container(), script)
    assert made.runtime.ok("wait", made.id).stdout == told


def test_D31_a_plain_kill_has_nothing_to_do_with_memory(container):
    made = waited_for(container(), "exec sleep 100")
    made.kill("KILL")
    assert made.runtime.ok("wait", made.id).stdout == "137 signalled\n"
