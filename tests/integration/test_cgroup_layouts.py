# SPDX-License-Identifier: Apache-2.0
"""Hosts with other cgroups than this one: v1 alone ("legacy"), v2 alone, hierarchies and controllers that aren't
there. Each is made of this host's own in a mount namespace of the test's, in which the command is called."""

import contextlib
import json
import os
import shutil
import subprocess

import pytest

from lib import system
from lib.runtime import Runtime, started_pids

HIERARCHIES = system.cgroup_hierarchies()
TOP = "/sys/fs/cgroup"

pytestmark = [
    pytest.mark.ours,  # crun and runc take other ways, and need other hierarchies
    pytest.mark.skipif(not shutil.which("nsenter"), reason="nsenter is not installed"),
    pytest.mark.skipif(
        not {"memory", "pids", "devices", "freezer", "name=systemd", ""} <= HIERARCHIES.keys(),
        reason="needs a hybrid host: v1 hierarchies of one controller each, and v2 beside them",
    ),
]

LEGACY = f"umount {HIERARCHIES.get('')}"
UNIFIED = f"umount -l -R {TOP} && mount -t cgroup2 cgroup2 {TOP}"


class OnAHost(Runtime):
    """The command in the mount namespace of another process."""

    holder = None

    def argv(self, *args):
        return ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt", "--", *super().argv(*args)]


@contextlib.contextmanager
def host(script):
    """A mount namespace in which a shell script has changed what is mounted: the pid of who holds it."""
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", f"{script}\necho ready; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:
        started_pids.add(holder.pid)
        assert holder.stdout.readline() == b"ready\n", script
        yield holder.pid
        holder.stdin.close()


@pytest.fixture
def runtime(workdir, token, request):
    made = OnAHost(request.config.command, request.config.is_ours, workdir, token)
    with contextlib.ExitStack() as stack:
        made.on = lambda script: setattr(made, "holder", stack.enter_context(host(script)))
        yield made
        if made.holder:
            made.clean()
        for container in made.containers:
            container.close()


@pytest.fixture
def on(runtime):
    """on("umount …") is this host without that."""
    return runtime.on


def without(controller):
    return f"umount {HIERARCHIES[controller]}"


def shown(made):
    """Where the container is, in the hierarchies that it is in, by what the host reads."""
    return {label: path for label, path in system.cgroup_paths(made.pid).items() if made.id in path}


# ---- v1 alone ----


def test_on_v1_alone_the_container_is_in_every_hierarchy_but_that_of_v2(container, on):
    on(LEGACY)
    made = container("sleep", "100").up()
    assert set(shown(made)) == set(HIERARCHIES) - {""}


def test_on_v1_alone_limits_are_set_and_enforced(container, on):
    on(LEGACY)
    made = container("sleep", "100")
    made.bundle.resources.update(memory={"limit": 64 << 20}, pids={"limit": 7}, cpu={"shares": 300})
    made.up()
    for controller, name, value in (
        ("memory", "memory.limit_in_bytes", str(64 << 20)), ("pids", "pids.max", "7"), ("cpu", "cpu.shares", "300"),
    ):
        assert system.cgroup_read(made.pid, controller, name) == value
    made = container("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
    made.bundle.resources["memory"] = {"limit": 16 << 20}
    assert made.run().returncode == 137


def test_on_v1_alone_device_rules_hold(container, on):
    on(LEGACY)
    made = container(shell="mknod /dev/mine c 1 3 && mknod /dev/memory c 1 1; (: >/dev/mine) && echo mine; (: <>/dev/memory) && echo memory")
    made.bundle.capabilities("CAP_MKNOD")
    result = made.run()
    assert result.stdout == "mine\n" and "Operation not permitted" in result.stderr, result


def test_on_v1_alone_every_verb_works(container, on):
    on(LEGACY)
    made = container("sleep", "100").up()
    runtime = made.runtime
    assert made.exec_ok("echo", "in") == "in\n"
    runtime.ok("pause", made.id)
    assert made.status == "paused"
    assert system.cgroup_read(made.pid, "freezer", "freezer.state") == "FROZEN"
    runtime.ok("resume", made.id)
    runtime.ok("update", "--pids-limit", "9", made.id)
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "9"
    assert str(made.pid) in runtime.ok("ps", made.id).stdout
    stats = json.loads(runtime.ok("events", "--stats", made.id).stdout)
    assert stats["data"]["pids"]["current"] == 1 and stats["data"]["memory"]["usage"]["usage"] > 0
    runtime.ok("kill", "--all", made.id, "KILL")
    made.wait()
    runtime.ok("delete", made.id)


def test_on_v1_alone_the_container_sees_its_own_cgroups(container, on):
    on(LEGACY)
    made = container(shell="ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids/pids.max")
    made.bundle.resources["pids"] = {"limit": 33}
    lines = made.run_ok().split()
    assert lines[-1] == "33"
    assert {"memory", "pids", "freezer", "systemd"} <= set(lines) and "unified" not in lines


def test_on_v1_alone_what_is_for_v2_is_refused(container, on):
    on(LEGACY)
    made = container("true")
    made.bundle.resources["unified"] = {"memory.max": "1000000"}
    made.run().assert_refused("linux.resources.unified", "cgroup v1")


# ---- v2 alone ----


def test_on_v2_alone_the_container_is_in_its_tree(container, on):
    on(UNIFIED)
    made = container("sleep", "100").up()
    assert set(shown(made)) == {""}
    assert made.exec_ok("cat", "/sys/fs/cgroup/cgroup.procs").split()[0] == "1"
    made.runtime.ok("pause", made.id)
    assert made.status == "paused"
    made.runtime.ok("resume", made.id)


def test_on_v2_alone_device_rules_hold(container, on):
    on(UNIFIED)
    made = container(shell="mknod /dev/mine c 1 3 && mknod /dev/memory c 1 1; (: >/dev/mine) && echo mine; (: <>/dev/memory) && echo memory")
    made.bundle.capabilities("CAP_MKNOD")
    result = made.run()
    assert result.stdout == "mine\n" and "Operation not permitted" in result.stderr, result


LIMITS = {
    "memory": ("memory.limit", {"memory": {"limit": 64 << 20}}),
    "pids": ("pids.limit", {"pids": {"limit": 10}}),
    "cpu": ("cpu.shares", {"cpu": {"shares": 512}}),
    "cpuset": ("cpu.cpus", {"cpu": {"cpus": "0"}}),
    "blkio": ("blockIO.weight", {"blockIO": {"weight": 100}}),
}


@pytest.mark.parametrize("controller", LIMITS)
def test_on_v2_alone_a_limit_on_a_controller_that_is_not_there_is_an_error(container, on, controller):
    """They are with v1 on this host, where nobody sees them."""
    on(UNIFIED)
    field, resources = LIMITS[controller]
    made = container("true")
    made.bundle.resources.update(resources)
    name = {"blkio": "io"}.get(controller, controller)
    made.run().assert_refused(f"linux.resources.{field}", f"no {name} cgroup controller")


# ---- controllers that are missing ----


@pytest.mark.parametrize("layout", ["legacy", "hybrid"])
@pytest.mark.parametrize("controller", LIMITS)
def test_a_limit_on_a_controller_that_is_not_there_is_an_error(container, on, controller, layout):
    on(f"{without(controller)} {f'&& {LEGACY}' if layout == 'legacy' else ''}")
    field, resources = LIMITS[controller]
    made = container("true")
    made.bundle.resources.update(resources)
    made.run().assert_refused(f"linux.resources.{field}", f"no {controller} cgroup controller")


@pytest.mark.parametrize("controller", LIMITS)
def test_without_a_limit_on_it_a_controller_is_not_missed(container, on, controller):
    on(without(controller))
    made = container("sleep", "100").up()
    assert controller not in shown(made) and "devices" in shown(made)
    assert made.exec_ok("echo", "in") == "in\n"
    made.runtime.ok("delete", "--force", made.id)


@pytest.mark.parametrize("controller", ["memory", "pids"])
def test_an_update_of_a_controller_that_is_not_there_is_an_error(container, on, controller):
    on(without(controller))
    made = container("sleep", "100").up()
    flag = {"memory": ("--memory", "100m"), "pids": ("--pids-limit", "10")}[controller]
    made.runtime("update", *flag, made.id).assert_refused(f"{controller}.limit", f"no {controller} cgroup controller")
    assert made.status == "running"


def test_without_the_devices_controller_there_is_no_container(container, on):
    """Every container has device rules."""
    on(f"{without('devices')} && {LEGACY}")
    made = container("true")
    made.run().assert_refused("linux.resources.devices", "no devices cgroup controller")


def test_without_the_freezer_a_pause_is_an_error(container, on):
    on(f"{without('freezer')} && {LEGACY}")
    made = container("sleep", "100").up()
    made.runtime("pause", made.id).assert_refused("freezer")
    assert made.status == "running"
    made.runtime.ok("kill", "--all", made.id, "KILL")
    made.wait()


def test_without_any_cgroups_there_is_no_container(container, on):
    on(f"umount -l -R {TOP}")
    container("true").run().assert_refused("no cgroup hierarchy is mounted")


# ---- mounted read-only ----


def read_only(controller):
    return f"mount -o remount,bind,ro {HIERARCHIES[controller]}"


@pytest.mark.parametrize("controller", ["memory", "devices", "name=systemd", ""])
def test_a_hierarchy_that_is_mounted_read_only_is_an_error(container, on, controller):
    on(read_only(controller))
    made = container("true")
    made.run().assert_refused("linux.cgroupsPath", controller or "unified", "read-only")
    assert not made.exists


def test_a_container_that_is_not_in_what_is_mounted_read_only_is_removed(container, on, runtime):
    """The root of a user namespace does without."""
    on(read_only("blkio"))
    made = container("sleep", "100")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["type"] != "devpts"]
    made.bundle.write()
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    run = Runtime.argv(runtime, "run", "--detach", "--bundle", made.bundle.path, made.id)
    result = runtime(argv=[*runtime.argv()[:3], *unshare, *run])
    assert result.returncode == 0, result
    runtime.ok("delete", "--force", made.id)
    assert not made.exists


# ---- a caller in cgroups of his own ----


@pytest.fixture
def memory_apart(token):
    """What enters a cgroup that is in the memory hierarchy alone, as a shell's words."""
    directory = f"{HIERARCHIES['memory']}/{token}-apart"
    os.mkdir(directory)
    yield ["sh", "-c", f'echo $$ > {directory}/cgroup.procs && exec "$@"', "sh"]
    os.rmdir(directory)


@pytest.mark.parametrize(
    "flags",
    [
        ("--pid", "--fork", "--mount-proc"),  # the first process is the caller
        ("--cgroup",),  # the first process is outside: "/.."
        ("--pid", "--fork", "--mount-proc", "--cgroup"),
    ],
    ids=" ".join,
)
def test_a_container_is_below_the_root_wherever_the_first_process_is(memory_apart, container, on, flags):
    """LXC would begin at that one's cgroups."""
    on("true")
    made = container("cat", "/proc/1/cgroup")
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.bundle.write()
    run = Runtime.argv(made.runtime, "run", "--bundle", made.bundle.path, made.id)
    result = made.runtime(argv=[*memory_apart, "unshare", "--mount", *flags, "--", *run])
    assert result.returncode == 0, result
    paths = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in result.stdout.splitlines()}
    assert paths.keys() == HIERARCHIES.keys()
    above = {"memory": "/.."} if "--cgroup" in flags else {}
    assert paths == {label: f"{above.get(label, '')}/lxc.payload.{made.id}" for label in paths}


# ---- mounted elsewhere ----


@pytest.mark.parametrize("shows", [True, False], ids=["shown", "not-shown"])
def test_a_hierarchy_where_lxc_does_not_look_is_an_error(container, on, workdir, shows):
    """It would not be in it, and all that runlxc knows of a container's processes is from there."""
    place = f"{workdir}/pids"
    os.mkdir(place)
    on(f"{without('pids')} && mount -t cgroup -o pids pids {place}")
    made = container("true")
    if not shows:
        made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["type"] != "cgroup"]
    made.run().assert_refused("cgroup", place)
    assert not made.exists


def test_where_lxc_looks_goes_before_the_rest(container, on, memory_apart, workdir, runtime):
    """In a cgroup namespace the root can be what is mounted elsewhere; the usual mount shows more."""
    place = f"{workdir}/memory"
    os.mkdir(place)
    on("true")
    made = container("cat", "/proc/self/cgroup")
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.bundle.write()
    mounts = f'mount -t cgroup -o memory memory {place} && exec "$@"'
    run = Runtime.argv(runtime, "run", "--bundle", made.bundle.path, made.id)
    result = runtime(argv=[*memory_apart, "unshare", "--mount", "--cgroup", "--", "sh", "-c", mounts, "sh", *run])
    assert result.returncode == 0, result
    assert f"memory:/../lxc.payload.{made.id}\n" in result.stdout


# ---- named hierarchies ----


def test_without_the_hierarchy_of_systemd_the_container_is_in_the_others(container, on):
    on(without("name=systemd"))
    made = container("sleep", "100").up()
    assert set(shown(made)) == set(HIERARCHIES) - {"name=systemd"}


@pytest.fixture
def named(token, shared_machine):
    """The name of a hierarchy of the test's own. Asked for before the container: it is to end after that."""
    if shared_machine:
        pytest.skip("a hierarchy more shows in /proc/PID/cgroup of everybody on this machine")
    os.mkdir(f"{TOP}/{token}")
    yield token
    # Unmounted while it still has the remains of a cgroup, a hierarchy stays until that is done again.
    again = f"mount -t cgroup -o none,name={token} {token} {TOP}/{token} && umount {TOP}/{token}"

    def gone():
        if f"name={token}" not in system.cgroup_paths("self"):
            return True
        # While the kernel is at removing it, it can't be mounted (EBUSY). Once it has, that would make a new one.
        unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", again]
        subprocess.run(unshare, stderr=subprocess.DEVNULL, timeout=20, check=False)
        return False

    system.wait_until(gone, "the hierarchy is gone")
    os.rmdir(f"{TOP}/{token}")


def test_a_named_hierarchy_has_the_container_too(named, container, on):
    on(f"mount -t cgroup -o none,name={named} {named} {TOP}/{named}")
    made = container("sleep", "100").up()
    assert set(shown(made)) == set(HIERARCHIES) | {f"name={named}"}
    assert named in made.exec_ok("ls", "/sys/fs/cgroup").split()
    made.runtime.ok("pause", made.id)
    made.runtime.ok("resume", made.id)
    made.runtime.ok("delete", "--force", made.id)
