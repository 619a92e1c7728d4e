# SPDX-License-Identifier: Apache-2.0
"""bench/run measures everything that it should, and leaves nothing: few runs, so that it stays fit for use."""

import json
import os
import shutil
import sys
import xml.etree.ElementTree

import pytest

pytestmark = [pytest.mark.ours, pytest.mark.limit(300)]

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/run")


@pytest.fixture
def bench(runtime, workdir):
    if not shutil.which("cc"):
        pytest.skip("no C compiler")

    def call(*args):
        command = [sys.executable, "-B", RUN, "--runlxc", runtime.command, "--json", f"{workdir}/json", *args]
        return runtime(argv=command, timeout=250)

    call.json = f"{workdir}/json"
    return call


def figures(bench):
    with open(bench.json, encoding="utf-8") as file:
        return json.load(file)["figures"]


def test_every_goal_of_ours_has_a_figure(bench):
    """Against the floor, which comes with it; crun, runc and LXC's commands may not be there."""
    result = bench("--runs", "1", "--crowd", "3", "--crun", "/none", "--runc", "/none")
    assert result.returncode == 0, result
    found = figures(bench)
    for measure in ("run", "life", "exec", "waiting", "peak-all", "limit", "kept", "per-second", "exit", "trace"):
        assert found["docker"][measure]["runlxc"]["median"] > 0, measure
    for verb in ("state", "ps", "stats", "kill", "delete", "list"):
        assert found["docker"][f"{verb}-crowd"]["runlxc"]["median"] > 0, verb
    for bundle in ("docker", "default"):
        for name in ("floor", "liblxc"):
            assert found[bundle]["run"][name]["median"] > 0, name
    goals = [line for line in result.stdout.splitlines() if line.endswith(("met", "NOT MET", "no figure"))]
    ours = [line for line in goals if not any(word in line for word in ("× crun", "× runc", "lxc-attach"))]
    assert len(ours) > 12 and not [line for line in ours if "no figure" in line], result


def test_the_chart(bench, workdir):
    if not shutil.which("gnuplot"):
        pytest.skip("gnuplot is not installed (Debian's gnuplot-nox)")
    result = bench("--runs", "1", "--only", "run", "--bundle", "default", "--svg", f"{workdir}/chart.svg")
    assert result.returncode == 0, result
    text = "".join(xml.etree.ElementTree.parse(f"{workdir}/chart.svg").getroot().itertext())
    assert "runlxc" in text and "the kernel alone" in text
    assert os.path.getsize(f"{workdir}/chart.svg") < 60000


def test_a_command_that_fails_is_told(bench):
    result = bench("--runs", "1", "--only", "run", "--bundle", "default", "--runlxc", "/bin/false")
    assert "runlxc fails" in result.stdout and "no figure" in result.stdout
