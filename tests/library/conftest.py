# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the library's tests: the library under test is the one that was built with the command."""

import itertools
import os
import subprocess
import sys

import pytest

from lib.bundle import Bundle, make_rootfs
from lib.command import PATH

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINDINGS = f"{REPOSITORY}/bindings/python"

sys.path.insert(0, BINDINGS)
sys.dont_write_bytecode = True  # nothing of ours among the sources


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.ours)


@pytest.fixture(scope="session")
def build(request):
    """The build directory that the command under test is in; with an installed one, the usual."""
    directory = os.path.dirname(os.path.dirname(os.path.dirname(request.config.command)))
    return directory if os.path.isdir(f"{directory}/src/api") else f"{REPOSITORY}/build"


@pytest.fixture(scope="session")
def runlxc(build):
    """The Python binding, with the library under test."""
    os.environ.setdefault("RUNLXC_LIBRARY", f"{build}/src/api/librunlxc.so.0")
    import runlxc as module  # pylint: disable=import-outside-toplevel

    return module


@pytest.fixture
def driver(runlxc, workdir):
    """A driver on a state root of the test's own; every container is removed afterwards."""
    with runlxc.Driver(f"{workdir}/state") as made:
        yield made
        clean(made)


def clean(driver):
    for id_ in driver.list():
        driver.delete(id_, force=True)
    for child in list(driver._children):  # pylint: disable=protected-access
        if hasattr(child, "pid") and child._handle is not None:  # pylint: disable=protected-access
            for file in (child.stdin, child.stdout, child.stderr):
                if file:
                    file.close()
            child.wait(20)


@pytest.fixture
def rootfs(workdir, session_directory):
    make_rootfs(f"{workdir}/rootfs", f"{session_directory}/busybox")
    return f"{workdir}/rootfs"


@pytest.fixture
def new_id(token):
    numbers = itertools.count(1)
    return lambda: f"{token}-l{next(numbers)}"


@pytest.fixture
def command(rootfs, new_id):
    """Makes Commands: command("true"), command(shell="echo hi"), with more fields behind; tty and the
    like go into process_config."""

    def make(*args, shell=None, tty=False, env=(), user=None, **fields):
        program, *arguments = ("sh", "-c", shell) if shell is not None else args or ("true",)
        process = {"entrypoint": program, "arguments": arguments, "env": [PATH, *env], "tty": tty}
        if user is not None:
            process["user"] = user
        document = {"id": new_id(), "rootfs": rootfs, "network": {"host_networking": True}}
        return {**document, "process_config": process, **fields}

    return make


@pytest.fixture
def oci_bundle(workdir, session_directory):
    """Makes bundles, as the parent's `bundle`: oci_bundle(shell="exit 3") is one that is written."""
    numbers = itertools.count()

    def make(shell="true"):
        made = Bundle(f"{workdir}/bundle{next(numbers)}", f"{session_directory}/busybox").shell(shell)
        made.write()
        return made

    return make


@pytest.fixture
def run(driver, command):
    """Runs a Command to its end: (exit, output)."""

    def make(*args, stdin=-3, **fields):
        with driver.run(command(*args, **fields), stdin=stdin, stdout=-1, stderr=-3) as process:
            output = process.stdout.read()
            return process.wait(20), output.decode()

    return make


@pytest.fixture
def up(driver, command):
    """Starts Commands that stay: they sleep, unless they are told something else, until they are killed."""
    started = []

    def make(*args, **fields):
        document = command(*(args or ("sleep", "1000")), **fields)
        started.append(driver.run(document, stdin=-3, stdout=-3, stderr=-3))
        started[-1].id = document["id"]
        return started[-1]

    yield make
    clean(driver)


class Client:
    """tests/library/client.c, compiled against the library under test."""

    def __init__(self, path, environment):
        self.path = path
        self.environment = environment

    def __call__(self, *args, timeout=50, wrapper=(), **popen):
        popen.setdefault("env", self.environment)
        return subprocess.run(
            [*wrapper, self.path, *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
            text=True,
            **popen,
        )


def compile_client(output, build, *flags):
    source = f"{os.path.dirname(os.path.abspath(__file__))}/client.c"
    subprocess.run(
        ["cc", "-std=gnu17", "-Wall", "-Wextra", "-g", "-O1", "-D_GNU_SOURCE", f"-I{REPOSITORY}/include", "-pthread"]
        + ["-o", output, source, *flags],
        check=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def client(session_directory, build, token):
    path = f"{session_directory}/client"
    library = f"{build}/src/api"
    compile_client(path, build, f"-L{library}", "-lrunlxc", f"-Wl,-rpath,{library}")
    return Client(path, dict(os.environ, RUNLXC_TEST_SESSION=token))


@pytest.fixture(scope="session")
def checked_client(session_directory, build, token):
    """The same with the static library, and with every allocation checked."""
    path = f"{session_directory}/client-checked"
    libraries = subprocess.run(
        ["pkg-config", "--libs", "libseccomp", "libcap", "json-c"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    compile_client(path, build, "-fsanitize=address,undefined", f"{build}/src/api/librunlxc.a", *libraries)
    return Client(path, dict(os.environ, RUNLXC_TEST_SESSION=token))
