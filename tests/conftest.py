# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration tests; tests/README.md tells how to run them."""

import os
import shutil
import signal
import subprocess
import tempfile

import pytest

from lib import leaks, system
from lib.bundle import BUSYBOX, Bundle
from lib.command import CommandContainer
from lib.runtime import Runtime
from lib.subreaper import Shim

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEST_SECONDS = 60  # a test that takes longer hangs; @pytest.mark.limit(SECONDS) for the long ones


def _command():
    command = os.environ.get("RUNLXC", os.path.join(REPOSITORY, "build/src/cli/runlxc"))
    command = os.path.abspath(command)
    if not os.access(command, os.X_OK):
        raise pytest.UsageError(
            f"the command under test is not there: {command}; build it (make all) or set RUNLXC"
        )
    return command


def _is_ours(command):
    version = subprocess.run(
        [command, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
    )
    return version.stdout.startswith(b"runlxc")


def _ignore_no_signal():
    """Under nohup, or in a shell's background, some are ignored, and a foreground `run` goes by that. A handler does not
    outlive an exec: commands have the default, and the tests themselves go on as whoever calls them wants it."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_configure(config):
    _ignore_no_signal()
    config.addinivalue_line("markers", "ours: a promise of runlxc alone; deselected when RUNLXC is another runtime")
    config.addinivalue_line("markers", "limit(seconds): how long the test may take")
    config.command = _command()
    config.is_ours = _is_ours(config.command)


def pytest_report_header(config):
    return f"command under test: {config.command}" + ("" if config.is_ours else " (not runlxc)")


def pytest_collection_modifyitems(config, items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="makes real containers: needs root"))
    # Engines run from their first test to the end: nobody else's test is to see them.
    items.sort(key=lambda item: f"{os.sep}engines{os.sep}" in str(item.path))
    if not config.is_ours:
        ours = [item for item in items if item.get_closest_marker("ours")]
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A watchdog: no test hangs, its fixtures included."""
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else TEST_SECONDS

    def too_long(*_):
        signal.alarm(20)  # once more for the fixtures, should they hang as well
        raise TimeoutError(f"the test was not done after {seconds} s")

    previous = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


# ---- of the session ----


@pytest.fixture(scope="session")
def token():
    """In the name of everything that these tests make."""
    return f"rt{os.getpid():x}"


@pytest.fixture(scope="session")
def shared_machine():
    return os.environ.get("RUNLXC_TESTS_SHARED") == "1"


@pytest.fixture(scope="session")
def session_directory(token):
    # Not pytest's own: that is 0700, and a container in a user namespace has to reach its root.
    path = tempfile.mkdtemp(prefix=f"runlxc-{token}-", dir="/tmp")
    os.chmod(path, 0o711)
    shutil.copy(BUSYBOX, f"{path}/busybox")
    os.chmod(f"{path}/busybox", 0o755)
    yield path
    shutil.rmtree(path)
    shutil.rmtree(f"/run/lxc/lock{path}", ignore_errors=True)


@pytest.fixture(scope="session")
def at_the_end():
    """What is to be called when the last test is done, the last one first: engines that run until then. pytest
    promises no order between fixtures of a session that not every test asks for."""
    return []


@pytest.fixture(scope="session", autouse=True)
def nothing_left_by_the_session(token, shared_machine, session_directory, at_the_end):
    before = leaks.Snapshot()
    yield
    while at_the_end:
        at_the_end.pop()()
    found = _leaks_after(before, token, shared_machine)
    assert not found, "left behind by the session:\n" + "\n".join(found)


def _leaks_after(before, token, shared):
    """Waits until nothing is left, or gives up and says what is."""
    found = []

    def none_left():
        found[:] = before.leaks(token, shared)
        return not found

    try:
        system.wait_until(none_left, "nothing left", 5)
    except AssertionError:
        pass
    return found


# ---- of each test ----


@pytest.fixture(autouse=True)
def nothing_left(token, shared_machine):
    """Compares the host before and after each test; what a test has made, its fixtures remove first."""
    before = leaks.Snapshot()
    yield
    found = _leaks_after(before, token, shared_machine)
    if found:
        _clear_away(before, token)
    assert not found, "left behind:\n" + "\n".join(found)


def _clear_away(before, token):
    """So that one test's leak is not the next one's failure."""
    for line in before.leaks(token, True):
        kind, name = line.split(" ", 1)
        if kind == "process":
            os.kill(int(name.split(" ", 1)[0]), signal.SIGKILL)
    for path in {
        path[len(mount_point) :]
        for mount_point in system.cgroup_hierarchies().values()
        for path, _, _ in os.walk(mount_point)
        if (token in path or leaks.names_a_command(path)) and path not in before.named["cgroup"]
    }:
        system.cgroup_remove(path)


@pytest.fixture
def workdir(nothing_left, session_directory, request):
    """A directory for everything the test writes; short, since socket paths are."""
    path = tempfile.mkdtemp(dir=session_directory)
    os.chmod(path, 0o711)
    yield path
    for mount in reversed(system.mounts_of("self")):
        if mount.target.startswith(path + "/"):
            subprocess.run(["umount", "-l", mount.target], check=False)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def runtime_class():
    """Who calls the command; for a file's tests another may."""
    return Runtime


@pytest.fixture
def adapt_bundle():
    """What makes a new bundle one for whoever calls the command."""
    return lambda bundle: bundle


@pytest.fixture
def runtime(workdir, token, request, runtime_class):
    """The command under test with a state root of the test's own."""
    made = runtime_class(request.config.command, request.config.is_ours, workdir, token)
    yield made
    made.clean()
    for container in made.containers:
        container.close()


@pytest.fixture
def bundle(workdir, session_directory, adapt_bundle):
    """Makes bundles: bundle() is a new one with the default config."""
    made = []

    def make():
        made.append(adapt_bundle(Bundle(f"{workdir}/b{len(made)}", f"{session_directory}/busybox")))
        return made[-1]

    return make


@pytest.fixture
def container(runtime, bundle):
    """Makes containers, each with a bundle of its own: container("true"), container(shell="echo hi")."""

    def make(*args, shell=None):
        made = runtime.container(bundle())
        if shell is not None:
            made.bundle.shell(shell)
        elif args:
            made.bundle.args(*args)
        return made

    return make


@pytest.fixture
def command(runtime, workdir, session_directory):
    """Makes containers from Commands: command("true"), command(shell="echo hi"), with more fields behind."""

    def make(*args, shell=None, **fields):
        id_ = runtime.new_id()
        made = CommandContainer(runtime, f"{workdir}/{id_}", id_, f"{session_directory}/busybox")
        runtime.containers.append(made)
        if shell is not None:
            made.shell(shell)
        elif args:
            made.args(*args)
        return made.set(**fields)

    return make


@pytest.fixture
def cgroup_parent(runtime, token):
    """A cgroup path that the test may use; removed in every hierarchy afterwards."""
    path = f"/{token}-parent"
    yield path
    runtime.clean()
    system.cgroup_remove(path)


@pytest.fixture
def shim(runtime):
    """A subreaper that creates containers as containerd's shim or conmon do."""
    with Shim(runtime.environment) as made:
        yield made
        runtime.clean()
