# SPDX-License-Identifier: Apache-2.0
"""linux.intelRdt: the groups of the kernel's resctrl file system. What the specification says of them is tested in
tests/conformance/; here is the rest: exec, update, and what becomes of groups."""

import os

import pytest

from lib import resctrl as lib

pytestmark = [pytest.mark.ours, lib.NEEDED]


@pytest.fixture
def resctrl():
    """At the end all groups but the test's are as they were."""
    place = lib.Resctrl()
    before, default = place.groups(), place.schemata("/")
    yield place
    for group in list(place.made):
        place.remove(group)
    assert place.groups() == before
    assert place.schemata("/") == default


@pytest.fixture
def made(resctrl, container):
    """Made after `resctrl`, containers go before that compares the groups."""
    return container("sleep", "100")


def rdt(made, **fields):
    made.bundle.linux["intelRdt"] = fields
    return made


def in_group(made, workdir, flags=()):
    """Starts one more process; its pid."""
    made.runtime.ok("exec", "--detach", "--pid-file", f"{workdir}/exec.pid", *flags, made.id, "sleep", "100")
    with open(f"{workdir}/exec.pid", encoding="utf-8") as file:
        return int(file.read())


def hook(made, path, script):
    """The container gets a hook that is run when its group is set up."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{script}\n")
    os.chmod(path, 0o755)
    made.bundle.config["hooks"] = {"createRuntime": [{"path": path}]}


# ---- who is in it ----


def test_an_exec_joins(made, resctrl, workdir):
    rdt(made, schemata=[resctrl.line(0xF)], enableMonitoring=True).up()
    pid = in_group(made, workdir)
    assert resctrl.tasks(made.id) >= {made.pid, pid}
    assert resctrl.tasks(made.id, "mon_groups", made.id) >= {made.pid, pid}
    assert pid not in resctrl.tasks("/")


def test_whoever_the_program_starts_is_in_it(made, resctrl):
    made.bundle.shell("sleep 100 & echo started; wait")
    rdt(made, schemata=[resctrl.line(0xF)]).up()
    made.wait_output("started")
    assert len(resctrl.tasks(made.id)) == 2


def test_a_created_container_and_its_hooks_are_in_it(made, resctrl, workdir):
    hook(made, f"{workdir}/hook", f"cp {resctrl.path(made.id, 'tasks')} {workdir}/seen")
    rdt(made, schemata=[resctrl.line(0xF)]).create()
    assert made.pid in resctrl.tasks(made.id)
    with open(f"{workdir}/seen", encoding="utf-8") as file:
        assert file.read().split() == [str(made.pid)]


def test_an_exec_does_without_a_group_that_is_gone(made, resctrl, workdir):
    resctrl.make("gold")
    rdt(made, closID="gold").up()
    resctrl.remove("gold")
    assert in_group(made, workdir) in resctrl.tasks("/")


def test_a_container_without_it_stays_where_it_is(made, resctrl):
    made.up()
    assert made.pid in resctrl.tasks("/")


# ---- what becomes of it ----


def test_a_group_that_was_made_goes_with_the_container(made, resctrl):
    rdt(made, closID="gold", schemata=[resctrl.line(0xF)]).up()
    assert resctrl.exists("gold")
    made.delete("--force")
    assert not resctrl.exists("gold")


def test_a_group_that_others_have_joined_stays(made, container, resctrl):
    rdt(made, closID="gold", l3CacheSchema=resctrl.line(0xF)).up()
    other = rdt(container("sleep", "100"), closID="gold", l3CacheSchema=resctrl.line(0xF)).up()
    result = made.delete("--force")
    assert "gold" in result.stderr
    assert other.pid in resctrl.tasks("gold")
    other.delete("--force")
    assert resctrl.exists("gold")
    resctrl.made.append("gold")


def test_a_group_that_was_there_stays(made, resctrl):
    resctrl.make("gold", resctrl.line(0xF))
    rdt(made, closID="gold", enableMonitoring=True).up()
    made.delete("--force")
    assert resctrl.exists("gold")
    assert not resctrl.exists("gold", "mon_groups", made.id)


def test_another_group_of_that_name_stays(made, resctrl):
    rdt(made, closID="gold", schemata=[resctrl.line(0xF)]).up()
    os.rmdir(resctrl.path("gold"))
    resctrl.make("gold")
    made.delete("--force")
    assert resctrl.exists("gold")


def test_a_failed_create_leaves_no_group(made, resctrl):
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    rdt(made, schemata=[resctrl.line(0xF)], enableMonitoring=True).run().assert_refused("hook")
    assert not resctrl.exists(made.id)


@pytest.mark.parametrize("closid", [None, "gold"])
def test_what_a_killed_create_leaves_delete_removes(made, resctrl, workdir, closid):
    hook(made, f"{workdir}/hook", "kill -9 $PPID")
    named = {"closID": closid} if closid else {}
    rdt(made, schemata=[resctrl.line(0xF)], enableMonitoring=True, **named).bundle.write()
    made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    assert resctrl.exists(closid or made.id, "mon_groups", made.id)
    made.runtime.ok("delete", "--force", made.id)
    assert not resctrl.exists(closid or made.id)


def test_a_killed_create_takes_no_group_of_others(made, resctrl, workdir):
    resctrl.make("gold")
    hook(made, f"{workdir}/hook", "kill -9 $PPID")
    rdt(made, closID="gold", enableMonitoring=True).bundle.write()
    made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    made.runtime.ok("delete", "--force", made.id)
    assert resctrl.exists("gold")
    assert not resctrl.exists("gold", "mon_groups", made.id)


def test_a_failed_create_puts_back_what_others_had(made, resctrl):
    resctrl.make("gold", resctrl.line(0xFF))
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    rdt(made, closID="gold", schemata=[resctrl.line(0xF)]).run().assert_refused("hook")
    assert resctrl.cache("gold") == 0xFF


def test_schemata_that_the_kernel_refuses_leave_no_group(made, resctrl):
    """The reason is the kernel's."""
    result = rdt(made, schemata=[resctrl.line(0x5)]).run()
    result.assert_refused("config.json: linux.intelRdt.schemata: ", "non-consecutive")
    assert not resctrl.exists(made.id)


def test_a_group_by_the_containers_id_must_be_new(made, resctrl):
    resctrl.make(made.id)
    rdt(made, schemata=[resctrl.line(0xF)]).run().assert_refused("linux.intelRdt", f'"{made.id}" exists already')
    assert resctrl.cache(made.id) == resctrl.cache("/")


@pytest.mark.parametrize("name", ["info", "mon_groups", "mon_data"])
def test_what_is_no_group_is_not_joined(made, name):
    rdt(made, closID=name).run().assert_refused("linux.intelRdt.closID", "is no resctrl group")


def test_more_groups_than_the_processor_has(made, container, resctrl):
    number = 0
    with pytest.raises(OSError):
        while True:
            resctrl.make(f"all-{number}")
            number += 1
    rdt(made, schemata=[resctrl.line(0xF)]).run().assert_refused("linux.intelRdt", "no more of them")


# ---- the default group ----


def test_the_default_group_can_be_counted_for_one(made, resctrl):
    rdt(made, closID="/", enableMonitoring=True).up()
    assert made.pid in resctrl.tasks("/", "mon_groups", made.id)
    assert made.pid in resctrl.tasks("/")
    made.delete("--force")
    assert not resctrl.exists("/", "mon_groups", made.id)


def test_the_default_group_is_compared(made, resctrl):
    rdt(made, closID="/", l3CacheSchema=resctrl.line(0xF)).run().assert_refused("linux.intelRdt.closID", "match")


# ---- update ----


def test_an_update_writes_the_schemata(made, resctrl):
    rdt(made, schemata=[resctrl.line(0xF)]).up()
    made.runtime.ok("update", "--l3-cache-schema", resctrl.line(0xF0), made.id)
    assert resctrl.cache(made.id) == 0xF0


def test_a_refused_update_leaves_all_as_it_was(made, resctrl):
    rdt(made, schemata=[resctrl.line(0xF)]).up()
    result = made.runtime("update", "--l3-cache-schema", resctrl.line(0x5), "--pids-limit", "9", made.id)
    result.assert_refused("--l3-cache-schema", "non-consecutive")
    assert resctrl.cache(made.id) == 0xF
    made.runtime.fails("update", "--l3-cache-schema", resctrl.line(0xF0), "--cpuset-cpus", "4095", made.id)
    assert resctrl.cache(made.id) == 0xF


def test_an_update_of_a_container_without_a_group_is_refused(made, resctrl):
    made.up()
    result = made.runtime("update", "--l3-cache-schema", resctrl.line(0xF), made.id)
    result.assert_refused("--l3-cache-schema", "created without linux.intelRdt")


def test_an_update_of_the_default_group_is_refused(made, resctrl):
    rdt(made, closID="/").up()
    result = made.runtime("update", "--l3-cache-schema", resctrl.line(0xF), made.id)
    result.assert_refused("--l3-cache-schema", "default resctrl group")


def test_bandwidth_is_told_from_the_cache(made, resctrl):
    rdt(made, schemata=[resctrl.line(0xF)]).up()
    made.runtime("update", "--mem-bw-schema", "L3:0=f", made.id).assert_refused("--mem-bw-schema", "MB:")
