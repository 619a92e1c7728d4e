# SPDX-License-Identifier: Apache-2.0
"""Nothing that is done to one container touches the processes in another's cgroup, or in the host's."""

import json
import os

import pytest

from lib import system

pytestmark = pytest.mark.ours


@pytest.fixture
def two(container, cgroup_parent):
    """Two containers of one cgroupsPath."""
    made = [container("sleep", "100"), container("sleep", "100")]
    for each in made:
        each.bundle.cgroup(f"{cgroup_parent}/same")
    return made


def test_a_create_that_is_refused_kills_nobody_in_the_cgroup_it_asked_for(two):
    first, second = two
    first.up()
    second.bundle.write()
    second.runtime.fails("create", "-b", second.bundle.path, second.id).assert_refused("cgroup is not empty")
    assert first.status == "running"


def test_a_service_of_the_hosts_is_not_killed_by_a_create_in_its_cgroup(container, cgroup_parent):
    made = container("sleep", "100")
    other = container("sleep", "100")
    other.bundle.cgroup(f"{cgroup_parent}/service/inner")
    other.up()
    made.bundle.cgroup(f"{cgroup_parent}/service")
    made.run().assert_refused("cgroup is not empty")
    assert other.status == "running"


def test_deleting_a_dead_container_leaves_the_one_that_has_its_cgroup_now(two):
    first, second = two
    first.up()
    first.kill("KILL")
    system.wait_until(lambda: first.status == "stopped", "the first container to end")
    second.up()
    first.runtime("kill", "--all", first.id, "KILL")
    assert str(second.pid) not in first.runtime("ps", first.id).stdout
    first.delete()
    assert second.status == "running"


def test_deleting_what_a_killed_create_left_kills_nobody(two):
    first, second = two
    first.up()
    # What a create leaves that is killed as soon as it has recorded what it is going to make.
    left = f"{second.runtime.root}/{second.id}"
    with open(f"{first.runtime.root}/{first.id}/state.json", encoding="utf-8") as file:
        state = json.load(file)
    state.update(id=second.id, pid=0, pidStart=0, cgroupIdentity=0)
    os.mkdir(left, 0o700)
    with open(f"{left}/creating.json", "w", encoding="utf-8") as file:
        json.dump(state, file)
    second.runtime.ok("delete", "--force", second.id)
    assert not os.path.exists(left)
    assert first.status == "running"


def test_a_first_process_that_was_moved_away_does_not_outlive_its_container(container, cgroup_parent):
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/own")
    made.up()
    # On v2 one that gives controllers to those below takes no process.
    elsewhere = cgroup_parent if system.on_cgroup_v1() else f"{cgroup_parent}/elsewhere"
    for mount in system.cgroup_hierarchies().values():
        os.makedirs(f"{mount}{elsewhere}", exist_ok=True)
        with open(f"{mount}{elsewhere}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write(str(made.pid))
        os.rmdir(f"{mount}{cgroup_parent}/own")
    with system.Pidfd(made.pid) as pidfd:
        made.delete("--force")
        pidfd.wait()
