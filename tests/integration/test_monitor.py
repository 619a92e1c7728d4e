# SPDX-License-Identifier: Apache-2.0
"""--lxc-monitor: LXC's monitor stays as the parent, and LXC's own tools see the container."""

import os
import pty
import shutil
import subprocess
import termios
import time

import pytest

from lib import system
from lib.runtime import Command

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


def lxc_start(tool, made, *args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
    """One of LXC's tools, told where the state root is; for those that stay."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    return Command(
        [tool, "-P", made.runtime.root, *args],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=made.runtime.environment,
    )


def lxc_tool(tool, made, *args):
    with lxc_start(tool, made, *args) as process:
        out, err = process.communicate(timeout=30)
    forget_locks(made)
    return subprocess.CompletedProcess(process.args, process.returncode, out.decode(), err.decode())


def forget_locks(made):
    """LXC's tools leave the file of their lock."""
    shutil.rmtree(f"/run/lxc/lock{made.runtime.root}", ignore_errors=True)


def lxc(tool, made, *args):
    return lxc_tool(tool, made, "-n", made.id, *args)


def monitor_of(made):
    parent = system.process_stat(made.pid)[1]
    assert parent > 1, "the monitor was not kept"
    return parent


def test_the_monitor_is_the_parent_of_the_first_process(monitored):
    made = monitored("sleep", "100")
    monitor = monitor_of(made)
    with open(f"/proc/{monitor}/cmdline", "rb") as file:
        assert made.id.encode() in file.read()


# ---- LXC's own tools ----


def test_D42_lxc_info_shows_the_container(monitored):
    made = monitored("sleep", "100")
    shown = lxc("lxc-info", made, "--state", "--pid")
    assert "RUNNING" in shown.stdout, shown
    assert str(made.pid) in shown.stdout


def test_D42_lxc_info_reads_the_configuration_and_the_cgroup(monitored):
    made = monitored("sleep", "100")
    assert lxc("lxc-info", made, "--config", "lxc.uts.name").stdout == "lxc.uts.name = box\n"
    key = "memory.limit_in_bytes" if system.on_cgroup_v1() else "memory.max"
    assert lxc("lxc-cgroup", made, key).stdout.strip() == system.cgroup_read(made.pid, "memory", key)


def test_D42_lxc_ls_lists_the_container(monitored):
    made = monitored("sleep", "100")
    listed = lxc_tool("lxc-ls", made, "--fancy", "--fancy-format", "NAME,STATE,PID")
    assert [made.id, "RUNNING", str(made.pid)] in [line.split() for line in listed.stdout.splitlines()], listed
    assert lxc_tool("lxc-ls", made, "--running").stdout.split() == [made.id]


def test_D42_lxc_attach_runs_a_program_in_the_container(monitored):
    made = monitored("sleep", "100")
    done = lxc("lxc-attach", made, "--clear-env", "--", "/bin/sh", "-c", "hostname; ls /proc | grep -c '^1$'; exit 5")
    assert (done.returncode, done.stdout) == (5, "box\n1\n"), done


def test_D42_lxc_freeze_and_lxc_unfreeze(monitored):
    made = monitored("sleep", "100")
    assert lxc("lxc-freeze", made).returncode == 0
    assert made.status == "paused"
    assert "FROZEN" in lxc("lxc-info", made, "--state").stdout
    assert lxc("lxc-unfreeze", made).returncode == 0
    assert made.status == "running"
    assert "RUNNING" in lxc("lxc-info", made, "--state").stdout


def test_D42_lxc_stop_kills_the_container(monitored):
    made = monitored("sleep", "100")
    with system.Pidfd(made.pid) as pidfd:
        assert lxc("lxc-stop", made, "--kill").returncode == 0
        pidfd.wait()
    system.wait_until(lambda: made.status == "stopped", "stopped")
    made.delete()


def test_D42_lxc_stop_asks_the_container_to_end(monitored):
    """With the signal of lxc.signal.halt, which is SIGTERM."""
    made = monitored(shell="trap 'echo asked; exit 3' TERM; echo ready; while :; do usleep 10000; done")
    made.wait_output("ready")
    assert lxc("lxc-stop", made, "--timeout", "10").returncode == 0
    assert made.runtime.ok("wait", made.id).stdout == "3 exited\n"
    assert "asked" in made.output


def test_D42_lxc_wait_sees_the_end(monitored):
    made = monitored("sleep", "100")
    with lxc_start("lxc-wait", made, "-n", made.id, "--state", "STOPPED") as waiting:
        made.kill("KILL")
        assert waiting.wait(20) == 0
    forget_locks(made)


def test_D42_lxc_top_shows_what_the_container_uses(monitored):
    made = monitored("sleep", "100")
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 120))
    with lxc_start("lxc-top", made, "--delay", "1", stdin=slave, stdout=slave) as top:
        seen = system.Stream(master)
        seen.until(made.id.encode())
        seen.until(b"TOTAL 1 of 1")
        os.write(master, b"q")
        assert top.wait(20) == 0
    os.close(master)
    os.close(slave)
    forget_locks(made)


def test_D42_the_container_is_gone_for_lxc_after_delete(monitored):
    made = monitored("sleep", "100")
    made.delete("--force")
    assert lxc("lxc-info", made, "--state").returncode != 0
    assert lxc_tool("lxc-ls", made).stdout.split() == []


def test_D42_without_the_monitor_lxc_sees_nothing(container):
    made = container("sleep", "100").up()
    assert "RUNNING" not in lxc("lxc-info", made, "--state").stdout


# ---- the monitor itself ----


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


def test_another_containers_monitor_is_left_alone(monitored, workdir):
    """Its cgroup is called by the container's id, which is unique in one state root."""
    made = monitored("sleep", "100")
    made.bundle.cgroup(f"/{made.id}-another")
    made.bundle.write()
    flags = ["--root", f"{workdir}/other", "run", "--lxc-monitor", "--bundle", made.bundle.path, made.id]
    made.runtime(argv=[made.runtime.command, *flags]).assert_refused("--lxc-monitor", f"lxc.monitor.{made.id}")
    assert made.runtime.ok("kill", made.id, "KILL")
    assert made.runtime.ok("wait", made.id).stdout.split()[0] == "137"


def test_run_in_the_foreground_with_a_monitor(container):
    made = container(shell="echo hi; exit 5")
    result = made.run("--lxc-monitor")
    assert (result.returncode, result.stdout) == (5, "hi\n")
    assert not made.exists


def test_without_the_flag_there_is_no_monitor(container):
    made = container("sleep", "100").up()
    with open(f"/proc/{system.process_stat(made.pid)[1]}/comm", encoding="utf-8") as file:
        assert "runlxc" not in file.read()
