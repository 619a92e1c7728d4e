# SPDX-License-Identifier: Apache-2.0
"""Network interfaces in a container's network namespace, and traffic over them. Nothing on the host.

Run as a program, `traffic.py PID`, it enters the namespace, makes a pair of connected interfaces
there (eth0 and peer0), and then sends as many frames as each line on stdin says; it answers each
with a line on stdout. class Interfaces is the other end.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
FRAME_SIZE = 100

_RTM_NEWLINK = 16
_NLM_F_REQUEST_ACK_CREATE_EXCL = 0x1 | 0x4 | 0x400 | 0x200
_IFLA_IFNAME, _IFLA_LINKINFO = 3, 18
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_VETH_INFO_PEER = 1
_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_RTMGRP_LINK = 1
_EXPERIMENTAL = 0x88B5  # an ethertype that nobody answers to


class Interfaces:
    """A pair of interfaces, eth0 and peer0, in the network namespace of a process."""

    def __init__(self, pid):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def _answer(self):
        answer = self.process.stdout.readline()
        assert answer == "done\n", f"traffic.py failed: {answer!r}"

    def send(self, frames):
        """Sends so many frames, of FRAME_SIZE bytes each, from eth0 to peer0."""
        self.process.stdin.write(f"{frames}\n")
        self.process.stdin.flush()
        self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def _attribute(kind, data):
    header = struct.pack("=HH", 4 + len(data), kind)
    return header + data + b"\0" * (-len(data) % 4)


def _make_pair(name, peer):
    link = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    other = link + _attribute(_IFLA_IFNAME, peer.encode() + b"\0")
    info = _attribute(_IFLA_INFO_KIND, b"veth") + _attribute(
        _IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, other)
    )
    body = link + _attribute(_IFLA_IFNAME, name.encode() + b"\0") + _attribute(_IFLA_LINKINFO, info)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.bind((0, 0))
        netlink.send(
            struct.pack("=IHHII", 16 + len(body), _RTM_NEWLINK, _NLM_F_REQUEST_ACK_CREATE_EXCL, 1, 0) + body
        )
        error = struct.unpack_from("=i", netlink.recv(65536), 16)[0]
    if error:
        raise OSError(-error, f"veth {name}: {os.strerror(-error)}")


def _set_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inet:
        fcntl.ioctl(inet, _SIOCSIFFLAGS, struct.pack("16sh14x", name.encode(), _IFF_UP))


def _wait_until_running(netlink, name):
    """Until then, what is sent is dropped. `netlink` has been listening since before."""
    while True:
        message = netlink.recv(65536)
        kind = struct.unpack_from("=H", message, 4)[0]
        flags = struct.unpack_from("=I", message, 16 + 8)[0]
        if kind == _RTM_NEWLINK and flags & _IFF_RUNNING:
            if _attribute(_IFLA_IFNAME, name.encode() + b"\0") in message:
                return


def main():
    with open(f"/proc/{sys.argv[1]}/ns/net", "rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    _make_pair("eth0", "peer0")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.bind((0, _RTMGRP_LINK))
        _set_up("eth0")
        _set_up("peer0")
        _wait_until_running(netlink, "eth0")
    print("done", flush=True)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packet:
        packet.bind(("eth0", _EXPERIMENTAL))
        frame = b"\xff" * 6 + b"\2\0\0\0\0\1" + struct.pack("!H", _EXPERIMENTAL)
        for line in sys.stdin:
            for _ in range(int(line)):
                packet.send(frame.ljust(FRAME_SIZE, b"\0"))
            print("done", flush=True)


if __name__ == "__main__":
    main()
