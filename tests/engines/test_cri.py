# SPDX-License-Identifier: Apache-2.0
"""containerd's CRI, as Kubernetes uses it: pods of containers that share namespaces."""

import os

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
