# SPDX-License-Identifier: Apache-2.0
"""Terminals: a user's, with a command in its foreground, and the socket an engine listens on."""

import array
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import termios

from lib import system


def get_size(fd):
    """(rows, columns)"""
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))[:2]


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def is_raw(fd):
    return not termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO)


class UserTerminal:
    """A pty with a command in its foreground, as in a terminal window: `stream` is the screen."""

    def __init__(self, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        set_size(self.master, rows, columns)
        self.attributes = termios.tcgetattr(self.slave)
        self.stream = system.Stream(self.master)
        self.process = None

    def run(self, argv, env):
        # A session of its own, with this as its terminal. By a program: where there are threads, a fork with Python
        # code in it (preexec_fn) may wait for ever (Python 3.13).
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env
        )
        return self

    def type(self, text):
        os.write(self.master, text.encode())

    def restored(self):
        return termios.tcgetattr(self.slave) == self.attributes

    def screen_until(self, text):
        return self.stream.until(text.encode()).decode(errors="replace")

    def wait(self, timeout=30):
        """The exit status; reads what the terminal shows meanwhile, since a full pty would block."""
        with system.Pidfd(self.process.pid) as pidfd:
            while not pidfd.ended():
                readable, _, _ = select.select([self.master, pidfd.fd], [], [], timeout)
                assert readable, f"still running; the screen shows {self.stream.data[-2000:]!r}"
                if self.master in readable:
                    self.stream.data += os.read(self.master, 65536)
        while select.select([self.master], [], [], 0)[0]:
            self.stream.data += os.read(self.master, 65536)
        return self.process.wait()

    @property
    def screen(self):
        return self.stream.data.decode(errors="replace")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ConsoleSocket:
    """Listens as an engine does for --console-socket."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen(1)

    def receive(self, timeout=system.DEADLINE):
        """(descriptor, name) as the runtime sent them."""
        self.socket.settimeout(timeout)
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(timeout)
            descriptors = array.array("i")
            name, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_LEN(descriptors.itemsize))
            for level, kind, data in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        assert len(descriptors) == 1, f"{len(descriptors)} descriptors came over the console socket"
        return descriptors[0], name.decode()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
