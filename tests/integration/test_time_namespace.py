# SPDX-License-Identifier: Apache-2.0
"""Time namespaces: new ones with offsets of their own, those of others, and exec."""

import re

import pytest

from lib.system import namespace

OFFSETS = {"monotonic": {"secs": 7881, "nanosecs": 2718281}, "boottime": {"secs": 1337, "nanosecs": 3141519}}
ROWS = [["monotonic", "7881", "2718281"], ["boottime", "1337", "3141519"]]


def rows(text):
    return [line.split() for line in text.splitlines()]


@pytest.fixture
def clocked(container):
    """A container with a time namespace of its own."""

    def make(*args, offsets=None, **kwargs):
        made = container(*args, **kwargs)
        made.bundle.with_namespace("time")
        if offsets is not None:
            made.bundle.linux["timeOffsets"] = offsets
        return made

    return make


def host_uptime():
    with open("/proc/uptime", encoding="utf-8") as file:
        return float(file.read().split()[0])


@pytest.mark.ours
def test_a_new_time_namespace(clocked):
    made = clocked("sleep", "100").up()
    assert namespace(made.pid, "time") != namespace("self", "time")
    assert namespace(made.pid, "time_for_children") == namespace(made.pid, "time")
    assert rows(made.exec_ok("cat", "/proc/self/timens_offsets")) == [["monotonic", "0", "0"], ["boottime", "0", "0"]]


@pytest.mark.ours
def test_the_first_process_has_the_offsets(clocked):
    out = clocked("cat", "/proc/1/timens_offsets", offsets=OFFSETS).run_ok()
    assert rows(out) == ROWS


@pytest.mark.ours
def test_the_clock_inside_is_another(clocked):
    before = host_uptime()
    inside = float(clocked("cat", "/proc/uptime", offsets={"boottime": {"secs": 604800}}).run_ok().split()[0])
    assert before + 604800 <= inside <= host_uptime() + 604800


@pytest.mark.ours
def test_an_offset_may_be_negative(clocked):
    before = host_uptime()
    inside = float(clocked("cat", "/proc/uptime", offsets={"boottime": {"secs": -5}}).run_ok().split()[0])
    assert before - 5.1 <= inside <= host_uptime() - 4.9


@pytest.mark.ours
def test_only_one_of_the_clocks(clocked):
    out = clocked("cat", "/proc/self/timens_offsets", offsets={"monotonic": {"nanosecs": 5}}).run_ok()
    assert rows(out) == [["monotonic", "0", "5"], ["boottime", "0", "0"]]


@pytest.mark.ours
def test_exec_is_in_it(clocked):
    made = clocked("sleep", "100", offsets=OFFSETS).up()
    assert made.exec_ok("readlink", "/proc/self/ns/time").strip() == namespace(made.pid, "time")
    assert rows(made.exec_ok("cat", "/proc/self/timens_offsets")) == ROWS


@pytest.mark.ours
def test_exec_is_in_it_also_where_the_pid_namespace_is_the_hosts(clocked):
    made = clocked("sleep", "100", offsets=OFFSETS)
    made.bundle.without_namespace("pid")
    made.up()
    assert made.exec_ok("readlink", "/proc/self/ns/time").strip() == namespace(made.pid, "time")


@pytest.mark.ours
def test_a_time_namespace_is_joined_by_its_path(clocked, container):
    first = clocked("sleep", "100", offsets=OFFSETS).up()
    second = container("sleep", "100")
    second.bundle.with_namespace("time", f"/proc/{first.pid}/ns/time")
    second.up()
    assert namespace(second.pid, "time") == namespace(first.pid, "time")
    assert rows(second.exec_ok("cat", "/proc/self/timens_offsets")) == ROWS


@pytest.mark.ours
def test_in_a_user_namespace(clocked):
    made = clocked("sleep", "100", offsets=OFFSETS)
    made.bundle.user_namespace()
    made.up()
    assert rows(made.exec_ok("cat", "/proc/self/timens_offsets")) == ROWS


@pytest.mark.ours
def test_without_a_proc_in_the_container(clocked):
    made = clocked("sleep", "100", offsets=OFFSETS)
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["destination"] != "/proc"]
    made.up()
    with open(f"/proc/{made.pid}/timens_offsets", encoding="utf-8") as file:
        assert rows(file.read()) == ROWS


def test_without_a_time_namespace_the_clocks_are_the_hosts(container):
    made = container("sleep", "100").up()
    assert namespace(made.pid, "time") == namespace("self", "time")


def test_offsets_without_a_time_namespace_are_refused(container):
    made = container("true")
    made.bundle.linux["timeOffsets"] = OFFSETS
    made.run().assert_refused("timeOffsets")


@pytest.mark.ours
def test_offsets_of_a_namespace_that_is_joined_are_refused(container):
    made = container("true")
    made.bundle.with_namespace("time", "/proc/self/ns/time")
    made.bundle.linux["timeOffsets"] = OFFSETS
    made.run().assert_refused("timeOffsets")


@pytest.mark.ours
@pytest.mark.parametrize(
    "offsets, words",
    [
        ({"boottime": {"secs": -(1 << 40)}}, "linux.timeOffsets: .*result not representable"),
        ({"monotonic": {"nanosecs": 1000000000}}, "linux.timeOffsets.monotonic.nanosecs: .*999999999"),
        ({"realtime": {"secs": 1}}, "linux.timeOffsets.realtime"),
    ],
)
def test_an_offset_that_cannot_be(clocked, offsets, words):
    result = clocked("true", offsets=offsets).run()
    result.assert_refused()
    assert re.search(words, result.stderr)


def test_a_path_of_another_kind_is_refused(container):
    made = container("true")
    made.bundle.with_namespace("time", "/proc/self/ns/uts")
    made.run().assert_refused("/proc/self/ns/uts")
