# SPDX-License-Identifier: Apache-2.0
"""Which clauses a test shows, and the table that scripts/conformance-table makes of the results."""

import pytest

from clauses import CLAUSES


def pytest_addoption(parser):
    parser.addoption("--conformance-table", metavar="FILE", help="write what became of every clause")


def pytest_configure(config):
    config.addinivalue_line("markers", "clause(name...): the clauses of the specification that a test shows")
    if config.getoption("--conformance-table", None):
        config.pluginmanager.register(Table(config.getoption("--conformance-table")))


@pytest.fixture
def refused():
    """A create that must fail, with no container afterwards; the Result."""

    def check(made):
        made.bundle.write()
        result = made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
        assert made.runtime.list() == []
        made.runtime.fails("state", made.id)
        return result

    return check


class Table:
    """Collects what became of each test and writes a Markdown table, in the specification's order."""

    def __init__(self, path):
        self.path = path
        self.tests = {}  # node id: names of its clauses
        self.results = {}  # node id: "pass", "fail", or a reason

    def pytest_collection_finish(self, session):
        for item in session.items:
            names = [name for mark in item.iter_markers("clause") for name in mark.args]
            if names:
                self.tests[item.nodeid] = names

    def pytest_runtest_logreport(self, report):
        if report.nodeid not in self.tests:
            return
        before = self.results.get(report.nodeid)
        if report.failed:
            self.results[report.nodeid] = "**fails**"
        elif report.skipped:
            reason = getattr(report, "wasxfail", "") or report.longrepr[2].removeprefix("Skipped: ")
            self.results[report.nodeid] = reason.removeprefix("reason: ")
        elif report.when == "call" and before is None:
            self.results[report.nodeid] = "pass"

    def _row(self, row):
        if row.not_ours:
            return "", row.not_ours
        tests = [test for test, names in self.tests.items() if row.name in names]
        results = [self.results.get(test, "not run") for test in tests]
        worst = sorted(set(results), key=lambda result: (result == "pass", result != "**fails**"))
        functions = {test.partition("[")[0].rpartition("/")[2]: None for test in tests}
        return ", ".join(f"`{name}`" for name in functions), worst[0] if worst else "**no test**"

    def pytest_sessionfinish(self):
        rows = [(row, *self._row(row)) for row in CLAUSES]
        passed = sum(result == "pass" for _, _, result in rows)
        ours = sum(not row.not_ours for row in CLAUSES)
        lines = [
            "<!-- SPDX-License-Identifier: Apache-2.0 -->",
            "<!-- Made by scripts/conformance-table of the results of tests/conformance/. -->",
            "# Conformance",
            "",
            "Every MUST, MUST NOT and REQUIRED of the OCI runtime specification 1.3.0 that concerns Linux, the test",
            "that shows it on a real container, and what became of it.",
            "",
            f"{passed} of {ours} pass; {len(CLAUSES) - ours} more don't bind this runtime.",
        ]
        section = None
        for row, functions, result in rows:
            if row.section != section:
                section = row.section
                lines += ["", f"## {section}", "", "| clause | test | result |", "|---|---|---|"]
            lines.append(f"| {row.text} | {functions} | {result} |".replace("  ", " "))
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
