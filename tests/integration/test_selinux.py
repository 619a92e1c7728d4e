# SPDX-License-Identifier: Apache-2.0
"""process.selinuxLabel and exec --process-label, under the policy of tests/vm/guest/selinux.cil: a guest loads it."""

import os

import pytest

from lib import system

CONFINED = "system_u:system_r:runlxc_container_t"
CONFINED_UNLESS_NO_NEW_PRIVILEGES = "system_u:system_r:runlxc_other_t"
DENIED_FILE = b"system_u:object_r:runlxc_denied_t"
HOST = "system_u:system_r:runlxc_host_t"


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


def test_a_label_that_the_policy_does_not_have_is_an_error_that_names_it(box):
    made = box("true")
    made.bundle.process["selinuxLabel"] = "system_u:system_r:nobody_t"
    made.run().assert_refused("process.selinuxLabel", "nobody_t")
    assert not made.exists


def test_exec_with_a_label_that_the_policy_does_not_have_is_an_error_that_names_it(box):
    made = box("sleep", "100").up()
    result = made.exec("true", flags=["--process-label", "system_u:system_r:nobody_t"])
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
