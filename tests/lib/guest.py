# SPDX-License-Identifier: Apache-2.0
"""Tests on containers in the guests of tests/vm/: which ones, running them, and what each came to."""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = "tests/"
FOLDERS = ("integration", "conformance", "security")

# What every `make check` runs in the guest: what depends on the kind of cgroups, and what needs AppArmor or CRIU.
SELECTION = (
    "conformance/test_linux_cgroups.py",
    "conformance/test_linux_devices.py::test_the_entries_are_applied_in_the_listed_order",
    "conformance/test_linux_devices.py::test_the_listed_devices_are_available",
    "integration/test_apparmor.py",
    "integration/test_cgroups.py",
    "integration/test_checkpoint.py::test_a_container_runs_on_unchanged_after_a_failed_checkpoint",
    "integration/test_checkpoint.py::test_a_counter_goes_on_from_where_it_was",
    "integration/test_checkpoint.py::test_a_symlink_in_the_place_of_a_mount_is_refused",
    "integration/test_checkpoint.py::test_a_terminal_comes_over_the_console_socket_again",
    "integration/test_checkpoint.py::test_bind_mounts_and_tmpfs_are_there_again",
    "integration/test_checkpoint.py::test_devices_that_were_forbidden_still_are",
    "integration/test_checkpoint.py::test_limits_are_there_again",
    "integration/test_checkpoint.py::test_masked_and_read_only_paths_still_are",
    "integration/test_checkpoint.py::test_nothing_is_left_after_a_failed_restore",
    "integration/test_checkpoint.py::test_only_what_changed_since_a_pre_dump",
    "integration/test_checkpoint.py::test_state_exec_kill_and_delete_work_on_a_restored_container",
    "integration/test_checkpoint.py::test_the_restored_process_is_a_child_of_the_nearest_subreaper",
    "integration/test_create_start.py",
    "integration/test_delete.py",
    "integration/test_devices.py",
    "integration/test_events.py::test_a_first_process_killed_for_memory_is_told_before_the_end",
    "integration/test_events.py::test_a_plain_kill_is_not_told",
    "integration/test_events.py::test_a_process_killed_for_memory_is_told",
    "integration/test_exec.py",
    "integration/test_kill.py",
    "integration/test_pause.py",
    "integration/test_rootless_cgroups.py",
    "integration/test_update.py::test_a_flag_changes_its_limit_and_no_other",
    "integration/test_update.py::test_a_refused_value_leaves_everything_as_it_was",
    "integration/test_update.py::test_memory_and_swap_grow_and_shrink_together",
    "integration/test_update.py::test_unified_settings",
    "integration/test_wait.py::test_D31_a_plain_kill_has_nothing_to_do_with_memory",
    "integration/test_wait.py::test_D31_what_memory_had_to_do_with_it",
    "security/test_cgroups_of_others.py",
    "security/test_device_rules.py",
)

# What is no test of a container, and what is of no use on an emulated machine.
NEVER = ("conformance/test_clauses.py", "integration/test_bench.py")

# In a guest with SELinux in AppArmor's place.
SELINUX = ("integration/test_selinux.py",)

# In a guest with systemd as PID 1.
SYSTEMD = (
    "integration/test_systemd_cgroup.py",
    "integration/test_systemd_engines.py",
    "integration/test_systemd_user.py",
)
SYSTEMD_SELECTION = (
    "integration/test_systemd_cgroup.py::test_a_create_that_fails_leaves_no_scope",
    "integration/test_systemd_cgroup.py::test_annotations_are_properties_of_the_scope",
    "integration/test_systemd_cgroup.py::test_limits_are_properties_and_files",
    "integration/test_systemd_cgroup.py::test_nothing_is_left_after_delete",
    "integration/test_systemd_cgroup.py::test_the_container_is_in_a_scope_of_its_own",
    "integration/test_systemd_cgroup.py::test_update_sets_both",
    "integration/test_systemd_user.py::test_exec_joins_the_scope_from_outside",
    "integration/test_systemd_user.py::test_limits_are_set_and_updated",
    "integration/test_systemd_user.py::test_the_container_is_in_a_scope_of_the_users",
)

ALL = os.environ.get("RUNLXC_TESTS_VM") == "all"
SECONDS = 1800 if ALL else 420  # how long a guest may take
PART = 350  # tests in one guest, or a file more
SIDE_BY_SIDE = 2  # guests; each keeps a processor busy

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
# Unit tests that make cgroups of their own: the program's output, and its status behind it.
UNITS = """
for program in {units}; do
	"$program" >"{directory}/${{program##*/}}" 2>&1 </dev/null
	echo "status $?" >>"{directory}/${{program##*/}}"
done
"""
COMMAND = """
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/vm RUNLXC_TESTS_LOOPS=20 RUNLXC_TESTS_FAILURE_STEP=60
export RUNLXC={command} RUNLXC_VM_DIRECTORY={directory}
exec {python} -m pytest -p no:cacheprovider -p guest_report --tb=short -q {files}
"""


def collect(command, names):
    """The ids of the tests in these files, as the guest will name them: a pytest of their own collects them."""
    files = [TESTS + name for name in names]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=REPOSITORY,
        env={**os.environ, "RUNLXC": command, "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if collected.returncode != 0:
        raise RuntimeError(f"the tests for the guest can't be collected:\n{collected.stdout}")
    return [line for line in collected.stdout.splitlines() if line.startswith(TESTS)]


def selection():
    """The names of the files with tests for the guest with AppArmor."""
    if not ALL:
        return SELECTION
    names = (f"{folder}/{name}" for folder in FOLDERS for name in os.listdir(f"{REPOSITORY}/{TESTS}{folder}"))
    return sorted(
        name
        for name in names
        if os.path.basename(name).startswith("test_") and name not in (*NEVER, *SELINUX, *SYSTEMD)
    )


def systemd_selection(init):
    """Those for a guest with systemd: on cgroup v2, or on v1 with a v2 tree beside it (hybrid)."""
    if not ALL:
        return SYSTEMD_SELECTION if init == "systemd" else ()
    # Users get nothing on v1, and with engines v2's files are looked at.
    return SYSTEMD if init == "systemd" else SYSTEMD[:1]


def is_made_for(id_):
    """Whether a test needs what the guest alone is sure to have. Engines may not be installed."""
    name = _file(id_).removeprefix(TESTS)
    return name in ("integration/test_apparmor.py", *SELINUX, *SYSTEMD) and "engines" not in name


def _file(id_):
    return id_.partition("::")[0]


def parts(ids):
    """The tests in as many guests: with all of them, one that is lost doesn't lose the others. Files stay whole."""
    made = [[]]
    for id_ in ids:
        if len(made[-1]) >= PART and _file(made[-1][-1]) != _file(id_):
            made.append([])
        made[-1].append(id_)
    return made


def unit_programs(command):
    """Unit tests of src/cgroup, where the command is in the directory that it was built in."""
    directory = f"{_needed_by(command)}/tests/unit"
    names = os.listdir(directory) if os.path.isdir(directory) else ()
    return sorted(name for name in names if re.fullmatch(r"test-cgroup-[a-z-]+", name))


def _needed_by(command):
    """The directory of all that the command under test is made of."""
    directory = os.path.dirname(command)
    while directory != "/":
        if os.path.exists(f"{directory}/build.ninja"):
            return directory
        directory = os.path.dirname(directory)
    return os.path.dirname(command)


class Guest:
    """A guest that runs these tests: run() boots it, and returns when it is done."""

    def __init__(self, directory, command, ids, units=(), lsm="apparmor", init="busybox"):
        self.directory, self.ids, self.status, self.seconds = directory, ids, None, 0
        self._process, self._phases = None, {}
        os.mkdir(directory)
        with open(f"{directory}/chosen", "w", encoding="utf-8") as chosen:
            chosen.writelines(f"{id_}\n" for id_ in ids)
        words = {
            "directory": shlex.quote(directory),
            "command": shlex.quote(command),
            "python": shlex.quote(sys.executable),
            "units": " ".join(shlex.quote(f"{_needed_by(command)}/tests/unit/{name}") for name in units),
            "files": " ".join(sorted({shlex.quote(_file(id_)) for id_ in ids})),
        }
        parts_ = [FACTS, POLICY if lsm == "selinux" else "", UNITS if units else "", COMMAND if ids else ""]
        script = "".join(parts_).format(**words)
        flags = ["-l", lsm, "-i", init, "-t", str(SECONDS)]
        shares = ["-s", REPOSITORY, "-s", _needed_by(command), "-o", directory]
        self._argv = [f"{REPOSITORY}/tests/vm/run", *flags, *shares, "--", script]

    def run(self):
        began = time.monotonic()
        with (
            open(f"{self.directory}/stdout", "wb") as stdout,
            open(f"{self.directory}/stderr", "wb") as stderr,
            subprocess.Popen(
                self._argv, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            ) as self._process,
        ):
            try:
                self.status = self._process.wait(SECONDS + 120)
            finally:
                self._process.terminate()
                self.seconds = time.monotonic() - began
        for line in self.read("report").splitlines():
            report = json.loads(line)
            self._phases.setdefault(report["test"], []).append(report)
        return self

    def stop(self):
        if self._process:
            self._process.terminate()

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


class Guests:
    """All that a session needs. They are booted side by side as soon as the first is asked for."""

    def __init__(self, directory, command):
        self._directory, self._command = directory, command
        self._guests, self._of, self._done = [], {}, {}
        self._pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE)

    def add(self, kind, ids, units=(), **options):
        for number, part in enumerate(parts(ids)):
            directory = f"{self._directory}/guest-{kind}-{number}"
            guest = Guest(directory, self._command, part, units=units if number == 0 else (), **options)
            self._guests.append(guest)
            self._of.setdefault((kind, None), guest)
            self._of.update(((kind, id_), guest) for id_ in part)

    def boot(self):
        # Once, and not by two at the same time.
        subprocess.run([f"{REPOSITORY}/tests/vm/prepare", f"{REPOSITORY}/build/vm"], check=True)
        self._done = {guest: self._pool.submit(guest.run) for guest in self._guests}

    def of(self, kind, id_=None):
        """The guest that a test was for, or the first of that kind, when it is done."""
        return self._done[self._of[kind, id_]].result()

    def summary(self):
        """A line for each: how long it took."""
        names = [os.path.basename(one.directory) for one in self._guests]
        return [f"{name}: {len(one.ids)} tests in {one.seconds:.0f} s" for name, one in zip(names, self._guests)]

    def close(self):
        self._pool.shutdown(wait=False, cancel_futures=True)
        for guest in self._guests:
            guest.stop()
        self._pool.shutdown()
