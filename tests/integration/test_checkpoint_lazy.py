# SPDX-License-Identifier: Apache-2.0
"""Memory that stays behind until it is asked for: --lazy-pages."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from lib import system
from lib.checkpoint import CRIU, counted, wait_counting
from lib.runtime import wait_status

pytestmark = [pytest.mark.ours, pytest.mark.limit(120)]


@pytest.fixture
def lazy(criu):
    check = subprocess.run([CRIU, "check", "--feature", "uffd-noncoop"], stdin=subprocess.DEVNULL, check=False)
    if check.returncode != 0:
        pytest.skip("this kernel, or CRIU, has no userfaultfd that tells of other processes' memory")


@pytest.fixture
def page_server(lazy):
    """CRIU makes a pipe larger than fs.pipe-max-size for it, and hangs where it can't."""
    if not int(system.process_status("self")["CapEff"], 16) & 1 << 24:
        pytest.skip("CRIU's page server needs CAP_SYS_RESOURCE")


@contextlib.contextmanager
def served(runtime, container, image, *flags):
    """A `checkpoint --lazy-pages` that can be asked for memory, and CRIU's daemon that will ask."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    reader, writer = os.pipe()
    status = ["--status-fd", str(writer), "--page-server", f"127.0.0.1:{port}"]
    with runtime.popen(
        "checkpoint", "--lazy-pages", *status, "--image-path", image, *flags, container.id, pass_fds=[writer]
    ) as checkpoint:
        os.close(writer)
        ready = system.Stream(reader)
        ready.until(b"\0")
        daemon = [CRIU, "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", port, "-D", image]
        with subprocess.Popen(daemon, stdin=subprocess.DEVNULL) as pages:
            system.wait_until(lambda: os.path.exists(f"{image}/lazy-pages.socket"), "the daemon's socket")
            yield checkpoint
            assert pages.wait(30) == 0


def test_a_lazily_restored_counter_goes_on_from_where_it_was(page_server, counter, runtime, image):
    """The old container stands still, and is there, until the last of its memory was fetched."""
    new = runtime.container(counter.bundle)
    with served(runtime, counter, image) as checkpoint:
        before = counted(counter)
        assert counter.exists
        runtime.ok(
            *("restore", "--detach", "--lazy-pages", "--bundle", counter.bundle.path),
            *("--image-path", image, "--work-path", image, "--pid-file", new.pid_file, new.id),
            timeout=60,
        )
        wait_counting(counter)
        assert wait_status(checkpoint) == 0
    assert not counter.exists
    assert new.state()["status"] == "running"
    wait_counting(new)
    after = counted(new)
    assert after == list(range(1, len(after) + 1)) and len(after) > len(before)


def test_a_lazy_checkpoint_whose_criu_is_killed_lets_the_container_run_on(lazy, counter, runtime, image):
    reader, writer = os.pipe()
    flags = ["--lazy-pages", "--status-fd", str(writer), "--page-server", "127.0.0.1:1"]
    with runtime.popen(
        "checkpoint", *flags, "--image-path", image, counter.id, pass_fds=[writer], stderr=subprocess.PIPE
    ) as checkpoint:
        os.close(writer)
        system.Stream(reader).until(b"\0")
        with open(f"/proc/{checkpoint.pid}/task/{checkpoint.pid}/children", encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        assert wait_status(checkpoint) == 1
        assert b"CRIU" in checkpoint.stderr.read()
    assert counter.status == "running"
    wait_counting(counter)
