# SPDX-License-Identifier: Apache-2.0
"""The Command of Docker's old execution driver: what its container is like, field by field.

The rows D15 … D26 are those of the old driver's behaviours.
"""

import os
import subprocess

import pytest

from lib import system
from lib.system import mount_at, parse_mounts
from lib.terminal import UserTerminal

pytestmark = pytest.mark.ours

V1 = system.on_cgroup_v1()


@pytest.fixture
def source(workdir):
    """A directory of the host with a file in it."""
    os.mkdir(f"{workdir}/source")
    with open(f"{workdir}/source/file", "w", encoding="utf-8") as file:
        file.write("from the host\n")
    return f"{workdir}/source"


def mounts_in(made):
    return parse_mounts(made.args("cat", "/proc/self/mountinfo").run_ok())


# ---- D15, D16: privileged and not ----

# One that anybody may open, and that is not among the usual ones.
NODE = {"type": "c", "path": "/dev/made", "major": 10, "minor": 237, "file_mode": 0o666}
OPEN = "mknod /tmp/node c 10 237 && : < /tmp/node && echo opened"
needs_device = pytest.mark.skipif(not os.path.exists("/dev/loop-control"), reason="there is no /dev/loop-control")


@pytest.fixture
def privileged(command):
    def make(*args, **kwargs):
        made = command(*args, **kwargs)
        made.process["privileged"] = True
        return made

    return make


@needs_device
def test_D15_a_privileged_one_may_use_every_device(privileged):
    assert privileged(shell=OPEN).run_ok() == "opened\n"


def test_D15_no_node_of_the_hosts_is_made_for_it(privileged):
    """/dev has what every container's has, as in the old driver: it makes the others itself."""
    assert "loop-control" not in privileged("ls", "/dev").run_ok().split()


def test_D15_a_privileged_one_has_every_capability(privileged):
    status = privileged("grep", "^Cap", "/proc/self/status").run_ok()
    found = dict(line.split(":\t") for line in status.splitlines())
    own = system.process_status("self")
    assert found["CapEff"] == found["CapPrm"] == found["CapBnd"] == own["CapBnd"]


def test_D15_a_privileged_one_sees_and_may_write_all_of_proc_and_sys(privileged):
    mounts = mounts_in(privileged())
    for target in ("/proc", "/sys", "/sys/fs/cgroup"):
        assert "rw" in mount_at(mounts, target).options
    assert not [mount for mount in mounts if mount.target.startswith("/proc/")]
    assert privileged(shell="test -w /proc/sys/vm/swappiness && echo writable").run_ok() == "writable\n"


def test_D15_a_privileged_one_is_not_confined(privileged):
    assert privileged("echo", "runs", apparmor_profile="docker-default").run_ok() == "runs\n"


@needs_device
def test_D16_another_one_may_not_use_a_device(command):
    result = command(shell=OPEN).run()
    assert result.stdout == "" and "Operation not permitted" in result.stderr


@needs_device
def test_D16_but_those_that_it_is_allowed(command):
    device = {"type": 99, "major": 10, "minor": 237, "permissions": "rwm"}
    assert command(shell=OPEN, allowed_devices=[device]).run_ok() == "opened\n"
    device = {"type": "c", "major": 10, "minor": -1}
    assert command(shell=OPEN, allowed_devices=[device]).run_ok() == "opened\n"
    assert command(shell=OPEN, allowed_devices=[{"type": "a", "major": -1, "minor": -1}]).run_ok() == "opened\n"
    result = command(shell=OPEN, allowed_devices=[{**device, "permissions": "m"}]).run()
    assert result.stdout == "" and "Operation not permitted" in result.stderr


def test_D16_the_usual_devices_are_for_everyone(command):
    script = "echo x > /dev/null && head -c 3 /dev/zero | wc -c && head -c 2 /dev/urandom | wc -c"
    assert command(shell=f"{script}; head -c 0 /dev/ptmx").run_ok().split() == ["3", "2"]


def test_D16_proc_and_sys_are_read_only_and_secrets_are_hidden(command):
    mounts = mounts_in(command())
    for target in ("/proc/sys", "/sys", "/sys/fs/cgroup"):
        assert "ro" in mount_at(mounts, target).options
    made = command(shell="echo 1 > /proc/sys/vm/swappiness; echo 1 > /sys/kernel/uevent_seqnum; ls /sys/firmware")
    result = made.run()
    assert result.stdout == "" and result.stderr.count("Read-only file system") == 2


# ---- D17: capabilities ----

DOCKER = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
    "KILL AUDIT_WRITE"
)
NUMBERS = {
    **{"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8},
    **{"NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13, "SYS_CHROOT": 18, "MKNOD": 27, "AUDIT_WRITE": 29},
    **{"SETFCAP": 31},
}


def mask(names):
    return sum(1 << NUMBERS[name] for name in names.split())


@pytest.mark.parametrize(
    ("add", "drop", "expected"),
    [
        ([], [], DOCKER),
        (["net_admin"], [], DOCKER + " NET_ADMIN"),
        (["CAP_NET_ADMIN"], ["mknod", "Cap_Net_Raw"], DOCKER.replace("MKNOD NET_RAW", "NET_ADMIN")),
        (["KILL"], ["all"], "KILL"),
        ([], ["ALL"], ""),
        (["KILL"], ["KILL"], DOCKER),
    ],
)
def test_D17_capabilities(command, add, drop, expected):
    made = command("grep", "^Cap", "/proc/self/status", cap_add=add, cap_drop=drop)
    found = {k: int(v, 16) for k, v in (line.split(":\t") for line in made.run_ok().splitlines())}
    assert found["CapBnd"] == found["CapEff"] == found["CapPrm"] == mask(expected)
    assert found["CapInh"] == found["CapAmb"] == 0


def test_D17_all_of_them(command):
    made = command("grep", "^CapEff", "/proc/self/status", cap_add=["all"], cap_drop=["KILL"])
    own = int(system.process_status("self")["CapBnd"], 16)
    assert int(made.run_ok().split()[1], 16) == own & ~mask("KILL")


def test_D17_a_user_other_than_root_has_none_at_hand(command):
    made = command("grep", "^Cap", "/proc/self/status")
    made.process["user"] = "user"
    found = {k: int(v, 16) for k, v in (line.split(":\t") for line in made.run_ok().splitlines())}
    assert (found["CapEff"], found["CapBnd"]) == (0, mask(DOCKER))


def test_D17_an_unknown_one_is_named(command):
    command(cap_drop=["CAP_FLY"]).refused('cap_drop[0]: "CAP_FLY" is not a capability')


# ---- D18: devices made ----


@needs_device
def test_D18_nodes_are_made_and_may_be_used(command):
    node = {"type": "b", "path": "/dev/deep/er", "major": 7, "minor": 3, "file_mode": 0o060640, "uid": 7, "gid": 8}
    made = command(shell="stat -c '%F %t:%T %a %u:%g' /dev/made /dev/deep/er; : < /dev/made && echo opened")
    made.set(autocreated_devices=[NODE, node])
    assert made.run_ok().splitlines() == [
        "character special file a:ed 666 0:0",
        "block special file 7:3 640 7:8",
        "opened",
    ]


def test_D18_one_that_is_there_is_kept(command):
    made = command("stat", "-c", "%t:%T %a", "/srv/node")
    os.mkdir(f"{made.rootfs}/srv")
    os.mknod(f"{made.rootfs}/srv/node", 0o020600, os.makedev(10, 237))
    made.set(autocreated_devices=[{**NODE, "path": "/srv/node"}])
    assert made.run_ok() == "a:ed 600\n"


@pytest.mark.parametrize("kind", ["p", "a", "u", 0, 300])
def test_D18_another_type_is_an_error(command, kind):
    command(autocreated_devices=[{**NODE, "type": kind}]).refused("autocreated_devices[0].type:")


def test_D18_a_symlink_in_the_root_does_not_lead_out(command, workdir):
    os.mkdir(f"{workdir}/outside")
    made = command("stat", "-c", "%t:%T", f"{workdir}/outside/node")
    os.symlink(f"{workdir}/outside", f"{made.rootfs}/link")
    made.set(autocreated_devices=[{**NODE, "path": "/link/node"}])
    assert made.run_ok() == "a:ed\n"
    assert os.listdir(f"{workdir}/outside") == []


# ---- D19: mounts ----


def test_D19_a_mount_is_read_only_unless_it_is_writable(command, source):
    made = command(shell="cat /mnt/file; echo x > /mnt/new").mount(source, "/mnt")
    result = made.run()
    assert result.stdout == "from the host\n" and "Read-only file system" in result.stderr
    made = command(shell="echo x > /mnt/new").mount(source, "/mnt", writable=True)
    made.run_ok()
    assert os.path.exists(f"{source}/new")


@pytest.mark.parametrize("writable", [False, True])
def test_D19_what_lies_below_comes_along_and_is_as_read_only(command, source, writable):
    os.mkdir(f"{source}/below")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{source}/below"], check=True)
    try:
        made = command(shell="echo x > /mnt/below/new && cat /mnt/below/new").mount(source, "/mnt", writable=writable)
        result = made.run()
        assert (result.stdout == "x\n") == writable
        assert ("Read-only file system" in result.stderr) == (not writable)
    finally:
        subprocess.run(["umount", f"{source}/below"], check=True)


def test_D19_a_file_and_targets_that_are_missing(command, source):
    made = command("cat", "/new/place/of/file", "/new/dir/file")
    made.mount(f"{source}/file", "/new/place/of/file").mount(source, "/new/dir")
    assert made.run_ok() == "from the host\n" * 2


@pytest.mark.parametrize("name", ["a b", "a\tb", "a\nb", "a\\b", "a#b", "#", "a=b", "é", "'\"", "a\\040b"])
def test_D19_any_byte_that_a_path_may_hold(command, workdir, name):
    os.mkdir(f"{workdir}/{name}")
    with open(f"{workdir}/{name}/file", "w", encoding="utf-8") as file:
        file.write("found\n")
    made = command("cat", f"/mnt/{name}/file").mount(f"{workdir}/{name}", f"/mnt/{name}")
    assert made.run_ok() == "found\n"
    assert os.listdir(f"{made.rootfs}/mnt") == [name]


@pytest.mark.parametrize(("field", "sign"), [("private", ""), ("slave", "master:"), (None, "")])
def test_D19_propagation(command, source, field, sign):
    subprocess.run(["mount", "--bind", source, source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        made = command().mount(source, "/mnt", **({field: True} if field else {}))
        propagation = " ".join(mount_at(mounts_in(made), "/mnt").propagation)
        assert sign in propagation if sign else propagation == "", propagation
    finally:
        subprocess.run(["umount", source], check=True)


def test_D19_the_order_is_the_documents(command, source):
    made = command("cat", "/a/file").mount("/usr", "/a").mount(source, "/a")
    assert made.run_ok() == "from the host\n"


def test_D19_a_usual_mount_may_be_replaced(command, source):
    assert command("cat", "/dev/shm/file").mount(source, "/dev/shm").run_ok() == "from the host\n"


# ---- D20: /dev ----


def test_D20_terminals_and_shared_memory_of_its_own(command):
    mounts = mounts_in(command())
    pts = mount_at(mounts, "/dev/pts")
    assert pts.type == "devpts" and "ptmxmode=666" in pts.super_options
    assert "size=65536k" in mount_at(mounts, "/dev/shm").super_options
    assert mount_at(mounts, "/dev/mqueue").type == "mqueue"
    assert command("ls", "/dev/pts").run_ok() == "ptmx\n"


def test_D20_with_the_hosts_ipc_there_are_no_message_queues_of_its_own(command):
    mounts = mounts_in(command(ipc={"host_ipc": True}))
    assert not [mount for mount in mounts if mount.type == "mqueue"]


def test_D20_a_terminal(command):
    made = command(shell="tty; test -c /dev/console && echo console")
    made.process["tty"] = True
    with UserTerminal() as terminal:
        terminal.run(made.runtime.argv("run", "--command", made.write().file), made.runtime.environment)
        assert terminal.wait() == 0
        assert terminal.screen.split() == ["/dev/pts/0", "console"]


def test_D20_no_terminal_unless_it_is_asked_for(command):
    assert command(shell="test -t 0 || test -t 1 || echo none").run_ok() == "none\n"


# ---- D21: resources ----


def limits(made, controller, *names):
    return [system.cgroup_read(made.pid, controller, name) for name in names]


MEMORY = 64 << 20


@pytest.mark.parametrize(
    ("asked", "v1", "v2"),
    [
        ({}, [MEMORY, 2 * MEMORY, MEMORY], [MEMORY, MEMORY, 0]),
        ({"memory_swap": 3 * MEMORY}, [MEMORY, 3 * MEMORY, MEMORY], [MEMORY, 2 * MEMORY, 0]),
        ({"memory_reservation": MEMORY // 2}, [MEMORY, 2 * MEMORY, MEMORY // 2], [MEMORY, MEMORY, MEMORY // 2]),
    ],
)
def test_D21_memory_swap_and_the_soft_limit(command, asked, v1, v2):
    """On v1 the soft limit is the memory where it isn't given; on v2 nothing is like that."""
    made = command("sleep", "100", resources={"memory": MEMORY, **asked}).up()
    if V1:
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes")
    else:
        names = ("memory.max", "memory.swap.max", "memory.low")
    assert [int(text) for text in limits(made, "memory", *names)] == (v1 if V1 else v2)


def test_D21_swap_without_a_limit(command):
    made = command("sleep", "100", resources={"memory": MEMORY, "memory_swap": -1}).up()
    (text,) = limits(made, "memory", "memory.memsw.limit_in_bytes" if V1 else "memory.swap.max")
    assert text == "max" or int(text) > 1 << 60


def test_D21_the_memory_limit_holds(command):
    script = "x=x; while true; do x=$x$x; done"
    assert command(shell=script, resources={"memory": 16 << 20}).run().returncode == 137


def test_D21_cpu(command):
    asked = {"cpu_shares": 512, "cpu_period": 200000, "cpu_quota": 50000, "cpuset_cpus": "0", "cpuset_mems": "0"}
    made = command("sleep", "100", resources=asked).up()
    if V1:
        assert limits(made, "cpu", "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us") == ["512", "200000", "50000"]
    else:
        assert limits(made, "cpu", "cpu.weight", "cpu.max") == ["20", "50000 200000"]
    assert limits(made, "cpuset", "cpuset.cpus", "cpuset.mems") == ["0", "0"]


def test_D21_the_weight_of_block_devices(command):
    """A kernel without an I/O scheduler that has weights says so."""
    made = command("sleep", "100", resources={"blkio_weight": 300})
    files = [name for name in ("blkio.weight", "blkio.bfq.weight", "io.weight", "io.bfq.weight") if has_file(name)]
    if files:
        # v2's io.weight is from 1 to 10000.
        weight = str(1 + (300 - 10) * 9999 // 990) if files[0] == "io.weight" else "300"
        assert weight in limits(made.up(), "blkio" if V1 else "io", files[0])[0].split()
    else:
        made.refused("blockIO.weight: this kernel has no")


def has_file(name):
    """Whether a cgroup of block I/O has such a file; the root of the hierarchy, and a machine without any
    other, have none."""
    mount = next(
        mount for label, mount in system.cgroup_hierarchies().items() if "blkio" in label.split(",") or not V1
    )
    probe = f"{mount}/runlxc-probe-{os.getpid()}"
    os.mkdir(probe)
    try:
        return name in os.listdir(probe)
    finally:
        os.rmdir(probe)


@pytest.mark.skipif(not V1, reason="v2 has nothing like it")
def test_D21_swappiness_and_the_oom_killer(command):
    made = command("sleep", "100", resources={"memory_swappiness": 30, "oom_kill_disable": True}).up()
    assert limits(made, "memory", "memory.swappiness") == ["30"]
    assert "oom_kill_disable 1" in limits(made, "memory", "memory.oom_control")[0]


def test_D21_zeros_ask_for_nothing(command):
    names = "memory memory_swap memory_reservation cpu_shares cpu_period cpu_quota blkio_weight".split()
    made = command("sleep", "100", resources={**dict.fromkeys(names, 0), "memory_swappiness": -1}).up()
    (text,) = limits(made, "memory", "memory.limit_in_bytes" if V1 else "memory.max")
    assert text == "max" or int(text) > 1 << 60


def test_D21_rlimits(command):
    rlimits = [{"Name": "nofile", "Soft": 64, "Hard": 128}, {"Name": "RLIMIT_CORE", "Soft": 0, "Hard": -1}]
    made = command("cat", "/proc/self/limits", resources={"rlimits": rlimits})
    found = {line[:26].strip(): line[26:].split()[:2] for line in made.run_ok().splitlines()}
    assert found["Max open files"] == ["64", "128"]
    assert found["Max core file size"] == ["0", "unlimited"]


# ---- D22, D24, D25, D26 ----


def test_D22_the_cgroups_parent(command, cgroup_parent):
    made = command("sleep", "100", cgroup_parent=cgroup_parent).up()
    assert set(system.cgroup_paths(made.pid).values()) == {f"{cgroup_parent}/lxc.payload.{made.id}"}


def test_D22_without_one_it_is_lxcs_usual_place(command):
    made = command("sleep", "100").up()
    assert set(system.cgroup_paths(made.pid).values()) == {f"/lxc.payload.{made.id}"}


def test_D22_a_parent_that_leads_elsewhere_is_refused(command):
    command(cgroup_parent="/a/../..").refused('cgroup_parent: ".." would lead elsewhere')


def test_D24_the_hostname_is_the_environments(command):
    assert command("hostname").env("HOSTNAME=web-1.example").run_ok() == "web-1.example\n"


def test_D24_without_one_it_is_the_hosts(command):
    assert command("hostname").run_ok().strip() == os.uname().nodename


def test_D24_the_hosts_own_is_never_changed(command):
    before = os.uname().nodename
    made = command(shell="hostname; echo $HOSTNAME", uts={"host_uts": True}).env("HOSTNAME=other")
    assert made.run_ok().split() == [before, "other"]
    assert os.uname().nodename == before


@pytest.mark.parametrize("name", ["a b", "a\nb", "-a", "é", "x" * 65])
def test_D24_a_name_that_is_none_is_refused(command, name):
    command("hostname").env(f"HOSTNAME={name}").refused("process_config.env: HOSTNAME")


@pytest.mark.skipif(os.path.exists("/sys/fs/selinux/enforce"), reason="this host has SELinux")
@pytest.mark.parametrize("field", ["process_label", "mount_label"])
def test_D25_a_label_is_refused_where_there_is_no_selinux(command, field):
    made = command(**{field: "system_u:system_r:svirt_lxc_net_t:s0"})
    made.refused(f'{field}: "system_u:system_r:svirt_lxc_net_t:s0" is asked for, but this host has no SELinux')


@pytest.mark.skipif(os.path.exists("/sys/module/apparmor"), reason="this host has AppArmor")
def test_D25_a_profile_is_refused_where_there_is_no_apparmor(command):
    command(apparmor_profile="docker-default").refused(
        'apparmor_profile: "docker-default" is asked for, but this host has no AppArmor'
    )


def test_D25_unconfined_can_be_asked_for_everywhere(command):
    assert command("echo", "runs", apparmor_profile="unconfined").run_ok() == "runs\n"


@pytest.mark.parametrize("readonly", [False, True])
def test_D26_a_read_only_root(command, readonly):
    made = command(shell="echo x > /file; echo y > /dev/shm/file && echo shm", readonly_rootfs=readonly)
    result = made.run()
    assert result.stdout == "shm\n"
    assert ("Read-only file system" in result.stderr) == readonly
    assert os.path.exists(f"{made.rootfs}/file") == (not readonly)
