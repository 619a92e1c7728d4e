# SPDX-License-Identifier: Apache-2.0
"""That no clause is without a test."""

import os
import subprocess
import sys

from clauses import CLAUSES

HERE = os.path.dirname(os.path.abspath(__file__))

# Collects in an interpreter of its own, so that it sees every test whichever of them are run now.
COLLECT = """
import sys, pytest
class Names:
    def pytest_collection_finish(self, session):
        self.names = {name for item in session.items for mark in item.iter_markers("clause") for name in mark.args}
names = Names()
status = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", sys.argv[1]], plugins=[names])
print("\\n".join(["", "clauses:", *sorted(names.names)]))
sys.exit(status)
"""


def test_every_clause_has_a_test(request):
    environment = dict(os.environ, RUNLXC=request.config.command)
    result = subprocess.run(
        [sys.executable, "-c", COLLECT, HERE],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    tested = set(result.stdout.partition("clauses:\n")[2].split())
    assert {clause.name for clause in CLAUSES if not clause.not_ours} == tested
