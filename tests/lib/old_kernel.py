# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a kernel that lacks some calls, as the program and all that it starts see it:

    old_kernel.py ERROR CALL[,CALL...] PROGRAM [ARGUMENT...]

A seccomp filter answers ERROR to these: ENOSYS as an older kernel does, EPERM as the filters of older engines do."""

import ctypes
import errno
import os
import sys

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_NO_NEW_PRIVS = 3  # SCMP_FLTATR_CTL_NNP
# Younger than the libseccomp of Debian 12; the same on every architecture.
_NUMBERS = {"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433}


def wrap(error, calls, argv):
    """The command line that runs `argv` so."""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), error, ",".join(calls), *argv]


def _check(result, what):
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")


def _refuse(error, calls):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    filter_ = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    # Setuid programs, newuidmap(1) for one, keep working; loading it takes root's rights.
    _check(library.seccomp_attr_set(filter_, _NO_NEW_PRIVS, ctypes.c_uint32(int(os.geteuid() != 0))), "seccomp")
    for call in calls:
        number = _NUMBERS.get(call, library.seccomp_syscall_resolve_name(call.encode()))
        if number == -1:
            raise SystemExit(f"libseccomp does not know {call}(2)")
        _check(library.seccomp_rule_add(filter_, ctypes.c_uint32(_ERRNO | error), number, 0), call)
    _check(library.seccomp_load(filter_), "seccomp_load")


if __name__ == "__main__":
    _refuse(getattr(errno, sys.argv[1]), sys.argv[2].split(","))
    os.execvp(sys.argv[3], sys.argv[3:])
