# SPDX-License-Identifier: Apache-2.0
"""--pid-file: a file that appears whole; what isn't a file is written to, and stays what it is."""

import os
import stat

import pytest

from lib.system import Stream


@pytest.fixture(params=["create", "run", "exec"])
def verb(request, container):
    """A call with --pid-file PATH, detached; a Result, and the pid that must be in it."""

    def call(path, **popen):
        made = container("sleep", "100")
        if request.param == "exec":
            made.up()
            result = made.exec("sleep", "200", flags=["-d", "--pid-file", path], **popen)
        else:
            made.bundle.write()
            flags = ["-d"] if request.param == "run" else []
            result = made.runtime(request.param, *flags, "-b", made.bundle.path, "--pid-file", path, made.id, **popen)
        call.made = made
        return result

    return call


def only_pid(made, text):
    rows = made.runtime.ok("ps", made.id).stdout.splitlines()[1:]
    assert text in [row.split()[1] for row in rows]


def test_a_file_that_is_there_is_replaced(verb, workdir):
    with open(f"{workdir}/pid", "w", encoding="ascii") as file:
        file.write("something much longer than a pid")
    assert verb(f"{workdir}/pid").returncode == 0
    with open(f"{workdir}/pid", encoding="ascii") as file:
        only_pid(verb.made, file.read())


def test_a_symlink_is_replaced_and_not_followed(verb, workdir):
    with open(f"{workdir}/other", "w", encoding="ascii") as file:
        file.write("mine")
    os.symlink("other", f"{workdir}/pid")
    assert verb(f"{workdir}/pid").returncode == 0
    with open(f"{workdir}/other", encoding="ascii") as file:
        assert file.read() == "mine"
    assert not os.path.islink(f"{workdir}/pid")


@pytest.mark.ours  # runc makes a file of it
def test_a_device_stays_one(verb, workdir):
    os.mknod(f"{workdir}/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    assert verb(f"{workdir}/null").returncode == 0
    info = os.stat(f"{workdir}/null")
    assert stat.S_ISCHR(info.st_mode) and info.st_rdev == os.makedev(1, 3)


@pytest.mark.ours
def test_a_device_that_is_full_is_an_error(verb, workdir):
    os.mknod(f"{workdir}/full", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    verb(f"{workdir}/full").assert_refused("--pid-file", f"{workdir}/full", "no space left on device")
    assert verb.made.runtime.list() == [] or verb.made.runtime.ok("ps", verb.made.id).stdout.count("sleep") == 1


@pytest.mark.ours
def test_a_pipe_gets_the_pid(verb, workdir):
    os.mkfifo(f"{workdir}/pipe")
    reader = os.open(f"{workdir}/pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert verb(f"{workdir}/pipe").returncode == 0
        only_pid(verb.made, Stream(reader).rest().decode())
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat(f"{workdir}/pipe").st_mode)


@pytest.mark.ours
def test_a_pipe_that_nobody_reads_is_an_error_and_nothing_to_wait_for(verb, workdir):
    os.mkfifo(f"{workdir}/pipe")
    verb(f"{workdir}/pipe").assert_refused("--pid-file", f"{workdir}/pipe")


@pytest.mark.ours
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_stream_of_the_commands_own_gets_the_pid(runtime, bundle, workdir, kind):
    """Whatever it is: /dev/stdout is a link to it, which must stay."""
    made = runtime.container(bundle().args("sleep", "100"))
    made.bundle.write()
    reader, writer = os.pipe()
    if kind == "file":
        os.close(writer)
        writer = os.open(f"{workdir}/out", os.O_RDWR | os.O_CREAT)
    link = f"/proc/self/fd/{writer}"
    os.symlink(link, f"{workdir}/link")
    flags = ["-b", made.bundle.path, "--pid-file", f"{workdir}/link"]
    try:
        runtime.ok("create", *flags, made.id, pass_fds=[writer])
        text = os.read(reader, 100) if kind == "pipe" else os.pread(writer, 100, 0)
    finally:
        os.close(reader)
        os.close(writer)
    assert made.state()["pid"] == int(text)
    assert os.readlink(f"{workdir}/link") == link


@pytest.mark.parametrize("where", ["directory", "missing"])
def test_where_it_cannot_be_written_nothing_is_left(verb, workdir, where):
    os.mkdir(f"{workdir}/directory")
    path = f"{workdir}/directory" if where == "directory" else f"{workdir}/missing/pid"
    verb(path).assert_refused(path)
    assert os.listdir(f"{workdir}/directory") == []
    running = [entry["id"] for entry in verb.made.runtime.list()]
    if running:  # exec's: of the container's processes its first one alone is left
        assert verb.made.runtime.ok("ps", verb.made.id).stdout.count("sleep") == 1
