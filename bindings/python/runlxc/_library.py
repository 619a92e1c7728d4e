# SPDX-License-Identifier: Apache-2.0
"""librunlxc as ctypes sees it: the structs and functions of <runlxc/*.h>, and how to call them."""

from __future__ import annotations

import ctypes
import functools
import os
from ctypes import POINTER, Structure, c_char_p, c_int, c_size_t, c_uint, c_ulonglong, c_void_p
from typing import Any, Iterable, Optional

STREAM_NULL, STREAM_PIPE = -1, -2

LogFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
StartedFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int)


class Error(Exception):
    """A call failed. `message` is one line that names what was asked for and what went wrong; `errno`
    is the failing system call's, or 0; `exit_code` is 127 or 126 where the container's program is
    at fault (it isn't there, it can't be executed), else 0."""

    def __init__(self, message: str, errno: int = 0, exit_code: int = 0):
        super().__init__(message)
        self.message = message
        self.errno = errno
        self.exit_code = exit_code

    def __reduce__(self) -> Any:
        return Error, (self.message, self.errno, self.exit_code)


class CError(Structure):
    _fields_ = [("exit_code", c_int), ("errnum", c_int), ("message", c_char_p)]


class CExit(Structure):
    _fields_ = [("status", c_int), ("signal", c_int), ("oom_killed", c_int)]


class CIo(Structure):
    _fields_ = [
        ("input", c_int),
        ("output", c_int),
        ("error", c_int),
        ("started", StartedFunction),
        ("data", c_void_p),
    ]


class CInfo(Structure):
    _fields_ = [("running", c_int), ("paused", c_int), ("pid", c_int), ("oom_kills", c_ulonglong)]


class CCreateOptions(Structure):
    _fields_ = [
        ("bundle", c_char_p),
        ("config", c_char_p),
        ("console_socket", c_char_p),
        ("pid_file", c_char_p),
        ("pidfd_socket", c_char_p),
        ("preserve_fds", c_int),
        ("no_new_keyring", c_int),
        ("lxc_monitor", c_int),
    ]


class CCommandProcess(Structure):
    _fields_ = [
        ("privileged", c_int),
        ("user", c_char_p),
        ("tty", c_int),
        ("entrypoint", c_char_p),
        ("arguments", POINTER(c_char_p)),
        ("env", POINTER(c_char_p)),
    ]


class CExecOptions(Structure):
    _fields_ = [
        ("process", c_char_p),
        ("command", CCommandProcess),
        ("working_dir", c_char_p),
        ("group_add", POINTER(c_char_p)),
        ("cap_add", POINTER(c_char_p)),
        ("no_new_privs", c_int),
        ("process_label", c_char_p),
        ("apparmor_profile", c_char_p),
        ("cgroup", c_char_p),
        ("ignore_paused", c_int),
    ]


# What is opaque, and every string that we own, is a c_void_p: a c_char_p would be copied, and its pointer lost.
_ERR = POINTER(CError)
_FUNCTIONS = {
    "error_clear": (None, _ERR),
    "open": (c_void_p, c_char_p, _ERR),
    "close": (None, c_void_p),
    "set_log": (None, c_void_p, c_int, LogFunction, c_void_p),
    "name": (c_char_p, c_void_p),
    "create": (c_int, c_void_p, c_char_p, POINTER(CCreateOptions), _ERR),
    "start": (c_int, c_void_p, c_char_p, _ERR),
    "run": (c_void_p, c_void_p, c_char_p, POINTER(CCreateOptions), POINTER(CIo), _ERR),
    "command_read": (c_void_p, c_char_p, c_size_t, c_char_p, _ERR),
    "command_free": (None, c_void_p),
    "command_start": (c_void_p, c_void_p, c_void_p, POINTER(CIo), _ERR),
    "command_config": (c_void_p, c_void_p, c_void_p, _ERR),
    "exec": (c_void_p, c_void_p, c_char_p, POINTER(CExecOptions), POINTER(CIo), _ERR),
    "kill": (c_int, c_void_p, c_char_p, c_int, c_int, _ERR),
    "delete": (c_int, c_void_p, c_char_p, c_int, _ERR),
    "pause": (c_int, c_void_p, c_char_p, _ERR),
    "resume": (c_int, c_void_p, c_char_p, _ERR),
    "unpause": (c_int, c_void_p, c_char_p, _ERR),
    "update": (c_int, c_void_p, c_char_p, c_char_p, _ERR),
    "terminate": (c_int, c_void_p, c_char_p, _ERR),
    "clean": (c_int, c_void_p, c_char_p, _ERR),
    "info": (c_int, c_void_p, c_char_p, POINTER(CInfo), _ERR),
    "stats": (c_void_p, c_void_p, c_char_p, _ERR),
    "stats_open": (c_void_p, c_void_p, c_char_p, _ERR),
    "stats_read": (c_void_p, c_void_p, _ERR),
    "stats_close": (None, c_void_p),
    "state": (c_void_p, c_void_p, c_char_p, _ERR),
    "list": (c_void_p, c_void_p, _ERR),
    "pids": (c_int, c_void_p, c_char_p, POINTER(POINTER(c_int)), POINTER(c_size_t), _ERR),
    "wait": (c_int, c_void_p, c_char_p, POINTER(CExit), _ERR),
    "config": (c_void_p, c_void_p, c_char_p, _ERR),
    "features": (c_void_p, _ERR),
    "process_pid": (c_int, c_void_p),
    "process_fd": (c_int, c_void_p),
    "process_dispatch": (c_int, c_void_p, POINTER(CExit), _ERR),
    "process_take_stream": (c_int, c_void_p, c_int),
    "process_resize": (c_int, c_void_p, c_uint, c_uint, _ERR),
    "process_signal": (c_int, c_void_p, c_int, _ERR),
    "process_free": (None, c_void_p),
}

_free = ctypes.CDLL(None).free
_free.argtypes = [c_void_p]
_free.restype = None


class _Library:
    """The functions as attributes, without "runlxc_"."""

    def __init__(self, path: str):
        library = ctypes.CDLL(path)
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(library, f"runlxc_{name}")
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:  # for those who check types
        raise AttributeError(name)


@functools.lru_cache(maxsize=None)
def library() -> _Library:
    path = os.environ.get("RUNLXC_LIBRARY") or "librunlxc.so.0"
    try:
        return _Library(path)
    except (OSError, AttributeError) as error:
        raise Error(f"Failed to load librunlxc: {error} (RUNLXC_LIBRARY may name another file)") from error


def call(function: Any, *arguments: Any) -> Any:
    """Calls a function whose last parameter is a struct runlxc_error; raises what it says."""
    err = CError()
    result = function(*arguments, ctypes.byref(err))
    # NULL, or -1: no pointer is that.
    if result is not None and result != -1:
        return result
    try:
        message = (err.message or b"unknown error").decode(errors="replace")
        raise Error(message, err.errnum, err.exit_code)
    finally:
        library().error_clear(ctypes.byref(err))


def take_text(pointer: int) -> str:
    """A string that was handed out, freed."""
    try:
        return ctypes.string_at(pointer).decode(errors="surrogateescape")
    finally:
        _free(pointer)


def take_list(pointer: int) -> list[str]:
    """A NULL-terminated array of strings in one block, freed."""
    try:
        array = ctypes.cast(pointer, POINTER(c_char_p))
        found = []
        while array[len(found)] is not None:
            found.append(array[len(found)])
        return [text.decode(errors="surrogateescape") for text in found]
    finally:
        _free(pointer)


def take_numbers(pointer: Any, count: int) -> list[int]:
    """An array of pids, freed."""
    try:
        return list(pointer[:count])
    finally:
        _free(ctypes.cast(pointer, c_void_p))


def encode(text: Any) -> Optional[bytes]:
    """A string or a path for a char *; None is NULL. What C would cut off is refused."""
    if text is None:
        return None
    raw = os.fsencode(text)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    return raw


def string_array(items: Optional[Iterable[Any]]) -> Any:
    """A NULL-terminated array; None is NULL. It keeps its strings alive."""
    if items is None:
        return None
    if isinstance(items, (str, bytes)):
        raise TypeError("want a list of strings, not one string")
    raw = [encode(item) for item in items]
    return (c_char_p * (len(raw) + 1))(*raw, None)
