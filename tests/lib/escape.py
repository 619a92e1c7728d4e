# SPDX-License-Identifier: Apache-2.0
"""What an attacker does who shares a volume with the container that is being made."""

import ctypes
import os
import threading

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    """Swaps two names at once."""
    if _libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) < 0:
        raise OSError(ctypes.get_errno(), f"exchanging {one} and {other}")


class Swapper:
    """Swaps two names as fast as it can, while the block runs."""

    def __init__(self, one, other):
        self.names = one, other
        self.swaps = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._swap)

    def _swap(self):
        while not self.ended.is_set():
            exchange(*self.names)
            self.swaps += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def files_below(path):
    """Everything in a directory and below it."""
    return sorted(os.path.join(top, name) for top, directories, files in os.walk(path) for name in directories + files)
