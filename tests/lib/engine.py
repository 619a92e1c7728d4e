# SPDX-License-Identifier: Apache-2.0
"""What the batteries of all engines share: a place apart, the image, and the comparison with runc."""

import concurrent.futures
import hashlib
import io
import itertools
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tarfile

import pytest

from lib import system
from lib.system import wait_until

REFERENCE = "runc"
OURS = "runlxc"
TIMEOUT = 40  # seconds for one command of an engine

NAMESPACE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "engines/namespace")

PASSWD = """root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000:Alice:/home/alice:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUP = """root:x:0:
alice:x:1000:
music:x:2000:alice
nogroup:x:65534:
"""


def need(*programs):
    """Skips where an engine isn't installed."""
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def runc_version():
    """As numbers, to compare with."""
    said = subprocess.run([REFERENCE, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    return tuple(map(int, re.match(r"runc version (\d+)\.(\d+)\.(\d+)", said).groups()))


def image(busybox):
    """The image of every test, as a tar archive: busybox, three users, and symlinks to lay volumes over."""
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, timeout=20, check=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:

        def add(name, data=b"", mode=0o755, **fields):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(data)
            for field, value in fields.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(data))

        for name in ("bin", "etc", "root", "home", "proc", "sys", "dev", "var", "real", "real/inner"):
            add(name, type=tarfile.DIRTYPE)
        add("home/alice", type=tarfile.DIRTYPE, uid=1000, gid=1000)
        add("tmp", type=tarfile.DIRTYPE, mode=0o1777)
        with open(busybox, "rb") as file:
            add("bin/busybox", file.read())
        for applet in listed.stdout.split():
            if applet != "busybox":
                add(f"bin/{applet}", type=tarfile.SYMTYPE, linkname="busybox")
        add("etc/passwd", PASSWD.encode(), 0o644)
        add("etc/group", GROUP.encode(), 0o644)
        add("bin/not-executable", b"#!/bin/sh\n", 0o644)
        add("link", type=tarfile.SYMTYPE, linkname="real/inner")
        add("absolute", type=tarfile.SYMTYPE, linkname="/real/inner")
        add("outside", type=tarfile.SYMTYPE, linkname="../../../../../../../../real/inner")
    return archive.getvalue()


def docker_archive(layer, name, command=("sh",)):
    """The image in the form of `docker save`, which every other engine can load."""
    config = {
        "architecture": "amd64" if platform.machine() == "x86_64" else platform.machine(),
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "tests"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file, data in (
            ("config.json", json.dumps(config).encode()),
            ("layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(file)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


class Result:
    """What became of a command."""

    def __init__(self, args, status, stdout, stderr):
        self.args, self.status, self.stdout, self.stderr = args, status, stdout, stderr

    def __repr__(self):
        return (
            f"\n  command: {' '.join(self.args)}\n  exit status: {self.status}"
            f"\n  stdout: {self.stdout[-3000:]!r}\n  stderr: {self.stderr[-3000:]!r}\n"
        )


class Place:
    """Namespaces that engines run in, until close(). What is written below `places` is the directory's."""

    def __init__(self, directory, token, command, places="etc var/lib"):
        self.directory, self.token, self.command = directory, token, command
        self.environment = dict(os.environ, RUNLXC_TEST_SESSION=token)
        self._numbers = itertools.count(1)
        os.mkdir(directory)
        self.holder = subprocess.Popen(
            [NAMESPACE, directory, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(self.environment, RUNLXC_TEST_PLACES=places),
        )
        assert self.holder.stdout.readline() == b"ready\n", "the engines' namespaces did not come up"

    @property
    def enter(self):
        """What stands before a command that is to run in it."""
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--mount", "--"]

    def number(self):
        return next(self._numbers)

    def run(self, argv, stdin=b"", timeout=TIMEOUT, **popen):
        """Runs a command to its end. Its streams are files: who inherits them doesn't keep us waiting."""
        path = f"{self.directory}/{self.number()}"
        with open(f"{path}.in", "wb") as file:
            file.write(stdin)
        popen.setdefault("env", self.environment)
        with open(f"{path}.in", "rb") as source, open(f"{path}.out", "wb") as out, open(f"{path}.err", "wb") as err:
            process = subprocess.Popen(argv, stdin=source, stdout=out, stderr=err, **popen)
            try:
                status = process.wait(timeout)
            except BaseException:
                process.kill()
                process.wait()
                with open(f"{path}.out", errors="replace") as out, open(f"{path}.err", errors="replace") as err:
                    print(Result(argv, "none: it was killed", out.read(), err.read()))
                raise
        texts = []
        for kind in ("out", "err"):
            with open(f"{path}.{kind}", encoding="utf-8", errors="replace", newline="") as file:
                texts.append(file.read())
        for kind in ("in", "out", "err"):
            os.unlink(f"{path}.{kind}")
        return Result(argv, status, *texts)

    def inside(self, *argv, **options):
        return self.run([*self.enter, *argv], **options)

    def members(self):
        """Who is in the mount namespace: engines, shims and monitors, but not what is in a container."""
        own = os.readlink(f"/proc/{self.holder.pid}/ns/mnt")
        found = {}
        for pid in system.pids():
            try:
                if pid != self.holder.pid and os.readlink(f"/proc/{pid}/ns/mnt") == own and system.process_alive(pid):
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        found[pid] = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                pass
        return found

    def close(self):
        """Ends the namespaces. Who is still in them is left over: it is ended, and named."""
        left = self.members()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.holder.stdin.close()
        self.holder.wait(20)
        self.holder.stdout.close()
        return left


class Guest(Place):
    """A machine that the engines have for themselves, as it is: the guest of tests/vm."""

    enter = []

    def __init__(self, directory, token, command):  # pylint: disable=super-init-not-called
        self.directory, self.token, self.command = directory, token, command
        self.environment = dict(os.environ, RUNLXC_TEST_SESSION=token)
        self._numbers = itertools.count(1)
        os.mkdir(directory)

    def members(self):
        return {}

    def close(self):
        return {}


class Engine:
    """An engine that is told which runtime to take. argv() is its command line, run() a container's."""

    def __init__(self, place):
        self.place = place
        self.token = place.token
        self.runtimes = {OURS: place.command, REFERENCE: shutil.which(REFERENCE)}

    def argv(self, *args):
        raise NotImplementedError

    def __call__(self, *args, **options):
        return self.place.run(self.argv(*args), **options)

    def ok(self, *args, **options):
        """Must succeed; what it printed, without the newline at the end."""
        result = self(*args, **options)
        assert result.status == 0, f"failed: {result}"
        return result.stdout.rstrip("\n")

    @staticmethod
    def loops():
        """How many containers the tests make that make many."""
        everything = os.environ.get("RUNLXC_TESTS_ENGINES") == "all"
        return int(os.environ.get("RUNLXC_TESTS_LOOPS", "200" if everything else "50"))

    def name(self):
        return f"{self.token}-{self.place.number()}"

    def run(self, runtime, flags, args, **options):
        """`run --rm` in the foreground"""
        raise NotImplementedError

    def both(self, scenario, at_once=True):
        """scenario(runtime) under runlxc and runc, side by side; both must return the same, which is returned."""
        with concurrent.futures.ThreadPoolExecutor(2 if at_once else 1) as pool:
            theirs = pool.submit(scenario, REFERENCE)
            ours = pool.submit(scenario, OURS)
            seen = ours.result()
            expected = theirs.result()
        assert seen == expected, f"\n  under runlxc: {seen!r}\n  under runc:   {expected!r}"
        return seen

    def same(self, flags, *args, status=0, output=None, at_once=True, **options):
        """The same command under both: the same output and exit status, and the ones that are asked for."""
        results = {}

        def scenario(runtime):
            results[runtime] = result = self.run(runtime, flags, args, **options)
            return result.status, result.stdout

        seen = self.both(scenario, at_once)
        ours = results[OURS]
        assert seen[0] == status, f"exit status {status} is right: {ours}"
        if status not in (125, 126, 127):  # then the engine quotes the runtime, in its own words
            assert ours.stderr == results[REFERENCE].stderr, f"{ours}{results[REFERENCE]}"
        if output is not None:
            assert seen[1] == output, f"{output!r} is right: {ours}"
        return ours


class Box:
    """A container that stays, of Docker's or Podman's."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name

    def inspect(self, what="json .State"):
        return json.loads(self.engine.ok("inspect", "--format", "{{" + what + "}}", self.name))

    @property
    def pid(self):
        return self.inspect("json .State.Pid")

    @property
    def status(self):
        return self.inspect("json .State.Status")

    def ok(self, verb, *args, **options):
        """A verb on it, with what stands between verb and container in `args`."""
        return self.engine.ok(verb, *args, self.name, **options)

    def exec(self, flags, *args, **options):
        return self.engine("exec", *flags, self.name, *args, **options)

    def exec_ok(self, flags, *args, **options):
        return self.engine.ok("exec", *flags, self.name, *args, **options)

    def wait(self):
        return int(self.ok("wait"))

    def logs(self):
        return self.ok("logs")

    def logged(self, text):
        """Waits until it has said so."""
        wait_until(lambda: text in self.logs(), f"{text!r} in the log")
        return self

    def has(self, field, value):
        """Waits until a field of its state has a value."""
        wait_until(lambda: self.inspect()[field] == value, f"{field} is {value}: {self.inspect()}")
        return self
