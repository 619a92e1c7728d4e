# SPDX-License-Identifier: Apache-2.0
"""runlxc_update(): a resources document, as the command's --resources has it."""

import pytest

from lib import system


def pids_max(process):
    return system.cgroup_read(process.pid, "pids", "pids.max")


def test_a_document_changes_limits(runlxc, driver, command):
    document = command(shell="sleep 100")
    with driver.run(document) as process:
        driver.update(document["id"], {"pids": {"limit": 9}, "memory": {"limit": 0}})
        assert pids_max(process) == "9"
        driver.update(document["id"], {})
        assert pids_max(process) == "9"
        process.signal(9)
        process.wait(20)


def test_a_refused_one_names_the_field_and_changes_nothing(runlxc, driver, command):
    document = command(shell="sleep 100")
    with driver.run(document) as process:
        before = pids_max(process)
        with pytest.raises(runlxc.Error, match=r"resources: cpu\.shares: the minimum"):
            driver.update(document["id"], {"pids": {"limit": 9}, "cpu": {"shares": 1}})
        with pytest.raises(runlxc.Error, match=r"resources: pids\.limit"):
            driver.update(document["id"], {"pids": {"limit": "9"}})
        assert pids_max(process) == before
        process.signal(9)
        process.wait(20)
    with pytest.raises(runlxc.Error, match="container does not exist"):
        driver.update(document["id"], {"pids": {"limit": 9}})
