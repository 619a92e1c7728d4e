# SPDX-License-Identifier: Apache-2.0
"""What a restored container is like: limits, devices, mounts, namespaces."""

import os
import signal
import subprocess

import pytest

from lib import resctrl, system
from lib.checkpoint import COUNTER, STAY, counted, wait_counting

pytestmark = [pytest.mark.ours, pytest.mark.limit(120)]


def test_state_exec_kill_and_delete_work_on_a_restored_container(counter, checkpoint, restore):
    old = counter.pid
    checkpoint(counter)
    restore(counter)
    state = counter.state()
    assert state["status"] == "running"
    assert state["pid"] == counter.pid
    assert counter.pid != old
    assert counter.exec_ok("hostname") == "box\n"
    assert str(os.getpid()) not in counter.exec_ok("ps", "-o", "pid").split()
    assert str(counter.pid) in counter.runtime.ok("ps", counter.id).stdout
    counter.kill("KILL")
    counter.wait()
    assert counter.status == "stopped"
    counter.delete()
    assert not counter.exists


def test_pausing_and_resuming_a_restored_container(counter, checkpoint, restore):
    checkpoint(counter)
    restore(counter)
    counter.runtime.ok("pause", counter.id)
    assert counter.status == "paused"
    counter.runtime.ok("resume", counter.id)
    wait_counting(counter)


def test_the_restored_process_is_a_child_of_the_nearest_subreaper(counter, runtime, image, shim, workdir, checkpoint):
    checkpoint(counter)
    status = shim.run_detached(
        runtime.argv(
            "restore", "-d", "-b", counter.bundle.path, "--image-path", image, "--pid-file", counter.pid_file, counter.id
        ),
        f"{workdir}/output",
    )
    assert status == 0
    assert shim.children() == [counter.pid]
    counter.kill("TERM")  # PID 1 has no handler: it stays
    counter.kill("KILL")
    assert shim.wait(counter.pid) == -signal.SIGKILL


def test_limits_are_there_again(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.resources["pids"] = {"limit": 77}
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.up()
    checkpoint(made)
    restore(made)
    memory = "memory.limit_in_bytes" if system.on_cgroup_v1() else "memory.max"
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "77"
    assert system.cgroup_read(made.pid, "memory", memory) == str(64 << 20)


def test_devices_that_were_forbidden_still_are(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().capabilities("CAP_MKNOD", "CAP_SYSLOG")
    made.up()
    read = ["sh", "-c", "[ -e /kmsg ] || mknod /kmsg c 1 11; dd if=/kmsg of=/dev/null bs=8192 count=1"]
    assert made.exec(*read).returncode != 0
    checkpoint(made)
    restore(made)
    assert made.exec(*read).returncode != 0
    assert made.exec_ok("head", "-c", "1", "/dev/zero") == "\0"


def test_devices_that_were_allowed_still_are(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().capabilities("CAP_MKNOD", "CAP_SYSLOG")
    made.bundle.resources["devices"].append({"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"})
    made.up()
    checkpoint(made)
    restore(made)
    made.exec_ok("sh", "-c", "mknod /kmsg c 1 11; dd if=/kmsg of=/dev/null bs=8192 count=1")


def test_masked_and_read_only_paths_still_are(container, checkpoint, restore):
    made = container(shell=STAY).up()
    checkpoint(made)
    restore(made)
    assert made.exec_ok("cat", "/proc/keys") == ""
    assert made.exec("sh", "-c", "echo x >/proc/sys/kernel/domainname").returncode != 0
    assert made.exec("touch", "/etc/x").returncode != 0


def test_a_private_network_has_its_loopback_up(container, checkpoint, restore):
    made = container(shell=STAY).up()
    checkpoint(made)
    restore(made)
    assert "LOOPBACK,UP" in made.exec_ok("ip", "link", "show", "lo")


# ---- mounts ----


def test_bind_mounts_and_tmpfs_are_there_again(container, workdir, checkpoint, restore):
    os.makedirs(f"{workdir}/source/sub")
    for name in ("source/file", "single"):
        with open(f"{workdir}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/source", "rbind", "ro")
    made.bundle.mount("/etc/single", f"{workdir}/single", "bind")
    made.bundle.mount("/scratch", "tmpfs", "size=1m", kind="tmpfs")
    made.up()
    made.exec_ok("sh", "-c", "echo kept >/scratch/file")
    checkpoint(made)
    restore(made)
    assert made.exec_ok("cat", "/data/file", "/etc/single") == "source/filesingle"
    assert made.exec_ok("cat", "/scratch/file") == "kept\n"
    assert made.exec("touch", "/data/new").returncode != 0
    made.exec_ok("sh", "-c", "echo new >/etc/single")
    with open(f"{workdir}/single", encoding="ascii") as file:
        assert file.read() == "new\n"


def test_a_bind_mount_comes_from_where_the_bundle_says_at_the_restore(container, workdir, checkpoint, restore):
    for name in ("old", "new"):
        os.makedirs(f"{workdir}/{name}")
        with open(f"{workdir}/{name}/file", "w", encoding="ascii") as file:
            file.write(name)
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/old")
    made.up()
    checkpoint(made)
    made.bundle.config["mounts"][-1]["source"] = f"{workdir}/new"
    made.bundle.write()
    restore(made)
    assert made.exec_ok("cat", "/data/file") == "new"


def test_a_symlink_in_the_place_of_a_mount_is_refused(container, runtime, workdir, image, checkpoint):
    os.makedirs(f"{workdir}/source")
    os.makedirs(f"{workdir}/victim")
    made = container(shell=STAY)
    made.bundle.mount("/data", f"{workdir}/source")
    made.up()
    checkpoint(made)
    os.rmdir(f"{made.bundle.rootfs}/data")
    os.symlink(f"{workdir}/victim", f"{made.bundle.rootfs}/data")
    result = runtime("restore", "-d", "--bundle", made.bundle.path, "--image-path", image, made.id)
    result.assert_refused("/data")
    assert not made.exists
    assert os.listdir(f"{workdir}/victim") == []


# ---- namespaces, filters, groups ----


def test_a_user_namespace(container, checkpoint, restore):
    made = container(shell=COUNTER)
    made.bundle.writable().user_namespace()
    os.chmod(made.bundle.rootfs, 0o777)
    made.up()
    system.wait_until(lambda: len(counted(made)) > 3, "counting")
    checkpoint(made)
    restore(made)
    wait_counting(made)
    assert os.stat(f"/proc/{made.pid}").st_uid == 100000


def test_a_network_namespace_by_path_is_the_same_afterwards(container, checkpoint, restore):
    other = container("sleep", "100").up()
    made = container(shell=STAY)
    made.bundle.with_namespace("network", f"/proc/{other.pid}/ns/net")
    made.up()
    checkpoint(made)
    restore(made)
    assert system.namespace(made.pid, "net") == system.namespace(other.pid, "net")


def test_a_cgroup_namespace(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.with_namespace("cgroup")
    made.up()
    checkpoint(made)
    restore(made)
    assert system.namespace(made.pid, "cgroup") != system.namespace("self", "cgroup")
    assert {line.split(":", 2)[2] for line in made.exec_ok("cat", "/proc/1/cgroup").splitlines()} == {"/"}


def test_a_time_namespace_goes_on_from_where_it_was(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.with_namespace("time").linux["timeOffsets"] = {"monotonic": {"secs": 50000}}
    made.up()
    offset = made.exec_ok("cat", "/proc/self/timens_offsets").split()
    assert int(offset[1]) == 50000
    checkpoint(made)
    restore(made)
    offset = made.exec_ok("cat", "/proc/self/timens_offsets").split()
    assert 49900 < int(offset[1]) <= 50000
    assert system.namespace(made.pid, "time") != system.namespace("self", "time")


@pytest.mark.parametrize("kind", ["network", "ipc", "uts"])
def test_the_hosts_namespace_is_so_afterwards(container, checkpoint, restore, kind):
    made = container(shell=STAY)
    made.bundle.without_namespace(kind)
    if kind == "uts":
        del made.bundle.config["hostname"]
    made.up()
    checkpoint(made)
    restore(made)
    name = {"network": "net"}.get(kind, kind)
    assert system.namespace(made.pid, name) == system.namespace("self", name)


def test_the_filter_is_there_again(container, checkpoint, restore):
    made = container(shell=STAY)
    made.bundle.writable().linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    made.up()
    checkpoint(made)
    restore(made)
    assert system.process_status(made.pid)["Seccomp"] == "2"
    assert "Operation not permitted" in made.exec("mkdir", "/x").stderr


def test_a_slave_mount_hears_of_the_hosts_mounts_again(container, workdir, checkpoint, restore):
    source = f"{workdir}/source"
    os.mkdir(source)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        os.mkdir(f"{source}/later")
        made = container(shell=STAY)
        made.bundle.mount("/mnt", source, "rbind", "rslave")
        made.up()
        checkpoint(made)
        restore(made)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", f"{source}/later"], check=True)
        assert "size=12k" in made.exec_ok("grep", " /mnt/later ", "/proc/self/mounts")
        made.stop()
        made.delete()
    finally:
        subprocess.run(["umount", "-R", source], check=True)


@resctrl.NEEDED
def test_what_is_restored_is_in_its_resctrl_group(container, checkpoint, restore):
    place = resctrl.Resctrl()
    made = container(shell=STAY)
    made.bundle.linux["intelRdt"] = {"schemata": [place.line(0xF)], "enableMonitoring": True}
    made.up()
    checkpoint(made)
    assert not place.exists(made.id)
    restore(made)
    assert made.pid in place.tasks(made.id)
    assert made.pid in place.tasks(made.id, "mon_groups", made.id)
    assert place.cache(made.id) == 0xF
