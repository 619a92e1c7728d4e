# SPDX-License-Identifier: Apache-2.0
"""docs/library.md: its programs and command lines, as they stand there, with what `make install` installs."""

import os
import re
import shutil
import subprocess
import sys

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def blocks(language):
    with open(f"{REPOSITORY}/docs/library.md", encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), flags=re.M | re.S)


def run(*args, environment, **kwargs):
    return subprocess.run(
        args,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=50,
        check=False,
        text=True,
        **kwargs,
    )


@pytest.fixture(scope="session")
def installed(session_directory, build, token):
    """An environment in which pkg-config and the loader find what was installed below a DESTDIR."""
    top = f"{session_directory}/installed"
    subprocess.run(
        ["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", top],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    (directory,) = [path for path, _, files in os.walk(top) if "runlxc.pc" in files]
    return dict(
        os.environ,
        PKG_CONFIG_PATH=directory,
        PKG_CONFIG_SYSROOT_DIR=top,
        LD_LIBRARY_PATH=os.path.dirname(directory),
        RUNLXC_TEST_SESSION=token,
    )


def compile_with(line, name, program, directory, environment):
    with open(f"{directory}/{name}.c", "w", encoding="utf-8") as file:
        file.write(program)
    result = run("sh", "-ec", line, environment=environment, cwd=directory)
    assert (result.returncode, result.stderr) == (0, "")
    return f"{directory}/{name}"


def killed(request, program, environment):
    """What is printed behind "up", when the container is killed by the command, in the default state root."""
    id_ = program[-5] if program[-2] == "-c" else program[-3]
    with subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, text=True) as up:
        assert up.stdout.readline().endswith("up\n")
        assert run(request.config.command, "kill", id_, "KILL", environment=environment).returncode == 0
        return up.stdout.read()


@pytest.mark.parametrize("how", ["shared", "static"])
def test_the_first_program(installed, request, workdir, rootfs, new_id, how):
    shared, static = blocks("sh")
    program = compile_with(shared if how == "shared" else static, "first", blocks("c")[0], workdir, installed)
    libraries = run("ldd", program, environment=installed).stdout
    assert ("librunlxc.so.0" in libraries) == (how == "shared")
    assert "liblxc" not in libraries
    first = lambda *args: run(program, new_id(), rootfs, *args, environment=installed)  # noqa: E731
    result = first("sh", "-c", "echo hello; echo to-stderr >&2; exit 3")
    assert (result.returncode, result.stdout, result.stderr) == (3, "hello\nexited with status 3\n", "to-stderr\n")
    assert first("true").stdout == "exited with status 0\n"
    output = killed(request, [program, new_id(), rootfs, "sh", "-c", "echo up; sleep 1000"], installed)
    assert output == "was killed by signal 9 (Killed); its exit status is 137\n"
    result = first("tail", "/dev/zero")
    assert (result.returncode, result.stdout) == (137, "ran out of memory; its exit status is 137\n")
    result = first("no-such-program")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == 'first: exec: "no-such-program": executable file not found in $PATH\n'


def test_the_program_with_many(installed, workdir, rootfs, new_id):
    line = blocks("sh")[0].replace("first", "many")
    program = compile_with(line, "many", blocks("c")[1], workdir, installed)
    result = run(program, rootfs, new_id(), environment=installed)
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(result.stdout.splitlines()) == [f"{number}: {number}" for number in range(10)]
    result = run(program, "/no/such", new_id(), environment=installed)
    assert 'rootfs: "/no/such": no such file or directory' in result.stderr


def test_the_python_program(installed, request, workdir, rootfs, new_id):
    """After `pip install`, of a copy: setuptools writes beside what it installs."""
    shutil.copytree(f"{REPOSITORY}/bindings/python", f"{workdir}/python")
    pip = [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-index", "--quiet"]
    pip += ["--root-user-action=ignore", "--disable-pip-version-check", "--no-compile", "--target", f"{workdir}/site"]
    result = run(*pip, f"{workdir}/python", environment=os.environ)
    assert result.returncode == 0, result.stderr
    assert os.path.exists(f"{workdir}/site/runlxc/py.typed")
    environment = {**installed, "PYTHONPATH": f"{workdir}/site"}
    environment.pop("RUNLXC_LIBRARY", None)  # it is found by the loader
    (program,) = blocks("python")
    with open(f"{workdir}/first.py", "w", encoding="utf-8") as file:
        file.write(program)
    first = lambda *args: run(  # noqa: E731
        sys.executable, f"{workdir}/first.py", new_id(), rootfs, *args, environment=environment
    )
    result = first("echo one; echo two; exit 4")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "it says: one\nit says: two\nexited with status 4\n"
    program = [sys.executable, f"{workdir}/first.py", new_id(), rootfs, "echo up; sleep 1000"]
    assert killed(request, program, environment) == "was killed by signal 9\n"
    assert first("tail /dev/zero").stdout == "ran out of memory\n"
    result = run(sys.executable, f"{workdir}/first.py", "a/b", rootfs, "true", environment=environment)
    assert result.returncode == 1
    assert "id: invalid container id" in result.stderr and "Traceback" not in result.stderr


def test_the_binding_says_when_there_is_no_library(workdir):
    environment = {"PYTHONPATH": f"{REPOSITORY}/bindings/python", "RUNLXC_LIBRARY": f"{workdir}/none.so"}
    script = "import runlxc\ntry: runlxc.Driver()\nexcept runlxc.Error as error: print(error.message)"
    result = run(sys.executable, "-B", "-c", script, environment=environment)
    assert result.stdout.startswith(f"Failed to load librunlxc: {workdir}/none.so")
