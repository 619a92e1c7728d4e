# SPDX-License-Identifier: Apache-2.0
"""An id that the kernel takes for "the one you have" is refused: the one that we have is root's (compare
CVE-2024-40635)."""

import json

import pytest

TOO_BIG = [4294967295, 2147483648]


@pytest.mark.parametrize("value", TOO_BIG)
@pytest.mark.parametrize("field", ["uid", "gid"])
def test_a_user_that_would_be_root(container, field, value):
    made = container("id")
    made.bundle.process["user"][field] = value
    result = made.run()
    assert result.returncode != 0 and "uid=" not in result.stdout, result


@pytest.mark.ours
def test_a_group_of_the_users_that_does_not_exist_to_the_kernel(container):
    made = container("id")
    made.bundle.process["user"]["additionalGids"] = [4294967295]
    made.run().assert_refused("process.user.additionalGids[0]")


@pytest.mark.parametrize("value", TOO_BIG)
def test_exec_with_such_a_user(container, tmp_path, value):
    made = container("sleep", "100").up()
    process = {"args": ["id"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": value, "gid": 0}}
    (tmp_path / "process.json").write_text(json.dumps(process))
    result = made.runtime("exec", "--process", str(tmp_path / "process.json"), made.id)
    assert result.returncode != 0 and "uid=" not in result.stdout, result
    result = made.exec("id", flags=("--user", str(value)))
    assert result.returncode != 0 and "uid=" not in result.stdout, result
