# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: IntelRdt, which is the kernel's resctrl file system."""

import os

import pytest

from clauses import clause
from lib import resctrl as lib

NO_BANDWIDTH = not os.path.exists(f"{lib.ROOT}/info/MB")


@pytest.fixture
def resctrl():
    place = lib.Resctrl()
    yield place
    for group in list(place.made):
        place.remove(group)


@pytest.fixture
def made(container):
    return container("sleep", "100")


def rdt(made, **fields):
    made.bundle.linux["intelRdt"] = fields
    return made


@clause("rdt-not-mounted")
@pytest.mark.skipif(lib.HERE, reason="resctrl is mounted here")
@pytest.mark.parametrize(
    "field", [{}, {"closID": "x"}, {"closID": "/"}, {"schemata": ["L3:0=f"]}, {"enableMonitoring": True}], ids=repr
)
def test_without_resctrl_it_is_an_error(made, refused, field):
    assert "resctrl" in refused(rdt(made, **field)).stderr


@clause("rdt-memBwSchema")
@pytest.mark.parametrize("value", ["L3:0=f", "MB:0=10\nMB:1=10", "\nMB:0=10"], ids=repr)
def test_a_mem_bw_schema_that_makes_no_sense_is_an_error(made, refused, value):
    assert "memBwSchema" in refused(rdt(made, memBwSchema=value)).stderr


@clause("rdt-schemata-lines")
def test_schemata_with_a_newline_are_an_error(made, refused):
    assert "schemata" in refused(rdt(made, schemata=["L3:0=f\nL3:1=f"])).stderr


@clause("rdt-tasks")
@lib.NEEDED
def test_the_process_is_in_the_closids_group(made, resctrl):
    rdt(made, closID="gold", schemata=[resctrl.line(0xF)]).up()
    assert made.pid in resctrl.tasks("gold")


@clause("rdt-unset")
@lib.NEEDED
def test_without_it_resctrl_is_left_alone(made, resctrl):
    before = resctrl.groups(), resctrl.schemata("/")
    made.up()
    assert (resctrl.groups(), resctrl.schemata("/")) == before
    assert made.pid in resctrl.tasks("/")


@clause("rdt-both")
@pytest.mark.skipif(NO_BANDWIDTH, reason="this processor can't limit the memory's bandwidth")
@lib.NEEDED
def test_cache_and_bandwidth_are_written_together(made, resctrl):
    line = "MB:" + ";".join(f"{domain}=50" for domain in resctrl.schemata("/")["MB"])
    rdt(made, l3CacheSchema=resctrl.line(0xF), memBwSchema=line).up()
    assert resctrl.cache(made.id) == 0xF
    assert set(resctrl.schemata(made.id)["MB"].values()) == {50}


@clause("rdt-MB-line")
@lib.NEEDED
def test_bandwidth_among_the_cache_is_left_out(made, resctrl):
    """The kernel refuses a line that it can't read."""
    rdt(made, l3CacheSchema=f"MB:nonsense\n{resctrl.line(0xF)}").up()
    assert resctrl.cache(made.id) == 0xF


@clause("rdt-either")
@lib.NEEDED
def test_the_cache_is_written(made, resctrl):
    rdt(made, l3CacheSchema=resctrl.line(0xF)).up()
    assert resctrl.cache(made.id) == 0xF


@clause("rdt-schemata")
@lib.NEEDED
def test_schemata_are_written_last(made, resctrl):
    rdt(made, l3CacheSchema=resctrl.line(0xF), schemata=[resctrl.line(0xF0)]).up()
    assert resctrl.cache(made.id) == 0xF0


@clause("rdt-none")
@lib.NEEDED
def test_with_nothing_set_nothing_is_written(made, resctrl):
    resctrl.make("gold", resctrl.line(0xFF))
    rdt(made, closID="gold").up()
    assert resctrl.cache("gold") == 0xFF
    assert resctrl.cache("/") != 0xFF


@clause("rdt-container-id")
@lib.NEEDED
def test_without_a_closid_it_is_the_containers_id(made, resctrl):
    rdt(made).up()
    assert made.pid in resctrl.tasks(made.id)


@clause("rdt-closID-made")
@lib.NEEDED
def test_a_missing_closid_is_made(made, resctrl):
    rdt(made, closID="gold", l3CacheSchema=resctrl.line(0xF)).up()
    assert resctrl.cache("gold") == 0xF


@clause("rdt-closID-compared")
@lib.NEEDED
def test_a_closid_that_exists_is_compared(made, container, refused, resctrl):
    resctrl.make("gold", resctrl.line(0xFF))
    refused(rdt(made, closID="gold", l3CacheSchema=resctrl.line(0xF)))
    assert resctrl.cache("gold") == 0xFF
    same = rdt(container("sleep", "100"), closID="gold", l3CacheSchema=resctrl.line(0xFF)).up()
    assert same.pid in resctrl.tasks("gold")


@clause("rdt-closID-there")
@lib.NEEDED
def test_a_closid_alone_must_be_there(made, container, refused, resctrl):
    refused(rdt(made, closID="gold"))
    assert not resctrl.exists("gold")
    resctrl.make("gold")
    joined = rdt(container("sleep", "100"), closID="gold").up()
    assert joined.pid in resctrl.tasks("gold")


@clause("rdt-monitoring")
@lib.NEEDED
def test_it_is_counted_by_itself(made, resctrl):
    rdt(made, closID="gold", schemata=[resctrl.line(0xF)], enableMonitoring=True).up()
    assert made.pid in resctrl.tasks("gold", "mon_groups", made.id)


@clause("rdt-monitoring-deleted")
@lib.NEEDED
def test_its_monitoring_group_goes_with_it(made, resctrl):
    resctrl.make("gold")
    rdt(made, closID="gold", enableMonitoring=True).up()
    assert resctrl.exists("gold", "mon_groups", made.id)
    made.delete("--force")
    assert not resctrl.exists("gold", "mon_groups", made.id)


@clause("rdt-monitoring-fails")
@lib.NEEDED
def test_a_monitoring_group_that_cannot_be_made_is_an_error(made, refused, resctrl):
    resctrl.make("gold")
    os.mkdir(resctrl.path("gold", "mon_groups", made.id))
    assert "enableMonitoring" in refused(rdt(made, closID="gold", enableMonitoring=True)).stderr
    assert resctrl.exists("gold", "mon_groups", made.id)
