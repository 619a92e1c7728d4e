# SPDX-License-Identifier: Apache-2.0
"""Every failure point of a start, forced one by one (strace injects an error, or a SIGKILL, at one system call of
the command at a time): one line that says what failed, a status that isn't 0, and nothing left."""

import contextlib
import os
import re
import shutil
import signal
import subprocess

import pytest

from lib import system
from lib.runtime import Command

pytestmark = [
    pytest.mark.ours,
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed"),
]

# What can't fail, what doesn't matter when it does, and what a failure of means that it wasn't done at all (close).
PASSED_OVER = {
    *("access", "arch_prctl", "brk", "close", "execve", "exit_group", "getegid", "geteuid", "getpid", "gettid"),
    *("getuid", "getrandom", "mprotect", "munmap", "rseq", "rt_sigaction", "rt_sigprocmask", "set_robust_list"),
    *("set_tid_address", "futex", "kill", "wait4", "sigaltstack", "capget", "clock_gettime"),
}
# How many system calls to go on by from one try to the next; 1 tries every one.
STEP = int(os.environ.get("RUNLXC_TESTS_FAILURE_STEP", "3"))


def trace(runtime, log, *args, inject=None):
    """Runs the command under strace, itself and not its children."""
    flags = ["-qq", "-o", log]
    flags += ["-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}"] if inject else ["-e", "trace=all"]
    return runtime(*args, argv=["strace", *flags, *runtime.argv(*args)])


def calls_of(runtime, log, *args):
    """The system calls of a command that works, in order, each with its number among those of its name. Those of
    the loader, before the program begins, are not ours."""
    result = trace(runtime, log, *args)
    assert result.returncode == 0, result
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if re.match(r"[a-z0-9_]+\(", line)]
    counts, calls, begun = {}, [], False
    for line in lines:
        name = line.partition("(")[0]
        counts[name] = counts.get(name, 0) + 1
        begun = begun or name in ("socketpair", "memfd_create", "prlimit64")
        if begun and name not in PASSED_OVER and "LOCK_UN" not in line and not (name == "mmap" and counts[name] < 4):
            calls.append((name, counts[name]))
    return calls


def cgroups_of(id_):
    return [path for top in system.cgroup_hierarchies().values() for path in [f"{top}/lxc.payload.{id_}"] if os.path.exists(path)]


def assert_nothing_left(made):
    system.wait_until(
        lambda: not made.exists and not cgroups_of(made.id),
        f"nothing left of {made.id}: {os.listdir(made.runtime.root)}, {cgroups_of(made.id)}",
    )


@pytest.fixture
def made(container):
    made = container("echo", "ran")
    made.bundle.write()
    return made


def verb(made, name):
    return name, "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id


@pytest.mark.parametrize("name", ["create", "run"])
def test_D41_each_system_call_failing(made, workdir, name):
    log = f"{workdir}/strace"
    calls = calls_of(made.runtime, log, *verb(made, name))
    assert len(calls) > 100, "hardly any system call was seen"
    made.runtime.ok("delete", "--force", made.id)
    failed = 0
    for call, number in calls[::STEP]:
        result = trace(made.runtime, log, *verb(made, name), inject=f"{call}:error=ENOMEM:when={number}")
        where = f"{call} number {number}: {result}"
        if result.returncode == 0:
            # It went on without; then it is a container like any other.
            made.runtime.ok("delete", "--force", made.id)
        elif "ran" in result.stdout:
            # Not the start failed, but what comes behind the end: that the next command does.
            made.runtime.ok("delete", "--force", made.id)
        else:
            failed += 1
            lines = [line for line in result.stderr.splitlines() if "strace:" not in line]
            assert len(lines) == 1 and lines[0].startswith("runlxc: "), where
            assert result.returncode == 1, where
        assert_nothing_left(made)
    assert failed > len(calls[::STEP]) / 4, f"{failed} of {len(calls[::STEP])} failures were noticed"


@pytest.mark.parametrize("name", ["create", "run"])
def test_D41_killed_at_each_system_call(made, workdir, name):
    log = f"{workdir}/strace"
    calls = calls_of(made.runtime, log, *verb(made, name))
    made.runtime.ok("delete", "--force", made.id)
    for call, number in calls[::STEP]:
        result = trace(made.runtime, log, *verb(made, name), inject=f"{call}:signal=KILL:when={number}")
        assert result.returncode in (0, 137, -signal.SIGKILL), f"{call} number {number}: {result}"
        made.runtime.ok("delete", "--force", made.id)
        assert_nothing_left(made)


@pytest.fixture
def taken(made, cgroup_parent):
    """A container whose cgroup somebody has made before."""
    made.bundle.config["linux"]["cgroupsPath"] = f"{cgroup_parent}/c"
    made.bundle.write()
    return made


def make_cgroup(path):
    for top in system.cgroup_hierarchies().values():
        os.makedirs(f"{top}{path}", exist_ok=True)


def cgroups_in(path):
    return {name for top in system.cgroup_hierarchies().values() for name in os.listdir(f"{top}{path}") if os.path.isdir(f"{top}{path}/{name}")}


@pytest.mark.parametrize("what", ["error=ENOMEM", "signal=KILL"])
def test_D41_where_the_cgroup_is_there_already(taken, workdir, cgroup_parent, what):
    log = f"{workdir}/strace"
    make_cgroup(f"{cgroup_parent}/c")
    calls = calls_of(taken.runtime, log, *verb(taken, "create"))
    taken.runtime.ok("delete", "--force", taken.id)
    assert not cgroups_in(cgroup_parent)
    # While it is compared in every hierarchy with one made for that, and removed.
    made_at = [index for index, call in enumerate(calls) if call[0] in ("mkdirat", "unlinkat")]
    window = calls[made_at[0] : made_at[-1] + 12]
    chosen = [call for index, call in enumerate(window) if call[0] in ("mkdirat", "unlinkat", "renameat") or index % (4 * STEP) == 0]
    assert len([call for call in chosen if call[0] == "mkdirat"]) > 1, "nothing is compared"  # the first is the container's directory
    for call, number in chosen:
        make_cgroup(f"{cgroup_parent}/c")
        trace(taken.runtime, log, *verb(taken, "create"), inject=f"{call}:{what}:when={number}")
        if what.startswith("error"):
            assert cgroups_in(cgroup_parent) <= {"c"}, f"{call} number {number}"
        taken.runtime.ok("delete", "--force", taken.id)
        assert cgroups_in(cgroup_parent) <= {"c"}, f"{call} number {number}"
        assert_nothing_left(taken)


def test_D41_each_system_call_of_a_delete_failing(made, workdir):
    log = f"{workdir}/strace"
    made.runtime.ok(*verb(made, "create"))
    calls = calls_of(made.runtime, log, "delete", "--force", made.id)
    for call, number in calls[::STEP]:
        made.runtime.ok(*verb(made, "create"))
        trace(made.runtime, log, "delete", "--force", made.id, inject=f"{call}:error=EIO:when={number}")
        # Whatever became of it, the next one does the rest.
        made.runtime.ok("delete", "--force", made.id)
        assert_nothing_left(made)


@pytest.mark.parametrize("name", ["mount", "pivot_root", "openat2", "move_mount", "setns", "sethostname", "clone", "mkdirat"])
def test_D41_a_system_call_of_lxc_or_init_failing(made, workdir, name):
    """The children are traced, too: in one of them the call fails for the first time."""
    log = f"{workdir}/strace"
    argv = made.runtime.argv(*verb(made, "run"))
    seen = made.runtime(argv=["strace", "-f", "-qq", "-o", log, "-e", f"trace={name}", *argv])
    assert seen.returncode == 0, seen
    if os.path.getsize(log) == 0:
        pytest.skip(f"no process of a start calls {name} here")
    inject = f"inject={name}:error=EPERM"
    made.runtime(argv=["strace", "-f", "-qq", "-o", log, "-e", f"trace={name}", "-e", inject, *argv])
    assert_nothing_left(made)


@pytest.mark.parametrize("flags", [(), ("--lxc-monitor",)], ids=["", "kept"])
def test_D41_what_lxc_has_removed_is_not_removed_again(made, workdir, flags):
    """Another create may have made it since: by its path it can't be told from ours."""
    log = f"{workdir}/strace"
    made.bundle.mount("/mnt", "none", kind="nofs")
    made.bundle.write()
    argv = made.runtime.argv(*verb(made, "run"), *flags)
    result = made.runtime(argv=["strace", "-f", "-qq", "-o", log, "-e", "trace=unlinkat,rmdir", *argv])
    result.assert_refused("mounts[", "nofs")
    with open(log, encoding="utf-8", errors="replace") as file:
        removed = [line for line in file if f"lxc.payload.{made.id}" in line]
    assert removed and all(line.rstrip().endswith("= 0") for line in removed), "".join(removed)
    assert_nothing_left(made)


@pytest.mark.parametrize("flags", [(), ("--lxc-monitor",)], ids=["", "kept"])
def test_D41_lxcs_child_goes_with_a_monitor_that_is_killed_before_it_sends(made, workdir, flags):
    """It holds both ends of the socket from which it reads: strace holds the monitor up there."""
    unified = system.cgroup_hierarchies().get("")
    if not unified:
        pytest.skip("who is cloned is not in the container's cgroup at once without cgroup v2")
    members = f"{unified}/lxc.payload.{made.id}/cgroup.procs"
    argv = made.runtime.argv(*verb(made, "run"), "--detach", *flags)
    inject = ["-e", "trace=sendmsg", "-e", "inject=sendmsg:delay_enter=400000"]

    def is_cloned():
        with contextlib.suppress(FileNotFoundError, OSError), open(members, encoding="ascii") as file:
            return bool(file.read())
        return False

    with Command(
        ["strace", "-f", "-qq", "-o", f"{workdir}/strace", *inject, *argv],
        stdin=subprocess.DEVNULL, env=made.runtime.environment,
    ) as strace:
        system.wait_until(is_cloned, "LXC's child is there")
        with open(f"/proc/{strace.pid}/task/{strace.pid}/children", encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        made.runtime.ok("delete", "--force", made.id)
        assert_nothing_left(made)
        strace.wait(20)
