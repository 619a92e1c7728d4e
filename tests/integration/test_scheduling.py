# SPDX-License-Identifier: Apache-2.0
"""How the container's processes get time and memory from the kernel: scheduler, I/O priority, CPUs, memory nodes.

What the kernel says of a process is read from outside, with util-linux's commands.
"""

import json
import os
import re
import subprocess

import pytest

pytestmark = pytest.mark.ours

CPUS = sorted(os.sched_getaffinity(0))
TWO_CPUS = pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")


def said_of(pid, *command):
    return subprocess.run([*command, "-p", str(pid)], capture_output=True, text=True, timeout=20, check=True).stdout


@pytest.fixture
def running(container):
    return container("sleep", "100").up()


@pytest.fixture
def document(workdir):
    """Writes an exec's process document; its path."""

    def write(*args, **fields):
        path = f"{workdir}/process.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"args": list(args), "cwd": "/", "env": ["PATH=/bin"], **fields}, file)
        return path

    return write


def exec_pid(made, path, workdir):
    """Starts a process by its document; its pid."""
    made.runtime.ok("exec", "--detach", "--pid-file", f"{workdir}/exec.pid", "--process", path, made.id)
    with open(f"{workdir}/exec.pid", encoding="utf-8") as file:
        return int(file.read())


# ---- scheduler ----

SCHEDULERS = [
    ({"policy": "SCHED_OTHER", "nice": 7}, "SCHED_OTHER", "0"),
    ({"policy": "SCHED_OTHER", "nice": -11}, "SCHED_OTHER", "0"),
    ({"policy": "SCHED_BATCH", "nice": 19}, "SCHED_BATCH", "0"),
    ({"policy": "SCHED_IDLE"}, "SCHED_IDLE", "0"),
    ({"policy": "SCHED_FIFO", "priority": 10}, "SCHED_FIFO", "10"),
    ({"policy": "SCHED_RR", "priority": 99}, "SCHED_RR", "99"),
    ({"policy": "SCHED_RR", "priority": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, "SCHED_RR|SCHED_RESET_ON_FORK", "5"),
    (
        {"policy": "SCHED_DEADLINE", "runtime": 10_000_000, "deadline": 50_000_000, "period": 100_000_000},
        "SCHED_DEADLINE",
        "0",
    ),
    (
        {
            "policy": "SCHED_DEADLINE",
            "runtime": 10_000_000,
            "deadline": 100_000_000,
            "period": 100_000_000,
            "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"],
        },
        "SCHED_DEADLINE|SCHED_RESET_ON_FORK",
        "0",
    ),
]


def assert_scheduled(pid, scheduler, policy, priority):
    text = said_of(pid, "chrt")
    assert re.search(r"scheduling policy: (\S+)", text)[1] == policy
    assert re.search(r"scheduling priority: (\S+)", text)[1] == priority
    if "runtime" in scheduler:
        found = re.search(r"parameters: (\d+)/(\d+)/(\d+)", text)
        assert [int(n) for n in found.groups()] == [scheduler[key] for key in ("runtime", "deadline", "period")]
    if "nice" in scheduler:
        assert os.getpriority(os.PRIO_PROCESS, pid) == scheduler["nice"]


@pytest.fixture
def realtime(container):
    """A container that may have realtime processes; by groups (CONFIG_RT_GROUP_SCHED) each needs a share."""
    made = container("sleep", "100")
    if os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"):
        made.bundle.resources["cpu"] = {"realtimeRuntime": 10_000, "realtimePeriod": 1_000_000}
    return made


@pytest.mark.parametrize("scheduler, policy, priority", SCHEDULERS)
def test_the_scheduler_of_the_first_process(realtime, scheduler, policy, priority):
    realtime.bundle.process["scheduler"] = scheduler
    realtime.up()
    assert_scheduled(realtime.pid, scheduler, policy, priority)


@pytest.mark.parametrize("scheduler, policy, priority", SCHEDULERS)
def test_the_scheduler_of_an_exec(realtime, document, workdir, scheduler, policy, priority):
    realtime.up()
    pid = exec_pid(realtime, document("sleep", "100", scheduler=scheduler), workdir)
    assert_scheduled(pid, scheduler, policy, priority)
    assert "SCHED_OTHER" in said_of(realtime.pid, "chrt")


@pytest.mark.parametrize(
    "scheduler, word",
    [
        ({"policy": "SCHED_OTHER", "priority": 1}, "process.scheduler.priority"),
        ({"policy": "SCHED_OTHER", "runtime": 1}, "process.scheduler"),
        ({"policy": "SCHED_OTHER", "nice": 20}, "process.scheduler.nice"),
        ({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NO"]}, "process.scheduler.flags[0]"),
        ({"policy": "SCHED_NO"}, "process.scheduler.policy"),
        ({}, "process.scheduler.policy"),
        ({"policy": "SCHED_FIFO", "priority": 100}, "process.scheduler: Failed to set SCHED_FIFO"),
        ({"policy": "SCHED_DEADLINE", "runtime": 9, "deadline": 8, "period": 7}, "SCHED_DEADLINE"),
    ],
)
def test_a_scheduler_that_cannot_be(container, scheduler, word):
    made = container("true")
    made.bundle.process["scheduler"] = scheduler
    made.run().assert_refused(word)


# ---- I/O priority ----

PRIORITIES = [
    ({"class": "IOPRIO_CLASS_RT", "priority": 3}, "realtime: prio 3"),
    ({"class": "IOPRIO_CLASS_BE", "priority": 6}, "best-effort: prio 6"),
    ({"class": "IOPRIO_CLASS_IDLE", "priority": 0}, "idle"),
]


@pytest.mark.parametrize("priority, words", PRIORITIES)
def test_the_io_priority_of_the_first_process(container, priority, words):
    made = container("sleep", "100")
    made.bundle.process["ioPriority"] = priority
    made.up()
    assert said_of(made.pid, "ionice").strip() == words


@pytest.mark.parametrize("priority, words", PRIORITIES)
def test_the_io_priority_of_an_exec(running, document, workdir, priority, words):
    pid = exec_pid(running, document("sleep", "100", ioPriority=priority), workdir)
    assert said_of(pid, "ionice").strip() == words


@pytest.mark.parametrize("priority", [{"class": "IOPRIO_CLASS_NO", "priority": 1}, {"class": "IOPRIO_CLASS_BE", "priority": 8}])
def test_an_io_priority_that_cannot_be(container, priority):
    made = container("true")
    made.bundle.process["ioPriority"] = priority
    made.run().assert_refused("process.ioPriority")


# ---- limits of an exec ----


def test_the_limits_of_an_exec_are_its_own(running, document):
    limits = [{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    path = document("sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -c", rlimits=limits)
    assert running.exec_ok(flags=["--process", path]).split() == ["33", "44", "0"]


# ---- CPUs of an exec ----

ALLOWED = ("grep", "Cpus_allowed_list", "/proc/self/status")


def allowed(text):
    return text.split()[-1]


@TWO_CPUS
def test_the_final_cpus_of_an_exec(running, document):
    for cpu in CPUS[:2]:
        path = document(*ALLOWED, execCPUAffinity={"final": str(cpu)})
        assert allowed(running.exec_ok(flags=["--process", path])) == str(cpu)


@TWO_CPUS
def test_the_final_cpus_hold_whatever_the_initial_ones_were(running, document):
    path = document(*ALLOWED, execCPUAffinity={"initial": str(CPUS[0]), "final": str(CPUS[1])})
    assert allowed(running.exec_ok(flags=["--process", path])) == str(CPUS[1])


@TWO_CPUS
def test_without_final_cpus_those_of_the_container_hold(container, document):
    made = container("sleep", "100")
    made.bundle.resources["cpu"] = {"cpus": f"{CPUS[0]},{CPUS[1]}", "mems": "0"}
    made.up()
    path = document(*ALLOWED, execCPUAffinity={"initial": str(CPUS[0])})
    assert allowed(made.exec_ok(flags=["--process", path])) == allowed(made.exec_ok(*ALLOWED))
    assert allowed(made.exec_ok(*ALLOWED)) != str(CPUS[0])


@TWO_CPUS
def test_the_cpus_of_an_exec_from_config_json(container):
    made = container(*ALLOWED)
    made.bundle.process["execCPUAffinity"] = {"initial": str(CPUS[0]), "final": str(CPUS[1])}
    # It is not for the first process.
    made.bundle.shell(f"{' '.join(ALLOWED)}; sleep 100")
    made.up()
    made.wait_output("Cpus_allowed_list")
    assert allowed(made.output) != str(CPUS[1])
    assert allowed(made.exec_ok(*ALLOWED)) == str(CPUS[1])


@TWO_CPUS
def test_the_initial_cpus_are_those_before_the_cgroup_is_entered(running, document, workdir):
    """By the order of the system calls, since nobody else can look at that moment."""
    path = document("true", execCPUAffinity={"initial": str(CPUS[1])})
    trace = f"{workdir}/trace"
    argv = running.runtime.argv("exec", "--process", path, running.id)
    running.runtime.ok(argv=["strace", "-f", "-o", trace, "-e", "trace=sched_setaffinity,write", *argv])
    with open(trace, encoding="utf-8") as file:
        steps = [line.split(None, 1)[1] for line in file if "sched_setaffinity(" in line or 'write(' in line]
    masks = [i for i, step in enumerate(steps) if step.startswith("sched_setaffinity(")]
    joins = [i for i, step in enumerate(steps) if re.match(r'write\(\d+, "0', step)]
    assert len(masks) == 2 and joins and masks[0] < joins[0] <= joins[-1] < masks[1]


@TWO_CPUS
def test_the_initial_cpus_need_not_be_the_containers(container, document):
    made = container("sleep", "100")
    made.bundle.resources["cpu"] = {"cpus": str(CPUS[0]), "mems": "0"}
    made.up()
    path = document(*ALLOWED, execCPUAffinity={"initial": str(CPUS[1]), "final": str(CPUS[0])})
    assert allowed(made.exec_ok(flags=["--process", path])) == str(CPUS[0])


def confined(made, *args):
    """A command line of the runtime, on the first CPU alone."""
    return ["taskset", "-c", str(CPUS[0]), *made.runtime.argv(*args)]


@TWO_CPUS
def test_what_the_caller_is_confined_to_does_not_hold_in_the_container(container):
    """As runc has it."""
    made = container(*ALLOWED)
    made.bundle.write()
    out = made.runtime.ok(argv=confined(made, "run", "--bundle", made.bundle.path, made.id)).stdout
    assert allowed(out) != str(CPUS[0])


@TWO_CPUS
def test_a_cpuset_holds_whatever_the_caller_is_confined_to(container):
    made = container(shell=f"{' '.join(ALLOWED)}; sleep 100")
    made.bundle.resources["cpu"] = {"cpus": str(CPUS[1]), "mems": "0"}
    made.bundle.write()
    made.runtime.ok(argv=confined(made, "run", "--detach", "--bundle", made.bundle.path, made.id))
    assert allowed(made.exec_ok(*ALLOWED)) == str(CPUS[1])
    assert allowed(made.runtime.ok(argv=confined(made, "exec", made.id, *ALLOWED)).stdout) == str(CPUS[1])


@TWO_CPUS
def test_what_the_caller_is_confined_to_does_not_hold_for_an_exec(running):
    out = running.runtime.ok(argv=confined(running, "exec", running.id, *ALLOWED)).stdout
    assert allowed(out) != str(CPUS[0])


@pytest.mark.parametrize(
    "affinity, word",
    [
        ({"initial": "a"}, "execCPUAffinity.initial"),
        ({"final": "3-1"}, "execCPUAffinity.final"),
        ({"final": "-1"}, "execCPUAffinity.final"),
        ({"initial": "99999999999"}, "execCPUAffinity.initial"),
        ({"final": "8000"}, "process.execCPUAffinity.final: Failed to be on the CPUs \"8000\""),
        ({"initial": "8000"}, "process.execCPUAffinity.initial: Failed to be on the CPUs \"8000\""),
    ],
)
def test_cpus_that_cannot_be(running, document, affinity, word):
    result = running.exec(flags=["--process", document("true", execCPUAffinity=affinity)])
    result.assert_refused(word)


def test_cpus_that_are_no_list_are_refused_by_create(container):
    made = container("true")
    made.bundle.process["execCPUAffinity"] = {"initial": "0-"}
    made.run().assert_refused("process.execCPUAffinity.initial")


# ---- memory policy ----

POLICY = "head -n 1 /proc/self/numa_maps | cut -d ' ' -f 2"


def has_numa():
    return os.path.exists("/proc/self/numa_maps")


NUMA = pytest.mark.skipif(not has_numa(), reason="this kernel knows no memory nodes (CONFIG_NUMA)")


@NUMA
@pytest.mark.parametrize(
    "policy, words",
    [
        ({"mode": "MPOL_DEFAULT"}, "default"),
        ({"mode": "MPOL_LOCAL"}, "local"),
        ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
        ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
        ({"mode": "MPOL_BIND", "nodes": " 0, "}, "bind:0"),
        ({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}, "interleave=relative:0"),
        ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
        ({"mode": "MPOL_PREFERRED"}, "local"),
        ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, r"prefer \(many\):0|prefer"),
    ],
)
def test_the_memory_policy(container, policy, words):
    made = container(shell=POLICY)
    made.bundle.linux["memoryPolicy"] = policy
    assert re.fullmatch(words, made.run_ok().strip())


@NUMA
def test_exec_has_the_memory_policy(container):
    made = container("sleep", "100")
    made.bundle.linux["memoryPolicy"] = {"mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}
    made.up()
    assert made.exec_ok("sh", "-c", POLICY).strip() == "prefer=static:0"


@NUMA
def test_nodes_that_are_not_there(container):
    made = container("true")
    made.bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "1000"}
    made.run().assert_refused("linux.memoryPolicy", "invalid argument")


@pytest.mark.parametrize(
    "policy, words",
    [
        ({}, "linux.memoryPolicy.mode: .*invalid memory policy mode"),
        ({"nodes": "0-7"}, "invalid memory policy mode"),
        ({"mode": "INTERLEAVE", "nodes": "0"}, "invalid memory policy mode"),
        ({"mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["badflag"]}, r"flags\[0\]: .*invalid memory policy flag"),
        ({"mode": "MPOL_DEFAULT", "nodes": "0-7"}, "mode requires 0 nodes but got 8"),
        ({"mode": "MPOL_BIND"}, "linux.memoryPolicy.nodes: MPOL_BIND mode requires nodes"),
        ({"mode": "MPOL_BIND", "nodes": "0-9876543210"}, "invalid memory policy node"),
    ],
)
def test_a_memory_policy_that_cannot_be(container, policy, words):
    made = container("true")
    made.bundle.linux["memoryPolicy"] = policy
    result = made.run()
    result.assert_refused()
    assert re.search(words, result.stderr)


# ---- personality ----


def test_the_personality(container):
    made = container("uname", "-m")
    made.bundle.linux["personality"] = {"domain": "LINUX32"}
    assert made.run_ok().strip() == "i686"


def test_exec_has_the_personality(container):
    made = container("sleep", "100")
    made.bundle.linux["personality"] = {"domain": "LINUX32"}
    made.up()
    assert made.exec_ok("uname", "-m").strip() == "i686"


@pytest.mark.parametrize("personality, word", [({"domain": "BSD"}, "BSD"), ({"domain": "LINUX", "flags": ["X"]}, "flags")])
def test_a_personality_that_cannot_be(container, personality, word):
    made = container("true")
    made.bundle.linux["personality"] = personality
    made.run().assert_refused("linux.personality", word)


# ---- resctrl ----


@pytest.mark.skipif(os.path.ismount("/sys/fs/resctrl"), reason="needs a host without resctrl")
def test_intel_rdt_is_refused_where_there_is_no_resctrl(container):
    made = container("true")
    made.bundle.linux["intelRdt"] = {"closID": "guaranteed", "schemata": ["L3:0=f"]}
    made.run().assert_refused("linux.intelRdt", "resctrl")
