# SPDX-License-Identifier: Apache-2.0
"""Tests of tests/integration in the guest of tests/vm/: which ones, running them, and what each came to."""

import json
import os
import shlex
import subprocess
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INTEGRATION = "tests/integration/"

# What every `make check` runs in the guest: what depends on the kind of cgroups, and what needs AppArmor.
SELECTION = (
    "test_apparmor.py",
    "test_cgroups.py",
    "test_checkpoint.py",
    "test_create_start.py",
    "test_delete.py",
    "test_devices.py",
    "test_events.py::test_a_first_process_killed_for_memory_is_told_before_the_end",
    "test_events.py::test_a_plain_kill_is_not_told",
    "test_events.py::test_a_process_killed_for_memory_is_told",
    "test_exec.py",
    "test_kill.py",
    "test_pause.py",
    "test_update.py::test_a_flag_changes_its_limit_and_no_other",
    "test_update.py::test_a_refused_value_leaves_everything_as_it_was",
    "test_update.py::test_memory_and_swap_grow_and_shrink_together",
    "test_update.py::test_unified_settings",
    "test_wait.py::test_D31_a_plain_kill_has_nothing_to_do_with_memory",
    "test_wait.py::test_D31_what_memory_had_to_do_with_it",
)

# In a guest with SELinux in AppArmor's place.
SELINUX = ("test_selinux.py",)

# In a guest with systemd as PID 1.
SYSTEMD = ("test_systemd_cgroup.py", "test_systemd_engines.py", "test_systemd_user.py")
SYSTEMD_SELECTION = (
    "test_systemd_cgroup.py::test_a_create_that_fails_leaves_no_scope",
    "test_systemd_cgroup.py::test_annotations_are_properties_of_the_scope",
    "test_systemd_cgroup.py::test_limits_are_properties_and_files",
    "test_systemd_cgroup.py::test_nothing_is_left_after_delete",
    "test_systemd_cgroup.py::test_the_container_is_in_a_scope_of_its_own",
    "test_systemd_cgroup.py::test_update_sets_both",
    "test_systemd_user.py::test_exec_joins_the_scope_from_outside",
    "test_systemd_user.py::test_limits_are_set_and_updated",
    "test_systemd_user.py::test_the_container_is_in_a_scope_of_the_users",
)

ALL = os.environ.get("RUNLXC_TESTS_VM") == "all"
SECONDS = 1800 if ALL else 420  # how long the guest may take

# The guest's command. Facts come first, so that they are there whatever becomes of the tests.
FACTS = """
cat /sys/fs/cgroup/cgroup.controllers >{directory}/controllers
cat /sys/kernel/security/lsm >{directory}/lsm
"""
# The kernel takes a policy in one write. On this very shell it has its effect at once.
POLICY = """
mount -t selinuxfs selinuxfs /sys/fs/selinux
secilc -c "$(cat /sys/fs/selinux/policyvers)" -o /run/policy -f /dev/null tests/vm/guest/selinux.cil
dd if=/run/policy of=/sys/fs/selinux/load bs=1M
echo 1 >/sys/fs/selinux/enforce
"""
TESTS = """
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/vm RUNLXC_TESTS_LOOPS=20
export RUNLXC={command} RUNLXC_VM_DIRECTORY={directory}
exec {python} -m pytest -p no:cacheprovider -p guest_report --tb=short -q {files}
"""


def collect(command, names):
    """The ids of the tests in these files, as the guest will name them: a pytest of their own collects them."""
    files = [INTEGRATION + name for name in names]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=REPOSITORY,
        env={**os.environ, "RUNLXC": command, "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    if collected.returncode != 0:
        raise RuntimeError(f"the tests for the guest can't be collected:\n{collected.stdout}")
    return [line for line in collected.stdout.splitlines() if line.startswith(INTEGRATION)]


def selection():
    """The names of the files with tests for the guest with AppArmor."""
    if not ALL:
        return SELECTION
    return sorted(
        name
        for name in os.listdir(f"{REPOSITORY}/{INTEGRATION}")
        if name.startswith("test_") and name not in (*SELINUX, *SYSTEMD)
    )


def systemd_selection(init):
    """Those for a guest with systemd: on cgroup v2, or on v1 with a v2 tree beside it (hybrid)."""
    if not ALL:
        return SYSTEMD_SELECTION if init == "systemd" else ()
    # Users get nothing on v1, and with engines v2's files are looked at.
    return SYSTEMD if init == "systemd" else ("test_systemd_cgroup.py",)


def is_made_for(id_):
    """Whether a test needs what the guest alone is sure to have. Engines may not be installed."""
    name = id_.partition("::")[0].removeprefix(INTEGRATION)
    return name in ("test_apparmor.py", *SELINUX, *SYSTEMD) and "engines" not in name


def _needed_by(command):
    """The directory of all that the command under test is made of."""
    directory = os.path.dirname(command)
    while directory != "/":
        if os.path.exists(f"{directory}/build.ninja"):
            return directory
        directory = os.path.dirname(directory)
    return os.path.dirname(command)


def _run(argv, directory):
    with (
        open(f"{directory}/stdout", "wb") as stdout,
        open(f"{directory}/stderr", "wb") as stderr,
        subprocess.Popen(argv, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr) as process,
    ):
        try:
            return process.wait(SECONDS + 120)  # preparing takes some time, too
        finally:
            process.terminate()


class Guest:
    """A guest that was booted to run these tests, and is done."""

    def __init__(self, directory, command, ids, lsm="apparmor", init="busybox"):
        self.directory = directory
        os.mkdir(directory)
        with open(f"{directory}/chosen", "w", encoding="utf-8") as chosen:
            chosen.writelines(f"{id_}\n" for id_ in ids)
        words = {
            "directory": shlex.quote(directory),
            "command": shlex.quote(command),
            "python": shlex.quote(sys.executable),
            "files": " ".join(sorted({shlex.quote(id_.partition("::")[0]) for id_ in ids})),
        }
        parts = [FACTS, POLICY if lsm == "selinux" else "", TESTS if ids else ""]
        script = "".join(parts).format(**words)
        flags = ["-l", lsm, "-i", init, "-t", str(SECONDS), "-s", REPOSITORY, "-s", _needed_by(command), "-o", directory]
        self.status = _run([f"{REPOSITORY}/tests/vm/run", *flags, "--", script], directory)
        self._phases = {}
        for line in self.read("report").splitlines():
            report = json.loads(line)
            self._phases.setdefault(report["test"], []).append(report)

    def read(self, name):
        """A file that the guest wrote; empty if it didn't."""
        try:
            with open(f"{self.directory}/{name}", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def last_words(self):
        """What there is to say about a guest that did not do what it should."""
        return f"The guest ended with {self.status}:\n{self.read('stdout')[-3000:]}\n{self.read('stderr')[-3000:]}"

    def phases(self, id_):
        """The setup, call and teardown of a test; none if it was not done."""
        phases = self._phases.get(id_, [])
        return phases if phases and phases[-1]["when"] == "teardown" else []
