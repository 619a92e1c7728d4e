# SPDX-License-Identifier: Apache-2.0
"""What the tests of checkpoint and restore share: tests/integration/conftest.py has its fixtures."""

import os
import re
import shutil
import subprocess

import pytest

from lib import system

CRIU = os.environ.get("CRIU", "criu")

# It writes to its standard output and to a file that it opened once.
COUNTER = "exec 3>/count; i=0; while :; do i=$((i+1)); echo $i; echo $i >&3; usleep 20000; done"


# CRIU interrupts the call that sleeps, after which the sleep(1) of busybox 1.37 ends, as if it were over.
STAY = "while :; do sleep 100; done"


def missing():
    """Why CRIU can't be used on this machine; None: it can."""
    if not shutil.which(CRIU):
        return "CRIU is not installed"
    if not shutil.which("iptables-restore"):
        return "CRIU stops a container's network by iptables, which is not installed"
    check = subprocess.run([CRIU, "check"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check.returncode == 0:
        return None
    lines = [line for line in check.stderr.splitlines() if "criu/util.c" not in line]
    return f"this CRIU can't work on this kernel: {lines[0] if lines else check.returncode}"


def version():
    """CRIU's, as numbers: "Version: 3.17.1"."""
    said = subprocess.run([CRIU, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return tuple(int(number) for number in re.findall(r"[0-9]+", said.stdout.splitlines()[0]))


@pytest.fixture(scope="session")
def why_not():
    return missing()


@pytest.fixture
def criu(why_not, runtime):
    if why_not:
        pytest.skip(why_not)
    runtime.global_flags += ["--criu", CRIU]


@pytest.fixture
def image(workdir):
    return f"{workdir}/image"


@pytest.fixture
def checkpoint(criu, runtime, image):
    def run(container, *flags):
        return runtime.ok("checkpoint", "--image-path", image, *flags, container.id, timeout=60)

    return run


@pytest.fixture
def restore(criu, runtime, image):
    """Detached, with the pid file that the container had."""

    def run(container, *flags, **popen):
        if os.path.exists(container.pid_file):
            os.unlink(container.pid_file)
        container.close()
        container.result = runtime.ok(
            "restore",
            "--detach",
            "--bundle",
            container.bundle.path,
            "--image-path",
            image,
            "--pid-file",
            container.pid_file,
            *flags,
            container.id,
            timeout=60,
            **popen,
        )
        container._pidfd = system.Pidfd(container.pid)  # pylint: disable=protected-access
        return container

    return run


@pytest.fixture
def counter(container):
    made = container(shell=COUNTER)
    made.bundle.writable()
    made.up()
    system.wait_until(lambda: len(counted(made)) > 5, "counting")
    return made


def counted(container):
    """Every number that was written to the end."""
    if not os.path.exists(f"{container.bundle.rootfs}/count"):
        return []
    with open(f"{container.bundle.rootfs}/count", encoding="ascii") as file:
        return [int(line) for line in file.read().split("\n")[:-1]]


def wait_counting(container, more=5):
    before = len(counted(container))
    system.wait_until(lambda: len(counted(container)) >= before + more, "counting on")
