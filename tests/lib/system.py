# SPDX-License-Identifier: Apache-2.0
"""What the host shows: processes, cgroups, mounts; and waiting for something to become so."""

import os
import select
import time

DEADLINE = 20.0  # seconds; nothing here takes that long unless it is broken


def wait_until(predicate, what, timeout=DEADLINE):
    """Returns the first true value of predicate(). For state that gives no event; prefer events."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout} s: {what}")
        time.sleep(0.004)


# ---- processes ----


def process_stat(pid):
    """(state, parent, start time) from /proc/PID/stat, or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0].decode(), int(fields[1]), int(fields[19])


def process_alive(pid):
    """False for a zombie, too: orphans wait for the machine's PID 1 here, sometimes for a second."""
    stat = process_stat(pid)
    return stat is not None and stat[0] not in "ZX"


def process_status(pid):
    """/proc/PID/status as a dict of strings."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def kernel_is(*wanted):
    """Whether the kernel is of this version, (6, 15), or a newer one."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)))) >= wanted


def kernel_tells_exit_statuses():
    """Whether the kernel tells the exit status of a process to others than its parent."""
    return kernel_is(6, 15)


def owners_can_be_mapped(path):
    """Whether the kernel can give mounts of the file system at `path` other owners (MOUNT_ATTR_IDMAP)."""

    def length(mount):
        return len(mount.target) if f"{path}/".startswith(mount.target.rstrip("/") + "/") else -1

    return max(mounts_of("self"), key=length).type != "tmpfs" or kernel_is(6, 3)


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(parent):
    """Live children of a process."""
    found = []
    for pid in pids():
        stat = process_stat(pid)
        if stat and stat[1] == parent and stat[0] not in "ZX":
            found.append(pid)
    return sorted(found)


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


class Pidfd:
    """A process by its pidfd: its end is an event, also when somebody else reaps it."""

    def __init__(self, pid):
        self.pid = pid
        self.fd = os.pidfd_open(pid)

    def ended(self, timeout=0.0):
        return bool(select.select([self.fd], [], [], timeout)[0])

    def wait(self, timeout=DEADLINE):
        if not self.ended(timeout):
            raise AssertionError(f"process {self.pid} still runs after {timeout} s")

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Stream:
    """The read end of a pipe or terminal, read up to what a test waits for."""

    def __init__(self, fd):
        self.fd = fd
        self.data = b""  # everything read so far
        self.seen = 0  # up to where until() has consumed it

    def _more(self, deadline, what):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            raise AssertionError(f"no {what} within the deadline, only: {self.data[-2000:]!r}")
        try:
            block = os.read(self.fd, 65536)
        except OSError:  # EIO: a terminal whose last slave was closed
            block = b""
        self.data += block
        return bool(block)

    def until(self, what, timeout=DEADLINE):
        """Reads until `what` (bytes) has come; returns everything since the last call."""
        deadline = time.monotonic() + timeout
        while what not in self.data[self.seen :]:
            if not self._more(deadline, what):
                raise AssertionError(f"ended before {what!r}: {self.data!r}")
        start, self.seen = self.seen, self.data.index(what, self.seen) + len(what)
        return self.data[start : self.seen]

    def rest(self, timeout=DEADLINE):
        """Reads to the end; returns everything since the last call."""
        deadline = time.monotonic() + timeout
        while self._more(deadline, "end of file"):
            pass
        start, self.seen = self.seen, len(self.data)
        return self.data[start:]


# ---- cgroups ----


def cgroup_hierarchies():
    """Mount point of every hierarchy by its label in /proc/PID/cgroup ("memory", "name=systemd", "")."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as mountinfo:
        for line in mountinfo:
            before, after = line.rstrip("\n").split(" - ", 1)
            kind, _, options = after.split(" ", 2)
            mount_point = before.split(" ")[4]
            if kind == "cgroup2":
                found.setdefault("", mount_point)
            elif kind == "cgroup":
                label = ",".join(o for o in options.split(",") if o not in ("rw", "ro", "xattr"))
                found.setdefault(label, mount_point)
    return found


def cgroup_paths(pid):
    """The path in every hierarchy, by label, from /proc/PID/cgroup."""
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as cgroup:
        return {label: path for _, label, path in (line.rstrip("\n").split(":", 2) for line in cgroup)}


def cgroup_directory(pid, controller):
    """The directory of a process's cgroup for one controller, as the host sees it."""
    hierarchies = cgroup_hierarchies()
    for label, path in cgroup_paths(pid).items():
        if controller in label.split(","):
            return hierarchies[label] + path
    return hierarchies[""] + cgroup_paths(pid)[""]


def cgroup_read(pid, controller, name):
    with open(f"{cgroup_directory(pid, controller)}/{name}", encoding="utf-8") as file:
        return file.read().strip()


def cgroup_pids(pid, controller="memory"):
    """Everyone in a process's cgroup and below it."""
    found = set()
    for directory, _, _ in os.walk(cgroup_directory(pid, controller)):
        with open(f"{directory}/cgroup.procs", encoding="utf-8") as procs:
            found |= {int(line) for line in procs}
    return found


def on_cgroup_v1():
    return "memory" in cgroup_hierarchies()


def cgroup_remove(path):
    """Kills whatever is in `path` in any hierarchy and removes it, bottom up."""
    for mount_point in cgroup_hierarchies().values():
        top = mount_point + path
        for directory, _, _ in os.walk(top, topdown=False):
            wait_until(lambda d=directory: _cgroup_remove_one(d), f"cgroup {directory} removed", 5)


def _cgroup_remove_one(directory):
    for freezer in (f"{directory}/freezer.state", f"{directory}/cgroup.freeze"):
        if os.path.exists(freezer):
            with open(freezer, "w", encoding="utf-8") as file:
                file.write("THAWED" if freezer.endswith("state") else "0")
    try:
        with open(f"{directory}/cgroup.procs", encoding="utf-8") as procs:
            for line in procs:
                os.kill(int(line), 9)
        os.rmdir(directory)
    except (FileNotFoundError, ProcessLookupError):
        pass
    except OSError:
        return False
    return not os.path.exists(directory)


# ---- mounts ----


def _unescape(text):
    return text.encode().decode("unicode_escape")


class Mount:
    """One line of a mountinfo file."""

    def __init__(self, line):
        before, after = line.split(" - ", 1)
        fields = before.split(" ")
        self.root = _unescape(fields[3])
        self.target = _unescape(fields[4])
        self.options = set(fields[5].split(","))
        self.propagation = fields[6:]
        self.type, source, super_options = after.split(" ", 2)
        self.source = _unescape(source)
        self.super_options = set(super_options.split(","))

    def __repr__(self):
        return f"<{self.type} {self.source}{self.root} on {self.target} {self.options} {self.propagation}>"


def parse_mounts(text):
    return [Mount(line) for line in text.splitlines() if " - " in line]


def mounts_of(pid):
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as mountinfo:
        return parse_mounts(mountinfo.read())


def mount_at(mounts, target):
    """The topmost mount on a target."""
    found = [mount for mount in mounts if mount.target == target]
    assert found, f"nothing is mounted on {target}: {mounts}"
    return found[-1]
