# SPDX-License-Identifier: Apache-2.0
"""What must be as it was before: cgroups, mounts, processes, /run, network interfaces, /dev/null.

On a machine that others use at the same time (RUNLXC_TESTS_SHARED=1) only what can be told to come
from these tests counts: every id, cgroup and path of theirs has the session's token in it (or the pid of
a command of theirs: "lxc.monitor.runlxc-PID-RANDOM"), and every command has it in its environment.
"""

import os
import re

from lib import runtime, system

# Directories whose names are compared.
_WATCHED = ("/run", "/dev/shm", "/dev/mqueue", "/var/lib/lxc", "/var/lib/runlxc")


def _is_allowed(path):
    """What may appear once and stay: the default state root with a hidden cache in it, and the
    directories (not the files) that liblxc and LXC's tools make for their locks, one per state root; and what
    CRIU notes of the kernel; where systemd has its transient units, and users what is
    theirs."""
    if path == "/run/criu.kdat" or path == "/run/user" or path.endswith("/systemd/transient"):
        return True
    directory, name = os.path.split(path)
    if path in ("/run/runlxc", "/run/runc") or (directory == "/run/runlxc" and name.startswith(".")):
        return True
    return path.startswith("/run/lxc") and os.path.isdir(path)


def _files():
    found = set()
    for top in _WATCHED:
        for directory, directories, files in os.walk(top):
            paths = (os.path.join(directory, name) for name in directories + files)
            found |= {path for path in paths if not _is_allowed(path)}
    return found


def _cgroups():
    """Every cgroup in every hierarchy. Where these tests were started in a cgroup, its siblings are
    other sessions of whoever made it, and may come and go."""
    found = set()
    own = system.cgroup_paths("self")
    for label, mount_point in system.cgroup_hierarchies().items():
        siblings = mount_point + os.path.dirname(own[label])
        for directory, directories, _ in os.walk(mount_point):
            if directory == siblings and own[label] != "/":
                directories[:] = [os.path.basename(own[label])]
            # What systemd leaves alone on v1 it doesn't clear of slices either.
            if not (label and label != "name=systemd" and directory.endswith(".slice")):
                found.add(directory)
    return found


def _mounts():
    # Without the ids: what counts is what is mounted where.
    with open("/proc/self/mountinfo", encoding="utf-8") as mountinfo:
        return {line.split(" ", 2)[2] for line in mountinfo}


def names_a_command(path):
    named = re.search(r"runlxc-([0-9]+)-[0-9a-f]{8}$", os.path.basename(path))
    return bool(named) and int(named[1]) in runtime.started_pids


def _device(path):
    info = os.stat(path)
    return f"{path} mode {info.st_mode:o} owner {info.st_uid}:{info.st_gid} device {info.st_rdev:x}"


def _host():
    return {
        f"hostname {os.uname().nodename}",
        _device("/dev/null"),
        _device("/dev/zero"),
        _device("/dev/tty"),
        _device("/dev/ptmx"),
    }


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _describe(pid):
    command = _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    stat = system.process_stat(pid)
    return f"process {pid} (parent {stat[1] if stat else '?'}): {command[:300]}"


def _is_descendant(pid, of):
    while pid > 1:
        if pid == of:
            return True
        stat = system.process_stat(pid)
        if not stat:
            return False
        pid = stat[1]
    return False


def _root_of(pid):
    """Where a process's root file system is on the host."""
    for line in _read(f"/proc/{pid}/mountinfo").splitlines():
        fields = line.split(b" ")
        if fields[4] == b"/":
            return fields[3]
    return b""


class Snapshot:
    """The host at one moment."""

    def __init__(self):
        self.named = {
            "cgroup": _cgroups(),
            "mount": _mounts(),
            "file": _files(),
            "interface": set(os.listdir("/sys/class/net")),
        }
        self.host = _host()
        self.processes = {pid: stat[2] for pid in system.pids() if (stat := system.process_stat(pid))}

    def leaks(self, token, shared):
        """What is there now and was not then, as lines of text."""
        found = []
        now = {
            "cgroup": _cgroups,
            "mount": _mounts,
            "file": _files,
            "interface": lambda: set(os.listdir("/sys/class/net")),
        }
        for kind, before in self.named.items():
            for name in now[kind]() - before:
                if not shared or token in name or names_a_command(name):
                    found.append(f"{kind} {name}")
            if not shared and kind in ("mount", "interface"):
                found += [f"{kind} {name} is gone" for name in before - now[kind]()]
        found += [f"the host is changed: {line}" for line in _host() - self.host]
        marks = token.encode()
        for pid in system.pids():
            stat = system.process_stat(pid)
            if not stat or stat[0] in "ZX" or self.processes.get(pid) == stat[2]:
                continue
            if pid == os.getpid():
                continue
            if (
                _is_descendant(pid, os.getpid())
                or marks in _read(f"/proc/{pid}/environ")
                or marks in _read(f"/proc/{pid}/cgroup")
                or marks in _root_of(pid)
            ) and system.process_alive(pid):
                found.append(_describe(pid))
        return sorted(found)
