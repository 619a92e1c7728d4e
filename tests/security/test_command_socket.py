# SPDX-License-Identifier: Apache-2.0
"""LXC's command socket hands descriptors of the host's cgroups to any peer with uid 0 that can reach it, and an
abstract name is reached by everyone in the network namespace (compare CVE-2020-15257)."""

import os
import shutil
import socket
import subprocess
import threading

import pytest

from lib import system

pytestmark = pytest.mark.ours


class Watcher(threading.Thread):
    """Collects the names of LXC's sockets that are seen in this network namespace."""

    def __init__(self):
        super().__init__()
        self.names = set()
        self.looks = 0
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
                names = [line.split()[-1] for line in file if line.rstrip().endswith("command")]
            self.names.update(names)
            self.looks += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


def test_no_socket_can_be_reached_while_containers_start(container):
    made = container("true")
    with Watcher() as watcher:
        for _ in range(20):
            made.run_ok()
    # The socket was seen, so it would have been seen under a name that can be connected to.
    assert watcher.names, f"{watcher.looks} looks saw no socket at all"
    assert not [name for name in watcher.names if name.startswith("@")]


def test_a_name_taken_by_somebody_else_keeps_nobody_from_starting(container):
    # Names were made of the process's id, and so could be taken in advance.
    made = container("true")
    with open("/proc/sys/kernel/ns_last_pid", encoding="utf-8") as file:
        last = int(file.read())
    script = (
        "import socket, sys\n"
        "held = []\n"
        f"for pid in range({last}, {last} + 300):\n"
        "    for name in (f'\\0/run/lxc/runlxc-{pid}/command', f'\\0/run/lxc/lxc/runlxc-{pid}/command'):\n"
        "        held.append(socket.socket(socket.AF_UNIX))\n"
        "        held[-1].bind(name)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        ["/usr/bin/python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        made.run_ok()
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


@pytest.fixture
def kept(container):
    """A running container whose monitor was kept."""
    made = container("sleep", "100")
    made.bundle.write()
    made.runtime.ok(
        *("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path), "--pid-file", made.pid_file, made.id
    )
    return made


@pytest.mark.skipif(not shutil.which("lxc-info"), reason="lxc-info is not installed")
def test_a_kept_monitor_answers_nobody_in_another_mount_namespace(kept):
    ask = ["lxc-info", "-P", kept.runtime.root, "-n", kept.id, "--state", "--no-humanize"]
    try:
        ours = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=False)
        others = subprocess.run(
            ["unshare", "-m", "--propagation", "unchanged", *ask],
            capture_output=True, text=True, timeout=30, check=False,
        )
    finally:
        shutil.rmtree(f"/run/lxc/lock{kept.runtime.root}", ignore_errors=True)
    assert ours.stdout.strip() == "RUNNING", ours
    assert "RUNNING" not in others.stdout, others


def test_a_stranger_who_connects_to_a_kept_monitor_does_the_container_no_harm(kept):
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(30)
        probe.connect(f"\0{kept.runtime.root}/{kept.id}/command")
    script = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "peer = socket.socket(socket.AF_UNIX)\n"
        "peer.settimeout(30)\n"
        "peer.connect('\\0' + sys.argv[1])\n"
        "try:\n"
        "    print(peer.recv(1))\n"
        "except ConnectionResetError:\n"
        "    print(b'')\n"
    )
    stranger = subprocess.run(
        ["unshare", "-m", "/usr/bin/python3", "-c", script, f"{kept.runtime.root}/{kept.id}/command"],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert stranger.stdout == "b''\n", stranger
    assert kept.status == "running"


def test_the_monitor_is_executed_from_memory_and_is_none_of_the_hosts_files(kept):
    # CVE-2019-5736: a container that shares its pid namespace finds what /proc/PID/exe is.
    monitor = system.process_stat(kept.pid)[1]
    assert os.readlink(f"/proc/{monitor}/exe").startswith("/memfd:runlxc-monitor")
    with pytest.raises(OSError):
        os.close(os.open(f"/proc/{monitor}/exe", os.O_WRONLY))
