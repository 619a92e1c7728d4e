# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for the guest: runs what was chosen on the host, and reports each test as it is done.

RUNLXC_VM_DIRECTORY has `chosen`, the ids of tests, one a line; `report` is written there, one JSON object a line,
so that a guest that is stopped has reported what was done.
"""

import json
import os

import pytest

_DIRECTORY = os.environ["RUNLXC_VM_DIRECTORY"]


def _write(**line):
    with open(f"{_DIRECTORY}/report", "a", encoding="utf-8") as report:
        report.write(json.dumps(line) + "\n")


def pytest_collection_modifyitems(config, items):
    with open(f"{_DIRECTORY}/chosen", encoding="utf-8") as file:
        chosen = set(file.read().splitlines())
    others = [item for item in items if item.nodeid not in chosen]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item.nodeid in chosen]


def _text(report):
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    captured = [f"---- {title} ----\n{text}" for title, text in report.sections]
    return "\n".join([report.longreprtext, *captured])


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    _write(
        test=report.nodeid,
        when=report.when,
        outcome=report.outcome,
        seconds=report.duration,
        text="" if report.outcome == "passed" else _text(report),
    )
