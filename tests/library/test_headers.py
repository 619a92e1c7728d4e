# SPDX-License-Identifier: Apache-2.0
"""What is installed: headers that compile alone, and a library that exports its own names alone."""

import os
import re
import shutil
import subprocess

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*args, text=None):
    return subprocess.run(args, input=text or "", capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "compiler",
    [
        ["gcc", "-x", "c", "-std=c99"],
        ["gcc", "-x", "c", "-std=c17"],
        ["clang", "-x", "c", "-std=c99"],
        ["g++", "-x", "c++", "-std=c++11"],
        ["clang++", "-x", "c++", "-std=c++20"],
    ],
    ids=lambda command: "-".join(command[::3]),
)
@pytest.mark.parametrize("header", ["runlxc", "process", "command"])
def test_a_header_compiles_alone(compiler, header):
    if not shutil.which(compiler[0]):
        pytest.skip(f"{compiler[0]} is not installed")
    # Twice, and with a function used where its linkage matters.
    text = f"#include <runlxc/{header}.h>\n#include <runlxc/{header}.h>\nint main(void) {{ return 0; }}\n"
    flags = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{REPOSITORY}/include", "-"]
    result = run(*compiler, *flags, text=text)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_shared_library_exports_its_own_names_alone(build):
    symbols = run("nm", "-D", "--defined-only", f"{build}/src/api/librunlxc.so.0").stdout.split("\n")
    names = {line.split()[-1] for line in symbols if line}
    assert names
    assert not {name for name in names if not re.fullmatch(r"(runlxc_\w+@@|)RUNLXC_0\.\d+", name)}


def test_the_static_library_has_its_own_names_alone(build):
    """A program may have an error_set() of its own."""
    symbols = run("nm", "-g", "--defined-only", f"{build}/src/api/librunlxc.a").stdout
    names = set(re.findall(r"^[0-9a-f]+ [A-Z] (\S+)$", symbols, flags=re.M))
    assert names and not {name for name in names if not name.startswith("runlxc_")}


def test_every_function_of_the_headers_is_exported(build):
    symbols = run("nm", "-D", "--defined-only", f"{build}/src/api/librunlxc.so.0").stdout
    exported = set(re.findall(r" T (runlxc_\w+)@@", symbols))
    declared = set()
    for header in ("runlxc", "process", "command"):
        with open(f"{REPOSITORY}/include/runlxc/{header}.h", encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        declared |= set(re.findall(r"\b(runlxc_\w+)\(", text))
    assert exported == declared


def test_the_library_needs_no_liblxc_to_be_loaded(build):
    """It loads it itself, when it is asked for something: a program can say what is missing."""
    needed = run("readelf", "-d", f"{build}/src/api/librunlxc.so.0").stdout
    assert "libseccomp" in needed and "liblxc" not in needed
