# SPDX-License-Identifier: Apache-2.0
"""docker run's limits: memory, processors, processes and the rest; and docker update."""

import os

import pytest

from lib import system

v1_only = pytest.mark.skipif(not system.on_cgroup_v1(), reason="reads cgroup v1's files")


def test_a_container_out_of_memory_is_reported_so(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--memory", "32m", "--memory-swap", "32m"], "sh", "-c", "exec tail /dev/zero")
        status = box.wait()
        return status, box.inspect()["OOMKilled"]

    assert docker.both(scenario) == (137, True)


@pytest.mark.full
def test_a_child_out_of_memory_leaves_the_container(docker):
    def scenario(runtime):
        box = docker.up(
            runtime, ["--memory", "32m", "--memory-swap", "32m"], "sh", "-c", "tail /dev/zero; echo $?; exec sleep 100"
        )
        box.logged("137")
        return box.status

    assert docker.both(scenario) == "running"


@pytest.mark.full
def test_without_the_oom_killer(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--memory", "32m", "--oom-kill-disable"], "sleep", "100")
        return system.cgroup_read(box.pid, "memory", "memory.oom_control").split("\n")[0]

    if not system.on_cgroup_v1():
        pytest.skip("cgroup v2 has no such switch")
    assert docker.both(scenario) == "oom_kill_disable 1"


LIMITS = {
    "memory": (["--memory", "48m"], "memory", "memory.limit_in_bytes", str(48 << 20)),
    "memory-swap": (
        ["--memory", "48m", "--memory-swap", "64m"], "memory", "memory.memsw.limit_in_bytes", str(64 << 20)
    ),
    "memory-reservation": (["--memory-reservation", "16m"], "memory", "memory.soft_limit_in_bytes", str(16 << 20)),
    "memory-swappiness": (["--memory-swappiness", "10"], "memory", "memory.swappiness", "10"),
    "cpus": (["--cpus", "0.5"], "cpu", "cpu.cfs_quota_us", "50000"),
    "cpu-period": (["--cpu-period", "50000", "--cpu-quota", "20000"], "cpu", "cpu.cfs_period_us", "50000"),
    "cpu-shares": (["--cpu-shares", "300"], "cpu", "cpu.shares", "300"),
    "cpuset-cpus": (["--cpuset-cpus", "0"], "cpuset", "cpuset.cpus", "0"),
    "cpuset-mems": (["--cpuset-mems", "0"], "cpuset", "cpuset.mems", "0"),
    "pids-limit": (["--pids-limit", "17"], "pids", "pids.max", "17"),
}
SELECTED = ("memory", "cpus", "cpuset-cpus", "pids-limit")


@v1_only
def test_limits_are_in_the_cgroup(docker):
    """All at once, for the sake of time; one by one below."""
    flags = [flag for limit in SELECTED for flag in LIMITS[limit][0]]

    def scenario(runtime):
        box = docker.up(runtime, flags, "sleep", "100")
        return [system.cgroup_read(box.pid, *LIMITS[limit][1:3]) for limit in SELECTED]

    assert docker.both(scenario) == [LIMITS[limit][3] for limit in SELECTED]


@v1_only
@pytest.mark.full
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_in_the_cgroup(docker, limit):
    flags, controller, name, value = LIMITS[limit]

    def scenario(runtime):
        return system.cgroup_read(docker.up(runtime, flags, "sleep", "100").pid, controller, name)

    assert docker.both(scenario) == value


@v1_only
@pytest.mark.full
def test_without_limits_every_cgroup_file_is_as_under_runc(docker):
    names = {
        "memory": ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swappiness", "memory.oom_control"],
        "cpu": ["cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us"],
        "cpuset": ["cpuset.cpus", "cpuset.mems", "cpuset.cpu_exclusive"],
        "pids": ["pids.max"],
        "devices": ["devices.list"],
    }

    def scenario(runtime):
        pid = docker.up(runtime, [], "sleep", "100").pid
        # The order of device rules is the kernel's.
        return {
            name: sorted(system.cgroup_read(pid, controller, name).splitlines())
            for controller, list_ in names.items()
            for name in list_
        }

    docker.both(scenario)


@pytest.mark.full
def test_the_cgroups_seen_from_inside(docker):
    """With a private view and with the host's."""

    def scenario(runtime):
        box = docker.up(runtime, ["--cgroupns", "host"], "sleep", "100")
        own = box.exec_ok([], "cat", "/proc/1/cgroup").replace(box.ok("inspect", "--format", "{{.Id}}"), "ID")
        private = docker.run(
            runtime, ["--cgroupns", "private"], ["sh", "-c", "cat /proc/self/cgroup; ls /sys/fs/cgroup"]
        )
        return own, private.stdout

    docker.both(scenario)


def test_ulimits_shm_size_and_oom_score(docker):
    docker.same(
        ["--ulimit", "nofile=77:99", "--shm-size", "3m", "--oom-score-adj", "321"],
        *(
            "sh",
            "-c",
            "ulimit -n; ulimit -Hn; df -k /dev/shm | tail -n 1 | awk '{print $2}'; cat /proc/self/oom_score_adj",
        ),
        output="77\n99\n3072\n321\n",
    )


@pytest.mark.full
def test_every_ulimit(docker):
    flags = [
        "core=0",
        "cpu=100",
        "fsize=1000000",
        "memlock=65536",
        "msgqueue=1000",
        "nproc=500",
        "sigpending=50",
        "stack=8000000",
        "rtprio=0",
        "nice=0",
    ]
    docker.same([word for flag in flags for word in ("--ulimit", flag)], "cat", "/proc/self/limits")


@pytest.mark.full
def test_the_processes_limit_holds(docker):
    docker.same(
        ["--pids-limit", "4"],
        "sh",
        "-c",
        "for i in 1 2 3 4 5 6; do sleep 5 & done 2>/dev/null; echo never",
        status=2,
        output="",
    )


@pytest.mark.full
def test_block_io_that_this_kernel_has(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--device-read-bps", "/dev/vda:1mb"], "sleep", "100")
        return system.cgroup_read(box.pid, "blkio", "blkio.throttle.read_bps_device")

    if not os.path.exists("/dev/vda") or not system.on_cgroup_v1():
        pytest.skip("there is no /dev/vda to limit on cgroup v1")
    seen = docker.both(scenario)
    # Docker 26 asks the runtime for nothing on cgroup v1: blockIO is {} in what it writes.
    newer = int(docker.ok("version", "--format", "{{.Server.Version}}").split(".")[0]) >= 23
    assert seen.endswith(" 1048576") or (newer and seen == "")


@pytest.mark.full
def test_a_cgroup_parent_of_its_own(docker, token):
    def scenario(runtime):
        parent = f"{docker.cgroup_parent}/{runtime}"
        box = docker.up(runtime, ["--cgroup-parent", parent], "sleep", "100")
        path = system.cgroup_paths(box.pid)["memory" if system.on_cgroup_v1() else ""]
        box.ok("rm", "--force")
        system.cgroup_remove(parent)
        return path.replace(runtime, "RUNTIME").rsplit("/", 1)[0]

    assert docker.both(scenario) == f"/{token}-docker/RUNTIME"


@v1_only
def test_update_changes_the_limits_of_a_running_one(docker):
    flags = [
        "--memory",
        "64m",
        "--memory-swap",
        "128m",
        "--cpus",
        "0.7",
        "--pids-limit",
        "30",
        "--cpuset-cpus",
        "0",
        "--cpu-shares",
        "99",
    ]

    def scenario(runtime):
        box = docker.up(runtime, ["--memory", "48m"], "sleep", "100")
        box.ok("update", *flags)
        return [
            system.cgroup_read(box.pid, "memory", "memory.limit_in_bytes"),
            system.cgroup_read(box.pid, "memory", "memory.memsw.limit_in_bytes"),
            system.cgroup_read(box.pid, "cpu", "cpu.cfs_quota_us"),
            system.cgroup_read(box.pid, "pids", "pids.max"),
            system.cgroup_read(box.pid, "cpuset", "cpuset.cpus"),
            system.cgroup_read(box.pid, "cpu", "cpu.shares"),
        ]

    assert docker.both(scenario) == [str(64 << 20), str(128 << 20), "70000", "30", "0", "99"]


@pytest.mark.full
def test_update_of_what_is_used_already_is_refused(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--memory", "64m"], "sleep", "100")
        box.ok("update", "--restart", "no")
        return docker("update", "--memory", "1m", box.name).status, box.status

    assert docker.both(scenario)[0] == 1


def test_an_impossible_limit_is_an_error(docker):
    docker.same(["--cpuset-cpus", "4000"], "true", status=125)
