# SPDX-License-Identifier: Apache-2.0
"""Namespaces: new ones, those of others by path, and the host's."""

import os

import pytest

from lib import system
from lib.system import namespace

# As config.json names them, and as /proc/PID/ns does.
NAMES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "cgroup": "cgroup"}


@pytest.mark.parametrize("kind", NAMES)
def test_a_new_namespace(container, kind):
    made = container("sleep", "100")
    made.bundle.with_namespace(kind)
    made.create()
    assert namespace(made.pid, NAMES[kind]) != namespace("self", NAMES[kind])


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup"])
def test_a_namespace_that_is_not_listed_is_the_hosts(container, kind):
    made = container("sleep", "100")
    made.bundle.without_namespace(kind)
    if kind == "uts":
        del made.bundle.config["hostname"]
    made.create()
    assert namespace(made.pid, NAMES[kind]) == namespace("self", NAMES[kind])
    made.start()
    assert made.status == "running"


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup"])
def test_a_namespace_is_joined_by_its_path(container, kind):
    first = container("sleep", "100")
    first.bundle.with_namespace(kind)
    first.up()
    second = container("sleep", "100")
    second.bundle.with_namespace(kind, f"/proc/{first.pid}/ns/{NAMES[kind]}")
    second.up()
    assert namespace(second.pid, NAMES[kind]) == namespace(first.pid, NAMES[kind])
    for other in set(NAMES.values()) - {NAMES[kind], "cgroup"}:
        assert namespace(second.pid, other) != namespace(first.pid, other)


def test_several_namespaces_are_joined_as_in_a_pod(container):
    first = container("sleep", "100").up()
    second = container(shell="hostname; ls /sys/class/net; ps")
    del second.bundle.config["hostname"]
    for kind in ("pid", "network", "ipc", "uts"):
        second.bundle.with_namespace(kind, f"/proc/{first.pid}/ns/{NAMES[kind]}")
    out = second.run_ok()
    assert out.startswith("box\nlo\n") and "sleep 100" in out


def test_proc_shows_a_joined_pid_namespace(container):
    first = container("sleep", "123").up()
    second = container(shell="ps -o pid,args; test $$ -ne 1")
    second.bundle.with_namespace("pid", f"/proc/{first.pid}/ns/pid")
    assert "1 sleep 123" in second.run_ok()


def test_a_container_in_a_joined_pid_namespace_stops_alone(container):
    first = container("sleep", "100").up()
    second = container("sleep", "100")
    second.bundle.with_namespace("pid", f"/proc/{first.pid}/ns/pid")
    second.up()
    second.stop()
    assert (first.status, second.status) == ("running", "stopped")
    second.delete()
    assert first.status == "running"


def test_a_new_pid_namespace_shows_its_own_processes_only(container):
    out = container("ps", "-o", "pid,args").run_ok().splitlines()
    assert [line.split() for line in out[1:]] == [["1", "ps", "-o", "pid,args"]]


def test_a_new_network_namespace_has_its_loopback_up_and_nothing_else(container):
    made = container(shell="ls /sys/class/net; cat /sys/class/net/lo/flags")
    assert made.run_ok().split() == ["lo", "0x9"]


def test_the_hosts_network(container):
    made = container("ls", "/sys/class/net")
    made.bundle.without_namespace("network")
    assert set(made.run_ok().split()) == set(os.listdir("/sys/class/net"))


def test_the_hosts_processes(container):
    made = container("ps", "-o", "pid")
    made.bundle.without_namespace("pid")
    assert str(os.getpid()) in made.run_ok().split()


def test_a_new_cgroup_namespace_hides_the_path(container):
    made = container("cat", "/proc/self/cgroup")
    made.bundle.with_namespace("cgroup")
    assert {line.split(":", 2)[2] for line in made.run_ok().splitlines()} == {"/"}


def test_mounts_of_the_container_are_not_seen_on_the_host(container, workdir):
    made = container("sleep", "100")
    made.bundle.mount("/mnt", "tmpfs", kind="tmpfs")
    made.up()
    assert not [mount for mount in system.mounts_of("self") if mount.target.startswith(workdir)]


# ---- user namespaces ----


def test_a_user_namespace_has_the_mappings_asked_for(container):
    made = container("sleep", "100")
    made.bundle.user_namespace(100000, 65536)
    made.up()
    for file in ("uid_map", "gid_map"):
        assert made.exec_ok("cat", f"/proc/self/{file}").split() == ["0", "100000", "65536"]
    assert namespace(made.pid, "user") != namespace("self", "user")
    status = system.process_status(made.pid)
    assert status["Uid"].split() == ["100000"] * 4 and status["Gid"].split() == ["100000"] * 4


def test_a_user_namespace_with_several_ranges(container):
    made = container("cat", "/proc/self/uid_map")
    made.bundle.user_namespace(100000, 10)
    made.bundle.linux["uidMappings"].append({"containerID": 1000, "hostID": 201000, "size": 5})
    made.bundle.linux["uidMappings"].append({"containerID": 5000, "hostID": 305000, "size": 1})
    rows = [line.split() for line in made.run_ok().splitlines()]
    assert rows == [["0", "100000", "10"], ["1000", "201000", "5"], ["5000", "305000", "1"]]


def test_files_in_a_user_namespace_belong_to_the_mapped_owner(container):
    made = container(shell="touch /tmp/mine; stat -c '%u:%g' /tmp/mine /bin /etc/passwd")
    made.bundle.user_namespace(100000, 65536).writable()
    assert made.run_ok().split() == ["0:0", "0:0", "0:0"]
    info = os.stat(f"{made.bundle.rootfs}/tmp/mine")
    assert (info.st_uid, info.st_gid) == (100000, 100000)


def test_a_user_of_a_user_namespace(container):
    made = container(shell="id -u; id -g; touch /tmp/mine")
    made.bundle.user_namespace(100000, 65536).writable()
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert made.run_ok() == "1000\n1000\n"
    assert os.stat(f"{made.bundle.rootfs}/tmp/mine").st_uid == 101000


def test_a_user_namespaces_devices_work(container):
    made = container(shell="echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c %t:%T /dev/null; readlink /dev/fd")
    made.bundle.user_namespace()
    assert made.run_ok().split() == ["3", "1:3", "/proc/self/fd"]


def test_a_user_namespaces_root_is_not_the_hosts(container, workdir):
    with open(f"{workdir}/secret", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
    made = container("cat", "/secret")
    made.bundle.user_namespace().mount("/secret", f"{workdir}/secret", "bind")
    result = made.run()
    assert result.returncode != 0


def test_exec_joins_the_user_namespace(container):
    made = container("sleep", "100")
    made.bundle.user_namespace()
    made.up()
    out = made.exec_ok("sh", "-c", "id -u; cat /proc/self/uid_map", flags=["--user", "5:5"])
    assert out.split() == ["5", "0", "100000", "65536"]


def test_a_user_namespace_is_joined_by_its_path(container):
    first = container("sleep", "100")
    first.bundle.user_namespace()
    first.up()
    second = container("sleep", "100")
    second.bundle.user_namespace()
    second.bundle.with_namespace("user", f"/proc/{first.pid}/ns/user")
    if not second.runtime.is_ours:
        # runc 1.1 wants the mappings with a path, which later versions of the specification refuse.
        second.up()
    else:
        del second.bundle.linux["uidMappings"], second.bundle.linux["gidMappings"]
        second.up()
    assert namespace(second.pid, "user") == namespace(first.pid, "user")


def test_mappings_beside_a_path_must_be_those_of_the_namespace(container):
    """As runc has it: engines give both."""
    first = container("sleep", "100")
    first.bundle.user_namespace()
    first.up()
    second = container("true")
    second.bundle.user_namespace().with_namespace("user", f"/proc/{first.pid}/ns/user")
    second.run_ok()
    third = container("true")
    third.bundle.user_namespace(200000).with_namespace("user", f"/proc/{first.pid}/ns/user")
    if third.runtime.is_ours:
        third.run().assert_refused("linux.uidMappings", f"/proc/{first.pid}/ns/user")


@pytest.mark.ours
def test_a_user_namespace_with_several_ranges_is_joined_by_its_path(container):
    first = container("sleep", "100")
    first.bundle.user_namespace(100000, 10)
    for ids in ("uidMappings", "gidMappings"):
        first.bundle.linux[ids].append({"containerID": 1000, "hostID": 201000, "size": 5})
    first.up()
    second = container(shell="cat /proc/self/uid_map; id -u; id -g")
    second.bundle.user_namespace(100000, 10).with_namespace("user", f"/proc/{first.pid}/ns/user")
    del second.bundle.linux["uidMappings"], second.bundle.linux["gidMappings"]
    second.bundle.process["user"] = {"uid": 1003, "gid": 1004}
    assert second.run_ok().split() == ["0", "100000", "10", "1000", "201000", "5", "1003", "1004"]


@pytest.mark.ours
def test_all_the_namespaces_of_a_user_namespace_are_joined(container):
    """As in a pod with a user namespace of its own."""
    first = container("sleep", "100")
    first.bundle.user_namespace().with_namespace("cgroup").with_namespace("time")
    first.up()
    second = container("sleep", "100")
    second.bundle.user_namespace()
    del second.bundle.linux["uidMappings"], second.bundle.linux["gidMappings"], second.bundle.config["hostname"]
    kinds = {"user": "user", "time": "time", **NAMES}
    del kinds["mount"]
    for kind, name in kinds.items():
        second.bundle.with_namespace(kind, f"/proc/{first.pid}/ns/{name}")
    second.up()
    for name in kinds.values():
        assert namespace(second.pid, name) == namespace(first.pid, name)
    assert second.exec_ok("hostname").strip() == "box"
    assert second.exec_ok("ls", "/sys/class/net").split() == ["lo"]


@pytest.mark.ours
@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "time"])
def test_a_namespace_of_another_user_namespace_is_joined(container, kind):
    """One that belongs to the host; the container's root may do nothing in it."""
    name = {"time": "time", **NAMES}[kind]
    first = container("sleep", "100")
    first.bundle.with_namespace(kind)
    first.up()
    second = container("sleep", "100")
    second.bundle.user_namespace().with_namespace(kind, f"/proc/{first.pid}/ns/{name}")
    if kind == "uts":
        del second.bundle.config["hostname"]
    if kind == "ipc":  # an mqueue can't be mounted from a user namespace that doesn't own it
        mounts = second.bundle.config["mounts"]
        second.bundle.config["mounts"] = [m for m in mounts if m["destination"] != "/dev/mqueue"]
    second.up()
    assert namespace(second.pid, name) == namespace(first.pid, name)
    assert namespace(second.pid, "user") not in (namespace("self", "user"), namespace(first.pid, "user"))
    assert second.exec_ok("echo", "here") == "here\n"


# ---- what a user namespace may not mount itself ----


@pytest.mark.ours
def test_sysfs_shows_the_hosts_network_in_a_user_namespace(container):
    made = container(shell="ls /sys/class/net; grep ' /sys ' /proc/self/mounts; ls /sys/firmware")
    made.bundle.user_namespace().without_namespace("network")
    first, rest = made.run_ok().split("sysfs /sys sysfs ")
    assert set(first.split()) == set(os.listdir("/sys/class/net"))
    assert set("ro,nosuid,nodev,noexec".split(",")) <= set(rest.split()[0].split(","))


@pytest.mark.ours
def test_sysfs_shows_the_network_that_is_joined_in_a_user_namespace(container):
    first = container("sleep", "100").up()
    second = container("ls", "/sys/class/net")
    second.bundle.user_namespace().with_namespace("network", f"/proc/{first.pid}/ns/net")
    assert second.run_ok().split() == ["lo"]


@pytest.mark.ours
def test_the_hosts_processes_in_a_user_namespace(container):
    """Whose proc engines bind: a new one can't be mounted there."""
    made = container(shell="ls /proc; cat /proc/self/uid_map")
    made.bundle.user_namespace().without_namespace("pid")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["destination"] != "/proc"]
    made.bundle.mount("/proc", "/proc", "rbind")
    out = made.run_ok().split()
    assert str(os.getpid()) in out and out[-3:] == ["0", "100000", "65536"]


@pytest.mark.ours
def test_nothing_in_the_hosts_sysfs_can_be_written_in_a_user_namespace(container):
    script = "for file in /sys/class/net/lo/mtu /sys/kernel/profiling /sys/power/state; do echo 0 >$file && echo $file; done; true"
    made = container(shell=script)
    made.bundle.user_namespace().without_namespace("network")
    made.bundle.config["mounts"] = [
        {**m, "options": []} if m["destination"] == "/sys" else m for m in made.bundle.config["mounts"]
    ]
    made.bundle.capabilities("CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN")
    assert made.run_ok() == ""


def test_a_device_of_a_user_namespace_is_the_hosts(container):
    made = container(shell="stat -c %t:%T /dev/full; echo x >/dev/full")
    made.bundle.user_namespace()
    made.bundle.linux["devices"] = [{"path": "/dev/full", "type": "c", "major": 1, "minor": 7}]
    result = made.run()
    assert result.stdout == "1:7\n" and "No space left" in result.stderr


@pytest.mark.ours
def test_a_device_of_a_user_namespace_that_is_another_on_the_host_is_refused(container):
    made = container("true")
    made.bundle.user_namespace()
    made.bundle.linux["devices"] = [{"path": "/dev/full", "type": "c", "major": 1, "minor": 5}]
    made.run().assert_refused("linux.devices[0]", "/dev/full")


# ---- refusals ----


def test_a_namespace_listed_twice_is_refused(container):
    made = container("true")
    made.bundle.linux["namespaces"].append({"type": "pid"})
    made.run().assert_refused("pid", "namespaces")


def test_an_unknown_namespace_is_refused(container):
    made = container("true")
    made.bundle.linux["namespaces"].append({"type": "nosuch"})
    made.run().assert_refused("nosuch", "namespaces")


def test_a_namespace_path_that_is_missing_is_refused(container):
    made = container("true")
    made.bundle.with_namespace("network", "/no/such/namespace")
    made.run().assert_refused("/no/such/namespace")


def test_a_namespace_path_of_another_kind_is_refused(container):
    made = container("true")
    made.bundle.with_namespace("network", "/proc/self/ns/uts")
    made.run().assert_refused("/proc/self/ns/uts")


def test_a_path_that_is_no_namespace_is_refused(container):
    made = container("true")
    made.bundle.with_namespace("network", "/etc/passwd")
    made.run().assert_refused("/etc/passwd")


@pytest.mark.ours
def test_mappings_without_a_user_namespace_are_refused(container):
    made = container("true")
    made.bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]
    made.run().assert_refused("uidMappings")


def test_a_user_namespace_without_mappings_is_refused(container):
    made = container("true")
    made.bundle.with_namespace("user")
    made.run().assert_refused("Mappings")


@pytest.mark.parametrize("kind", ["ipc", "network", "uts"])
def test_joining_a_namespace_makes_no_other_new(container, kind):
    first, second = container("sleep", "100").up(), container("sleep", "100")
    name = {"network": "net"}.get(kind, kind)
    second.bundle.with_namespace(kind, f"/proc/{first.pid}/ns/{name}").without_namespace("cgroup")
    second.up()
    assert system.namespace(second.pid, "cgroup") == system.namespace("self", "cgroup")
    assert system.namespace(second.pid, name) == system.namespace(first.pid, name)


@pytest.mark.ours  # newer runcs make such a container
@pytest.mark.parametrize("kind", ["uid", "gid"])
def test_a_user_namespace_without_a_root_is_refused_by_its_field(container, kind):
    made = container("true")
    made.bundle.user_namespace()
    made.bundle.linux[f"{kind}Mappings"] = [{"containerID": 1000, "hostID": 100000, "size": 1}]
    made.run().assert_refused(f"linux.{kind}Mappings", "id 0")
    assert not made.exists


@pytest.mark.ours
@pytest.mark.parametrize("user", [(), ("--user", "--map-root-user")], ids=["", "user"])
def test_a_proc_of_another_pid_namespace_is_an_error(container, runtime, user):
    """It would show others under the numbers of the container's processes: what is written for one goes to another."""
    there, made = container("sleep", "100").up(), container("true")
    made.bundle.process["oomScoreAdj"] = 500
    made.bundle.write()
    for arguments in (
        ("run", "--bundle", made.bundle.path, made.id),
        ("exec", there.id, "true"),
        ("kill", there.id, "KILL"),
        ("delete", "--force", there.id),
        ("checkpoint", there.id),
    ):
        inside = ["unshare", *user, "--mount", "--pid", "--fork", "--", *runtime.argv(*arguments)]
        runtime(argv=inside).assert_refused("/proc", "pid namespace")
    assert there.status == "running" and not made.exists
