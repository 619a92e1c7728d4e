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
    "integration/test_cgroup_v2.py::test_a_container_can_not_lift_its_own_limits",
    "integration/test_cgroup_v2.py::test_a_container_killed_for_memory_counts_in_its_events",
    "integration/test_cgroup_v2.py::test_a_pause_is_a_freeze_of_the_cgroup",
    "integration/test_cgroup_v2.py::test_statistics_have_the_pressure",
    "integration/test_cgroup_v2.py::test_the_root_of_a_user_namespace_has_its_cgroup_but_not_its_limits",
    "integration/test_cgroup_v2.py::test_the_weight_of_block_devices",
    "integration/test_cgroup_v2.py::test_who_forks_all_the_time_is_killed_at_once",
    "integration/test_cgroup_v2.py::test_whoever_is_below_is_the_containers_all_the_same",
    "integration/test_cgroups.py",
    "integration/test_checkpoint.py::test_a_counter_goes_on_from_where_it_was",
    "integration/test_restore.py::test_bind_mounts_and_tmpfs_are_there_again",
    "integration/test_restore.py::test_limits_are_there_again",
    "integration/test_restore.py::test_state_exec_kill_and_delete_work_on_a_restored_container",
    "integration/test_delete.py::test_cgroups_that_the_container_made_are_removed_with_it",
    "integration/test_delete.py::test_force_deletes_a_container_that_shares_the_hosts_pid_namespace",
    "integration/test_delete.py::test_the_cgroups_are_gone_when_delete_returns",
    "integration/test_devices.py::test_a_device_with_a_rule_is_allowed",
    "integration/test_devices.py::test_a_device_without_a_rule_is_denied",
    "integration/test_devices.py::test_a_later_rule_wins",
    "integration/test_devices.py::test_a_rule_for_reading_does_not_allow_writing",
    "integration/test_devices.py::test_a_rule_without_a_minor_is_a_wildcard",
    "integration/test_devices.py::test_denying_writing_alone_after_everything_is_allowed",
    "integration/test_devices.py::test_everything_is_allowed_when_asked_for",
    "integration/test_devices.py::test_exec_is_held_to_the_same_rules",
    "integration/test_devices.py::test_the_default_devices_stay_allowed_under_a_deny_all",
    "integration/test_devices.py::test_what_is_denied_after_everything_is_allowed_is_denied",
    "integration/test_events.py::test_a_first_process_killed_for_memory_is_told_before_the_end",
    "integration/test_events.py::test_a_process_killed_for_memory_is_told",
    "integration/test_exec.py::test_cgroup_puts_the_process_into_a_sub_cgroup",
    "integration/test_exec.py::test_exec_follows_a_first_process_that_moved_down_the_tree",
    "integration/test_exec.py::test_the_process_is_in_the_containers_namespaces_and_cgroups",
    "integration/test_kill.py::test_kill_all_reaches_every_process",
    "integration/test_kill.py::test_kill_all_works_after_the_first_process_died_in_a_shared_pid_namespace",
    "integration/test_kill.py::test_sigkill_is_everybodys_in_a_shared_pid_namespace",
    "integration/test_pause.py",
    "integration/test_rootless_cgroups.py::test_a_limit_is_refused_where_processes_are_in_the_way",
    "integration/test_rootless_cgroups.py::test_a_path_in_a_delegated_cgroup",
    "integration/test_rootless_cgroups.py::test_limits_are_set",
    "integration/test_rootless_cgroups.py::test_root_of_a_users_user_namespace",
    "integration/test_rootless_cgroups.py::test_who_starts_more_processes_is_refused",
    "integration/test_rootless_cgroups.py::test_who_takes_more_memory_is_killed_and_that_is_told",
    "integration/test_rootless_cgroups.py::test_without_limits_it_has_a_cgroup_but_no_controllers",
    "integration/test_scheduling.py::test_the_initial_cpus_need_not_be_the_containers",
    "integration/test_update.py::test_memory_and_swap_grow_and_shrink_together",
    "integration/test_update.py::test_unified_settings",
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
    "integration/test_systemd_cgroup.py::test_a_create_that_fails_leaves_no_scope[hook]",
    "integration/test_systemd_cgroup.py::test_annotations_are_properties_of_the_scope",
    "integration/test_systemd_cgroup.py::test_limits_are_properties_and_files",
    "integration/test_systemd_cgroup.py::test_nothing_is_left_after_delete",
    "integration/test_systemd_cgroup.py::test_the_container_is_in_a_scope_of_its_own",
    "integration/test_systemd_cgroup.py::test_update_sets_both",
    "integration/test_systemd_user.py::test_exec_joins_the_scope_from_outside",
    "integration/test_systemd_user.py::test_limits_are_set_and_updated",
)

ALL = os.environ.get("RUNLXC_TESTS_VM") == "all"
SECONDS = 1800 if ALL else 420  # how long a guest may take
PART = 350  # tests in one guest, or a file more
SIDE_BY_SIDE = 1  # two at once take longer on two processors than one after the other (272 s for 239 s)

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
    """All that a session needs, booted one after the other as soon as the first is asked for."""

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
