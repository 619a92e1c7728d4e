# SPDX-License-Identifier: Apache-2.0
"""A root user with CAP_MKNOD, as Docker makes them by default, can make a node of any of the host's devices. Only
the device rules keep it from using one, so they must hold however little of them a config.json has."""

import os

import pytest

pytestmark = pytest.mark.skipif(
    not os.path.exists("/dev/loop-control"), reason="there is no /dev/loop-control to try device rules on"
)

# Those that this host has, and that any root user may open where no rule forbids it.
CANDIDATES = {"/dev/loop-control": "c 10 237", "/dev/fuse": "c 10 229", "/dev/kmsg": "c 1 11", "/dev/loop0": "b 7 0"}
DEVICES = [numbers for path, numbers in CANDIDATES.items() if os.path.exists(path)]
SCRIPT = "; ".join(
    f"mknod /dev/try{i} {numbers} && {{ true < /dev/try{i} && echo opened; true <> /dev/try{i} && echo opened; }}"
    for i, numbers in enumerate(DEVICES)
)
EVERYTHING = [{"allow": True, "access": "rwm"}]
CAPABILITIES = ("CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_SYSLOG", "CAP_SYS_ADMIN")


@pytest.fixture
def trying(container):
    """A container that tries to open them, and what resources it has."""

    def make(resources):
        made = container(shell=SCRIPT)
        made.bundle.capabilities(*CAPABILITIES)
        if resources is None:
            del made.bundle.linux["resources"]
        else:
            made.bundle.linux["resources"] = resources
        return made

    return make


def test_where_everything_is_allowed_they_can_be_opened(trying):
    """Or else the others would show nothing."""
    assert trying({"devices": EVERYTHING}).run().stdout.count("opened") > len(DEVICES)


@pytest.mark.parametrize(
    "resources",
    [
        None,
        {},
        {"devices": None},
        {"devices": []},
        {"memory": {"limit": 64 << 20}},
        {"devices": [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]},
        {"devices": [{"allow": False, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]},
        {"devices": [{"allow": False, "access": "rwm"}]},
        {"devices": [*EVERYTHING, {"allow": False, "access": "rwm"}]},
        pytest.param(
            {"devices": [{"allow": True, "type": "a", "major": 1, "minor": 3, "access": "rwm"}]}, marks=pytest.mark.ours
        ),
        pytest.param({"devices": [{"allow": True, "type": "a", "access": "m"}]}, marks=pytest.mark.ours),
    ],
    ids=lambda resources: str(resources).replace(" ", "")[:60],
)
def test_what_is_not_allowed_can_not_be_opened(trying, resources):
    result = trying(resources).run()
    assert "opened" not in result.stdout, result
    assert result.stderr.count("Operation not permitted") == 2 * len(DEVICES), result


@pytest.mark.parametrize("resources", [None, {"devices": []}], ids=["none", "empty"])
def test_exec_opens_no_more(container, resources):
    made = container("sleep", "100")
    made.bundle.capabilities(*CAPABILITIES)
    made.bundle.linux["resources"] = resources
    made.up()
    result = made.exec("sh", "-c", SCRIPT)
    assert "opened" not in result.stdout, result
    assert result.stderr.count("Operation not permitted") == 2 * len(DEVICES), result
