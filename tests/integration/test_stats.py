# SPDX-License-Identifier: Apache-2.0
"""stats: what containers use, as a table or as JSON, once or live."""

import json
import re
import subprocess

import pytest

from lib import system
from lib.terminal import UserTerminal

pytestmark = pytest.mark.ours

HEADING = ["ID", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET RECEIVED / SENT", "BLOCK READ / WRITTEN", "PIDS"]


def cells(line):
    return re.split(r" {3,}", line)


def table(runtime, *args, interval="50ms"):
    """The rows of one table, by id."""
    heading, *rows = runtime.ok("stats", "--no-stream", "--interval", interval, *args).stdout.splitlines()
    assert cells(heading) == HEADING
    return {row[0]: row for row in map(cells, rows)}


def documents(runtime, *args):
    lines = runtime.ok("stats", "--no-stream", "--format", "json", *args).stdout.splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def live(runtime):
    """`stats` in the background: (process, its output); ended by the fixture."""
    started = []

    def make(*args):
        process = runtime.popen("stats", *args, stdout=subprocess.PIPE)
        started.append(process)
        return process, system.Stream(process.stdout.fileno())

    yield make
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def busy(container):
    return container(shell="while :; do :; done").up()


# ---- once ----


def test_the_table_has_a_row_for_each_container(container):
    made = container("sleep", "100")
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.up()
    other = container(shell="sleep 100 & wait").up()
    system.wait_until(lambda: len(system.cgroup_pids(other.pid)) == 2, "two processes")
    rows = table(made.runtime)
    assert set(rows) == {made.id, other.id}
    assert rows[made.id][2].endswith(" / 64.0MiB")
    assert rows[made.id][4] == "0B / 0B"
    assert rows[made.id][6] == "1" and rows[other.id][6] == "2"
    assert re.fullmatch(r"\d+\.\d\d%", rows[made.id][1])
    assert re.fullmatch(r"\d+\.\d\d%", rows[made.id][3])


def test_only_those_that_are_named(container):
    made, _ = container("sleep", "100").up(), container("sleep", "100").up()
    assert set(table(made.runtime, made.id)) == {made.id}


def test_a_container_that_is_named_twice_has_one_row(container):
    made = container("sleep", "100").up()
    assert len(documents(made.runtime, made.id, made.id)) == 1


def test_those_that_have_ended_are_left_out(container):
    made = container("sleep", "100").up()
    ended = container("true").up()
    ended.wait()
    assert set(table(made.runtime)) == {made.id}


def test_without_containers_there_is_a_heading(runtime):
    assert table(runtime) == {}
    assert documents(runtime) == []


def test_cpu_use_is_in_percent_of_one_cpu(container):
    made, idle = busy(container), container("sleep", "100").up()
    rows = table(made.runtime, interval="1s")
    assert 0 < float(rows[made.id][1].rstrip("%")) < 150
    assert float(rows[idle.id][1].rstrip("%")) < 1


def test_json_is_what_events_print(container):
    made = container("sleep", "100").up()
    (document,) = documents(made.runtime)
    event = json.loads(made.runtime.ok("events", "--stats", made.id).stdout)
    assert (document["type"], document["id"]) == ("stats", made.id)
    assert set(document["data"]) == set(event["data"])


def test_sorted_by_cpu(container):
    idle, made, other = container("sleep", "100").up(), busy(container), container("sleep", "100").up()
    assert list(table(made.runtime, idle.id, made.id, other.id, interval="1s"))[0] == made.id
    assert list(table(made.runtime, "--sort", "cpu", interval="1s"))[0] == made.id
    assert documents(made.runtime, "--sort=cpu")[0]["id"] == made.id


def test_sorted_by_memory(container):
    made = container(shell="dd if=/dev/zero of=/dev/shm/x bs=1M count=16; echo taken; exec sleep 100").up()
    other = busy(container)
    made.wait_output("taken")
    assert list(table(made.runtime, "--sort", "memory")) == [made.id, other.id]
    assert [document["id"] for document in documents(made.runtime, "--sort", "memory")] == [made.id, other.id]


# ---- live ----


def test_the_table_comes_again_and_again(container, live):
    made = container("sleep", "100").up()
    _, output = live("--interval", "50ms")
    for _ in range(3):
        output.until(b"PIDS\n")
        assert cells(output.until(b"\n").decode())[0] == made.id


def test_containers_come_and_go(container, live):
    made = container("sleep", "100").up()
    _, output = live("--interval", "50ms")
    output.until(made.id.encode())
    other = container("sleep", "100").up()
    output.until(other.id.encode())
    made.stop()
    output.until(b"PIDS\n" + other.id.encode())


def test_json_comes_a_line_for_each(container, live):
    made = container("sleep", "100").up()
    _, output = live("--interval", "50ms", "-f", "json", made.id)
    first, second = (json.loads(output.until(b"\n")) for _ in range(2))
    assert first["id"] == second["id"] == made.id
    assert first["data"]["read"] < second["data"]["read"]


def test_it_ends_with_the_last_that_was_named(container, live):
    made, other = container("sleep", "100").up(), container("sleep", "100").up()
    process, output = live("--interval", "50ms", made.id, other.id)
    output.until(b"PIDS\n")
    made.stop()
    output.until(b"PIDS\n" + other.id.encode())
    other.delete("--force")
    assert process.wait(system.DEADLINE) == 0


def test_on_a_terminal_the_table_is_kept_in_place(container):
    made = container("sleep", "100").up()
    with UserTerminal() as terminal:
        terminal.run(made.runtime.argv("stats", "--interval", "50ms", made.id), made.runtime.environment)
        assert terminal.screen_until("ID") == "\x1b[H\x1b[JID"
        terminal.screen_until(made.id)
        terminal.screen_until("\x1b[H\x1b[JID")
        made.stop()
        assert terminal.wait() == 0


# ---- what is refused ----


def test_an_unknown_container_is_an_error(container):
    made = container("sleep", "100").up()
    made.runtime("stats", made.id, "nobody").assert_refused("nobody", "does not exist")


def test_a_container_that_has_ended_is_an_error(container):
    made = container("true").up()
    made.wait()
    made.runtime("stats", made.id).assert_refused("is not running")


@pytest.mark.parametrize(
    "flag, words",
    [
        ("--format=xml", ["format", "xml"]),
        ("--sort=name", ["sort", "name"]),
        ("--interval=0", ["--interval"]),
        ("--interval=often", ["--interval", "often"]),
        ("--no-stream=perhaps", ["--no-stream"]),
        ("--all", ["--all"]),
    ],
)
def test_a_bad_flag_is_an_error(runtime, flag, words):
    runtime("stats", flag).assert_refused(*words)
