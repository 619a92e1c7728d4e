# SPDX-License-Identifier: Apache-2.0
"""Running, and the streams: D04, D05, D06."""

import contextlib
import hashlib
import os
import select
import threading
import time

import pytest

from lib import system

HUNDRED = 100 << 20  # bytes


@contextlib.contextmanager
def pipe():
    """(read end, write end), closed in any case, also when one is closed before."""
    ends = list(os.pipe())
    yield ends
    for fd in ends:
        if fd >= 0:
            os.close(fd)


def close(ends, which):
    os.close(ends[which])
    ends[which] = -1


# ---- D04: to the end ----


def test_D04_waiting_blocks_until_the_end_and_tells_how(runlxc, driver, command):
    document = command(shell="cat; exit 7")
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        with pytest.raises(TimeoutError):
            process.wait(0.1)
        assert process.dispatch() is None
        process.stdin.close()
        assert process.wait(20) == (7, 0, False)
        assert process.wait() == (7, 0, False)  # and again
    assert driver.list() == []


def test_D04_by_a_descriptor(runlxc, driver, command):
    with driver.run(command("cat"), stdin=runlxc.PIPE, stdout=runlxc.DEVNULL) as process:
        assert not select.select([process], [], [], 0)[0]
        process.stdin.close()
        assert select.select([process], [], [], 20)[0]
        while process.dispatch() is None:
            assert select.select([process], [], [], 20)[0]
        # It stays so: whoever asks later sees it, too.
        assert select.select([process], [], [], 0)[0]
        assert process.dispatch() == (0, 0, False)


def test_D04_a_signal_does_not_wake_who_waits(runlxc, driver, command):
    """EINTR is not an end."""
    import signal  # pylint: disable=import-outside-toplevel

    seen = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: (seen.append(1), process.stdin.close()))
    try:
        with driver.run(command("cat"), stdin=runlxc.PIPE) as process:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            assert process.wait(20).status == 0
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert seen == [1]


# ---- D05: the callback ----


@pytest.mark.parametrize("tty", [False, True])
def test_D05_called_once_before_any_of_the_program_has_run(runlxc, driver, command, workdir, tty):
    calls = []
    document = command(shell="touch /seen/ran; cat", tty=tty)
    document["mounts"] = [{"source": workdir, "destination": "/seen", "writable": True}]

    def started(pid):
        # The program would have had the time.
        time.sleep(0.2)
        calls.append((pid, os.path.exists(f"{workdir}/ran"), threading.get_ident(), system.process_stat(pid)[1]))

    with driver.run(document, stdin=runlxc.PIPE, started=started) as process:
        system.wait_until(lambda: os.path.exists(f"{workdir}/ran"), "the program runs")
        pid, ran, thread, _ = calls[0]
        assert (len(calls), ran, thread) == (1, False, threading.get_ident())
        assert pid == process.pid
        # As the host sees it: our child, and the container's cgroup has it.
        assert system.process_stat(pid)[1] == os.getpid()
        assert document["id"] in system.cgroup_paths(pid)[next(iter(system.cgroup_hierarchies()))]
        assert driver.pids(document["id"])[0] == pid
        process.signal(9)
        process.wait(20)


def test_D05_not_called_when_nothing_was_started(runlxc, driver, command):
    calls = []
    with pytest.raises(runlxc.Error):
        driver.run(command("/no/such"), started=calls.append)
    assert not calls


def test_D05_for_exec_too(runlxc, driver, up):
    calls = []
    container = up()
    with driver.exec(container.id, ["sleep", "1000"], stdin=runlxc.DEVNULL, started=calls.append) as process:
        assert calls == [process.pid]
        assert process.pid in driver.pids(container.id)
        process.signal(9)
        process.wait(20)


# ---- D06: pipes ----


def feed(fd, size, digest):
    """Writes pieces of odd sizes that never repeat, to the end."""
    block, written = os.urandom(99991), 0
    with open(fd, "wb", buffering=0) as file:
        while written < size:
            piece = block[: size - written]
            digest.update(piece)
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
            written += len(piece)
            block = block[7919:] + block[:7919]


def drain(fd, digest):
    count = 0
    with open(fd, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            count += len(piece)
    return count


@pytest.mark.parametrize("whose", ["given", "library"])
def test_D06_a_hundred_megabytes_through_pipes_are_unchanged(runlxc, driver, command, whose):
    """There and back; the program's own exit status is not lost over it."""
    there, back = hashlib.md5(), hashlib.md5()
    if whose == "given":
        program_in, ours_out = os.pipe()
        ours_in, program_out = os.pipe()
        process = driver.run(command(shell="cat; exit 9"), stdin=program_in, stdout=program_out)
        os.close(program_in)
        os.close(program_out)
    else:
        process = driver.run(command(shell="cat; exit 9"), stdin=runlxc.PIPE, stdout=runlxc.PIPE)
        ours_out, ours_in = os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno())
        process.stdin.close()
        process.stdout.close()
    with process:
        writer = threading.Thread(target=feed, args=(ours_out, HUNDRED, there))
        writer.start()
        assert drain(ours_in, back) == HUNDRED
        writer.join()
        assert there.digest() == back.digest()
        assert process.wait(20).status == 9


def test_D06_three_streams_are_three(runlxc, driver, command):
    document = command(shell="read line; echo to-stdout $line; echo to-stderr >&2")
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE, stderr=runlxc.PIPE) as process:
        process.stdin.write(b"given\n")
        process.stdin.close()
        assert process.stdout.read() == b"to-stdout given\n"
        assert process.stderr.read() == b"to-stderr\n"
        assert process.wait(20).status == 0


def test_D06_without_streams_they_are_dev_null(runlxc, driver, command):
    document = command(shell="readlink /proc/self/fd/0 /proc/self/fd/1; exec >/out; ls -l /proc/self/fd")
    null = runlxc.DEVNULL
    with driver.run(document, stdin=null, stdout=null, stderr=null) as process:
        assert process.wait(20).status == 0
    with open(f"{document['rootfs']}/out", encoding="utf-8") as out:
        assert out.read().count("/dev/null") == 2


def test_D06_no_descriptor_of_ours_gets_in(runlxc, driver, command):
    with pipe() as ends:
        os.set_inheritable(ends[0], True)
        with driver.run(command("ls", "/proc/self/fd"), stdout=runlxc.PIPE, stderr=runlxc.DEVNULL) as process:
            assert process.stdout.read().split() == [b"0", b"1", b"2", b"3"]  # 3 is ls's own
            process.wait(20)


def test_D06_the_library_keeps_none_of_the_streams(runlxc, driver, command):
    """A descriptor that it kept would keep a reader from seeing the end, or a writer from SIGPIPE."""
    with pipe() as out, pipe() as into:
        document = command(shell="exec >&-; read line; exit 3")
        with driver.run(document, stdin=into[0], stdout=out[1], stderr=runlxc.DEVNULL) as process:
            close(out, 1)
            close(into, 0)
            assert os.read(out[0], 1) == b""  # it runs, and has closed its output
            assert process.dispatch() is None
            close(into, 1)
            assert process.wait(20).status == 3


# ---- D06: terminals ----


def test_D06_a_terminal_copies_both_ways(runlxc, driver, command):
    with pipe() as into, pipe() as out:
        document = command(shell="tty; stty -echo; echo ready; read line; echo got $line; cat; echo end", tty=True)
        with driver.run(document, stdin=into[0], stdout=out[1]) as process:
            close(out, 1)
            stream = Pumped(process, out[0])
            stream.until(b"ready\r\n")
            os.write(into[1], b"hello\nmore\n")
            stream.until(b"got hello\r\nmore\r\n")
            close(into, 1)  # what follows is an end of file for the program
            stream.until(b"end\r\n")
            assert process.wait(20).status == 0
            assert stream.data.startswith(b"/dev/pts/0\r\n")


class Pumped:
    """The reader of a terminal's output, in the thread that also dispatches."""

    def __init__(self, process, fd):
        self.process, self.fd, self.data = process, fd, b""

    def until(self, what):
        deadline = time.monotonic() + 20
        while what not in self.data:
            readable = select.select([self.process, self.fd], [], [], deadline - time.monotonic())[0]
            assert readable, self.data
            if self.process in readable:
                self.process.dispatch()
            if self.fd in readable:
                block = os.read(self.fd, 65536)
                assert block, self.data
                self.data += block


def test_D06_a_terminal_by_the_librarys_pipes(runlxc, driver, command):
    document = command(shell="read line; echo got $line; exit 4", tty=True)
    with driver.run(document, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        assert process.stdin.isatty() and process.stdout.isatty()
        process.stdin.write(b"hello\n")
        assert process.stdout.read() == b"hello\r\ngot hello\r\n"
        assert process.wait(20).status == 4


def test_D06_a_terminal_with_a_pipe_for_its_input_alone(runlxc, driver, command, workdir):
    with open(f"{workdir}/out", "wb") as out:
        document = command(shell="stty -echo; read line; echo got $line; cat", tty=True)
        with driver.run(document, stdin=runlxc.PIPE, stdout=out) as process:
            assert not process.stdin.isatty()
            process.stdin.write(b"hello\n")
            process.stdin.close()
            assert process.wait(20).status == 0
    with open(f"{workdir}/out", "rb") as out:
        assert out.read().endswith(b"got hello\r\n")


def test_D06_the_program_sees_a_resize(runlxc, driver, command):
    script = "trap 'stty size' WINCH; echo ready; while true; do sleep 0.02; done"
    with driver.run(command(shell=script, tty=True), stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        stream = system.Stream(process.stdout.fileno())
        stream.until(b"ready")
        process.resize(33, 101)
        stream.until(b"33 101")
        process.resize(50, 20)
        stream.until(b"50 20")
        process.signal(9)
        assert process.wait(20).signal == 9


def test_D06_what_has_no_terminal_has_no_size(runlxc, driver, up):
    with pytest.raises(runlxc.Error, match="no terminal"):
        up().resize(24, 80)


def test_D06_what_is_written_last_is_not_lost(runlxc, driver, command, workdir):
    """More than a terminal holds, and an end straight behind it."""
    for number in range(10):
        with open(f"{workdir}/{number}", "wb") as out:
            document = command(shell="seq 20000; printf end", tty=True)
            with driver.run(document, stdin=runlxc.DEVNULL, stdout=out) as process:
                assert process.wait(20).status == 0
        with open(f"{workdir}/{number}", "rb") as out:
            assert out.read() == b"".join(b"%d\r\n" % line for line in range(1, 20001)) + b"end"


def test_D06_a_reader_that_stops_stops_nobody_else(runlxc, driver, command, workdir):
    """One thread attends to both. Whoever isn't read waits in its own program."""
    with pipe() as stuck, open(f"{workdir}/out", "wb") as out:
        first = driver.run(command("yes", tty=True), stdin=runlxc.DEVNULL, stdout=stuck[1])
        other = driver.run(command(shell="seq 20000; exit 3", tty=True), stdin=runlxc.DEVNULL, stdout=out)
        with first, other:
            assert finish([first], [other]) == {other: 3}
            # The stuck one answers, too. It has ended when its output was read, of which that is the end.
            assert first.dispatch() is None
            first.signal(9)
            close(stuck, 1)
            reader = threading.Thread(target=drain, args=(os.dup(stuck[0]), hashlib.md5()))
            reader.start()
            assert first.wait(20).signal == 9
            reader.join(20)
            assert not reader.is_alive()


def test_D06_the_end_of_the_program_is_an_end_for_who_writes_to_its_terminal(runlxc, driver, command):
    with pipe() as into, driver.run(command("true", tty=True), stdin=into[0], stdout=runlxc.DEVNULL) as process:
        close(into, 0)
        assert process.wait(20).status == 0
        with pytest.raises(BrokenPipeError):
            os.write(into[1], b"nobody is there")


def finish(running, ending):
    """Attends to all of them by one poll until those in `ending` have ended: their statuses."""
    everyone = {process.fileno(): process for process in running + ending}
    poll = select.poll()
    for fd in everyone:
        poll.register(fd, select.POLLIN)
    statuses, deadline = {}, time.monotonic() + 40
    while len(statuses) < len(ending):
        assert time.monotonic() < deadline
        for fd, _ in poll.poll(40000):
            how = everyone[fd].dispatch()
            if how and everyone[fd] not in statuses:
                statuses[everyone[fd]] = how.status
                poll.unregister(fd)
    return statuses


def test_D06_fifty_containers_by_one_thread(runlxc, driver, command, workdir):
    """Half of them with a terminal; all of their output is there, and each has its own status."""
    processes, files = [], []
    for number in range(50):
        files.append(open(f"{workdir}/{number}", "w+b"))
        document = command(shell=f"read x; seq 3000; echo I am {number}; exit {number}", tty=number % 2 == 0)
        processes.append(driver.run(document, stdin=runlxc.PIPE, stdout=files[-1]))
    assert len(driver.list()) == 50
    for process in processes:  # all at once
        process.stdin.write(b"\n")
        process.stdin.close()
    statuses = finish([], processes)
    for number, (process, file) in enumerate(zip(processes, files)):
        assert statuses[process] == number
        file.seek(0)
        lines = file.read().replace(b"\r\n", b"\n").split(b"\n")
        if number % 2 == 0:
            assert lines.pop(0) == b""  # the echo of what was typed
        assert lines == [b"%d" % line for line in range(1, 3001)] + [b"I am %d" % number, b""]
        process.close()
        file.close()
    assert driver.list() == []
