# SPDX-License-Identifier: Apache-2.0
"""Programs for x86 that make one system call and exit with its error number: what a filter makes of a call is
seen without a compiler, and for calls and architectures that no C library has."""

import os
import struct

_BASE = 0x400000


def _elf64(code):
    header = 64 + 56
    return (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        + struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, header + len(code), header + len(code), 0x1000)
        + code
    )


def _elf32(code):
    header = 52 + 32
    return (
        b"\x7fELF\x01\x01\x01"
        + bytes(9)
        + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, _BASE + header, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        + struct.pack("<IIIIIIII", 1, 0, _BASE, _BASE, header + len(code), header + len(code), 5, 0x1000)
        + code
    )


def x86_64(number, *args):
    """The 64-bit program. x32's calls are those with 0x40000000 in their number."""
    code = b"\x48\xb8" + struct.pack("<Q", number)
    for register, value in zip((b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9"), args):
        code += register + struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF)
    # syscall; neg eax; mov edi, eax; mov eax, exit_group; syscall
    return _elf64(code + b"\x0f\x05\xf7\xd8\x89\xc7\xb8\xe7\x00\x00\x00\x0f\x05")


def i386(number, *args):
    """The 32-bit program."""
    code = b"\xb8" + struct.pack("<I", number)
    for register, value in zip((b"\xbb", b"\xb9", b"\xba", b"\xbe", b"\xbf"), args):
        code += register + struct.pack("<I", value & 0xFFFFFFFF)
    # int 0x80; neg eax; mov ebx, eax; mov eax, exit_group; int 0x80
    return _elf32(code + b"\xcd\x80\xf7\xd8\x89\xc3\xb8\xfc\x00\x00\x00\xcd\x80")


def put(bundle, *programs):
    """Writes them as /call0, /call1 … and makes the container print their exit statuses, one a line."""
    for index, program in enumerate(programs):
        path = f"{bundle.rootfs}/call{index}"
        with open(path, "wb") as file:
            file.write(program)
        os.chmod(path, 0o755)
    # Not the shell's own words about whom a signal has killed.
    bundle.shell("".join(f"/call{index} 2>/dev/null; echo $?; " for index in range(len(programs))) + "exit 0")
