# SPDX-License-Identifier: Apache-2.0
"""A seccomp agent: listens on linux.seccomp.listenerPath and answers what filters notify of (seccomp_unotify(2))."""

import array
import fcntl
import json
import os
import select
import socket
import struct
import threading

from lib import system

_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE = 1


class Notification:
    """One call of a process in the container, which waits for the answer."""

    def __init__(self, listener):
        self._listener = listener
        data = bytearray(80)
        fcntl.ioctl(listener, _RECEIVE, data)
        self.id, self.pid, _, self.number, self.arch, _, *self.args = struct.unpack("<QIIiIQ6Q", data)

    @property
    def valid(self):
        try:
            fcntl.ioctl(self._listener, _IS_VALID, struct.pack("<Q", self.id))
        except FileNotFoundError:
            return False
        return True

    def text(self, index):
        """The string that an argument points to."""
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(self.args[index])
            return memory.read(200).split(b"\0")[0].decode()

    def answer(self, value=0, error=0, flags=0):
        try:
            fcntl.ioctl(self._listener, _SEND, struct.pack("<QqiI", self.id, value, -error, flags))
        except FileNotFoundError:
            pass  # interrupted, or killed

    def let_pass(self):
        self.answer(flags=_CONTINUE)


class Agent:
    """`answer` is called with each Notification, in a thread; without it every call is let through.
    `states` are the documents that came, one for each process; `closed` counts the connections that were closed
    behind theirs."""

    def __init__(self, path, answer=None):
        self.path = path
        self.answer = answer or Notification.let_pass
        self.states, self.descriptors, self.notifications, self.faults = [], [], [], []
        self.closed = 0
        self._threads = []
        self._end, self._end_writer = os.pipe()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.bind(path)
        self._socket.listen()
        self._spawn(self._accept)

    def _spawn(self, function, *args):
        def guarded():
            try:
                function(*args)
            except Exception as fault:  # told by the test's thread, in close()
                self.faults.append(fault)

        thread = threading.Thread(target=guarded)
        self._threads.append(thread)
        thread.start()

    def _wait(self, fd):
        """What poll(2) says of it; None when the agent is to end."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._end, select.POLLIN)
        events = dict(poll.poll())
        return None if self._end in events else events[fd]

    def _accept(self):
        while self._wait(self._socket.fileno()) is not None:
            self._spawn(self._take, self._socket.accept()[0])

    def _take(self, connection):
        with connection:
            self._take_document(connection)
            # runc 1.1 forgets to close it.
            if self._wait(connection.fileno()) is not None:
                assert connection.recv(1) == b"", "something behind the document"
                self.closed += 1

    def _take_document(self, connection):
        connection.settimeout(system.DEADLINE)
        text, fds, state = b"", array.array("i"), None
        while state is None:
            data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(8 * fds.itemsize))
            assert data, f"closed in the midst of a document: {text}"
            for _, _, received in ancillary:
                assert not text, "descriptors that did not come with the first byte"
                fds.frombytes(received)
            text += data
            try:
                state = json.loads(text)
            except ValueError:
                pass  # not all of it
        self.descriptors.append(len(fds))
        self._spawn(self._serve, fds[0])
        self.states.append(state)

    def _serve(self, listener):
        try:
            while True:
                event = self._wait(listener)
                if event is None or event & select.POLLHUP:
                    return
                try:
                    notification = Notification(listener)
                except FileNotFoundError:
                    continue  # interrupted before we came to it
                self.notifications.append(notification)
                self.answer(notification)
        finally:
            os.close(listener)

    def told(self, count):
        """Waits for the documents of so many processes; there are no more."""
        system.wait_until(lambda: len(self.states) >= count, f"{count} documents")
        assert self.descriptors == [1] * count
        return self.states

    @property
    def state(self):
        return self.told(1)[0]

    def close(self):
        """Also what the end of the agent is: nobody has the listeners any more."""
        if self._socket.fileno() < 0:
            return
        os.close(self._end_writer)
        for thread in self._threads:
            thread.join(system.DEADLINE)
        os.close(self._end)
        self._socket.close()
        os.unlink(self.path)
        if self.faults:
            raise self.faults[0]
