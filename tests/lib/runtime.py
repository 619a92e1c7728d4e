# SPDX-License-Identifier: Apache-2.0
"""The command under test, and the containers that a test makes with it."""

import itertools
import json
import os
import subprocess

from lib import system

started_pids = set()  # of every command that was started here

TIMEOUT = 20  # seconds for one command; a hang is a failure, not a wait


class Command(subprocess.Popen):
    """A command that a test talks to. When the test fails, it is killed rather than waited for."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        started_pids.add(self.pid)

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)


class Result:
    """A finished command. What it wrote went to files, so that a container that has inherited its
    streams does not keep us waiting."""

    def __init__(self, args, returncode, stdout_path, stderr_path, is_ours):
        self.args = args
        self.is_ours = is_ours
        self.returncode = returncode
        self.stdout_path, self.stderr_path = stdout_path, stderr_path

    @property
    def stdout_bytes(self):
        with open(self.stdout_path, "rb") as file:
            return file.read()

    @property
    def stdout(self):
        return self.stdout_bytes.decode(errors="replace")

    @property
    def stderr(self):
        with open(self.stderr_path, "rb") as file:
            return file.read().decode(errors="replace")

    def assert_refused(self, *words):
        """It failed, and said what and where in one line. How, is a promise of runlxc's alone."""
        assert self.returncode != 0, f"should have failed: {self}"
        if self.is_ours:
            assert len(self.stderr.splitlines()) == 1, f"not one line: {self}"
            for word in words:
                assert word in self.stderr, f"does not name {word!r}: {self}"

    def __repr__(self):
        return (
            f"\n  command: {' '.join(self.args)}\n  exit status: {self.returncode}"
            f"\n  stdout: {self.stdout[-2000:]!r}\n  stderr: {self.stderr[-2000:]!r}\n"
        )


class Runtime:
    """Calls the command with a state root of the test's own.

        runtime("state", "x")          a Result, whatever it was
        runtime.ok("state", "x")       must succeed
        runtime.fails("state", "x")    must not
    """

    def __init__(self, command, is_ours, workdir, token, root=None):
        self.command = command
        self.is_ours = is_ours
        self.workdir = str(workdir)
        self.token = token  # in every id, so that whatever is left behind can be told to be ours
        self.root = root or f"{self.workdir}/state"
        self.global_flags = ["--root", self.root]
        self.environment = dict(os.environ, RUNLXC_TEST_SESSION=token)
        self.containers = []
        self._numbers = itertools.count(1)

    def new_id(self):
        return f"{self.token}-{next(self._numbers)}"

    def argv(self, *args):
        return [self.command, *self.global_flags, *map(str, args)]

    def __call__(self, *args, timeout=TIMEOUT, argv=None, **popen):
        argv = argv or self.argv(*args)
        number = next(self._numbers)
        out, err = f"{self.workdir}/{number}.stdout", f"{self.workdir}/{number}.stderr"
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            popen.setdefault("stdin", subprocess.DEVNULL)
            popen.setdefault("stdout", stdout)
            popen.setdefault("stderr", stderr)
            popen.setdefault("env", self.environment)
            with Command(argv, **popen) as process:
                returncode = process.wait(timeout)
        return Result(argv, returncode, out, err, self.is_ours)

    def ok(self, *args, **kwargs):
        result = self(*args, **kwargs)
        assert result.returncode == 0, f"failed: {result}"
        return result

    def fails(self, *args, **kwargs):
        result = self(*args, **kwargs)
        assert result.returncode != 0, f"should have failed: {result}"
        return result

    def popen(self, *args, **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("env", self.environment)
        return Command(self.argv(*args), **popen)

    def list(self):
        return json.loads(self.ok("list", "--format", "json").stdout) or []

    def container(self, bundle, id_=None):
        container = Container(self, bundle, id_ or self.new_id())
        self.containers.append(container)
        return container

    def clean(self):
        """Removes whatever the test left, by the command itself."""
        ids = {c.id for c in self.containers if c.runtime is self}
        if os.path.isdir(self.root):
            ids |= set(os.listdir(self.root))
        for id_ in ids:
            if os.path.isdir(f"{self.root}/{id_}"):
                self("delete", "--force", id_)


class Container:
    """One container of a test, created from a bundle; removed by the fixture in any case."""

    def __init__(self, runtime, bundle, id_):
        self.runtime, self.bundle, self.id = runtime, bundle, id_
        self.pid_file = f"{runtime.workdir}/{id_}.pid"
        self.result = None  # of create or run
        self._pidfd = None

    # -- life

    def create(self, *flags, **popen):
        self.bundle.write()
        self.result = self.runtime.ok(
            "create", "--bundle", self.bundle.path, "--pid-file", self.pid_file, *flags, self.id, **popen
        )
        self._pidfd = system.Pidfd(self.pid)
        return self

    def start(self):
        self.runtime.ok("start", self.id)
        return self

    def up(self, *flags, **popen):
        """create and start"""
        return self.create(*flags, **popen).start()

    def run(self, *flags, **popen):
        """`run` in the foreground; a Result."""
        self.bundle.write()
        self.result = self.runtime("run", "--bundle", self.bundle.path, *flags, self.id, **popen)
        return self.result

    def run_ok(self, *flags, **popen):
        """`run` that must end with 0; what it printed."""
        result = self.run(*flags, **popen)
        assert result.returncode == 0, f"failed: {result}"
        return result.stdout

    def popen_run(self, *flags, **popen):
        """`run` in the foreground, for a test that talks to it."""
        self.bundle.write()
        return self.runtime.popen("run", "--bundle", self.bundle.path, *flags, self.id, **popen)

    def exec(self, *args, flags=(), **popen):
        return self.runtime("exec", *flags, self.id, *args, **popen)

    def exec_ok(self, *args, flags=(), **popen):
        result = self.exec(*args, flags=flags, **popen)
        assert result.returncode == 0, f"failed: {result}"
        return result.stdout

    def kill(self, sig="KILL", *flags):
        return self.runtime.ok("kill", *flags, self.id, sig)

    def delete(self, *flags):
        return self.runtime.ok("delete", *flags, self.id)

    def stop(self):
        """Kills it and waits until its first process has ended."""
        self.kill("KILL")
        self.wait()

    def wait(self, timeout=system.DEADLINE):
        """Waits for the end of the first process of a container made by create()."""
        self._pidfd.wait(timeout)

    # -- what is seen of it

    @property
    def pid(self):
        with open(self.pid_file, encoding="utf-8") as file:
            return int(file.read())

    def state(self):
        return json.loads(self.runtime.ok("state", self.id).stdout)

    @property
    def status(self):
        return self.state()["status"]

    @property
    def exists(self):
        return os.path.isdir(f"{self.runtime.root}/{self.id}")

    @property
    def output(self):
        """What the container has written so far to the streams it got from create()."""
        return self.result.stdout

    def wait_output(self, text):
        system.wait_until(lambda: text in self.output, f"output {text!r} from {self.id}")

    def close(self):
        if self._pidfd:
            self._pidfd.close()
            self._pidfd = None


def wait_status(process, timeout=TIMEOUT):
    """The exit status of a Popen as a shell would show it."""
    code = process.wait(timeout)
    return 128 - code if code < 0 else code
