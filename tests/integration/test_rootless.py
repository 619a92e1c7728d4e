# SPDX-License-Identifier: Apache-2.0
"""Containers of a user other than root. Their command runs as `nobody`."""

import json
import os
import shutil
import subprocess

import pytest

from lib import system
from lib.hooks import KINDS, Hooked
from lib.rootless import (
    FIRST_SUBORDINATE,
    GID,
    SUBORDINATES,
    UID,
    RootlessRuntime,
    give,
    make_rootless,
    subordinate_ids,
)
from lib.terminal import UserTerminal

pytestmark = pytest.mark.ours  # runc and crun have state roots and words of their own

NO_CGROUP = "No cgroup is delegated to user 65534"


@pytest.fixture
def runtime_class():
    return RootlessRuntime


@pytest.fixture
def adapt_bundle():
    return make_rootless


@pytest.fixture
def ranges(container):
    """A container with ids that newuidmap(1) and newgidmap(1) may give."""
    if not shutil.which("newuidmap"):
        pytest.skip("newuidmap is not installed")
    with subordinate_ids() as first:

        def make(*args, first=first, shell=None):
            made = container(*args, shell=shell)
            for field in ("uidMappings", "gidMappings"):
                made.bundle.linux[field] = [{"containerID": 0, "hostID": first, "size": SUBORDINATES}]
            give(made.bundle, first)
            return made

        yield make


def owner(path):
    info = os.lstat(path)
    return info.st_uid, info.st_gid


# ---- the verbs ----


def test_the_document_of_spec_rootless_runs_as_it_is(runtime, bundle):
    made = bundle()
    runtime.ok("spec", "--rootless", "--bundle", made.path)
    with UserTerminal() as terminal:
        terminal.run(runtime.argv("run", "--bundle", made.path, runtime.new_id()), runtime.environment)
        terminal.type("echo $((6 * 7)) $(id -u) $(tty)\n")
        terminal.screen_until("42 0 /dev/pts/0")
        terminal.type("exit 3\n")
        assert terminal.wait() == 3


def test_a_containers_life(runtime, container):
    made = container("sleep", "1000").create()
    assert made.state()["status"] == "created"
    made.start()
    state = made.state()
    assert (state["status"], state["owner"]) == ("running", "nobody")
    assert state["pid"] == made.pid
    assert [(one["id"], one["status"]) for one in runtime.list()] == [(made.id, "running")]
    assert made.exec_ok("echo", "inside") == "inside\n"
    made.kill("TERM")
    assert made.status == "running"  # PID 1 has no handler for it
    made.stop()
    assert made.status == "stopped"
    made.delete()
    assert runtime.list() == []


def test_the_state_root_is_below_the_users_runtime_directory(runtime, container):
    made = container("sleep", "1000").up()
    assert owner(f"{runtime.environment['XDG_RUNTIME_DIR']}/runlxc/{made.id}") == (UID, GID)
    assert os.stat(runtime.root).st_mode & 0o777 == 0o700


def test_run_passes_the_exit_status_on_and_deletes(runtime, container):
    made = container(shell="exit 7")
    assert made.run().returncode == 7
    assert runtime.list() == []


def test_exec_is_in_the_containers_namespaces(container):
    made = container("sleep", "1000").up()
    out = made.exec_ok("sh", "-c", "id -u; hostname; cat /proc/self/uid_map; tr '\\0' ' ' < /proc/1/cmdline")
    assert out.split() == ["0", "box", "0", str(UID), "1", "sleep", "1000"]
    assert system.namespace(made.pid, "user") != system.namespace("self", "user")


def test_ps_lists_the_containers_processes_and_no_others(runtime, container):
    made, other = container(shell="sleep 1001 & sleep 1002; true").up(), container("sleep", "1003").up()
    system.wait_until(lambda: len(json.loads(runtime.ok("ps", "-f", "json", made.id).stdout)) == 3, "three processes")
    pids = json.loads(runtime.ok("ps", "-f", "json", made.id).stdout)
    assert made.pid in pids and other.pid not in pids
    table = runtime.ok("ps", made.id).stdout
    assert "sleep 1001" in table and "sleep 1002" in table and "sleep 1003" not in table


def test_kill_all(container):
    made = container(shell="trap 'echo got; exit 5' USR1; sleep 1000 & wait").up()
    system.wait_until(lambda: len(system.children_of(made.pid)) == 1, "the child")
    made.kill("USR1", "--all")
    made.wait()
    made.wait_output("got")


def test_deleting_by_force_kills(container):
    made = container("sleep", "1000").up()
    pid = made.pid
    made.delete("--force")
    assert not system.process_alive(pid)


def test_nothing_but_the_container_stays(container):
    before = processes_of(UID)
    made = container("sleep", "1000").up()
    assert processes_of(UID) - before == {made.pid}


def processes_of(uid):
    return {pid for pid in system.pids() if system.process_alive(pid) and os.stat(f"/proc/{pid}").st_uid == uid}


def test_a_kept_monitor(container):
    made = container(shell="exit 9")
    made.bundle.write()
    made.runtime.ok("run", "--detach", "--lxc-monitor", "--bundle", made.bundle.path, made.id)
    assert made.runtime.ok("wait", made.id).stdout.split()[0] == "9"
    made.delete()


def test_run_without_a_bundle(runtime, bundle):
    made = bundle()
    result = runtime.ok("run", "--rootfs", made.rootfs, runtime.new_id(), "--", "id", "-u")
    assert result.stdout == "0\n"


def test_hooks(container, workdir):
    made = container("true")
    directory = f"{workdir}/hooks"
    os.mkdir(directory)
    os.chown(directory, UID, GID)
    hooked = Hooked(made, directory).add_all('id -u > "$OUT/KIND"')
    made.run_ok()
    outside = {kind: str(UID) for kind in KINDS if kind not in ("createContainer", "startContainer")}
    written = {kind: hooked.written(kind).strip() for kind in KINDS}
    assert written == {**outside, "createContainer": "0", "startContainer": "0"}


# ---- ids ----


def test_the_users_own_id_is_root_inside_and_the_user_outside(container):
    made = container(shell="id -u; id -g; touch /tmp/made; stat -c %u:%g /tmp/made; cat /proc/self/setgroups")
    made.bundle.writable()
    assert made.run_ok().split() == ["0", "0", "0:0", "deny"]
    assert owner(f"{made.bundle.rootfs}/tmp/made") == (UID, GID)


def test_one_id_needs_no_help(runtime, container):
    """Not that of newuidmap(1), which is not installed everywhere."""
    runtime.wrapper = ["env", "PATH=/nowhere"]
    made = container("cat", "/proc/self/uid_map")
    assert made.run_ok().split() == ["0", str(UID), "1"]


def test_subordinate_ids(ranges):
    made = ranges(shell="cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; id -G; touch /tmp/made")
    made.bundle.writable()
    made.bundle.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [7]}
    line = ["0", str(FIRST_SUBORDINATE), str(SUBORDINATES)]
    assert made.run_ok().split() == [*line, *line, "1000", "1001", "1001", "7"]
    assert owner(f"{made.bundle.rootfs}/tmp/made") == (FIRST_SUBORDINATE + 1000, FIRST_SUBORDINATE + 1001)


def test_the_users_own_id_and_subordinate_ids(ranges):
    made = ranges(shell="touch /tmp/root; chown 5:6 /tmp/root; touch /tmp/mine")
    for field in ("uidMappings", "gidMappings"):
        made.bundle.linux[field] = [
            {"containerID": 0, "hostID": UID, "size": 1},
            {"containerID": 1, "hostID": FIRST_SUBORDINATE, "size": 1000},
        ]
    give(made.bundle.writable())
    made.bundle.capabilities("CAP_CHOWN")
    made.run_ok()
    assert owner(f"{made.bundle.rootfs}/tmp/root") == (FIRST_SUBORDINATE + 4, FIRST_SUBORDINATE + 5)
    assert owner(f"{made.bundle.rootfs}/tmp/mine") == (UID, GID)


def test_the_life_of_a_container_with_subordinate_ids(ranges):
    made = ranges("sleep", "1000").up()
    assert made.exec_ok("id", "-u", flags=["--user", "5:5"]) == "5\n"
    assert system.process_status(made.pid)["Uid"].split()[0] == str(FIRST_SUBORDINATE)
    assert made.pid in json.loads(made.runtime.ok("ps", "-f", "json", made.id).stdout)
    made.stop()
    made.delete()


def test_what_is_made_for_a_mount_belongs_to_the_containers_root(ranges):
    made = ranges("ls", "/made")
    made.bundle.mount("/made", "/etc", "rbind", "ro")
    assert "passwd" in made.run_ok().split()
    assert owner(f"{made.bundle.rootfs}/made") == (FIRST_SUBORDINATE, FIRST_SUBORDINATE)


def test_outside_settings_of_a_process_with_subordinate_ids(ranges):
    made = ranges(shell="cat /proc/self/oom_score_adj; ulimit -n")
    made.bundle.process.update(oomScoreAdj=300, rlimits=[{"type": "RLIMIT_NOFILE", "hard": 500, "soft": 400}])
    assert made.run_ok().split() == ["300", "400"]


def test_a_network_namespace_and_its_sysctls(container):
    made = container(shell="ip -o link | wc -l; cat /proc/sys/net/ipv4/ip_forward; ls /sys/class/net")
    made.bundle.with_namespace("network")
    made.bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    made.bundle.config["mounts"][5] = {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]}
    assert made.run_ok().split() == ["1", "1", "lo"]


def test_a_users_user_namespace_is_joined_by_its_path(container):
    first = container("sleep", "1000").up()
    second = container("sleep", "1000")
    second.bundle.with_namespace("user", f"/proc/{first.pid}/ns/user")
    del second.bundle.linux["uidMappings"], second.bundle.linux["gidMappings"]
    second.up()
    assert system.namespace(second.pid, "user") == system.namespace(first.pid, "user")


def test_root_of_a_users_user_namespace(runtime, container):
    """As Podman calls a runtime."""
    runtime.wrapper = ["unshare", "--user", "--map-root-user", "--mount"]
    made = container(shell="id -u; echo x > /dev/null; stat -c %t:%T /dev/null; cat /proc/self/uid_map")
    made.bundle.without_namespace("user")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    assert made.run_ok().split() == ["0", "1:3", "0", str(UID), "1"]


@pytest.mark.parametrize("flags", [[], ["--net"]], ids=["of-the-host", "of-its-own"])
def test_root_of_a_users_user_namespace_has_a_network_namespace(runtime, container, flags):
    """Back into the host's it has no way, once it has left it."""
    runtime.wrapper = ["unshare", "--user", "--map-root-user", "--mount", *flags]
    made = container(shell="ip -o link; readlink /proc/self/ns/net")
    made.bundle.without_namespace("user").with_namespace("network")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    loopback, inside = made.run_ok().splitlines()
    assert "LOOPBACK,UP" in loopback and inside != os.readlink("/proc/self/ns/net")


def test_a_namespace_that_is_not_the_users_to_join_is_named(runtime, container):
    """A user namespace's root has no rights over the host's network."""
    runtime.wrapper = ["unshare", "--user", "--map-root-user", "--mount"]
    made = container("true")
    made.bundle.without_namespace("user").with_namespace("network", "/proc/self/ns/net")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    made.run().assert_refused("linux.namespaces[", '].path: "/proc/self/ns/net"', "not permitted")
    assert not made.exists


# A thread's maker is held up, so that the thread is the first with what it has to say.
HELD_UP = ["strace", "-f", "-o", "/dev/null", "-e", "trace=clone,clone3", "-e", "inject=clone,clone3:delay_exit=100000"]
NO_STRACE = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


@pytest.mark.parametrize(
    "tracer", [pytest.param([], id="alone"), pytest.param(HELD_UP, id="thread-first", marks=NO_STRACE)]
)
def test_where_no_network_namespace_can_be_made(runtime, container, tracer):
    """A limit of the user namespace, so that nobody else's is touched."""
    limit = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    limited = ["sh", "-c", limit, "sh", *tracer]
    runtime.wrapper = ["unshare", "--user", "--map-root-user", "--mount", "--net", *limited]
    made = container("true")
    made.bundle.without_namespace("user").with_namespace("network")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    made.run().assert_refused("linux.namespaces: Failed to make a network namespace", "no space left on device")


# ---- /dev, and what is the host's ----


def test_devices_are_the_hosts_and_stay_so(container):
    before = {name: (owner(f"/dev/{name}"), os.stat(f"/dev/{name}").st_mode) for name in ("null", "zero", "tty")}
    made = container(shell="echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c %t:%T /dev/null; ls /dev/pts")
    assert made.run_ok().split()[:2] == ["3", "1:3"]
    assert before == {name: (owner(f"/dev/{name}"), os.stat(f"/dev/{name}").st_mode) for name in before}


def test_what_root_alone_may_read_stays_so(container, workdir):
    secret = f"{workdir}/secret"
    os.mkdir(secret, 0o700)
    made = container("ls", "/mnt")
    made.bundle.mount("/mnt", secret, "bind")
    result = made.run()
    assert result.returncode == 1 and "Permission denied" in result.stderr


def test_flags_of_the_hosts_mounts_hold(container, workdir):
    shared = f"{workdir}/shared"
    os.mkdir(shared)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,nosuid", "tmpfs", shared], check=True)
    made = container(shell="touch /mnt/x")
    made.bundle.mount("/mnt", shared, "rbind", "rw", "suid")
    result = made.run()
    assert result.returncode != 0


# ---- cgroups ----


def test_without_a_cgroup_there_is_a_warning(container):
    made = container(shell="cat /proc/self/cgroup")
    made.run_ok()
    assert NO_CGROUP in made.result.stderr
    assert "lxc." not in made.result.stdout


def test_without_a_cgroup_the_others_are_shown(container):
    made = container(shell="ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/x")
    assert made.run().returncode == 1
    assert made.result.stdout.split()


def test_a_limit_that_can_not_be_set_is_an_error(container):
    made = container("true")
    made.bundle.linux["resources"] = {"pids": {"limit": 50}}
    made.run().assert_refused("linux.resources", "pids.max", "delegated")


def test_a_cgroups_path_that_can_not_be_made_is_an_error(container, token):
    made = container("true")
    made.bundle.cgroup(f"/{token}-path")
    made.run().assert_refused("linux.cgroupsPath", "delegated")


@pytest.mark.parametrize(("flag", "status"), [("auto", 0), ("true", 0), ("false", 1)])
def test_the_flag_says_whether_to_go_on(runtime, container, flag, status):
    runtime.global_flags = ["--rootless", flag]
    assert container("true").run().returncode == status


@pytest.mark.parametrize("verb", ["pause", "events --stats", "stats --no-stream", "update --pids-limit 9"])
def test_what_needs_a_cgroup_says_so(runtime, container, verb):
    made = container("sleep", "1000").up()
    runtime(*verb.split(), made.id).assert_refused("has no cgroup")
    assert made.status == "running"


# ---- refused ----


def test_it_takes_a_user_namespace(container):
    made = container("true")
    made.bundle.without_namespace("user")
    del made.bundle.linux["uidMappings"], made.bundle.linux["gidMappings"]
    made.run().assert_refused("linux.namespaces", "rootless container requires user namespaces")


def test_ids_that_nobody_gave_the_user(container):
    made = container("true")
    made.bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1000}]
    made.run().assert_refused("linux.uidMappings", "newuidmap", "/etc/subuid")
    made.bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": UID, "size": 1}]
    made.bundle.linux["gidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1000}]
    made.run().assert_refused("linux.gidMappings", "newgidmap", "/etc/subgid")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"uid": 7, "gid": 0}, ("process.user.uid", "linux.uidMappings")),
        ({"uid": 0, "gid": 7}, ("process.user.gid", "linux.gidMappings")),
        ({"uid": 0, "gid": 0, "additionalGids": [0]}, ("process.user.additionalGids", "rootless")),
    ],
)
def test_a_user_that_the_mappings_do_not_have(container, user, words):
    made = container("true")
    made.bundle.process["user"] = user
    made.run().assert_refused(*words)


def test_mount_options_with_ids_that_the_mappings_do_not_have(container):
    made = container("true")
    made.bundle.config["mounts"][2]["options"].append("gid=5")
    made.run().assert_refused("mounts[2].options", "gid=5")


def test_a_sysfs_of_the_hosts_network(container):
    made = container("true")
    made.bundle.config["mounts"][5].update(type="sysfs", source="sysfs", options=[])
    made.run().assert_refused("mounts[5]", "sysfs", "network namespace")


def test_mapped_mounts(container, workdir):
    made = container("true")
    made.bundle.mount("/mnt", workdir, "bind", "idmap")
    made.run().assert_refused("mounts[7]", "rootless")


def test_a_root_that_the_containers_root_can_not_reach(ranges):
    made = ranges("true")
    os.chmod(made.bundle.path, 0o700)
    made.run().assert_refused(made.bundle.rootfs, "permission denied")


@pytest.mark.parametrize(
    "change",
    [
        {"oomScoreAdj": -500},
        {"rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1 << 30, "soft": 1024}]},
    ],
)
def test_what_takes_root(container, change):
    made = container("true")
    made.bundle.process.update(change)
    result = made.run()
    result.assert_refused(f"process.{next(iter(change))}")
    assert not made.exists
