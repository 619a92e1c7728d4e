# SPDX-License-Identifier: Apache-2.0
"""process.selinuxLabel, exec --process-label and linux.mountLabel, under the policy of tests/vm/guest/selinux.cil:
a guest loads it."""

import os

import pytest

from lib import system
from lib.escape import FAKE_PROCS, offer_fake_proc
from lib.terminal import ConsoleSocket

CONFINED = "system_u:system_r:runlxc_container_t:s0"
CONFINED_UNLESS_NO_NEW_PRIVILEGES = "system_u:system_r:runlxc_other_t:s0"
FILE = "system_u:object_r:runlxc_file_t:s0"
DENIED_FILE = b"system_u:object_r:runlxc_denied_t:s0"
MOUNTED = "system_u:object_r:runlxc_denied_t:s0:c1,c2"
HOST = "system_u:system_r:runlxc_host_t:s0"


def _missing():
    if not os.path.exists("/sys/fs/selinux/enforce"):
        return "this kernel has no SELinux, or it is switched off"
    try:
        with open("/proc/self/attr/current", encoding="utf-8") as file:
            return None if file.read().strip("\0\n") == HOST else "the policy is another than that of these tests"
    except OSError:
        return "there is no label to be read"


pytestmark = pytest.mark.skipif(_missing() is not None, reason=str(_missing()))

LABEL = "tr -d '\\0' < /proc/self/attr/current; echo"
WRITE = "echo x > /tmp/allowed/file && echo allowed; echo x > /tmp/denied/file && echo written"


@pytest.fixture
def box(container):
    """A container with two files that it may write, but for their labels."""

    def make(*args, **kwargs):
        made = container(*args, **kwargs)
        made.bundle.writable()
        for name in ("allowed", "denied"):
            os.mkdir(f"{made.bundle.rootfs}/tmp/{name}")
            with open(f"{made.bundle.rootfs}/tmp/{name}/file", "w", encoding="utf-8"):
                pass
        os.setxattr(f"{made.bundle.rootfs}/tmp/denied/file", "security.selinux", DENIED_FILE)
        return made

    return make


def label_of(pid):
    with open(f"/proc/{pid}/attr/current", encoding="utf-8") as file:
        return file.read().strip("\0\n")


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_the_first_process_has_the_label(box, no_new_privileges):
    made = box(shell=LABEL)
    made.bundle.process["selinuxLabel"] = CONFINED
    made.bundle.process["noNewPrivileges"] = no_new_privileges
    assert made.run_ok() == f"{CONFINED}\n"


def test_what_the_policy_denies_fails(box):
    made = box(shell=WRITE)
    made.bundle.process["selinuxLabel"] = CONFINED
    result = made.run()
    assert result.stdout == "allowed\n"
    assert result.returncode == 1 and "Permission denied" in result.stderr


def test_without_a_label_nothing_is_denied(box):
    assert box(shell=f"{WRITE}; {LABEL}").run_ok() == f"allowed\nwritten\n{HOST}\n"


def test_the_host_sees_the_label_once_the_container_is_started(box):
    made = box("sleep", "100")
    made.bundle.process["selinuxLabel"] = CONFINED
    made.create()
    assert label_of(made.pid) == HOST
    made.start()
    assert label_of(made.pid) == CONFINED


def test_an_ordinary_user_has_the_label(box):
    made = box(shell=f"id -u; {LABEL}")
    made.bundle.process["selinuxLabel"] = CONFINED
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert made.run_ok() == f"1000\n{CONFINED}\n"


def test_exec_has_the_label_of_the_first_process(box):
    made = box("sleep", "100")
    made.bundle.process["selinuxLabel"] = CONFINED
    made.up()
    assert made.exec_ok("sh", "-c", LABEL) == f"{CONFINED}\n"
    result = made.exec("sh", "-c", WRITE)
    assert result.stdout == "allowed\n" and "Permission denied" in result.stderr


def test_exec_takes_a_label(box):
    made = box("sleep", "100").up()
    assert made.exec_ok("sh", "-c", LABEL) == f"{HOST}\n"
    assert made.exec_ok("sh", "-c", LABEL, flags=["--process-label", CONFINED]) == f"{CONFINED}\n"
    assert label_of(made.pid) == HOST


@pytest.mark.parametrize("trick", FAKE_PROCS)
def test_a_fake_proc_does_not_take_the_label(box, workdir, trick):
    """As test_apparmor.py has it for a profile."""
    made = box("sleep", "100")
    made.bundle.process["selinuxLabel"] = CONFINED
    files = offer_fake_proc(made, workdir, trick)
    made.run().assert_refused("/proc")
    assert not made.exists
    assert {os.path.getsize(file) for file in files} == {0}


def test_a_label_that_the_policy_does_not_have_is_an_error_that_names_it(box):
    made = box("true")
    made.bundle.process["selinuxLabel"] = "system_u:system_r:nobody_t:s0"
    made.run().assert_refused("process.selinuxLabel", "nobody_t")
    assert not made.exists


def test_exec_with_a_label_that_the_policy_does_not_have_is_an_error_that_names_it(box):
    made = box("sleep", "100").up()
    result = made.exec("true", flags=["--process-label", "system_u:system_r:nobody_t:s0"])
    result.assert_refused("process.selinuxLabel", "nobody_t")
    assert made.status == "running"
    assert system.cgroup_pids(made.pid) == {made.pid}


def test_a_label_that_no_new_privileges_does_not_allow_is_not_left_out(box):
    """The policy lets a process without new privileges change to the one label, and not to the other."""
    made = box(shell=LABEL)
    made.bundle.process["selinuxLabel"] = CONFINED_UNLESS_NO_NEW_PRIVILEGES
    made.bundle.process["noNewPrivileges"] = False
    assert made.run_ok() == f"{CONFINED_UNLESS_NO_NEW_PRIVILEGES}\n"
    made.bundle.process["noNewPrivileges"] = True
    result = made.run()
    assert result.returncode != 0 and result.stdout == ""


# ---- linux.mountLabel ----


def file_label(made, path):
    """As the host sees it, of a file of the container's."""
    return os.getxattr(f"/proc/{made.pid}/root{path}", "security.selinux").decode().strip("\0")


@pytest.fixture
def labelled(container):
    """A container with a mount label, and a tmpfs on /run besides the usual mounts."""

    def make(*args, label=MOUNTED, **kwargs):
        made = container(*args, **kwargs)
        made.bundle.linux["mountLabel"] = label
        made.bundle.mount("/run", "tmpfs", "mode=755", kind="tmpfs")
        return made

    return make


@pytest.mark.parametrize("user_namespace", [False, True])
def test_the_new_file_systems_have_the_mount_label(labelled, user_namespace):
    made = labelled(shell="mkdir /run/a; echo x > /run/a/b; echo ready; sleep 100")
    if user_namespace:
        made.bundle.user_namespace()
    made.up()
    made.wait_output("ready")
    for path in ("/dev", "/dev/shm", "/dev/pts", "/dev/pts/ptmx", "/dev/mqueue", "/run", "/run/a", "/run/a/b"):
        assert file_label(made, path) == MOUNTED, path
    if not user_namespace:  # there it is a device of the host's, bound in
        assert file_label(made, "/dev/null") == MOUNTED


def test_what_covers_a_masked_directory_has_the_mount_label(labelled):
    made = labelled("sleep", "100")
    made.bundle.linux["maskedPaths"] = ["/sys/firmware"]
    made.up()
    assert os.listdir(f"/proc/{made.pid}/root/sys/firmware") == []
    assert file_label(made, "/sys/firmware") == MOUNTED


def test_what_is_the_kernels_or_the_hosts_keeps_its_label(labelled, tmp_path):
    made = labelled("sleep", "100")
    (tmp_path / "file").write_text("")
    made.bundle.mount("/mnt", str(tmp_path), "rbind")
    made.up()
    for path in ("/", "/bin/busybox", "/proc", "/sys", "/sys/fs/cgroup", "/mnt", "/mnt/file"):
        assert file_label(made, path) == FILE, path


def test_a_mount_that_init_makes_has_the_mount_label(labelled):
    made = labelled("sleep", "100")
    made.bundle.mount("/var", "tmpfs", "tmpcopyup", kind="tmpfs")
    os.mkdir(f"{made.bundle.rootfs}/var/copied")
    made.up()
    assert file_label(made, "/var") == MOUNTED
    assert file_label(made, "/var/copied") == MOUNTED


def test_an_overlay_has_the_mount_label(labelled, workdir):
    made = labelled("sleep", "100")
    for name in ("lower", "upper", "work"):
        os.mkdir(f"{workdir}/{name}")
    options = [f"{name}dir={workdir}/{name}" for name in ("lower", "upper", "work")]
    made.bundle.mount("/mnt", "overlay", *options, kind="overlay")
    made.up()
    assert file_label(made, "/mnt") == MOUNTED


def test_the_terminal_has_the_mount_label(labelled, workdir):
    made = labelled("sleep", "100")
    made.bundle.process["terminal"] = True
    with ConsoleSocket(f"{workdir}/console") as console:
        made.create("--console-socket", console.path)
        terminal, _ = console.receive()
    assert file_label(made, "/dev/console") == MOUNTED
    assert file_label(made, "/dev/pts/0") == MOUNTED
    os.close(terminal)


def test_the_policy_knows_the_files_by_the_mount_label(labelled):
    """The container's program may write the root's files, and not those of the label."""
    made = labelled(shell="echo x > /file && echo written; echo x > /run/file")
    made.bundle.writable()
    made.bundle.process["selinuxLabel"] = CONFINED
    result = made.run()
    assert result.stdout == "written\n" and "Permission denied" in result.stderr
    made.bundle.linux["mountLabel"] = FILE
    made.run_ok()


def test_hooks_find_the_labelled_mounts(labelled):
    """Before the root is changed: GPUs' hooks put devices into /dev there."""
    made = labelled(shell="cat /dev/from-the-hook")
    script = f"echo hello > {made.bundle.rootfs}/dev/from-the-hook"
    made.bundle.config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    assert made.run_ok() == "hello\n"


@pytest.mark.parametrize("label", ["system_u:object_r:nobody_t:s0", "nonsense", f'{FILE}",size="1k'])
def test_a_mount_label_that_is_none_is_an_error_that_names_it(labelled, label):
    made = labelled("true", label=label)
    made.run().assert_refused("linux.mountLabel")
    assert not made.exists


def test_a_mount_label_that_the_policy_forbids_is_an_error_that_names_it(labelled):
    made = labelled("true", label="system_u:object_r:runlxc_refused_t:s0")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["type"] != "mqueue"]
    made.run().assert_refused("linux.mountLabel", "runlxc_refused_t", "ermission denied", "tmpfs")
    assert not made.exists


def test_one_that_the_policy_forbids_for_other_file_systems_names_it_too(labelled):
    made = labelled("true", label="system_u:object_r:runlxc_refused_t:s0")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["type"] != "tmpfs"]
    made.run().assert_refused("linux.mountLabel", "runlxc_refused_t", "ermission denied", "mqueue")
    assert not made.exists
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["type"] != "mqueue"]
    made.run().assert_refused("linux.mountLabel", "runlxc_refused_t", "ermission denied", "devpts")
    assert not made.exists


def test_the_mqueue_of_the_host_keeps_its_label(labelled):
    made = labelled("sleep", "100")
    made.bundle.without_namespace("ipc")
    made.up()
    assert file_label(made, "/dev/mqueue") == FILE


@pytest.mark.parametrize("more", [[], ["tmpcopyup"], ["size=1m", "mode=700"]])
def test_a_mount_takes_a_quoted_context_of_its_own(container, more):
    """The label's comma isn't one between options, whatever stands before and behind."""
    made = container("sleep", "100")
    made.bundle.mount("/mnt", "tmpfs", *more[:1], f'context="{MOUNTED}"', *more[1:], kind="tmpfs")
    made.up()
    assert file_label(made, "/mnt") == MOUNTED
    if more[1:]:
        assert "size=1024k" in made.exec_ok("grep", " /mnt ", "/proc/mounts")
        assert made.exec_ok("stat", "-c", "%a", "/mnt") == "700\n"


def test_a_remount_with_a_context_that_is_not_the_mounts_is_an_error(container):
    made = container("sleep", "100")
    made.bundle.mount("/mnt", "tmpfs", f'context="{MOUNTED}"', kind="tmpfs")
    made.bundle.mount("/mnt", "tmpfs", "remount", f'context="{FILE}:c3,c4"', "size=1m", kind="tmpfs")
    made.run().assert_refused("mounts[", "remount", "/mnt")
    assert not made.exists
