# SPDX-License-Identifier: Apache-2.0
"""events: statistics and out-of-memory kills of a container, as they come."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from lib import system, traffic

MEBIBYTE = 1 << 20


def statistics(made):
    """The data of `events --stats`."""
    lines = made.runtime.ok("events", "--stats", made.id).stdout.splitlines()
    assert len(lines) == 1
    event = json.loads(lines[0])
    assert (event["type"], event["id"]) == ("stats", made.id)
    return event["data"]


class Events:
    """`events` in the background."""

    def __init__(self, made, *flags):
        self.process = made.runtime.popen("events", *flags, made.id, stdout=subprocess.PIPE)
        self.stream = system.Stream(self.process.stdout.fileno())
        self.id = made.id

    def next(self):
        return json.loads(self.stream.until(b"\n"))

    def next_oom(self):
        while (event := self.next())["type"] != "oom":
            pass
        assert event == {"type": "oom", "id": self.id}

    def rest(self):
        """Everything up to the end of the stream, which must be orderly."""
        events = [json.loads(line) for line in self.stream.rest().splitlines()]
        assert self.process.wait(system.DEADLINE) == 0
        return events

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def follow(runtime):
    """events(made, flags…); ended by the fixture."""
    started = []

    def make(made, *flags):
        started.append(Events(made, *flags))
        return started[-1]

    yield make
    for events in started:
        events.__exit__()


def limit_memory(made, size):
    """Also what swaps: else nobody runs out of it on a machine with swap space."""
    made.bundle.resources["memory"] = {"limit": size}
    if os.path.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") or not system.on_cgroup_v1():
        made.bundle.resources["memory"]["swap"] = size
    return made


@pytest.fixture
def small(container):
    """A container with little memory, up."""
    return limit_memory(container("sleep", "1000"), 16 * MEBIBYTE).up()


def run_out_of_memory(made):
    """One process of the container, not its first, is killed by the kernel for memory."""
    assert made.exec("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1").returncode == 137


# ---- --stats ----


def test_stats_has_every_part(container):
    data = statistics(container("sleep", "100").up())
    assert {
        "cpu",
        "cpuset",
        "memory",
        "pids",
        "blkio",
        "hugetlb",
        "intel_rdt",
        "network_interfaces",
    } <= set(data)


@pytest.mark.ours
def test_stats_tells_the_time_and_the_memory_that_there_is(container):
    data = statistics(container("sleep", "100").up())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", data["read"])
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        machine = int(meminfo.readline().split()[1]) << 10
    assert data["memory_limit"] == machine
    data = statistics(limit_memory(container("sleep", "100"), 64 * MEBIBYTE).up())
    assert data["memory_limit"] == 64 * MEBIBYTE


def test_stats_of_a_created_container(container):
    made = container("sleep", "100").create()
    assert statistics(made)["pids"]["current"] >= 1


def test_stats_of_a_paused_container(container):
    made = container("sleep", "100").up()
    made.runtime.ok("pause", made.id)
    assert statistics(made)["pids"]["current"] >= 1
    made.runtime.ok("resume", made.id)


def shape(value):
    """The kinds of value in a document, by path; of a list, of all its elements."""
    if isinstance(value, dict):
        found = {}
        for key, member in value.items():
            found |= {f".{key}{path}": kind for path, kind in shape(member).items()}
        return found or {"": "object"}
    if isinstance(value, list):
        found = {}
        for member in value:
            found |= {f"[]{path}": kind for path, kind in shape(member).items()}
        return found
    return {"": "number" if isinstance(value, (int, float)) else type(value).__name__}


@pytest.mark.ours
@pytest.mark.skipif(not shutil.which("runc"), reason="compares with runc")
def test_stats_has_the_shape_that_runcs_have(container, bundle, workdir, token):
    limits = {"memory": {"limit": 64 * MEBIBYTE}, "pids": {"limit": 50}}
    made = container("sleep", "100")
    made.bundle.resources.update(limits)
    ours = statistics(made.up())

    other = bundle().args("sleep", "100").cgroup(f"/{token}-runc")
    other.resources.update(limits)
    # On cgroup v2 runc's mount of it changes the options of the host's.
    other.config["mounts"] = [mount for mount in other.config["mounts"] if mount["type"] != "cgroup"]
    other.write()
    runc = ["runc", "--root", f"{workdir}/runc"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*runc, "run", "-d", "-b", other.path, f"{token}-runc"], check=True, timeout=20, **quiet)
    try:
        theirs = subprocess.run(
            [*runc, "events", "--stats", f"{token}-runc"], check=True, timeout=20, capture_output=True
        )
        theirs = json.loads(theirs.stdout)["data"]
    finally:
        subprocess.run([*runc, "delete", "-f", f"{token}-runc"], check=True, timeout=20, **quiet)

    # Whether a device was read from depends on what is in memory.
    for data in (ours, theirs):
        data.pop("blkio")
    ours_flat, theirs_flat = shape(ours), shape(theirs)
    wrong = {path: kind for path, kind in theirs_flat.items() if ours_flat.get(path) != kind}
    # A number that is zero may be left out.
    assert not {
        path
        for path in wrong
        if path != ".hugetlb" and path.rpartition(".")[2] not in ("usage", "max", "cache")
    }
    # Newer versions have the pressure; ours also have v2's huge pages beside v1.
    extra = {path for path in ours_flat if path not in theirs_flat}
    assert not {
        path
        for path in extra
        if path not in (".read", ".memory_limit", ".memory.usage.max", ".memory.cache")
        and not path.startswith(".hugetlb.")
        and ".psi." not in path
    }
    assert list(ours)[:5] == list(theirs)[:5] == ["cpu", "cpuset", "memory", "pids", "hugetlb"]


def test_stats_are_those_of_the_cgroups_files(container):
    made = container("sleep", "100")
    made.bundle.resources.update({"memory": {"limit": 64 * MEBIBYTE}, "pids": {"limit": 50}})
    data = statistics(made.up())
    v1 = system.on_cgroup_v1()
    assert data["pids"] == {"current": 1, "limit": 50}
    assert data["memory"]["usage"]["limit"] == 64 * MEBIBYTE
    lines = system.cgroup_read(made.pid, "memory", "memory.stat").splitlines()
    assert set(data["memory"]["raw"]) == {line.split()[0] for line in lines}
    assert data["memory"].get("cache", 0) == data["memory"]["raw"]["cache" if v1 else "file"]
    if v1:
        processors = len(system.cgroup_read(made.pid, "cpuacct", "cpuacct.usage_percpu").split())
        assert len(data["cpu"]["usage"]["percpu"]) == processors
        assert data["cpuset"]["sched_relax_domain_level"] == -1
        assert data["memory"]["kernel"]["limit"] == int(
            system.cgroup_read(made.pid, "memory", "memory.kmem.limit_in_bytes")
        )


# ---- every counter moves ----


def test_cpu_time_is_counted(container):
    made = container("sleep", "100").up()
    before = statistics(made)["cpu"]["usage"]
    made.exec_ok("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
    after = statistics(made)["cpu"]["usage"]
    assert after["total"] - before["total"] > 10_000_000
    assert after["user"] + after["kernel"] > before["user"] + before["kernel"]
    if system.on_cgroup_v1():
        assert sum(after["percpu"]) == after["total"]
        assert sum(after["percpu_user"]) > sum(before["percpu_user"])


def test_throttling_is_counted(container):
    made = container("sleep", "100")
    made.bundle.resources["cpu"] = {"quota": 1000, "period": 10000}
    made.up()
    made.exec_ok("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    throttling = statistics(made)["cpu"]["throttling"]
    assert throttling["periods"] >= throttling["throttledPeriods"] > 0
    assert throttling["throttledTime"] > 1_000_000


def test_memory_is_counted(container):
    made = container("sleep", "100").up()
    before = statistics(made)["memory"]
    made.exec_ok("dd", "if=/dev/zero", "of=/dev/shm/file", "bs=1M", "count=16")
    after = statistics(made)["memory"]
    assert after["usage"]["usage"] - before["usage"].get("usage", 0) >= 15 * MEBIBYTE
    assert after["raw"]["shmem"] - before["raw"]["shmem"] >= 15 * MEBIBYTE
    assert after["cache"] - before.get("cache", 0) >= 15 * MEBIBYTE


def test_processes_are_counted(container):
    made = container("sleep", "100").up()
    assert statistics(made)["pids"] == {"current": 1}
    made.exec_ok("sleep", "100", flags=["--detach"])
    made.exec_ok("sleep", "100", flags=["--detach"])
    assert statistics(made)["pids"]["current"] == 3


def written_bytes(data, device):
    entries = data["blkio"].get("ioServiceBytesRecursive", [])
    return sum(
        entry.get("value", 0)
        for entry in entries
        if entry["op"] == "Write" and (entry.get("major", 0), entry.get("minor", 0)) == device
    )


def test_block_io_is_counted(container):
    made = container("sleep", "100")
    made.bundle.writable()
    device = os.stat(made.bundle.rootfs).st_dev
    device = os.major(device), os.minor(device)
    if not os.path.exists(f"/sys/dev/block/{device[0]}:{device[1]}"):
        pytest.skip("the tests' directory is on no block device")
    made.up()
    if not os.path.exists(f"{system.cgroup_directory(made.pid, 'blkio')}/blkio.throttle.io_serviced"):
        if not os.path.exists(f"{system.cgroup_directory(made.pid, 'io')}/io.stat"):
            pytest.skip("this kernel has no counters of block I/O")
    partition = f"/sys/dev/block/{device[0]}:{device[1]}/partition"
    if os.path.exists(partition):  # the disk is what is counted
        with open(f"{os.path.dirname(os.path.realpath(partition))}/../dev", encoding="ascii") as file:
            device = tuple(map(int, file.read().split(":")))
    before = written_bytes(statistics(made), device)
    made.exec_ok("dd", "if=/dev/zero", "of=/file", "bs=1M", "count=4", "conv=fsync")
    assert written_bytes(statistics(made), device) - before >= 4 * MEBIBYTE


@pytest.mark.ours  # runc lists the interfaces that it made itself, and makes none
def test_the_traffic_of_its_own_network_is_counted(container):
    made = container("sleep", "100").up()
    assert statistics(made)["network_interfaces"] is None  # there is only loopback
    with traffic.Interfaces(made.pid) as interfaces:
        before = {entry["Name"]: entry for entry in statistics(made)["network_interfaces"]}
        assert set(before) == {"eth0", "peer0"}
        interfaces.send(20)
        after = {entry["Name"]: entry for entry in statistics(made)["network_interfaces"]}
    assert after["eth0"]["TxPackets"] - before["eth0"]["TxPackets"] >= 20
    assert after["eth0"]["TxBytes"] - before["eth0"]["TxBytes"] >= 20 * traffic.FRAME_SIZE
    assert after["peer0"]["RxPackets"] - before["peer0"]["RxPackets"] >= 20
    assert after["peer0"]["RxBytes"] - before["peer0"]["RxBytes"] >= 20 * traffic.FRAME_SIZE
    assert set(after["eth0"]) == {"Name"} | {
        direction + what for direction in ("Rx", "Tx") for what in ("Bytes", "Packets", "Errors", "Dropped")
    }


def test_the_hosts_network_is_not_the_containers(container):
    made = container("sleep", "100")
    made.bundle.without_namespace("network")
    assert statistics(made.up())["network_interfaces"] is None


# ---- the stream ----


def test_statistics_come_at_every_interval(container, follow):
    made = container("sleep", "100").up()
    events = follow(made, "--interval", "50ms")
    assert [(event["type"], event["id"]) for event in (events.next(), events.next(), events.next())] == [
        ("stats", made.id)
    ] * 3


@pytest.mark.ours  # runc's ends when the container is deleted
def test_the_stream_ends_with_the_container(container, follow):
    made = container("sleep", "100").up()
    events = follow(made, "--interval", "50ms")
    events.next()
    made.stop()
    assert {event["type"] for event in events.rest()} <= {"stats"}


@pytest.mark.ours
def test_the_stream_of_a_deleted_container_has_ended(container, follow):
    made = container("sleep", "100").up()
    events = follow(made, "--interval", "50ms")
    events.next()
    made.delete("--force")
    assert {event["type"] for event in events.rest()} <= {"stats"}


@pytest.mark.ours
def test_the_stream_ends_when_nobody_reads_it(container, follow):
    made = container("sleep", "100").up()
    reader, writer = os.pipe()
    process = made.runtime.popen("events", "--interval", "1h", made.id, stdout=writer)
    os.close(writer)
    os.close(reader)
    assert process.wait(system.DEADLINE) in (0, -signal.SIGPIPE)


def test_a_process_killed_for_memory_is_told(small, follow):
    events = follow(small, "--interval", "50ms")
    events.next()  # it is listening
    run_out_of_memory(small)
    events.next_oom()
    assert small.status == "running"


@pytest.mark.ours  # runc tells that memory ran out, by one line or more
def test_each_process_killed_for_memory_is_told(small, follow):
    events = follow(small, "--interval", "50ms")
    events.next()
    for _ in range(3):
        run_out_of_memory(small)
        events.next_oom()
    small.stop()
    assert {event["type"] for event in events.rest()} <= {"stats"}


@pytest.mark.ours
def test_a_first_process_killed_for_memory_is_told_before_the_end(container, follow):
    made = container(shell="read x </fifo; exec dd if=/dev/zero of=/dev/null bs=64M count=1")
    limit_memory(made, 16 * MEBIBYTE)
    os.mkfifo(f"{made.bundle.rootfs}/fifo")
    made.up()
    events = follow(made, "--interval", "50ms")
    events.next()
    with open(f"{made.bundle.rootfs}/fifo", "w", encoding="ascii") as fifo:
        fifo.write("go\n")
    made.wait()
    assert [event["type"] for event in events.rest() if event["type"] != "stats"] == ["oom"]


@pytest.mark.ours
def test_a_plain_kill_is_not_told(small, follow):
    events = follow(small, "--interval", "50ms")
    events.next()
    small.exec_ok("sleep", "500", flags=["--detach"])
    (other,) = system.cgroup_pids(small.pid) - {small.pid}
    os.kill(other, signal.SIGKILL)
    events.next()
    small.stop()
    assert {event["type"] for event in events.rest()} <= {"stats"}


# ---- what is refused ----


@pytest.mark.parametrize("flags", [[], ["--stats"]], ids=["stream", "once"])
def test_events_of_a_container_that_has_ended_is_an_error(container, flags):
    made = container("true").up()
    made.wait()
    made.runtime("events", *flags, made.id).assert_refused("is not running")


@pytest.mark.parametrize("flags", [[], ["--stats"]], ids=["stream", "once"])
def test_events_of_an_unknown_container_is_an_error(runtime, flags):
    runtime("events", *flags, runtime.new_id()).assert_refused("does not exist")


@pytest.mark.parametrize("interval", ["0", "-1s", "0s", "5", "soon", ""])
def test_a_bad_interval_is_an_error(container, interval):
    made = container("sleep", "100").up()
    made.runtime("events", f"--interval={interval}", made.id).assert_refused("interval")


@pytest.mark.parametrize("words", [[], ["one", "two"]], ids=["none", "two"])
def test_events_takes_one_container(runtime, words):
    runtime("events", *words).assert_refused("requires exactly 1 argument")


@pytest.mark.ours
def test_an_unknown_flag_is_an_error(runtime):
    runtime("events", "--statistics", "x").assert_refused("--statistics")
