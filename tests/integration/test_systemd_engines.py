# SPDX-License-Identifier: Apache-2.0
"""Docker and Podman with systemd as their manager of cgroups: what systemd, the kernel and the engine say of a
container is the same under runlxc and under runc. Needs systemd as PID 1, as the guest of tests/vm has."""

import json
import os
import shutil
import subprocess

import pytest

from lib import engine, rootless, system
from lib.docker import Docker
from lib.podman import IMAGE, Podman
from lib.systemd import AS_USER, RUNTIME_DIRECTORY, Manager, need_systemd, user_manager

pytestmark = [pytest.mark.ours, pytest.mark.limit(400)]

LIMITS = ["--memory", "48m", "--memory-swap", "64m", "--memory-reservation", "24m", "--cpus", "0.5"]
LIMITS += ["--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "17"]
PROPERTIES = ["Slice", "Delegate", "MemoryMax", "MemoryLow", "MemorySwapMax", "TasksMax", "CPUWeight", "AllowedCPUs"]
PROPERTIES += ["CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "DevicePolicy", "MemoryAccounting", "IOAccounting"]
FILES = ["memory.max", "memory.low", "memory.swap.max", "cpu.weight", "cpu.max", "cpuset.cpus", "pids.max"]


class SystemdDocker(Docker):
    def cgroup_flags(self):
        return ["--exec-opt", "native.cgroupdriver=systemd", "--bridge=none", "--iptables=false", "--ip6tables=false"]


class SystemdPodman(Podman):
    cgroups = "systemd"

    def run_argv(self, runtime, *args):
        return self.argv("--runtime", runtime, "run", "--network", "none", *args)

    def left(self):
        return []  # the session looks


@pytest.fixture(scope="module")
def manager():
    need_systemd()
    if system.on_cgroup_v1():
        pytest.skip("reads cgroup v2's files")
    return Manager()


@pytest.fixture(scope="module")
def place(manager, request, session_directory, token):
    yield engine.Guest(f"{session_directory}/engines", token, request.config.command)
    # What engines leave at places that don't depend on how they were started.
    manager.call("stop", "machine.slice")
    left = ["/run/docker", "/run/containerd", "/run/libpod", "/run/netns", "/run/runlxc", "/run/runc", "/dev/shm/libpod_lock"]
    subprocess.run(["umount", "-q", "/run/netns"], check=False)
    subprocess.run(["rm", "-rf", *left], check=True)


@pytest.fixture(scope="module")
def docker(place, session_directory):
    engine.need("dockerd", "docker", "containerd", "runc")
    made = SystemdDocker(place, f"{session_directory}/busybox")
    yield made
    made.close()


@pytest.fixture(scope="module")
def podman(place, session_directory):
    engine.need("podman", "conmon", "runc")
    made = SystemdPodman(place, f"{session_directory}/busybox")
    yield made
    made.close()


class UsersPodman(SystemdPodman):
    """As the user calls it, in namespaces that Podman makes."""

    def __init__(self, place, busybox):
        self.home = f"{place.directory}/home"
        for directory in (self.home, f"{place.directory}/podman/networks"):
            os.makedirs(directory)
            os.chown(directory, rootless.UID, rootless.GID)
        command, place.command = place.command, f"{self.home}/runlxc"  # the build directory may be root's alone
        shutil.copy(command, place.command)
        place.environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "XDG_RUNTIME_DIR": RUNTIME_DIRECTORY,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME_DIRECTORY}/bus",
        }
        super().__init__(place, busybox)

    def argv(self, *args):
        return [*AS_USER, "podman", "--storage-driver", "vfs", *map(str, args)]


@pytest.fixture(scope="module")
def users_podman(manager, request, session_directory, token):
    engine.need("podman", "conmon", "newuidmap")
    with rootless.subordinate_ids(), user_manager() as users_manager:
        place = engine.Guest(f"{session_directory}/user", token, request.config.command)
        made = UsersPodman(place, f"{session_directory}/busybox")
        yield made, users_manager
        made.clear()
        made("system", "migrate")  # ends Podman's process that keeps its namespaces


@pytest.fixture(autouse=True)
def nothing_left():
    """In place of the one for containers made by hand: engines keep things between tests."""


def place_of(box):
    """The path of a container's cgroup; its last part is the unit."""
    return system.cgroup_paths(box.pid)[""]


def seen(manager, box):
    path = place_of(box)
    unit = os.path.basename(path)
    id_ = box.ok("inspect", "--format", "{{.Id}}")
    assert manager.show(unit, "ControlGroup") == path
    return {
        "path": path.replace(id_, "ID"),
        "properties": manager.show(unit, *PROPERTIES),
        "devices": "/dev/char/1:3 rwm" in manager.show(unit, "DeviceAllow"),
        "files": [system.cgroup_read(box.pid, "", name) for name in FILES],
    }


# ---- Docker ----


def test_docker(manager, docker):
    """One life of a container under each."""

    def scenario(runtime):
        box = docker.up(runtime, LIMITS, "sleep", "1000")
        unit = os.path.basename(place_of(box))
        first = seen(manager, box)
        stats = json.loads(docker.ok("stats", "--no-stream", "--format", "{{json .}}", box.name))
        inside = box.exec_ok([], "cat", "/sys/fs/cgroup/pids.max", "/proc/self/cgroup")
        box.ok("update", "--memory", "40m", "--memory-swap", "60m", "--cpus", "0.25", "--pids-limit", "11")
        second = seen(manager, box)
        box.ok("pause")
        status = box.status
        box.ok("unpause")
        box.ok("rm", "--force")
        manager.wait_gone(unit)
        return first, second, stats["MemUsage"].split("/")[1], stats["PIDs"], inside, status

    first, second, limit, pids, inside, status = docker.both(scenario, at_once=False)
    assert first["path"] == "/system.slice/docker-ID.scope"
    assert first["files"] == [str(48 << 20), str(24 << 20), str(16 << 20), "20", "50000 100000", "0", "17"]
    assert (second["properties"]["TasksMax"], second["files"][0]) == ("11", str(40 << 20))
    assert (limit.strip(), pids, inside, status) == ("48MiB", "1", "17\n0::/", "paused")


def test_a_child_out_of_memory_leaves_the_container(docker):
    def scenario(runtime):
        shell = "dd if=/dev/zero of=/dev/null bs=64M count=1; echo status $?; exec sleep 1000"
        box = docker.up(runtime, ["--memory", "32m", "--memory-swap", "32m"], "sh", "-c", shell)
        box.logged("status 137")
        return box.status

    assert docker.both(scenario, at_once=False) == "running"


COUNT = ["sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i; usleep 20000; done"]


def cgroup_options():
    with open("/proc/self/mountinfo", encoding="utf-8") as mountinfo:
        return next(line.split()[-1] for line in mountinfo if " /sys/fs/cgroup " in line)


def goes_on_from_where_it_was(runtime, box, checkpoint, restore):
    """A counter is written down and brought back: it leaves out no number and says none twice. Under runc, CRIU 3.17
    mounts a cgroup2 for the container and so takes options from the host's, which are given back here."""
    options = cgroup_options()
    box.logged("\n5\n")
    checkpoint()
    status = box.status
    before = len(box.logs().split())
    restore()
    system.wait_until(lambda: len(box.logs().split()) > before + 5, "it goes on")
    box.ok("kill")
    box.wait()
    numbers = [int(word) for word in box.logs().split()]
    box.ok("rm", "--force")
    if runtime == engine.OURS:
        assert cgroup_options() == options
    subprocess.run(["mount", "-o", f"remount,{options}", "/sys/fs/cgroup"], check=True)
    return status, numbers == list(range(1, len(numbers) + 1))


def test_docker_checkpoint(docker):
    engine.need("criu")
    docker.restart("--experimental")

    def scenario(runtime):
        box = docker.up(runtime, ["--security-opt", "seccomp=unconfined"], *COUNT)
        return goes_on_from_where_it_was(
            runtime,
            box,
            lambda: docker.ok("checkpoint", "create", box.name, "one"),
            lambda: docker.ok("start", "--checkpoint", "one", box.name),
        )

    assert docker.both(scenario, at_once=False) == ("exited", True)


# ---- Podman ----


def test_podman_checkpoint(podman):
    engine.need("criu")

    def scenario(runtime):
        box = podman.up(runtime, [], *COUNT)
        return goes_on_from_where_it_was(
            runtime,
            box,
            lambda: podman.ok("container", "checkpoint", box.name),
            lambda: podman.ok("container", "restore", box.name),
        )

    assert podman.both(scenario, at_once=False) == ("exited", True)


def test_podman(manager, podman):
    def scenario(runtime):
        box = podman.up(runtime, LIMITS, "sleep", "1000")
        unit = os.path.basename(place_of(box))
        first = seen(manager, box)
        stats = json.loads(podman.ok("stats", "--no-stream", "--format", "json", box.name))[0]
        inside = box.exec_ok([], "cat", "/sys/fs/cgroup/pids.max", "/proc/self/cgroup")
        box.ok("pause")
        status = box.status
        box.ok("unpause")
        box.ok("rm", "--force", "--time", "0")
        manager.wait_gone(unit)
        return first, stats["mem_usage"].split("/")[1], stats["pids"], inside, status

    first, limit, pids, inside, status = podman.both(scenario, at_once=False)
    assert first["path"] == "/machine.slice/libpod-ID.scope"
    assert first["files"] == [str(48 << 20), str(24 << 20), str(16 << 20), "20", "50000 100000", "0", "17"]
    assert (limit.strip(), pids, inside, status) == ("50.33MB", "1", "17\n0::/", "paused")


def test_a_pod_of_podmans_is_a_slice(manager, podman):
    def scenario(runtime):
        infra = ["--infra-image", IMAGE, "--infra-command", "sleep 1000", "--network", "none"]
        pod = podman.ok("--runtime", runtime, "pod", "create", *infra)
        name = podman.name()
        podman.ok("--runtime", runtime, "run", "--detach", "--pod", pod, "--name", name, IMAGE, "sleep", "1000")
        box = engine.Box(podman, name)
        path = place_of(box).replace(pod, "POD").replace(box.ok("inspect", "--format", "{{.Id}}"), "ID")
        podman.ok("pod", "rm", "--force", "--time", "0", pod)
        return path

    path = podman.both(scenario, at_once=False)
    assert path == "/machine.slice/machine-libpod_pod_POD.slice/libpod-ID.scope"


def test_podman_of_a_user(users_podman):
    """In the root of a user namespace, and in a scope of the user's own systemd."""
    podman, manager = users_podman
    within = ["--ulimit", "nofile=512:512", "--ulimit", "nproc=512:512"]  # a user's own
    box = podman.up("runlxc", [*within, "--memory", "48m", "--pids-limit", "17"], "sleep", "1000")
    path = place_of(box)
    unit = f"libpod-{box.ok('inspect', '--format', '{{.Id}}')}.scope"
    assert path == f"/user.slice/user-{rootless.UID}.slice/user@{rootless.UID}.service/user.slice/{unit}"
    assert manager.show(unit, "TasksMax", "MemoryMax") == {"TasksMax": "17", "MemoryMax": str(48 << 20)}
    assert [system.cgroup_read(box.pid, "", name) for name in ("memory.max", "pids.max")] == [str(48 << 20), "17"]
    assert box.exec_ok([], "cat", "/proc/self/cgroup") == "0::/"
    stats = json.loads(podman.ok("stats", "--no-stream", "--format", "json", box.name))[0]
    assert (stats["mem_usage"].split("/")[1].strip(), stats["pids"]) == ("50.33MB", "1")
    box.ok("rm", "--force", "--time", "0")
    manager.wait_gone(unit)
