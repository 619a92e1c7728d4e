# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore, through CRIU: a container goes on from where it was; the flags."""

import ctypes
import json
import os
import socket

import pytest

from lib import system
from lib.checkpoint import STAY, counted, version, wait_counting
from lib.runtime import wait_status
from lib.terminal import ConsoleSocket

pytestmark = [pytest.mark.ours, pytest.mark.limit(120)]


def test_a_counter_goes_on_from_where_it_was(counter, checkpoint, restore):
    checkpoint(counter)
    before = counted(counter)
    assert not counter.exists
    restore(counter)
    wait_counting(counter)
    after = counted(counter)
    assert after == list(range(1, len(after) + 1))
    assert len(after) > len(before)


def test_the_restored_program_writes_to_the_streams_of_restore(counter, checkpoint, restore):
    checkpoint(counter)
    last = counted(counter)[-1]
    old = counter.output
    restore(counter)
    counter.wait_output(f"\n{last + 3}\n")
    # Between its two writes it may have been stopped.
    assert int(counter.output.split()[0]) in (last, last + 1, last + 2)
    assert f"\n{last + 2}\n" not in old


def test_pipes_are_replaced_by_those_of_restore(container, runtime, checkpoint, restore):
    made = container(shell="while read line; do echo got $line; done")
    in_reader, in_writer = os.pipe()
    out_reader, out_writer = os.pipe()
    made.up(stdin=in_reader, stdout=out_writer)
    os.write(in_writer, b"one\n")
    system.Stream(out_reader).until(b"got one\n")
    checkpoint(made)
    for fd in (in_reader, in_writer, out_reader, out_writer):
        os.close(fd)
    in_reader, in_writer = os.pipe()
    out_reader, out_writer = os.pipe()
    restore(made, stdin=in_reader, stdout=out_writer)
    os.write(in_writer, b"two\n")
    system.Stream(out_reader).until(b"got two\n")
    os.close(in_writer)
    made.wait()
    for fd in (in_reader, out_reader, out_writer):
        os.close(fd)


def test_a_terminal_comes_over_the_console_socket_again(container, workdir, checkpoint, restore):
    made = container(shell="while read line; do echo got $line; done")
    made.bundle.process["terminal"] = True
    with ConsoleSocket(f"{workdir}/c1") as console:
        made.up("--console-socket", console.path)
        master, _ = console.receive()
    os.write(master, b"one\n")
    system.Stream(master).until(b"got one")
    checkpoint(made)
    os.close(master)
    with ConsoleSocket(f"{workdir}/c2") as console:
        restore(made, "--console-socket", console.path)
        master, _ = console.receive()
    os.write(master, b"two\n")
    system.Stream(master).until(b"got two")
    made.stop()
    os.close(master)


def test_restore_in_the_foreground_passes_the_exit_status_on_and_deletes(container, runtime, image, checkpoint):
    made = container(shell="exec 3>/count; echo 1 >&3; until [ -e /go ]; do usleep 20000; done; exit 7")
    made.bundle.writable()
    made.up()
    system.wait_until(lambda: os.path.exists(f"{made.bundle.rootfs}/count"), "started")
    checkpoint(made)
    with runtime.popen("restore", "--bundle", made.bundle.path, "--image-path", image, made.id) as process:
        system.wait_until(lambda: made.exists and made.state()["status"] == "running", "restored")
        with open(f"{made.bundle.rootfs}/go", "w", encoding="ascii"):
            pass
        assert wait_status(process) == 7
    assert not made.exists


# ---- flags ----


def test_an_open_file_whose_name_is_gone_takes_a_flag(container, runtime, image, checkpoint, restore):
    made = container(shell="exec 9>>/one; echo kept >&9; ln /one /two; rm /one; " + STAY)
    made.bundle.writable()
    made.up()
    system.wait_until(lambda: os.path.exists(f"{made.bundle.rootfs}/two"), "the other name")
    system.wait_until(lambda: not os.path.exists(f"{made.bundle.rootfs}/one"), "the name gone")
    result = runtime("checkpoint", "--image-path", f"{image}-refused", made.id, timeout=60)
    result.assert_refused("CRIU failed", "link-remap")
    assert made.status == "running"
    checkpoint(made, "--link-remap")
    restore(made)
    made.exec_ok("sh", "-c", "echo more >>/proc/1/fd/9")
    assert made.exec_ok("cat", "/two") == "kept\nmore\n"


def test_flags_that_change_nothing_here_are_taken(counter, checkpoint, restore):
    flags = ["--tcp-established", "--ext-unix-sk", "--shell-job", "--file-locks", "--auto-dedup"]
    checkpoint(counter, *flags, "--tcp-skip-in-flight", "--empty-ns", "network")
    restore(counter, *flags, "--no-pivot", "--no-subreaper", "--keep")
    wait_counting(counter)


def test_an_established_connection_takes_a_flag(criu, container, runtime, image, checkpoint, restore):
    """Its other end is in the same network, and outside of the container."""
    if version() < (4, 2):
        pytest.skip("CRIU before 4.2 can't read a TCP socket's options on newer kernels, or leaves it silent")
    pod = container("sleep", "1000").up()
    made = container(shell=f"nc -ll -p 99 -e cat & {STAY}")
    made.bundle.with_namespace("network", f"/proc/{pod.pid}/ns/net")
    made.up()
    client = connect_in(pod.pid, 99)
    try:
        client.sendall(b"one\n")
        assert client.recv(100) == b"one\n"
        result = runtime("checkpoint", "--image-path", f"{image}-refused", made.id, timeout=60)
        result.assert_refused("CRIU failed", "tcp-established")
        client.sendall(b"two\n")
        assert client.recv(100) == b"two\n"
        checkpoint(made, "--tcp-established")
        restore(made, "--tcp-established")
        client.sendall(b"three\n")
        assert client.recv(100) == b"three\n"
    finally:
        client.close()


def connect_in(pid, port):
    """A connection from the network namespace of a process."""
    ours = os.open("/proc/self/ns/net", os.O_RDONLY)
    theirs = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)

    def attempt():
        client = socket.socket()
        client.settimeout(60)
        try:
            client.connect(("127.0.0.1", port))
        except OSError:
            client.close()
            return None
        return client

    try:
        assert libc.setns(theirs, 0) == 0
        return system.wait_until(attempt, f"a connection to port {port}")
    finally:
        libc.setns(ours, 0)
        os.close(ours)
        os.close(theirs)


def test_left_running_the_container_goes_on(counter, checkpoint):
    checkpoint(counter, "--leave-running")
    assert counter.status == "running"
    wait_counting(counter)
    after = counted(counter)
    assert after == list(range(1, len(after) + 1))


def test_a_copy_of_a_running_container_under_another_name(container, runtime, checkpoint, restore):
    made = container(shell=STAY).up()
    checkpoint(made, "--leave-running")
    copy = runtime.container(made.bundle)
    restore(copy)
    assert made.status == copy.status == "running"
    assert copy.pid in system.cgroup_pids(copy.pid) and made.pid in system.cgroup_pids(made.pid)
    assert not system.cgroup_pids(copy.pid) & system.cgroup_pids(made.pid)


def test_a_paused_container_can_be_checkpointed(counter, checkpoint, restore):
    counter.runtime.ok("pause", counter.id)
    checkpoint(counter)
    assert not counter.exists
    restore(counter)
    counter.runtime("resume", counter.id)
    wait_counting(counter)


def test_work_path_gets_the_log(counter, workdir, image, checkpoint):
    checkpoint(counter, "--work-path", f"{workdir}/work")
    assert os.path.exists(f"{workdir}/work/dump.log")
    assert not os.path.exists(f"{image}/dump.log")
    assert os.stat(image).st_mode & 0o777 == 0o700


def test_only_what_changed_since_a_pre_dump(counter, runtime, image, checkpoint, restore):
    result = runtime("checkpoint", "--pre-dump", "--image-path", f"{image}/pre", counter.id, timeout=60)
    assert counter.status == "running"
    if "CONFIG_MEM_SOFT_DIRTY" in result.stderr:
        result.assert_refused("--pre-dump")
        pytest.skip("this kernel doesn't tell which memory has changed")
    assert result.returncode == 0, result
    checkpoint(counter, "--parent-path", "pre")
    assert os.path.exists(f"{image}/parent/pages-1.img")
    restore(counter)
    wait_counting(counter)


@pytest.mark.parametrize("mode", ["soft", "full", "ignore"])
def test_a_mode_of_cgroups(counter, checkpoint, restore, mode):
    checkpoint(counter, "--manage-cgroups-mode", mode)
    restore(counter, "--manage-cgroups-mode", mode)
    wait_counting(counter)
    assert counter.pid in system.cgroup_pids(counter.pid)
    assert counter.id in system.cgroup_paths(counter.pid)["memory" if system.on_cgroup_v1() else ""]


def test_hooks_of_the_runtime_run_at_a_restore(container, workdir, checkpoint, restore):
    script = f"{workdir}/hook"
    with open(script, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\ncat >>{workdir}/states\necho >>{workdir}/states\n")
    os.chmod(script, 0o755)
    made = container(shell=STAY)
    made.bundle.config["hooks"] = {"createRuntime": [{"path": script}], "poststop": [{"path": script}]}
    made.up()
    checkpoint(made)
    restore(made)
    with open(f"{workdir}/states", encoding="utf-8") as file:
        created, stopped, restored = [json.loads(line) for line in file.read().splitlines()]
    assert created["status"] == "creating"
    assert stopped["status"] == "stopped"
    assert restored["status"] == "creating"
    assert restored["pid"] == made.pid


def test_strict_takes_no_cgroup_that_is_there(counter, runtime, image, checkpoint):
    """As with runc: the runtime has made it by then."""
    checkpoint(counter)
    result = runtime(
        "restore", "-d", "-b", counter.bundle.path, "--image-path", image, "--manage-cgroups-mode=strict", counter.id
    )
    result.assert_refused("CRIU failed", "cgroup")
    assert not counter.exists
