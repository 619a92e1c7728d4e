# SPDX-License-Identifier: Apache-2.0
"""--systemd-cgroup as root: the scope, its limits, its end. Needs systemd as PID 1, as the guest of tests/vm has."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from lib import system
from lib.runtime import Runtime
from lib.systemd import Manager, need_systemd

pytestmark = pytest.mark.ours  # runc's names and words differ

MB = 1 << 20
V1 = system.on_cgroup_v1()


@pytest.fixture(scope="module")
def manager():
    need_systemd()
    return Manager()


@pytest.fixture
def runtime(manager, workdir, token, request):
    made = Runtime(request.config.command, request.config.is_ours, workdir, token)
    made.global_flags = [*made.global_flags, "--systemd-cgroup"]
    yield made
    made.clean()
    for container in made.containers:
        container.close()
    assert manager.scopes(token) == []


def unit_of(made):
    return f"runlxc-{made.id}.scope"


def limited(made):
    made.bundle.resources.update(
        {
            "memory": {"limit": 64 * MB, "reservation": 32 * MB},
            "cpu": {"shares": 512, "quota": 12345, "period": 50000, "cpus": "0"},
            "pids": {"limit": 50},
        }
    )
    return made


def files_of(made, *names):
    return [system.cgroup_read(made.pid, name.partition(".")[0], name) for name in names]


# ---- where it is ----


def test_the_container_is_in_a_scope_of_its_own(manager, container):
    made = container("sleep", "1000").up()
    unit = unit_of(made)
    path = f"/system.slice/{unit}"
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    found = manager.show(unit, "Slice", "Description", "Delegate", "ControlGroup", "ActiveState", "MemoryAccounting")
    assert found == {
        "Slice": "system.slice",
        "Description": f"runlxc container {made.id}",
        "Delegate": "yes",
        "ControlGroup": path,
        "ActiveState": "active",
        "MemoryAccounting": "yes",
    }
    assert system.cgroup_pids(made.pid, "pids") == {made.pid}


def test_cgroupsPath_names_slice_prefix_and_name(manager, container, token):
    made = container("sleep", "1000")
    made.bundle.cgroup(f"{token}-inner.slice:box:{made.id}")
    made.up()
    unit = f"box-{made.id}.scope"
    assert manager.show(unit, "Slice") == f"{token}-inner.slice"
    path = f"/{token}.slice/{token}-inner.slice/{unit}"
    assert set(system.cgroup_paths(made.pid).values()) == {path}
    made.delete("--force")
    manager.call("stop", f"{token}.slice", f"{token}-inner.slice")


@pytest.mark.parametrize(
    "path, words",
    [
        ("/docker/box", 'to be of format "slice:prefix:name"'),
        ("system:runlxc:box", 'invalid slice name: "system"'),
        ("a--b.slice:runlxc:box", 'invalid slice name: "a--b.slice"'),
        ("../a.slice:runlxc:box", 'invalid slice name: "../a.slice"'),
        ("system.slice:runlxc:b.slice", '"b.slice" is a slice'),
        ("system.slice:runlxc:../../box", "can't be the name of a unit"),
        ("system.slice:runlxc:", "the name is empty"),
    ],
)
def test_a_bad_cgroupsPath_is_refused(container, path, words):
    made = container("true")
    made.bundle.cgroup(path)
    made.run().assert_refused("linux.cgroupsPath", words)
    assert not made.exists


def test_exec_joins_the_scope(container):
    made = container("sleep", "1000").up()
    out = made.exec_ok("sh", "-c", "echo $$; cat /proc/self/cgroup")
    assert out and len(system.cgroup_pids(made.pid, "pids")) == 1
    with subprocess.Popen(made.runtime.argv("exec", made.id, "sleep", "1001"), stdin=subprocess.DEVNULL) as process:
        system.wait_until(lambda: len(system.cgroup_pids(made.pid, "pids")) == 2, "two processes in the scope")
        made.kill("KILL", "--all")
        assert process.wait(20) != 0


def test_a_container_in_a_user_namespace(manager, container):
    made = limited(container("sleep", "1000"))
    made.bundle.user_namespace()
    made.up()
    assert manager.show(unit_of(made), "TasksMax") == "50"
    assert files_of(made, "pids.max") == ["50"]
    assert made.exec_ok("id", "-u") == "0\n"


# ---- limits ----


def test_limits_are_properties_and_files(manager, container):
    made = limited(container("sleep", "1000")).up()
    names = ["TasksMax", "AllowedCPUs", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec"]
    found = manager.show(unit_of(made), *names, "MemoryLimit" if V1 else "MemoryMax", "CPUShares" if V1 else "CPUWeight")
    assert [found[name] for name in names] == ["50", "0", "250ms", "50ms"]
    if V1:
        assert (found["MemoryLimit"], found["CPUShares"]) == (str(64 * MB), "512")
        files = ["memory.limit_in_bytes", "cpu.shares", "cpu.cfs_quota_us", "pids.max", "cpuset.cpus"]
        assert files_of(made, *files) == [str(64 * MB), "512", "12345", "50", "0"]
        return
    assert (found["MemoryMax"], found["CPUWeight"]) == (str(64 * MB), "20")
    assert manager.show(unit_of(made), "MemoryLow") == str(32 * MB)
    files = ["memory.max", "memory.low", "cpu.weight", "cpu.max", "pids.max", "cpuset.cpus"]
    # systemd has whole percents of a quota; the file has what was asked for.
    assert files_of(made, *files) == [str(64 * MB), str(32 * MB), "20", "12345 50000", "50", "0"]


def test_limits_stay_when_systemd_is_reloaded(manager, container):
    made = limited(container("sleep", "1000")).up()
    files = ["memory.limit_in_bytes", "cpu.shares"] if V1 else ["memory.max", "memory.low", "cpu.weight"]
    before = files_of(made, *files, "pids.max")
    manager.call("daemon-reload")
    assert files_of(made, *files, "pids.max") == before
    assert manager.show(unit_of(made), "TasksMax") == "50"


def test_a_limit_of_one_process(container):
    made = container("sleep", "1000")
    made.bundle.resources["pids"] = {"limit": 1}
    made.up()
    assert files_of(made, "pids.max", "pids.current") == ["1", "1"]


def test_memory_beyond_the_limit_is_not_to_be_had(container):
    made = container(shell="dd if=/dev/zero of=/dev/null bs=64M count=1; echo status $?")
    made.bundle.resources["memory"] = {"limit": 32 * MB, "swap": 32 * MB}
    assert "status 137" in made.run().stdout


def test_devices(manager, container):
    """/dev/kmsg (1:11): allowed to one, not to the other."""
    shell = "mknod /tmp/kmsg c 1 11 && dd if=/tmp/kmsg of=/dev/null bs=8192 count=1 2>&1 | grep -c permitted; :"
    allowed, denied = container(shell=shell), container(shell=shell)
    for made in (allowed, denied):
        made.bundle.mount("/tmp", "tmpfs", "dev", kind="tmpfs").capabilities("CAP_MKNOD", "CAP_SYSLOG")
    allowed.bundle.resources["devices"].append({"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"})
    assert allowed.run_ok() == "0\n"
    assert denied.run_ok() == "1\n"


def test_the_policy_on_devices_is_systemds_too(manager, container):
    made = container("sleep", "1000")
    made.bundle.resources["devices"].append({"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"})
    made.up()
    found = manager.show(unit_of(made), "DevicePolicy", "DeviceAllow")
    assert found["DevicePolicy"] == "strict"
    assert {"/dev/char/1:11 r", "/dev/char/1:3 rwm", "char-pts rwm", "char-* m"} <= set(found["DeviceAllow"].split("\n"))


def test_what_systemd_can_not_be_told_of_devices_is_allowed_all_the_same(container):
    made = container(shell="dd if=/tmp/kmsg of=/dev/null bs=8192 count=1 2>&1 | grep -c permitted; :")
    made.bundle.shell("mknod /tmp/kmsg c 1 11 && " + made.bundle.process["args"][-1])
    made.bundle.mount("/tmp", "tmpfs", "dev", kind="tmpfs").capabilities("CAP_MKNOD", "CAP_SYSLOG")
    made.bundle.resources["devices"].append({"allow": True, "type": "c", "minor": 11, "access": "r"})
    assert made.run_ok() == "0\n"


def test_wait_tells_that_memory_had_to_do_with_it(container):
    """Though systemd removes the cgroup as soon as it is empty."""
    made = container("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
    made.bundle.resources["memory"] = {"limit": 32 * MB, "swap": 32 * MB}
    assert made.run("--keep").returncode == 137
    assert made.runtime.ok("wait", made.id).stdout.split() == ["137", "signalled", "oom-killed"]


# ---- update ----


def test_update_sets_both(manager, container):
    made = limited(container("sleep", "1000")).up()
    flags = ["--memory", str(48 * MB), "--pids-limit", "33", "--cpu-quota", "7777", "--cpu-share", "1024"]
    made.runtime.ok("update", *flags, made.id)
    found = manager.show(
        unit_of(made), "TasksMax", "CPUQuotaPerSecUSec", "MemoryLimit" if V1 else "MemoryMax", "CPUQuotaPeriodUSec"
    )
    # 7777 of 50000 is 15.554 %.
    assert list(found.values()).count(str(48 * MB)) == 1
    assert (found["TasksMax"], found["CPUQuotaPerSecUSec"], found["CPUQuotaPeriodUSec"]) == ("33", "160ms", "50ms")
    files = ["memory.limit_in_bytes", "cpu.cfs_quota_us"] if V1 else ["memory.max", "cpu.max"]
    assert files_of(made, *files, "pids.max") == [str(48 * MB), "7777" if V1 else "7777 50000", "33"]


def test_an_update_by_a_command_without_the_flag(manager, container):
    """What a container is, its state tells: engines don't say it again."""
    made = limited(container("sleep", "1000")).up()
    made.runtime.ok(argv=[made.runtime.command, "--root", made.runtime.root, "update", "--pids-limit", "34", made.id])
    assert manager.show(unit_of(made), "TasksMax") == "34"


def test_a_refused_update_leaves_both_as_they_were(manager, container):
    made = limited(container("sleep", "1000")).up()
    names = ["TasksMax", "AllowedCPUs", "CPUQuotaPerSecUSec"]
    before = manager.show(unit_of(made), *names), files_of(made, "pids.max", "cpuset.cpus")
    result = made.runtime("update", "--pids-limit", "33", "--cpuset-cpus", "4000", made.id)
    result.assert_refused("cpu.cpus")
    assert (manager.show(unit_of(made), *names), files_of(made, "pids.max", "cpuset.cpus")) == before


# ---- annotations ----


def test_annotations_are_properties_of_the_scope(manager, container):
    made = container("sleep", "1000")
    made.bundle.config["annotations"] = {
        "org.systemd.property.TimeoutStopSec": "uint32 7",
        "org.systemd.property.CollectMode": "'inactive'",
        "org.systemd.property.Documentation": "['man:box(1)', 'man:box(2)']",
        "org.systemd.property.MemoryHigh": "uint64 12345678",
    }
    made.up()
    found = manager.show(unit_of(made), "TimeoutStopUSec", "CollectMode", "Documentation")
    assert found == {"TimeoutStopUSec": "7s", "CollectMode": "inactive", "Documentation": '"man:box(1)" "man:box(2)"'}


@pytest.mark.parametrize(
    "key, text, words",
    [
        ("After", "x.service", "There is no value that can be read"),
        ("No_1", "1", "can't be the name of a property"),
        ("TimeoutStopSec", "'a'", "no number of seconds"),
        ("NoSuchThing", "true", "NoSuchThing"),  # systemd's own words
        ("TimeoutStopUSec", "'a'", "systemd refuses"),
    ],
)
def test_a_bad_annotation_is_refused(container, key, text, words):
    made = container("true")
    made.bundle.config["annotations"] = {f"org.systemd.property.{key}": text}
    made.run().assert_refused(words)
    assert not made.exists


# ---- the end ----


def test_nothing_is_left_after_delete(manager, container):
    made = container("sleep", "1000").up()
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))
    assert not any(os.path.exists(f"{top}/system.slice/{unit_of(made)}") for top in system.cgroup_hierarchies().values())


def test_the_scope_ends_with_the_container(manager, container):
    made = container("sleep", "1000").up()
    made.stop()
    manager.wait_gone(unit_of(made))
    assert made.status == "stopped"
    made.delete()


def test_delete_takes_along_who_shares_the_pid_namespace(manager, container):
    made = container(shell="sleep 1001 & exec sleep 1000")
    made.bundle.without_namespace("pid")
    made.up()
    system.wait_until(lambda: len(system.cgroup_pids(made.pid, "pids")) == 2, "two processes")
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))


def test_run_leaves_no_scope(manager, container):
    made = container(shell="exit 7")
    assert made.run().returncode == 7
    assert not manager.is_loaded(unit_of(made))


@pytest.mark.parametrize("fault", ["mount", "limit", "hook"])
def test_a_create_that_fails_leaves_no_scope(manager, container, fault):
    made = container("true")
    if fault == "mount":
        made.bundle.mount("/mnt", "/no/such/place", "bind")
    elif fault == "limit":
        made.bundle.resources["cpu"] = {"cpus": "4000"}
    else:
        made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    made.bundle.write()
    made.runtime("create", "--bundle", made.bundle.path, made.id).assert_refused()
    assert not made.exists
    assert not manager.is_loaded(unit_of(made))


def calls_of(runtime, log, argv):
    """The system calls of a command from where it does anything of its own, each with its number among those of its
    name."""
    result = runtime(argv=["strace", "-qq", "-o", log, *argv], timeout=60)
    assert result.returncode == 0, result
    counts, calls, begun = {}, [], False
    with open(log, encoding="utf-8", errors="replace") as file:
        for name in re.findall(r"^([a-z0-9_]+)\(", file.read(), re.MULTILINE):
            counts[name] = counts.get(name, 0) + 1
            begun = begun or name == "socketpair"
            if begun and name != "exit_group":
                calls.append((name, counts[name]))
    return calls


@pytest.mark.limit(240)
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("moments", [3, 16])
def test_a_create_killed_at_some_moment_leaves_no_scope(manager, container, moments):
    made = container("sleep", "1000")
    made.bundle.write()
    log = f"{made.runtime.workdir}/strace"
    create = made.runtime.argv("create", "--bundle", made.bundle.path, made.id)
    calls = calls_of(made.runtime, log, create)
    assert len(calls) > 100, "hardly any system call was seen"
    made.delete("--force")
    for i in range(moments):
        call, number = calls[(2 * i + 1) * len(calls) // (2 * moments)]
        inject = f"inject={call}:signal=KILL:when={number}"
        result = made.runtime(argv=["strace", "-qq", "-o", log, "-e", inject, *create], timeout=60)
        where = f"{call} number {number}: {result}"
        # Another order of events may have no such call: then it is a container like any other.
        assert result.returncode in (0, 137, -signal.SIGKILL), where
        if i % 2 and result.returncode and made.exists and not os.path.exists(f"{made.runtime.root}/{made.id}/state.json"):
            manager.wait_gone(unit_of(made))  # by itself
        made.runtime.ok("delete", "--force", made.id)
        manager.wait_gone(unit_of(made))
        assert not made.exists, where


def test_a_unit_of_somebody_elses_is_left_alone(manager, container, token):
    unit = f"box-{token}.scope"
    argv = ["systemd-run", "--scope", "--quiet", f"--unit={unit}", "sleep", "1000"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:
        system.wait_until(lambda: manager.show(unit, "ActiveState") == "active", "their scope")
        made = container("true")
        made.bundle.cgroup(f"system.slice:box:{token}")
        made.run().assert_refused("linux.cgroupsPath", "cgroup is not empty")
        assert manager.show(unit, "ActiveState") == "active" and process.poll() is None
        process.kill()
    manager.wait_gone(unit)


# ---- verbs that look at cgroups ----


def test_pause_stats_and_ps(manager, container):
    made = container("sleep", "1000").up()
    made.runtime.ok("pause", made.id)
    assert made.status == "paused"
    made.runtime.ok("resume", made.id)
    assert str(made.pid) in made.runtime.ok("ps", made.id).stdout
    assert '"pids"' in made.runtime.ok("events", "--stats", made.id).stdout


def test_a_paused_container_is_deleted(manager, container):
    made = container("sleep", "1000").up()
    made.runtime.ok("pause", made.id)
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))


def test_a_kept_monitor_is_not_in_the_scope(manager, container):
    made = container(shell="sleep 1; exit 9")
    made.bundle.write()
    made.runtime.ok("run", "--detach", "--lxc-monitor", "--pid-file", made.pid_file, "--bundle", made.bundle.path, made.id)
    assert made.runtime.ok("wait", made.id).stdout.split()[0] == "9"
    made.delete()
    assert not manager.is_loaded(unit_of(made))


@pytest.mark.limit(180)
@pytest.mark.skipif(not shutil.which("criu"), reason="CRIU is not installed")
def test_a_checkpoint_is_restored_into_a_scope(manager, container):
    made = limited(container(shell="while :; do sleep 100; done")).up()
    image = f"{made.runtime.workdir}/image"
    made.runtime.ok("checkpoint", "--image-path", image, made.id, timeout=60)
    manager.wait_gone(unit_of(made))
    made.delete("--force")
    os.unlink(made.pid_file)
    flags = ["--detach", "--bundle", made.bundle.path, "--image-path", image, "--pid-file", made.pid_file]
    made.runtime.ok("restore", *flags, made.id, timeout=60)
    assert set(system.cgroup_paths(made.pid).values()) == {f"/system.slice/{unit_of(made)}"}
    assert manager.show(unit_of(made), "TasksMax") == "50"
    assert files_of(made, "pids.max") == ["50"]
    assert system.cgroup_pids(made.pid, "pids") >= {made.pid}
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))


# ---- what it takes ----


def test_without_a_bus_systemds_own_socket_is_used(manager, container):
    made = container("sleep", "1000")
    made.runtime.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/no/such/socket"
    limited(made).up()
    made.runtime.ok("update", "--pids-limit", "33", made.id)
    assert manager.show(unit_of(made), "TasksMax") == "33"
    made.delete("--force")
    assert not manager.is_loaded(unit_of(made))


def hidden(*paths):
    """A command in front of others, which don't find these files."""
    mounts = "; ".join(f"mount --bind /dev/null {path}" for path in paths)
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts}; exec "$@"', "sh"]


def library():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        directory = os.path.dirname(re.search(r"\S+/libc\.so\S*", maps.read())[0])
    return os.path.realpath(f"{directory}/libsystemd.so.0")


def test_without_libsystemd_nothing_but_the_flag_is_missing(manager, container):
    made = container("echo", "ran")
    made.bundle.write()
    without = hidden(library())
    run = made.runtime.argv("run", "--bundle", made.bundle.path, made.id)
    made.runtime(argv=[*without, *run]).assert_refused("--systemd-cgroup: Failed to load libsystemd")
    run.remove("--systemd-cgroup")
    assert made.runtime(argv=[*without, *run]).stdout == "ran\n"


def test_without_systemd_the_error_says_so(manager, container):
    made = container("true")
    made.bundle.write()
    run = made.runtime.argv("run", "--bundle", made.bundle.path, made.id)
    without = hidden("/run/dbus/system_bus_socket", "/run/systemd/private")
    made.runtime(argv=[*without, *run]).assert_refused("--systemd-cgroup: Failed to connect to systemd over D-Bus")


def test_features_says_that_systemd_can_be_had(runtime):
    assert '"systemd": true' in runtime.ok(argv=[runtime.command, "features"]).stdout
