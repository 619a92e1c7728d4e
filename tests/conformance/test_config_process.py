# SPDX-License-Identifier: Apache-2.0
"""config.md: process."""

import os
import resource

import pytest

from clauses import clause


@clause("process-consoleSize")
@pytest.mark.parametrize("terminal", [False, None])
def test_the_console_size_is_ignored_without_a_terminal(container, terminal):
    made = container(shell="test -t 0 || echo none")
    made.bundle.process["consoleSize"] = {"height": 10, "width": 20}
    if terminal is None:
        del made.bundle.process["terminal"]
    assert made.run_ok() == "none\n"


@clause("process-cwd")
@pytest.mark.parametrize("cwd", ["tmp", "./tmp", "", None], ids=repr)
def test_a_working_directory_that_is_not_absolute_is_an_error(container, refused, cwd):
    made = container("true")
    made.bundle.process["cwd"] = cwd
    refused(made)


@clause("process-cwd")
def test_the_working_directory(container):
    made = container("pwd")
    made.bundle.process["cwd"] = "/usr/bin"
    assert made.run_ok() == "/usr/bin\n"


@clause("process-env")
def test_the_environment_is_as_given(container):
    made = container("env")
    given = ["PATH=/bin", "HOME=/h", "EMPTY=", "TWO=a b=c", "lower=x"]
    made.bundle.process["env"] = given
    assert sorted(made.run_ok().splitlines()) == sorted(given)


@clause("process-args")
@pytest.mark.parametrize("args", [[], None, [""]], ids=repr)
def test_without_a_program_it_is_an_error(container, refused, args):
    made = container("true")
    made.bundle.process["args"] = args
    refused(made)


@clause("process-args")
@pytest.mark.parametrize("path, runs", [("/bin", True), ("/nowhere:/bin", True), ("/nowhere", False)])
def test_a_program_without_a_slash_is_looked_for_in_the_path(container, path, runs):
    made = container("echo", "ran")
    made.bundle.process["env"] = [f"PATH={path}"]
    result = made.run()
    assert (result.returncode == 0) == runs and (result.stdout == "ran\n") == runs


@clause("process-args")
def test_a_program_with_a_slash_is_not_looked_for(container):
    made = container("./busybox", "echo", "ran")
    made.bundle.process.update(cwd="/bin", env=["PATH=/nowhere"])
    assert made.run_ok() == "ran\n"


# ---- rlimits ----

NAMES = [name.removeprefix("RLIMIT_") for name in dir(resource) if name.startswith("RLIMIT_")]
NAMES = sorted(set(NAMES) - {"OFILE"})


@clause("rlimits-type")
@pytest.mark.parametrize("name", ["RLIMIT_NOSUCH", "NOFILE", "rlimit_nofile", ""], ids=repr)
def test_a_limit_that_the_kernel_does_not_know_is_an_error(container, refused, name):
    made = container("true")
    made.bundle.process["rlimits"] = [{"type": name, "soft": 1, "hard": 1}]
    refused(made)


@clause("rlimits-getrlimit", "rlimits-soft", "rlimits-hard")
@pytest.mark.parametrize("name", NAMES)
def test_a_limit_is_as_configured(container, name):
    number = getattr(resource, f"RLIMIT_{name}")
    soft, hard = {"NPROC": (500, 600), "NOFILE": (100, 200)}.get(name, (1 << 26, 1 << 27))
    own = resource.getrlimit(number)[1]
    if own not in (-1, resource.RLIM_INFINITY) and own < hard:
        soft, hard = own // 2, own  # more takes CAP_SYS_RESOURCE, which root need not have
    made = container("sleep", "100")
    made.bundle.process["rlimits"] = [{"type": f"RLIMIT_{name}", "soft": soft, "hard": hard}]
    made.up()
    assert resource.prlimit(made.pid, number) == (soft, hard)


@clause("rlimits-soft", "rlimits-hard")
def test_a_limit_may_be_infinite(container):
    made = container("cat", "/proc/self/limits")
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": (1 << 64) - 1}]
    (line,) = [line for line in made.run_ok().splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "unlimited"]


@clause("rlimits-duplicates")
def test_a_limit_that_is_there_twice_is_an_error(container, refused):
    made = container("true")
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": n, "hard": n} for n in (100, 200)]
    refused(made)


# ---- Linux ----


@clause("oomScoreAdj-set")
@pytest.mark.parametrize("score", [0, 123, 1000])
def test_the_oom_score_is_set(container, score):
    made = container("cat", "/proc/self/oom_score_adj")
    made.bundle.process["oomScoreAdj"] = score
    assert made.run_ok() == f"{score}\n"


@clause("oomScoreAdj-unset")
def test_the_oom_score_is_not_changed(container):
    def lower():
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write("77")

    made = container("cat", "/proc/self/oom_score_adj")
    made.bundle.process.pop("oomScoreAdj", None)
    # Nothing else is forked meanwhile.
    assert made.run_ok(preexec_fn=lower) == "77\n"


@clause("scheduler-defaults")
@pytest.mark.parametrize("policy, number", [("SCHED_OTHER", 0), ("SCHED_BATCH", 3), ("SCHED_IDLE", 5)])
def test_what_the_scheduler_is_not_told_is_0(container, policy, number):
    made = container("sleep", "100")
    made.bundle.process["scheduler"] = {"policy": policy}
    made.up()
    assert os.sched_getscheduler(made.pid) == number
    assert os.sched_getparam(made.pid).sched_priority == 0 and os.getpriority(os.PRIO_PROCESS, made.pid) == 0


@clause("scheduler-policy")
@pytest.mark.parametrize("scheduler", [{"nice": 1}, {"policy": ""}, {"policy": "SCHED_NOSUCH"}], ids=repr)
def test_a_scheduler_without_a_policy_is_an_error(container, refused, scheduler):
    made = container("true")
    made.bundle.process["scheduler"] = scheduler
    refused(made)


@clause("ioPriority")
@pytest.mark.parametrize(
    "priority",
    [
        {"priority": 4},
        {"class": "IOPRIO_CLASS_NOSUCH", "priority": 4},
        {"class": "IOPRIO_CLASS_BE", "priority": 8},
        {"class": "IOPRIO_CLASS_BE", "priority": -1},
    ],
    ids=repr,
)
def test_an_io_priority_that_makes_no_sense_is_an_error(container, refused, priority):
    made = container("true")
    made.bundle.process["ioPriority"] = priority
    refused(made)
