# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp: actions, conditions, architectures, flags, calls that nobody knows; Docker's profile."""

import errno
import json
import os
import signal

import pytest

from lib import calls, system

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the programs are x86's")

KILLED = 128 + 31  # SIGSYS
FILTERED = errno.EXFULL
LSEEK, BPF = 8, 321  # x86-64's numbers; x32 has the same and a bit
X32 = 0x40000000
OLD_LSEEK = 19  # i386's
BEYOND = 999


@pytest.fixture
def filtered(container):
    """Runs programs that make one call each, and returns their exit statuses: error numbers, or what killed them."""

    def run(seccomp, *programs):
        made = container()
        calls.put(made.bundle, *programs)
        made.bundle.linux["seccomp"] = seccomp
        return [int(line) for line in made.run_ok().split()]

    return run


def rule(*names, action="SCMP_ACT_ERRNO", args=None, **more):
    if action == "SCMP_ACT_ERRNO":
        more.setdefault("errnoRet", FILTERED)
    return {"names": names, "action": action, **more, **({"args": args} if args else {})}


def allowing(*rules, **more):
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules, **more}


def dockers():
    path = os.path.join(os.path.dirname(__file__), "../data/engines/docker26-config-1.json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)["linux"]["seccomp"]


# lseek(2) of a descriptor that is none: EBADF where it is let through, whatever its arguments.


def lseek(offset=0, whence=0, fd=999):
    return calls.x86_64(LSEEK, fd, offset, whence)


# ---- actions ----


@pytest.mark.parametrize(
    "action, status",
    [
        ("SCMP_ACT_ALLOW", errno.EBADF),
        ("SCMP_ACT_LOG", errno.EBADF),
        ("SCMP_ACT_ERRNO", errno.EPERM),
        ("SCMP_ACT_TRACE", errno.ENOSYS),  # there is no tracer
        ("SCMP_ACT_TRAP", KILLED),
        ("SCMP_ACT_KILL", KILLED),
        ("SCMP_ACT_KILL_THREAD", KILLED),
        ("SCMP_ACT_KILL_PROCESS", KILLED),
    ],
)
def test_every_action(filtered, action, status):
    assert filtered(allowing({"names": ["lseek"], "action": action}), lseek()) == [status]


@pytest.mark.parametrize("number", [0, 1, 38, 255])
def test_an_error_number_of_the_profiles(filtered, number):
    assert filtered(allowing(rule("lseek", errnoRet=number)), lseek()) == [number]


def test_the_largest_error_number_is_libseccomps(container, filtered):
    assert filtered(allowing(rule("lseek", errnoRet=4094)), lseek()) == [4094 & 0xFF]
    made = container("true")
    made.bundle.linux["seccomp"] = allowing(rule("lseek", errnoRet=4095))
    made.run().assert_refused("linux.seccomp.syscalls[0].errnoRet", "4094")


def test_a_default_with_an_error_number(filtered):
    profile = dockers() | {"defaultErrnoRet": FILTERED}
    profile["syscalls"] = [{**r, "names": [n for n in r["names"] if n != "lseek"]} for r in profile["syscalls"]]
    assert filtered(profile, lseek()) == [FILTERED]


@pytest.mark.ours
def test_an_error_number_for_an_action_that_has_none(container):
    made = container("true")
    made.bundle.linux["seccomp"] = allowing({"names": ["lseek"], "action": "SCMP_ACT_KILL", "errnoRet": 1})
    made.run().assert_refused("linux.seccomp.syscalls[0].errnoRet")


# ---- conditions ----

BIG = 1 << 40


@pytest.mark.parametrize(
    "op, value, hits, misses",
    [
        ("SCMP_CMP_EQ", 5, [5], [4, 6, BIG + 5]),
        ("SCMP_CMP_NE", 5, [4, 6, BIG + 5], [5]),
        ("SCMP_CMP_LT", 5, [0, 4], [5, 6, BIG]),
        ("SCMP_CMP_LE", 5, [0, 5], [6, BIG]),
        ("SCMP_CMP_GT", 5, [6, BIG], [0, 5]),
        ("SCMP_CMP_GE", 5, [5, BIG], [0, 4]),
        ("SCMP_CMP_EQ", BIG, [BIG], [0, BIG + 1]),
        ("SCMP_CMP_GE", BIG, [BIG, 2 * BIG], [BIG - 1, 5]),
        ("SCMP_CMP_LT", BIG, [BIG - 1], [BIG]),
        ("SCMP_CMP_EQ", 2**64 - 1, [2**64 - 1], [2**32 - 1, 0]),
    ],
)
def test_every_operator(filtered, op, value, hits, misses):
    profile = allowing(rule("lseek", args=[{"index": 1, "value": value, "op": op}]))
    found = filtered(profile, *map(lseek, hits + misses))
    assert found == [FILTERED] * len(hits) + [errno.EBADF] * len(misses)


def test_the_masked_operator(filtered):
    """value is the mask, valueTwo what it is compared with."""
    args = [{"index": 1, "value": BIG | 0xF0, "valueTwo": 0x50, "op": "SCMP_CMP_MASKED_EQ"}]
    found = filtered(allowing(rule("lseek", args=args)), *map(lseek, [0x50, 0x5F, 0x150, 0x60, BIG | 0x50]))
    assert found == [FILTERED] * 3 + [errno.EBADF] * 2


def test_conditions_on_several_arguments_must_all_hold(filtered):
    args = [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 7, "op": "SCMP_CMP_EQ"}]
    found = filtered(allowing(rule("lseek", args=args)), lseek(5, 7), lseek(5, 1), lseek(1, 7))
    assert found == [FILTERED, errno.EBADF, errno.EBADF]


def test_of_conditions_on_one_argument_any_is_enough(filtered):
    """As with runc."""
    args = [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}]
    found = filtered(allowing(rule("lseek", args=args)), lseek(5), lseek(7), lseek(6))
    assert found == [FILTERED, FILTERED, errno.EBADF]


# ---- architectures ----

ALL_THREE = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]


def test_a_32_bit_program(filtered):
    program = calls.i386(OLD_LSEEK, 999, 0, 0)
    assert filtered(allowing(rule("getpgrp"), architectures=ALL_THREE), program) == [errno.EBADF]
    assert filtered(allowing(rule("lseek"), architectures=ALL_THREE), program) == [FILTERED]


@pytest.mark.parametrize("architectures", [["SCMP_ARCH_X86_64"], []], ids=["another", "none"])
def test_an_architecture_that_is_not_listed_kills(filtered, architectures):
    profile = allowing(rule("getpgrp"), architectures=architectures)
    found = filtered(profile, calls.i386(OLD_LSEEK, 999, 0, 0), calls.x86_64(X32 | LSEEK, 999), lseek())
    assert found == [KILLED, KILLED, errno.EBADF]


def test_x32s_calls_are_filtered_too(filtered):
    """As a rule on x86-64's number alone they would be the way round it."""
    profile = allowing(rule("lseek"), architectures=ALL_THREE)
    assert filtered(profile, calls.x86_64(X32 | LSEEK, 999), lseek()) == [FILTERED, FILTERED]


# ---- calls that nobody knows ----


def test_an_allowlist_makes_calls_beyond_it_absent(filtered):
    """So that a program does without a call that is newer than the profile: EPERM would break it."""
    found = filtered(
        dockers(),
        *(calls.x86_64(BEYOND), calls.x86_64(X32 | BEYOND), calls.i386(BEYOND)),
        calls.x86_64(BPF, 0, 0, 0),  # which the profile names, for those with a capability
        calls.i386(OLD_LSEEK, 999),
    )
    assert found == [errno.ENOSYS] * 3 + [errno.EPERM, errno.EBADF]


def test_also_where_the_default_is_to_kill(filtered):
    profile = dockers() | {"defaultAction": "SCMP_ACT_KILL_PROCESS"}
    del profile["defaultErrnoRet"]
    assert filtered(profile, calls.x86_64(BEYOND), calls.x86_64(BPF, 0, 0, 0)) == [errno.ENOSYS, KILLED]


# ---- every process has the filter ----


@pytest.mark.parametrize("no_new_privs", [True, False])
def test_hooks_in_the_container_and_execs_have_the_filter(container, no_new_privs):
    made = container(shell="grep Seccomp: /proc/self/status; sleep 100")
    made.bundle.linux["seccomp"] = allowing(rule("mkdir", "mkdirat"))
    made.bundle.process["noNewPrivileges"] = no_new_privs
    hook = {"path": "/bin/sh", "args": ["sh", "-c", "grep -q 'Seccomp:.2' /proc/self/status && ! mkdir /dev/shm/x"]}
    made.bundle.config["hooks"] = {"startContainer": [hook]}
    made.up()
    made.wait_output("2")
    assert made.exec_ok("grep", "Seccomp:", "/proc/self/status").split() == ["Seccomp:", "2"]
    assert "Exchange full" in made.exec("mkdir", "/dev/shm/x").stderr
    assert system.process_status(made.pid)["Seccomp_filters"] == "1"


def test_a_profile_of_no_rules(container):
    made = container("true")
    made.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_LOG", "architectures": ALL_THREE}
    made.run_ok()


@pytest.mark.ours
@pytest.mark.parametrize("no_new_privs", [True, False])
@pytest.mark.parametrize("action", ["SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"])
def test_a_profile_that_refuses_even_to_exit(container, action, no_new_privs):
    """What would start the program ends all the same."""
    made = container("true")
    made.bundle.linux["seccomp"] = {"defaultAction": action}
    made.bundle.process["noNewPrivileges"] = no_new_privs
    assert made.run().returncode in (128 + signal.SIGILL, 128 + signal.SIGTRAP)  # as the processor has it


# ---- flags ----


@pytest.mark.ours
@pytest.mark.parametrize(
    "flags, bits",
    [
        (None, 4),  # runc's default
        ([], 0),
        (["SECCOMP_FILTER_FLAG_LOG"], 2),
        (["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], 4),
        (["SECCOMP_FILTER_FLAG_TSYNC"], 0),
        (["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], 6),
    ],
)
def test_flags(container, flags, bits):
    """As the kernel knows them; that it takes them shows in that the container runs."""
    made = container("mkdir", "/dev/shm/x")
    made.bundle.linux["seccomp"] = allowing(rule("mkdir", "mkdirat"))
    if flags is not None:
        made.bundle.linux["seccomp"]["flags"] = flags
    made.runtime.global_flags.append("--debug")
    result = made.run()
    assert f"seccomp filter flags: {bits}" in result.stderr
    assert "Exchange full" in result.stderr


@pytest.mark.ours
def test_every_flag_that_features_calls_supported_is(container, runtime):
    features = json.loads(runtime.ok("features").stdout)["linux"]["seccomp"]
    assert set(features["supportedFlags"]) <= set(features["knownFlags"])
    assert "SCMP_ACT_NOTIFY" in features["actions"]
    made = container("true")
    made.bundle.linux["seccomp"] = allowing(rule("mkdir"), flags=features["supportedFlags"])
    made.run_ok()


def test_a_flag_that_is_not_known(container):
    made = container("true")
    made.bundle.linux["seccomp"] = allowing(flags=["SECCOMP_FILTER_FLAG_NEW_LISTENER"])
    made.run().assert_refused("SECCOMP_FILTER_FLAG_NEW_LISTENER")
