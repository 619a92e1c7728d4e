# SPDX-License-Identifier: Apache-2.0
"""--trace FILE: when which process did what, as Chrome trace events."""

import json
import os
import signal
import subprocess

import pytest

from lib import system
from lib.runtime import Command

pytestmark = pytest.mark.ours

INIT, MONITOR = "init", "LXC's monitor"


class Trace:
    """A file that --trace wrote."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.document = json.load(file)
        self.events = self.document["traceEvents"]
        self.complete = [event for event in self.events if event["ph"] == "X"]
        self.pids = {event["args"]["name"]: event["pid"] for event in self.events if event["ph"] == "M"}

    def of(self, title):
        """The events of one process, the one that is all of it first."""
        return [event for event in self.complete if event["pid"] == self.pids[title]]

    def names(self, title):
        return [event["name"] for event in self.of(title)]


@pytest.fixture
def traced(runtime, workdir):
    """Calls the command with --trace; gives its Result and the Trace."""
    path = f"{workdir}/trace.json"

    def call(*args, **popen):
        result = runtime(argv=[runtime.command, *runtime.global_flags, "--trace", path, *map(str, args)], **popen)
        return result, Trace(path)

    call.path = path
    return call


def assert_well_formed(trace):
    """What chrome://tracing asks for, and that one process's events lie in each other or side by side."""
    assert trace.complete and trace.document["otherData"]["dropped"] == 0
    for event in trace.events:
        assert set(event) >= {"name", "ph", "pid", "tid"} and event["pid"] > 0, event
        assert event["ph"] in "XM", event
    for event in trace.complete:
        assert event["name"] and event["ts"] > 0 and event["dur"] >= 0, event
    for title in trace.pids:
        assert_nested(trace.of(title))


def ns(event):
    start = round(event["ts"] * 1000)
    return start, start + round(event["dur"] * 1000)


def assert_nested(events):
    first_start, first_end = ns(events[0])
    open_ends = [first_end]
    last = first_start
    for event in events[1:]:
        start, end = ns(event)
        assert start >= last, f"not in order: {event}"
        last = start
        while open_ends and start >= open_ends[-1] and len(open_ends) > 1:
            open_ends.pop()
        assert end <= open_ends[-1], f"it goes on beyond what it is in: {event}"
        open_ends.append(end)


def bundle_of(container, *args):
    made = container(*args)
    made.bundle.write()
    return made


def test_run(traced, container):
    made = bundle_of(container, "sh", "-c", "exit 3")
    made.bundle.mount("/late", "/etc", "bind", "nosuid").writable().write()
    result, trace = traced("run", "--bundle", made.bundle.path, made.id)
    assert result.returncode == 3
    assert_well_formed(trace)
    (whole,) = [event for event in trace.complete if event["name"] == "run"]
    assert whole["args"]["status"] == 3
    # All else happened while the command ran.
    assert all(ns(whole)[0] <= ns(event)[0] and ns(event)[1] <= ns(whole)[1] for event in trace.complete)
    assert "read and check config.json" in trace.names("runlxc run")
    assert "the container runs" in trace.names("runlxc run")
    assert "LXC: start: cgroups" in trace.names(MONITOR)
    # LXC's child is what becomes init: one process.
    assert "LXC's child: change the root" in trace.names(INIT)
    assert "late mounts" in trace.names(INIT)
    assert {"mount": "/late"} in [
        {event["name"]: event["args"]["detail"]} for event in trace.of(INIT) if "detail" in event.get("args", {})
    ]
    assert len(set(trace.pids.values())) == 3


def test_create_and_start_tell_the_pid_of_the_first_process(traced, container):
    made = bundle_of(container, "sleep", "100")
    result, trace = traced("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    assert result.returncode == 0
    assert_well_formed(trace)
    assert trace.pids[INIT] == made.pid
    assert "ready: wait for the command" in trace.names(INIT)
    created = max(ns(event)[1] for event in trace.complete)

    result, trace = traced("start", made.id)
    assert result.returncode == 0
    assert_well_formed(trace)
    assert trace.pids[INIT] == made.pid
    assert trace.names(INIT) == ["init", "user, capabilities, seccomp, execute"]
    # One clock for all files.
    assert min(ns(event)[0] for event in trace.complete) > created


def test_start_is_traced_also_where_create_was_not(traced, container):
    made = container("sleep", "100").create()
    _, trace = traced("start", made.id)
    assert trace.pids[INIT] == made.pid


def test_exec(traced, container, workdir):
    made = container("sleep", "100").up()
    result, trace = traced("exec", "--pid-file", f"{workdir}/exec.pid", made.id, "true")
    assert result.returncode == 0
    assert_well_formed(trace)
    with open(f"{workdir}/exec.pid", encoding="utf-8") as file:
        assert trace.pids[INIT] == int(file.read())
    assert trace.pids["exec, on its way in"] not in (trace.pids[INIT], trace.pids["runlxc exec"])
    assert "join the namespaces" in trace.names("exec, on its way in")
    assert "prepare the process" in trace.names(INIT)
    assert "the program runs" in trace.names("runlxc exec")


def test_delete(traced, container):
    made = container("true").create()
    result, trace = traced("delete", made.id)
    assert result.returncode == 0
    assert_well_formed(trace)
    assert "remove the container's directory" in trace.names("runlxc delete")


def test_a_verb_that_only_looks(traced, container):
    made = container("true").create()
    _, trace = traced("state", made.id)
    assert_well_formed(trace)
    assert list(trace.pids) == ["runlxc state"]


def test_a_start_that_fails_in_init(traced, container):
    made = bundle_of(container, "no-such-program")
    result, trace = traced("run", "--bundle", made.bundle.path, made.id)
    result.assert_refused("no-such-program")
    assert_well_formed(trace)
    assert trace.of("runlxc run")[0]["args"]["status"] == result.returncode
    assert trace.names(INIT)[-1] == "prepare the process"  # where it failed
    assert "undo" in trace.names("runlxc run")


def test_a_start_that_fails_in_lxc(traced, container):
    made = bundle_of(container, "true")
    # LXC can't make a file system of that type.
    made.bundle.mount("/mnt", "none", kind="nosuchfs").write()
    result, trace = traced("run", "--bundle", made.bundle.path, made.id)
    assert result.returncode != 0
    assert_well_formed(trace)
    assert "undo" in trace.names("runlxc run")
    assert trace.pids[INIT] not in (trace.pids[MONITOR], trace.pids["runlxc run"])


def test_a_verb_that_fails_before_anything_is_done(traced, runtime):
    result, trace = traced("state", runtime.new_id())
    result.assert_refused("does not exist")
    assert trace.of("runlxc state")[0]["args"]["status"] == 1


def test_a_container_with_a_clock_of_its_own_is_on_the_same_time(traced, container):
    made = bundle_of(container, "true")
    made.bundle.with_namespace("time").linux["timeOffsets"] = {"monotonic": {"secs": 100000}}
    made.bundle.write()
    result, trace = traced("run", "--bundle", made.bundle.path, made.id)
    assert result.returncode == 0
    assert_well_formed(trace)
    start, end = ns(trace.of("runlxc run")[0])
    assert all(start <= ns(event)[0] and ns(event)[1] <= end for event in trace.of(INIT))


def test_an_exec_into_another_time_is_on_the_same_time(traced, container):
    made = container("sleep", "100")
    made.bundle.with_namespace("time").linux["timeOffsets"] = {"monotonic": {"secs": -1000}}
    made.up()
    _, trace = traced("exec", made.id, "true")
    assert_well_formed(trace)
    start, end = ns(trace.of("runlxc exec")[0])
    assert all(start <= ns(event)[0] and ns(event)[1] <= end for event in trace.of(INIT))


def test_a_path_that_is_no_text_does_not_spoil_the_file(traced, container):
    made = container("true")
    made.bundle.writable().mount("/x\ufffdy\"\n", "/etc", "bind", "nosuid").write()
    result, trace = traced("run", "--bundle", made.bundle.path, made.id)
    assert_well_formed(trace)
    assert result.returncode == 0 or trace.of("runlxc run")[0]["args"]["status"] == result.returncode


def test_the_file_is_made_anew(traced, runtime):
    with open(traced.path, "w", encoding="utf-8") as file:
        file.write("x" * 100000)
    traced("list")
    assert os.stat(traced.path).st_size < 10000


def test_a_file_that_cannot_be_written(runtime, container, workdir):
    made = bundle_of(container, "true")
    for path in (f"{workdir}/no/such/directory/trace", workdir):
        result = runtime(
            argv=[*runtime.argv(), "--trace", path, "run", "--bundle", made.bundle.path, made.id],
        )
        result.assert_refused("--trace", path)
        assert not made.exists


def test_a_full_disk_does_not_fail_the_start(runtime, container):
    made = bundle_of(container, "sh", "-c", "exit 5")
    result = runtime(argv=[*runtime.argv(), "--trace", "/dev/full", "run", "--bundle", made.bundle.path, made.id])
    assert result.returncode == 5
    assert "--trace" in result.stderr and "no space left" in result.stderr


def test_a_killed_command_leaves_the_file_empty(runtime, container, workdir):
    made = bundle_of(container, "sh", "-c", "echo up; exec sleep 100")
    path = f"{workdir}/trace.json"
    argv = [*runtime.argv(), "--trace", path, "run", "--bundle", made.bundle.path, made.id]
    with open(f"{workdir}/out", "wb") as out:
        with Command(argv, stdin=subprocess.DEVNULL, stdout=out, env=runtime.environment) as process:
            system.wait_until(lambda: os.stat(f"{workdir}/out").st_size, "the container is up")
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert os.stat(path).st_size == 0


LOOK = "ls -l /proc/self/fd; cat /proc/self/maps; for p in /proc/[0-9]*; do cat $p/maps; ls -l $p/fd; done"


def test_the_container_has_neither_the_descriptor_nor_the_memory(traced, container):
    made = bundle_of(container, "sh", "-c", LOOK)
    result, _ = traced("run", "--bundle", made.bundle.path, made.id)
    assert "busybox" in result.stdout and "trace" not in result.stdout


def test_nor_has_a_process_of_exec(traced, container):
    made = container("sleep", "100").up()
    result, _ = traced("exec", made.id, "sh", "-c", LOOK)
    assert "busybox" in result.stdout and "trace" not in result.stdout


def test_nor_an_init_that_waits_for_its_start(traced, container):
    made = bundle_of(container, "sleep", "100")
    traced("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    with open(f"/proc/{made.pid}/maps", encoding="utf-8") as maps:
        assert "runlxc-trace" not in maps.read()
    descriptors = [os.readlink(f"/proc/{made.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{made.pid}/fd")]
    assert descriptors and not [name for name in descriptors if "runlxc-trace" in name]
