# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore, through CRIU."""

import contextlib
import ctypes
import glob
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from lib import resctrl, system
from lib.runtime import wait_status
from lib.terminal import ConsoleSocket

pytestmark = [pytest.mark.ours, pytest.mark.limit(120)]

CRIU = os.environ.get("CRIU", "criu")

# It writes to its standard output and to a file that it opened once.
COUNTER = "exec 3>/count; i=0; while :; do i=$((i+1)); echo $i; echo $i >&3; usleep 20000; done"


# CRIU interrupts the call that sleeps, after which the sleep(1) of busybox 1.37 ends, as if it were over.
STAY = "while :; do sleep 100; done"


def _missing():
    """Why CRIU can't be used on this machine; None: it can."""
    if not shutil.which(CRIU):
        return "CRIU is not installed"
    if not shutil.which("iptables-restore"):
        return "CRIU stops a container's network by iptables, which is not installed"
    check = subprocess.run([CRIU, "check"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check.returncode == 0:
        return None
    lines = [line for line in check.stderr.splitlines() if "criu/util.c" not in line]
    return f"this CRIU can't work on this kernel: {lines[0] if lines else check.returncode}"


@pytest.fixture(scope="session")
def why_not():
    return _missing()


@pytest.fixture
def criu(why_not, runtime):
    if why_not:
        pytest.skip(why_not)
    runtime.global_flags += ["--criu", CRIU]


@pytest.fixture
def image(workdir):
    return f"{workdir}/image"


@pytest.fixture
def checkpoint(criu, runtime, image):
    def run(container, *flags):
        return runtime.ok("checkpoint", "--image-path", image, *flags, container.id, timeout=60)

    return run


@pytest.fixture
def restore(criu, runtime, image):
    """Detached, with the pid file that the container had."""

    def run(container, *flags, **popen):
        if os.path.exists(container.pid_file):
            os.unlink(container.pid_file)
        container.close()
        container.result = runtime.ok(
            "restore",
            "--detach",
            "--bundle",
            container.bundle.path,
            "--image-path",
            image,
            "--pid-file",
            container.pid_file,
            *flags,
            container.id,
            timeout=60,
            **popen,
        )
        container._pidfd = system.Pidfd(container.pid)  # pylint: disable=protected-access
        return container

    return run


@pytest.fixture
def counter(container):
    made = container(shell=COUNTER)
    made.bundle.writable()
    made.up()
    system.wait_until(lambda: len(counted(made)) > 5, "counting")
    return made


def counted(container):
    """Every number that was written to the end."""
    if not os.path.exists(f"{container.bundle.rootfs}/count"):
        return []
    with open(f"{container.bundle.rootfs}/count", encoding="ascii") as file:
        return [int(line) for line in file.read().split("\n")[:-1]]


def wait_counting(container, more=5):
    before = len(counted(container))
    system.wait_until(lambda: len(counted(container)) >= before + more, "counting on")


# ---- it goes on from where it was ----


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


# ---- the restored container is one like any other ----


def test_state_exec_kill_and_delete_work_on_a_restored_container(counter, checkpoint, restore):
    old = counter.pid
    checkpoint(counter)
    restore(counter)
    state = counter.state()
    assert state["status"] == "running"
    assert state["pid"] == counter.pid
    assert counter.pid != old
    assert counter.exec_ok("hostname") == "box\n"
    assert str(os.getpid()) not in counter.exec_ok("ps", "-o", "pid").split()
    assert str(counter.pid) in counter.runtime.ok("ps", counter.id).stdout
    counter.kill("KILL")
    counter.wait()
    assert counter.status == "stopped"
    counter.delete()
    assert not counter.exists


def test_pausing_and_resuming_a_restored_container(counter, checkpoint, restore):
    checkpoint(counter)
    restore(counter)
    counter.runtime.ok("pause", counter.id)
    assert counter.status == "paused"
    counter.runtime.ok("resume", counter.id)
    wait_counting(counter)


def test_the_restored_process_is_a_child_of_the_nearest_subreaper(counter, runtime, image, shim, workdir, checkpoint):
    checkpoint(counter)
    status = shim.run_detached(
        runtime.argv(
            "restore", "-d", "-b", counter.bundle.path, "--image-path", image, "--pid-file", counter.pid_file, counter.id
        ),
        f"{workdir}/output",
    )
    assert status == 0
    assert shim.children() == [counter.pid]
    counter.kill("TERM")  # PID 1 has no handler: it stays
    counter.kill("KILL")
    assert shim.wait(counter.pid) == -signal.SIGKILL


def test_limits_are_there_again(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.resources["pids"] = {"limit": 77}
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.up()
    checkpoint(made)
    restore(made)
    memory = "memory.limit_in_bytes" if system.on_cgroup_v1() else "memory.max"
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "77"
    assert system.cgroup_read(made.pid, "memory", memory) == str(64 << 20)


def test_devices_that_were_forbidden_still_are(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().capabilities("CAP_MKNOD", "CAP_SYSLOG")
    made.up()
    read = ["sh", "-c", "[ -e /kmsg ] || mknod /kmsg c 1 11; dd if=/kmsg of=/dev/null bs=8192 count=1"]
    assert made.exec(*read).returncode != 0
    checkpoint(made)
    restore(made)
    assert made.exec(*read).returncode != 0
    assert made.exec_ok("head", "-c", "1", "/dev/zero") == "\0"


def test_devices_that_were_allowed_still_are(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().capabilities("CAP_MKNOD", "CAP_SYSLOG")
    made.bundle.resources["devices"].append({"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"})
    made.up()
    checkpoint(made)
    restore(made)
    made.exec_ok("sh", "-c", "mknod /kmsg c 1 11; dd if=/kmsg of=/dev/null bs=8192 count=1")


def test_masked_and_read_only_paths_still_are(container, checkpoint, restore):
    made = container(shell=STAY).up()
    checkpoint(made)
    restore(made)
    assert made.exec_ok("cat", "/proc/keys") == ""
    assert made.exec("sh", "-c", "echo x >/proc/sys/kernel/domainname").returncode != 0
    assert made.exec("touch", "/etc/x").returncode != 0


def test_a_private_network_has_its_loopback_up(container, checkpoint, restore):
    made = container(shell=STAY).up()
    checkpoint(made)
    restore(made)
    assert "LOOPBACK,UP" in made.exec_ok("ip", "link", "show", "lo")


# ---- mounts ----


def test_bind_mounts_and_tmpfs_are_there_again(container, workdir, checkpoint, restore):
    os.makedirs(f"{workdir}/source/sub")
    for name in ("source/file", "single"):
        with open(f"{workdir}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/source", "rbind", "ro")
    made.bundle.mount("/etc/single", f"{workdir}/single", "bind")
    made.bundle.mount("/scratch", "tmpfs", "size=1m", kind="tmpfs")
    made.up()
    made.exec_ok("sh", "-c", "echo kept >/scratch/file")
    checkpoint(made)
    restore(made)
    assert made.exec_ok("cat", "/data/file", "/etc/single") == "source/filesingle"
    assert made.exec_ok("cat", "/scratch/file") == "kept\n"
    assert made.exec("touch", "/data/new").returncode != 0
    made.exec_ok("sh", "-c", "echo new >/etc/single")
    with open(f"{workdir}/single", encoding="ascii") as file:
        assert file.read() == "new\n"


def test_a_bind_mount_comes_from_where_the_bundle_says_at_the_restore(container, workdir, checkpoint, restore):
    for name in ("old", "new"):
        os.makedirs(f"{workdir}/{name}")
        with open(f"{workdir}/{name}/file", "w", encoding="ascii") as file:
            file.write(name)
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/old")
    made.up()
    checkpoint(made)
    made.bundle.config["mounts"][-1]["source"] = f"{workdir}/new"
    made.bundle.write()
    restore(made)
    assert made.exec_ok("cat", "/data/file") == "new"


def test_a_symlink_in_the_place_of_a_mount_is_refused(container, runtime, workdir, image, checkpoint):
    os.makedirs(f"{workdir}/source")
    os.makedirs(f"{workdir}/victim")
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/source")
    made.up()
    checkpoint(made)
    os.rmdir(f"{made.bundle.rootfs}/data")
    os.symlink(f"{workdir}/victim", f"{made.bundle.rootfs}/data")
    result = runtime("restore", "-d", "--bundle", made.bundle.path, "--image-path", image, made.id)
    result.assert_refused("/data")
    assert not made.exists
    assert os.listdir(f"{workdir}/victim") == []


# ---- namespaces ----


def test_a_user_namespace(container, checkpoint, restore):
    made = container(shell=COUNTER)
    made.bundle.writable().user_namespace()
    os.chmod(made.bundle.rootfs, 0o777)
    made.up()
    system.wait_until(lambda: len(counted(made)) > 3, "counting")
    checkpoint(made)
    restore(made)
    wait_counting(made)
    assert os.stat(f"/proc/{made.pid}").st_uid == 100000


def test_a_network_namespace_by_path_is_the_same_afterwards(container, checkpoint, restore):
    other = container("sleep", "100").up()
    made = container(shell=STAY)
    made.bundle.with_namespace("network", f"/proc/{other.pid}/ns/net")
    made.up()
    checkpoint(made)
    restore(made)
    assert system.namespace(made.pid, "net") == system.namespace(other.pid, "net")


def test_a_cgroup_namespace(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.with_namespace("cgroup")
    made.up()
    checkpoint(made)
    restore(made)
    assert system.namespace(made.pid, "cgroup") != system.namespace("self", "cgroup")
    assert {line.split(":", 2)[2] for line in made.exec_ok("cat", "/proc/1/cgroup").splitlines()} == {"/"}


def test_a_time_namespace_goes_on_from_where_it_was(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.with_namespace("time").linux["timeOffsets"] = {"monotonic": {"secs": 50000}}
    made.up()
    offset = made.exec_ok("cat", "/proc/self/timens_offsets").split()
    assert int(offset[1]) == 50000
    checkpoint(made)
    restore(made)
    offset = made.exec_ok("cat", "/proc/self/timens_offsets").split()
    assert 49900 < int(offset[1]) <= 50000
    assert system.namespace(made.pid, "time") != system.namespace("self", "time")


@pytest.mark.parametrize("kind", ["network", "ipc", "uts"])
def test_the_hosts_namespace_is_so_afterwards(container, checkpoint, restore, kind):
    made = container(shell=STAY)
    made.bundle.without_namespace(kind)
    if kind == "uts":
        del made.bundle.config["hostname"]
    made.up()
    checkpoint(made)
    restore(made)
    name = {"network": "net"}.get(kind, kind)
    assert system.namespace(made.pid, name) == system.namespace("self", name)


def test_the_filter_is_there_again(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    made.up()
    checkpoint(made)
    restore(made)
    assert system.process_status(made.pid)["Seccomp"] == "2"
    assert "Operation not permitted" in made.exec("mkdir", "/x").stderr


def test_a_slave_mount_hears_of_the_hosts_mounts_again(container, workdir, checkpoint, restore):
    source = f"{workdir}/source"
    os.mkdir(source)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        os.mkdir(f"{source}/later")
        made = container(shell=STAY)
        made.bundle.mount("/mnt", source, "rbind", "rslave")
        made.up()
        checkpoint(made)
        restore(made)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", f"{source}/later"], check=True)
        assert "size=12k" in made.exec_ok("grep", " /mnt/later ", "/proc/self/mounts")
        made.stop()
        made.delete()
    finally:
        subprocess.run(["umount", "-R", source], check=True)


# ---- flags of checkpoint ----


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


def test_an_established_connection_takes_a_flag(container, runtime, image, checkpoint, restore):
    """Its other end is in the same network, and outside of the container."""
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
        client.settimeout(10)
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


# ---- failures ----


@pytest.fixture
def plugged(container):
    """A container that CRIU refuses: its standard input is a socket of somebody else's."""
    ours, theirs = socket.socketpair()
    made = container(shell=COUNTER)
    made.bundle.writable()
    made.up(stdin=theirs.fileno())
    system.wait_until(lambda: len(counted(made)) > 3, "counting")
    yield made
    ours.close()
    theirs.close()


def test_a_container_runs_on_unchanged_after_a_failed_checkpoint(criu, plugged, runtime, image):
    pid = plugged.pid
    result = runtime("checkpoint", "--image-path", image, plugged.id, timeout=60)
    result.assert_refused("CRIU failed", f"{image}/dump.log", "socket")
    assert plugged.status == "running"
    assert plugged.state()["pid"] == pid
    wait_counting(plugged)
    assert plugged.exec_ok("echo", "hi") == "hi\n"


def test_nothing_is_left_after_a_failed_restore(counter, runtime, image, checkpoint):
    checkpoint(counter)
    for name in glob.glob(f"{image}/core-*.img"):
        os.truncate(name, 10)
    before = sorted(os.listdir(counter.bundle.rootfs))
    result = runtime(
        "restore",
        "-d",
        "-b",
        counter.bundle.path,
        "--image-path",
        image,
        "--pid-file",
        f"{counter.pid_file}2",
        counter.id,
        timeout=60,
    )
    result.assert_refused("CRIU failed", f"{image}/restore.log")
    assert not counter.exists
    assert not os.path.exists(f"{counter.pid_file}2")
    assert sorted(os.listdir(counter.bundle.rootfs)) == before
    # The next test's fixtures look for processes, mounts and cgroups.


def test_a_restore_over_a_container_that_is_there_is_refused(counter, runtime, image, checkpoint):
    checkpoint(counter, "--leave-running")
    result = runtime("restore", "-d", "-b", counter.bundle.path, "--image-path", image, counter.id)
    result.assert_refused("container with id exists")
    wait_counting(counter)


def test_a_hook_that_fails_stops_the_restore(container, runtime, image, checkpoint):
    made = container(shell=STAY).up()
    checkpoint(made)
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    made.bundle.write()
    result = runtime("restore", "-d", "-b", made.bundle.path, "--image-path", image, made.id, timeout=60)
    result.assert_refused("hooks.createRuntime[0]")
    assert not made.exists


# ---- memory that stays behind until it is asked for ----


@pytest.fixture
def lazy(criu):
    check = subprocess.run([CRIU, "check", "--feature", "uffd-noncoop"], stdin=subprocess.DEVNULL, check=False)
    if check.returncode != 0:
        pytest.skip("this kernel, or CRIU, has no userfaultfd that tells of other processes' memory")


@pytest.fixture
def page_server(lazy):
    """CRIU makes a pipe larger than fs.pipe-max-size for it, and hangs where it can't."""
    if not int(system.process_status("self")["CapEff"], 16) & 1 << 24:
        pytest.skip("CRIU's page server needs CAP_SYS_RESOURCE")


@contextlib.contextmanager
def served(runtime, container, image, *flags):
    """A `checkpoint --lazy-pages` that can be asked for memory, and CRIU's daemon that will ask."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    reader, writer = os.pipe()
    status = ["--status-fd", str(writer), "--page-server", f"127.0.0.1:{port}"]
    with runtime.popen(
        "checkpoint", "--lazy-pages", *status, "--image-path", image, *flags, container.id, pass_fds=[writer]
    ) as checkpoint:
        os.close(writer)
        ready = system.Stream(reader)
        ready.until(b"\0")
        daemon = [CRIU, "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", port, "-D", image]
        with subprocess.Popen(daemon, stdin=subprocess.DEVNULL) as pages:
            system.wait_until(lambda: os.path.exists(f"{image}/lazy-pages.socket"), "the daemon's socket")
            yield checkpoint
            assert pages.wait(30) == 0


def test_a_lazily_restored_counter_goes_on_from_where_it_was(page_server, counter, runtime, image):
    """The old container stands still, and is there, until the last of its memory was fetched."""
    new = runtime.container(counter.bundle)
    with served(runtime, counter, image) as checkpoint:
        before = counted(counter)
        assert counter.exists
        runtime.ok(
            *("restore", "--detach", "--lazy-pages", "--bundle", counter.bundle.path),
            *("--image-path", image, "--work-path", image, "--pid-file", new.pid_file, new.id),
            timeout=60,
        )
        wait_counting(counter)
        assert wait_status(checkpoint) == 0
    assert not counter.exists
    assert new.state()["status"] == "running"
    wait_counting(new)
    after = counted(new)
    assert after == list(range(1, len(after) + 1)) and len(after) > len(before)


def test_a_lazy_checkpoint_whose_criu_is_killed_lets_the_container_run_on(lazy, counter, runtime, image):
    reader, writer = os.pipe()
    flags = ["--lazy-pages", "--status-fd", str(writer), "--page-server", "127.0.0.1:1"]
    with runtime.popen(
        "checkpoint", *flags, "--image-path", image, counter.id, pass_fds=[writer], stderr=subprocess.PIPE
    ) as checkpoint:
        os.close(writer)
        system.Stream(reader).until(b"\0")
        with open(f"/proc/{checkpoint.pid}/task/{checkpoint.pid}/children", encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        assert wait_status(checkpoint) == 1
        assert b"CRIU" in checkpoint.stderr.read()
    assert counter.status == "running"
    wait_counting(counter)


# ---- without CRIU ----


def test_without_criu_there_is_one_clear_line_and_the_container_runs_on(counter, runtime, image):
    runtime.global_flags += ["--criu", "/nonexistent/criu"]
    result = runtime("checkpoint", "--image-path", image, counter.id)
    result.assert_refused("CRIU is needed", "/nonexistent/criu")
    wait_counting(counter)
    assert not os.path.exists(image)
    result = runtime("restore", "--image-path", image, "-b", counter.bundle.path, runtime.new_id())
    result.assert_refused("CRIU is needed", "/nonexistent/criu")


def test_a_criu_that_fails_at_once_is_one_clear_line(counter, runtime, image):
    runtime.global_flags += ["--criu", "/bin/false"]
    runtime("checkpoint", "--image-path", image, counter.id).assert_refused("CRIU")
    wait_counting(counter)


def test_a_criu_that_the_kernel_is_too_new_for_is_one_clear_line(why_not, counter, runtime, image):
    if not why_not or "this kernel" not in why_not:
        pytest.skip("this CRIU works here, or is not installed")
    runtime("checkpoint", "--image-path", image, counter.id, timeout=60).assert_refused("CRIU failed", "dump.log")
    assert counter.status == "running"
    wait_counting(counter)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--lazy-pages", "--status-fd", "77"], ["--status-fd", "77"]),
        (["--manage-cgroups-mode", "loose"], ["--manage-cgroups-mode", "loose"]),
        (["--empty-ns", "uts"], ["--empty-ns", "uts"]),
        (["--status-fd", "x"], ["--status-fd"]),
    ],
)
def test_bad_flags_are_refused_by_name(counter, runtime, image, flags, words):
    runtime("checkpoint", "--image-path", image, *flags, counter.id).assert_refused(*words)
    wait_counting(counter)


def test_a_status_fd_that_is_for_reading_is_refused(counter, runtime, image):
    with open("/dev/null", "rb") as null:
        flags = ["--lazy-pages", "--status-fd", str(null.fileno())]
        result = runtime("checkpoint", "--image-path", image, *flags, counter.id, pass_fds=[null.fileno()])
    result.assert_refused("--status-fd", "not writable")
    wait_counting(counter)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--parent-path", "/absolute"], ["--parent-path", "relative"]),
        (["--parent-path", "missing"], ["--parent-path", "missing"]),
        (["--page-server", "nowhere"], ["--page-server", "ADDRESS:PORT"]),
        (["--page-server", "a:b"], ["--page-server", "ADDRESS:PORT"]),
    ],
)
def test_bad_paths_and_addresses_are_refused_by_name(criu, counter, runtime, image, flags, words):
    runtime("checkpoint", "--image-path", image, *flags, counter.id).assert_refused(*words)
    wait_counting(counter)


def test_only_a_running_container_can_be_checkpointed(container, runtime, image):
    created = container("sleep", "100").create()
    result = runtime("checkpoint", "--image-path", image, created.id)
    result.assert_refused("Container cannot be checkpointed in created state")
    created.start().stop()
    result = runtime("checkpoint", "--image-path", image, created.id)
    result.assert_refused("Container cannot be checkpointed in stopped state")
    result = runtime("checkpoint", "--image-path", image, runtime.new_id())
    result.assert_refused("container does not exist")


def test_what_is_no_checkpoint_is_refused(criu, bundle, runtime, workdir):
    made = bundle().write()
    result = runtime("restore", "--bundle", made.path, "--image-path", f"{workdir}/missing", runtime.new_id())
    result.assert_refused("--image-path", "missing")
    result = runtime("restore", "--bundle", made.path, "--image-path", workdir, runtime.new_id())
    result.assert_refused("--image-path", "not a checkpoint")


@resctrl.NEEDED
def test_what_is_restored_is_in_its_resctrl_group(container, checkpoint, restore):
    place = resctrl.Resctrl()
    made = container(shell=STAY)
    made.bundle.linux["intelRdt"] = {"schemata": [place.line(0xF)], "enableMonitoring": True}
    made.up()
    checkpoint(made)
    assert not place.exists(made.id)
    restore(made)
    assert made.pid in place.tasks(made.id)
    assert made.pid in place.tasks(made.id, "mon_groups", made.id)
    assert place.cache(made.id) == 0xF


MAPPING = [{"containerID": 0, "hostID": 1000, "size": 10}]


@pytest.mark.parametrize("what", ["mappings", "idmap", "ridmap", "cgroup", "time", "agent"])
def test_what_criu_cannot_restore_is_refused_by_its_field(container, runtime, workdir, image, what):
    """CRIU would leave it out, some of it without a word."""
    made, word = container("sleep", "100"), f"linux.namespaces[5].path: CRIU can't restore a container into a {what}"
    if what in ("mappings", "idmap", "ridmap"):
        made.bundle.mount("/mnt", workdir, "rbind", *([] if what == "mappings" else [what]))
        if what == "mappings":
            made.bundle.config["mounts"][-1].update(uidMappings=MAPPING, gidMappings=MAPPING)
        else:
            os.makedirs(f"{workdir}/source")
            made.bundle.config["mounts"][-1]["source"] = f"{workdir}/source"
            made.bundle.user_namespace()
        word = "mounts[7]: CRIU doesn't restore mapped ids"
    elif what == "agent":
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{workdir}/agent")
        server.listen()
        made.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": f"{workdir}/agent"}
        word = "linux.seccomp.listenerPath: CRIU doesn't checkpoint a filter with an agent"
    else:
        other = container("sleep", "100")
        other.bundle.with_namespace(what)
        made.bundle.with_namespace(what, f"/proc/{other.up().pid}/ns/{what}")
    made.up()
    runtime("checkpoint", "--image-path", image, made.id).assert_refused(word)
    assert made.status == "running" and not os.path.exists(image)
