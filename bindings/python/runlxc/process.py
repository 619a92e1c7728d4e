# SPDX-License-Identifier: Apache-2.0
"""Running processes, and their streams."""

from __future__ import annotations

import ctypes
import io
import errno
import math
import os
import select
import subprocess
import time
from typing import Any, BinaryIO, Callable, NamedTuple, Optional, Union

from . import _library
from ._library import call, library

PIPE = subprocess.PIPE
DEVNULL = subprocess.DEVNULL

#: A stream: None (our own), PIPE, DEVNULL, a descriptor, or what has a fileno().
Stream = Union[None, int, BinaryIO, Any]
Started = Callable[[int], Any]


class Exit(NamedTuple):
    """How a process ended."""

    #: 0–255, or 128+n when signal n ended it
    status: int
    #: n, else 0
    signal: int
    #: whether the kernel killed a process of the container's for memory; it need not have been this one.
    #: Told for a container's first process alone
    oom_killed: bool

    @classmethod
    def of(cls, how: _library.CExit) -> Exit:
        return cls(how.status, how.signal, bool(how.oom_killed))


def _descriptor(stream: Stream, inherited: int) -> int:
    if stream is None:
        return inherited
    if not isinstance(stream, int):
        return stream.fileno()
    if stream >= 0:
        return stream
    if stream == PIPE:
        return _library.STREAM_PIPE
    if stream == DEVNULL:
        return _library.STREAM_NULL
    raise ValueError(f"{stream} is no stream")


class Io:
    """struct runlxc_io for the time of a call."""

    def __init__(self, stdin: Stream, stdout: Stream, stderr: Stream, started: Optional[Started]):
        self._started = started
        self.failure: Optional[BaseException] = None
        function = _library.StartedFunction(self._call_started) if started else _library.StartedFunction()
        self.struct = _library.CIo(
            _descriptor(stdin, 0), _descriptor(stdout, 1), _descriptor(stderr, 2), function, None
        )

    def _call_started(self, _: Any, pid: int) -> None:
        try:
            assert self._started
            self._started(pid)
        except BaseException as failure:  # pylint: disable=broad-except  # raised again by whoever called C
            self.failure = failure


class _Terminal(io.FileIO):
    """A terminal's master: when nobody has it open inside any more, reading says so by EIO."""

    def readinto(self, buffer: Any) -> Optional[int]:
        try:
            return super().readinto(buffer)
        except OSError as error:
            if error.errno == errno.EIO:
                return 0
            raise

    read = io.RawIOBase.read
    readall = io.RawIOBase.readall


def _open(descriptor: int, mode: str) -> BinaryIO:
    if os.isatty(descriptor):
        os.set_blocking(descriptor, True)
        return _Terminal(descriptor, mode)  # type: ignore[return-value]
    return open(descriptor, mode)  # type: ignore[return-value]  # pylint: disable=consider-using-with


class Process:
    """A running process of a container, as Driver.run() and its kin return it. One thread at a time.

    `stdin`, `stdout`, `stderr` are files where PIPE was asked for, else None; binary, like those of
    subprocess.Popen. With a terminal and PIPE as stdout, `stdin` and `stdout` are both the terminal.

    Leave the process to wait(), dispatch() and poll(): waiting for any child (os.wait()) may take
    its status away. As a context manager it is closed at the end, see close().
    """

    def __init__(self, driver: Any, handle: int):
        """Not to be called: Driver makes them."""
        self._driver = driver  # outlives us
        self._handle: Optional[int] = handle
        self._exit: Optional[Exit] = None
        self._pid: int = library().process_pid(handle)
        streams = [library().process_take_stream(handle, number) for number in range(3)]
        files = [
            None if fd < 0 else _open(fd, "wb" if number == 0 else "rb") for number, fd in enumerate(streams)
        ]
        self.stdin, self.stdout, self.stderr = files

    @property
    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("the process is closed")
        return self._handle

    @property
    def pid(self) -> int:
        """Its pid as the host sees it."""
        return self._pid

    def fileno(self) -> int:
        """A descriptor that polls readable when dispatch() has something to do."""
        return library().process_fd(self._open_handle)

    def dispatch(self) -> Optional[Exit]:
        """Does what there is to do (bytes to copy from and to a terminal, memory that ran out, an
        end) without waiting for anyone. How the process ended, or None: it still runs. At the end of
        a container's first process the container is deleted."""
        if self._exit is None:
            how = _library.CExit()
            if call(library().process_dispatch, self._open_handle, ctypes.byref(how)) == 1:
                self._exit = Exit.of(how)
        return self._exit

    poll = dispatch

    def wait(self, timeout: Optional[float] = None) -> Exit:
        """Dispatches until the process has ended; TimeoutError if it hasn't after so many seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()
        if self._exit is None:
            poll.register(self.fileno(), select.POLLIN)
        while (ended := self.dispatch()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
            poll.poll(None if left is None else math.ceil(left * 1000))
        return ended

    def resize(self, height: int, width: int) -> None:
        """Sets the size of its terminal, in character cells; the program gets SIGWINCH."""
        call(library().process_resize, self._open_handle, height, width)

    def signal(self, number: int) -> None:
        """Sends it a signal, never to another process: errno ESRCH when it has ended."""
        call(library().process_signal, self._open_handle, int(number))

    def close(self) -> None:
        """Lets go of it, and closes its files. If it hasn't ended it runs on, unattended: a container
        then stays until Driver.delete()."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        library().process_free(handle)
        for file in (self.stdin, self.stdout, self.stderr):
            if file:
                try:
                    file.close()
                except BrokenPipeError:
                    pass  # what was still to be written, to a process that has gone

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def __repr__(self) -> str:
        how = "closed" if self._handle is None else "running" if self._exit is None else str(self._exit)
        return f"<runlxc.Process {self.pid} {how}>"
