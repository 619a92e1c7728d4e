# SPDX-License-Identifier: Apache-2.0
"""ps: the processes of a container, as the host sees them."""

import json
import os

import pytest

from lib import system


@pytest.fixture
def three(container):
    """A container with three processes."""
    made = container(shell="sleep 100 & sleep 200 & wait").up()
    system.wait_until(lambda: len(system.cgroup_pids(made.pid)) == 3, "three processes")
    return made


def test_ps_prints_a_table_with_the_containers_processes_only(three):
    header, *rows = three.runtime.ok("ps", three.id).stdout.splitlines()
    assert "PID" in header.split() and "CMD" in header.split()
    column = header.split().index("PID")
    assert {int(row.split()[column]) for row in rows} == system.cgroup_pids(three.pid)
    assert any("sleep 200" in row for row in rows)


@pytest.mark.parametrize("flag", ["--format", "-f"])
def test_ps_json_is_a_list_of_pids(three, flag):
    pids = json.loads(three.runtime.ok("ps", flag, "json", three.id).stdout)
    assert set(pids) == system.cgroup_pids(three.pid)
    assert three.pid in pids


def test_ps_takes_the_options_of_ps(three):
    header, *rows = three.runtime.ok("ps", three.id, "-o", "pid,args").stdout.splitlines()
    assert header.split() == ["PID", "COMMAND"]
    assert {int(row.split()[0]) for row in rows} == system.cgroup_pids(three.pid)


def test_ps_shows_execed_processes(three):
    three.exec_ok("sleep", "300", flags=["--detach"])
    assert "sleep 300" in three.runtime.ok("ps", three.id).stdout
    assert len(json.loads(three.runtime.ok("ps", "-f", "json", three.id).stdout)) == 4


def test_ps_refuses_an_unknown_format(three):
    assert "format" in three.runtime.fails("ps", "--format", "xml", three.id).stderr


def test_ps_of_an_unknown_container_is_an_error(runtime):
    assert "does not exist" in runtime.fails("ps", runtime.new_id()).stderr


def test_the_lines_are_those_of_ps_ef_in_the_order_of_pids(three):
    header, *rows = three.runtime.ok("ps", three.id).stdout.splitlines()
    all_header, *all_rows = three.runtime.ok("ps", three.id, "-ef").stdout.splitlines()
    assert header.split() == all_header.split()
    assert [row.split()[1] for row in rows] == [row.split()[1] for row in all_rows]
    assert len(rows) == 3


@pytest.mark.ours
def test_a_ps_that_has_no_quick_mode_serves_as_well(three, workdir):
    os.mkdir(f"{workdir}/bin")
    with open(f"{workdir}/bin/ps", "w", encoding="ascii") as script:
        script.write('#!/bin/sh\ncase $1 in *q*) exit 1 ;; esac\nexec /bin/ps "$@"\n')
    os.chmod(f"{workdir}/bin/ps", 0o755)
    environment = dict(three.runtime.environment, PATH=f"{workdir}/bin:/usr/bin:/bin")
    rows = three.runtime.ok("ps", three.id, env=environment).stdout.splitlines()[1:]
    assert {int(row.split()[1]) for row in rows} == system.cgroup_pids(three.pid)
