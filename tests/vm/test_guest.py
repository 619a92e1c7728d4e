# SPDX-License-Identifier: Apache-2.0
"""Tests of tests/integration once more, on a host that has cgroup v2 alone, and AppArmor, SELinux or systemd.

A guest is booted once and runs them all. Each is a test here, too, that passes, fails or is skipped as it did there.
"""

import os

import pytest

from lib import guest

# Whichever test is the first waits for the guest.
pytestmark = pytest.mark.limit(guest.SECONDS + 180)


def pytest_generate_tests(metafunc):
    for argument, names in (
        ("apparmor_test", guest.selection()),
        ("selinux_test", guest.SELINUX),
        ("systemd_test", guest.systemd_selection("systemd")),
        ("hybrid_test", guest.systemd_selection("hybrid")),
    ):
        if argument in metafunc.fixturenames:
            if not names:
                metafunc.parametrize(argument, [pytest.param(None, marks=pytest.mark.skip("make check-vm runs them"))])
                continue
            ids = guest.collect(metafunc.config.command, names)
            metafunc.parametrize(argument, ids, ids=[id_.removeprefix(guest.INTEGRATION) for id_ in ids])


@pytest.fixture(autouse=True)
def nothing_left():
    """Nothing is compared after each test: the guest has done that, and here nothing is made."""


@pytest.fixture(scope="session")
def boot(request, session_directory):
    """Boots a guest and runs in it what this session has chosen, by -k for instance."""

    def make(kind, **options):
        if os.uname().machine != "x86_64":
            pytest.skip("the guest is one for x86_64")
        parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
        ids = [each[f"{kind}_test"] for each in parameters if each.get(f"{kind}_test")]
        return guest.Guest(f"{session_directory}/guest-{kind}", request.config.command, ids, **options)

    return make


@pytest.fixture(scope="session")
def apparmor_guest(boot):
    return boot("apparmor", lsm="apparmor")


@pytest.fixture(scope="session")
def selinux_guest(boot):
    return boot("selinux", lsm="selinux")


@pytest.fixture(scope="session")
def systemd_guest(boot):
    return boot("systemd", init="systemd")


@pytest.fixture(scope="session")
def hybrid_guest(boot):
    return boot("hybrid", init="hybrid")


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


def test_in_the_guest(apparmor_guest, apparmor_test):
    check(apparmor_guest, apparmor_test)


def test_in_the_guest_with_selinux(selinux_guest, selinux_test):
    check(selinux_guest, selinux_test)


def test_in_the_guest_with_systemd(systemd_guest, systemd_test):
    check(systemd_guest, systemd_test)


def test_in_the_guest_with_systemd_on_cgroup_v1(hybrid_guest, hybrid_test):
    check(hybrid_guest, hybrid_test)
