# SPDX-License-Identifier: Apache-2.0
"""Tests on containers once more, on a host that has cgroup v2 alone, and AppArmor, SELinux or systemd.

Guests are booted once and run them all. Each is a test here, too, that passes, fails or is skipped as it did there.
"""

import os

import pytest

from lib import guest

# Whichever test is the first of a guest waits for that.
pytestmark = pytest.mark.limit(guest.SECONDS + 180)

KINDS = {
    "apparmor": {"lsm": "apparmor"},
    "selinux": {"lsm": "selinux"},
    "systemd": {"init": "systemd"},
    "hybrid": {"init": "hybrid"},
}
NAMES = {
    "apparmor": guest.selection(),
    "selinux": guest.SELINUX,
    "systemd": guest.systemd_selection("systemd"),
    "hybrid": guest.systemd_selection("hybrid"),
}


def pytest_generate_tests(metafunc):
    for kind, names in NAMES.items():
        argument = f"{kind}_test"
        if argument in metafunc.fixturenames:
            if not names:
                metafunc.parametrize(argument, [pytest.param(None, marks=pytest.mark.skip("make check-vm runs them"))])
                continue
            ids = guest.collect(metafunc.config.command, names)
            metafunc.parametrize(argument, ids, ids=[id_.removeprefix(guest.TESTS) for id_ in ids])
    if "unit_program" in metafunc.fixturenames:
        metafunc.parametrize("unit_program", guest.unit_programs(metafunc.config.command))


@pytest.fixture(autouse=True)
def nothing_left():
    """Nothing is compared after each test: the guest has done that, and here nothing is made."""


@pytest.fixture(scope="session")
def guests(request, session_directory):
    """Boots guests and runs in them what this session has chosen, by -k for instance."""
    if os.uname().machine != "x86_64":
        pytest.skip("the guest is one for x86_64")
    made = guest.Guests(session_directory, request.config.command)
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    names = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for kind, options in KINDS.items():
        ids = [each[f"{kind}_test"] for each in parameters if each.get(f"{kind}_test")]
        if ids or f"{kind}_guest" in names:
            units = [each["unit_program"] for each in parameters if "unit_program" in each and kind == "apparmor"]
            made.add(kind, ids, units, **options)
    request.config.guests = made
    try:
        made.boot()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def apparmor_guest(guests):
    return guests.of("apparmor")


def check(guest_, id_):
    """Comes to what the test came to in the guest."""
    phases = guest_.phases(id_)
    if not phases:
        pytest.fail(f"It was not done.\n{guest_.last_words()}", pytrace=False)
    failed = [phase for phase in phases if phase["outcome"] == "failed"]
    if failed:
        pytest.fail("\n".join(f"In the guest, {phase['when']}:\n{phase['text']}" for phase in failed), pytrace=False)
    skipped = [phase for phase in phases if phase["outcome"] == "skipped"]
    if skipped:
        # A guest without what it is booted for would pass for a machine that just hasn't got it.
        assert not guest.is_made_for(id_), f"skipped in the guest that is made for it: {skipped[0]['text']}"
        pytest.skip(f"in the guest: {skipped[0]['text']}")


def test_the_guest_has_cgroup_v2_with_every_controller_and_apparmor(apparmor_guest):
    assert apparmor_guest.status in (0, 1), apparmor_guest.last_words()
    assert {"cpu", "cpuset", "hugetlb", "io", "memory", "pids"} <= set(apparmor_guest.read("controllers").split())
    assert "apparmor" in apparmor_guest.read("lsm").strip().split(",")


def test_unit_tests_in_the_guest(apparmor_guest, unit_program):
    """Those that make cgroups, of whatever kind the host has."""
    output = apparmor_guest.read(unit_program)
    assert output.endswith("status 0\n") and "[  PASSED  ]" in output, output[-3000:]


def test_in_the_guest(guests, apparmor_test):
    check(guests.of("apparmor", apparmor_test), apparmor_test)


def test_in_the_guest_with_selinux(guests, selinux_test):
    check(guests.of("selinux", selinux_test), selinux_test)


def test_in_the_guest_with_systemd(guests, systemd_test):
    check(guests.of("systemd", systemd_test), systemd_test)


def test_in_the_guest_with_systemd_on_cgroup_v1(guests, hybrid_test):
    check(guests.of("hybrid", hybrid_test), hybrid_test)
