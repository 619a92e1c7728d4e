# SPDX-License-Identifier: Apache-2.0
"""What can't be checkpointed or restored, and what is left of a try."""

import glob
import os
import socket

import pytest

from lib import system
from lib.checkpoint import COUNTER, STAY, counted, wait_counting

pytestmark = [pytest.mark.ours, pytest.mark.limit(120)]


@pytest.fixture
def plugged(container):
    """A container that CRIU refuses: its standard input is a socket of somebody else's."""
    ours, theirs = socket.socketpair()
    made = container(shell=COUNTER)
    made.bundle.writable()
    made.up(stdin=theirs.fileno())
    system.wait_until(lambda: len(counted(made)) > 3, "counting")
    yield made
    ours.close()
    theirs.close()


def test_a_container_runs_on_unchanged_after_a_failed_checkpoint(criu, plugged, runtime, image):
    pid = plugged.pid
    result = runtime("checkpoint", "--image-path", image, plugged.id, timeout=60)
    result.assert_refused("CRIU failed", f"{image}/dump.log", "socket")
    assert plugged.status == "running"
    assert plugged.state()["pid"] == pid
    wait_counting(plugged)
    assert plugged.exec_ok("echo", "hi") == "hi\n"


def test_nothing_is_left_after_a_failed_restore(counter, runtime, image, checkpoint):
    checkpoint(counter)
    for name in glob.glob(f"{image}/core-*.img"):
        os.truncate(name, 10)
    before = sorted(os.listdir(counter.bundle.rootfs))
    result = runtime(
        "restore",
        "-d",
        "-b",
        counter.bundle.path,
        "--image-path",
        image,
        "--pid-file",
        f"{counter.pid_file}2",
        counter.id,
        timeout=60,
    )
    result.assert_refused("CRIU failed", f"{image}/restore.log")
    assert not counter.exists
    assert not os.path.exists(f"{counter.pid_file}2")
    assert sorted(os.listdir(counter.bundle.rootfs)) == before
    # The next test's fixtures look for processes, mounts and cgroups.


def test_a_restore_over_a_container_that_is_there_is_refused(counter, runtime, image, checkpoint):
    checkpoint(counter, "--leave-running")
    result = runtime("restore", "-d", "-b", counter.bundle.path, "--image-path", image, counter.id)
    result.assert_refused("container with id exists")
    wait_counting(counter)


def test_a_hook_that_fails_stops_the_restore(container, runtime, image, checkpoint):
    made = container(shell=STAY).up()
    checkpoint(made)
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    made.bundle.write()
    result = runtime("restore", "-d", "-b", made.bundle.path, "--image-path", image, made.id, timeout=60)
    result.assert_refused("hooks.createRuntime[0]")
    assert not made.exists


# ---- without CRIU ----


def test_without_criu_there_is_one_clear_line_and_the_container_runs_on(counter, runtime, image):
    runtime.global_flags += ["--criu", "/nonexistent/criu"]
    result = runtime("checkpoint", "--image-path", image, counter.id)
    result.assert_refused("CRIU is needed", "/nonexistent/criu")
    wait_counting(counter)
    assert not os.path.exists(image)
    result = runtime("restore", "--image-path", image, "-b", counter.bundle.path, runtime.new_id())
    result.assert_refused("CRIU is needed", "/nonexistent/criu")


def test_a_criu_that_fails_at_once_is_one_clear_line(counter, runtime, image):
    runtime.global_flags += ["--criu", "/bin/false"]
    runtime("checkpoint", "--image-path", image, counter.id).assert_refused("CRIU")
    wait_counting(counter)


def test_a_criu_that_the_kernel_is_too_new_for_is_one_clear_line(why_not, counter, runtime, image):
    if not why_not or "this kernel" not in why_not:
        pytest.skip("this CRIU works here, or is not installed")
    runtime("checkpoint", "--image-path", image, counter.id, timeout=60).assert_refused("CRIU failed", "dump.log")
    assert counter.status == "running"
    wait_counting(counter)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--lazy-pages", "--status-fd", "77"], ["--status-fd", "77"]),
        (["--manage-cgroups-mode", "loose"], ["--manage-cgroups-mode", "loose"]),
        (["--empty-ns", "uts"], ["--empty-ns", "uts"]),
        (["--status-fd", "x"], ["--status-fd"]),
    ],
)
def test_bad_flags_are_refused_by_name(counter, runtime, image, flags, words):
    runtime("checkpoint", "--image-path", image, *flags, counter.id).assert_refused(*words)
    wait_counting(counter)


def test_a_status_fd_that_is_for_reading_is_refused(counter, runtime, image):
    with open("/dev/null", "rb") as null:
        flags = ["--lazy-pages", "--status-fd", str(null.fileno())]
        result = runtime("checkpoint", "--image-path", image, *flags, counter.id, pass_fds=[null.fileno()])
    result.assert_refused("--status-fd", "not writable")
    wait_counting(counter)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--parent-path", "/absolute"], ["--parent-path", "relative"]),
        (["--parent-path", "missing"], ["--parent-path", "missing"]),
        (["--page-server", "nowhere"], ["--page-server", "ADDRESS:PORT"]),
        (["--page-server", "a:b"], ["--page-server", "ADDRESS:PORT"]),
    ],
)
def test_bad_paths_and_addresses_are_refused_by_name(criu, counter, runtime, image, flags, words):
    runtime("checkpoint", "--image-path", image, *flags, counter.id).assert_refused(*words)
    wait_counting(counter)


def test_only_a_running_container_can_be_checkpointed(container, runtime, image):
    created = container("sleep", "100").create()
    result = runtime("checkpoint", "--image-path", image, created.id)
    result.assert_refused("Container cannot be checkpointed in created state")
    created.start().stop()
    result = runtime("checkpoint", "--image-path", image, created.id)
    result.assert_refused("Container cannot be checkpointed in stopped state")
    result = runtime("checkpoint", "--image-path", image, runtime.new_id())
    result.assert_refused("container does not exist")


def test_what_is_no_checkpoint_is_refused(criu, bundle, runtime, workdir):
    made = bundle().write()
    result = runtime("restore", "--bundle", made.path, "--image-path", f"{workdir}/missing", runtime.new_id())
    result.assert_refused("--image-path", "missing")
    result = runtime("restore", "--bundle", made.path, "--image-path", workdir, runtime.new_id())
    result.assert_refused("--image-path", "not a checkpoint")


# ---- what CRIU can't ----


MAPPING = [{"containerID": 0, "hostID": 1000, "size": 10}]


@pytest.mark.parametrize("what", ["mappings", "idmap", "ridmap", "cgroup", "time", "agent"])
def test_what_criu_cannot_restore_is_refused_by_its_field(container, runtime, workdir, image, what):
    """CRIU would leave it out, some of it without a word."""
    made, word = container("sleep", "100"), f"linux.namespaces[5].path: CRIU can't restore a container into a {what}"
    if what in ("mappings", "idmap", "ridmap"):
        if not system.owners_can_be_mapped(workdir):
            pytest.skip("this kernel has no mapped mounts of tmpfs (Linux 6.3)")
        made.bundle.mount("/mnt", workdir, "rbind", *([] if what == "mappings" else [what]))
        if what == "mappings":
            made.bundle.config["mounts"][-1].update(uidMappings=MAPPING, gidMappings=MAPPING)
        else:
            os.makedirs(f"{workdir}/source")
            made.bundle.config["mounts"][-1]["source"] = f"{workdir}/source"
            made.bundle.user_namespace()
        word = "mounts[7]: CRIU doesn't restore mapped ids"
    elif what == "agent":
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{workdir}/agent")
        server.listen()
        made.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": f"{workdir}/agent"}
        word = "linux.seccomp.listenerPath: CRIU doesn't checkpoint a filter with an agent"
    else:
        other = container("sleep", "100")
        other.bundle.with_namespace(what)
        made.bundle.with_namespace(what, f"/proc/{other.up().pid}/ns/{what}")
    made.up()
    runtime("checkpoint", "--image-path", image, made.id).assert_refused(word)
    assert made.status == "running" and not os.path.exists(image)
