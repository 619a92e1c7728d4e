# SPDX-License-Identifier: Apache-2.0
"""What the library does to its caller: threads, signals, output, memory; by a C program (client.c)."""

import os
import re

import pytest


@pytest.fixture
def arguments(workdir, rootfs, new_id):
    return lambda *more: (f"{workdir}/state", rootfs, new_id(), *more)


@pytest.mark.limit(120)
def test_eight_threads_with_containers_of_their_own(client, arguments, workdir):
    """25 each, each of them started, entered, killed and gone; none is another's."""
    result = client("threads", *arguments(8, 25), timeout=100)
    assert (result.returncode, result.stdout, result.stderr) == (0, "200\n", "")
    assert os.listdir(f"{workdir}/state") == []


def test_a_container_outlives_the_thread_that_has_started_it(client, arguments):
    result = client("thread-ends", *arguments())
    assert (result.returncode, result.stdout, result.stderr) == (0, "lived on\n", "")


def test_signals_are_as_they_were(client, arguments):
    """All handlers and the mask; the caller's SIGCHLD comes; a program inside starts with none blocked or ignored;
    and nothing was printed but what the program itself did."""
    result = client("signals", *arguments())
    assert result.stdout.splitlines() == ["unchanged", "SIGCHLD came", "no SIGPIPE"]
    assert (result.returncode, result.stderr) == (0, "")


def test_a_reader_that_has_gone_is_no_signal(client, arguments):
    result = client("reader-gone", *arguments())
    assert result.stdout.splitlines() == ["no SIGPIPE", "its own came"]
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("what", [("threads", 2, 2), ("thread-ends",), ("signals",), ("reader-gone",)])
def test_every_allocation_is_in_order(checked_client, arguments, what):
    """AddressSanitizer finds a double free or a leak, of the library's as well."""
    result = checked_client(what[0], *arguments(*what[1:]))
    assert (result.returncode, result.stderr) == (0, "")


def test_failures_leak_nothing(checked_client, workdir, rootfs):
    for field in ("network", "id", "rootfs", "entrypoint"):
        result = checked_client("lacking", f"{workdir}/state", rootfs, field)
        assert (result.returncode, result.stderr) == (1, "")


def test_the_bindings_structs_are_the_headers(client, runlxc):
    """Sizes and places of members, as the compiler has them."""
    import ctypes  # pylint: disable=import-outside-toplevel

    from runlxc import _library  # pylint: disable=import-outside-toplevel

    assert runlxc
    lines = client("structs").stdout.splitlines()
    assert len(lines) > 10
    for line in lines:
        name, number = line.split()
        name, _, member = name.removeprefix("runlxc_").partition(".")
        struct = getattr(_library, "C" + "".join(map(str.capitalize, name.split("_"))))
        found = getattr(struct, member).offset if member else ctypes.sizeof(struct)
        assert found == int(number), line


def test_every_function_of_the_header_is_in_the_binding(runlxc):
    from runlxc import _library  # pylint: disable=import-outside-toplevel

    assert runlxc
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    names = set()
    for header in ("runlxc", "process", "command"):
        with open(f"{repository}/include/runlxc/{header}.h", encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        names |= set(re.findall(r"\brunlxc_(\w+)\(", text))
    # These two are start and dispatch, again and again.
    assert names - {"command_run", "process_wait"} == set(_library._FUNCTIONS)  # pylint: disable=protected-access
