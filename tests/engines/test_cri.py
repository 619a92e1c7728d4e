# SPDX-License-Identifier: Apache-2.0
"""containerd's CRI, as Kubernetes uses it: pods of containers that share namespaces."""

import datetime
import os
import time

import grpc
import pytest

from lib import system
from lib.system import wait_until

LOOP = "trap 'echo TERM; exit 3' TERM; echo ready; while :; do usleep 10000; done"
PRIVILEGES = "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Groups)' /proc/self/status"


def _said(cri, context=None, script="true", **config):
    """What a container says under both runtimes, with its exit status."""

    def scenario(runtime):
        box = cri.pod(runtime).container("sh", "-c", f"{{ {script}; }} 2>&1", context=context, **config).start()
        return box.ended(), box.logged()

    return cri.both(scenario)


def test_a_container_in_a_pod(cri):
    def scenario(runtime):
        pod = cri.pod(runtime)
        box = pod.container("sh", "-c", LOOP)
        states = [box.status.state]
        box.start()
        wait_until(lambda: box.logged() == ["ready"], "it is ready")
        states.append(box.status.state)
        inside = box.exec("sh", "-c", "echo out; echo err >&2; exit 42")
        box.stop(timeout=10)
        ended = box.ended()
        box.remove()
        pod.stop()
        return states, inside, ended

    assert cri.both(scenario) == ([0, 1], (42, "out\n", "err\n"), (3, "Error"))


@pytest.mark.full
def test_a_container_that_does_not_heed_is_killed(cri):
    def scenario(runtime):
        box = cri.pod(runtime).container("sh", "-c", "trap '' TERM; echo ready; while :; do usleep 10000; done").start()
        wait_until(lambda: box.logged() == ["ready"], "it is ready")
        box.stop(timeout=1)
        return box.ended()[0]

    assert cri.both(scenario) == 137


@pytest.mark.full
def test_what_cannot_be_executed_is_said_by_its_status(cri):
    def scenario(runtime):
        box = cri.pod(runtime).container("no-such-program")
        with pytest.raises(grpc.RpcError) as failed:
            box.start()
        return "executable file not found in $PATH" in failed.value.details(), box.ended()

    assert cri.both(scenario) == (True, (128, "StartError"))


@pytest.mark.full
def test_out_of_memory_is_the_reason(cri):
    def scenario(runtime):
        box = cri.pod(runtime).container("tail", "/dev/zero", resources={"memory_limit_in_bytes": 32 << 20}).start()
        return box.ended()

    assert cri.both(scenario) == (137, "OOMKilled")


@pytest.mark.full
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"run_as_user": {"value": 1000}, "supplemental_groups": [7, 8]},
        {"run_as_username": "alice", "no_new_privs": True},
        {"capabilities": {"add_capabilities": ["NET_ADMIN"], "drop_capabilities": ["CHOWN"]}},
        {"capabilities": {"drop_capabilities": ["ALL"]}, "seccomp": {"profile_type": 0}},
    ],
    ids=["default", "user", "username", "capabilities", "nothing"],
)
def test_privileges(cri, context):
    _said(cri, context, PRIVILEGES)


@pytest.mark.full
def test_a_read_only_root_and_masked_paths(cri):
    context = {
        "readonly_rootfs": True,
        "masked_paths": ["/proc/version", "/sys/firmware"],
        "readonly_paths": ["/proc/sys"],
    }
    seen = _said(
        cri, context, "touch /x; cat /proc/version; ls /sys/firmware; echo x >/proc/sys/kernel/hostname; echo end"
    )
    assert seen[1][0].endswith("Read-only file system") and seen[1][-1] == "end"


@pytest.mark.full
def test_environment_directory_and_mounts(cri):
    path = f"{cri.directory}/files"
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/file", "w", encoding="utf-8") as file:
        file.write("of the host\n")
    seen = _said(
        cri,
        script="echo $A; pwd; cat /real/inner/deep/file; touch /link/deep/x",
        envs=[{"key": "A", "value": "b c"}],
        working_dir="/made/here",
        mounts=[{"host_path": path, "container_path": "/link/deep", "readonly": True}],
    )
    assert seen[1][:3] == ["b c", "/made/here", "of the host"] and "Read-only" in seen[1][3]


@pytest.mark.full
def test_limits_and_their_update(cri):
    if not system.on_cgroup_v1():
        pytest.skip("reads cgroup v1's files")

    def scenario(runtime):
        limits = {"memory_limit_in_bytes": 48 << 20, "cpu_shares": 300, "cpu_quota": 50000, "cpu_period": 100000}
        box = cri.pod(runtime).container("sleep", "1000", resources=limits).start()
        files = [("memory", "memory.limit_in_bytes"), ("cpu", "cpu.shares"), ("cpu", "cpu.cfs_quota_us")]
        devices = system.cgroup_read(box.pid, "devices", "devices.list")
        before = [system.cgroup_read(box.pid, *file) for file in files]
        box.update(memory_limit_in_bytes=64 << 20, cpu_shares=99, cpu_quota=20000, cpu_period=100000)
        after = [system.cgroup_read(box.pid, *file) for file in files]
        assert system.cgroup_read(box.pid, "devices", "devices.list") == devices
        return before, after

    assert cri.both(scenario) == ([str(48 << 20), "300", "50000"], [str(64 << 20), "99", "20000"])


def test_containers_of_a_pod_share_what_a_pod_shares(cri):
    def scenario(runtime):
        pod = cri.pod(runtime)
        pids = [pod.container("sleep", "1000").start().pid for _ in range(2)]
        kinds = ("net", "ipc", "uts", "pid", "mnt", "cgroup")
        return [kind for kind in kinds if system.namespace(pids[0], kind) == system.namespace(pids[1], kind)]

    assert {"net", "ipc"} <= set(cri.both(scenario))


@pytest.mark.full
def test_processes_of_a_pod_can_be_shared(cri):
    def scenario(runtime):
        pod = cri.pod(runtime, pid=0)
        first = pod.container("sleep", "111").start()
        second = pod.container("sleep", "222").start()
        seen = second.exec("ps")[1]
        first.stop()
        return "sleep 111" in seen, first.ended()[0], second.status.state

    assert cri.both(scenario) == (True, 137, 1)


@pytest.mark.full
def test_an_exec_that_takes_too_long_is_killed(cri):
    def scenario(runtime):
        box = cri.pod(runtime).container("sleep", "1000").start()
        with pytest.raises(grpc.RpcError) as failed:
            box.exec("sleep", "55", timeout=1)
        wait_until(lambda: "sleep 55" not in box.exec("ps")[1], "it has ended")
        return failed.value.code(), box.status.state

    cri.both(scenario)


# ---- stats ----


def _used(directory_of):
    """CPU time in ns and memory in bytes, as the kernel counts them for a cgroup."""

    def read(controller, name):
        with open(f"{directory_of(controller)}/{name}", encoding="utf-8") as file:
            return file.read().split()

    if system.on_cgroup_v1():
        return int(read("cpuacct", "cpuacct.usage")[0]), int(read("memory", "memory.usage_in_bytes")[0])
    return int(read("cpu", "cpu.stat")[1]) * 1000, int(read("memory", "memory.current")[0])


def _fields(message):
    """Which fields are there, the zeros too: those are in messages of their own. containerd 1.7 gives the usage at the
    moment when it has two samples of its own."""
    found = set()
    for field, value in message.ListFields():
        found.add(field.name)
        if field.message_type and not field.message_type.name.endswith("Value"):
            for part in [value] if hasattr(value, "ListFields") else value:
                found |= {f"{field.name}.{name}" for name in _fields(part)}
    return {name for name in found if "usage_nano_cores" not in name}


CPU = {"cpu", "cpu.timestamp", "cpu.usage_core_nano_seconds"}
MEMORY = {"memory", "memory.timestamp"} | {
    f"memory.{name}"
    for name in ("usage_bytes", "working_set_bytes", "available_bytes", "rss_bytes", "page_faults", "major_page_faults")
}


def _are_between(stats, before, after):
    """CPU time only grows; memory that nobody uses meanwhile stays, but for what the kernel counts in batches."""
    assert before[0] <= stats.cpu.usage_core_nano_seconds.value <= after[0]
    assert abs(stats.memory.usage_bytes.value - after[1]) < 1 << 20


def test_stats_tell_what_a_container_has_used(cri):
    def scenario(runtime):
        pod = cri.pod(runtime)
        limit = 64 << 20
        box = pod.container("sleep", "1000", resources={"memory_limit_in_bytes": limit}).start()
        other = pod.container("sleep", "1000").start()

        def cgroup(controller):
            return system.cgroup_directory(box.pid, controller)

        first = box.stats()
        box.exec("dd", "if=/dev/zero", "of=/dev/shm/file", "bs=1M", "count=20")
        begun, before = time.time_ns(), _used(cgroup)
        stats = box.stats()
        after, ended = _used(cgroup), time.time_ns()

        _are_between(stats, before, after)
        assert begun < stats.cpu.timestamp < ended and begun < stats.memory.timestamp < ended
        assert stats.cpu.usage_core_nano_seconds.value > first.cpu.usage_core_nano_seconds.value > 0
        assert 18 << 20 < stats.memory.usage_bytes.value - first.memory.usage_bytes.value < 28 << 20
        assert stats.memory.available_bytes.value == limit - stats.memory.working_set_bytes.value
        assert other.stats().memory.usage_bytes.value < 10 << 20
        return _fields(stats)

    assert cri.both(scenario) >= CPU | MEMORY | {"attributes.id", "attributes.metadata.name"}


@pytest.mark.full
def test_stats_of_those_that_run_are_listed(cri):
    def scenario(runtime):
        pod, other_pod = cri.pod(runtime), cri.pod(runtime)
        boxes = [pod.container("sleep", "1000").start() for _ in range(2)]
        alone = other_pod.container("sleep", "1000").start()
        ended = pod.container("true").start()
        ended.ended()

        def listed(**filter_):
            """Those with figures: containerd 1.6 also names the ones that have ended."""
            found = cri.call("ListContainerStats", {"filter": filter_}).stats
            return {stats.attributes.id for stats in found if stats.HasField("cpu") or stats.HasField("memory")}

        assert listed(pod_sandbox_id=pod.id) == {box.id for box in boxes}
        assert listed(pod_sandbox_id=other_pod.id) == listed(id=alone.id) == {alone.id}
        assert listed() >= {alone.id, *(box.id for box in boxes)} and ended.id not in listed()
        boxes[0].stop()
        assert listed(pod_sandbox_id=pod.id) == {boxes[1].id}
        boxes[0].remove()
        with pytest.raises(grpc.RpcError) as failed:
            boxes[0].stats()
        return failed.value.code()

    assert cri.both(scenario) == grpc.StatusCode.NOT_FOUND


@pytest.mark.full
def test_stats_of_a_pod_are_those_of_all_that_is_in_it(cri):
    def scenario(runtime):
        pod = cri.pod(runtime)
        boxes = [pod.container("sleep", "1000").start() for _ in range(2)]
        for box in boxes:
            box.exec("dd", "if=/dev/zero", f"of=/dev/shm/{box.id}", "bs=1M", "count=15")

        def cgroup(controller):
            return os.path.dirname(system.cgroup_directory(boxes[0].pid, controller))

        before = _used(cgroup)
        stats = pod.stats()
        after = _used(cgroup)
        assert stats.attributes.id == pod.id
        _are_between(stats.linux, before, after)
        assert 28 << 20 < stats.linux.memory.usage_bytes.value < 46 << 20
        assert {part.attributes.id for part in stats.linux.containers} == {box.id for box in boxes}
        cpu = sum(part.cpu.usage_core_nano_seconds.value for part in stats.linux.containers)
        assert 0 < cpu <= stats.linux.cpu.usage_core_nano_seconds.value
        listed = cri.call("ListPodSandboxStats", {"filter": {"id": pod.id}}).stats
        assert [one.attributes.id for one in listed] == [pod.id]
        return stats.linux.process.process_count.value, _fields(stats.linux)

    processes, fields = cri.both(scenario)
    assert processes == 2 and fields >= CPU | MEMORY


# ---- logs ----


@pytest.mark.full
def test_logs_are_as_the_kubelet_reads_them(cri):
    long = "head -c 20000 /dev/zero | tr '\\0' a; echo"
    script = f"echo out; echo err >&2; printf in-; printf two; echo; {long}; printf end; printf bad >&2"

    def scenario(runtime):
        box = cri.pod(runtime).container("sh", "-c", script)
        begun = datetime.datetime.now(datetime.timezone.utc)
        assert box.start().ended() == (0, "Completed")
        wait_until(lambda: len(box.log()) == 7, "all is logged")
        ended = datetime.datetime.now(datetime.timezone.utc)
        streams = {"stdout": [], "stderr": []}
        for stamp, stream, tag, text in box.log():
            assert begun <= datetime.datetime.fromisoformat(stamp) <= ended
            streams[stream].append((stamp, tag, text))
        assert all(lines == sorted(lines, key=lambda line: line[0]) for lines in streams.values())
        return {stream: [line[1:] for line in lines] for stream, lines in streams.items()}

    seen = cri.both(scenario)
    # A line is at most 16 KiB long; "P" is a part, which the next one goes on with.
    parts = [("P", "a" * 16384), ("F", "a" * (20000 - 16384))]
    assert seen["stdout"] == [("F", "out"), ("F", "in-two"), *parts, ("P", "end")]
    assert seen["stderr"] == [("F", "err"), ("P", "bad")]


@pytest.mark.full
def test_a_log_goes_on_in_a_new_file(cri):
    def scenario(runtime):
        box = cri.pod(runtime).container("sh", "-c", "echo one; exec sleep 1000").start()
        wait_until(lambda: box.logged() == ["one"], "it has said so")
        os.rename(box.log_path, f"{box.log_path}.1")
        box.reopen_log()
        box.exec("sh", "-c", "echo two >/proc/1/fd/1; echo three >/proc/1/fd/2")
        wait_until(lambda: len(box.log()) == 2, "it goes on")
        with open(f"{box.log_path}.1", encoding="utf-8") as before:
            return len(before.readlines()), sorted(line[1:] for line in box.log())

    assert cri.both(scenario) == (1, [("stderr", "F", "three"), ("stdout", "F", "two")])


@pytest.mark.full
def test_nothing_but_the_log_is_left(cri):
    def scenario(runtime):
        pod = cri.pod(runtime)
        box = pod.container("sh", "-c", "echo one; exec sleep 1000").start()
        wait_until(lambda: box.logged() == ["one"], "it has said so")
        pids = {box.pid} | system.cgroup_pids(box.pid)
        assert len(cri.traces(box.id)) > 5 and len(cri.traces(pod.id)) > 5
        box.stop()
        box.remove()
        assert cri.traces(box.id) == []
        pod.stop()
        pod.remove()
        assert cri.traces(pod.id) == []
        assert not any(map(system.process_alive, pids))
        return box.logged()

    assert cri.both(scenario) == ["one"]
