# SPDX-License-Identifier: Apache-2.0
"""update: limits of a container that is there, as the host's files say, on v1 and on v2."""

import json
import os

import pytest

from lib import system
from lib.system import cgroup_read

V1 = system.on_cgroup_v1()
MB = 1 << 20
LOOP = {"major": 7, "minor": 0}  # every kernel with loop devices has it
ENGINES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data/engines")

INITIAL = {
    "memory": {"limit": 32 * MB, "reservation": 24 * MB},
    "cpu": {"shares": 100, "quota": 500000, "period": 1000000},
    "pids": {"limit": 20},
}


@pytest.fixture
def limited(container):
    """A container that sleeps, with these resources."""

    def make(*args, **resources):
        made = container(*(args or ("sleep", "100")))
        made.bundle.resources.update(resources)
        return made.up()

    return make


@pytest.fixture
def made(limited):
    return limited(**INITIAL)


def update(made, *flags):
    return made.runtime.ok("update", made.id, *flags)


def send(made, document, check=True):
    """An update by a document on standard input."""
    path = f"{made.runtime.workdir}/{made.id}.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write(document if isinstance(document, str) else json.dumps(document))
    with open(path, encoding="utf-8") as file:
        call = made.runtime.ok if check else made.runtime
        return call("update", "--resources", "-", made.id, stdin=file)


def has(made, name):
    return os.path.exists(f"{system.cgroup_directory(made.pid, name.split('.')[0])}/{name}")


def read(made, name):
    return cgroup_read(made.pid, name.split(".")[0], name)


def assert_files(made, v1, v2):
    expected = v1 if V1 else v2
    assert {name: read(made, name) for name in expected} == expected


def everything(made):
    """Every file of the container's cgroups that can be written and is read the same a moment later."""
    found = {}
    for label, path in system.cgroup_paths(made.pid).items():
        directory = system.cgroup_hierarchies()[label] + path
        for name in os.listdir(directory):
            if name.endswith((".pressure", ".peak", "max_usage_in_bytes", "cpuacct.usage")):
                continue
            if os.stat(f"{directory}/{name}").st_mode & 0o600 == 0o600:
                try:
                    with open(f"{directory}/{name}", encoding="utf-8") as file:
                        found[f"{label}/{name}"] = file.read()
                except OSError:
                    continue
    return found


# ---- each flag ----


@pytest.mark.parametrize(
    "flags, v1, v2",
    [
        (["--memory", "64m"], {"memory.limit_in_bytes": str(64 * MB)}, {"memory.max": str(64 * MB)}),
        (["--memory", "67108864"], {"memory.limit_in_bytes": str(64 * MB)}, {"memory.max": str(64 * MB)}),
        (["--memory", "50.5MiB"], {"memory.limit_in_bytes": str(101 * MB // 2)}, {"memory.max": str(101 * MB // 2)}),
        (["--memory=16M"], {"memory.limit_in_bytes": str(16 * MB)}, {"memory.max": str(16 * MB)}),
        (
            ["--memory-reservation", "12m"],
            {"memory.soft_limit_in_bytes": str(12 * MB)},
            {"memory.low": str(12 * MB)},
        ),
        (
            ["--cpu-period", "900000"],
            {"cpu.cfs_period_us": "900000", "cpu.cfs_quota_us": "500000"},
            {"cpu.max": "500000 900000"},
        ),
        (
            ["--cpu-quota", "600000"],
            {"cpu.cfs_period_us": "1000000", "cpu.cfs_quota_us": "600000"},
            {"cpu.max": "600000 1000000"},
        ),
        (
            ["--cpu-quota", "-1"],
            {"cpu.cfs_period_us": "1000000", "cpu.cfs_quota_us": "-1"},
            {"cpu.max": "max 1000000"},
        ),
        (["--cpu-burst", "20000"], {"cpu.cfs_burst_us": "20000"}, {"cpu.max.burst": "20000"}),
        (["--cpu-share", "200"], {"cpu.shares": "200"}, {"cpu.weight": "8"}),
        (["--cpu-idle", "1"], {"cpu.idle": "1"}, {"cpu.idle": "1"}),
        (["--cpuset-cpus", "0"], {"cpuset.cpus": "0"}, {"cpuset.cpus": "0"}),
        (["--cpuset-mems", "0"], {"cpuset.mems": "0"}, {"cpuset.mems": "0"}),
        (["--pids-limit", "10"], {"pids.max": "10"}, {"pids.max": "10"}),
        (["--pids-limit", "-1"], {"pids.max": "max"}, {"pids.max": "max"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_flag_changes_its_limit_and_no_other(made, flags, v1, v2):
    before = everything(made)
    update(made, *flags)
    assert_files(made, v1, v2)
    changed = {name for name, value in everything(made).items() if before[name] != value}
    expected = {name for name in (v1 if V1 else v2)}
    if "--cpu-idle" in flags:
        expected |= {"cpu.shares", "cpu.weight", "cpu.weight.nice"}  # an idle cgroup has none of its own
    assert {name.rpartition("/")[2] for name in changed} <= expected | {"cpu.weight.nice"}


@pytest.mark.parametrize(
    "flag, field, v1, v2",
    [
        ("--cpu-rt-period", "cpu.realtimePeriod", "cpu.rt_period_us", None),
        ("--cpu-rt-runtime", "cpu.realtimeRuntime", "cpu.rt_runtime_us", None),
        ("--blkio-weight", "blockIO.weight", ("blkio.bfq.weight", "blkio.weight"), ("io.bfq.weight", "io.weight")),
        ("--memory-swap", "memory.swap", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    ],
)
def test_a_flag_for_what_not_every_kernel_has(made, flag, field, v1, v2):
    names = [name for name in ([v1] if isinstance(v1, str) else v1) if V1] or (
        [v2] if isinstance(v2, str) else v2 or []
    )
    names = [name for name in names if has(made, name)]
    value = {"--blkio-weight": "500", "--memory-swap": str(96 * MB)}.get(flag, "700000")
    result = made.runtime("update", flag, value, made.id)
    if not names or flag == "--cpu-rt-runtime":  # a cgroup above would have to have some of it to give
        if result.returncode != 0:
            result.assert_refused(field)
            return
    assert result.returncode == 0, result
    expected = {"io.weight": "default 4950", "io.bfq.weight": "default 500", "memory.swap.max": str(64 * MB)}
    found = read(made, names[0])
    assert found in (expected.get(names[0], value), value), found


def test_several_flags_at_once_before_and_behind_the_id(made):
    made.runtime.ok("update", "--cpu-period", "900000", made.id, "-cpu-quota", "600000", "--pids-limit=7")
    assert_files(
        made,
        {"cpu.cfs_period_us": "900000", "cpu.cfs_quota_us": "600000", "pids.max": "7"},
        {"cpu.max": "600000 900000", "pids.max": "7"},
    )


def test_flags_without_a_value_or_with_0_change_nothing(made):
    before = everything(made)
    update(made, "--memory", "", "--cpuset-cpus", "", "--cpu-share", "0", "--memory-swap=0", "--pids-limit", "0")
    update(made, "--cpu-period", "0", "--blkio-weight", "0", "--cpu-quota", "0")
    update(made)
    assert everything(made) == before


@pytest.mark.ours
@pytest.mark.parametrize("flag", ["--kernel-memory", "--kernel-memory-tcp"])
def test_kernel_memory_is_ignored_with_a_warning(made, flag):
    before = everything(made)
    assert f"Setting {flag} is ignored" in update(made, flag, "64m").stderr
    assert everything(made) == before


@pytest.mark.skipif(os.path.ismount("/sys/fs/resctrl"), reason="needs a host without resctrl")
@pytest.mark.parametrize(
    "flag, words",
    [
        ("--l3-cache-schema", "Intel RDT/CAT: l3 cache schema is not enabled"),
        ("--mem-bw-schema", "Intel RDT/MBA: memory bandwidth schema is not enabled"),
    ],
)
def test_intel_rdt_is_refused_where_there_is_no_resctrl(made, flag, words):
    before = everything(made)
    made.runtime("update", flag, "L3:0=7", "--pids-limit", "9", made.id).assert_refused(flag, words, "resctrl")
    assert everything(made) == before


# ---- documents ----


def test_a_document_in_a_file(made, workdir):
    with open(f"{workdir}/r.json", "w", encoding="utf-8") as file:
        json.dump({"memory": {"limit": 48 * MB}, "pids": {"limit": 9}, "cpu": {"cpus": "0"}}, file)
    update(made, "-r", f"{workdir}/r.json")
    assert_files(
        made,
        {"memory.limit_in_bytes": str(48 * MB), "pids.max": "9", "cpuset.cpus": "0"},
        {"memory.max": str(48 * MB), "pids.max": "9", "cpuset.cpus": "0"},
    )


def test_beside_a_document_other_limits_are_ignored(made, workdir):
    """As runc says in its help; ours is not silent about it."""
    with open(f"{workdir}/r.json", "w", encoding="utf-8") as file:
        json.dump({"pids": {"limit": 9}}, file)
    result = update(made, "-r", f"{workdir}/r.json", "--memory", "48m")
    assert "--memory is ignored" in result.stderr or not made.runtime.is_ours
    assert_files(
        made,
        {"memory.limit_in_bytes": str(32 * MB), "pids.max": "9"},
        {"memory.max": str(32 * MB), "pids.max": "9"},
    )


def test_zeros_and_nulls_change_nothing(made):
    before = everything(made)
    zeros = {
        "memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "kernelTCP": 0, "disableOOMKiller": False},
        "cpu": {**dict.fromkeys(("shares", "quota", "period", "realtimeRuntime", "realtimePeriod"), 0), "cpus": ""},
        "pids": {"limit": 0},
        "blockIO": {"weight": 0, "leafWeight": 0, "weightDevice": [], "throttleReadBpsDevice": None},
        "hugepageLimits": [],
        "network": {"classID": 0, "priorities": []},
        "devices": [],
    }
    send(made, zeros)
    send(made, dict.fromkeys(zeros))
    assert everything(made) == before


@pytest.mark.parametrize("name", ["cri-resources-1.json", "docker-resources-1.json"])
def test_what_engines_send(made, name):
    """CRI sends a device rule that would deny everything."""
    with open(f"{ENGINES}/{name}", encoding="utf-8") as file:
        document = file.read()
    devices = read(made, "devices.list") if V1 else None
    send(made, document)
    docker = name.startswith("docker")
    assert_files(
        made,
        {
            "memory.limit_in_bytes": str(64 * MB),
            "cpu.shares": "100" if docker else "512",
            "cpu.cfs_quota_us": "50000",
            "cpu.cfs_period_us": "100000",
            "pids.max": "50" if docker else "20",
        },
        {
            "memory.max": str(64 * MB),
            "cpu.weight": "4" if docker else "20",
            "cpu.max": "50000 100000",
            "pids.max": "50" if docker else "20",
        },
    )
    if not V1:
        assert read(made, "memory.swap.max") == "0"
    elif has(made, "memory.memsw.limit_in_bytes"):
        assert read(made, "memory.memsw.limit_in_bytes") == str(64 * MB)
    if V1:
        assert read(made, "devices.list") == devices
    made.exec_ok("sh", "-c", "echo x >/dev/null && head -c 1 /dev/zero | wc -c")


@pytest.mark.ours
def test_limits_that_runc_does_not_change(made):
    """config-linux.md makes no difference between create and update, so whatever is asked for is done."""
    document = {
        "memory": {"swappiness": 30},
        "blockIO": {"throttleReadBpsDevice": [{**LOOP, "rate": MB}], "throttleWriteIOPSDevice": [{**LOOP, "rate": 5}]},
    }
    send(made, document)
    assert_files(
        made,
        {
            "memory.swappiness": "30",
            "blkio.throttle.read_bps_device": f"7:0 {MB}",
            "blkio.throttle.write_iops_device": "7:0 5",
        },
        {"io.max": f"7:0 rbps={MB} wbps=max riops=max wiops=5"},
    )
    document["blockIO"]["throttleReadBpsDevice"][0]["rate"] = 0
    send(made, document)
    assert_files(
        made,
        {"blkio.throttle.read_bps_device": "", "blkio.throttle.write_iops_device": "7:0 5"},
        {"io.max": "7:0 rbps=max wbps=max riops=max wiops=5"},
    )


def test_an_idle_container_is_taken_back(made):
    update(made, "--cpu-idle", "1")
    update(made, "--cpu-idle", "0", "--cpu-share", "512")
    assert_files(made, {"cpu.idle": "0", "cpu.shares": "512"}, {"cpu.idle": "0", "cpu.weight": "20"})


# ---- unified ----


@pytest.mark.skipif(V1, reason="they are settings of cgroup v2")
def test_unified_settings(made):
    send(made, {"unified": {"cpu.max": "max 100000", "cpu.weight": "16", "pids.max": "10", "memory.high": "16777216"}})
    assert_files(
        made, {}, {"cpu.max": "max 100000", "cpu.weight": "16", "pids.max": "10", "memory.high": str(16 * MB)}
    )


@pytest.mark.skipif(V1, reason="they are settings of cgroup v2")
def test_unified_settings_have_the_last_word(made):
    send(made, {"pids": {"limit": 11}, "unified": {"pids.max": "12"}})
    assert read(made, "pids.max") == "12"


@pytest.mark.ours
@pytest.mark.skipif(V1, reason="they are settings of cgroup v2")
@pytest.mark.parametrize(
    "unified, words",
    [
        ({"nosuch.max": "1"}, ["unified.nosuch.max", 'controller "nosuch" not available']),
        ({"memory.nosuch": "1"}, ["unified.memory.nosuch", "no such file"]),
        ({"memory.max": "much"}, ["unified.memory.max", "much"]),
        ({"memory/max": "1"}, ["unified", "memory/max"]),
        ({"cgroup.procs": "1"}, ["unified.cgroup.procs"]),
        ({"cgroup.freeze": "1"}, ["unified.cgroup.freeze"]),
        ({"pids.max": ""}, ["unified.pids.max"]),
    ],
)
def test_unified_settings_that_are_refused(made, unified, words):
    before = everything(made)
    send(made, {"pids": {"limit": 11}, "unified": unified}, check=False).assert_refused(*words)
    assert everything(made) == before


@pytest.mark.skipif(not V1, reason="they are settings of cgroup v2")
def test_unified_settings_on_v1_are_refused(made):
    before = everything(made)
    result = send(made, {"pids": {"limit": 11}, "unified": {"pids.max": "12"}}, check=False)
    result.assert_refused("unified", "cgroup v1")
    assert everything(made) == before


# ---- what the kernel takes only in a certain order, or together ----


@pytest.mark.parametrize("steps", [[(20, 30), (60, 80), (20, 25), (25, 25), (90, 200), (-1, -1), (20, 30)]])
def test_memory_and_swap_grow_and_shrink_together(limited, steps):
    made = limited(memory={"limit": 40 * MB, "swap": 50 * MB})
    if V1 and not has(made, "memory.memsw.limit_in_bytes"):
        pytest.skip("this kernel doesn't count swap")
    unlimited = cgroup_read("self", "memory", "memory.limit_in_bytes") if V1 else "max"
    for memory, swap in steps:
        flags = [f"{size}m" if size > 0 else "-1" for size in (memory, swap)]
        update(made, "--memory", flags[0], "--memory-swap", flags[1])
        limit = str(memory * MB) if memory > 0 else unlimited
        assert_files(
            made,
            {"memory.limit_in_bytes": limit, "memory.memsw.limit_in_bytes": str(swap * MB) if swap > 0 else unlimited},
            {"memory.max": limit, "memory.swap.max": str((swap - memory) * MB) if swap > 0 else "max"},
        )


def test_the_memory_limit_alone_leaves_memory_and_swap_together_as_they_were(limited):
    """v2 counts swap alone: it has to be told anew."""
    made = limited(memory={"limit": 40 * MB, "swap": 100 * MB})
    update(made, "--memory", "60m")
    update(made, "--memory", "70m")
    assert_files(made, {"memory.limit_in_bytes": str(70 * MB)}, {"memory.swap.max": str(30 * MB)})
    if V1 and has(made, "memory.memsw.limit_in_bytes"):
        assert read(made, "memory.memsw.limit_in_bytes") == str(100 * MB)
    made.runtime("update", made.id, "--memory", "101m").assert_refused("memory.swap", "should be >= memory limit")
    assert_files(made, {"memory.limit_in_bytes": str(70 * MB)}, {"memory.max": str(70 * MB)})


def test_lifting_the_memory_limit_lifts_that_of_swap_too(limited):
    made = limited(memory={"limit": 40 * MB, "swap": 100 * MB})
    update(made, "--memory", "-1")
    unlimited = cgroup_read("self", "memory", "memory.limit_in_bytes") if V1 else "max"
    assert_files(
        made, {"memory.limit_in_bytes": unlimited}, {"memory.max": unlimited, "memory.swap.max": unlimited}
    )
    if V1 and has(made, "memory.memsw.limit_in_bytes"):
        assert read(made, "memory.memsw.limit_in_bytes") == unlimited


@pytest.mark.parametrize(
    "quota, period", [(1000, 1000), (900000, 1000000), (2000, 1000), (-1, 50000), (5000000, 1000000), (1000, 1000)]
)
def test_quota_and_period_whatever_they_were(limited, quota, period):
    for before in ({"quota": 1000, "period": 1000}, {"quota": 3000000, "period": 1000000}, {}):
        made = limited(cpu=before)
        update(made, "--cpu-quota", str(quota), "--cpu-period", str(period))
        assert_files(
            made,
            {"cpu.cfs_quota_us": str(quota), "cpu.cfs_period_us": str(period)},
            {"cpu.max": f"{'max' if quota < 0 else quota} {period}"},
        )
        made.delete("--force")


def test_burst_and_quota_shrink_together(limited):
    made = limited(cpu={"quota": 50000, "period": 100000, "burst": 40000})
    update(made, "--cpu-quota", "20000", "--cpu-burst", "10000")
    assert_files(
        made,
        {"cpu.cfs_quota_us": "20000", "cpu.cfs_burst_us": "10000"},
        {"cpu.max": "20000 100000", "cpu.max.burst": "10000"},
    )


# ---- refused: nothing has changed ----


@pytest.mark.ours
@pytest.mark.parametrize(
    "document, words",
    [
        ({"cpu": {"cpus": "4000"}}, ["cpu.cpus", "4000"]),
        ({"cpu": {"quota": 1}}, ["cpu.quota"]),
        ({"cpu": {"period": 1}}, ["cpu.period"]),
        ({"cpu": {"burst": 600000}}, ["cpu.burst", "600000"]),
        ({"memory": {"limit": 64 * MB, "swap": 32 * MB}}, ["memory.swap", "should be >= memory limit"]),
        ({"memory": {"limit": -2}}, ["memory.limit"]),
        ({"blockIO": {"weight": 5}}, ["blockIO.weight"]),
        (
            {"blockIO": {"throttleReadBpsDevice": [{"major": 4000, "minor": 1, "rate": 1}]}},
            ["blockIO.throttleReadBpsDevice", "4000:1"],
        ),
        ({"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}, ["hugepageLimits"]),
        ({"network": {"classID": 5}}, ["network.classID", "net_cls"]),
        ({"network": {"priorities": [{"name": "lo", "priority": 1}]}}, ["network.priorities", "net_prio"]),
        ({"rdma": {"nosuch": {"hcaHandles": 1}}}, ["rdma"]),
        ({"devices": [{"allow": True, "access": "x"}]}, ["devices[0].access"]),
        ({"pids": {"limit": "many"}}, ["pids.limit"]),
        ("{", ["standard input"]),
        ("", ["standard input"]),
        ("[]", ["standard input"]),
        ("{}\0{}", ["standard input"]),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_refused_value_leaves_everything_as_it_was(made, document, words):
    """The other limits of the document come before it and behind it, and are fine."""
    before, state = everything(made), made.state()
    if isinstance(document, dict):
        good = {
            "cpu": {"shares": 300, "idle": 0},
            "memory": {"limit": 48 * MB, "reservation": 40 * MB, "swappiness": 12},
            "pids": {"limit": 33},
            "blockIO": {"throttleWriteBpsDevice": [{**LOOP, "rate": MB}]},
        }
        for section, fields in document.items():
            good[section] = {**good.get(section, {}), **fields} if isinstance(fields, dict) else fields
        document = good
    send(made, document, check=False).assert_refused(*words)
    assert everything(made) == before
    assert made.state() == state and not os.path.exists(f"{made.runtime.root}/{made.id}/resources.json")


@pytest.mark.parametrize(
    "flags",
    [
        ["--memory", "x"],
        ["--memory", "1e9"],
        ["--cpu-quota", "1.5"],
        ["--cpu-share", "-1"],
        ["--pids-limit", "max"],
        ["--blkio-weight", "70000"],
        ["--resources", "/no/such"],
    ],
)
def test_a_bad_flag_is_refused_by_its_name(made, flags):
    before = everything(made)
    made.runtime("update", made.id, *flags).assert_refused(flags[1] if "/" in flags[1] else flags[0])
    assert everything(made) == before


def test_what_was_there_for_a_device_is_put_back(limited):
    """A document whose last limit is refused, and before it one for a device that had one."""
    made = limited(blockIO={"throttleReadBpsDevice": [{**LOOP, "rate": 7 * MB}]})
    before = everything(made)
    rates = [{**LOOP, "rate": MB}, {"major": 4000, "minor": 1, "rate": 1}]
    send(made, {"blockIO": {"throttleReadBpsDevice": rates}}, check=False).assert_refused()
    if made.runtime.is_ours:
        assert everything(made) == before


@pytest.mark.parametrize("where", ["config.json", "document"])
def test_a_limit_below_what_is_in_use_is_refused(container, where):
    """v1's kernel does so by itself; v2's would kill, unless checkBeforeUpdate is set."""
    made = container(shell="x=$(dd if=/dev/zero bs=1M count=24 | tr '\\0' x); echo held; sleep 100; echo $x")
    made.bundle.resources["memory"] = {"limit": 200 * MB}
    if where == "config.json":
        made.bundle.resources["memory"]["checkBeforeUpdate"] = True
    made.up()
    made.wait_output("held")
    change = {"limit": 4 * MB}
    if where == "document":
        change["checkBeforeUpdate"] = True
    result = send(made, {"pids": {"limit": 12}, "memory": change}, check=False)
    result.assert_refused("memory.limit", str(4 * MB), "usage")
    assert_files(made, {"memory.limit_in_bytes": str(200 * MB)}, {"memory.max": str(200 * MB)})
    assert made.status == "running" and read(made, "pids.max") == "max"


# ---- which containers ----


def test_a_created_container(container):
    made = container("sleep", "100").create()
    update(made, "--pids-limit", "9")
    assert read(made, "pids.max") == "9"
    made.start()
    assert read(made, "pids.max") == "9"


def test_a_paused_container_stays_paused(made):
    made.runtime.ok("pause", made.id)
    update(made, "--pids-limit", "9", "--memory", "48m")
    assert made.status == "paused" and read(made, "pids.max") == "9"
    made.runtime.ok("resume", made.id)


def test_a_container_that_has_ended(made):
    made.stop()
    made.runtime("update", "--pids-limit", "9", made.id).assert_refused("container not running")


def test_a_container_that_does_not_exist(runtime):
    runtime("update", "--pids-limit", "9", "nosuch").assert_refused("container does not exist")
    runtime("update", "--pids-limit", "9").assert_refused("update")


@pytest.mark.ours
def test_a_cgroup_that_is_not_the_containers_is_left_alone(container, cgroup_parent):
    """Somebody has removed the container's, and made one of that name."""
    made = container("sleep", "100")
    path = f"{cgroup_parent}/{made.id}"
    made.bundle.cgroup(path)
    made.up()
    own, directories = system.cgroup_paths("self"), []
    for label, mount in system.cgroup_hierarchies().items():
        with open(f"{mount}{own[label]}/cgroup.procs", "w", encoding="utf-8") as procs:
            procs.write(str(made.pid))
        directories.append(mount + path)
        os.rmdir(directories[-1])
        os.mkdir(directories[-1])
    made.runtime("update", "--pids-limit", "9", made.id).assert_refused("cgroup")
    limits = [f"{directory}/pids.max" for directory in directories]
    for limit in filter(os.path.exists, limits):
        with open(limit, encoding="utf-8") as file:
            assert file.read() == "max\n"
    made.stop()
    for directory in directories:
        os.rmdir(directory)


# ---- who sees it ----


def test_statistics_show_the_new_limits(made):
    update(made, "--memory", "48m", "--pids-limit", "9")
    data = json.loads(made.runtime.ok("events", "--stats", made.id).stdout)["data"]
    assert data["memory"]["usage"]["limit"] == 48 * MB and data["pids"]["limit"] == 9


def test_an_exec_lives_under_the_new_limit(made):
    update(made, "--pids-limit", "3")
    result = made.exec("sh", "-c", "for i in 1 2 3 4; do sleep 1 & done")
    assert "fork" in result.stderr


def test_the_limit_is_enforced(limited):
    made = limited(memory={"limit": 200 * MB})
    counts_swap = not V1 or has(made, "memory.memsw.limit_in_bytes")
    update(made, "--memory", "16m", *(["--memory-swap", "16m"] if counts_swap else []))
    assert made.exec("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1").returncode == 137


@pytest.mark.ours
def test_what_was_asked_for_in_all_is_kept_beside_the_config(made):
    directory = f"{made.runtime.root}/{made.id}"
    with open(f"{directory}/config.json", encoding="utf-8") as file:
        config = file.read()
    update(made, "--memory", "48m")
    document = {"pids": {"limit": 0}, "cpu": {"idle": 0}, "memory": {"swap": 0}}
    document["devices"] = [{"allow": False, "access": "rwm"}]
    document["blockIO"] = {"throttleReadBpsDevice": [{**LOOP, "rate": MB}]}
    send(made, document)
    send(made, {"blockIO": {"throttleReadBpsDevice": [{**LOOP, "rate": 2 * MB}]}})
    with open(f"{directory}/resources.json", encoding="utf-8") as file:
        kept = json.load(file)
    kept.pop("devices", None)
    assert kept == {
        "memory": {"limit": 48 * MB, "reservation": 24 * MB},
        "cpu": {"shares": 100, "quota": 500000, "period": 1000000, "idle": 0},
        "pids": {"limit": 20},
        "blockIO": {"throttleReadBpsDevice": [{**LOOP, "rate": 2 * MB}]},
    }
    with open(f"{directory}/config.json", encoding="utf-8") as file:
        assert file.read() == config
