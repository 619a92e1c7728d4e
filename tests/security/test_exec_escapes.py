# SPDX-License-Identifier: Apache-2.0
"""What exec lets into a container, and what it gives a process."""

import os

import pytest


def test_a_directory_that_the_caller_left_open_is_no_way_out(container, tmp_path):
    # CVE-2024-21626: by its number, /proc/self/fd/N, it would be a path to the host.
    host = tmp_path / "host"
    host.mkdir()
    (host / "mark").write_text("of the host")
    made = container("sleep", "100").up()
    fd = os.open(host, os.O_RDONLY | os.O_DIRECTORY)
    try:
        number = os.dup2(fd, 90, inheritable=True)
        for command in (["cat", "/proc/self/fd/90/mark"], ["/proc/self/fd/90/../bin/true"]):
            result = made.exec(*command, pass_fds=(number,))
            assert result.returncode != 0, result
            assert "of the host" not in result.stdout
        outside = made.exec("true", flags=("--cwd", "/proc/self/fd/90"), pass_fds=(number,))
        assert outside.returncode != 0, outside
    finally:
        os.close(90)
        os.close(fd)


def test_a_program_is_not_found_through_a_descriptor_of_the_callers(container, tmp_path):
    host = tmp_path / "host"
    host.mkdir()
    program = host / "true"
    with open("/bin/busybox", "rb") as file:
        program.write_bytes(file.read())
    program.chmod(0o755)
    made = container("sleep", "100").up()
    fd = os.open(host, os.O_RDONLY | os.O_DIRECTORY)
    try:
        number = os.dup2(fd, 90, inheritable=True)
        result = made.exec("/proc/self/fd/90/true", pass_fds=(number,))
        assert result.returncode in (126, 127, 255), result
    finally:
        os.close(90)
        os.close(fd)


@pytest.mark.parametrize("flags", [(), ("--user", "1000")])
def test_an_added_capability_is_not_inherited(container, flags):
    # CVE-2022-29162: in the inheritable set it would reach programs with such file capabilities.
    made = container("sleep", "100")
    made.bundle.capabilities("CAP_KILL")
    made.up()
    status = made.exec_ok("grep", "^Cap", "/proc/self/status", flags=("--cap", "CAP_NET_RAW", *flags))
    sets = {line.split(":")[0]: int(line.split()[1], 16) for line in status.splitlines()}
    net_raw = 1 << 13
    assert not sets["CapInh"] & net_raw and not sets["CapAmb"] & net_raw, status
    assert sets["CapBnd"] & net_raw, status
