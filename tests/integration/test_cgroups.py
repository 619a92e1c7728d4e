# SPDX-License-Identifier: Apache-2.0
"""Cgroups and limits: where the container is, and what the host's files say, on v1 and on v2."""

import os

import pytest

from lib import system
from lib.system import cgroup_read

V1 = system.on_cgroup_v1()


@pytest.fixture
def limited(container):
    """A created container with the given resources."""

    def make(**resources):
        made = container("sleep", "100")
        made.bundle.resources.update(resources)
        return made.create()

    return make


def assert_files(made, v1, v2):
    """What the host's files say, for the layout that this host has: {"memory.max": "1000"}."""
    expected = v1 if V1 else v2
    found = {name: cgroup_read(made.pid, name.split(".")[0], name) for name in expected}
    assert found == expected


# ---- where ----


def test_the_cgroups_path_is_respected_in_every_hierarchy(container, cgroup_parent):
    made = container("sleep", "100")
    path = f"{cgroup_parent}/{made.id}"
    made.bundle.cgroup(path)
    made.create()
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    made.start()
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    for mount_point in system.cgroup_hierarchies().values():
        with open(f"{mount_point}{path}/cgroup.procs", encoding="utf-8") as file:
            assert file.read().split() == [str(made.pid)]


def test_with_a_cgroup_namespace_the_container_is_where_it_is_without(container, cgroup_parent):
    made = container("cat", "/proc/self/cgroup")
    path = f"{cgroup_parent}/{made.id}"
    made.bundle.cgroup(path).with_namespace("cgroup")
    made.create()
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    made.start()
    made.wait()
    assert {line.split(":")[2] for line in made.output.splitlines()} == {"/"}


def test_without_a_path_the_container_has_a_cgroup_of_its_own_in_every_hierarchy(container):
    made = container("sleep", "100").create()
    own = system.cgroup_paths("self")
    for label, path in system.cgroup_paths(made.pid).items():
        assert path != own[label] and made.id in path, (label, path)


def test_two_containers_may_share_a_parent(container, cgroup_parent):
    one, two = container("sleep", "100"), container("sleep", "100")
    for made in (one, two):
        made.bundle.cgroup(f"{cgroup_parent}/{made.id}")
        made.up()
    directories = {made: system.cgroup_directory(made.pid, "memory") for made in (one, two)}
    one.delete("--force")
    assert two.status == "running"
    assert not os.path.exists(directories[one])
    assert os.path.exists(directories[two])


def test_a_path_that_climbs_out_stays_below_the_hierarchy(container, cgroup_parent):
    made = container("sleep", "100")
    made.bundle.cgroup(f"/../../..{cgroup_parent}/x")
    made.bundle.write()
    result = made.runtime("create", "-b", made.bundle.path, "--pid-file", made.pid_file, made.id)
    if result.returncode == 0:
        assert set(system.cgroup_paths(made.pid).values()) == {f"{cgroup_parent}/x"}


def test_no_cgroup_of_the_runtime_stays_beside_the_containers(container, cgroup_parent):
    def directories():
        found = set()
        for mount_point in system.cgroup_hierarchies().values():
            found |= {directory for directory, _, _ in os.walk(mount_point)}
        return found

    before = directories()
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/{made.id}")
    made.create()
    new = {path for path in directories() - before if made.runtime.token in path}
    expected = {
        f"{mount_point}{path}"
        for mount_point in system.cgroup_hierarchies().values()
        for path in (cgroup_parent, f"{cgroup_parent}/{made.id}")
    }
    assert new == expected


# ---- limits, as the host reads them ----


def test_memory(limited):
    """v2 has no swappiness; engines ask for it without looking."""
    assert_files(
        limited(memory={"limit": 64 << 20, "reservation": 32 << 20, "swappiness": 30}),
        {
            "memory.limit_in_bytes": str(64 << 20),
            "memory.soft_limit_in_bytes": str(32 << 20),
            "memory.swappiness": "30",
        },
        {"memory.max": str(64 << 20), "memory.low": str(32 << 20)},
    )


def test_memory_and_swap_together(limited):
    """v1 counts memory and swap together, as config.json does, and v2 swap alone."""
    made = limited(memory={"limit": 64 << 20, "swap": 192 << 20})
    assert_files(made, {"memory.limit_in_bytes": str(64 << 20)}, {"memory.max": str(64 << 20)})
    name, value = ("memory.memsw.limit_in_bytes", 192 << 20) if V1 else ("memory.swap.max", 128 << 20)
    if os.path.exists(f"{system.cgroup_directory(made.pid, 'memory')}/{name}"):
        assert cgroup_read(made.pid, "memory", name) == str(value)


def test_the_oom_killer_can_be_disabled(limited):
    """Not on v2; there it is no error, either."""
    made = limited(memory={"limit": 64 << 20, "disableOOMKiller": True})
    if not V1:
        assert cgroup_read(made.pid, "memory", "memory.max") == str(64 << 20)
        return
    assert "oom_kill_disable 1" in cgroup_read(made.pid, "memory", "memory.oom_control")


def test_the_memory_limit_is_enforced(container):
    made = container("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
    made.bundle.resources["memory"] = {"limit": 16 << 20}
    assert made.run().returncode == 137


@pytest.mark.ours
@pytest.mark.parametrize("limit", [1, 4096])
@pytest.mark.parametrize("other", ["none", "user", "cgroup", "monitor"])
def test_a_memory_limit_that_is_too_low_for_the_start_is_an_error_in_runcs_words(container, limit, other):
    """liblxc waits for ever for a child that was killed."""
    made = container("true")
    if other == "user":
        made.bundle.user_namespace()
    elif other == "cgroup":
        made.bundle.with_namespace("cgroup")
    made.bundle.resources["memory"] = {"limit": limit}
    result = made.run(*(["--lxc-monitor"] if other == "monitor" else []))
    result.assert_refused("linux.resources.memory.limit", "container init was OOM-killed (memory limit too low?)")
    assert not made.exists


def test_cpu(limited):
    """Shares from 2 to 262144 become weights from 1 to 10000."""
    assert_files(
        limited(cpu={"shares": 512, "quota": 50000, "period": 200000}),
        {"cpu.shares": "512", "cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000"},
        {"cpu.weight": "20", "cpu.max": "50000 200000"},
    )


@pytest.mark.parametrize("quota, period", [(1000, 1000), (900000, 1000000), (2000000, 1000000), (-1, 50000)])
def test_cpu_quota_and_period_are_written_in_an_order_that_the_kernel_takes(limited, quota, period):
    assert_files(
        limited(cpu={"quota": quota, "period": period}),
        {"cpu.cfs_quota_us": str(quota), "cpu.cfs_period_us": str(period)},
        {"cpu.max": f"{'max' if quota < 0 else quota} {period}"},
    )


def test_cpuset(limited):
    made = limited(cpu={"cpus": "0", "mems": "0"})
    assert cgroup_read(made.pid, "cpuset", "cpuset.cpus") == "0"
    assert cgroup_read(made.pid, "cpuset", "cpuset.mems") == "0"
    assert system.process_status(made.pid)["Cpus_allowed_list"] == "0"


def test_cpuset_below_a_new_parent(container, cgroup_parent):
    """v1's cpusets start empty: every level on the way has to be filled first. On v2 every level has to
    hand the controller down."""
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/deep/er/{made.id}")
    made.bundle.resources["cpu"] = {"cpus": "0"}
    made.create()
    assert cgroup_read(made.pid, "cpuset", "cpuset.cpus") == "0"


@pytest.mark.skipif(not V1, reason="cgroup v2 has no cpusets to fill")
def test_cpusets_above_that_nobody_has_filled(container, cgroup_parent):
    """As Podman 5 makes them for a pod."""
    top = system.cgroup_hierarchies()["cpuset"]
    os.makedirs(f"{top}{cgroup_parent}/pod")
    made = container("echo", "ran")
    made.bundle.cgroup(f"{cgroup_parent}/pod/{made.id}")
    assert made.run_ok() == "ran\n"


def test_pids(limited):
    assert cgroup_read(limited(pids={"limit": 77}).pid, "pids", "pids.max") == "77"


def test_pids_without_a_limit(limited):
    assert cgroup_read(limited(pids={"limit": -1}).pid, "pids", "pids.max") == "max"


def test_the_pids_limit_is_enforced(container):
    made = container(shell="for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 & done; echo started")
    made.bundle.resources["pids"] = {"limit": 6}
    result = made.run()
    assert "fork" in result.stderr


@pytest.mark.skipif(not V1, reason="cgroup v2 has no list of devices, but a BPF program: test_devices.py tries it")
def test_the_device_list_is_the_hosts_view_of_the_rules(limited):
    made = limited(
        devices=[
            {"allow": False, "access": "rwm"},
            {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
            {"allow": True, "type": "b", "major": 8, "access": "r"},
        ]
    )
    rules = cgroup_read(made.pid, "devices", "devices.list").splitlines()
    assert {"c 10:229 rw", "b 8:* r"} <= set(rules)
    assert "a *:* rwm" not in rules
    assert "c 1:3 rwm" in rules


LOOP = {"major": 7, "minor": 0}  # a disk that a throttle needs, and every kernel with loop devices has


@pytest.mark.ours
@pytest.mark.parametrize(
    "field, resources, v1, v2",
    [
        (
            "memory.kernelTCP",
            {"memory": {"kernelTCP": 32 << 20}},
            {"memory.kmem.tcp.limit_in_bytes": str(32 << 20)},
            {},
        ),
        (
            "cpu.burst",
            {"cpu": {"quota": 50000, "period": 100000, "burst": 20000}},
            {"cpu.cfs_burst_us": "20000"},
            {"cpu.max.burst": "20000"},
        ),
        ("cpu.idle", {"cpu": {"idle": 1}}, {"cpu.idle": "1"}, {"cpu.idle": "1"}),
        ("cpu.realtimePeriod", {"cpu": {"realtimePeriod": 500000}}, {"cpu.rt_period_us": "500000"}, None),
        ("pids.limit", {"pids": {"limit": 77}}, {"pids.max": "77"}, {"pids.max": "77"}),
        (
            "blockIO.throttleReadBpsDevice",
            {"blockIO": {"throttleReadBpsDevice": [{**LOOP, "rate": 1 << 20}]}},
            {"blkio.throttle.read_bps_device": f"7:0 {1 << 20}"},
            {"io.max": f"7:0 rbps={1 << 20} wbps=max riops=max wiops=max"},
        ),
        (
            "blockIO.throttleWriteBpsDevice",
            {"blockIO": {"throttleWriteBpsDevice": [{**LOOP, "rate": 5 << 20}]}},
            {"blkio.throttle.write_bps_device": f"7:0 {5 << 20}"},
            {"io.max": f"7:0 rbps=max wbps={5 << 20} riops=max wiops=max"},
        ),
        (
            "blockIO.throttleReadIOPSDevice",
            {"blockIO": {"throttleReadIOPSDevice": [{**LOOP, "rate": 5}, {**LOOP, "rate": 600}]}},
            {"blkio.throttle.read_iops_device": "7:0 600"},
            {"io.max": "7:0 rbps=max wbps=max riops=600 wiops=max"},
        ),
        ("memory.swappiness", {"memory": {"swappiness": 0}}, {"memory.swappiness": "0"}, {}),
        ("blockIO.leafWeight", {"blockIO": {"leafWeight": 500}}, {"blkio.leaf_weight": "500"}, None),
        (
            "blockIO.weightDevice",
            {"blockIO": {"weightDevice": [{**LOOP, "leafWeight": 500}]}},
            {"blkio.leaf_weight_device": "7:0 500"},
            None,
        ),
        (
            "blockIO.throttleWriteIOPSDevice",
            {"blockIO": {"throttleWriteIOPSDevice": [{**LOOP, "rate": 500}]}},
            {"blkio.throttle.write_iops_device": "7:0 500"},
            {"io.max": "7:0 rbps=max wbps=max riops=max wiops=500"},
        ),
        (
            "hugepageLimits",
            {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}]},
            {"hugetlb.2MB.limit_in_bytes": str(4 << 20), "hugetlb.2MB.rsvd.limit_in_bytes": str(4 << 20)},
            {"hugetlb.2MB.max": str(4 << 20), "hugetlb.2MB.rsvd.max": str(4 << 20)},
        ),
    ],
)
def test_a_limit_is_what_the_hosts_file_says_or_refused(container, limited, field, resources, v1, v2):
    """A limit that this host's containers can't have is never left out without a word: such as one of a
    controller that is in a v2 tree beside v1."""
    expected = v1 if V1 else v2
    usual = limited()
    directories = [system.cgroup_directory(usual.pid, name.split(".")[0]) for name in expected or ()]
    if expected is None or not all(map(os.path.exists, map(os.path.join, directories, expected))):
        made = container("true")
        made.bundle.resources.update(resources)
        made.run().assert_refused(f"linux.resources.{field}")
        return
    made = limited(**resources)
    assert_files(made, expected, expected)


def test_a_weight_of_block_io(limited):
    """By whichever scheduler has such a thing here."""
    made = limited(blockIO={"weight": 500})
    directory = system.cgroup_directory(made.pid, "blkio" if V1 else "io")
    files = {"blkio.bfq.weight": "500", "blkio.weight": "500", "io.bfq.weight": "default 500", "io.weight": "default 4950"}
    assert [value == read(f"{directory}/{name}") for name, value in files.items() if os.path.exists(f"{directory}/{name}")][0]


@pytest.mark.ours
@pytest.mark.parametrize(
    "field, resources",
    [
        ("cpu.quota", {"cpu": {"quota": 1}}),
        ("cpu.period", {"cpu": {"period": 2000000}}),
        ("cpu.burst", {"cpu": {"quota": 10000, "burst": 20000}}),
        ("cpu.idle", {"cpu": {"idle": 2}}),
        ("cpu.shares", {"cpu": {"shares": 1}}),
        ("cpu.cpus", {"cpu": {"cpus": "0-999"}}),
        ("cpu.cpus", {"cpu": {"cpus": "a-b"}}),
        ("cpu.cpus", {"cpu": {"cpus": "0\n1"}}),
        ("cpu.mems", {"cpu": {"mems": "77"}}),
        ("cpu.realtimeRuntime", {"cpu": {"realtimeRuntime": 200000, "realtimePeriod": 100000}}),
        ("pids.limit", {"pids": {"limit": 1 << 40}}),
        ("memory.limit", {"memory": {"limit": -2}}),
        ("memory.reservation", {"memory": {"reservation": -2}}),
        ("memory.swap", {"memory": {"limit": 64 << 20, "swap": 32 << 20}}),
        ("memory.swap", {"memory": {"swap": 32 << 20}}),
        ("memory.swappiness", {"memory": {"swappiness": 101}}),
        ("blockIO.throttleReadBpsDevice", {"blockIO": {"throttleReadBpsDevice": [{"major": 1, "minor": 3, "rate": 5}]}}),
        ("blockIO.throttleWriteIOPSDevice", {"blockIO": {"throttleWriteIOPSDevice": [{"major": -1, "minor": 3, "rate": 5}]}}),
        ("hugepageLimits", {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}),
    ],
)
@pytest.mark.parametrize("user_namespace", [False, True])
def test_a_limit_that_the_kernel_refuses_names_its_field(container, field, resources, user_namespace):
    if field == "cpu.shares" and not V1:
        pytest.skip("on v2 every number is some weight")
    if field == "cpu.realtimeRuntime" and not V1:
        field = "cpu.realtimePeriod"  # the first of them that v2 hasn't got
    made = container("true")
    if user_namespace:
        made.bundle.user_namespace()
    made.bundle.resources.update(resources)
    made.run().assert_refused(f"config.json: linux.resources.{field}")
    assert not made.exists


@pytest.mark.ours
@pytest.mark.skipif(
    not V1 or any("hugetlb" in label.split(",") for label in system.cgroup_hierarchies()),
    reason="needs the hugetlb controller in a v2 tree beside v1",
)
def test_a_limit_in_the_v2_tree_beside_v1_names_the_field_and_the_controller(container):
    made = container("true")
    made.bundle.resources["hugepageLimits"] = [{"pageSize": "2MB", "limit": 2 << 20}]
    made.run().assert_refused("linux.resources.hugepageLimits", "hugetlb", "v2 tree")


def test_no_limits_are_set_when_none_are_asked_for(limited):
    made = limited()
    assert_files(
        made,
        {"cpu.shares": "1024", "cpu.cfs_quota_us": "-1", "pids.max": "max"},
        {"cpu.weight": "100", "cpu.max": "max 100000", "pids.max": "max", "memory.max": "max", "memory.low": "0"},
    )
    if V1:
        parent = os.path.dirname(system.cgroup_directory(made.pid, "memory"))
        with open(f"{parent}/memory.limit_in_bytes", encoding="utf-8") as file:
            unlimited = file.read().strip()
        assert int(cgroup_read(made.pid, "memory", "memory.limit_in_bytes")) >= int(unlimited)


def test_zeros_mean_that_nothing_is_asked_for(limited):
    """As engines write them."""
    made = limited(
        memory={"limit": 0, "reservation": 0, "swap": 0, "disableOOMKiller": False},
        cpu={"shares": 0, "quota": 0, "period": 0},
        blockIO={"weight": 0},
        pids={"limit": 0},
    )
    assert_files(
        made,
        {"cpu.shares": "1024", "pids.max": "max"},
        {"cpu.weight": "100", "pids.max": "max", "memory.max": "max", "memory.swap.max": "max"},
    )
    if V1:
        assert int(cgroup_read(made.pid, "memory", "memory.limit_in_bytes")) > 1 << 40
    assert made.start().status == "running"


def test_nulls_mean_that_nothing_is_asked_for(limited):
    assert limited(memory=None, cpu=None, pids=None, blockIO=None, hugepageLimits=None).status == "created"


def test_the_container_sees_its_own_limit(container):
    path = "memory/memory.limit_in_bytes" if V1 else "memory.max"
    made = container("cat", f"/sys/fs/cgroup/{path}")
    made.bundle.resources["memory"] = {"limit": 48 << 20}
    assert made.run_ok() == f"{48 << 20}\n"


def test_the_freezer_is_thawed_at_the_start(limited):
    assert_files(limited(), {"freezer.state": "THAWED"}, {"cgroup.freeze": "0"})


@pytest.mark.parametrize(
    "resources, words",
    [
        ({"cpu": {"cpus": "4000"}}, ["cpuset"]),
        ({"cpu": {"period": 1}}, ["period"]),
        ({"memory": {"limit": "much"}}, ["linux.resources.memory.limit"]),
        ({"pids": {"limit": "many"}}, ["linux.resources.pids.limit"]),
    ],
    ids=["cpus", "period", "memory", "pids"],
)
def test_a_bad_limit_is_an_error_that_names_it(container, resources, words):
    made = container("true")
    made.bundle.resources.update(resources)
    result = made.run()
    result.assert_refused(*words)
    assert not made.exists


@pytest.mark.skipif(V1, reason="they are settings of cgroup v2")
def test_unified_settings_are_written_last_and_line_by_line(limited):
    made = limited(
        pids={"limit": 5},
        unified={
            "memory.high": str(64 << 20),
            "pids.max": "77",
            "io.max": "7:0 rbps=1048576\n7:1 wiops=120",
            "cgroup.max.depth": "3",
        },
    )
    assert_files(made, {}, {"memory.high": str(64 << 20), "pids.max": "77", "cgroup.max.depth": "3"})
    assert set(cgroup_read(made.pid, "io", "io.max").splitlines()) == {
        "7:0 rbps=1048576 wbps=max riops=max wiops=max",
        "7:1 rbps=max wbps=max riops=max wiops=120",
    }


@pytest.mark.ours
@pytest.mark.skipif(V1, reason="they are settings of cgroup v2")
@pytest.mark.parametrize(
    "unified, words",
    [
        ({"nosuch.max": "1"}, ["unified.nosuch.max", "nosuch"]),
        ({"memory.nosuch": "1"}, ["memory.nosuch"]),
        ({"memory.high": "much"}, ["memory.high"]),
        ({"cgroup.procs": "1"}, ["unified.cgroup.procs"]),
    ],
)
def test_unified_settings_that_cannot_be_are_refused(container, unified, words):
    made = container("true")
    made.bundle.resources["unified"] = unified
    made.run().assert_refused(*words)
    assert not made.exists


@pytest.mark.ours
@pytest.mark.parametrize(
    "network, words",
    [
        ({"classID": 1048577}, ["linux.resources.network.classID", "net_cls"]),
        ({"priorities": [{"name": "lo", "priority": 1}]}, ["linux.resources.network.priorities", "net_prio"]),
    ],
)
@pytest.mark.skipif(
    any("net_cls" in label for label in system.cgroup_hierarchies()), reason="needs a host without net_cls and net_prio"
)
def test_network_limits_name_the_controller_that_is_missing(container, network, words):
    made = container("true")
    made.bundle.resources["network"] = network
    made.run().assert_refused(*words)


@pytest.mark.ours
def test_kernel_memory_is_ignored_with_a_warning(container):
    made = container("true")
    made.bundle.resources["memory"] = {"kernel": 64 << 20, "useHierarchy": True}
    result = made.run()
    assert result.returncode == 0 and "memory.kernel is ignored" in result.stderr


@pytest.mark.ours
@pytest.mark.skipif(not V1, reason="they are settings of cgroup v2")
def test_unified_settings_on_v1_are_refused(container):
    made = container("true")
    made.bundle.resources["unified"] = {"memory.max": "1000000"}
    made.run().assert_refused("unified")


# ---- a cgroup that is there already ----

# A limit that every cgroup of a hierarchy has, whatever is switched on.
HIERARCHY, LIMIT = ("pids", "pids.max") if V1 else ("", "cgroup.max.descendants")


@pytest.fixture
def made_before(container, cgroup_parent):
    """A container whose cgroup somebody has made, and the file of a limit in it."""
    made = container("sleep", "100")
    path = f"{cgroup_parent}/{made.id}"
    made.bundle.cgroup(path)
    hierarchies = system.cgroup_hierarchies()
    for mount_point in hierarchies.values():
        os.makedirs(mount_point + path)
    mount_point = hierarchies[HIERARCHY]
    made.limit_file = f"{mount_point}{path}/{LIMIT}"
    return made


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def test_a_cgroup_that_is_there_and_empty_is_taken(made_before):
    made_before.up()
    assert made_before.limit_file.endswith(f"{system.cgroup_paths(made_before.pid)[HIERARCHY]}/{LIMIT}")
    assert read(made_before.limit_file) == "max"


@pytest.mark.ours
def test_the_limit_of_a_cgroup_that_is_there_is_not_lost(made_before):
    """LXC would make the cgroup anew."""
    write(made_before.limit_file, "5")
    made_before.run().assert_refused("linux.cgroupsPath", made_before.id, LIMIT, '"5"')
    assert read(made_before.limit_file) == "5"
    siblings = os.listdir(os.path.dirname(os.path.dirname(made_before.limit_file)))
    assert not [name for name in siblings if name.startswith("runlxc-")]


@pytest.mark.skipif(not V1, reason="on v2 such a cgroup has no limits that a config.json can set")
def test_a_limit_that_is_asked_for_counts_more_than_the_one_of_before(made_before):
    write(made_before.limit_file, "5")
    made_before.bundle.resources["pids"] = {"limit": 7}
    made_before.up()
    assert read(made_before.limit_file) == "7"


def test_the_limits_of_a_cgroup_above_stay(made_before):
    above = os.path.join(os.path.dirname(os.path.dirname(made_before.limit_file)), LIMIT)
    write(above, "50")
    made_before.up()
    assert read(above) == "50"
    made_before.delete("--force")
    assert read(above) == "50"


@pytest.mark.skipif(not V1, reason="needs two hierarchies")
def test_a_device_list_of_before_is_no_limit_since_every_container_gets_one(made_before):
    directory = os.path.dirname(made_before.limit_file).replace("/pids/", "/devices/")
    write(f"{directory}/devices.deny", "a")
    made_before.up()
    assert "c 1:3 rwm" in read(f"{directory}/devices.list").splitlines()


@pytest.mark.ours
def test_a_cgroup_that_is_there_and_frozen_is_refused_in_runcs_words(made_before):
    path, hierarchies = made_before.bundle.linux["cgroupsPath"], system.cgroup_hierarchies()
    freezer = f"{hierarchies['freezer']}{path}/freezer.state" if V1 else f"{hierarchies['']}{path}/cgroup.freeze"
    write(freezer, "FROZEN" if V1 else "1")
    made_before.run().assert_refused("linux.cgroupsPath", "container's cgroup unexpectedly frozen")
    write(freezer, "THAWED" if V1 else "0")


@pytest.fixture
def frozen_above(container, cgroup_parent):
    """A container in a cgroup whose parent can be frozen."""
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/above/made")
    hierarchies = system.cgroup_hierarchies()
    above = f"{hierarchies['freezer' if V1 else '']}{cgroup_parent}/above"
    os.makedirs(above, exist_ok=True)
    file, frozen, thawed = ("freezer.state", "FROZEN", "THAWED") if V1 else ("cgroup.freeze", "1", "0")
    made.freeze_above = lambda: write(f"{above}/{file}", frozen)
    made.thaw_above = lambda: write(f"{above}/{file}", thawed)
    yield made
    write(f"{above}/{file}", thawed)


@pytest.mark.ours
def test_below_a_frozen_cgroup_nothing_is_made(frozen_above):
    frozen_above.freeze_above()
    frozen_above.run().assert_refused("linux.cgroupsPath", "container's cgroup unexpectedly frozen", "above")
    assert not frozen_above.exists


@pytest.mark.ours
def test_below_a_frozen_cgroup_nothing_is_started(frozen_above):
    """It would wait for ever, and everybody else for its lock."""
    frozen_above.create()
    frozen_above.freeze_above()
    result = frozen_above.runtime("start", frozen_above.id)
    result.assert_refused("cannot start a container in the paused state", "a cgroup above its own is frozen")
    assert frozen_above.status == "created"
    frozen_above.thaw_above()
    assert frozen_above.start().status == "running"


@pytest.mark.ours
@pytest.mark.skipif(not V1, reason="who is frozen can be killed on v2")
def test_below_a_frozen_cgroup_a_container_ends_when_it_is_thawed(frozen_above):
    frozen_above.up()
    frozen_above.freeze_above()
    result = frozen_above.runtime("delete", "--force", frozen_above.id)
    result.assert_refused("a cgroup above", "is frozen")
    frozen_above.thaw_above()
    frozen_above.wait()
    frozen_above.delete()


@pytest.mark.ours
def test_below_a_frozen_cgroup_a_container_is_not_resumed(frozen_above):
    frozen_above.up().runtime.ok("pause", frozen_above.id)
    frozen_above.freeze_above()
    frozen_above.runtime("resume", frozen_above.id).assert_refused("a cgroup above it is frozen")


@pytest.mark.ours
def test_a_frozen_cgroup_inside_the_containers_keeps_nobody_from_deleting_it(container):
    made = container(shell="sleep 100 & echo up; wait").up()
    made.wait_output("up")
    hierarchy, file, frozen = ("freezer", "freezer.state", "FROZEN") if V1 else ("", "cgroup.freeze", "1")
    directory = system.cgroup_hierarchies()[hierarchy] + system.cgroup_paths(made.pid)[hierarchy]
    os.mkdir(f"{directory}/inner")
    (child,) = system.cgroup_pids(made.pid, "freezer") - {made.pid}
    write(f"{directory}/inner/cgroup.procs", str(child))
    write(f"{directory}/inner/{file}", frozen)
    assert made.exec_ok("echo", "alive") == "alive\n"
    made.delete("--force")
    assert not system.process_alive(child) and not os.path.exists(directory)


@pytest.mark.ours
def test_below_a_frozen_cgroup_nothing_more_is_executed(frozen_above):
    frozen_above.up()
    frozen_above.freeze_above()
    result = frozen_above.runtime("exec", frozen_above.id, "true")
    assert result.returncode == 255 and "a cgroup above its own is frozen" in result.stderr


@pytest.mark.skipif(not V1, reason="cpusets are inherited on v2")
@pytest.mark.parametrize("cpus", [None, "0"])
def test_cpusets_above_the_container_that_are_empty_are_filled(container, cpus):
    """Whoever makes a v1 cpuset has to give it CPUs; as with runc an engine's mkdir is enough."""
    made = container("sleep", "100")
    above = f"/{made.id}-above"
    for directory in (above, f"{above}/inner"):
        os.mkdir(system.cgroup_hierarchies()["cpuset"] + directory)
    try:
        made.bundle.cgroup(f"{above}/inner/{made.id}")
        if cpus:
            made.bundle.resources["cpu"] = {"cpus": cpus}
        made.up()
        assert cgroup_read(made.pid, "cpuset", "cpuset.mems")
        assert cgroup_read(made.pid, "cpuset", "cpuset.cpus") == (cpus or read("/sys/fs/cgroup/cpuset/cpuset.cpus"))
        made.stop()
        made.delete()
    finally:
        system.cgroup_remove(above)
