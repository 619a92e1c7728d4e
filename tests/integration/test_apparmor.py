# SPDX-License-Identifier: Apache-2.0
"""process.apparmorProfile and exec --apparmor, on a kernel with AppArmor: tests/vm/ has one where the host hasn't."""

import os
import shutil
import subprocess

import pytest

from lib import system
from lib.escape import FAKE_PROCS, offer_fake_proc

PARSER = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin:/bin")


def _missing():
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="utf-8") as file:
            enabled = file.read().strip() == "Y"
    except FileNotFoundError:
        enabled = False
    if not enabled:
        return "this kernel has no AppArmor, or it is switched off"
    if not os.path.exists("/sys/kernel/security/apparmor/.load"):
        return "there is no securityfs on /sys/kernel/security to load AppArmor profiles with"
    return None if PARSER else "apparmor_parser is not installed"


pytestmark = pytest.mark.skipif(_missing() is not None, reason=str(_missing()))

# All is allowed but to write below /tmp/denied; paths are those of the container.
PROFILE = """
profile {name} flags=(attach_disconnected) {{
    capability,
    file,
    mount,
    network,
    ptrace,
    signal,
    umount,
    unix,
    deny /tmp/denied/** w,
}}
"""

LABEL = "cat /proc/self/attr/current"
WRITE = "echo x > /tmp/allowed/file && echo allowed; echo x > /tmp/denied/file && echo written"


def _load(text, *flags):
    subprocess.run(
        [PARSER, "--quiet", "--skip-cache", *flags],
        input=text.encode(),
        check=True,
        timeout=20,
    )


@pytest.fixture(scope="module")
def profile(token):
    """A loaded profile; its name."""
    name = f"runlxc-{token}"
    _load(PROFILE.format(name=name), "--add")
    yield name
    _load(PROFILE.format(name=name), "--remove")


@pytest.fixture
def box(container):
    """A container that may write below /tmp/allowed and /tmp/denied, as far as files go."""

    def make(*args, **kwargs):
        made = container(*args, **kwargs)
        made.bundle.writable()
        for name in ("allowed", "denied"):
            os.mkdir(f"{made.bundle.rootfs}/tmp/{name}")
            os.chmod(f"{made.bundle.rootfs}/tmp/{name}", 0o777)
        return made

    return make


def label_of(pid):
    with open(f"/proc/{pid}/attr/current", encoding="utf-8") as file:
        return file.read().strip()


# ---- the first process ----


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_the_first_process_is_confined(box, profile, no_new_privileges):
    made = box(shell=LABEL)
    made.bundle.process["apparmorProfile"] = profile
    made.bundle.process["noNewPrivileges"] = no_new_privileges
    assert made.run_ok() == f"{profile} (enforce)\n"


def test_what_the_profile_denies_fails(box, profile):
    made = box(shell=WRITE)
    made.bundle.process["apparmorProfile"] = profile
    result = made.run()
    assert result.stdout == "allowed\n"
    assert result.returncode == 1 and "Permission denied" in result.stderr


@pytest.mark.parametrize("value", [None, "", "unconfined"])
def test_without_a_profile_nothing_is_denied(box, value):
    made = box(shell=f"{WRITE}; {LABEL}")
    if value is not None:
        made.bundle.process["apparmorProfile"] = value
    assert made.run_ok() == "allowed\nwritten\nunconfined\n"


def test_the_host_sees_the_label_once_the_container_is_started(box, profile):
    made = box("sleep", "100")
    made.bundle.process["apparmorProfile"] = profile
    made.create()
    assert label_of(made.pid) == "unconfined"
    made.start()
    assert label_of(made.pid) == f"{profile} (enforce)"


def test_what_the_first_process_starts_is_confined_too(box, profile):
    made = box(shell=f"sh -c '{LABEL}' & wait")
    made.bundle.process["apparmorProfile"] = profile
    assert made.run_ok() == f"{profile} (enforce)\n"


def test_a_confined_process_cannot_shed_its_profile(box, profile):
    made = box(shell=f"echo 'changeprofile unconfined' > /proc/self/attr/current; {LABEL}")
    made.bundle.process["apparmorProfile"] = profile
    result = made.run()
    assert result.stdout == f"{profile} (enforce)\n"
    assert "Permission denied" in result.stderr


def test_an_ordinary_user_is_confined(box, profile):
    made = box(shell=f"id -u; {LABEL}")
    made.bundle.process["apparmorProfile"] = profile
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert made.run_ok() == f"1000\n{profile} (enforce)\n"


def test_the_root_of_a_user_namespace_is_confined(box, profile):
    made = box(shell=f"{WRITE}; {LABEL}")
    made.bundle.user_namespace()
    made.bundle.process["apparmorProfile"] = profile
    result = made.run()
    assert result.stdout == f"allowed\n{profile} (enforce)\n"
    assert "Permission denied" in result.stderr


def test_a_confined_container_can_be_killed_and_deleted(box, profile):
    made = box("sleep", "100")
    made.bundle.process["apparmorProfile"] = profile
    made.up().stop()
    made.delete()
    assert not made.exists


# ---- exec ----


def test_exec_is_confined_as_the_first_process_is(box, profile):
    made = box("sleep", "100")
    made.bundle.process["apparmorProfile"] = profile
    made.up()
    assert made.exec_ok("sh", "-c", LABEL) == f"{profile} (enforce)\n"
    result = made.exec("sh", "-c", WRITE)
    assert result.stdout == "allowed\n" and "Permission denied" in result.stderr


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_exec_takes_a_profile(box, profile, no_new_privileges):
    made = box("sleep", "100")
    made.bundle.process["noNewPrivileges"] = no_new_privileges
    made.up()
    assert made.exec_ok("sh", "-c", LABEL) == "unconfined\n"
    assert made.exec_ok("sh", "-c", LABEL, flags=["--apparmor", profile]) == f"{profile} (enforce)\n"
    result = made.exec("sh", "-c", WRITE, flags=["--apparmor", profile])
    assert result.stdout == "allowed\n" and "Permission denied" in result.stderr
    assert label_of(made.pid) == "unconfined"


# ---- what is in the place of /proc ----


@pytest.mark.parametrize("trick", FAKE_PROCS)
def test_a_fake_proc_does_not_take_the_profile(box, profile, workdir, trick):
    """CVE-2019-16884, CVE-2019-19921, CVE-2023-28642, CVE-2025-52881: an image or a volume has files where the
    profile's name would be written to. There is no such container."""
    made = box("sleep", "100")
    made.bundle.process["apparmorProfile"] = profile
    files = offer_fake_proc(made, workdir, trick)
    made.run().assert_refused("/proc")
    assert not made.exists
    assert {os.path.getsize(file) for file in files} == {0}


# ---- a profile that is not loaded ----


def test_a_missing_profile_is_an_error_that_names_it(box, profile):
    made = box("true")
    made.bundle.process["apparmorProfile"] = f"{profile}-missing"
    made.bundle.write()
    result = made.runtime("create", "--bundle", made.bundle.path, made.id)
    result.assert_refused("process.apparmorProfile", f"{profile}-missing")
    assert not made.exists
    made.run().assert_refused("process.apparmorProfile", f"{profile}-missing")
    assert not made.exists


def test_exec_with_a_missing_profile_is_an_error_that_names_it(box, profile):
    made = box("sleep", "100").up()
    result = made.exec("true", flags=["--apparmor", f"{profile}-missing"])
    result.assert_refused("process.apparmorProfile", f"{profile}-missing")
    assert made.status == "running"
    assert system.cgroup_pids(made.pid) == {made.pid}
