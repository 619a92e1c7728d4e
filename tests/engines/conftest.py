# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the engines' batteries. An engine is started once for a session, when the first test asks for it."""

import os

import pytest

from lib import engine, system
from lib.containerd import Containerd
from lib.docker import Docker
from lib.podman import Podman

ALL = os.environ.get("RUNLXC_TESTS_ENGINES") == "all"


def pytest_configure(config):
    config.addinivalue_line("markers", "full: not in the selection that `make check` runs")


def pytest_collection_modifyitems(config, items):
    here = os.path.dirname(os.path.abspath(__file__))
    full = [item for item in items if item.get_closest_marker("full") and str(item.path).startswith(here)]
    if full and not ALL:
        config.hook.pytest_deselected(items=full)
        items[:] = [item for item in items if item not in full]


@pytest.fixture(scope="session")
def place(request, session_directory, token, at_the_end):
    engine.need("nsenter", "unshare", "ip", "runc")
    if os.geteuid() != 0:
        pytest.skip("engines need root")
    made = engine.Place(f"{session_directory}/engines", token, request.config.command)

    def close():
        left = made.close()
        assert not left, f"processes left behind by the engines: {left}"

    at_the_end.append(close)
    return made


@pytest.fixture(scope="session")
def docker_daemon(place, session_directory, at_the_end):
    engine.need("dockerd", "docker", "containerd", "iptables")
    made = Docker(place, f"{session_directory}/busybox")
    at_the_end.append(made.close)
    return made


@pytest.fixture(scope="session")
def containerd_daemon(place, session_directory, at_the_end):
    engine.need("containerd", "ctr", "containerd-shim-runc-v2")
    made = Containerd(place, f"{session_directory}/busybox")
    at_the_end.append(made.close)
    return made


@pytest.fixture(scope="session")
def cri_daemon(place, session_directory, at_the_end):
    engine.need("containerd", "ctr", "containerd-shim-runc-v2")
    pytest.importorskip("grpc", reason="python3-grpcio is not installed")
    pytest.importorskip("google.protobuf", reason="python3-protobuf is not installed")
    from lib.cri import Cri  # pylint: disable=import-outside-toplevel

    made = Cri(place, f"{session_directory}/busybox")
    at_the_end.append(made.close)
    return made


@pytest.fixture(scope="session")
def podman_storage(place, session_directory, at_the_end):
    engine.need("podman", "conmon")
    made = Podman(place, f"{session_directory}/busybox")
    at_the_end.append(made.close)
    return made


@pytest.fixture(autouse=True)
def nothing_left():
    """In place of the one for containers made by hand: engines keep things between tests. What each of them has to
    remove with a container its fixture looks for; the session looks for everything, once the engines are gone."""


def _cleared(made):
    made.clear()
    try:
        system.wait_until(lambda: not made.left(), "nothing left", 5)
    except AssertionError:
        pytest.fail("left behind:\n" + "\n".join(made.left()))


@pytest.fixture
def docker(docker_daemon):
    yield docker_daemon
    if docker_daemon.daemon.poll() is not None:  # one test's failure is not the next one's
        docker_daemon.start()
    _cleared(docker_daemon)


@pytest.fixture
def containerd(containerd_daemon):
    yield containerd_daemon
    if containerd_daemon.daemon.poll() is not None:
        containerd_daemon.start()
    _cleared(containerd_daemon)


@pytest.fixture
def podman(podman_storage):
    yield podman_storage
    _cleared(podman_storage)


@pytest.fixture
def cri(cri_daemon):
    yield cri_daemon
    _cleared(cri_daemon)
