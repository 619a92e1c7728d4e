# SPDX-License-Identifier: Apache-2.0
"""A container's life: D07, D28–D35, D39."""

import glob
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from lib import system

BINDINGS = f"{os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}/bindings/python"

# ---- D07, D28, D29, D30 ----


def tree(top):
    return sorted(
        (os.path.join(directory, name), os.lstat(os.path.join(directory, name)).st_mode)
        for directory, directories, files in os.walk(top)
        for name in directories + files
    )


@pytest.mark.parametrize("tty", [False, True])
def test_D07_nothing_of_ours_is_left_or_seen_in_the_root(runlxc, driver, command, tty):
    """Mount points for what every container has (/dev, /proc, /sys) are there already."""
    document = command(shell="ls -a /; cat /proc/1/comm; ls -l /proc/1/exe; cat", tty=tty)
    before = tree(document["rootfs"])
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        stream = system.Stream(process.stdout.fileno())
        seen = stream.until(b"busybox").decode()
        assert "init" not in seen and "runlxc" not in seen and ".dockerenv" not in seen
        assert "sh" in seen.split()
        assert [path for path, _ in tree(document["rootfs"])] == [path for path, _ in before]
        process.signal(9)
        process.wait(20)
    assert tree(document["rootfs"]) == before


def switches():
    """How often this thread has gone to sleep, and been put to sleep."""
    with open("/proc/thread-self/status", encoding="ascii") as status:
        lines = dict(line.split(":") for line in status)
    return int(lines["voluntary_ctxt_switches"])


@pytest.mark.parametrize("tty", [False, True])
def test_D28_nobody_polls_while_a_container_sleeps(runlxc, driver, command, tty):
    """One sleep of the waiting thread, which its deadline ends; and no other process there is."""
    document = command(shell="echo up; sleep 1000", tty=tty)
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        process.stdout.read(2)
        assert process.dispatch() is None
        before, spent = switches(), time.thread_time()
        with pytest.raises(TimeoutError):
            process.wait(1.5)
        assert switches() - before <= 2
        assert time.thread_time() - spent < 0.05
        assert system.children_of(os.getpid()) == [process.pid]
        process.signal(9)
        process.wait(20)


def test_D29_one_that_ends_at_once_is_no_error(driver, command):
    for status in range(20):
        with driver.run(command(shell=f"exit {status}")) as process:
            assert process.wait(20) == (status, 0, False)
    with driver.run(command("true", tty=True), stdout=-3) as process:
        assert process.wait(20) == (0, 0, False)
    assert driver.list() == []


def test_D30_the_state_has_its_pid_and_its_cgroup(driver, up, workdir):
    container = up()
    with open(f"{workdir}/state/{container.id}/state.json", encoding="utf-8") as file:
        state = json.load(file)
    assert container.pid in state.values()
    paths = set(system.cgroup_paths(container.pid).values())
    assert [value for value in state.values() if value in paths]
    assert os.stat(f"{workdir}/state/{container.id}/state.json").st_mode & 0o077 == 0
    document = driver.state(container.id)
    assert (document["id"], document["pid"], document["status"]) == (container.id, container.pid, "running")


def test_D30_whoever_reads_the_state_reads_all_of_it(driver, command, workdir):
    """While containers come and go, some of them created first: every read is a whole document, or there is none."""
    over, reads, broken = threading.Event(), [], []

    def read():
        while not over.is_set():
            for path in glob.glob(f"{workdir}/state/*/state.json"):
                try:
                    with open(path, encoding="utf-8") as file:
                        reads.append(json.load(file)["pid"])
                except FileNotFoundError:
                    pass
                except (ValueError, KeyError) as error:
                    broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        with driver.run(command("true")) as process:
            process.wait(20)
    over.set()
    reader.join()
    assert reads and not broken


# ---- D31, D32: how it ended ----

MEMORY = {"memory": 32 << 20}
EATER = "x=x; while true; do x=$x$x; done"


def test_D31_out_of_memory(driver, command):
    with driver.run(command(shell=EATER, resources=MEMORY)) as process:
        assert process.wait(20) == (137, signal.SIGKILL, True)


@pytest.mark.parametrize("tty", [False, True])
def test_D31_a_child_that_is_killed_while_the_first_process_lives_on(runlxc, driver, command, tty):
    document = command(shell=f"sh -c '{EATER}'; echo child $?; read line; exit 5", resources=MEMORY, tty=tty)
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        system.Stream(process.stdout.fileno()).until(b"child 137")
        info = driver.info(document["id"])
        assert info.running and info.oom_kills == 1
        assert process.dispatch() is None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.wait(20) == (5, 0, True)


def test_D31_a_child_in_a_nested_cgroup(runlxc, driver, command):
    document = command(shell=f"read x; sh -c '{EATER}'; exit 6", resources=MEMORY)
    with driver.run(document, stdin=runlxc.PIPE) as process:
        nested = f"{system.cgroup_directory(process.pid, 'memory')}/nested"
        os.mkdir(nested)
        with open(f"{nested}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write(str(process.pid))
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(20) == (6, 0, True)


def test_D31_killed_by_somebody_is_not_out_of_memory(driver, command):
    with driver.run(command("sleep", "1000", resources=MEMORY)) as process:
        process.signal(signal.SIGKILL)
        assert process.wait(20) == (137, signal.SIGKILL, False)


OUT_OF_MEMORY = [(EATER, (137, 9, True)), (f"sh -c '{EATER}'; exit 3", (3, 0, True))]


@pytest.mark.parametrize("lxc_monitor", [False, True])
def test_D31_in_a_bundle_that_has_memory_enough(driver, oci_bundle, new_id, lxc_monitor):
    limited(driver, oci_bundle("sh -c 'kill -9 $$'; exit 4"), new_id(), (4, 0, False), lxc_monitor)


@pytest.mark.parametrize(("script", "how"), OUT_OF_MEMORY)
def test_D31_in_a_bundle(driver, oci_bundle, new_id, script, how):
    limited(driver, oci_bundle(script), new_id(), how, False)


@pytest.mark.parametrize(("script", "how"), OUT_OF_MEMORY)
def test_D31_with_lxcs_monitor_kept(driver, oci_bundle, new_id, script, how):
    limited(driver, oci_bundle(script), new_id(), how, True)


def limited(driver, bundle, id_, how, lxc_monitor):
    bundle.resources["memory"] = {"limit": 32 << 20}
    with driver.run_bundle(id_, bundle.path, bundle.config, stderr=-3, lxc_monitor=lxc_monitor) as process:
        assert process.wait(20) == how


def test_D31_a_kept_monitor_and_a_kill(driver, oci_bundle, new_id):
    bundle = oci_bundle("sleep 1000")
    bundle.resources["memory"] = {"limit": 32 << 20}
    with driver.run_bundle(new_id(), bundle.path, bundle.config, lxc_monitor=True) as process:
        process.signal(9)
        assert process.wait(20) == (137, 9, False)
    assert driver.list() == []


def test_D31_whoever_waits_for_somebody_elses_learns_it(runlxc, driver, command):
    """runlxc_wait() while the container runs here: the same answer."""
    answers = []
    document = command(shell=f"read x; {EATER}", resources=MEMORY)
    with driver.run(document, stdin=runlxc.PIPE) as process:
        waiter = threading.Thread(target=lambda: answers.append(driver.wait(document["id"])))
        waiter.start()
        process.stdin.write(b"\n")
        process.stdin.close()
        waiter.join(20)  # not reaped yet: its status can be told by any kernel
        assert answers == [(137, 9, True)]
        assert process.wait(20) == (137, 9, True)


@pytest.mark.parametrize("status", [0, 1, 7, 126, 127, 255])
def test_D32_the_exit_status_is_the_programs(run, status):
    assert run(shell=f"exit {status}")[0] == (status, 0, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGSEGV, 34, 64])
def test_D32_a_signals_is_128_and_its_number(driver, up, number):
    container = up()
    # From outside even PID 1 is ended by a signal that it doesn't handle, if that can't be blocked; the
    # others need another process.
    with driver.exec(container.id, ["sleep", "1000"], stdin=-3) as process:
        process.signal(number)
        assert process.wait(20) == (128 + number, number, False)
    with pytest.raises(Exception, match="signal") as error:
        process.signal(number) if process._handle else container.signal(65)  # pylint: disable=protected-access
    assert error.typename == "Error"


@pytest.mark.parametrize("ignored", [False, True])
def test_D32_one_that_somebody_else_has_reaped(runlxc, driver, up, ignored):
    """Whoever calls waitpid(-1), or ignores SIGCHLD: the kernel may know its status still."""
    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN) if ignored else None
    try:
        container = up()
        container.signal(9)
        if not ignored:
            os.waitpid(container.pid, 0)
        if system.kernel_tells_exit_statuses():
            assert container.wait(20) == (137, 9, False)
        else:
            with pytest.raises(runlxc.Error, match=f"exit status of process {container.pid}"):
                container.wait(20)
            assert container.wait(20)[1:] == (0, False)  # it has ended; that much is known
    finally:
        if ignored:
            signal.signal(signal.SIGCHLD, previous)
    assert driver.list() == []


def test_one_whose_caller_is_killed_goes_on(driver, command, token):
    script = (
        "import runlxc, sys\n"
        "process = runlxc.Driver(sys.argv[1]).run(sys.argv[2], stdout=runlxc.DEVNULL)\n"
        "print(process.pid, flush=True)\n"
        "process.wait()"
    )
    document = command("sleep", "1000")
    root = os.path.dirname(document["rootfs"]) + "/state"
    environment = {**os.environ, "PYTHONPATH": BINDINGS, "RUNLXC_TEST_SESSION": token}
    arguments = [sys.executable, "-B", "-c", script, root, json.dumps(document)]
    with subprocess.Popen(arguments, stdin=-3, stdout=-1, env=environment) as caller:
        pid = int(caller.stdout.readline())
        caller.kill()
    assert driver.info(document["id"]) == (True, False, pid, 0)
    driver.delete(document["id"], force=True)


# ---- D33: signals ----


@pytest.mark.parametrize("name", ["USR1", "SIGUSR1", "usr1", signal.SIGUSR1, "10"])
def test_D33_any_signal_by_name_or_number(runlxc, driver, command, name):
    document = command(shell="trap 'echo got it; exit 3' USR1; echo ready; while true; do sleep 0.02; done")
    with driver.run(document, stdout=runlxc.PIPE) as process:
        stream = system.Stream(process.stdout.fileno())
        stream.until(b"ready")
        driver.kill(document["id"], name)
        stream.until(b"got it")
        assert process.wait(20).status == 3


def test_D33_to_the_process_or_to_all(runlxc, driver, command):
    child = "trap 'echo child' USR1; echo up; while true; do sleep 0.02; done"
    document = command(shell=f"trap 'echo first' USR1; ({child}) & while true; do sleep 0.02; done")
    with driver.run(document, stdout=runlxc.PIPE) as process:
        stream = system.Stream(process.stdout.fileno())
        stream.until(b"up")
        process.signal(signal.SIGUSR1)
        assert b"child" not in stream.until(b"first")
        driver.kill(document["id"], "USR1")
        assert b"child" not in stream.until(b"first")
        # sleep, too, is one of all, and doesn't handle it.
        driver.kill(document["id"], "USR1", all=True)
        assert {stream.until(b"\n"), stream.until(b"\n"), stream.until(b"\n")} >= {b"first\n", b"child\n"}
        driver.kill(document["id"], "KILL", all=True)
        assert process.wait(20).signal == 9


def test_D33_what_is_no_signal_and_what_does_not_run(runlxc, driver, up):
    container = up()
    with pytest.raises(ValueError, match='"NOSUCH"'):
        driver.kill(container.id, "NOSUCH")
    for number in (-1, 65, 1000):
        with pytest.raises(runlxc.Error):
            driver.kill(container.id, number)
        with pytest.raises(runlxc.Error):
            container.signal(number)
    assert driver.info(container.id).running
    container.signal(9)
    container.wait(20)
    with pytest.raises(runlxc.Error) as error:
        container.signal(9)
    assert error.value.errno == 3  # ESRCH
    with pytest.raises(runlxc.Error, match="does not exist"):
        driver.kill(container.id, 9)


# ---- D34, D35: pause, terminate ----


def is_frozen(pid):
    if system.on_cgroup_v1():
        return system.cgroup_read(pid, "freezer", "freezer.state") == "FROZEN"
    return "frozen 1" in system.cgroup_read(pid, "freezer", "cgroup.events")


@pytest.mark.parametrize("resume", ["resume", "unpause"])
def test_D34_paused_it_does_nothing_until_it_is_resumed(runlxc, driver, command, resume):
    document = command(shell="while true; do echo x; sleep 0.01; done")
    with driver.run(document, stdout=runlxc.PIPE) as process:
        stream = system.Stream(process.stdout.fileno())
        stream.until(b"x")
        driver.pause(document["id"])
        assert is_frozen(process.pid)
        assert driver.info(document["id"])[:2] == (True, True)
        os.set_blocking(stream.fd, False)
        while process.stdout.read1(65536):  # what came before
            pass
        time.sleep(0.1)
        assert not process.stdout.read1(65536)
        os.set_blocking(stream.fd, True)
        getattr(driver, resume)(document["id"])
        stream.until(b"x")
        assert driver.info(document["id"])[:2] == (True, False)
        with pytest.raises(runlxc.Error, match="not paused"):
            getattr(driver, resume)(document["id"])
        process.signal(9)
        process.wait(20)


@pytest.mark.parametrize("kill", ["kill", "terminate", "delete"])
def test_D34_a_paused_one_can_be_killed(driver, up, kill):
    container = up()
    driver.pause(container.id)
    if kill == "kill":
        driver.kill(container.id, "KILL")
    elif kill == "terminate":
        driver.terminate(container.id)
    else:
        driver.delete(container.id, force=True)
    assert container.wait(20).signal == 9
    assert driver.list() == []


def test_D35_terminate_kills_all_of_it(runlxc, driver, command):
    """Also those who outlive the first process, where they have the host's pid namespace."""
    document = command(shell="trap '' TERM INT HUP; sleep 1000 & sleep 1000 & echo up; wait", pid={"host_pid": True})
    with driver.run(document, stdout=runlxc.PIPE) as process:
        system.Stream(process.stdout.fileno()).until(b"up")
        everyone = [system.Pidfd(pid) for pid in driver.pids(document["id"])]
        assert len(everyone) == 3
        driver.terminate(document["id"])
        for pidfd in everyone:
            pidfd.wait()
            pidfd.close()
        assert driver.list() == [document["id"]]  # that alone doesn't delete it
        assert process.wait(20).signal == 9
    assert driver.list() == []


def test_D35_one_that_is_not_there(runlxc, driver, new_id):
    with pytest.raises(runlxc.Error, match="does not exist"):
        driver.terminate(new_id())


# ---- D39: clean ----


def test_D39_a_dead_one_is_removed(driver, oci_bundle, new_id, workdir):
    bundle, id_ = oci_bundle("sleep 1000"), new_id()
    process = driver.run_bundle(id_, bundle.path)
    pid = process.pid
    process.close()  # it runs on, unattended
    assert driver.info(id_).running
    with pytest.raises(Exception, match="not stopped: running"):
        driver.clean(id_)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert driver.list() == [id_]
    driver.clean(id_)
    assert driver.list() == []
    assert not os.path.exists(f"{workdir}/state/{id_}")
    for mount_point in system.cgroup_hierarchies().values():
        assert not glob.glob(f"{mount_point}/**/*{id_}*", recursive=True)


def test_D39_a_half_made_one_is_removed(driver, oci_bundle, new_id, runtime, workdir):
    """Whoever creates it is killed while one of its hooks runs."""
    bundle, id_ = oci_bundle("true"), new_id()
    os.mkfifo(f"{workdir}/there")
    os.mkfifo(f"{workdir}/end")
    script = f"echo $$ > {workdir}/there; read x < {workdir}/end"
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    bundle.write()
    creator = runtime.popen("create", "--bundle", bundle.path, id_)
    end = os.open(f"{workdir}/end", os.O_RDWR)
    with open(f"{workdir}/there", encoding="ascii") as fifo:
        hook = int(fifo.readline())
    creator.kill()
    creator.wait()
    os.write(end, b"\n")  # the hook, if it is still there, ends
    system.wait_until(lambda: not system.process_alive(hook), "the hook has ended")
    os.close(end)
    assert driver.list() == [id_]
    driver.clean(id_)
    assert driver.list() == []
    driver.clean(id_)


def test_D39_nothing_to_remove_is_no_error(driver, new_id, runlxc):
    driver.clean(new_id())
    with pytest.raises(runlxc.Error, match="invalid container id"):
        driver.clean("../etc")
