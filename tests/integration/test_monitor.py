# SPDX-License-Identifier: Apache-2.0
"""--lxc-monitor: LXC's monitor stays as the parent, and LXC's own tools see the container."""

import shutil
import subprocess
import time

import pytest

from lib import system

pytestmark = pytest.mark.ours


@pytest.fixture
def monitored(container):
    """A running container whose monitor was kept."""

    def make(*args, shell=None):
        made = container(*args, shell=shell)
        made.bundle.write()
        made.result = made.runtime.ok(
            *("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path),
            *("--pid-file", made.pid_file, made.id),
        )
        return made

    return make


def lxc(tool, made, *args):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [tool, "-P", made.runtime.root, "-n", made.id, *args], capture_output=True, text=True, timeout=30, check=False
    )
    # LXC's tools leave the file of their lock.
    shutil.rmtree(f"/run/lxc/lock{made.runtime.root}", ignore_errors=True)
    return done


def monitor_of(made):
    parent = system.process_stat(made.pid)[1]
    assert parent > 1, "the monitor was not kept"
    return parent


def test_the_monitor_is_the_parent_of_the_first_process(monitored):
    made = monitored("sleep", "100")
    monitor = monitor_of(made)
    with open(f"/proc/{monitor}/cmdline", "rb") as file:
        assert made.id.encode() in file.read()


def test_lxc_info_sees_the_container(monitored):
    made = monitored("sleep", "100")
    shown = lxc("lxc-info", made, "--state", "--pid")
    assert "RUNNING" in shown.stdout, shown
    assert str(made.pid) in shown.stdout


def test_the_verbs_work(monitored):
    made = monitored("sleep", "100")
    assert made.status == "running"
    assert made.exec_ok("hostname") == "box\n"
    made.runtime.ok("pause", made.id)
    assert made.status == "paused"
    made.runtime.ok("resume", made.id)
    made.kill("KILL")
    system.wait_until(lambda: made.status == "stopped", "stopped")
    made.delete()


@pytest.mark.parametrize("status", [0, 7, 255])
def test_the_monitor_records_the_exit_status(monitored, status):
    made = monitored(shell=f"exit {status}")
    assert made.runtime.ok("wait", made.id).stdout == f"{status} exited\n"
    system.wait_until(lambda: made.status == "stopped", "stopped")
    # Still after everybody has reaped everything.
    assert made.runtime.ok("wait", made.id).stdout == f"{status} exited\n"


def test_the_monitor_records_the_signal(monitored):
    made = monitored("sleep", "100")
    made.kill("KILL")
    assert made.runtime.ok("wait", made.id).stdout == "137 signalled\n"


def test_the_monitor_ends_with_the_container(monitored):
    made = monitored("sleep", "100")
    monitor = monitor_of(made)
    with system.Pidfd(monitor) as pidfd:
        made.kill("KILL")
        pidfd.wait()


def test_force_deletes_the_monitor_and_all(monitored):
    made = monitored("sleep", "100")
    monitor = monitor_of(made)
    before = time.monotonic()
    made.delete("--force")
    assert time.monotonic() - before < 5, "it ran into a timeout"
    assert not made.exists
    system.wait_until(lambda: not system.process_alive(monitor), "the monitor ended")


def test_nothing_holds_the_streams_but_the_container(monitored, container):
    made = container("echo", "said")
    made.bundle.write()
    flags = ["--detach", "--lxc-monitor", "--bundle", made.bundle.path]
    process = made.runtime.popen("run", *flags, made.id, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.communicate(timeout=20)[0] == b"said\n"
    assert process.returncode == 0


def test_run_in_the_foreground_with_a_monitor(container):
    made = container(shell="echo hi; exit 5")
    result = made.run("--lxc-monitor")
    assert (result.returncode, result.stdout) == (5, "hi\n")
    assert not made.exists


def test_without_the_flag_there_is_no_monitor(container):
    made = container("sleep", "100").up()
    with open(f"/proc/{system.process_stat(made.pid)[1]}/cmdline", "rb") as file:
        assert b"monitor" not in file.read()
